"""The database that a build fills, and the temporary one for tables that are not published.

Fetch results fully: an open result blocks the checkpoint of other connections.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from etl.core import settings
from etl.extract.limits import build_disk

SCRATCH = "scratch"
_BUILT = "built"

# The memory limit of a build; beyond it DuckDB spills to disk. At ten times the country the widest join needed more than 1 GB.
_MEMORY = os.environ.get("BUILD_MEMORY") or f"{settings.usual_build_memory() >> 20}MiB"
# Sums by cell and day take this much on each thread, whatever the size of the register; with less they fail.
_MEMORY_OF_A_THREAD = 400 << 20
# Rows per row group, a third of DuckDB's default: a question needs a few thousand rows, and reading more evicts the
# processor's caches. Smaller groups are slower at a hundred times the country.
_ROW_GROUP = 40_960
# Rows of source tables stay in memory if they take less than this part of it.
_ROWS_IN_MEMORY = 4


@contextmanager
def opened(built: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a new database file, `built`; DuckDB spills to its folder."""
    config: dict[str, Any] = {
        "memory_limit": _MEMORY,
        "temp_directory": str(built.parent),
        "max_temp_directory_size": f"{build_disk()}MiB",
        "preserve_insertion_order": "true",
    }
    with duckdb.connect(config=config) as con:
        con.execute(f"set threads = {threads(con)}")
        _attach(con, str(built), f"{_BUILT} (row_group_size {_ROW_GROUP})")
        con.execute(f"use {_BUILT}")
        yield con


def attach_scratch(con: duckdb.DuckDBPyConnection, folder: Path, size: int) -> None:
    """Attach the database of tables that are not published: in memory, or in `folder` if `size` bytes of rows fill much of it.

    In a file they are compressed, to a fifth; memory that they take is taken from the models, which then spill.
    """
    in_file = size > memory(con) // _ROWS_IN_MEMORY
    _attach(con, str(folder / "scratch.duckdb") if in_file else ":memory:", SCRATCH)
    _search_scratch(con)


@contextmanager
def new_cursor(con: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """A second connection to the database that `con` builds, for another thread."""
    with con.cursor() as cursor:
        _search_scratch(cursor)
        yield cursor


def create_from(con: duckdb.DuckDBPyConnection, sql: str, rows: pa.Table) -> None:
    """Run `sql`, which creates or fills a table from `rows`, under the name `arriving`."""
    con.register("arriving", rows)
    con.execute(sql)
    con.unregister("arriving")


def memory(con: duckdb.DuckDBPyConnection) -> int:
    """The memory limit of `con` in bytes."""
    ((limit,),) = con.execute("select parse_formatted_bytes(current_setting('memory_limit'))").fetchall()
    return int(limit)


def threads(con: duckdb.DuckDBPyConnection) -> int:
    """The number of threads: as configured, else one per core as far as the memory limit allows."""
    if count := os.environ.get("BUILD_THREADS"):
        return int(count)
    return max(1, min(os.cpu_count() or 1, memory(con) // _MEMORY_OF_A_THREAD))


def _attach(con: duckdb.DuckDBPyConnection, path: str, as_what: str) -> None:
    con.execute("attach '" + path.replace("'", "''") + f"' as {as_what}")


def _search_scratch(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(f"set search_path = '{_BUILT}.main,{SCRATCH}.main'")
