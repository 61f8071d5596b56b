"""Comparisons: one question for two days or two places, and the difference."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from etl.core.errors import QuestionError
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask
from etl.semantic.catalog import catalogue
from etl.semantic.derived import joined_queries, joined_sources

# Hashable, because pages cache by it.
_Filters = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Side:
    """One side: a day, and its places (empty: the nation)."""

    on: date
    where: _Filters = ()


def compare(con: ScopedCursor, names: Sequence[str], first: Side, second: Side, where: _Filters = ()) -> Answer:
    """Snapshot metrics of two sides and their difference (second minus first), under filters common to both.

    Three rows, by `side`: first, second, difference. The difference of a missing value is None, and the difference of a rate
    has no numerator or denominator. Raises QuestionError for an event metric and for a filter that does not apply.
    """
    flows = [name for name in names if name in catalogue() and catalogue()[name].kind == "event"]
    if flows:
        raise QuestionError(f"{flows[0]} is counted over a period; two days are compared by what is measured on a day")
    common = dict(where)
    answers = [ask(con, *names, on=side.on, where=common | dict(side.where)) for side in (first, second)]
    before, after = (answer.rows[0] for answer in answers)
    parts = {part for metric in answers[0].metrics for part in (metric.numerator, metric.denominator)}
    metric_names = {metric.name for metric in answers[0].metrics}
    difference = tuple(
        None if a is None or b is None or name in parts - metric_names else b - a
        for name, a, b in zip(answers[0].columns, before, after, strict=True)
    )
    rows: list[tuple[Any, ...]] = [("first", *before), ("second", *after), ("difference", *difference)]
    return replace(
        answers[1],
        by=("side",),
        columns=("side", *answers[0].columns),
        rows=rows,
        where=common,
        query=joined_queries(*answers),
        sources=joined_sources(*answers),
    )


def over_time(
    con: ScopedCursor, name: str, sides: Sequence[tuple[str, _Filters]], over: tuple[date, date], where: _Filters = ()
) -> Answer:
    """One measure month by month, by `side`: the places of each side under filters common to both."""
    common = dict(where)
    answers = {side: ask(con, name, by=("month",), over=over, where=common | dict(chosen)) for side, chosen in sides}
    first = next(iter(answers.values()))
    return replace(
        first,
        by=("month", "side"),
        columns=("month", "side", *first.columns[1:]),
        rows=[(row[0], side, *row[1:]) for side, answer in answers.items() for row in answer.rows],
        where=common,
        query=joined_queries(*answers.values()),
        sources=joined_sources(*answers.values()),
    )
