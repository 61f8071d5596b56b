"""Maps the groups of a sign-in to an access scope, by the table access.toml. Everything else is denied."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from etl.core.places import places
from etl.core.settings import Faulty
from etl.core.text_folding import fold
from etl.semantic.rights import ROLES, WHOLE_COUNTRY, AccessScope, Grant

# The account of a command on the server begins with it, and no name of a person.
SERVER = "server:"
_KEYS = {"role", "provinces", "may_see_detail", "may_export"}


@dataclass(frozen=True)
class Roles:
    """Rights by group, and the contact for rights by language."""

    groups: Mapping[str, Grant] = field(default_factory=dict)
    contact: Mapping[str, str] = field(default_factory=dict)

    def scope_of(self, sub: str, groups: Any) -> AccessScope:
        """The scope of a person in these groups: a grant of each; none if no group is known or `groups` is no list."""
        names = groups if sub and isinstance(groups, list | tuple) else ()
        known = {self.groups[name] for name in names if isinstance(name, str) and name in self.groups}
        return AccessScope(sub, frozenset(known))


def read(path: Path) -> Roles:
    """Read the table. Raises Faulty with all faults."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        raise Faulty([f"{path}: cannot be read ({error.__class__.__name__})"]) from None
    faults: list[str] = []
    groups = {}
    for name, entry in (content.get("groups") or {}).items():
        try:
            groups[name] = _group(entry)
        except ValueError as error:
            faults.append(f"{path}: group {name}: {error}")
    faults += [f"{path}: {name} is unknown" for name in content.keys() - {"groups", "contact"}]
    if not groups and not faults:
        faults.append(f"{path}: names no group")
    if faults:
        raise Faulty(faults)
    contact = content.get("contact") or {}
    return Roles(groups, {lang: str(words) for lang, words in contact.items()})


def _group(entry: Any) -> Grant:
    if not isinstance(entry, dict) or entry.keys() - _KEYS:
        raise ValueError(f"takes {', '.join(sorted(_KEYS))}")
    role = entry.get("role")
    if role not in ROLES[1:]:
        raise ValueError(f"a role is one of {', '.join(ROLES[1:])}")
    flags = {key: entry.get(key, False) for key in ("may_see_detail", "may_export")}
    if not all(isinstance(value, bool) for value in flags.values()):
        raise ValueError("may_see_detail and may_export are true or false")
    named = [places().provinces.get(fold(str(name))) for name in entry.get("provinces", ())]
    if None in named:
        raise ValueError("a province is unknown")
    if bool(named) != (role in ("province", "submitter")):
        raise ValueError(f"the role {role} {'does not take' if named else 'needs'} provinces")
    return Grant(role, frozenset(code for code in named if code) or WHOLE_COUNTRY, **flags)
