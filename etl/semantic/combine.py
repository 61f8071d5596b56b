"""Combines the results of queries into the rows of an answer: DuckDB counts, Python joins the counts and computes ratios.

DuckDB takes longer to join a handful of counted rows than to count them.
"""

import ast
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from etl.semantic.catalog import Metric, catalogue, derived
from etl.semantic.resolve import Plan

Key = tuple[str | None, ...]
Numbers = tuple[Any, ...]
Results = Mapping[str, Sequence[tuple[Any, ...]]]
Columns = Mapping[str, Sequence[Any]]
Formula = Callable[[Columns], Sequence[Any]]
_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    # The only function is nullif.
    ast.Call: lambda value, unwanted: None if value == unwanted else value,
}


@dataclass(frozen=True)
class Select:
    """A SELECT: its columns are dimensions first, then numbers.

    With `units`, its first column is a day instead of a unit of time, and a row counts for each unit of its day.
    """

    sql: str
    columns: tuple[str, ...]
    units: Mapping[date, Sequence[str]] | None = None


@dataclass(frozen=True)
class MeasureQuery:
    """Some measures by `dimensions`: the rows of its SELECTs, summed over their other columns.

    `provinces`: those whose rows count; None for all. `presence`: a group exists if one of these columns differs from 0.
    `is_lookup`: adds its numbers to the groups of other queries, and no groups of its own.
    """

    selects: tuple[Select, ...]
    dimensions: tuple[str, ...]
    measures: tuple[str, ...]
    is_lookup: bool
    provinces: frozenset[str] | None = None
    presence: tuple[str, ...] = ()

    def groups(self, results: Results) -> dict[Key, Numbers]:
        """The groups with their numbers: those of `measures`, then the others of `presence`; `results` are rows by SQL."""
        groups: dict[Key, Numbers] = {}
        names = (*self.measures, *(name for name in self.presence if name not in self.measures))
        for select in self.selects:
            key_of, numbers_of = _picker(select.columns, self.dimensions), _picker(select.columns, names)
            rows = self._rows(results[select.sql], select)
            for key, numbers in zip(map(key_of, rows), map(numbers_of, rows), strict=True):
                groups[key] = _sum(groups[key], numbers) if key in groups else numbers
        if self.presence:
            presence_of = _picker(names, self.presence)
            return {key: numbers for key, numbers in groups.items() if any(presence_of(numbers))}
        return groups

    def _rows(self, rows: Sequence[tuple[Any, ...]], select: Select) -> Sequence[tuple[Any, ...]]:
        if (units := select.units) is not None:
            rows = [(unit, *row[1:]) for row in rows for unit in units.get(row[0], ())]
        if self.provinces is not None:
            at, chosen = select.columns.index("province"), self.provinces
            rows = [row for row in rows if row[at] in chosen]
        return rows


def combine(plan: Plan, queries: Sequence[MeasureQuery], results: Results) -> list[tuple[Any, ...]]:
    """The rows of an answer: the members, then the selected metrics, ordered by member with the unknown last."""
    empty = {name: measure.fill_nulls_with for name, measure in plan.measures.items()}
    keys, columns = merge(queries, results, plan.by, fixed_groups(plan), empty, plan.sizes)
    if plan.unit:
        # Flows give a row to a past unit that the period cuts; no state is measured in it.
        at, days = plan.by.index(plan.unit), dict(plan.snapshot_days())
        for name, measure in plan.measures.items():
            if measure.kind == "snapshot" and not measure.at_end:
                columns[name] = [n if key[at] in days else None for key, n in zip(keys, columns[name], strict=True)]
    numbers = [columns[name] if name in columns else formula(name)(columns) for name in plan.selected]
    return list(zip(*zip(*keys, strict=True), *numbers, strict=True))


def fixed_groups(plan: Plan) -> dict[Key, dict[str, Any]]:
    """The groups that have a row even if nothing is counted in them, with their known numbers.

    These are the provinces within the filter and the units of time; other dimensions show only members with rows.
    """
    if not plan.by:
        return {(): {}}
    if plan.by == ("province",):
        columns = plan.static_columns()
        facts = plan.publication.provinces.facts(plan.static_day)
        chosen = plan.where.get("province", facts)
        return {
            (province,): {name: numbers[column] for name, column in columns.items()}
            for province, numbers in facts.items()
            if province in chosen
        }
    if plan.by == (plan.unit,):
        if all(metric.kind == "snapshot" for metric in plan.metrics):
            return {(label,): {} for label, _ in plan.snapshot_days()}
        return {(unit.label,): {} for unit in plan.units}
    return {}


