"""What a load came to: the report for people and scripts, and the tables that tell of it in the publication."""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import TextIO

import duckdb

from etl.core.errors import Refused
from etl.core.places import places
from etl.core.text_folding import fold
from etl.extract.contract import TABLES
from etl.extract.expected import expected
from etl.extract.read_folder import Outcome
from etl.extract.source_file import SHEET_BITS
from etl.warehouse.build_database import SCRATCH

_LOAD_FILES = {
    "file_number": "integer",
    "file": "varchar",
    "source_table": "varchar",
    "province": "varchar",
    "sha256": "varchar",
    "bytes": "bigint",
    "rows_read": "bigint",
    "rows_loaded": "bigint",
    "rows_quarantined": "bigint",
    "exact_duplicates": "bigint",
    "rows_warned": "bigint",
    "refusal": "varchar",
    "notes": "varchar[]",
}
_ISO_IN_NAME = re.compile(r"(?<![a-z])ir[-_ ]?([0-9]{2})(?![0-9])")
_LAST_DAYS = {
    "licences": ("applied_on", "file_complete_on", "decided_on"),
    "institutes": ("status_since",),
    "personnel": ("hired_on", "left_on"),
    "training": ("completed_on",),
}


@dataclass
class FileReport:
    """One file of the load: rows_read = rows_loaded + rows_quarantined + exact_duplicates.

    `rows_warned` are those of the loaded in which a bad value was loaded as unknown.
    """

    file: str
    table: str
    rows_read: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0
    exact_duplicates: int = 0
    rows_warned: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass
class Missing:
    """One file that was refused, and the province it speaks for, by its name (empty: it does not say)."""

    file: str
    table: str
    province: str
    reason: str


@dataclass
class Report:
    """What a build came to, as `--report` writes it.

    `refused`: the files left out; `ignored`: every other file in the folder and below; `refusals`: why nothing was
    published, a line each; `accepted`: the losses published because --accept-loss was given.
    """

    published: bool = False
    as_of: str = ""
    files: list[FileReport] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)
    refused: list[Missing] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    publication: str = ""
    refusals: list[str] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Write the report as JSON. Raises Refused where the file cannot be written."""
        with writing(path) as file:
            file.write(json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n")


def refuse_unwritable(path: Path) -> None:
    """Raises Refused where a report could not be written: better before the work than after it."""
    if path.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK):
        raise Refused(f"{path}: cannot be written")


@contextmanager
def writing(path: Path) -> Iterator[TextIO]:
    """A text file that appears under its name only when it is whole. Raises Refused where it cannot be written."""
    # A pipe or a device is written to, never replaced.
    aside = not path.exists() or path.is_file()
    waiting = path.with_name(f".{path.name}.{os.getpid()}") if aside else path
    try:
        with waiting.open("w", encoding="utf-8", newline="") as file:
            yield file
        if aside:
            os.replace(waiting, path)
    except OSError as error:
        if aside:
            with suppress(OSError):
                waiting.unlink(missing_ok=True)
        raise Refused(f"{path}: cannot be written ({error.strerror})") from None


def spoken(con: duckdb.DuckDBPyConnection) -> dict[int, str]:
    """The province that most rows of each file speak of, by the file's number."""
    return dict(con.execute("select file_number, province from spoken").fetchall())


def missing(outcomes: Sequence[Outcome], provinces: Mapping[int, str] = MappingProxyType({})) -> list[Missing]:
    """The files that were refused, with their province where rows or the name tell it."""
    return [
        Missing(
            one.job.label,
            one.job.table,
            provinces.get(one.job.number) or _province_in_name(one.job.label) or "",
            one.refusal,
        )
        for one in outcomes
        if not one.read
    ]


def count(con: duckdb.DuckDBPyConnection, outcomes: Sequence[Outcome], report: Report) -> None:
    """Fill in what became of the rows of each file, from what staging left."""
    rejected_rows = _by_file(con, "select file_number, count(distinct line) from faults group by all")
    duplicates = _by_file(con, "select file_number, count(*) from duplicates group by all")
    warned = _by_file(con, "select file_number, count(distinct line) from warned group by all")
    report.files = []
    loaded: dict[int, int] = {}
    for table in TABLES:
        loaded |= _by_file(con, f"select file_number, count(*) from loaded_{table} group by all")
    for one in outcomes:
        if one.read:
            number = one.job.number
            told = FileReport(one.job.label, one.job.table, one.read.rows_read, notes=list(one.read.notes))
            told.rows_loaded, told.rows_quarantined = loaded.get(number, 0), rejected_rows.get(number, 0)
            told.exact_duplicates, told.rows_warned = duplicates.get(number, 0), warned.get(number, 0)
            report.files.append(told)
    report.reasons = dict(con.execute("select reason, count(*) from faults group by all order by 1").fetchall())


