"""Publications: a database is built in a private folder, made durable, and published by moving one pointer.

FILE (data/warehouse/warehouse.duckdb) is a symbolic link to one of the versions in FILE.publications/, numbered in the
order of publication, independent of the clock. A connection opens a version by its own name, so it sees the old or the new
one, never a mix. The last KEPT versions are kept, and `roll_back` moves the pointer back, or forward again.

The next build removes a version that was finished but never published (a power failure between the last two steps). To tell
it from a version that was rolled back, `roll_back` first records the newest version that was ever published.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from etl.core.errors import OtherVersion, Refused
from etl.core.files import sync
from etl.core.paths import WAREHOUSE
from etl.extract.causes import because
from etl.warehouse import population, version_files
from etl.warehouse.code_version import code_version
from etl.warehouse.version_files import number_of, pointer_of, versions, versions_folder

KEPT = 5
# Passes of DuckDB's optimizer without effect on our questions, a handful of sums over sorted tables; without them the median
# question takes 16 % less and all questions take 11 % less processor time. Those that large tables need stay on: filter
# pushdown, join order, pruning, top n.
_USELESS_PASSES = (
    "aggregate_function_rewriter,aggregate_reuse,common_subplan,deliminator,duplicate_groups,"
    "empty_result_pullup,extension,filter_pullup,grouping_sets,in_clause,join_elimination,"
    "outer_join_simplification,partitioned_execution,projection_placement,redundant_order_keys,"
    "regex_range,remote_pushdown,sampling_pushdown,scalar_fn_pushdown,self_join_aggregate,"
    "statistics_propagation,top_n_window_elimination,type_pushdown,unnest_rewriter,window_rewriter,"
    "window_self_join"
)
# The tables of the last publication that a build reads.
_COMPARED = (
    "adoption",
    "fingerprint_kind",
    "load_files",
    "load_rows",
    "population",
    "publication",
    "published_numbers",
)


@dataclass(frozen=True)
class Publication:
    """The publication that an answer was read from.

    `as_of` is the default day of a question, `built_on` that of the build, Gregorian; `published_at` is local time.
    """

    id: str
    as_of: date
    built_on: date
    published_at: datetime
    is_sample: bool
    files: int
    rows_read: int
    rows_loaded: int
    rows_quarantined: int
    missing: tuple[str, ...]
    # The first and the last day with running totals.
    months_with_totals: tuple[date, date] | None = None
    # Whether a person has three overlapping spells: running totals leave such persons out.
    has_many: bool = True
    # Areas, and residents by day.
    provinces: population.Provinces = field(default_factory=population.Provinces, repr=False, compare=False)
    file: Path = field(default_factory=Path, repr=False, compare=False)
    # The site's secret behind the numbers for circulation.
    circulation_key: str = field(default="", repr=False, compare=False)


def current(pointer: Path) -> Path:
    """The current version of `pointer`. Raises Refused if nothing is published."""
    path = Path(os.path.realpath(pointer))
    if not path.is_file():
        if is_published(pointer):
            raise Refused(f"{pointer}: the published file is missing; python -m etl rollback shows one that is kept")
        raise Refused(f"{pointer}: nothing is published there yet; run python -m etl build")
    return path


def is_published(pointer: Path) -> bool:
    """Whether anything was ever published, even if it cannot be read or its pointer is gone."""
    return os.path.lexists(pointer) or bool(versions(pointer))


def connect(pointer: Path = WAREHOUSE, any_code: bool = False) -> duckdb.DuckDBPyConnection:
    """A read-only connection to the current version of `pointer`, without access to anything else on the machine.

    DuckDB verifies the checksum of every block. Raises Refused if the file cannot be opened, and OtherVersion if other code
    built it, unless `any_code` is set: then tables may be missing or have other columns.
    """
    path = current(pointer)
    # All connections of a process to one file need the same.
    config: dict[str, Any] = {
        "enable_external_access": "false",
        "lock_configuration": "true",
        "disabled_optimizers": _USELESS_PASSES,
        # No temporary files are written next to a publication, whose folder may be read-only.
        "temp_directory": os.environ.get("QUERY_TEMP", ""),
    }
    for name, variable in (("memory_limit", "QUERY_MEMORY"), ("threads", "QUERY_THREADS")):
        if limit := os.environ.get(variable):
            config[name] = limit
    try:
        con = duckdb.connect(str(path), read_only=True, config=config)
    except duckdb.Error:
        if not path.exists() and current(pointer) != path:
            # Newer versions have been published since, and this one was removed.
            return connect(pointer, any_code)
        raise _damaged(pointer) from None
    if not any_code:
        try:
            _refuse_other_code(con, pointer)
        except Refused:
            con.close()
            raise
    return con


def comparable(pointer: Path) -> Path | None:
    """The version that a build is compared with: the current one if it can be read, else the newest kept one that can."""
    with comparable_held_open(pointer) as path:
        return path


@contextmanager
def comparable_held_open(pointer: Path) -> Iterator[Path | None]:
    """The version that a build is compared with, open until the end of the block; None without one."""
    with ExitStack() as stack:
        found = None
        for path in dict.fromkeys((Path(os.path.realpath(pointer)), *reversed(versions(pointer)))):
            with suppress(Refused), ExitStack() as opened:
                read_through(opened.enter_context(connect(path, any_code=True)), path, _COMPARED)
                stack.push(opened.pop_all())
                found = path
                break
        yield found


def rows_of(version: Path | None, sql: str, values: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """The rows of a query on a version of `comparable`; none without one, or if the code that built it had no such table."""
    if version is None:
        return []
    with connect(version, any_code=True) as con, suppress(duckdb.CatalogException, duckdb.BinderException):
        return con.execute(sql, values).fetchall()
    return []


@contextmanager
def held_open(*files: Path | None) -> Iterator[None]:
    """Until its end, connections to these files share the open databases: opening one takes longer than a small question."""
    with ExitStack() as stack:
        for file in files:
            with suppress(Refused):
                if file:
                    stack.enter_context(connect(file, any_code=True))
        yield


def _refuse_other_code(con: duckdb.DuckDBPyConnection, pointer: Path) -> None:
    try:
        built_by = con.execute("select code_version from publication").fetchall()
    except (duckdb.CatalogException, duckdb.BinderException):
        built_by = []
    except duckdb.Error:
        raise _damaged(pointer) from None
    if built_by != [(code_version(),)]:
        raise OtherVersion(f"{pointer}: {OtherVersion.SENTENCE}")


def verify(pointer: Path) -> None:
    """Read the whole current version of `pointer`. Raises Refused if it is damaged anywhere, OtherVersion."""
    with connect(pointer) as con:
        read_through(con, pointer)


def read_through(con: duckdb.DuckDBPyConnection, pointer: Path, only: Sequence[str] = ()) -> None:
    """Read every block of every table, or of some: a question reads few, and damage elsewhere would stay unseen.

    Raises Refused.
    """
    try:
        for (name,) in con.execute("select table_name from duckdb_tables() where not internal").fetchall():
            if only and name not in only:
                continue
            con.execute(f"select bit_xor(hash(columns(*))) from {name}").fetchall()
    except duckdb.Error:
        raise _damaged(pointer) from None


def _damaged(pointer: Path) -> Refused:
    return Refused(f"{pointer}: the published file is damaged; python -m etl rollback goes back one")


def disable_useless_passes(con: duckdb.DuckDBPyConnection) -> None:
    """Use the optimizer passes of `connect` for the questions of a build."""
    con.execute("set disabled_optimizers = $passes", {"passes": _USELESS_PASSES})


def describe(con: duckdb.DuckDBPyConnection) -> Publication:
    """The publication that `con` is connected to."""
    database = con.execute("select path from duckdb_databases() where database_name = current_database()").fetchone()
    path = Path(database[0]) if database and database[0] else Path()
    try:
        name, published_at = path.stem, datetime.fromtimestamp(path.stat().st_mtime)
    except OSError:
        name, published_at = "", datetime.min
    columns = ("as_of", "built_on", "is_sample", "files", "rows_read", "rows_loaded", "rows_quarantined")
    ((*values, missing, first, last, has_many, circulation_key),) = con.execute(
        f"select {', '.join(columns)}, missing, (select min(day) from preaggregate where is_total), "
        "(select max(day) from preaggregate where is_total), exists(from service_many), (select key from circulation_key) "
        "from publication"
    ).fetchall()
    return Publication(
        id=name,
        published_at=published_at,
        missing=tuple(missing),
        months_with_totals=(first, last) if first else None,
        has_many=has_many,
        circulation_key=circulation_key,
        provinces=population.published(con),
        file=path,
        **dict(zip(columns, values, strict=True)),
    )


def is_current(publication: Publication) -> bool:
    """Whether its pointer shows this publication; so it is with a file that is no version of a pointer."""
    pointer = pointer_of(publication.file)
    return pointer is None or os.path.realpath(pointer) == str(publication.file)


# Called with the id of a publication before the pointer moves to it; what it raises leaves the pointer.
Announce = Callable[[str], None]


def no_announcement(_: str) -> None:
    """For callers that record nothing."""


@contextmanager
def building(pointer: Path) -> Iterator[Path]:
    """A private folder to build in, under the lock of builds; the remains of crashed builds are removed.

    Raises Busy if another build is running, Refused if nothing can be published.
    """
    with version_files.locked(pointer) as folder:
        for left in folder.glob("building-*"):
            shutil.rmtree(left, ignore_errors=True)
        version_files.remove_never_published(pointer)
        try:
            private = Path(tempfile.mkdtemp(prefix="building-", dir=folder))
        except OSError as error:
            raise because("not_written", path=pointer, error=error.strerror) from None
        try:
            yield private
        finally:
            shutil.rmtree(private, ignore_errors=True)


def publish(built: Path, pointer: Path, announce: Announce = no_announcement) -> Path:
    """Publish `built` as the current version of `pointer`; returns its path. The switch is atomic.

    If anything is raised, nothing was published; nothing is raised after the pointer has moved. Call it inside `building`.
    """
    number = max(version_files.newest_published(pointer), *map(number_of, versions(pointer)), 0) + 1
    return adopt(built, f"{number:06}.duckdb", pointer, announce)


def adopt(received: Path, name: str, pointer: Path, announce: Announce = no_announcement) -> Path:
    """As `publish`, under a given name: that of a publication received from another host."""
    folder = versions_folder(pointer)
    version = folder / name
    newest = version_files.newest_published(pointer)
    sync(received)
    os.rename(received, version)
    sync(folder)
    if number_of(version) < newest:
        version_files.write_newest(folder, newest)
    announce(version.stem)
    version_files.point(pointer, version)
    with suppress(OSError):
        for old in versions(pointer)[:-KEPT]:
            if old != version:
                old.unlink(missing_ok=True)
    return version


def roll_back(pointer: Path, to: str = "", announce: Announce = no_announcement) -> Path:
    """Make the version before the current one, or the one with the id `to`, the current one; returns its path.

    The current one may be damaged or missing. Raises Refused if there is none to show, it is damaged or this code cannot
    read it, Busy if a build is running.
    """
    if not is_published(pointer):
        current(pointer)
    with version_files.locked(pointer) as folder:
        # Without a pointer it is unknown what was published.
        numbers = [number_of(path) for path in versions(pointer)]
        newest = version_files.newest_published(pointer) if pointer.is_symlink() else max(numbers, default=0)
        published = [path for path in versions(pointer) if number_of(path) <= newest]
        shown = Path(os.path.realpath(pointer))
        if to:
            chosen = [path for path in published if path.stem == to]
        else:
            chosen = version_files.before(pointer, number_of(shown) or newest + 1)[-1:]
        if not chosen:
            raise Refused(f"{pointer}: no {'publication ' + to if to else 'earlier publication'} is kept")
        if is_damaged(chosen[0]):
            others = (path for path in reversed(published) if path not in (*chosen, shown) and not is_damaged(path))
            lines = (f"python -m etl rollback {path.stem} shows the newest sound one" for path in others)
            sound = next(lines, "no other one is sound: put one back from a backup")
            raise Refused(f"{pointer}: publication {chosen[0].stem} is damaged; {sound}")
        connect(chosen[0]).close()
        version_files.write_newest(folder, newest)
        announce(chosen[0].stem)
        version_files.point(pointer, chosen[0])
    return chosen[0]


def is_damaged(version: Path) -> bool:
    """Whether a version is damaged anywhere; one of another code is not, as far as it can be read."""
    try:
        with connect(version, any_code=True) as con:
            read_through(con, version)
    except Refused:
        return True
    return False
