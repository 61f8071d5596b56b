"""load, build, check, publish: from a folder of handed-in files to the publication that readers see."""

import graphlib
import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from etl import history, publication, reference, staging, values
from etl.contract import TABLES, Refused
from etl.intake import Outcome, read_all, source_files
from etl.normalize import fold
from etl.reading import Job

INCOMING = Path(__file__).parent.parent / "data" / "incoming"
SAMPLE_MARK = "SAMPLE.txt"

_HERE = Path(__file__).parent
_KEY_FILE = Path(__file__).parent.parent / "data" / "identity.key"
# What DuckDB may hold in memory while it builds; above it, it works on disk.
_MEMORY = os.environ.get("BUILD_MEMORY", "1GB")
# A load of fewer than half the rows of the last one is more likely a mistake than a reform.
_LEAST_SHARE_OF_LAST = 0.5
_ROWS_WORTH_GUARDING = 1000

Say = Callable[[str], None]


@dataclass
class FileReport:
    """One file of the load: rows_read = rows_loaded + rows_quarantined + exact_duplicates."""

    file: str
    table: str
    rows_read: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0
    exact_duplicates: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass
class Report:
    """What a build came to, as `--report` writes it."""

    published: bool
    as_of: str
    files: list[FileReport]
    reasons: dict[str, int]
    refused: list[str] = field(default_factory=list)
    publication: str = ""

    def write(self, path: Path) -> None:
        """Write the report as JSON. Raises Refused where the file cannot be written."""
        try:
            path.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise Refused(f"{path}: cannot be written ({error.strerror})") from None


class BuildRefused(Refused):
    """A build that was refused after the files were looked at; carries the report."""

    def __init__(self, reason: str, report: Report) -> None:
        super().__init__(reason)
        self.report = report


@dataclass(frozen=True)
class Order:
    """What is to be built: from which folder, to which pointer, as on which day, and what is let through."""

    folder: Path = INCOMING
    to: Path = publication.DEFAULT
    build_day: date = field(default_factory=date.today)
    skip_refused: bool = False
    accept_loss: bool = False


def build(order: Order, say: Say, progress: Callable[[int, int, int, float], None]) -> Report:
    """Load, build, check and publish. Raises Refused or publication.Busy with the last publication untouched."""
    files = source_files(order.folder)
    courses = reference.courses(order.folder)
    targets = reference.targets(order.folder)
    setting = values.Setting(
        order.build_day,
        {fold(course.course_code): course.course_code for course in courses},
        _key(),
        values.places(),
    )
    with publication.building(order.to) as workshop:
        jobs = [Job(path, table, number, workshop, setting) for number, (path, table) in enumerate(files)]
        outcomes = read_all(jobs, lambda done, rows, share: progress(done, len(jobs), rows, share))
        refused = [f"{outcome.job.path.name}: {outcome.refusal}" for outcome in outcomes if not outcome.read]
        if refused and (not order.skip_refused or len(refused) == len(outcomes)):
            raise BuildRefused(refused[0], Report(False, "", [], {}, refused))
        built = workshop / "built.duckdb"
        with duckdb.connect(str(built), config=_config(workshop)) as con:
            say("staging")
            staging.stage(con, outcomes)
            report = _report(con, outcomes, refused)
            reference.load(con, courses, targets)
            _record_load(con, order, outcomes, report)
            _build_models(con, say)
            history.carry(con, order.to)
            say("checking")
            _check(con, report)
            _guard_against_loss(con, order, report)
        version = publication.publish(built, order.to)
        report.published, report.publication = True, version.stem
    return report


def _config(workshop: Path) -> dict[str, Any]:
    return {
        "memory_limit": _MEMORY,
        "temp_directory": str(workshop),
        "preserve_insertion_order": "true",
        "threads": os.cpu_count() or 1,
    }


def _key() -> bytes:
    """The key under which a national id becomes the key of a person: kept beside the data, never in it."""
    if given := os.environ.get("IDENTITY_KEY"):
        return given.encode()
    try:
        return _KEY_FILE.read_bytes()
    except OSError:
        key = secrets.token_bytes(32)
    try:
        handle = os.open(_KEY_FILE, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(key)
    except OSError:
        # Without a place to keep it the key lives for this build only; nothing but row histories rests on it.
        pass
    return key


def _report(con: duckdb.DuckDBPyConnection, outcomes: list[Outcome], refused: list[str]) -> Report:
    kept_back = _count_by_file(con, "select file_number, count(distinct line) from faults group by all")
    duplicates = _count_by_file(con, "select file_number, count(*) from duplicates group by all")
    loaded: dict[int, int] = {}
    for table in TABLES:
        loaded |= _count_by_file(con, f"select file_number, count(*) from loaded_{table} group by all")
    files = []
    for outcome in outcomes:
        if outcome.read:
            number = outcome.job.number
            files.append(
                FileReport(
                    outcome.job.path.name,
                    outcome.job.table,
                    outcome.read.rows_read,
                    loaded.get(number, 0),
                    kept_back.get(number, 0),
                    duplicates.get(number, 0),
                    list(outcome.read.notes),
                )
            )
    reasons = dict(con.execute("select reason, count(*) from faults group by all order by reason").fetchall())
    return Report(False, "", files, reasons, refused)


def _count_by_file(con: duckdb.DuckDBPyConnection, sql: str) -> dict[int, int]:
    return dict(con.execute(sql).fetchall())


def _record_load(con: duckdb.DuckDBPyConnection, order: Order, outcomes: list[Outcome], report: Report) -> None:
    """The tables that tell of the load itself: files, quarantine, publication."""
    con.execute(
        "create temp table person_numbers as select person_key, "
        "row_number() over (order by min((file_number, line))) as person_id from loaded_personnel group by person_key"
    )
    con.execute(
        "create table load_files (file_number integer, file varchar, source_table varchar, province varchar, sha256 varchar, "
        "bytes bigint, rows_read bigint, rows_loaded bigint, rows_quarantined bigint, exact_duplicates bigint, "
        "refusal varchar, notes varchar[])"
    )
    provinces = _provinces_of_files(con)
    reports = {one.file: one for one in report.files}
    for outcome in outcomes:
        job, one = outcome.job, reports.get(outcome.job.path.name, FileReport("", ""))
        con.execute(
            "insert into load_files values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                job.number,
                job.path.name,
                job.table,
                provinces.get(job.number) or _province_in_name(job.path.name),
                outcome.read.sha256 if outcome.read else None,
                outcome.read.bytes if outcome.read else None,
                one.rows_read,
                one.rows_loaded,
                one.rows_quarantined,
                one.exact_duplicates,
                outcome.refusal or None,
                one.notes,
            ],
        )
    con.execute(
        "create table quarantine as select load_files.source_table, load_files.file, faults.line, "
        "faults.column_name, faults.reason, load_files.province from faults inner join load_files using (file_number) "
        "order by file, line, column_name, reason"
    )
    as_of = _as_of(con, order.build_day)
    report.as_of = as_of.isoformat()
    missing = [outcome.job.path.name for outcome in outcomes if outcome.refusal]
    con.execute(
        "create table publication as select ?::date as as_of, ?::date as built_on, ?::boolean as is_sample, "
        "count(*) filter (where refusal is null) as files, sum(rows_read)::bigint as rows_read, "
        "sum(rows_loaded)::bigint as rows_loaded, sum(rows_quarantined)::bigint as rows_quarantined, "
        "?::varchar[] as missing, ?::varchar as code_version from load_files",
        [as_of, order.build_day, (order.folder / SAMPLE_MARK).exists(), missing, code_version()],
    )


