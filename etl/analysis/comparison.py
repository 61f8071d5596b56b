"""Comparisons: one question for two days or two places, and the difference."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from statistics import median
from typing import Any

from etl.core.errors import AccessDenied, QuestionError
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask
from etl.semantic.catalog import catalogue
from etl.semantic.composed_answers import origins, with_rows
from etl.semantic.open_totals import is_open, narrowed_to_own
from etl.semantic.resolve import settled_on
from etl.warehouse.dimensions import PLACES

# Hashable, because pages cache by it.
_Filters = tuple[tuple[str, tuple[str, ...]], ...]
_Where = dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Side:
    """One side: a day, and its places (empty: the nation); `is_median`: the median of its provinces, not all of them."""

    on: date
    where: _Filters = ()
    is_median: bool = False


def compare(con: ScopedCursor, names: Sequence[str], first: Side, second: Side, where: _Filters = ()) -> Answer:
    """Snapshot metrics of two sides and their difference (second minus first), under filters common to both.

    A metric that stays provisional is asked on the day that was settled on that of the side (`settled_on`). Three rows, by
    `side`: first, second, difference. The difference of a missing value is None, and the difference of a rate has no
    numerator or denominator. Raises QuestionError for an event metric and for a filter that does not apply.
    """
    flows = [name for name in names if name in catalogue() and catalogue()[name].kind == "event"]
    if flows:
        raise QuestionError(f"{flows[0]} is counted over a period; two days are compared by what is measured on a day")
    return _of_alike(con, (first, second), partial(_compared, con, names, first, second), dict(where))


def _compared(con: ScopedCursor, names: Sequence[str], first: Side, second: Side, common: _Where) -> Answer:
    sides = [_asked(con, names, side, common) for side in (first, second)]
    answers = [answer for side in sides for answer in side]
    metrics = {metric.name: metric for answer in answers for metric in answer.metrics}
    before, after = ({name: value for answer in side for name, value in answer.records()[0].items()} for side in sides)
    parts = [name for name in before if name not in metrics]
    columns = [*names, *parts]

    def difference(name: str) -> Any:
        is_known = name not in parts and None not in (before[name], after[name])
        return after[name] - before[name] if is_known else None

    rows: list[tuple[Any, ...]] = [
        ("first", *map(before.get, columns)),
        ("second", *map(after.get, columns)),
        ("difference", *map(difference, columns)),
    ]
    answer = with_rows(sides[1][0], ("side",), map(metrics.__getitem__, names), rows, parts)
    days = {name: (side.on, side.where) for name, side in zip(("first", "second"), (first, second), strict=True)}
    return replace(answer, where=common, sides=days, **origins(*answers))


def _of_alike(con: ScopedCursor, sides: Sequence[Side], asked: Callable[[_Where], Answer], common: _Where) -> Answer:
    """The answer of `asked` under common filters; two days of a group of the nation are those of the own provinces.

    Raises AccessDenied where such a group, or the median of all provinces, is compared with a place.
    """
    chosen = [{*common, *dict(side.where)} for side in sides]
    if con.scope.sees_whole_country or all(is_open((), names) for names in chosen):
        return asked(common)
    has_places = [bool(names.intersection(PLACES)) for names in chosen]
    if any(side.is_median for side in sides) or len({*has_places}) > 1:
        raise AccessDenied
    if all(has_places):
        return asked(common)
    where, left_out = narrowed_to_own(con, (), (), common)
    return replace(asked(where), left_out=left_out)


def _asked(con: ScopedCursor, names: Sequence[str], side: Side, common: _Where) -> list[Answer]:
    """The metrics of one side: one answer for each day on which they are asked."""
    days: dict[date, list[str]] = {}
    for name in names:
        settled = settled_on(con, name, side.on) if name in catalogue() else None
        days.setdefault(settled or side.on, []).append(name)
    by = ("province",) if side.is_median else ()
    answers = [ask(con, *group, by=by, on=day, where={**common, **dict(side.where)}) for day, group in days.items()]
    return [median_of_provinces(answer) for answer in answers] if side.is_median else answers


def median_of_provinces(answer: Answer) -> Answer:
    """The median of each metric over the provinces, the last dimension of an answer; the parts of rates have none."""
    provinces: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    width = len(answer.by) - 1
    for row in answer.rows:
        provinces.setdefault(row[:width], []).append(row)
    metrics = {answer.columns.index(metric.name) for metric in answer.metrics}

    def middle(rows: Sequence[tuple[Any, ...]], at: int) -> Any:
        known = [row[at] for row in rows if row[at] is not None] if at in metrics else []
        return median(known) if known else None

    columns = range(width + 1, len(answer.columns))
    rows = [(*key, *(middle(group, at) for at in columns)) for key, group in provinces.items()]
    return replace(answer, by=answer.by[:-1], columns=answer.columns[:width] + answer.columns[width + 1 :], rows=rows)


def over_time(
    con: ScopedCursor, name: str, sides: Sequence[tuple[str, Side]], over: tuple[date, date], where: _Filters = ()
) -> Answer:
    """One measure month by month, by `side`: the places of each side under filters common to both."""
    places = [side for _, side in sides]
    return _of_alike(con, places, partial(_over_time, con, name, sides, over), dict(where))


def _over_time(
    con: ScopedCursor, name: str, sides: Sequence[tuple[str, Side]], over: tuple[date, date], common: _Where
) -> Answer:
    answers = {}
    for label, side in sides:
        by = ("month", "province") if side.is_median else ("month",)
        answer = ask(con, name, by=by, over=over, where={**common, **dict(side.where)})
        answers[label] = median_of_provinces(answer) if side.is_median else answer
    first = next(iter(answers.values()))
    rows = [(row[0], side, *row[1:]) for side, answer in answers.items() for row in answer.rows]
    answer = with_rows(first, ("month", "side"), first.metrics, rows, first.columns[2:])
    places = {label: (None, side.where) for label, side in sides}
    return replace(answer, where=common, sides=places, **origins(*answers.values()))
