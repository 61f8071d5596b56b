"""The path between several dated values of a target, and the gap of the active assistants to it.

A target applies from its day on; between two dated values the path is linear. With one value there is no path.
"""

from datetime import date
from itertools import pairwise
from typing import Any

from etl.analysis.projection import MONTHS_SHOWN_BEFORE
from etl.analysis.registry import analysis
from etl.core import jalali
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask
from etl.semantic.derived import Where, answered


@analysis(asks=("active_assistants", "target"))
def target_path(con: ScopedCursor, on: date | None = None, where: Where = None) -> Answer:
    """The path month by month: (month, active_assistants, planned, planned_gap).

    From 24 complete months before the day (or the first dated value) to the month of the last dated value. `planned` is the
    path at the end of a month, or on the day in the current month; `planned_gap` is active minus planned, None for months
    ahead. No rows unless the place has two dated values of its own: the nation's path is not divided among provinces.
    """
    like = ask(con, "active_assistants", on=on, where=where)
    day = like.on or like.publication.as_of
    provinces = tuple((where or {}).get("province", ()))
    dated: list[tuple[date, float]] = []
    if len(provinces) <= 1 and set(where or {}) <= {"province"}:
        dated = con.execute(
            "select date, value from targets where metric = 'active_assistants' and province is not distinct from $province "
            "order by date",
            {"province": provinces[0] if provinces else None},
        ).fetchall()
    names = ("active_assistants", "planned", "planned_gap")
    if len(dated) < 2:
        return answered(like, ("month",), names, [], on=day)
    before = jalali.last_complete_months(day, MONTHS_SHOWN_BEFORE)
    past = ask(con, "active_assistants", by=("month",), over=before, where=where)
    active = dict(zip(past.column("month"), past.column("active_assistants"), strict=True))
    current = jalali.unit_of(day, "month")
    active[current.label] = like.value()
    rows: list[tuple[Any, ...]] = []
    for unit in jalali.units_between(before[0], max(dated[-1][0], day), "month"):
        planned = _planned(dated, day if unit.label == current.label else unit.last)
        count = active.get(unit.label)
        if planned is not None:
            rows.append((unit.label, count, planned, None if count is None else count - planned))
    return answered(like, ("month",), names, rows, on=day, also=(past,), sources=frozenset({"targets"}))


def _planned(dated: list[tuple[date, float]], day: date) -> float | None:
    """The path on a day: linear between dated values, flat after the last; None before the first."""
    if day < dated[0][0]:
        return None
    for (first, low), (last, high) in pairwise(dated):
        if day < last:
            return low + (high - low) * (day - first).days / (last - first).days
    return dated[-1][1]
