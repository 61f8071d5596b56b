"""Scenarios: their inputs as they are now, and the number of active assistants under a scenario.

An empty scenario continues the last 12 complete months.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from etl.analysis.analyses import analysis
from etl.analysis.projection import (
    REACHED,
    end_of_next_year,
    history_of,
    months_shown,
    path_of,
    reached,
    target_of,
    whole_above,
    with_months_reached,
)
from etl.core import jalali
from etl.core.errors import QuestionError, TooEarly
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask
from etl.semantic.composed_answers import Where, compose
from etl.semantic.resolve import settled_on


@dataclass(frozen=True)
class Scenario:
    """Recruits per month, leavers per year as a share of those in service, and seats per month by (province, course).

    None continues the last 12 complete months. Seats of the province "" are shared by all provinces without their own
    seats. Raises QuestionError for a negative number.
    """

    recruits: float | None = None
    leaver_rate: float | None = None
    seats: Mapping[tuple[str, str], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        numbers = [*self.seats.values(), *filter(None, (self.recruits, self.leaver_rate))]
        if any(not math.isfinite(number) or number < 0 for number in numbers):
            raise QuestionError("a scenario takes no negative numbers")

    def __hash__(self) -> int:
        return hash((self.recruits, self.leaver_rate, frozenset(self.seats.items())))


NOW = Scenario()
# The recruits that hold a goal exactly have as many decimals as this number has zeros.
_EXACT = 10_000


@analysis(asks=("leaver_rate_12m", "joiners"), open_by=("",))
def pace_now(con: ScopedCursor, on: date, where: Where) -> Answer:
    """Recruits per month in the last 12 complete months, and leavers per year as a share of those in service. One row.

    The rate is the settled one that cards and rankings show; that of the day where no month is settled yet.
    """
    rate = ask(con, "leaver_rate_12m", on=settled_on(con, "leaver_rate_12m", on) or on, where=where)
    joiners = ask(con, "joiners", over=jalali.last_complete_months(on, 12), where=where)
    row = (joiners.value() / 12, rate.value() or 0.0)
    return compose(rate, (), ("plan_recruits", "plan_leaver_rate"), [row], on=on, also=(joiners,))


@analysis(asks=("trainable_assistants", "course_results"))
def seats_now(con: ScopedCursor, on: date, where: Where) -> Answer:
    """Training seats per month by province and course: the course results of the last 12 complete months, divided by 12."""
    period, within = jalali.last_complete_months(on, 12), filters_of_results(where)
    results = ask(con, "course_results", by=("province", "course"), over=period, where=within)
    seats = results.frame.assign(plan_seats=results.frame["course_results"] / 12)
    return compose(results, ("province", "course"), ("plan_seats",), seats)


@analysis(asks=("in_service", "active_assistants", "net_change", "joiners", "leaver_rate_12m"), open_by=("",))
def headcount(con: ScopedCursor, on: date, where: Where, scenario: Scenario = NOW, goal: float | None = None) -> Answer:
    """Known and planned active assistants: (month, active, plan, low, high), the target where there is one, and REACHED.

    The plan begins in the last known month. The target is `goal`, by default that of the place.

    The plan is the projection plus the deviation of the scenario from the last 12 months: more recruits each month, less
    additional leavers, who are a twelfth of the yearly rate of the plan's own headcount. The range is as wide, relative to
    the plan, as that of the projection; it is None with fewer than 24 past runs.
    """
    like = ask(con, "active_assistants", on=on, where=where)
    target = target_of(con, on, where) if goal is None else goal
    pace = pace_now(con, on, where)
    more_recruits = 0.0 if scenario.recruits is None else scenario.recruits - pace.value("plan_recruits")
    rate_now = pace.value("plan_leaver_rate")
    rate = rate_now if scenario.leaver_rate is None else scenario.leaver_rate
    history = history_of(con, on, where)
    active = float(like.value())
    points = path_of(history, on, active)
    stocks = _stocks(points, active, more_recruits, rate, rate_now)
    projected = points["projected"].where(points["projected"] > 1e-6)
    for side in ("low", "high"):
        points[side] = (points[side] * stocks / projected).fillna(pd.Series(stocks)).where(points[side].notna())
    # Without a target a plan extends as far as it has a range.
    limit = math.inf if target is None else target
    plan = points.assign(projected=stocks)
    shown = with_months_reached(months_shown(history, on, active, plan, limit), plan, target)
    columns = {"active": "active_assistants", "projected": "plan_active", "low": "plan_low", "high": "plan_high"}
    names = (*columns.values(), *(["target"] if target is not None else []))
    shown = shown.rename(columns=columns)
    return compose(like, ("month",), names, shown, also=(pace, *history.answers), more=REACHED)


@analysis(asks=("in_service", "active_assistants", "net_change", "joiners", "leaver_rate_12m"), open_by=("",))
def recruits_needed(
    con: ScopedCursor, on: date, where: Where, until: date | None = None, goal: float | None = None
) -> Answer:
    """The recruits per month, rounded up, with which the plan of `headcount` holds the goal on the day `until`. One row.

    (recruits_needed, then exact_recruits, reached, plan_recruits, goal, until and `sufficiency`). `until` is by default the end
    of the next Jalali year, `goal` the target of the place; leavers leave as in the last 12 months. 0 if the plan reaches the
    goal without recruits. None without a goal, with less than a year of history, and for a day that is not within the 60 months
    ahead.

    With `exact_recruits`, of four decimals, the plan is at the goal on that day: whole ones bring a small province there months
    before. `reached` is the first month in which it is, None for a goal that is passed; an earlier one than that of `until` where
    the plan falls in between.
    """
    like = ask(con, "active_assistants", on=on, where=where)
    until = until or end_of_next_year(on)
    goal = target_of(con, on, where) if goal is None else goal
    pace = pace_now(con, on, where)
    recruits, rate = pace.value("plan_recruits"), pace.value("plan_leaver_rate")
    history = history_of(con, on, where)
    active = float(like.value())
    points = path_of(history, on, active)
    needed = exact = first = sufficiency = None
    if goal is not None and on < until and (points["last"] >= until).any():
        # Within a month the projection runs straight.
        days = [on.toordinal(), *(last.toordinal() for last in points["last"])]
        # What one more recruit each month adds by that day: some of them have left again.
        with_one_more = _stocks(points, active, 1.0, rate, rate)
        projected, raised = (
            np.interp(until.toordinal(), days, [active, *stocks]) for stocks in (points["projected"], with_one_more)
        )
        least = max(0.0, recruits + (goal - projected) / (raised - projected))
        needed, exact = whole_above(least), whole_above(least * _EXACT) / _EXACT
        path = points.assign(projected=_stocks(points, active, exact - recruits, rate, rate))
        first = None if active >= goal else reached(path, goal)[1]
        low = np.interp(until.toordinal(), days, [active, *points["low"]])
        sufficiency = _sufficiency(needed, recruits, goal, projected, low)
    row = (needed, exact, first, recruits, goal, until, sufficiency)
    more = ("exact_recruits", "reached", "plan_recruits", "goal", "until", "sufficiency")
    return compose(like, (), ("recruits_needed",), [row], more=more, also=(pace, *history.answers))


def _sufficiency(needed: int, recruits: float, goal: float, projected: float, low: float) -> str:
    """What the recruits of now are for a goal on a day: `enough` where the low edge of the projection's range is at it,
    `borderline` where only the projection is, or where needed and present recruits are the same whole number; else `not_enough`.
    """
    if low >= goal:
        return "enough"
    return "borderline" if projected >= goal or needed <= math.floor(recruits + 0.5) else "not_enough"


def _stocks(points: pd.DataFrame, active: float, more_recruits: float, rate: float, rate_now: float) -> list[float]:
    """The active assistants under a scenario at each point of the projection.

    The projection already loses `rate_now` of its headcount a year, the scenario loses `rate` of its own.
    """
    stock = previous = active
    passed = 0.0
    stocks = []
    for distance, projected in zip(points["distance"], points["projected"], strict=True):
        months, passed = distance - passed, distance
        more_leavers = (rate * stock - rate_now * previous) / 12
        stock = max(0.0, stock + projected - previous + (more_recruits - more_leavers) * months)
        previous = projected
        stocks.append(stock)
    return stocks


def last_year(con: ScopedCursor, on: date) -> tuple[date, date]:
    """The last 12 complete months. Raises TooEarly where the register does not go back so far."""
    period = jalali.last_complete_months(on, 12)
    if con.begins_on is None or con.begins_on > period[0]:
        raise TooEarly("it is computed from the last 12 complete months, and the register has fewer")
    return period


def filters_of_results(where: Where) -> dict[str, Sequence[str]]:
    """The filters that apply to seats. Raises QuestionError for others."""
    for name in where:
        if name not in ("province", "course"):
            raise QuestionError(f"training seats have no meaning by {name}")
    return {name: values for name, values in where.items() if name != "course"}


def check_goal(goal: float) -> None:
    """Raise QuestionError for a share that cannot be a goal."""
    if not 0 < goal <= 1:
        raise QuestionError("a goal lies above 0 and is 1 at most")
