"""Load, build, check, publish: from a folder of submitted files to the publication."""

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from pathlib import Path

import duckdb

from etl.build import identity, load_report, reference_data, returns, staging, volume
from etl.build.load_report import Report
from etl.build.registered import Register
from etl.core.errors import Refused
from etl.core.paths import CHECKS, INCOMING, SAMPLE_MARK, WAREHOUSE
from etl.core.text_folding import fold, printable
from etl.extract import parse_values, postgresql
from etl.extract.causes import because, in_language, words
from etl.extract.contract import TABLES
from etl.extract.read_file import Job
from etl.extract.read_folder import Outcome, WorkerPool
from etl.extract.source_folder import handed_in, source_files, unread_files
from etl.revisions import fingerprints
from etl.warehouse import adoption_history, build_database, publications, run_models, survival_curves
from etl.warehouse.code_version import code_version

_BUILT = "built.duckdb"

_MACHINE_REASONS = tuple(
    os.strerror(code) for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES)
)

Say = Callable[[str], None]
Progress = Callable[[int, int, int, float], None]


class BuildRefused(Refused):
    """A build that is refused after its files were read; carries the refusals, and the report with each as a line."""

    def __init__(self, refusals: Sequence[volume.Refusal], report: Report) -> None:
        report.refusals = [one.line for one in refusals]
        super().__init__("\n".join(report.refusals))
        self.refusals, self.report = refusals, report

    @property
    def sentences(self) -> list[tuple[str, str]]:
        """Its sentences, each with its province, if it is about one."""
        return [("".join(one.provinces) if len(one.provinces) == 1 else "", one.sentence) for one in self.refusals]


@dataclass(frozen=True)
class BuildOptions:
    """The folder to build from, the pointer to publish to, the day of the build, and what is let through.

    `by_clock`: the day is that of the machine's clock, which may be wrong. `announce` is called with the report of what is
    about to be shown; what it raises refuses the build. `returns`: the folder for the files that go back to the provinces;
    with `only_returns` nothing else is made. `staged` is called once rows are staged, with a connection that has the tables
    `quarantine` and `warned`; `examine` with the database that a check has built.
    """

    folder: Path = INCOMING
    to: Path = WAREHOUSE
    build_day: date = field(default_factory=date.today)
    skip_refused: bool = False
    accept_loss: bool = False
    new_identity: bool = False
    by_clock: bool = False
    announce: Callable[[Report], None] = lambda _: None
    returns: Path | None = None
    only_returns: bool = False
    staged: Callable[[duckdb.DuckDBPyConnection, Report], None] = lambda *_: None
    examine: Callable[[Path, Report], None] = lambda *_: None


def build(options: BuildOptions, say: Say, progress: Progress) -> Report:
    """Load, build, check and publish. Raises Refused or errors.Busy and leaves the last publication untouched."""
    with publications.building(options.to) as folder:
        report = _built(options, folder, say, progress, publishes=True)
        say("publishing")

        def announce(publication: str) -> None:
            report.publication = publication
            options.announce(report)

        publications.publish(folder / _BUILT, options.to, announce)
        report.published = True
    return report


def prepare(options: BuildOptions, to: Path, say: Say, progress: Progress) -> Report:
    """Everything that `build` does except showing the database, which is left at `to`; another build may be running.

    Raises Refused.
    """
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        for left in to.parent.glob(f"{to.stem}-*"):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=f"{to.stem}-", dir=to.parent, ignore_cleanup_errors=True) as folder:
            report = _built(options, Path(folder), say, progress, publishes=True)
            os.replace(Path(folder) / _BUILT, to)
            return report
    except FileNotFoundError as error:
        raise because("not_written", path=error.filename, error=error.strerror) from None


def show(prepared: Path, pointer: Path, announce: publications.Announce, accepted: Callable[[str], None]) -> str:
    """Publish a database that was prepared, as it is; returns the publication. `accepted` is called with it once it is shown,
    before another build may begin.

    Raises Refused or errors.Busy.
    """
    with publications.building(pointer) as folder:
        try:
            # What is killed before the end finds it again.
            os.link(prepared, folder / _BUILT)
            os.utime(folder / _BUILT)
        except FileNotFoundError:
            raise because("submission_stale") from None
        shown = publications.publish(folder / _BUILT, pointer, announce).stem
        accepted(shown)
    return shown


