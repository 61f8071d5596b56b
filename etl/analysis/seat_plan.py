"""The seats of the next 12 months, planned: who is trained in which month, and what no plan with these seats can pass.

Each course that a person lacks, or that lapses, is one seat with a deadline. People, posts and licences stay as on the day.
A month's seats go first to people who need the fewest courses to be in date, then to the earliest deadline; seats left over
train those who lack more, and then ahead of the deadline.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from etl.analysis.planning import filters_of_results, last_year
from etl.analysis.registry import analysis
from etl.analysis.seat_scheduling import Demand, Ints, least_out_of_date, out_of_date, planned
from etl.core import jalali
from etl.core.errors import AccessDenied
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask, readable, rows_on
from etl.semantic.derived import Where, answered

MONTHS = 12
ROOM = 20
Numbers = np.ndarray[Any, np.dtype[np.float64]]
# Province, course, seats a month.
Entered = tuple[tuple[str, str, float], ...]


@analysis(asks=("trainable_assistants", "course_results"))
def seat_plan(con: ScopedCursor, on: date, where: Where, entered: Entered = ()) -> Answer:
    """The seats to order: (province, course, month, seats_planned, plan_seats) for the next 12 months.

    Seats there are the courses passed in the last 12 complete months by province and course, a twelfth each month, or those
    `entered`: (province, course, seats a month), of the province "" shared by all that have none of their own.
    """
    asked = _asked(con, on, where, entered)
    trained = planned(asked.demand, asked.seats)
    used = np.zeros_like(asked.seats)
    np.add.at(used, (asked.demand.group[trained > 0], trained[trained > 0]), 1)
    rows = pd.DataFrame(
        [(*group, month) for group in asked.groups for month in asked.months[1:]],
        columns=["province", "course", "month"],
    ).assign(seats_planned=used[:, 1:].ravel(), plan_seats=asked.seats[:, 1:].ravel())
    by, names = ("province", "course", "month"), ("seats_planned", "plan_seats")
    return answered(asked.like, by, names, rows, on=on, also=asked.also, query=asked.query)


@analysis(asks=("trainable_assistants", "course_results"), open_by_province=True)
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
    return answered(asked.like, ("month",), [*rows][1:], rows, on=on, also=asked.also, query=asked.query)


@analysis(asks=("trainable_assistants", "course_results"))
def seat_plan_rooms(con: ScopedCursor, on: date, where: Where, entered: Entered = ()) -> Answer:
    """What one more room of 20 in the first month gains: (province, course, room_gain), most first; planned anew for each.

    The gain is in people in date, on average over the ends of the 12 months. A room that gains nothing has no row.
    """
    asked = _asked(con, on, where, entered)
    before = out_of_date(asked.demand, planned(asked.demand, asked.seats), MONTHS)[1:]
    rows = []
    # Provinces do not share seats: a room of the same course in each of them is planned at once.
    for course in sorted({course for _, course in asked.groups}):
        more = asked.seats.copy()
        at = [number for number, (_, name) in enumerate(asked.groups) if name == course]
        more[at, 1] += ROOM
        gained = (before - out_of_date(asked.demand, planned(asked.demand, more), MONTHS)[1:]).mean(axis=0)
        rows += [(asked.groups[number][0], course, gained[asked.demand.province_of_group[number]]) for number in at]
    frame = pd.DataFrame(rows, columns=["province", "course", "room_gain"])
    frame = frame[frame["room_gain"] > 0].sort_values(
        ["room_gain", "province", "course"], ascending=[False, True, True]
    )
    return answered(
        asked.like, ("province", "course"), ("room_gain",), frame, on=on, also=asked.also, query=asked.query
    )


@analysis(asks=("trainable_assistants", "course_results"), open_by_province=True)
def seat_plan_backtest(con: ScopedCursor, on: date, where: Where) -> Answer:
    """Had the plan run from 12 months ago with the seats that those people took: (month, plan_in_date, plan_bound, real_in_date).

    `real_in_date` is what the same people, frozen on that day, reached by the courses that they passed.
    """
    start = jalali.last_complete_months(on, MONTHS)[0] - jalali.DAY
    asked = _asked(con, start, where)
    demand = asked.demand
    passes = _passes(con, start, where, asked)
    seats = np.zeros_like(asked.seats)
    np.add.at(seats, (passes["group"], passes["month"]), 1)
    first = passes.groupby(["person", "group"])["month"].min()
    real = first.reindex(pd.MultiIndex.from_arrays([demand.person, demand.group])).fillna(0).to_numpy(np.int64)
    plan, reached = (out_of_date(demand, trained, MONTHS).sum(axis=1) for trained in (planned(demand, seats), real))
    counts = {"plan_in_date": plan, "plan_bound": least_out_of_date(demand, seats).sum(axis=1), "real_in_date": reached}
    rows = pd.DataFrame(
        {"month": asked.months} | {name: (asked.people - count) / asked.people for name, count in counts.items()}
    )
    return answered(asked.like, ("month",), [*counts], rows, on=on, query=asked.query)


@dataclass(frozen=True)
class _Asked:
    """What a plan is made from: the demand of a place, its seats by group and month, and the names of both."""

    demand: Demand
    seats: Ints
    groups: list[tuple[str, str]]
    months: list[str]
    people: int
    like: Answer
    also: list[Answer]
    query: str
    ids: Ints


def _asked(con: ScopedCursor, on: date, where: Where, entered: Entered = ()) -> _Asked:
    """The tasks and seats on a day. Raises TooEarly where the register has no 12 complete months before it."""
    if not {province for province, *_ in entered if province} <= con.scope.codes:
        # What seats change in a province tells how many lack their course.
        raise AccessDenied
    within = filters_of_results(where)
    period = last_year(con, on)
    like = ask(con, "trainable_assistants", on=on, where=where)
    results = ask(con.of_everybody, "results_passed", by=("province", "course"), over=period, where=within)
    units = [*jalali.units_between(on, jalali.add_months(on, MONTHS + 2), "month")][: MONTHS + 1]
    rows, parameters = rows_on(con, "course_compliance_intervals", on, where)
    sql = f"""
        select person_id, min(province) as province, course, min(lapses_on) as lapses_on
        from ({rows}) as rows
        where lapses_on <= $horizon
        group by person_id, course
        order by lapses_on, person_id
    """
    parameters["horizon"] = units[-1].last
    tasks = con.numbers.execute(sql, parameters).df()
    known = results.frame.dropna()
    known = known[known["course"].isin(where["course"])] if "course" in where else known
    # Provinces and courses have few members: the name of a task's group is looked up once for each pair of codes.
    names = [tasks[column].cat.categories for column in ("province", "course")]
    codes = [tasks[column].cat.codes.to_numpy(np.int64) for column in ("province", "course")]
    pairs, pair_of_task = np.unique(codes[0] * len(names[1]) + codes[1], return_inverse=True)
    needed = [(names[0][pair // len(names[1])], names[1][pair % len(names[1])]) for pair in pairs.tolist()]
    groups = sorted({*needed, *zip(known["province"], known["course"], strict=True)})
    number = {group: at for at, group in enumerate(groups)}
    place = {province: at for at, province in enumerate(sorted({province for province, _ in groups}))}
    group = np.array([number[pair] for pair in needed], dtype=np.int64)[pair_of_task]
    order = np.argsort(group, kind="stable")
    ends = np.array([unit.last for unit in units], dtype="datetime64[s]")
    due = np.searchsorted(ends, tasks["lapses_on"].to_numpy("datetime64[s]"))
    ids, person = np.unique(tasks["person_id"].to_numpy(np.int64), return_inverse=True)
    province_of_group = np.array([place[province] for province, _ in groups], dtype=np.int64)
    province_of_person = np.zeros(len(ids), dtype=np.int64)
    province_of_person[person] = province_of_group[group]
    demand = Demand(person[order], group[order], due[order], province_of_person, province_of_group)
    yearly = np.zeros(len(groups))
    for province, course, count in known[["province", "course", "results_passed"]].itertuples(index=False):
        yearly[number[province, course]] = count
    yearly = _with(entered, groups, yearly)
    # Whole seats, a twelfth of the year's by the end of each month.
    seats = np.diff(np.floor(np.outer(yearly / MONTHS, np.arange(MONTHS + 1)) + 1e-9), axis=1, prepend=0).astype(
        np.int64
    )
    months = [unit.label for unit in units]
    people = max(like.value(), 1)
    return _Asked(demand, seats, groups, months, people, like, [results], readable(sql, parameters), ids)


def _with(entered: Entered, groups: list[tuple[str, str]], yearly: Numbers) -> Numbers:
    """The seats a year of each group, those entered where there are some; shared ones go in proportion to today's."""
    chosen, own = yearly.copy(), {(province, course) for province, course, _ in entered}
    for province, course, monthly in entered:
        at = [
            i
            for i, group in enumerate(groups)
            if group == (province, course) or (not province and group[1] == course and group not in own)
        ]
        share = yearly[at] if yearly[at].any() else np.ones(len(at))
        chosen[at] = monthly * MONTHS * share / max(share.sum(), 1e-9)
    return chosen


def _passes(con: ScopedCursor, on: date, where: Where, asked: _Asked) -> pd.DataFrame:
    """The courses passed in the 12 months after a day by the people active on it: person (-1 without a task), group, month."""
    rows, parameters = rows_on(con, "course_compliance_intervals", on, where)
    sql = f"""
        with people as (
            select person_id, min(province)::varchar as province from ({rows}) as rows group by all
        )
        select person_id, people.province, course_code::varchar as course, calendar.month
        from completions
        inner join people using (person_id)
        inner join calendar on calendar.day = completed_on
        where completed_on > $on_day
    """
    passes = con.numbers.execute(sql, parameters).df()
    numbers = pd.Series({month: at for at, month in enumerate(asked.months)})
    groups = pd.DataFrame(asked.groups, columns=["province", "course"]).reset_index(names="group")
    passes = passes.merge(groups, on=["province", "course"])
    passes["month"] = passes["month"].map(numbers)
    passes = passes.dropna(subset=["month"]).astype({"month": int})
    at = np.searchsorted(asked.ids, passes["person_id"])
    known = asked.ids[np.minimum(at, len(asked.ids) - 1)] == passes["person_id"]
    return passes.assign(person=np.where(known, at, -1))
