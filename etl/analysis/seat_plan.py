"""The seats of the next 12 months, planned: who is trained in which month, and what no plan with these seats can pass.

Each course that a person lacks, or that lapses, is one seat with a deadline. People, posts and licences stay as on the day.
A month's seats go first to people who need the fewest courses to be in date, then to the earliest deadline; seats left over
train those who lack more, and then ahead of the deadline.
"""

from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from etl.analysis.analyses import analysis
from etl.analysis.planning import filters_of_results, last_year
from etl.analysis.seat_scheduling import Demand, Ints, Numbers, least_out_of_date, order_by, out_of_date, planned
from etl.core import jalali
from etl.core.errors import AccessDenied
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask, readable, rows_on
from etl.semantic.composed_answers import Where, compose

MONTHS = 12
ROOM = 20
# Province, course, seats a month.
Entered = tuple[tuple[str, str, float], ...]


@analysis(asks=("trainable_assistants", "course_results"))
def seat_plan(con: ScopedCursor, on: date, where: Where, entered: Entered = ()) -> Answer:
    """The seats to order: (province, course, month, seats_planned, seats_available) for the next 12 months.

    A seat here is one that leads to a pass: the courses passed in the last 12 complete months by province and course, a twelfth
    each month, or what the pass rate leaves of those `entered`: (province, course, seats a month), of the province "" shared by
    all that have none of their own.
    """
    asked = _asked(con, on, where, entered)
    trained = planned(asked.demand, asked.seats)
    used = np.zeros_like(asked.seats)
    np.add.at(used, (asked.demand.group[trained > 0], trained[trained > 0]), 1)
    counts = zip(used[:, 1:].ravel().tolist(), asked.seats[:, 1:].ravel().tolist(), strict=True)
    cells = product(asked.groups, asked.months[1:])
    rows = [(*group, month, *numbers) for (group, month), numbers in zip(cells, counts, strict=True)]
    by, names = ("province", "course", "month"), ("seats_planned", "seats_available")
    return compose(asked.like, by, names, rows, on=on, also=asked.also, query=asked.query)


@analysis(asks=("trainable_assistants", "course_results"), open_by=("",))
def seat_plan_months(con: ScopedCursor, on: date, where: Where, entered: Entered = ()) -> Answer:
    """What the plan reaches at the end of each month: (month, plan_in_date, plan_bound, plan_gap).

    No plan with these seats can pass the bound. The first row is the end of the current month, before the first seat.
    """
    asked = _asked(con, on, where, entered)
    out = out_of_date(asked.demand, planned(asked.demand, asked.seats), MONTHS).sum(axis=1)
    least = least_out_of_date(asked.demand, asked.seats).sum(axis=1)
    people = asked.people
    rows = pd.DataFrame(
        {
            "month": asked.months,
            "plan_in_date": (people - out) / people,
            "plan_bound": (people - least) / people,
            "plan_gap": (out - least) / people,
        }
    )
    return compose(asked.like, ("month",), [*rows][1:], rows, on=on, also=asked.also, query=asked.query)


@analysis(asks=("trainable_assistants", "course_results"))
def seat_plan_rooms(con: ScopedCursor, on: date, where: Where, entered: Entered = ()) -> Answer:
    """What one more room of 20 in the first month gains: (province, course, room_gain), most first; planned anew for each.

    The gain is in people in date, on average over the ends of the 12 months. A room that gains nothing has no row.
    """
    asked = _asked(con, on, where, entered)
    demand, rows = asked.demand, []
    plan = planned(demand, asked.seats)
    # Provinces do not share seats: a room of the same course in each of them is planned at once.
    for course in sorted({course for _, course in asked.groups}):
        more = asked.seats.copy()
        at = [number for number, (_, name) in enumerate(asked.groups) if name == course]
        more[at, 1] += ROOM
        planned_anew = planned(demand, more)
        # Only people whose months differ gain or lose.
        differs = np.zeros(len(demand.province_of_person), dtype=bool)
        differs[demand.person[plan != planned_anew]] = True
        tasks = demand.by_person[differs[demand.person[demand.by_person]]]
        before, after = (out_of_date(demand, trained, MONTHS, tasks)[1:] for trained in (plan, planned_anew))
        gained = (before - after).mean(axis=0)
        rows += [(asked.groups[number][0], course, gained[demand.province_of_group[number]]) for number in at]
    frame = pd.DataFrame(rows, columns=["province", "course", "room_gain"])
    frame = frame[frame["room_gain"] > 0].sort_values(
        ["room_gain", "province", "course"], ascending=[False, True, True]
    )
    return compose(asked.like, ("province", "course"), ("room_gain",), frame, on=on, also=asked.also, query=asked.query)