def check(options: BuildOptions, say: Say, progress: Progress) -> Report:
    """Everything that `build` does except publishing, in a temporary folder; another build may be running."""
    try:
        with tempfile.TemporaryDirectory(prefix="check-", ignore_cleanup_errors=True) as folder:
            report = _built(options, Path(folder), say, progress, publishes=False)
            options.examine(Path(folder) / _BUILT, report)
            return report
    except FileNotFoundError as error:
        raise because("not_written", path=error.filename, error=error.strerror) from None


def _built(options: BuildOptions, folder: Path, say: Say, progress: Progress, publishes: bool) -> Report:
    """Build and check the database of a load in `folder`. Raises BuildRefused with all reasons."""
    with publications.comparable_held_open(options.to) as last:
        return _built_after(last, options, folder, say, progress, publishes)


def _built_after(
    last: Path | None, options: BuildOptions, folder: Path, say: Say, progress: Progress, publishes: bool
) -> Report:
    """`_built`, compared with the version `last`."""
    files = source_files(options.folder)
    tables, unusable, reference = reference_data.read(options.folder)
    report = Report(reference=reference, ignored=[printable(name) for name in unread_files(options.folder)])
    # No file that goes back holds a hash of a person, so another key changes none.
    if not options.only_returns and (fault := identity.fault(options.to, last)):
        if not options.new_identity:
            raise BuildRefused([volume.Refusal(words("identity"), fault, words("restore"))], report)
        report.accepted.append(volume.Refusal(words("identity"), fault, words("new_identity")).line)
    setting = parse_values.Setting(
        options.build_day,
        {fold(course["course_code"]): course["course_code"] for course in tables["courses.csv"]},
        identity.key(store=publishes),
    )
    built = folder / _BUILT
    try:
        with postgresql.Snapshots(options.folder) as snapshots, ExitStack() as stack:
            numbers = count(step=len(TABLES))
            jobs = [Job(path, table, next(numbers), folder) for path, table in files]
            jobs += [
                Job(options.folder / postgresql.FILE, origin.table, next(numbers), folder, origin)
                for origin in snapshots.origins
            ]
            workers = stack.enter_context(closing(WorkerPool(setting, jobs)))
            con = stack.enter_context(build_database.opened(built))
            # The workers already read the files in parallel.
            reference_data.load(con, tables)
            outcomes = workers.read_all(lambda done, rows, share: progress(done, len(jobs), rows, share))
            workers.close()
            snapshots.close()
            owners = handed_in(options.folder)
            for outcome in outcomes:
                outcome.province = owners.get(outcome.job.path.name, "")
            report.refused = load_report.missing(outcomes)
            if unusable or len(report.refused) == len(outcomes):
                returns.write(options.returns, report)
                of_set_up = [volume.Refusal("", reason, begins=file) for file, reason in unusable.items()]
                raise BuildRefused([*of_set_up, *_unread(outcomes)], report)
            say("staging")
            build_database.attach_scratch(con, folder, sum(outcome.job.written for outcome in outcomes if outcome.read))
            _stage(con, options, last, outcomes, report, Register(last, setting.key, owners))
            if options.only_returns:
                return report
            _fill(con, options, last, report)
            as_of = date.fromisoformat(report.as_of)
            # The tables that need Python are created while the models run.
            tasks = {
                "row_fingerprints": run_models.ConcurrentTask(lambda con: fingerprints.create(con, setting.key)),
                "survival_curves": run_models.ConcurrentTask(
                    lambda con: survival_curves.build(con, as_of), {"joiners"}
                ),
            }
            run_models.build(con, say, tasks)
            publications.disable_useless_passes(con)
            adoption_history.carry(con, last)
            say("checking")
            _check_and_keep_numbers(con, options, last, report)
            sizes = _sizes(con)
            con.execute("checkpoint")
        _verify_file(built, sizes)
    except duckdb.Error as error:
        if reason := _machine_reason(error):
            refusal = volume.Refusal("", words("not_built", path=options.to, error=reason))
            raise BuildRefused([refusal], report) from None
        raise
    return report


