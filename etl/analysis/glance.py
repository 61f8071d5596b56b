"""Places at a glance: the measures of the first screen for each province, or each county of one, in one table."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from etl.analysis.different import sides
from etl.analysis.registry import analysis
from etl.core.errors import QuestionError
from etl.core.jalali import last_complete_months, units_between
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask
from etl.semantic.catalog import catalogue
from etl.semantic.derived import Where, answered
from etl.semantic.ranking import LEAST, worse_side
from etl.semantic.resolve import settled_on

MONTHS = 24
_COUNT = "active_assistants"
MEASURES = ("coverage_per_10k", "target_progress", "training_compliance", "lapsed_licence_service", "leaver_rate_12m")
TESTED = ("coverage_per_10k", "training_compliance", "leaver_rate_12m")


@analysis(asks=("active_assistants",), open_by_province=True)
def glance(con: ScopedCursor, on: date, where: Where, by: str = "province") -> Answer:
    """A row for each province or county, or one for the whole (`by` empty): its numbers, and in which of them it is behind.

    Rows: (the place, active_assistants, active_growth, coverage_per_10k, target_progress, training_compliance,
    lapsed_licence_service, leaver_rate_12m, then `behind`: the measures in which it is clearly worse than the whole, joined by
    |). active_growth is that over the last 24 complete months, unknown for places that had fewer than 23 people. Progress is
    that to a target of the place's own; the leaver rate is asked on the last settled day.
    """
    axes = (by,) if by else ()
    answers = _measured(con, axes, on, where)
    first = answers[0]
    units = [*units_between(*last_complete_months(on, MONTHS), "month")]
    ends = [ask(con, _COUNT, by=axes, on=unit.last, where=where) for unit in (units[0], units[-1])]
    places: dict[str, dict[str, Any]] = {place: {"behind": []} for place in _by_place(first, by)}
    for answer in answers:
        for place, row in _by_place(answer, by).items():
            if place in places:
                places[place] |= {metric.name: row[metric.name] for metric in answer.metrics}
    if by != "county":
        own = _by_place(ask(con, "own_target", by=axes, on=on), by)
        for place, row in places.items():
            if place not in own or own[place]["own_target"] is None:
                row["target_progress"] = None
    for place, growth in _growth(*(_by_place(end, by) for end in ends)).items():
        if place in places:
            places[place]["active_growth"] = growth
    for name, side in (sides(con, on, where, by, TESTED) if by else {}).items():
        for place in side.index[side == worse_side(catalogue()[name])]:
            if place in places:
                places[place]["behind"].append(name)
    columns = ("active_assistants", "active_growth", *MEASURES)
    rows = [
        (*([place] if by else []), *map(row.get, columns), "|".join(row["behind"])) for place, row in places.items()
    ]
    return answered(first, axes, columns, rows, also=[*answers[1:], *ends], more=("behind",))


def _measured(con: ScopedCursor, axes: Sequence[str], on: date, where: Where) -> list[Answer]:
    """The measures that have an answer, those of one day together. Raises QuestionError if active assistants have none."""
    days: dict[date, list[str]] = {}
    for name in (_COUNT, *MEASURES):
        days.setdefault(settled_on(con, name, on) or on, []).append(name)
    answers = []
    for day, names in days.items():
        try:
            answers.append(ask(con, *names, by=axes, on=day, where=where))
        except QuestionError:
            for name in names:
                try:
                    answers.append(ask(con, name, by=axes, on=day, where=where))
                except QuestionError:
                    if name == _COUNT:
                        raise
    return answers


def _by_place(answer: Answer, by: str) -> dict[str, dict[str, Any]]:
    """The rows of an answer by their known place; the whole is the place without a name."""
    return {row.get(by, ""): row for row in answer.records() if row.get(by, "") is not None}


def _growth(before: dict[str, dict[str, Any]], now: dict[str, dict[str, Any]]) -> dict[str, float]:
    """The growth from the first to the last month of each place that had enough people to compare."""
    return {
        place: now[place][_COUNT] / row[_COUNT] - 1
        for place, row in before.items()
        if row[_COUNT] >= LEAST and place in now
    }