@analysis(asks=("trainable_assistants", "course_results"), open_by=("",))
def seat_plan_backtest(con: ScopedCursor, on: date, where: Where) -> Answer:
    """Had the plan run from 12 months ago with the seats that those people took: (month, plan_in_date, plan_bound, real_in_date).

    `real_in_date` is what the same people, frozen on that day, reached by the courses that they passed.
    """
    start = jalali.last_complete_months(on, MONTHS)[0] - jalali.DAY
    asked = _asked(con, start, where)
    demand = asked.demand
    seats, real = _passes(con, start, where, asked)
    plan, reached = (out_of_date(demand, trained, MONTHS).sum(axis=1) for trained in (planned(demand, seats), real))
    counts = {"plan_in_date": plan, "plan_bound": least_out_of_date(demand, seats).sum(axis=1), "real_in_date": reached}
    rows = pd.DataFrame(
        {"month": asked.months} | {name: (asked.people - count) / asked.people for name, count in counts.items()}
    )
    return compose(asked.like, ("month",), [*counts], rows, on=on, query=asked.query)


@dataclass(frozen=True)
class _Asked:
    """What a plan is made from: the demand of a place, its seats by group and month, and the names of both."""

    demand: Demand
    seats: Ints
    groups: list[tuple[str, str]]
    units: list[jalali.Unit]
    people: int
    like: Answer
    also: list[Answer]
    query: str
    ids: Ints

    @property
    def months(self) -> list[str]:
        """The labels of the months, the first of which is the current one."""
        return [unit.label for unit in self.units]


def _asked(con: ScopedCursor, on: date, where: Where, entered: Entered = ()) -> _Asked:
    """The tasks and seats on a day. Raises TooEarly where the register has no 12 complete months before it."""
    if not {province for province, *_ in entered if province} <= con.scope.codes:
        # What seats change in a province tells how many lack their course.
        raise AccessDenied
    within = filters_of_results(where)
    period = last_year(con, on)
    like = ask(con, "trainable_assistants", on=on, where=where)
    names = ("results_passed", "course_results")
    results = ask(con, *names, by=("province", "course"), over=period, where=within)
    units = [*jalali.units_between(on, jalali.add_months(on, MONTHS + 2), "month")][: MONTHS + 1]
    rows, parameters = rows_on(con, "course_compliance_intervals", on, where)
    # Only people with several spells have a course twice.
    sql = f"""
        with tasks as (
            select person_id, province, course, lapses_on, is_single_spell from ({rows}) as rows where lapses_on <= $horizon
        )
        select person_id, province, course, lapses_on from tasks where is_single_spell
        union all
        select person_id, min(province), course, min(lapses_on)
        from tasks
        where not is_single_spell
        group by person_id, course
    """
    parameters["horizon"] = units[-1].last
    tasks = con.execute(sql, parameters).df()
    known = results.frame.dropna()
    known = known[known["course"].isin(where["course"])] if "course" in where else known
    groups = sorted({*_pairs(tasks)[0], *zip(known["province"], known["course"], strict=True)})
    demand, ids = _demand(tasks, groups, units)
    yearly = np.zeros((2, len(groups)))
    number = {group: at for at, group in enumerate(groups)}
    for province, course, *counts in known[["province", "course", *names]].itertuples(index=False):
        yearly[:, number[province, course]] = counts
    passed = _with(entered, groups, *yearly)
    # Whole seats, a twelfth of the year's by the end of each month.
    seats = np.diff(np.floor(np.outer(passed / MONTHS, np.arange(MONTHS + 1)) + 1e-9), axis=1, prepend=0).astype(
        np.int64
    )
    people = max(like.value(), 1)
    return _Asked(demand, seats, groups, units, people, like, [results], readable(sql, parameters), ids)