def _unread(outcomes: Sequence[Outcome]) -> list[volume.Refusal]:
    """The refused files; tables of one database that are refused for the same reason share a line."""
    alike: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        if not outcome.read:
            source = outcome.job.origin.connection if outcome.job.origin else outcome.job.label
            alike.setdefault((source, outcome.refusal), []).append(outcome)
    refusals = []
    for (_, reason), (first, *others) in alike.items():
        if others:
            in_english, in_persian = in_language(reason, "en"), in_language(reason, "fa")
            reason = words(
                "same_for",
                reason=in_english,
                reason_fa=in_persian,
                others=", ".join(one.job.label for one in others),
                others_fa="، ".join(one.job.label for one in others),
            )
        refusals.append(_of_file(first, reason, volume.CORRECT))
    return refusals


def _of_file(outcome: Outcome, reason: str, remedy: str) -> volume.Refusal:
    """The refusal of a file, which is about its province."""
    provinces = frozenset(filter(None, [load_report.refused(outcome, reason).province]))
    return volume.Refusal(outcome.job.label, reason, remedy, provinces=provinces)


def _stage(
    con: duckdb.DuckDBPyConnection,
    options: BuildOptions,
    last: Path | None,
    outcomes: list[Outcome],
    report: Report,
    register: Register,
) -> None:
    """Stage the rows and count them; raises BuildRefused if files are refused, rows are lost or the clock is wrong.

    Versions of one file are refused. With `skip_refused` they and files with mostly rejected rows are left out like those
    that cannot be read.
    """
    while True:
        staging.stage(con, outcomes, register, keep=options.skip_refused)
        versions = staging.versions(con, outcomes)
        _leave_out(versions, options, outcomes, report)
        if versions and options.skip_refused:
            continue
        load_report.count(con, outcomes, report)
        if wrong_day := volume.ahead(con, outcomes, options.build_day):
            raise BuildRefused([*_unread(outcomes), wrong_day], report)
        rejected = volume.mostly_rejected(con, outcomes, report.refused)
        if options.accept_loss or not options.skip_refused:
            break
        if not (left_out := rejected or volume.mostly_orphans(con, outcomes, report.refused)):
            break
        _leave_out(left_out, options, outcomes, report)
    volume.record(con)
    load_report.record(con, outcomes, report)
    refused = [] if options.skip_refused else _unread(outcomes)
    explained = {file.table for file in report.refused} | {outcome.job.table for outcome, _ in rejected}
    excused = {(file.table, file.province) for file in report.refused}
    lost = [_of_file(outcome, reason, volume.CORRECT_ROWS) for outcome, reason in rejected]
    if last is None and publications.is_published(options.to):
        lost.append(volume.Refusal(str(options.to), words("none_readable"), words("restore")))
    absent = {*TABLES} - {outcome.job.table for outcome in outcomes}
    lost += volume.losses(con, last, () if options.accept_loss or options.skip_refused else explained, excused, absent)
    lost += volume.moved_residents(con, last)
    lost += volume.moved_working_days(con, last)
    if not options.accept_loss:
        report.refused += [load_report.refused(*pair) for pair in rejected]
    returns.write(options.returns, report, con)
    options.staged(con, report)
    _refuse(refused, lost, options, report)


def _refuse(
    refused: Sequence[volume.Refusal], lost: Sequence[volume.Refusal], options: BuildOptions, report: Report
) -> None:
    """Raises BuildRefused for refused files, and for losses that are not accepted."""
    if options.accept_loss:
        report.accepted += [loss.loss for loss in lost]
    elif lost:
        refused = [*refused, *lost]
    if refused:
        raise BuildRefused(refused, report)


def _leave_out(
    refused: Sequence[tuple[Outcome, str]], options: BuildOptions, outcomes: list[Outcome], report: Report
) -> None:
    """Refuse files after their rows were read. Raises BuildRefused if no file is left."""
    for outcome, reason in refused:
        outcome.read, outcome.refusal = None, reason
    report.refused = load_report.missing(outcomes)
    if len(report.refused) == len(outcomes):
        returns.write(options.returns, report)
        raise BuildRefused(_unread(outcomes), report)


