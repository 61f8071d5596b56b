"""The models are built: one table for each file of etl/warehouse/models, in the order in which they need each other.

The members of every dimension become a type of their own first: a code is stored, joined and sorted as a small number then,
and is still read and asked for as text.

Models in which a person's rows hang on that person's rows only are built for some persons at a time, as many as the memory
allows: so what a build needs of memory does not grow with the register.
"""

import graphlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import duckdb

from etl.warehouse import build_database
from etl.warehouse.dimensions import ALL, render
from etl.warehouse.sql_tables import tables_in

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
# What only other models and the checks read.
_ASIDE = {"moves", "requirements"}
# What the widest of these models takes of memory for a person, measured and doubled.
_BYTES_OF_A_PERSON = 5_000
# The members of each type: those of dimensions, and what only some models tell apart.
_MEMBERS = {one.name: one.enum_members for one in ALL.values() if one.enum_members} | {
    "place_kind": "select unnest(['nation', 'province', 'institute'])",
    "place": "select iso_3166_2 from provinces union select institute_code_shown from loaded_institutes union select 'IR'",
    "move": "select unnest(['joined', 'transferred_in', 'returned', 'left', 'transferred_out', 'gone'])",
}
# So many models are made at once: one alone leaves cores waiting where it sorts, joins its parts or writes its end.
_AT_ONCE = 2


@dataclass(frozen=True)
class ConcurrentTask:
    """A table that is no model but is made with them: what makes it on a connection, and the models that it reads."""

    make: Callable[[duckdb.DuckDBPyConnection], None]
    needs: Collection[str] = ()


def models() -> dict[str, str]:
    """The SQL of every model by the name of its table, with the columns of dimensions written in."""
    return {path.stem: render(path.read_text(encoding="utf-8")) for path in sorted(_FOLDER.rglob("*.sql"))}


def build(con: duckdb.DuckDBPyConnection, say: Callable[[str], None], beside: Mapping[str, ConcurrentTask]) -> None:
    """Make the table of every model in `con`, and those `beside` when no model can be made; `say` hears each name before."""
    for name, select in _MEMBERS.items():
        members = f"select distinct member from ({select}) as members(member) where member is not null order by 1"
        con.execute(f"create type {name} as enum ({members})")
    sql = models()
    named = {name: set(tables_in(text)) for name, text in sql.items()}
    needed = {name: tables & sql.keys() for name, tables in named.items()}
    slices = list(_slices(con))

    def make(own: duckdb.DuckDBPyConnection, name: str) -> None:
        if name in beside:
            beside[name].make(own)
        elif name in _OF_PERSONS and len(slices) > 1:
            _build_in_slices(own, name, sql[name], named[name], slices)
        else:
            own.execute(f"create table {_place(name)} as {sql[name]}")

    all_needed = _by_urgency(needed) | {name: set(one.needs) for name, one in beside.items()}
    # Slices are as wide as the memory allows for one, and memory that feeds one thread feeds one model.
    _make_all(con, all_needed, make, say, 1 if len(slices) > 1 else min(_AT_ONCE, build_database.threads(con)))


def _make_all(
    con: duckdb.DuckDBPyConnection,
    needed: dict[str, set[str]],
    make: Callable[[duckdb.DuckDBPyConnection, str], None],
    say: Callable[[str], None],
    at_once: int,
) -> None:
    """Make each once what it needs is made, some at once; of those that can be made, the first of `needed` first.

    An error in one interrupts the others, and is raised when they have ended.
    """
    order = graphlib.TopologicalSorter(needed)
    order.prepare()
    rank = {name: place for place, name in enumerate(needed)}
    ready: list[str] = []
    running: dict[Future[None], tuple[str, duckdb.DuckDBPyConnection]] = {}
    with ExitStack() as stack:
        idle = [stack.enter_context(build_database.new_cursor(con)) for _ in range(at_once)]
        workers = stack.enter_context(ThreadPoolExecutor(at_once))
        try:
            while order.is_active():
                ready = sorted((*ready, *order.get_ready()), key=rank.__getitem__)
                while ready and idle:
                    name, own = ready.pop(0), idle.pop()
                    say(f"building {name}")
                    running[workers.submit(make, own, name)] = name, own
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    name, own = running.pop(done)
                    done.result()
                    idle.append(own)
                    order.done(name)
        except BaseException:
            # Again and again: one that is only about to begin does not hear it.
            while wait(running, timeout=0.1).not_done:
                for _, own in running.values():
                    own.interrupt()
            raise


def _by_urgency(needed: dict[str, set[str]]) -> dict[str, set[str]]:
    """The same with what most others wait for first; of equals, what is made of others."""
    order = sorted(needed, key=lambda name: (_waiting_for(name, needed), bool(needed[name]), name), reverse=True)
    return {name: needed[name] for name in order}


def _waiting_for(name: str, needed: dict[str, set[str]]) -> int:
    """How many models are made of `name`, through others too."""
    found = {name}
    while more := {other for other, tables in needed.items() if tables & found} - found:
        found |= more
    return len(found) - 1


def _place(name: str) -> str:
    return f"{build_database.SCRATCH}.{name}" if name in _ASIDE else name


def _slices(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[int, int]]:
    """The persons of the register, numbered from 1, as ranges with both ends in."""
    ((persons,),) = con.execute("select coalesce(max(person_id), 0) from person_numbers").fetchall()
    size = int(os.environ.get("BUILD_SLICE") or max(10_000, build_database.memory(con) // _BYTES_OF_A_PERSON))
    for first in range(1, persons + 1, size):
        yield first, min(first + size - 1, persons)


def _build_in_slices(
    con: duckdb.DuckDBPyConnection, name: str, sql: str, inputs: set[str], slices: list[tuple[int, int]]
) -> None:
    """Run a model for the persons of each slice: a view of them stands before each table that it reads."""
    whole = con.execute(
        "select table_name, concat_ws('.', database_name, schema_name, table_name) from duckdb_columns() "
        "where column_name = 'person_id' and table_name in (select unnest($inputs)) and not internal",
        {"inputs": sorted(inputs)},
    ).fetchall()
    for number, (first, last) in enumerate(slices):
        for table, place in whole:
            con.execute(
                f"create or replace temp view {table} as from {place} where person_id between {first} and {last}"
            )
        place = _place(name)
        con.execute(f"insert into {place} {sql}" if number else f"create table {place} as {sql}")
    for table, _ in whole:
        con.execute(f"drop view temp.{table}")
