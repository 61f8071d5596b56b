"""Runs the models: one table for each file of etl/warehouse/models, in the order of their dependencies.

Each dimension first becomes an enum type, so that its codes are stored, joined and sorted as small numbers but still read
as text.

Models in which a person's rows depend on that person's rows only are built in slices of persons, as many as the memory
allows, so the memory of a build does not grow with the register.

The SQL of the models also says which source tables a number depends on: a rejected row of a source table can change every
number that is counted from it, directly or through other models.
"""

import graphlib
import json
import os
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from etl.extract.contract import TABLES, contract
from etl.warehouse import build_database
from etl.warehouse.dimensions import ALL, render

# Reference tables, which no source file fills.
REFERENCES = (
    "announcements", "counties", "course_posts", "courses", "events", "international", "official_days",
    "population", "provinces", "targets", "weekends",
)  # fmt: skip
_LOADED = "loaded_"
_REFERENCED = {
    table: [column.references for column in contract(table).entering if column.references in TABLES] for table in TABLES
}
_FOLDER = Path(__file__).parent / "models"
_OF_PERSONS = {
    "completions", "course_compliance_intervals", "joiners", "leavers", "moves", "compliance_intervals", "requirements",
    "service",
}  # fmt: skip
# Read by other models and the checks only, so not published.
_NOT_PUBLISHED = {"moves", "requirements"}
# Memory per person of the widest of these models, measured, for each of two that run at the same time.
_BYTES_OF_A_PERSON = 5_000
# The members of each enum type: those of dimensions, and of columns that only models have.
_MEMBERS = {dimension.name: dimension.enum_members for dimension in ALL.values() if dimension.enum_members} | {
    "place_kind": "select unnest(['nation', 'province', 'institute'])",
    "place": "select iso_3166_2 from provinces union select institute_code_shown from loaded_institutes union select 'IR'",
    "move": "select unnest(['joined', 'transferred_in', 'returned', 'left', 'transferred_out', 'gone'])",
}
# Models run at the same time: a single one leaves cores idle while it sorts, merges or writes.
_AT_ONCE = 2
_local = threading.local()


@dataclass(frozen=True)
class ConcurrentTask:
    """A table that Python creates while the models run: `make` creates it on a connection, after the models in `needs`."""

    make: Callable[[duckdb.DuckDBPyConnection], None]
    needs: Collection[str] = ()


@cache
def models() -> dict[str, str]:
    """The SQL of every model by the name of its table, with the columns of dimensions written in."""
    return {path.stem: render(path.read_text(encoding="utf-8")) for path in sorted(_FOLDER.rglob("*.sql"))}


@cache
def tables_in(sql: str) -> frozenset[str]:
    """The tables that one or more SELECTs read, without their CTEs, by DuckDB's own parser. Raises ValueError for others."""
    if not hasattr(_local, "parser"):
        # A connection serves one thread at a time.
        _local.parser = duckdb.connect()
    ((text,),) = _local.parser.execute("select json_serialize_sql($sql::varchar)", {"sql": sql}).fetchall()
    parsed = json.loads(text)
    if parsed["error"]:
        raise ValueError("not a SELECT that can be parsed")
    return frozenset(name for statement in parsed["statements"] for name in _read_by(statement, frozenset()))


def _read_by(node: Any, ctes: frozenset[str]) -> Iterator[str]:
    """The base tables under a node of the syntax tree; a CTE hides a table of the same name from the nodes after it."""
    if isinstance(node, list):
        for child in node:
            yield from _read_by(child, ctes)
    elif isinstance(node, dict):
        for cte in (node.get("cte_map") or {}).get("map", ()):
            yield from _read_by(cte["value"], ctes)
            ctes |= {cte["key"]}
        if node.get("type") == "BASE_TABLE" and node["table_name"] not in ctes:
            yield node["table_name"]
        for key, child in node.items():
            if key != "cte_map":
                yield from _read_by(child, ctes)


@cache
def read_by(model: str) -> frozenset[str]:
    """The tables that a model reads; none for a table that is no model."""
    sql = models().get(model)
    return tables_in(sql) - {model} if sql else frozenset()


def sources_of_query(sql: str) -> frozenset[str]:
    """The source and reference tables behind the tables of the publication that a SELECT reads."""
    return sources_behind(tables_in(sql))


def sources_behind(tables: Iterable[str]) -> frozenset[str]:
    """The source and reference tables behind some tables, directly or through models."""
    return frozenset().union(*map(_behind, tables))


@cache
def _behind(table: str) -> frozenset[str]:
    """The source and reference tables behind a table.

    Rows that refer to a rejected row are rejected too, so the tables that a source table references count as well.
    """
    if table in REFERENCES:
        return frozenset({table})
    if table.startswith(_LOADED):
        source = table.removeprefix(_LOADED)
        return frozenset({source}) | sources_behind(_LOADED + name for name in _REFERENCED[source])
    return sources_behind(read_by(table))


