"""The follows of teams, in the file that `[mail] follows` of the settings names.

    [[follow]]
    team = "office"                     a group of access.toml
    measure = "training_compliance"
    place = "every province"            or IR-07, counties of IR-07, nation
    filters = { gender = "female" }     none unless given
    condition = "clearly lower"         below 0.8, above 60000, clearly higher, changed, target month moved,
                                        needs action, publication
    until = "1406/06/31"                always unless given
    mail = true                         by mail too; with the PDF of the place: attach = true

Each member is told with the rights of the moment.
"""

import time
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from etl.core.errors import QuestionError, Refused
from ui.access.follows import Kept
from ui.follow.follow import Condition, Follow, checked
from ui.follow.telling import ident_of
from ui.state.scope import NATION

_KEYS = {"team", "measure", "place", "filters", "condition", "until", "mail", "attach", "end"}


def read(path: Path, teams: Collection[str] | None) -> list[Kept]:
    """The follows of the file; `teams` are those that are known (None: any). Raises Refused with every fault, one a line."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Refused(f"{path}: is not TOML ({error})") from None
    if unknown := content.keys() - {"follow"}:
        raise Refused(f"{path}: {min(unknown)} is unknown")
    tables = content.get("follow", [])
    found: dict[str, Kept] = {}
    faults = []
    for number, table in enumerate(tables if isinstance(tables, list) else [None], 1):
        try:
            kept = _kept(table, teams)
            found[kept.ident] = kept
        except (QuestionError, ValueError) as error:
            faults.append(f"{path}: follow {number}: {error}")
    if faults:
        raise Refused("\n".join(faults))
    return [*found.values()]


def _kept(table: Any, teams: Collection[str] | None) -> Kept:
    if not isinstance(table, dict):
        raise QuestionError("write [[follow]]")
    if unknown := table.keys() - _KEYS:
        raise QuestionError(f"{min(unknown)} is unknown")
    for key in ("team", "condition"):
        if not isinstance(table.get(key), str):
            raise QuestionError(f"{key} is missing")
    if teams is not None and table["team"] not in teams:
        raise QuestionError(f"{table['team']!r} is no group of access.toml")
    flags = {key: table.get(key, False) for key in ("mail", "attach", "end")}
    if wrong := [key for key, value in flags.items() if not isinstance(value, bool)]:
        raise QuestionError(f"{wrong[0]} is true or false")
    filters = table.get("filters", {})
    if not isinstance(filters, dict):
        raise QuestionError('filters are like { gender = "female" }')
    where = tuple(
        sorted((name, (codes,) if isinstance(codes, str) else tuple(codes)) for name, codes in filters.items())
    )
    place = str(table.get("place", "nation"))
    follow = Follow(
        Condition.read(table["condition"]),
        str(table.get("measure", "")),
        NATION if place == "nation" else place,
        where,
        flags["end"],
        flags["mail"],
        flags["attach"],
        str(table.get("until", "")),
    )
    team, follow = table["team"], checked(follow)
    return Kept(ident_of(owner(team), follow, team), owner(team), team, follow.record(), time.time())


def owner(team: str) -> str:
    """Whose the follows of the file are: nobody's."""
    return f"team:{team}"
