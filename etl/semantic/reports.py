"""Answers that no metric gives: the load, a comparison, the rows of one institute. Labels are in reports.toml."""

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer
from etl.semantic.catalog import Metric, labelled
from etl.semantic.lineage import sources_of_query

_FILE = Path(__file__).parent / "reports.toml"


@cache
def reported(name: str) -> Metric:
    """The labels and the unit of the number `name`. Raises KeyError for a name without an entry."""
    entries = tomllib.loads(_FILE.read_text(encoding="utf-8"))["reported"]
    return labelled(name, {"group": "load", **entries[name]})


def report(
    con: ScopedCursor,
    by: Sequence[str],
    numbers: Sequence[str],
    sql: str,
    parameters: dict[str, Any] | None = None,
    where: dict[str, tuple[str, ...]] | None = None,
    query: str = "",
) -> Answer:
    """The rows of `sql` as an Answer: its columns are `by` in order, then `numbers`, each with an entry in reports.toml.

    `query` is the query that users see, with its values written in; by default `sql`.
    """
    rows = con.execute(sql, parameters or {}).fetchall()
    return replace(unread_report(con, by, numbers, sql, query or sql, None, where), rows=rows)


def unread_report(
    con: ScopedCursor,
    by: Sequence[str],
    numbers: Sequence[str],
    sql: str,
    query: str,
    on: date | None,
    where: dict[str, tuple[str, ...]] | None,
) -> Answer:
    """A report without its rows, for rows too many for memory; arguments as for `report`."""
    return Answer(
        metrics=tuple(reported(name) for name in numbers),
        by=tuple(by),
        columns=(*by, *numbers),
        rows=[],
        where=where or {},
        on=on,
        over=None,
        provisional=frozenset(),
        query=query,
        publication=con.publication,
        scope=con.scope.rights(),
        sources=sources_of_query(sql),
    )
