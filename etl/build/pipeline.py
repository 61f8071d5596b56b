"""load, build, check, publish: from a folder of handed-in files to the publication that readers see."""

import errno
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from etl.analysis import announcements, events, survival
from etl.build import identity, load_report, reference_data, staging, volume
from etl.build.load_report import Missing, Report
from etl.core.errors import Refused
from etl.core.paths import CHECKS, REFERENCE, ROOT
from etl.core.places import places
from etl.core.text_folding import fold, printable
from etl.extract import parse_values, postgresql
from etl.extract.read_folder import Outcome, Readers
from etl.extract.source_folder import source_files, unread_files
from etl.extract.validate import Job
from etl.revisions import fingerprints
from etl.warehouse import adoption_history, build_database, population, publications, run_models
from etl.warehouse.code_version import code_version

INCOMING = ROOT / "data" / "incoming"
SAMPLE_MARK = "SAMPLE.txt"
_BUILT = "built.duckdb"

_HERE = ROOT / "etl"
_MACHINE_REASONS = tuple(
    os.strerror(code) for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES)
)

Say = Callable[[str], None]
Progress = Callable[[int, int, int, float], None]


class BuildRefused(Refused):
    """A build that was refused after the files were looked at; carries the report, and in it every refusal in a line."""

    def __init__(self, reasons: str | Sequence[str], report: Report) -> None:
        report.refusals = [reasons] if isinstance(reasons, str) else list(reasons)
        super().__init__("\n".join(report.refusals))
        self.report = report


@dataclass(frozen=True)
class BuildOptions:
    """What is to be built: from which folder, to which pointer, as on which day, and what is let through.

    `by_clock` tells that the day is that of the machine's clock, which may be wrong.
    """

    folder: Path = INCOMING
    to: Path = publications.DEFAULT
    build_day: date = field(default_factory=date.today)
    skip_refused: bool = False
    accept_loss: bool = False
    by_clock: bool = False


def build(order: BuildOptions, say: Say, progress: Progress) -> Report:
    """Load, build, check and publish. Raises Refused or errors.Busy with the last publication untouched."""
    with publications.building(order.to) as folder:
        report = _built(order, folder, say, progress)
        say("publishing")
        version = publications.publish(folder / _BUILT, order.to)
        report.published, report.publication = True, version.stem
    return report


def check(order: BuildOptions, say: Say, progress: Progress) -> Report:
    """All that `build` does but publishing, in a temporary folder and beside a build that may be running."""
    with _temporary() as folder:
        return _built(order, folder, say, progress)


