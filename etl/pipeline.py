"""load, build, check, publish: from a folder of handed-in files to the publication that readers see."""

import errno
import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb

from etl import (
    announcements,
    history,
    identity,
    loadlog,
    marks,
    modelling,
    population,
    publication,
    reference,
    staging,
    survival,
    values,
    workshop,
)
from etl.contract import Refused
from etl.intake import Outcome, Readers, source_files, unread_files
from etl.loadlog import Report
from etl.normalize import fold, printable
from etl.reading import Job

INCOMING = Path(__file__).parent.parent / "data" / "incoming"
SAMPLE_MARK = "SAMPLE.txt"

_HERE = Path(__file__).parent
# A load of fewer than half the rows of the last one is more likely a mistake than a reform.
_LEAST_SHARE_OF_LAST = 0.5
_ROWS_WORTH_GUARDING = 1000
_MACHINE_REASONS = tuple(
    os.strerror(code) for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES)
)

Say = Callable[[str], None]
Progress = Callable[[int, int, int, float], None]


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


def build(order: Order, say: Say, progress: Progress) -> Report:
    """Load, build, check and publish. Raises Refused or publication.Busy with the last publication untouched."""
    files = source_files(order.folder)
    courses = reference.courses(order.folder)
    targets = reference.targets(order.folder)
    residents = population.read(order.folder)
    said = announcements.read(order.folder)
    setting = values.Setting(
        order.build_day,
        {fold(course.course_code): course.course_code for course in courses},
        identity.key(),
        values.places(),
    )
    report = Report(ignored=[printable(name) for name in unread_files(order.folder)])
    with publication.building(order.to) as folder:
        jobs = [Job(path, table, number, folder) for number, (path, table) in enumerate(files)]
        built = folder / "built.duckdb"
        try:
            with Readers(setting, jobs) as readers, workshop.opened(built) as con:
                # The readers are at work meanwhile.
                reference.load(con, courses, targets)
                population.load(con, residents)
                announcements.load(con, said)
                outcomes = readers.read_all(lambda done, rows, share: progress(done, len(jobs), rows, share))
                readers.dismiss()
                report.refused = loadlog.missing(outcomes)
                if report.refused and (not order.skip_refused or len(report.refused) == len(outcomes)):
                    raise BuildRefused(report.first_refused(), report)
                say("staging")
                _fill(con, order, outcomes, report)
                survival.get_ready(con)
                modelling.build(con, say, _beside(report, setting))
                publication.plan_as_readers_do(con)
                history.carry(con, order.to)
                say("checking")
                _prove_and_ask(con, order, report)
                sizes = _sizes(con)
                con.execute("checkpoint")
            _prove_whole(built, sizes)
        except duckdb.Error as error:
            if reason := _of_the_machine(error):
                raise BuildRefused(f"{order.to}: cannot be built: {reason}", report) from None
            raise
        say("publishing")
        version = publication.publish(built, order.to)
        report.published, report.publication = True, version.stem
    return report


def _beside(report: Report, setting: values.Setting) -> dict[str, modelling.Beside]:
    """The tables that are made with the models but not in SQL alone."""
    as_of = date.fromisoformat(report.as_of)
    return {
        "row_marks": modelling.Beside(lambda con: marks.mark(con, setting.key)),
        "survival_curves": modelling.Beside(lambda con: survival.build(con, as_of), {"joiners"}),
    }


def _of_the_machine(error: duckdb.Error) -> str:
    """What the machine could not do, if that is what an error of the database is about. No value of the data stands in it."""
    text = str(error)
    if found := next((reason for reason in _MACHINE_REASONS if reason in text), ""):
        return found
    return text.splitlines()[0] if isinstance(error, (duckdb.IOException, duckdb.OutOfMemoryException)) else ""


def _fill(con: duckdb.DuckDBPyConnection, order: Order, outcomes: list[Outcome], report: Report) -> None:
    """The rows that load, aside, and the tables that tell of the load itself."""
    staging.stage(con, outcomes)
    loadlog.count(con, outcomes, report)
    loadlog.record(con, outcomes, report)
    con.execute(
        f"create table {workshop.ASIDE}.person_numbers as "
        "select person_key, cast(row_number() over (order by min((file_number, line))) as integer) as person_id, "
        "min(hired_on) as first_hired_on, count(*) as spells "
        "from loaded_personnel group by person_key"
    )
    as_of = loadlog.as_of(con, order.build_day)
    report.as_of = as_of.isoformat()
    con.execute(
        "create table publication as select ?::date as as_of, ?::date as built_on, ?::boolean as is_sample, "
        "count(*) filter (where refusal is null) as files, sum(rows_read)::bigint as rows_read, "
        "sum(rows_loaded)::bigint as rows_loaded, sum(rows_quarantined)::bigint as rows_quarantined, "
        "?::varchar[] as missing, ?::varchar as code_version from load_files",
        [
            as_of,
            order.build_day,
            (order.folder / SAMPLE_MARK).exists(),
            [one.file for one in report.refused],
            code_version(),
        ],
    )


def _sizes(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """The rows of every table that is published."""
    names = con.execute(
        "select table_name from duckdb_tables() where database_name = current_database() order by 1"
    ).fetchall()
    parts = [f"select '{name}', count(*) from {name}" for (name,) in names]
    return dict(con.execute(" union all ".join(parts)).fetchall())


def _prove_whole(built: Path, sizes: dict[str, int]) -> None:
    """What was written is what is read back: closing a database tells of no error by itself."""
    if built.with_name(built.name + ".wal").exists():
        raise duckdb.IOException("the database could not be written to its end")
    with duckdb.connect(str(built), read_only=True) as con:
        if _sizes(con) != sizes:
            raise duckdb.IOException("the database is not what was written")


def _prove_and_ask(con: duckdb.DuckDBPyConnection, order: Order, report: Report) -> None:
    """Refuse what must not be published, ask the numbers that are kept, and write down what stands: all at once."""
    with ExitStack() as stack:
        one, other, third = (stack.enter_context(workshop.apart(con)) for _ in range(3))
        beside = stack.enter_context(ThreadPoolExecutor(3))
        # Each is made of many small steps, most of them on one core.
        nation = beside.submit(marks.numbers, one, ())
        provinces = beside.submit(marks.numbers, other, ("province",))
        written = beside.submit(lambda: third.execute("checkpoint").fetchall())
        _check(con, report)
        _guard_against_loss(con, order, report)
        written.result()
        marks.keep(con, nation.result() | provinces.result())


def _check(con: duckdb.DuckDBPyConnection, report: Report) -> None:
    """Every file of etl/checks lists rows that must not exist; the first that finds one refuses the build."""
    for one in report.files:
        if one.rows_read != one.rows_loaded + one.rows_quarantined + one.exact_duplicates:
            raise BuildRefused(f"{one.file}: check rows_add_up is broken", report)
    for path in sorted((_HERE / "checks").glob("*.sql")):
        ((rows,),) = con.execute(f"select count(*) from ({path.read_text(encoding='utf-8')})").fetchall()
        if rows:
            raise BuildRefused(f"check {path.stem} is broken by {rows} rows", report)


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
