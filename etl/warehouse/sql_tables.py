"""The tables that a SELECT reads, by DuckDB's own parser, so comments and CTEs are not mistaken for tables."""

import json
import threading
from collections.abc import Iterator
from functools import cache
from typing import Any

import duckdb

_local = threading.local()


@cache
def tables_in(sql: str) -> frozenset[str]:
    """The tables that one or more SELECTs read, without their CTEs. Raises ValueError for anything but SELECTs."""
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