def _machine_reason(error: duckdb.Error) -> str:
    """The failure of the machine behind a database error, else empty. It contains no value of the data."""
    text = str(error)
    if reason := next((reason for reason in _MACHINE_REASONS if reason in text), ""):
        return reason
    return text.splitlines()[0] if isinstance(error, (duckdb.IOException, duckdb.OutOfMemoryException)) else ""


def _fill(con: duckdb.DuckDBPyConnection, options: BuildOptions, last: Path | None, report: Report) -> None:
    """Create the table about the publication itself, and the numbers of persons."""
    load_report.count_new(con, last, report)
    con.execute(
        f"create table {build_database.SCRATCH}.person_numbers as "
        "select person_key, cast(row_number() over (order by min((file_number, line))) as integer) as person_id, "
        "min(hired_on) as first_hired_on, count(*) as spells "
        "from loaded_personnel group by person_key"
    )
    as_of = load_report.as_of(con, options.build_day)
    report.as_of = as_of.isoformat()
    if (wrong_day := volume.silent(as_of, options.build_day)) and options.by_clock:
        raise BuildRefused([wrong_day], report)
    con.execute(
        "create table publication as select ?::date as as_of, ?::date as built_on, ?::boolean as is_sample, "
        "count(distinct file) filter (where refusal is null) as files, sum(rows_read)::bigint as rows_read, "
        "sum(rows_loaded)::bigint as rows_loaded, sum(rows_quarantined)::bigint as rows_quarantined, "
        "?::varchar[] as missing, ?::varchar as code_version from load_files",
        [
            as_of,
            options.build_day,
            (options.folder / SAMPLE_MARK).exists(),
            [refused.file for refused in report.refused],
            code_version(),
        ],
    )


def _sizes(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """The number of rows of every published table."""
    names = con.execute(
        "select table_name from duckdb_tables() where database_name = current_database() order by 1"
    ).fetchall()
    parts = [f"select '{name}', count(*) from {name}" for (name,) in names]
    return dict(con.execute(" union all ".join(parts)).fetchall())


def _verify_file(built: Path, sizes: dict[str, int]) -> None:
    """Read the file back and compare the sizes: closing a database raises no error. Raises duckdb.IOException."""
    if built.with_name(built.name + ".wal").exists():
        raise duckdb.IOException("the database could not be written to its end")
    with duckdb.connect(str(built), read_only=True) as con:
        if _sizes(con) != sizes:
            raise duckdb.IOException("the database is not what was written")


def _check_and_keep_numbers(
    con: duckdb.DuckDBPyConnection, options: BuildOptions, last: Path | None, report: Report
) -> None:
    """Run the checks, ask for the published numbers and write the database to disk, at the same time.

    Raises BuildRefused if a check is broken, or if the people or licences of a place have fallen to less than half.
    """
    with ExitStack() as stack:
        first, second, third = (stack.enter_context(build_database.new_cursor(con)) for _ in range(3))
        executor = stack.enter_context(ThreadPoolExecutor(3))
        # Each consists of many small queries that use one core.
        as_of = date.fromisoformat(report.as_of)
        nation = executor.submit(fingerprints.numbers_of, first, as_of, ())
        provinces = executor.submit(fingerprints.numbers_of, second, as_of, ("province",))
        written = executor.submit(lambda: third.execute("checkpoint").fetchall())
        _check(con, report)
        written.result()
        numbers = nation.result() | provinces.result()
        left_out = [file.province for file in report.refused if file.table != "training"]
        _refuse([], volume.fallen(con, last, numbers, left_out), options, report)
        fingerprints.keep(con, numbers)


def _check(con: duckdb.DuckDBPyConnection, report: Report) -> None:
    """Run etl/warehouse/checks: each query lists rows that must not exist. Raises BuildRefused if any returns rows."""
    broken = []
    for file in report.files:
        if file.rows_read != file.rows_loaded + file.rows_quarantined + file.exact_duplicates:
            broken.append(volume.Refusal("", words("broken_sum", file=file.file), begins=file.file))
    for path in sorted(CHECKS.glob("*.sql")):
        ((rows,),) = con.execute(f"select count(*) from ({path.read_text(encoding='utf-8')})").fetchall()
        if rows:
            broken.append(volume.Refusal("", words("broken_check", name=path.stem, rows=rows)))
    if broken:
        raise BuildRefused(broken, report)
