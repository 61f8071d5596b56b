"""The names in a question: metrics, dimensions and members are checked, and unknown ones refused."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import duckdb

from etl.core.errors import QuestionError
from etl.core.places import places
from etl.core.text_folding import fold, latin_digits
from etl.semantic.catalog import Metric, catalogue
from etl.warehouse.dimensions import ALL, CHOICES, DIMENSIONS, TIME

# To plan an IN, DuckDB converts every member of the column's type: 40 ms for 160,000 institutes. So many values are compared
# one by one instead.
MOST_COMPARED = 8


def metrics_named(names: Sequence[str]) -> tuple[Metric, ...]:
    """The metrics of these names, each once. Raises QuestionError for an unknown name and for none."""
    if not names:
        raise QuestionError("a question names at least one metric")
    if unknown := [name for name in names if name not in catalogue()]:
        raise QuestionError(f"no metric is called {unknown[0]}; see python -m etl metrics")
    return tuple(catalogue()[name] for name in dict.fromkeys(names))


def unit_of_time(by: Sequence[str]) -> str:
    """The unit of time among `by`, or empty. Raises QuestionError for an unknown or repeated dimension and for two units."""
    for name in by:
        if name not in DIMENSIONS:
            raise QuestionError(f"no dimension is called {name}; there are {', '.join(DIMENSIONS)}")
    if len(set(by)) < len(by):
        raise QuestionError("a dimension is named twice")
    units = [name for name in by if name in TIME]
    if len(units) > 1:
        raise QuestionError("one of month, quarter and year at a time")
    return units[0] if units else ""


def refuse_meaningless(metric: Metric, by: Sequence[str], where: Mapping[str, Any]) -> None:
    """Raise QuestionError if a metric cannot be grouped or filtered by these dimensions."""
    for name in (*by, *where):
        if name not in (metric.groups if name in by else metric.dimensions):
            raise QuestionError(f"{metric.name} has no meaning by {name}")
    together = {name for name in (*by, *where) if name in metric.mutually_exclusive}
    if len(together) > 1:
        raise QuestionError(f"{metric.name} takes one of {', '.join(sorted(together))}, not both")


def members(con: duckdb.DuckDBPyConnection, where: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The codes of the members that filters name. Raises QuestionError for an unknown dimension or member."""
    checked = {}
    for name, values in where.items():
        if name not in DIMENSIONS:
            raise QuestionError(f"no dimension is called {name}; there are {', '.join(DIMENSIONS)}")
        if name in TIME:
            raise QuestionError(f"a period is given with --over, not with --where {name}")
        checked[name] = tuple(dict.fromkeys(_members(con, name, list(values))))
        if not checked[name]:
            raise QuestionError(f"--where {name} names no value")
    return checked


def _codes(dimension: str) -> Mapping[str, str] | None:
    """The member of each folded word of a dimension; None where members differ between publications."""
    return places().provinces if "province" in (dimension, ALL[dimension].same_as) else CHOICES.get(dimension)


def other_members(dimension: str, excluded: Collection[str]) -> list[str] | None:
    """The members of a dimension other than `excluded`; None where they differ between publications."""
    codes = _codes(dimension)
    return None if codes is None else sorted(set(codes.values()).difference(excluded))


def newer_counties_in(where: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The names of counties created since the census of 1395 among filters, each with the code of the county it counts in."""
    named = {value: places().county_named(value) for value in where.get("county", ())}
    return {value: county.code for value, county in named.items() if county and county.is_newer}


def _county_code(value: str) -> str:
    """The code of the county that a name means; the value itself if there is none."""
    county = places().county_named(value)
    return county.code if county else value


def _members(con: duckdb.DuckDBPyConnection, dimension: str, values: Sequence[str]) -> list[str]:
    """The codes of the members named by `values`, in that order. Raises QuestionError for the first unknown one."""
    known = _codes(dimension)
    if known is None:
        code_of = _county_code if dimension == "county" else latin_digits
        codes = _looked_up(con, ALL[dimension].lookup, list(map(code_of, values)))
    else:
        codes = [known.get(fold(value)) for value in values]
    known_codes = [member for member in codes if member is not None]
    if len(known_codes) < len(codes):
        raise QuestionError(f"no {dimension} is called {values[codes.index(None)]!r}")
    return known_codes


def _looked_up(con: duckdb.DuckDBPyConnection, lookup: str, values: Sequence[str]) -> list[str | None]:
    """Each value as written in the column `lookup` (table.column), ignoring case if there is no exact match; None if missing."""
    table, column = lookup.split(".")
    if 0 < len(values) <= MOST_COMPARED:
        asked = {f"v{number}": value for number, value in enumerate(values)}
        equal = " or ".join(f"{column} = ${name}" for name in asked)
        exact = {code for (code,) in con.execute(f"select {column} from {table} where {equal}", asked).fetchall()}
        if exact.issuperset(values):
            return list(values)
    rows = con.execute(
        f"select {column} from {table} where lower({column}) in (select lower(unnest($values::varchar[]))) order by 1 desc",
        {"values": list(values)},
    ).fetchall()
    exact = {code for (code,) in rows}
    alike = {code.lower(): code for (code,) in rows}
    return [value if value in exact else alike.get(value.lower()) for value in values]