def _demand(tasks: pd.DataFrame, groups: list[tuple[str, str]], units: list[jalali.Unit]) -> tuple[Demand, Ints]:
    """The demand of tasks, and the identity of each of its persons."""
    provinces = sorted({province for province, _ in groups})
    province_of_group = np.array([provinces.index(province) for province, _ in groups], dtype=np.int64)
    pairs, pair_of_task = _pairs(tasks)
    number_of = {group: at for at, group in enumerate(groups)}
    group = np.array([number_of[pair] for pair in pairs], dtype=np.int64)[pair_of_task]
    person, ids = pd.factorize(tasks["person_id"].to_numpy(np.int64), sort=True)
    province_of_person = np.zeros_like(ids)
    province_of_person[person] = province_of_group[group]
    # People of a province follow each other: what is counted of them lies together in memory.
    by_province = order_by(province_of_person)
    number = np.empty_like(by_province)
    number[by_province] = np.arange(len(ids))
    person, days = number[person], tasks["lapses_on"].to_numpy("datetime64[D]")
    order = order_by(group, days.astype(np.int64), person)
    demand = Demand(
        person[order], group[order], _month_of(days[order], units), province_of_person[by_province], province_of_group
    )
    return demand, ids[by_province]


def _with(entered: Entered, groups: list[tuple[str, str]], passed: Numbers, taken: Numbers) -> Numbers:
    """The passes a year of each group, those of the seats entered where there are some; shared ones go in proportion to today's.

    Seats lead to a pass as often as those that were taken.
    """
    chosen, own = passed.copy(), {(province, course) for province, course, _ in entered}
    for province, course, monthly in entered:
        at = [
            i
            for i, group in enumerate(groups)
            if group == (province, course) or (not province and group[1] == course and group not in own)
        ]
        share = passed[at] if passed[at].any() else np.ones(len(at))
        rate = passed[at].sum() / taken[at].sum() if passed[at].any() else 1.0
        chosen[at] = monthly * MONTHS * rate * share / max(share.sum(), 1e-9)
    return chosen


def _pairs(rows: pd.DataFrame) -> tuple[list[tuple[str, str]], Ints]:
    """The province and course of rows in which both are categories: the pairs that occur, and each row's position in them."""
    provinces, courses = rows["province"].cat, rows["course"].cat
    width = len(courses.categories)
    codes = provinces.codes.to_numpy(np.int64) * width + courses.codes.to_numpy(np.int64)
    at, pairs = pd.factorize(codes, sort=True)
    names = zip(provinces.categories.take(pairs // width), courses.categories.take(pairs % width), strict=True)
    return [*names], at


def _month_of(days: np.ndarray[Any, np.dtype[np.datetime64]], units: list[jalali.Unit]) -> Ints:
    """The number of the month of each day, 0 for all days up to the end of the first."""
    return np.searchsorted(np.array([unit.last for unit in units], dtype="datetime64[D]"), days)


def _passes(con: ScopedCursor, on: date, where: Where, asked: _Asked) -> tuple[Ints, Ints]:
    """The courses passed in the 12 months after a day by the people active on it, by group and month; and the month in which
    each task was first passed, 0 for never."""
    rows, parameters = rows_on(con, "course_compliance_intervals", on, where)
    sql = f"""
        with people as (
            select person_id, min(province) as province from ({rows}) as rows group by all
        )
        select person_id, people.province, course_code as course, completed_on
        from completions
        inner join people using (person_id)
        where completed_on > $on_day and completed_on <= $horizon
    """
    passes = con.execute(sql, parameters | {"horizon": asked.units[-1].last}).df()
    demand, numbers = asked.demand, {pair: at for at, pair in enumerate(asked.groups)}
    pairs, pair_of_pass = _pairs(passes)
    group = np.array([numbers.get(pair, -1) for pair in pairs], dtype=np.int64)[pair_of_pass]
    month = _month_of(passes["completed_on"].to_numpy("datetime64[D]"), asked.units)
    seats = np.zeros_like(asked.seats)
    is_known = group >= 0
    np.add.at(seats, (group[is_known], month[is_known]), 1)
    width, key = len(asked.groups), passes["person_id"].to_numpy(np.int64)
    first = pd.Series(month[is_known]).groupby(key[is_known] * width + group[is_known]).min()
    return seats, first.reindex(asked.ids[demand.person] * width + demand.group, fill_value=0).to_numpy()