def record(con: duckdb.DuckDBPyConnection, outcomes: Sequence[Outcome], report: Report) -> None:
    """Make `load_files` (one row per file), `quarantine` (one row per fault), `warned` (one per value loaded as unknown), and
    `ignored_files`."""
    provinces = {one.file: one.province for one in report.refused} | {
        one.job.label: province for one in outcomes if (province := spoken(con).get(one.job.number))
    }
    reports = iter(report.files)
    rows = []
    for one in outcomes:
        job = one.job
        told = next(reports) if one.read else FileReport(job.label, job.table)
        rows.append(
            {
                **asdict(told),
                "file_number": job.number,
                "source_table": job.table,
                "province": provinces.get(job.label) or _province_in_name(job.label),
                "sha256": one.read.sha256 if one.read else None,
                "bytes": one.read.bytes if one.read else None,
                "refusal": one.refusal or None,
            }
        )
    # Lists are bound, and no Arrow made of them: that would load pandas for a hundred rows.
    columns = ", ".join(f"unnest(${name}::{kind}[]) as {name}" for name, kind in _LOAD_FILES.items())
    con.execute(
        f"create table load_files as select {columns}", {name: [row[name] for row in rows] for name in _LOAD_FILES}
    )
    con.execute(
        "create table ignored_files as select unnest($files::varchar[]) as file", {"files": list(report.ignored)}
    )
    sheets = [
        (one.job.number, number, name) for one in outcomes if one.read for number, name in enumerate(one.read.sheets)
    ]
    con.execute(
        f"create table {SCRATCH}.sheets as select unnest($files::integer[]) as file_number, "
        "unnest($numbers::integer[]) as number, unnest($names::varchar[]) as sheet",
        {name: [row[at] for row in sheets] for at, name in enumerate(("files", "numbers", "names"))},
    )
    for table, found in (("quarantine", "faults"), ("warned", f"{SCRATCH}.warned")):
        _tell(con, table, found)


def _tell(con: duckdb.DuckDBPyConnection, table: str, found: str) -> None:
    """Make the table that names, for each fault found, file, sheet, line, column, reason, and what was expected."""
    kinds = con.execute(f"select distinct source_table, column_name, reason from {found}").fetchall()
    words = [(*kind, expected(*kind)) for kind in kinds]
    con.execute(
        f"create table {table} as with words as (select unnest($tables::varchar[]) as source_table, "
        "unnest($columns::varchar[]) as column_name, unnest($reasons::varchar[]) as reason, "
        "unnest($expected::varchar[]) as expected) "
        "select load_files.source_table, load_files.file, sheets.sheet, "
        f"found.line & {(1 << SHEET_BITS) - 1} as line, found.column_name, found.reason, load_files.province, "
        f"words.expected from {found} as found inner join load_files using (file_number) "
        "left join sheets on sheets.file_number = found.file_number "
        f"and sheets.number = found.line >> {SHEET_BITS} "
        "left join words on words.source_table = found.source_table and words.reason = found.reason "
        "and words.column_name = found.column_name "
        "order by load_files.file, found.line, found.column_name, found.reason",
        {name: [row[at] for row in words] for at, name in enumerate(("tables", "columns", "reasons", "expected"))},
    )


def as_of(con: duckdb.DuckDBPyConnection, build_day: date) -> date:
    """The latest day that loaded rows speak of and that is not after the day of the build."""
    days = " union all ".join(
        f"select max({column}) filter (where {column} <= $day) as day from loaded_{table}"
        for table, names in _LAST_DAYS.items()
        for column in names
    )
    ((latest,),) = con.execute(f"select max(day) from ({days})", {"day": build_day}).fetchall()
    return latest or build_day


def _by_file(con: duckdb.DuckDBPyConnection, sql: str) -> dict[int, int]:
    return dict(con.execute(sql).fetchall())


def _province_in_name(name: str) -> str | None:
    """A refused file shows no rows; its name may still say which province handed it in. A bare number says nothing."""
    known = places().provinces
    stem = fold(Path(name).stem)
    if (coded := _ISO_IN_NAME.search(stem)) and f"ir-{coded[1]}" in known:
        return known[f"ir-{coded[1]}"]
    words = stem.replace("-", " ").replace("_", " ").split()
    spans = (" ".join(words[a:b]) for a in range(len(words)) for b in range(len(words), a, -1))
    return next((known[span] for span in spans if span in known and not span.isdecimal()), None)
