"""A small database for the state of users: a SQLite file on one host, or a PostgreSQL shared by several hosts.

Statements are written once for both: parameters are `$1`, `$2`, …, times are seconds since 1970 in `double precision`.
"""

import errno
import os
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

Execute = Callable[..., list[tuple[Any, ...]]]
_PARAMETER = re.compile(r"\$(\d+)")
# Readers of a busy host wait for each other: a file that is locked is not out of reach.
_PATIENCE_SECONDS = 30
# Where every request asks, later ones would wait too.
SHORT_PATIENCE_SECONDS = 2
# Some hundred lines of the audit log, or a record with its journal.
LEAST_FREE = 1 << 18
# The place of a store that is no path.
POSTGRESQL = "PostgreSQL"
# What the primary code of a SQLite error, and the class or code of one of PostgreSQL, means on this machine.
_OF_SQLITE = {
    sqlite3.SQLITE_BUSY: errno.EBUSY,
    sqlite3.SQLITE_LOCKED: errno.EBUSY,
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_READONLY: errno.EROFS,
    sqlite3.SQLITE_PERM: errno.EACCES,
    sqlite3.SQLITE_IOERR: errno.EIO,
    sqlite3.SQLITE_CANTOPEN: errno.EIO,
    sqlite3.SQLITE_CORRUPT: errno.EBADMSG,
    sqlite3.SQLITE_NOTADB: errno.EBADMSG,
}
_OF_POSTGRESQL = {
    "53100": errno.ENOSPC,
    "55P03": errno.EBUSY,
    "25006": errno.EROFS,
    "42501": errno.EACCES,
    "28": errno.EACCES,
    "08": errno.ECONNREFUSED,
    "57": errno.ECONNREFUSED,
    # No server answered.
    "": errno.ECONNREFUSED,
}


class StoreFault(OSError):
    """A store that cannot be used: its name, its place, and the cause as a number of the operating system.

    Its text holds no value of a statement, and no address of a database.
    """

    def __init__(self, store: str, code: int, place: str) -> None:
        super().__init__(code, os.strerror(code), place)
        self.store = store


class SqliteStore:
    """A SQLite file that the processes of this host share; readable by its owner only."""

    def __init__(self, store: str, path: Path, table: str, patience: int = _PATIENCE_SECONDS) -> None:
        """`table` holds the statements that create the tables, parted by semicolons; `patience`: seconds to wait for a lock.

        Raises StoreFault.
        """
        self._store, self._path, self._patience = store, path, patience
        with naming_sqlite(store, path), closing(self._connect()) as database:
            database.execute("pragma journal_mode = wal")
            for statement in filter(str.strip, table.split(";")):
                database.execute(statement)
        with naming(store, path):
            path.chmod(0o600)

    @contextmanager
    def transaction(self) -> Iterator[Execute]:
        """A function that runs statements in one transaction and returns their rows. Raises StoreFault."""
        with naming_sqlite(self._store, self._path), closing(self._connect()) as database, database:
            # Lock at the beginning, so that rows read do not change before the write.
            database.execute("begin immediate")
            yield lambda statement, *values: database.execute(_PARAMETER.sub(r"?\1", statement), values).fetchall()

    def _connect(self) -> sqlite3.Connection:
        with naming(self._store, self._path):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return sqlite3.connect(self._path, timeout=self._patience, isolation_level=None)


class PostgresStore:
    """A PostgreSQL database at a libpq address without a password, which libpq finds itself."""

    def __init__(self, store: str, address: str, table: str, patience: int = _PATIENCE_SECONDS) -> None:
        """`patience`: seconds to wait for the server, and for a lock. Raises StoreFault."""
        self._store, self._address, self._patience = store, address, patience
        if "connect_timeout=" not in address:
            self._address += f"{'&' if '?' in address else '?'}connect_timeout={patience}"
        with self.transaction() as execute:
            # Without the lock, two processes that create a table at once raise a catalogue error.
            execute("select pg_advisory_xact_lock(2021)")
            for statement in filter(str.strip, table.split(";")):
                execute(statement)

    @contextmanager
    def transaction(self) -> Iterator[Execute]:
        """As for SQLite; each statement sees what others have committed."""
        from adbc_driver_postgresql import dbapi

        try:
            with dbapi.connect(self._address) as database, database.cursor() as cursor:

                def execute(statement: str, *values: Any) -> list[tuple[Any, ...]]:
                    cursor.execute(statement, values or None)
                    return cursor.fetchall() if cursor.description else []

                execute(f"set local lock_timeout = '{self._patience}s'")
                yield execute
                database.commit()
        except dbapi.Error as error:
            state = getattr(error, "sqlstate", "") or ""
            code = _OF_POSTGRESQL.get(state) or _OF_POSTGRESQL.get(state[:2]) or errno.EPROTO
            raise StoreFault(self._store, code, POSTGRESQL) from None


Store = SqliteStore | PostgresStore


def opened(store: str, address: str, path: Path, table: str, patience: int = _PATIENCE_SECONDS) -> Store:
    """The PostgreSQL at `address`, or the SQLite file if it is empty. Raises StoreFault."""
    return PostgresStore(store, address, table, patience) if address else SqliteStore(store, path, table, patience)


def try_out(store: str, address: str, path: Path) -> None:
    """Take the right to write to a store that exists, and give it back without a change. Raises StoreFault."""
    with opened(store, address, path, "", SHORT_PATIENCE_SECONDS).transaction() as execute:
        if address and execute("select current_setting('transaction_read_only')") == [("on",)]:
            raise StoreFault(store, errno.EROFS, POSTGRESQL)


def known(kind: type, content: Mapping[str, Any]) -> dict[str, Any]:
    """What this code knows of a stored record, a dataclass: a later version, from which one went back, may have written more."""
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in content.items() if name in names}


@contextmanager
def naming(store: str, path: Path) -> Iterator[None]:
    """Give an error of the operating system the name of the store that it concerns, and its place."""
    try:
        yield
    except StoreFault:
        raise
    except OSError as error:
        # A file is where a folder should be.
        code = errno.ENOTDIR if error.errno == errno.EEXIST else error.errno or errno.EIO
        raise StoreFault(store, code, str(error.filename or path)) from None


@contextmanager
def naming_sqlite(store: str, path: Path) -> Iterator[None]:
    """Turn an error of SQLite into a StoreFault."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        known = _OF_SQLITE.get((getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF)
        # What SQLite cannot open or write, a look at the disk explains.
        seen = 0 if known in (errno.EBUSY, errno.EBADMSG) else cause(path)
        raise StoreFault(store, seen or known or errno.EPROTO, str(path)) from None


def cause(path: Path, least_free: int = LEAST_FREE) -> int:
    """Why nothing can be written at a path, as far as a look tells: an errno; 0 if nothing stands against it."""
    existing = next(one for one in (path, *path.parents) if os.path.lexists(one))
    folder = existing if existing.is_dir() else existing.parent
    try:
        disk = os.statvfs(existing)
    except OSError as error:
        return error.errno or errno.EIO
    if existing != path and not existing.is_dir():
        return errno.ENOTDIR
    if disk.f_flag & os.ST_RDONLY:
        return errno.EROFS
    if not os.access(existing, os.W_OK) or not os.access(folder, os.W_OK | os.X_OK):
        return errno.EACCES
    # A file system without a limit of files has 0 of them.
    if disk.f_bavail * disk.f_frsize < least_free or (disk.f_files and not disk.f_favail):
        return errno.ENOSPC
    return 0
