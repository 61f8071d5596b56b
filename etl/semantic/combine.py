"""What a question reads, and how its answer is put together: DuckDB counts, each SELECT by itself, and here the counts meet.

To join a handful of counted rows in SQL took DuckDB longer than to count them.
"""

import ast
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from etl.semantic.catalog import Metric, catalogue

Key = tuple[str | None, ...]
Numbers = tuple[Any, ...]
Fetch = Callable[[str], Sequence[tuple[Any, ...]]]
Formula = Callable[[Mapping[str, Any]], Any]
_SUMS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@dataclass(frozen=True)
class Select:
    """A SELECT: its columns are dimensions first, then numbers.

    Where `units` is given, its first column is a day instead of a unit of time: it stands for each of that day's units.
    """

    sql: str
    columns: tuple[str, ...]
    units: Mapping[date, Sequence[str]] | None = None


@dataclass(frozen=True)
class Reading:
    """The numbers `names` by `dimensions`: the sum of its SELECTs, over whatever else those tell apart.

    `provinces` are those that count, where not all do. `met`: a group in which each of these is 0 is none. `is_side`: it adds
    its numbers to groups that others have met.
    """

    selects: tuple[Select, ...]
    dimensions: tuple[str, ...]
    names: tuple[str, ...]
    is_side: bool
    provinces: frozenset[str] | None = None
    met: tuple[str, ...] = ()

    def groups(self, fetch: Fetch) -> dict[Key, Numbers]:
        """The groups met and their numbers, those of `names` and then of `met`; `fetch` gives the rows of a SELECT."""
        found: dict[Key, Numbers] = {}
        names = (*self.names, *(name for name in self.met if name not in self.names))
        for select in self.selects:
            key_of, numbers_of = _picker(select.columns, self.dimensions), _picker(select.columns, names)
            for row in self._counting(fetch(select.sql), select):
                key = key_of(row)
                found[key] = _sum(found[key], numbers_of(row)) if key in found else numbers_of(row)
        if self.met:
            of_met = _picker(names, self.met)
            return {key: numbers for key, numbers in found.items() if any(of_met(numbers))}
        return found

    def _counting(self, rows: Sequence[tuple[Any, ...]], select: Select) -> Sequence[tuple[Any, ...]]:
        if select.units is not None:
            units = select.units
            rows = [(unit, *row[1:]) for row in rows for unit in units.get(row[0], ())]
        if self.provinces is not None:
            place, chosen = select.columns.index("province"), self.provinces
            rows = [row for row in rows if row[place] in chosen]
        return rows


def combine(
    readings: Iterable[Reading],
    fetch: Fetch,
    by: tuple[str, ...],
    always: Mapping[Key, Mapping[str, Any]],
    zeros: Mapping[str, Any],
) -> dict[Key, list[Any]]:
    """The groups that any reading has met, and those that are `always` told: every number of `zeros`, in its order.

    What no reading knows of a group is as in `zeros`.
    """
    main: list[Reading] = []
    side: list[Reading] = []
    for reading in readings:
        (side if reading.is_side else main).append(reading)
    if not main:
        main, side = side, []
    place = {name: number for number, name in enumerate(zeros)}
    nothing = [*zeros.values()]
    met: dict[Key, list[Any]] = {key: nothing.copy() for key in always}
    for key, known in always.items():
        _note(met[key], [place[name] for name in known], known.values())
    for reading in main:
        whole = _picker((*reading.dimensions, None), [name if name in reading.dimensions else None for name in by])
        places = [place[name] for name in reading.names]
        for key, numbers in reading.groups(fetch).items():
            key = whole((*key, None))
            cells = met.get(key)
            if cells is None:
                met[key] = cells = nothing.copy()
            _note(cells, places, numbers)
    for reading in side:
        groups = reading.groups(fetch)
        part = _picker(by, reading.dimensions)
        places = [place[name] for name in reading.names]
        for key, cells in met.items():
            if part(key) in groups:
                _note(cells, places, groups[part(key)])
    return met


def in_order(keys: Iterable[Key]) -> list[Key]:
    """Members in their order, what is not known last."""
    try:
        return sorted(keys)
    except TypeError:
        return sorted(keys, key=lambda key: [(member is None, member) for member in key])


@cache
def formula(name: str) -> Formula:
    """What works a metric out of the numbers it is made of, as SQL would: with one that is None, the result is None.

    Raises ValueError for an expression of more than sums, products, quotients and nullif.
    """
    sql = catalogue()[name].sql
    return _worked_out(ast.parse(re.sub(r"\{(\w+)\}", r"\1", sql), mode="eval").body)


def ratio(metric: Metric, part: Any, whole: Any) -> Any:
    """What a ratio is of these two parts; None where it has none or they are not known."""
    if part is None or not whole:
        return None
    if not metric.sql:
        return part / whole * (100_000 if metric.unit == "per_100k" else 1)
    return formula(metric.name)({str(metric.numerator): part, str(metric.denominator): whole})


def _worked_out(node: ast.expr) -> Formula:
    match node:
        case ast.Constant(value=int() | float() as number):
            return lambda _: number
        case ast.Name(id=name):
            return lambda cells: cells[name] if name in cells else formula(name)(cells)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _SUMS:
            return _of_two(_SUMS[type(op)], _worked_out(left), _worked_out(right))
        case ast.Call(func=ast.Name(id="nullif"), args=[value, unwanted]):
            return _of_two(lambda one, other: None if one == other else one, _worked_out(value), _worked_out(unwanted))
    raise ValueError(f"not to be worked out here: {ast.unparse(node)}")


def _of_two(work: Callable[[Any, Any], Any], left: Formula, right: Formula) -> Formula:
    def both(cells: Mapping[str, Any]) -> Any:
        one, other = left(cells), right(cells)
        return None if one is None or other is None else work(one, other)

    return both


def _picker(columns: Sequence[str | None], names: Sequence[str | None]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """What takes `names` out of a row of `columns`; one that no column has is None."""
    places = [columns.index(name) if name in columns else -1 for name in names]
    first = places[0] if places else 0
    if first >= 0 and places == [*range(first, first + len(places))]:
        return operator.itemgetter(slice(first, first + len(places)))
    return lambda row: tuple([None if place < 0 else row[place] for place in places])


def _note(cells: list[Any], places: Sequence[int], numbers: Iterable[Any]) -> None:
    for place, number in zip(places, numbers, strict=False):
        if number is not None:
            cells[place] = number


def _sum(one: Numbers, other: Numbers) -> Numbers:
    return tuple([b if a is None else a if b is None else a + b for a, b in zip(one, other, strict=True)])
