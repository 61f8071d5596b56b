"""Growth: the steps from those in service before a period to those at its end, and the path to the target.

A target applies from its day on; between two dated values the path is linear. With one value there is no path.
"""

from datetime import date
from typing import Any

import numpy as np

from etl.analysis.analyses import analysis
from etl.analysis.projection import MONTHS_SHOWN_BEFORE
from etl.core import jalali
from etl.core.errors import QuestionError
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask
from etl.semantic.composed_answers import Where, compose


@analysis(
    asks=("in_service", "active_assistants", "joiners", "leavers", "transfers_in", "transfers_out", "returned"),
    over_period=True,
    open_by=("",),
)
def bridge(con: ScopedCursor, on: date, where: Where, over: tuple[date, date] | None = None) -> Answer:
    """The steps from those in service the day before a period to those on its last day; they add up exactly.

    Rows: (step, persons), losses negative. `over` defaults to the last 12 complete Jalali months. Raises
    QuestionError unless the filters leave the nation, one province or one institute.
    """
    if not adds_up(where):
        raise QuestionError("the bridge adds up for the nation, one province or one institute")
    first, last = over or jalali.last_complete_months(on, 12)
    before = ask(con, "in_service", on=first - jalali.DAY, where=where)
    names = ("joiners", "leavers", "transfers_in", "transfers_out", "returned", "gone")
    flows = ask(con, *names, over=(first, last), where=where)
    after = ask(con, "in_service", "active_assistants", on=last, where=where)
    in_service, active = after.value("in_service"), after.value("active_assistants")
    losses = ("leavers", "transfers_out", "gone")
    steps = {name: -flows.value(name) if name in losses else flows.value(name) for name in names}
    shown = {name: persons for name, persons in steps.items() if persons or name in ("joiners", "leavers")}
    rows: list[tuple[Any, ...]] = [("start", before.value()), *shown.items(), ("end", in_service)]
    rows += [("licences_lapsed", active - in_service), ("active", active)]
    return compose(flows, ("step",), ("bridge",), rows, over=(first, last), also=(before, after))


def adds_up(where: Where) -> bool:
    """Whether a bridge of this scope adds up: moves between several places are no transfers into or out of them."""
    return len(where) <= 1 and all(name in ("province", "institute") and len(where[name]) == 1 for name in where)


@analysis(asks=("active_assistants", "target"), open_by=("",))
def target_path(con: ScopedCursor, on: date, where: Where) -> Answer:
    """The path month by month: (month, active_assistants, planned, planned_gap).

    From 24 complete months before the day (or the first dated value) to the month of the last dated value. `planned` is the
    path at the end of a month, or on the day in the current month; `planned_gap` is active minus planned, None for months
    ahead. No rows unless the place has two dated values of its own: the nation's path is not divided among provinces.
    """
    like = ask(con, "active_assistants", on=on, where=where)
    provinces = tuple(where.get("province", ()))
    dated: list[tuple[date, float]] = []
    if len(provinces) <= 1 and where.keys() <= {"province"}:
        dated = con.execute(
            "select date, value from targets where metric = 'active_assistants' and province is not distinct from $province "
            "order by date",
            {"province": provinces[0] if provinces else None},
        ).fetchall()
    names = ("active_assistants", "planned", "planned_gap")
    if len(dated) < 2:
        return compose(like, ("month",), names, [])
    before = jalali.last_complete_months(on, MONTHS_SHOWN_BEFORE)
    past = ask(con, "active_assistants", by=("month",), over=before, where=where)
    current = jalali.unit_of(on, "month")
    active = dict(past.rows) | {current.label: like.value()}
    days, values = ([day.toordinal() for day, _ in dated], [value for _, value in dated])
    rows: list[tuple[Any, ...]] = []
    for unit in jalali.units_between(before[0], max(dated[-1][0], on), "month"):
        day = on if unit.label == current.label else unit.last
        if day >= dated[0][0]:
            # Linear between dated values, flat after the last one.
            planned = float(np.interp(day.toordinal(), days, values))
            count = active.get(unit.label)
            rows.append((unit.label, count, planned, None if count is None else count - planned))
    return compose(like, ("month",), names, rows, also=(past,), sources=frozenset({"targets"}))
