"""A small database for the state of users: a SQLite file on one host, or a PostgreSQL shared by several hosts.

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
# Readers of a busy host wait for each other: a file that is locked is not out of reach.
_PATIENCE_SECONDS = 30
# Where every request asks, later ones would wait too.
SHORT_PATIENCE_SECONDS = 2


class SqliteStore:
    """A SQLite file that the processes of this host share; readable by its owner only."""

    def __init__(self, path: Path, table: str, patience: int = _PATIENCE_SECONDS) -> None:
        """`table` holds the statements that create the tables, parted by semicolons; `patience`: seconds to wait for a lock.

        Raises OSError if it cannot be written, sqlite3.DatabaseError if the file is no SQLite database.
        """
        self._path, self._patience = path, patience
        path.parent.mkdir(parents=True, exist_ok=True)
        with _without_values(sqlite3.OperationalError), closing(self._connect()) as database:
            database.execute("pragma journal_mode = wal")
            for statement in table.split(";"):
                database.execute(statement)
        path.chmod(0o600)

    @contextmanager
    def transaction(self) -> Iterator[Execute]:
        """A function that runs statements in one transaction and returns their rows. Raises OSError."""
        with _without_values(sqlite3.DatabaseError), closing(self._connect()) as database, database:
            # Lock at the beginning, so that rows read do not change before the write.
            database.execute("begin immediate")
            yield lambda statement, *values: database.execute(_PARAMETER.sub(r"?\1", statement), values).fetchall()

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=self._patience, isolation_level=None)


class PostgresStore:
    """A PostgreSQL database at a libpq address without a password, which libpq finds itself."""

    def __init__(self, address: str, table: str, patience: int = _PATIENCE_SECONDS) -> None:
        """`patience`: seconds to wait for the server, and for a lock. Raises OSError if it cannot be reached."""
        self._address, self._patience = address, patience
        if "connect_timeout=" not in address:
            self._address += f"{'&' if '?' in address else '?'}connect_timeout={patience}"
        with self.transaction() as execute:
            # Without the lock, two processes that create a table at once raise a catalogue error.
            execute("select pg_advisory_xact_lock(2021)")
            for statement in table.split(";"):
                execute(statement)

    @contextmanager
    def transaction(self) -> Iterator[Execute]:
        """As for SQLite; each statement sees what others have committed."""
        from adbc_driver_postgresql import dbapi

        with _without_values(dbapi.Error), dbapi.connect(self._address) as database, database.cursor() as cursor:

            def execute(statement: str, *values: Any) -> list[tuple[Any, ...]]:
                cursor.execute(statement, values or None)
                return cursor.fetchall() if cursor.description else []

            execute(f"set local lock_timeout = '{self._patience}s'")
            yield execute
            database.commit()


Store = SqliteStore | PostgresStore


def opened(address: str, path: Path, table: str, patience: int = _PATIENCE_SECONDS) -> Store:
    """The PostgreSQL at `address`, or the SQLite file if it is empty. Raises OSError."""
    return PostgresStore(address, table, patience) if address else SqliteStore(path, table, patience)


@contextmanager
def _without_values(kind: type[Exception]) -> Iterator[None]:
    """Turn errors of the database into an OSError whose text contains no value of a statement."""
    try:
        yield
    except kind as error:
        raise OSError(f"the database of views, notes, sessions and submissions ({type(error).__name__})") from None
