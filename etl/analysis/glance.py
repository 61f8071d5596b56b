"""Places at a glance: the measures of the first screen for each province, or each county of one, in one table."""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from etl.analysis.different import sides
from etl.analysis.registry import analysis
from etl.core.errors import QuestionError
from etl.core.jalali import last_complete_months
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask
from etl.semantic.catalog import catalogue
from etl.semantic.derived import Where, answered
from etl.semantic.provisional import settled_on
from etl.semantic.ranking import LEAST, worse_side

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
    months = ask(con, "active_assistants", by=(*axes, "month"), over=last_complete_months(on, MONTHS), where=where)
    frame = _keyed(first, axes)[["active_assistants"]]
    behind = pd.Series("", index=frame.index)
    frame["active_growth"] = _growth(months, by).reindex(frame.index)
    for answer in answers:
        names = [metric.name for metric in answer.metrics]
        frame[names] = _keyed(answer, axes)[names].reindex(frame.index)
    if by != "county" and "target_progress" in frame:
        own = _keyed(ask(con, "own_target", by=axes, on=on), axes)["own_target"]
        frame["target_progress"] = frame["target_progress"].where(own.reindex(frame.index).notna())
    for name, side in (sides(con, on, where, by, TESTED) if by else {}).items():
        behind = behind.where(side.reindex(frame.index) != worse_side(catalogue()[name]), behind + "|" + name)
    columns = ("active_assistants", "active_growth", *MEASURES)
    frame = frame.reindex(columns=columns).assign(behind=behind.str.lstrip("|"))
    rows = frame.reset_index()[[*axes, *columns, "behind"]] if by else frame
    return answered(first, axes, columns, rows, also=[*answers[1:], months], more=("behind",))


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


def _keyed(answer: Answer, axes: Sequence[str]) -> pd.DataFrame:
    """The known places of an answer, by their code."""
    frame = answer.frame
    return frame[frame[axes[0]].notna()].set_index(axes[0]) if axes else frame


def _growth(months: Answer, by: str) -> pd.Series:
    """The growth from the first to the last month of each place; unknown where it had too few people to compare."""
    frame = months.frame.assign(place=months.frame[by] if by else 0)
    if frame.empty:
        return pd.Series(dtype=float)
    by_month = frame.pivot_table(index="place", columns="month", values="active_assistants", aggfunc="sum")
    if by_month.empty:
        return pd.Series(dtype=float)
    before, now = by_month.iloc[:, 0], by_month.iloc[:, -1]
    return (now / before - 1).where((before >= LEAST) & (by_month.shape[1] == MONTHS))
