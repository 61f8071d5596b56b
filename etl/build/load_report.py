"""The load report for people and scripts, and the tables about the load in the publication."""

import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import TextIO

import duckdb
import pyarrow as pa

from etl.core.files import replacing
from etl.core.places import places
from etl.core.text_folding import fold
from etl.extract.causes import BETWEEN, FSI, PDI, because
from etl.extract.contract import TABLES
from etl.extract.expected import expected
from etl.extract.read_folder import Outcome
from etl.extract.source_file import SHEET_BITS
from etl.warehouse import publications
from etl.warehouse.build_database import SCRATCH, create_from

_TEXT, _COUNT = pa.string(), pa.int64()
_LOAD_FILES = pa.schema(
    [
        ("file_number", pa.int32()),
        *((name, _TEXT) for name in ("file", "source_table", "province", "sha256")),
        *((name, _COUNT) for name in ("bytes", "rows_read", "rows_loaded", "rows_quarantined")),
        *((name, _COUNT) for name in ("exact_duplicates", "rows_warned")),
        ("refusal", _TEXT),
        ("notes", pa.list_(_TEXT)),
        ("sheets", pa.list_(_TEXT)),
    ]
)
_REFERENCES = pa.schema([("file", _TEXT), ("replaces", _TEXT), ("rows", _COUNT)])
_EXPECTED = pa.schema([(name, _TEXT) for name in ("source_table", "column_name", "reason", "differing", "expected")])
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

    `rows_warned` counts the loaded rows in which a bad value was loaded as unknown. `example` counts the example lines of a
    template, which are none of the rows read; the report names it where there are some.
    """

    file: str
    table: str
    rows_read: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0
    exact_duplicates: int = 0
    rows_warned: int = 0
    example: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass
class Missing:
    """A refused file, and its province by its rows or its name (empty: unknown)."""

    file: str
    table: str
    province: str
    reason: str


@dataclass
class Reference:
    """A file of the folder that sets up the build: the shipped file that it replaces (empty: none), and its rows."""

    file: str
    replaces: str
    rows: int


@dataclass
class Report:
    """The outcome of a build, as `--report` writes it.

    `reference`: the files that set up the build; `refused`: the files left out; `ignored`: every other file in the folder
    and below, with the reason if it might be taken for one that counts; `refusals`: why nothing was
    published, one line each; `accepted`: the losses published because of --accept-loss. `new_files` and `new_rows`: how
    many files the last publication does not have, and the rows read of them. `returned`: how many files go back to the
    provinces; they are in the folder `returns` (None: they could not be written there).
    """

    published: bool = False
    as_of: str = ""
    files: list[FileReport] = field(default_factory=list)
    reference: list[Reference] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)
    refused: list[Missing] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    publication: str = ""
    refusals: list[str] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    new_files: int = 0
    new_rows: int = 0
    returns: str = ""
    returned: int | None = 0

    def write(self, path: Path) -> None:
        """Write the report as JSON. Raises Refused if the file cannot be written."""
        report = asdict(self)
        for entry in report["files"]:
            if not entry["example"]:
                del entry["example"]
        with writing(path) as file:
            file.write(json.dumps(report, ensure_ascii=False, indent=1) + "\n")


def refuse_unwritable(path: Path) -> None:
    """Raises Refused if a report cannot be written, before the work begins."""
    if path.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK):
        raise because("report_not_written", path=path)


@contextmanager
def writing(path: Path) -> Iterator[TextIO]:
    """A text file that is written atomically. Raises Refused if it cannot be written."""
    # A pipe or a device is written to, never replaced.
    is_atomic = not path.exists() or path.is_file()
    try:
        with (
            replacing(path) if is_atomic else nullcontext(path) as waiting,
            waiting.open("w", encoding="utf-8", newline="") as file,
        ):
            yield file
    except OSError as error:
        raise because("not_written", path=path, error=error.strerror) from None


def missing(outcomes: Sequence[Outcome]) -> list[Missing]:
    """The files that were not read, with the province of their rows or in their name."""
    return [refused(outcome, outcome.refusal) for outcome in outcomes if not outcome.read]


def refused(outcome: Outcome, reason: str) -> Missing:
    """A file that is refused for a reason."""
    return Missing(outcome.job.label, outcome.job.table, _province(outcome) or "", reason)


def count(con: duckdb.DuckDBPyConnection, outcomes: Sequence[Outcome], report: Report) -> None:
    """Fill in the row counts of each file from the staging tables."""
    loaded = " union all ".join(f"select file_number, line from loaded_{table}" for table in TABLES)
    queries = {
        "rows_loaded": f"select file_number, count(*) from ({loaded}) group by all",
        "rows_quarantined": "select file_number, count(distinct line) from faults group by all",
        "exact_duplicates": "select file_number, count(*) from duplicates group by all",
        "rows_warned": "select file_number, count(distinct line) from warned group by all",
    }
    counts = {name: dict(con.execute(sql).fetchall()) for name, sql in queries.items()}
    report.files = []
    for outcome in outcomes:
        if outcome.read:
            job, read = outcome.job, outcome.read
            of_file = {name: by_file.get(job.number, 0) for name, by_file in counts.items()}
            report.files.append(
                FileReport(job.label, job.table, read.rows_read, example=read.example, notes=read.notes, **of_file)
            )
    report.reasons = dict(con.execute("select reason, count(*) from faults group by all order by 1").fetchall())


def record(con: duckdb.DuckDBPyConnection, outcomes: Sequence[Outcome], report: Report) -> None:
    """Create `load_files` (one row per file), `quarantine` (one row per fault), `warned` (one row per value loaded as
    unknown), `reference_files` and `ignored_files`."""
    reports = iter(report.files)
    rows = []
    for outcome in outcomes:
        job = outcome.job
        counts = next(reports) if outcome.read else FileReport(job.label, job.table)
        rows.append(
            {
                **asdict(counts),
                "file_number": job.number,
                "source_table": job.table,
                "province": _province(outcome),
                "sha256": outcome.read.sha256 if outcome.read else None,
                "bytes": outcome.read.bytes if outcome.read else None,
                "refusal": outcome.refusal or None,
                "sheets": outcome.read.sheets if outcome.read else None,
            }
        )
    files = pa.Table.from_pylist(rows, _LOAD_FILES)
    create_from(con, "create table load_files as select * exclude (sheets) from arriving", files)
    create_from(con, f"create table {SCRATCH}.sheets as select file_number, sheets from arriving", files)
    create_from(con, "create table ignored_files as from arriving", pa.table({"file": pa.array(report.ignored, _TEXT)}))
    references = pa.Table.from_pylist(list(map(asdict, report.reference)), _REFERENCES)
    create_from(con, "create table reference_files as from arriving", references)
    for table, faults in (("quarantine", "faults"), ("warned", f"{SCRATCH}.warned")):
        _create_fault_table(con, table, faults)


def count_new(con: duckdb.DuckDBPyConnection, last: Path | None, report: Report) -> None:
    """Count the files of `load_files` that the version `last` does not have, by their digests."""
    digests = [digest for (digest,) in publications.rows_of(last, "select sha256 from load_files")]
    ((report.new_files, report.new_rows),) = con.execute(
        "select count(distinct file), coalesce(sum(rows_read), 0)::bigint from load_files "
        "where sha256 is not null and not list_contains($known::varchar[], sha256)",
        {"known": digests},
    ).fetchall()


def _create_fault_table(con: duckdb.DuckDBPyConnection, table: str, faults: str) -> None:
    """Create the table with file, sheet, line, column and reason of each fault, and what was expected.

    A conflict names the row that it conflicts with.
    """
    kinds = con.execute(
        "select distinct source_table, column_name, reason, coalesce(differing, '') "
        f"from {faults} left join conflicts using (file_number, line)"
    ).fetchall()
    rows = [dict(zip(_EXPECTED.names, (*kind, expected(*kind)), strict=True)) for kind in kinds]
    create_from(
        con,
        f"""
        create table {table} as
        with other as (
            select
                conflicts.file_number,
                conflicts.line,
                conflicts.differing,
                load_files.file,
                sheets.sheets[1 + (conflicts.other_line >> {SHEET_BITS})] as sheet,
                conflicts.other_line & $row as number,
            from conflicts
            inner join load_files on load_files.file_number = conflicts.other_file
            inner join sheets on sheets.file_number = conflicts.other_file
        )
        select
            load_files.source_table,
            load_files.file,
            sheets.sheets[1 + (faults.line >> {SHEET_BITS})] as sheet,
            faults.line & $row as line,
            faults.column_name,
            faults.reason,
            load_files.province,
            case when other.file is null then arriving.expected else replace(replace(replace(
                arriving.expected,
                '{{line_en}}', concat(other.sheet || '!', other.number)),
                '{{line_fa}}', concat(
                    'برگهٔ {FSI}' || other.sheet || '{PDI}، ردیف ',
                    if(other.sheet is null, 'سطر ', ''),
                    translate(other.number::varchar, '0123456789', '۰۱۲۳۴۵۶۷۸۹')
                )),
                '{{file}}', replace(other.file, '{BETWEEN}', ' ')
            ) end as expected,
        from {faults} as faults
        inner join load_files using (file_number)
        inner join sheets using (file_number)
        left join other on other.file_number = faults.file_number and other.line = faults.line
        left join arriving
            on arriving.source_table = faults.source_table
            and arriving.reason = faults.reason
            and arriving.column_name = faults.column_name
            and arriving.differing = coalesce(other.differing, '')
        order by load_files.file, faults.line, faults.column_name, faults.reason
        """.replace("$row", str((1 << SHEET_BITS) - 1)),
        pa.Table.from_pylist(rows, _EXPECTED),
    )


def as_of(con: duckdb.DuckDBPyConnection, build_day: date) -> date:
    """The latest day in the loaded rows that is not after the day of the build."""
    days = " union all ".join(
        f"select max({column}) filter (where {column} <= $day) as day from loaded_{table}"
        for table, names in _LAST_DAYS.items()
        for column in names
    )
    ((latest,),) = con.execute(f"select max(day) from ({days})", {"day": build_day}).fetchall()
    return latest or build_day


def _province(outcome: Outcome) -> str | None:
    """The province of a file's rows, else the one in its name."""
    return outcome.province or province_in_name(outcome.job.label)


def province_in_name(name: str) -> str | None:
    """The province that a file name contains, by its code or its words. A bare number is ignored."""
    provinces = places().provinces
    stem = fold(Path(name).stem)
    if (coded := _ISO_IN_NAME.search(stem)) and f"ir-{coded[1]}" in provinces:
        return provinces[f"ir-{coded[1]}"]
    words = stem.replace("-", " ").replace("_", " ").split()
    spans = (" ".join(words[a:b]) for a in range(len(words)) for b in range(len(words), a, -1))
    return next((provinces[span] for span in spans if span in provinces and not span.isdecimal()), None)