def build(con: duckdb.DuckDBPyConnection, say: Callable[[str], None], tasks: Mapping[str, ConcurrentTask]) -> None:
    """Create the table of every model and of `tasks` in `con`; `say` receives each step."""
    for name, select in _MEMBERS.items():
        members = f"select distinct member from ({select}) as members(member) where member is not null order by 1"
        con.execute(f"create type {name} as enum ({members})")
    sql = models()
    inputs = {name: set(tables_in(text)) for name, text in sql.items()}
    needed = {name: tables & sql.keys() for name, tables in inputs.items()}
    slices = list(_slices(con))

    def make(cursor: duckdb.DuckDBPyConnection, name: str) -> None:
        if name in tasks:
            tasks[name].make(cursor)
        elif name in _OF_PERSONS and len(slices) > 1:
            _build_in_slices(cursor, name, sql[name], inputs[name], slices)
        else:
            cursor.execute(f"create table {_qualified(name)} as {sql[name]}")

    all_needed = _by_urgency(needed | {name: set(task.needs) for name, task in tasks.items()})
    # Memory for one thread is enough for one model only.
    _make_all(con, all_needed, make, say, min(_AT_ONCE, build_database.threads(con)))


def _make_all(
    con: duckdb.DuckDBPyConnection,
    needed: dict[str, set[str]],
    make: Callable[[duckdb.DuckDBPyConnection, str], None],
    say: Callable[[str], None],
    at_once: int,
) -> None:
    """Create each table after those it needs, `at_once` at a time; ready tables are started in the order of `needed`.

    An error in one interrupts the others, and is raised once they have ended.
    """
    order = graphlib.TopologicalSorter(needed)
    order.prepare()
    ready: list[str] = []
    running: dict[Future[None], tuple[str, duckdb.DuckDBPyConnection]] = {}
    with ExitStack() as stack:
        idle = [stack.enter_context(build_database.new_cursor(con)) for _ in range(at_once)]
        workers = stack.enter_context(ThreadPoolExecutor(at_once))
        try:
            while order.is_active():
                ready = sorted((*ready, *order.get_ready()), key=list(needed).index)
                while ready and idle:
                    name, cursor = ready.pop(0), idle.pop()
                    say(f"building {name}")
                    running[workers.submit(make, cursor, name)] = name, cursor
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    name, cursor = running.pop(done)
                    done.result()
                    idle.append(cursor)
                    order.done(name)
        except BaseException:
            # Repeated, because a statement that is only about to begin ignores it.
            while wait(running, timeout=0.1).not_done:
                for _, cursor in running.values():
                    cursor.interrupt()
            raise


def _by_urgency(needed: dict[str, set[str]]) -> dict[str, set[str]]:
    """`needed` sorted by how many others wait for a model, most first; among equals, models that read others first."""
    order = sorted(needed, key=lambda name: (_waiting_for(name, needed), bool(needed[name]), name), reverse=True)
    return {name: needed[name] for name in order}


def _waiting_for(name: str, needed: dict[str, set[str]]) -> int:
    """How many models depend on `name`, directly or indirectly."""
    dependents = {name}
    while more := {other for other, tables in needed.items() if tables & dependents} - dependents:
        dependents |= more
    return len(dependents) - 1


def _qualified(name: str) -> str:
    return f"{build_database.SCRATCH}.{name}" if name in _NOT_PUBLISHED else name


def _slices(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[int, int]]:
    """The persons of the register, numbered from 1, as ranges (first, last), both included."""
    ((persons,),) = con.execute("select coalesce(max(person_id), 0) from person_numbers").fetchall()
    size = int(os.environ.get("BUILD_SLICE") or max(10_000, build_database.memory(con) // _BYTES_OF_A_PERSON))
    for first in range(1, persons + 1, size):
        yield first, min(first + size - 1, persons)


def _build_in_slices(
    con: duckdb.DuckDBPyConnection, name: str, sql: str, inputs: set[str], slices: list[tuple[int, int]]
) -> None:
    """Run a model for the persons of each slice: a temporary view of them hides each table that it reads."""
    whole = con.execute(
        "select table_name, concat_ws('.', database_name, schema_name, table_name) from duckdb_columns() "
        "where column_name = 'person_id' and table_name in (select unnest($inputs)) and not internal",
        {"inputs": sorted(inputs)},
    ).fetchall()
    target = _qualified(name)
    for number, (first, last) in enumerate(slices):
        for table, qualified in whole:
            con.execute(
                f"create or replace temp view {table} as from {qualified} where person_id between {first} and {last}"
            )
        con.execute(f"insert into {target} {sql}" if number else f"create table {target} as {sql}")
    for table, _ in whole:
        con.execute(f"drop view temp.{table}")
