"""The models are built: one table for each file of etl/models, in the order in which they need each other.

The members of every dimension become a type of their own first: a code is stored, joined and sorted as a small number then,
and is still read and asked for as text.

Models in which a person's rows hang on that person's rows only are built for some persons at a time, as many as the memory
allows: so what a build needs of memory does not grow with the register.
"""

import graphlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb

_FOLDER = Path(__file__).parent / "models"
_OF_PERSONS = {
    "completions",
    "course_readiness",
    "joiners",
    "leavers",
    "moves",
    "readiness",
    "requirements",
    "service",
}
# What only other models and the checks read: it is not published, and stands under a name of its own behind a view.
_ASIDE = {"moves": "all_moves", "requirements": "all_requirements"}
_WHOLE = {"person_numbers": "persons"} | _ASIDE
# What the widest of these models takes of memory for a person, measured and doubled.
_BYTES_OF_A_PERSON = 5_000
# What each dimension's members are, by the name of its type.
_MEMBERS = {
    "province": "select iso_3166_2 as member from provinces",
    "county": "select sci_code as member from counties",
    "institute": "select institute_code_shown as member from loaded_institutes",
    "course": "select course_code as member from courses",
    "activity": "select activity as member from loaded_institutes",
    "gender": "select gender as member from loaded_personnel",
    "education": "select education as member from loaded_personnel",
    "post": "select post as member from loaded_personnel union select post from course_posts",
    "place_kind": "select unnest(['nation', 'province', 'institute']) as member",
    "place": "select iso_3166_2 as member from provinces union select institute_code_shown from loaded_institutes "
    "union select 'IR'",
    "move": "select unnest(['joined', 'transferred_in', 'returned', 'left', 'transferred_out', 'gone']) as member",
}
_UNITS = {"bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}


def models() -> dict[str, str]:
    """The SQL of every model by the name of its table."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(_FOLDER.glob("*.sql"))}


def build(con: duckdb.DuckDBPyConnection, say: Callable[[str], None]) -> None:
    """Make the table of every model in `con`; `say` hears the name of each before."""
    for name, members in _MEMBERS.items():
        con.execute(
            f"create type {name} as enum (select distinct member from ({members}) where member is not null order by 1)"
        )
    sql = models()
    named = {name: set(re.findall(r"\b(?:from|join)\s+(\w+)", text)) for name, text in sql.items()}
    order = graphlib.TopologicalSorter({name: tables & sql.keys() for name, tables in named.items()}).static_order()
    slices = list(_slices(con))
    for name in order:
        say(f"building {name}")
        if name in _OF_PERSONS and len(slices) > 1:
            _build_in_slices(con, name, sql[name], named[name] & _with_persons(con), slices)
        else:
            con.execute(f"create {_place(name)} as {sql[name]}")
        if name in _ASIDE:
            con.execute(f"create temp view {name} as from {_ASIDE[name]}")


def _place(name: str) -> str:
    """What a model is made as."""
    return f"temp table {_ASIDE[name]}" if name in _ASIDE else f"table {name}"


def _slices(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[int, int]]:
    """The persons of the register, numbered from 1, as ranges with both ends in."""
    row = con.execute("select coalesce(max(person_id), 0) from person_numbers").fetchone()
    persons = row[0] if row else 0
    size = int(os.environ.get("BUILD_SLICE") or max(10_000, memory(con) // _BYTES_OF_A_PERSON))
    for first in range(1, persons + 1, size):
        yield first, min(first + size - 1, persons)


def memory(con: duckdb.DuckDBPyConnection) -> int:
    """Bytes that `con` may hold before it works on disk."""
    row = con.execute("select current_setting('memory_limit')").fetchone()
    number, unit = str(row[0] if row else "1 GiB").split()
    return int(float(number) * _UNITS[unit])


def _with_persons(con: duckdb.DuckDBPyConnection) -> set[str]:
    found = con.execute(
        "select table_name from duckdb_columns() where column_name = 'person_id' and database_name = current_database()"
    )
    return {name for (name,) in found.fetchall()}


def _build_in_slices(
    con: duckdb.DuckDBPyConnection, name: str, sql: str, inputs: set[str], slices: list[tuple[int, int]]
) -> None:
    """Run a model for the persons of each slice: a view of them stands before each table that it reads."""
    row = con.execute("select current_database()").fetchone()
    database = row[0] if row else ""
    whole = {table: f"{database}.main.{table}" for table in inputs - _WHOLE.keys()}
    whole |= {table: f"temp.main.{place}" for table, place in _WHOLE.items() if table in inputs | {"person_numbers"}}
    for number, (first, last) in enumerate(slices):
        for table, place in whole.items():
            con.execute(
                f"create or replace temp view {table} as from {place} where person_id between {first} and {last}"
            )
        con.execute(f"insert into {_ASIDE.get(name, name)} {sql}" if number else f"create {_place(name)} as {sql}")
    for table, place in whole.items():
        if table in _WHOLE:
            con.execute(f"create or replace temp view {table} as from {place}")
        else:
            con.execute(f"drop view temp.{table}")
