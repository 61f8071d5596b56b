"""A small database for what users leave behind: a SQLite file on one host, PostgreSQL where several hosts share it.

Statements are written once for both: parameters are `$1`, `$2`, …, times are seconds since 1970 in `double precision`.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

Execute = Callable[..., list[tuple[Any, ...]]]
_PARAMETER = re.compile(r"\$(\d+)")
_PATIENCE_SECONDS = 5


class Unavailable(OSError):
    """The database cannot be reached or refuses the work; no value of a statement is in the text."""


class SqliteStore:
    """A SQLite file that the processes of this host share; readable by its owner only."""

    def __init__(self, path: Path, tables: tuple[str, ...]) -> None:
        """Raises OSError where it cannot be written, sqlite3.DatabaseError where the file is no such database."""
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with _as_unavailable(sqlite3.OperationalError), closing(self._connect()) as database:
            database.execute("pragma journal_mode = wal")
            for table in tables:
                database.execute(table)
        path.chmod(0o600)

    @contextmanager
    def transaction(self) -> Iterator[Execute]:
        """A function that runs a statement and returns its rows; all of it holds or nothing. Raises OSError."""
        with _as_unavailable(sqlite3.DatabaseError), closing(self._connect()) as database, database:
            # Taken at the beginning: what is read stays true until it is written.
            database.execute("begin immediate")
            yield lambda statement, *values: database.execute(_PARAMETER.sub(r"?\1", statement), values).fetchall()

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=_PATIENCE_SECONDS, isolation_level=None)


class PostgresStore:
    """A database of PostgreSQL at a libpq address, which holds no password: libpq finds that itself."""

    def __init__(self, address: str, tables: tuple[str, ...]) -> None:
        """Raises OSError where it cannot be reached."""
        self._address = address
        for table in tables:
            with self.transaction() as execute:
                # Two processes that create a table at once would meet an error of the catalogue.
                execute("select pg_advisory_xact_lock(2021)")
                execute(table)

    @contextmanager
    def transaction(self) -> Iterator[Execute]:
        """As that of SQLite; each statement sees what others have committed."""
        from adbc_driver_postgresql import dbapi

        with (
            _as_unavailable(dbapi.Error),
            dbapi.connect(self._address) as database,
            database.cursor() as cursor,
        ):

            def execute(statement: str, *values: Any) -> list[tuple[Any, ...]]:
                cursor.execute(statement, values or None)
                return cursor.fetchall() if cursor.description else []

            yield execute
            database.commit()


Store = SqliteStore | PostgresStore


def opened(address: str, path: Path, tables: tuple[str, ...]) -> Store:
    """The PostgreSQL at `address`, or the SQLite file where none is named. Raises OSError."""
    return PostgresStore(address, tables) if address else SqliteStore(path, tables)


@contextmanager
def _as_unavailable(kind: type[Exception]) -> Iterator[None]:
    try:
        yield
    except kind as error:
        raise Unavailable(f"the database of saved views and sessions ({type(error).__name__})") from None