def merge(
    queries: Sequence[MeasureQuery],
    results: Results,
    by: tuple[str, ...],
    fixed: Mapping[Key, Mapping[str, Any]],
    empty: Mapping[str, Any],
    sizes: frozenset[str] = frozenset(),
) -> tuple[list[Key], dict[str, list[Any]]]:
    """The groups of all queries and the `fixed` ones in order, and a column of each number of `empty`.

    A number that no query has for a group is that of `empty`. Queries of `sizes` alone add no groups, as lookups; if all are
    lookups, they make the groups.
    """
    lookups = [query for query in queries if query.is_lookup or sizes.issuperset(query.measures)]
    main = [query for query in queries if query not in lookups]
    if not main:
        main, lookups = lookups, []
    known = [([*next(iter(fixed.values()), ())], {key: tuple(numbers.values()) for key, numbers in fixed.items()})]
    for query in main:
        groups = query.groups(results)
        full_keys = map(_picker(query.dimensions, by), groups)
        known.append(([*query.measures], dict(zip(full_keys, groups.values(), strict=True))))
    keys = in_order({key for _, groups in known for key in groups})
    found = [(names, [*map(groups.get, keys)]) for names, groups in known]
    for query in lookups:
        parts = map(_picker(by, query.dimensions), keys)
        found.append(([*query.measures], [*map(query.groups(results).get, parts)]))
    columns = {name: [nothing] * len(keys) for name, nothing in empty.items()}
    for names, rows in found:
        for at, name in enumerate(names):
            columns[name] = [empty[name] if row is None or row[at] is None else row[at] for row in rows]
    return keys, columns


def in_order(keys: Iterable[Key]) -> list[Key]:
    """Keys by their members, None last."""
    try:
        return sorted(keys)
    except TypeError:
        return sorted(keys, key=lambda key: [(member is None, member) for member in key])


@cache
def formula(name: str) -> Formula:
    """The function that computes the column of a metric from those of its parts as SQL does: None if a part is None.

    Raises ValueError for anything but sums, differences, products, quotients and nullif.
    """
    sql = (catalogue().get(name) or derived(name)).sql
    return _compiled(ast.parse(re.sub(r"\{(\w+)\}", r"\1", sql), mode="eval").body)


def ratio(metric: Metric, part: Any, whole: Any) -> Any:
    """The value of a ratio of two parts; None if one is None or the denominator is 0."""
    if part is None or not whole:
        return None
    if not metric.sql:
        return part / whole * (100_000 if metric.unit == "per_100k" else 1)
    return formula(metric.name)({str(metric.numerator): [part], str(metric.denominator): [whole]})[0]


def _compiled(node: ast.expr) -> Formula:
    match node:
        case ast.Constant(value=int() | float() as number):
            return lambda columns: [number] * len(next(iter(columns.values())))
        case ast.Name(id=name):
            return lambda columns: columns[name] if name in columns else formula(name)(columns)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            work = _OPERATORS[type(op)]
        case ast.Call(func=ast.Name(id="nullif"), args=[left, right]):
            work = _OPERATORS[ast.Call]
        case _:
            raise ValueError(f"not to be computed here: {ast.unparse(node)}")
    one, other = _compiled(left), _compiled(right)

    def both(columns: Columns) -> Sequence[Any]:
        pairs = zip(one(columns), other(columns), strict=True)
        return [None if first is None or second is None else work(first, second) for first, second in pairs]

    return both


def _picker(columns: Sequence[str | None], names: Sequence[str | None]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """A function that picks `names` from a row of `columns`; a name without a column gives None."""
    positions = [columns.index(name) if name in columns else -1 for name in names]
    first = positions[0] if positions else 0
    if first >= 0 and positions == [*range(first, first + len(positions))]:
        return operator.itemgetter(slice(first, first + len(positions)))
    return lambda row: tuple([None if position < 0 else row[position] for position in positions])


def _sum(first: Numbers, second: Numbers) -> Numbers:
    return tuple([b if a is None else a if b is None else a + b for a, b in zip(first, second, strict=True)])
