"""The tables that several hosts share in a PostgreSQL, as the SQLite files that a single host has, and back.

So an archive is the same from either, and can be restored into either.
"""

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from etl.core.errors import Refused
from etl.core.store import Execute, PostgresStore
from etl.operations.stores import STORES, Store

_TYPES = ("text", "integer", "double precision")
_NAME = re.compile(r"[a-z_]{1,60}")
_COLUMNS = """select column_name::text, data_type::text, is_nullable::text from information_schema.columns
    where table_schema = current_schema() and table_name = $1 order by ordinal_position"""
_KEY = """select attname::text from pg_index join pg_attribute on attrelid = indrelid and attnum = any(indkey)
    where indrelid = to_regclass($1) and indisprimary order by array_position(indkey::int2[], attnum)"""


def kept() -> dict[str, Store]:
    """The stores that a backup holds, by the name of their file in it."""
    return {f"{one.folder}/{one.database}": one for one in STORES if one.is_kept and one.tables}


def dump(address: str) -> Iterator[tuple[str, bytes]]:
    """The file of each store with its name in an archive, all as of one moment. Raises StoreFault."""
    with PostgresStore("backups", address, "").transaction() as execute:
        execute("set transaction isolation level repeatable read, read only")
        for name, one in kept().items():
            with closing(sqlite3.connect(":memory:")) as database:
                for table in one.tables:
                    _copy_out(execute, table, database)
                yield name, database.serialize()


def load(address: str, files: Mapping[str, Path]) -> None:
    """Load the files of `dump`, by name, all of them or none. Raises StoreFault, and Refused where a table has other rows."""
    with PostgresStore("backups", address, "").transaction() as execute:
        for name, path in files.items():
            with closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as database:
                for table in kept()[name].tables:
                    _copy_in(execute, table, database)


def _copy_out(execute: Execute, table: str, database: sqlite3.Connection) -> None:
    columns = execute(_COLUMNS, table)
    if not columns:
        # Nothing of it was ever kept.
        return
    names = [column for column, *_ in columns]
    key = [column for (column,) in execute(_KEY, table)]
    database.execute(_definition(table, [(name, kind, null == "NO") for name, kind, null in columns], key))
    rows = execute(f"select {_listed(names)} from {table} order by {_listed(key or names)}")
    database.executemany(f"insert into {table} values ({', '.join('?' * len(names))})", rows)
    database.commit()


def _copy_in(execute: Execute, table: str, database: sqlite3.Connection) -> None:
    # `pragma table_info`: number, name, type, not null, default, place in the key.
    columns = database.execute(f"pragma table_info({table})").fetchall()
    if not columns:
        return
    names = [str(column[1]) for column in columns]
    key = [str(column[1]) for column in sorted(columns, key=lambda column: column[5]) if column[5]]
    execute(
        _definition(table, [(str(name), str(kind).lower(), bool(full)) for _, name, kind, full, *_ in columns], key)
    )
    # Nobody writes to it until it is whole.
    execute(f"lock table {table} in share row exclusive mode")
    rows = database.execute(f"select {_listed(names)} from {table}").fetchall()
    there = execute(f"select {_listed(names)} from {table}")
    if there and {*there} != {*rows}:
        raise Refused(f"table {table} of the shared database: holds other rows; empty it first, or restore elsewhere")
    if not there:
        places = ", ".join(f"${number}" for number in range(1, len(names) + 1))
        for row in rows:
            execute(f"insert into {table} ({_listed(names)}) values ({places})", *row)


def _definition(table: str, columns: Sequence[tuple[str, str, bool]], key: Sequence[str]) -> str:
    """The statement that makes a table of our own kinds. Raises Refused for any other."""
    if not all(_NAME.fullmatch(name) and kind in _TYPES for name, kind, _ in columns):
        raise Refused(f"{table}: is no table of this program")
    parts = [f"{_quoted(name)} {kind}{' not null' if is_full else ''}" for name, kind, is_full in columns]
    parts += [f"primary key ({_listed(key)})"] if key else []
    return f"create table if not exists {table} ({', '.join(parts)})"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(_quoted, names))


def _quoted(name: str) -> str:
    return f'"{name}"'