@contextmanager
def _temporary() -> Iterator[Path]:
    try:
        with tempfile.TemporaryDirectory(prefix="check-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)
    except FileNotFoundError as error:
        raise Refused(f"{error.filename}: cannot be written ({error.strerror})") from None


def _built(order: BuildOptions, folder: Path, say: Say, progress: Progress) -> Report:
    """The database of a load, made and checked in `folder`. Raises BuildRefused with all reasons there are."""
    files = source_files(order.folder)
    references = _references(order.folder)
    setting = parse_values.Setting(
        order.build_day,
        {fold(course.course_code): course.course_code for course in references.courses},
        identity.key(),
        places(),
    )
    report = Report(ignored=[printable(name) for name in unread_files(order.folder)])
    built = folder / _BUILT
    try:
        with postgresql.Snapshots(order.folder) as snapshots, ExitStack() as stack:
            jobs = [Job(path, table, number, folder) for number, (path, table) in enumerate(files)]
            jobs += [
                Job(order.folder / postgresql.FILE, origin.table, number, folder, origin)
                for number, origin in enumerate(snapshots.origins, len(files))
            ]
            readers = stack.enter_context(Readers(setting, jobs))
            con = stack.enter_context(build_database.opened(built))
            # The readers are at work meanwhile.
            reference_data.load(con, references.courses, references.targets)
            population.load(con, references.residents)
            announcements.load(con, references.announcements)
            events.load(con, references.events)
            outcomes = readers.read_all(lambda done, rows, share: progress(done, len(jobs), rows, share))
            readers.dismiss()
            snapshots.release()
            report.refused = load_report.missing(outcomes)
            if references.unusable or len(report.refused) == len(outcomes):
                raise BuildRefused([*references.unusable, *_unread(report)], report)
            say("staging")
            _stage(con, order, outcomes, report)
            _fill(con, order, outcomes, report)
            survival.get_ready(con)
            run_models.build(con, say, _beside(report, setting))
            publications.plan_as_readers_do(con)
            adoption_history.carry(con, order.to)
            say("checking")
            _prove_and_ask(con, report)
            sizes = _sizes(con)
            con.execute("checkpoint")
        _prove_whole(built, sizes)
    except duckdb.Error as error:
        if reason := _of_the_machine(error):
            raise BuildRefused(f"{order.to}: cannot be built: {reason}", report) from None
        raise
    return report


@dataclass(frozen=True)
class _References:
    """The reference tables of a build, and why those of its folder cannot be used."""

    courses: list[reference_data.Course]
    targets: list[reference_data.Target]
    residents: list[population.Residents]
    announcements: list[announcements.Announcement]
    events: list[events.Event]
    unusable: list[str]


def _references(folder: Path) -> _References:
    """Those of `folder`; where they cannot be used, ours stand in while its other files are looked at."""
    unusable: list[str] = []
    found: list[list[Any]] = []
    for read in (reference_data.courses, reference_data.targets, population.read, announcements.read, events.read):
        try:
            found.append(read(folder))
        except Refused as error:
            unusable.append(str(error))
            found.append(read(REFERENCE))
    courses, targets, residents, announced, happened = found
    return _References(courses, targets, residents, announced, happened, unusable)


def _unread(report: Report) -> list[str]:
    """The refused files, a line each."""
    return [volume.Refusal(one.file, one.reason, volume.CORRECT).line for one in report.refused]


def _stage(con: duckdb.DuckDBPyConnection, order: BuildOptions, outcomes: list[Outcome], report: Report) -> None:
    """Sort the rows, and count them; raises BuildRefused where files are refused, rows lost or the clock is wrong.

    A file that turns out to be mostly rejected is left out like one that cannot be read, where that is asked for.
    """
    while True:
        staging.stage(con, outcomes, keep=order.skip_refused)
        load_report.count(con, outcomes, report)
        if wrong_day := volume.ahead(con, outcomes, order.build_day):
            raise BuildRefused([*_unread(report), wrong_day.line], report)
        rejected = volume.mostly_rejected(con, outcomes, with_orphans=order.skip_refused or not report.refused)
        if not rejected or order.accept_loss or not order.skip_refused:
            break
        for one, reason in rejected:
            one.read, one.refusal = None, reason
        spoken = load_report.spoken(con)
        report.refused = load_report.missing(outcomes, spoken)
        if len(report.refused) == len(outcomes):
            raise BuildRefused(_unread(report), report)
    volume.record(con)
    spoilt = [Missing(one.job.label, one.job.table, "", reason) for one, reason in rejected]
    refused = [] if order.skip_refused else _unread(report)
    explained = {one.table for one in (*report.refused, *spoilt)} if not order.skip_refused else set()
    excused = {(one.table, one.province) for one in report.refused}
    lost = [volume.Refusal(one.file, one.reason, f"{volume.CORRECT}, or {volume.ACCEPT}") for one in spoilt]
    lost += volume.losses(con, order.to, () if order.accept_loss else explained, excused)
    if order.accept_loss:
        report.accepted = [f"{one.place}: {one.reason}" for one in lost]
    else:
        refused += [one.line for one in lost]
    if refused:
        raise BuildRefused(refused, report)


def _beside(report: Report, setting: parse_values.Setting) -> dict[str, run_models.ConcurrentTask]:
    """The tables that are made with the models but not in SQL alone."""
    as_of = date.fromisoformat(report.as_of)
    return {
        "row_marks": run_models.ConcurrentTask(lambda con: fingerprints.mark(con, setting.key)),
        "survival_curves": run_models.ConcurrentTask(lambda con: survival.build(con, as_of), {"joiners"}),
    }


def _of_the_machine(error: duckdb.Error) -> str:
    """What the machine could not do, if that is what an error of the database is about. No value of the data stands in it."""
    text = str(error)
    if found := next((reason for reason in _MACHINE_REASONS if reason in text), ""):
        return found
    return text.splitlines()[0] if isinstance(error, (duckdb.IOException, duckdb.OutOfMemoryException)) else ""


def _fill(con: duckdb.DuckDBPyConnection, order: BuildOptions, outcomes: list[Outcome], report: Report) -> None:
    """The rows that load, aside, and the tables that tell of the load itself."""
    load_report.record(con, outcomes, report)
    con.execute(
        f"create table {build_database.SCRATCH}.person_numbers as "
        "select person_key, cast(row_number() over (order by min((file_number, line))) as integer) as person_id, "
        "min(hired_on) as first_hired_on, count(*) as spells "
        "from loaded_personnel group by person_key"
    )
    as_of = load_report.as_of(con, order.build_day)
    report.as_of = as_of.isoformat()
    if (wrong_day := volume.silent(as_of, order.build_day)) and order.by_clock:
        raise BuildRefused(wrong_day.line, report)
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


def _prove_and_ask(con: duckdb.DuckDBPyConnection, report: Report) -> None:
    """Refuse what must not be published, ask the numbers that are kept, and write down what stands: all at once."""
    with ExitStack() as stack:
        one, other, third = (stack.enter_context(build_database.new_cursor(con)) for _ in range(3))
        beside = stack.enter_context(ThreadPoolExecutor(3))
        # Each is made of many small steps, most of them on one core.
        nation = beside.submit(fingerprints.numbers, one, ())
        provinces = beside.submit(fingerprints.numbers, other, ("province",))
        written = beside.submit(lambda: third.execute("checkpoint").fetchall())
        _check(con, report)
        written.result()
        fingerprints.keep(con, nation.result() | provinces.result())


def _check(con: duckdb.DuckDBPyConnection, report: Report) -> None:
    """Every file of etl/warehouse/checks lists rows that must not exist; one that finds any refuses the build."""
    broken = []
    for one in report.files:
        if one.rows_read != one.rows_loaded + one.rows_quarantined + one.exact_duplicates:
            broken.append(f"{one.file}: check rows_add_up is broken")
    for path in sorted(CHECKS.glob("*.sql")):
        ((rows,),) = con.execute(f"select count(*) from ({path.read_text(encoding='utf-8')})").fetchall()
        if rows:
            broken.append(f"check {path.stem} is broken by {rows} rows")
    if broken:
        raise BuildRefused(broken, report)
