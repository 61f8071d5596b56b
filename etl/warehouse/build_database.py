"""The database that a build fills. What only the build itself reads stands aside of it, in memory, and is not published.

Results are fetched to their end: one that is not keeps its transaction open, and no other connection's tables leave the log
for their place then.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

SCRATCH = "aside"
_BUILT = "built"

# What DuckDB may hold in memory while it builds; above it, it works on disk. A quarter of the machine unless told otherwise: ten
# times the country was seen to need more than 1 GB for its widest join.
_MEMORY = (
    os.environ.get("BUILD_MEMORY") or f"{max(1024, os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') >> 22)}MB"
)
# Sums by cell and day take so much on each thread whatever the size of the register: with less they were seen to fail.
_MEMORY_OF_A_THREAD = 400 << 20
# Rows that are skipped or read as one, a third of DuckDB's own number: a question reads a few thousand rows, and what it reads
# beside them drives all else from the processor's caches. Fewer still cost at a hundred times the country.
_ROW_GROUP = 40_960
_UNITS = {"bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}


@contextmanager
def opened(built: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a new database, `built`; what does not fit in memory goes to the folder in which it lies."""
    config: dict[str, Any] = {
        "memory_limit": _MEMORY,
        "temp_directory": str(built.parent),
        "preserve_insertion_order": "true",
    }
    with duckdb.connect(config=config) as con:
        con.execute(f"set threads = {threads(con)}")
        path = str(built).replace("'", "''")
        con.execute(f"attach '{path}' as {_BUILT} (row_group_size {_ROW_GROUP})")
        con.execute(f"attach ':memory:' as {SCRATCH}")
        _look_aside(con)
        yield con


@contextmanager
def new_cursor(con: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """A second connection to what `con` builds, for another thread."""
    with con.cursor() as own:
        _look_aside(own)
        yield own


def memory(con: duckdb.DuckDBPyConnection) -> int:
    """Bytes that `con` may hold before it works on disk."""
    ((limit,),) = con.execute("select current_setting('memory_limit')").fetchall()
    number, unit = limit.split()
    return int(float(number) * _UNITS[unit])


def threads(con: duckdb.DuckDBPyConnection) -> int:
    """As many as asked for or as there are cores, but no more than the memory feeds."""
    if asked := os.environ.get("BUILD_THREADS"):
        return int(asked)
    return max(1, min(os.cpu_count() or 1, memory(con) // _MEMORY_OF_A_THREAD))


def _look_aside(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(f"set search_path = '{_BUILT}.main,{SCRATCH}.main'")