def _provinces_of_files(con: duckdb.DuckDBPyConnection) -> dict[int, str]:
    """The province most of a file's rows speak of."""
    return dict(
        con.execute(
            """
            with spoken as (
                select file_number, province from read_institutes
                union all select file_number, province from read_personnel
                union all
                select read_licences.file_number, read_institutes.province
                from read_licences inner join read_institutes using (institute_code)
                union all
                select read_training.file_number, first_seen.province
                from read_training
                inner join (
                    select person_key, arg_min(province, (file_number, line)) as province
                    from read_personnel group by person_key
                ) as first_seen using (person_key)
            )
            select file_number, mode(province order by province) from spoken where province is not null group by all
            """
        ).fetchall()
    )


def _province_in_name(name: str) -> str | None:
    """A refused file shows no rows; its name may still say which province handed it in."""
    stem = Path(name).stem
    words = [fold(part) for part in stem.replace("-", "_").split("_")]
    known = values.places().provinces
    spans = (" ".join(words[a:b]) for a in range(len(words)) for b in range(len(words), a, -1))
    return next((known[span] for span in spans if span in known), None) or next(
        (known[f"ir-{word}"] for word in words if f"ir-{word}" in known), None
    )


def _as_of(con: duckdb.DuckDBPyConnection, build_day: date) -> date:
    columns = {
        "licences": ("applied_on", "file_complete_on", "decided_on"),
        "institutes": ("status_since",),
        "personnel": ("hired_on", "left_on"),
        "training": ("completed_on",),
    }
    days = " union all ".join(
        f"select max({column}) filter (where {column} <= $day) as day from loaded_{table}"
        for table, names in columns.items()
        for column in names
    )
    row = con.execute(f"select max(day) from ({days})", {"day": build_day}).fetchone()
    return row[0] if row and row[0] else build_day


def models() -> dict[str, str]:
    """The SQL of every model by the name of its table."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted((_HERE / "models").glob("*.sql"))}


def _build_models(con: duckdb.DuckDBPyConnection, say: Say) -> None:
    sql = models()
    needs = {name: set(re.findall(r"\b(?:from|join)\s+(\w+)", text)) & sql.keys() for name, text in sql.items()}
    for name in graphlib.TopologicalSorter(needs).static_order():
        say(f"building {name}")
        con.execute(f"create table {name} as {sql[name]}")


def _check(con: duckdb.DuckDBPyConnection, report: Report) -> None:
    """Every file of etl/checks lists rows that must not exist; the first that finds one refuses the build."""
    for one in report.files:
        if one.rows_read != one.rows_loaded + one.rows_quarantined + one.exact_duplicates:
            raise BuildRefused(f"{one.file}: check rows_add_up is broken", report)
    for path in sorted((_HERE / "checks").glob("*.sql")):
        row = con.execute(f"select count(*) from ({path.read_text(encoding='utf-8')})").fetchone()
        if row and row[0]:
            raise BuildRefused(f"check {path.stem} is broken by {row[0]} rows", report)


def _guard_against_loss(con: duckdb.DuckDBPyConnection, order: Order, report: Report) -> None:
    if order.accept_loss:
        return
    try:
        with publication.connect(order.to) as last:
            before = publication.describe(last).rows_loaded
    except (Refused, duckdb.Error):
        return
    now = sum(one.rows_loaded for one in report.files)
    if before >= _ROWS_WORTH_GUARDING and now < before * _LEAST_SHARE_OF_LAST:
        raise BuildRefused(
            f"{order.folder}: {now} rows loaded where the last publication has {before}; --accept-loss publishes it",
            report,
        )


def code_version() -> str:
    """A digest of the code, models and definitions that made a publication."""
    digest = hashlib.sha256()
    for path in sorted(_HERE.rglob("*")):
        if path.suffix in (".py", ".sql", ".toml"):
            digest.update(path.relative_to(_HERE).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
