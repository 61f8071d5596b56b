"""Places at a glance: the measures of the first screen for each province, or each county of one, in one table."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from etl.analysis.analyses import analysis
from etl.analysis.different import EXACT, sides
from etl.core.errors import QuestionError
from etl.core.jalali import DAY, last_complete_months, units_between
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask
from etl.semantic.catalog import catalogue, size_of
from etl.semantic.composed_answers import Where, compose
from etl.semantic.ranking import LEAST, named_side
from etl.semantic.resolve import settled_on

MONTHS = 24
_COUNT, _COVERAGE = "active_assistants", "coverage_per_10k"
MEASURES = ("coverage_per_10k", "target_progress", "training_compliance", "lapsed_licence_service", "leaver_rate_12m")
TESTED = ("coverage_per_10k", "training_compliance", "leaver_rate_12m")


@analysis(asks=("active_assistants",), open_by=("province", ""))
def glance(con: ScopedCursor, on: date, where: Where, by: str = "province", counts: str = EXACT) -> Answer:
    """A row for each province or county, or one for the whole (`by` empty): its numbers, and in which of them it is behind.

    Rows: (the place, active_assistants, active_growth, coverage_per_10k, target_progress, training_compliance,
    lapsed_licence_service, leaver_rate_12m, then the sizes of the groups behind the shares, and the measures in which by
    `different` it is worse than the whole, `behind`, and in which that is `unclear`, joined by |). active_growth is that over
    the last 24 complete months, unknown for places that had fewer than 23 people. Progress is that to a target of the place's
    own; the leaver rate is asked on the last settled day.
    """
    axes = (by,) if by else ()
    answers = _measured(con, axes, on, where)
    columns = {metric.name: _by_place(answer, by, metric.name) for answer in answers for metric in answer.metrics}
    if by != "county":
        own = _by_place(ask(con, "own_target", by=axes, on=on), by, "own_target")
        progress = columns.get("target_progress", {})
        columns["target_progress"] = {place: value for place, value in progress.items() if own.get(place) is not None}
    units = [*units_between(*last_complete_months(on, MONTHS), "month")]
    ends = [ask(con, _COUNT, by=axes, on=day, where=where) for day in (units[0].first - DAY, units[-1].last)]
    before, now = (_by_place(end, by, _COUNT) for end in ends)
    columns["active_growth"] = {
        place: now[place] / count - 1 for place, count in before.items() if count >= LEAST and place in now
    }
    found = sides(con, on, where, by, TESTED, counts) if by else {}
    if by == "county" and _COVERAGE in found and columns[_COUNT]:
        # Where counties are known, those without anybody are rows as well: their coverage is 0.
        nobody = dict.fromkeys(found[_COVERAGE].index.difference([*columns[_COUNT]]), 0)
        for name in (_COUNT, _COVERAGE):
            columns[name] |= nobody
    marked = [
        {name: {*side.index[side == wanted(name)]} for name, side in found.items()}
        for wanted in (lambda name: named_side(catalogue()[name]), lambda name: "unclear")
    ]
    names = (_COUNT, "active_growth", *MEASURES)
    sizes = tuple(dict.fromkeys(size for name in MEASURES if (size := size_of(catalogue()[name])) not in names))
    columns |= {size: _by_place(answer, by, size) for answer in answers for size in sizes if size in answer.columns}
    rows: list[tuple[Any, ...]] = [
        (
            *([place] if by else []),
            *(columns.get(name, {}).get(place) for name in (*names, *sizes)),
            *("|".join(name for name, places in of_side.items() if place in places) for of_side in marked),
        )
        for place in columns[_COUNT]
    ]
    return compose(answers[0], axes, names, rows, also=[*answers[1:], *ends], more=(*sizes, "behind", "unclear"))


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


def _by_place(answer: Answer, by: str, name: str) -> dict[str, Any]:
    """The numbers of an answer by their known place; the whole is the place without a name."""
    return {row.get(by, ""): row[name] for row in answer.records() if row.get(by, "") is not None}
