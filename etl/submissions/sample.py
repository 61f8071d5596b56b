"""Made-up submissions beside the files of a sample: of the last month two provinces are late and one has its data back.

Who hands in is named `sample.` and the code of the province. What was published before holds the files of the folder.
"""

import hashlib
import random
from datetime import date, datetime, timedelta
from datetime import time as clock
from pathlib import Path
from typing import Any

from etl.build.load_report import province_in_name
from etl.core.files import sha256
from etl.extract.contract import TABLES
from etl.extract.source_folder import table_of
from etl.semantic.rights import AccessScope, Grant
from etl.submissions import deadline, originals
from etl.submissions.desk import Desk, Person
from etl.submissions.records import File, Submission

MONTHS = 6
_STEWARD = "sample.steward"
# A publication before the first that is kept: without one, what a correction supersedes would count for nothing.
_BEFORE = "000000"
_WHY = "شماری از دوره‌های خدمت پایان‌یافته هنوز بدون تاریخ پایان است؛ لطفاً فایل کارکنان را تکمیل کنید."
_LOST_SHARE = 200
_TWO_BYTES = (b"\xff\xfe", b"\xfe\xff")


def make(desk: Desk, folder: Path, seed: int = 7, day: date | None = None) -> bool:
    """Fill the submissions of an installation; False, and nothing is done, where there are some already. Raises OSError."""
    if desk.records.all():
        return False
    today, rng = day or date.today(), random.Random(seed)
    files = _files(folder)
    months = deadline.months_due(today, desk.rules, MONTHS)
    late, absent, returned = _exceptions(files, rng)
    for month in months:
        is_last = month == months[-1]
        for province in files:
            if is_last and province == returned:
                _give_back(desk, province, month, files[province])
            elif not is_last or province not in (late, absent):
                # The files of the folder are those that were accepted last.
                is_newest = month == (months[-2] if province in (late, absent, returned) else months[-1])
                _published(desk, province, month, files[province], rng, is_newest, may_be_late=not is_last)
    _hand_in_late(desk, late, months[-1], files[late])
    return True


def _files(folder: Path) -> dict[str, list[Path]]:
    """The files of each province that hold a table."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if table_of(path.name) and (province := province_in_name(path.name)):
            found.setdefault(province, []).append(path)
    return found


def _exceptions(files: dict[str, list[Path]], rng: random.Random) -> tuple[str, str, str]:
    """Who is late with files, who has submitted nothing, and whose data went back."""
    written = [code for code in sorted(files) if _courses(files[code])]
    late = rng.choice(written)
    absent, returned = rng.sample(sorted(set(files) - {late}), 2)
    return late, absent, returned


def _courses(files: list[Path]) -> Path | None:
    """The file of courses, where it is text that can be cut after any byte."""
    for path in files:
        if table_of(path.name) == "training" and path.suffix == ".csv" and path.read_bytes()[:2] not in _TWO_BYTES:
            return path
    return None


def _clerk(province: str) -> str:
    return f"sample.{province.lower()}"


def _at(day: date, rng: random.Random) -> float:
    return datetime.combine(day, clock(8 + rng.randrange(7), rng.randrange(60))).timestamp()


def _described(files: list[Path], at: float, is_newest: bool, month: str) -> tuple[File, ...]:
    """The files as a record names them. Of an earlier month only the name is known: its digest is none of a file here."""
    return tuple(
        File(
            number,
            path.name,
            sha256(path) if is_newest else hashlib.sha256(f"{month} {path.name}".encode()).hexdigest(),
            path.stat().st_size,
            at,
            table_of(path.name) or "",
        )
        for number, path in enumerate(files, 1)
    )


def _published(
    desk: Desk,
    province: str,
    month: str,
    files: list[Path],
    rng: random.Random,
    is_newest: bool,
    may_be_late: bool,
) -> None:
    due, chance = deadline.due(month, desk.rules), rng.random()
    if may_be_late and not is_newest and chance < 0.02:
        return
    is_late = may_be_late and chance < 0.1
    at = _at(due + timedelta(days=rng.randint(1, 6) if is_late else -rng.randint(0, 3)), rng)
    given = [path for path in files if is_newest or chance < 0.9 or table_of(path.name) in ("personnel", "training")]
    unchanged = {table: (_clerk(province), at) for table in TABLES} if not is_newest and chance > 0.98 else {}
    if not unchanged:
        kept = {table_of(path.name) for path in given}
        unchanged = {table: (_clerk(province), at) for table in TABLES if table not in kept}
    described = () if len(unchanged) == len(TABLES) else _described(given, at, is_newest, month)
    decided = at + rng.randint(1, 30) * 3600
    _add(
        desk, province, month, "published", at,
        files=described, unchanged=unchanged, decided_by=_STEWARD, decided_at=decided, changed_at=decided + 3600,
        publication=_BEFORE,
    )  # fmt: skip


def _give_back(desk: Desk, province: str, month: str, files: list[Path]) -> None:
    at = datetime.combine(deadline.due(month, desk.rules), clock(10, 20)).timestamp()
    given = [path for path in files if table_of(path.name) in ("personnel", "training")]
    _add(
        desk, province, month, "returned", at,
        files=_described(given, at, False, month), decided_by=_STEWARD, decided_at=at + 7200, changed_at=at + 7200,
        why=_WHY,
    )  # fmt: skip


def _add(desk: Desk, province: str, month: str, state: str, at: float, **more: Any) -> None:
    who = _clerk(province)
    given: dict[str, Any] = {"opened_at": at, "hands": (who,), "submitted_by": who, "submitted_at": at, **more}
    desk.records.add(province, month, lambda ident, _: Submission(ident, province, month, state, **given))


def _hand_in_late(desk: Desk, province: str, month: str, files: list[Path]) -> None:
    """Courses without the last of them, as a file that the whole check is still to go over."""
    path = _courses(files)
    assert path
    lines = path.read_bytes().splitlines(keepends=True)
    content = b"".join(lines[: len(lines) - len(lines) // _LOST_SHARE])
    who = Person(
        _clerk(province), AccessScope(_clerk(province), frozenset({Grant("submitter", frozenset({province}))}))
    )
    draft = desk.open(who, province, month)
    received = desk.receive(who, draft.id, 1, path.name, len(content))
    try:
        for at in range(0, len(content), originals.PIECE):
            received.write(content[at : at + originals.PIECE])
        desk.keep(who, draft.id, 1, received)
    finally:
        received.close()
    desk.submit(who, draft.id)
