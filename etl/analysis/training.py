"""Training ahead: compliance if nobody trains and under a scenario, and the seats that a goal needs."""

from datetime import date, timedelta
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd

from etl.analysis import training_queue
from etl.analysis.planning import NOW, Scenario, filters_of_results, pace_now, seats_now
from etl.analysis.registry import analysis
from etl.analysis.seat_scheduling import Ints, Numbers, order_by
from etl.core import jalali
from etl.core.errors import AccessDenied, QuestionError
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask, readable, rows_on
from etl.semantic.derived import Where, answered
from etl.warehouse.run_models import sources_of_query

GOAL = 0.95
RUN_OFF_DAYS = 180
_SEAT_MONTHS = 6
_MONTHS_AHEAD = 12
# The parts of compliance.
_PARTS = ("compliant_assistants", "trainable_assistants")


@analysis(asks=("trainable_assistants",), open_by_province=True)
def run_off(con: ScopedCursor, on: date, where: Where) -> Answer:
    """Compliance on each of the next 180 days if nobody trains: (day, share, persons compliant, persons)."""
    answer = ask(con, "trainable_assistants", on=on, where=where)
    rows_of, parameters = _active(con, on, where)
    sql = f"""
        with persons as (
            select person_id, min(lapses_on) as lapses_on
            from ({rows_of}) as rows_of
            group by all
        )
        select greatest(lapses_on, $on_day) as lapses_on, count(*) as persons
        from persons
        group by all
        order by lapses_on
    """
    lapses = dict(con.numbers.execute(sql, parameters).fetchall())
    everyone = compliant = sum(lapses.values())
    rows = []
    for ahead in range(RUN_OFF_DAYS + 1):
        future_day = on + timedelta(days=ahead)
        compliant -= lapses.get(future_day, 0)
        rows.append((future_day, compliant / everyone if everyone else None, compliant, everyone))
    return answered(answer, ("day",), ("run_off",), rows, more=_PARTS, query=readable(sql, parameters))


@analysis(asks=("trainable_assistants",))
def seats(con: ScopedCursor, on: date, where: Where, goal: float = GOAL) -> Answer:
    """The fewest seats by course that bring each province to the goal: (course, seats, day by which the first is needed).

    Persons who lack the fewest courses are trained first.
    """
    if not 0 < goal <= 1:
        raise QuestionError("a goal lies above 0 and is 1 at most")
    base = ask(con, "trainable_assistants", on=on, where=where)
    lacking, parameters = rows_on(con, "course_compliance_intervals", on, where)
    active, more = _active(con, on, where)
    sql = f"""
        with lapsing as (
            select distinct province, person_id, course, lapses_on
            from ({lacking}) as lacking
            where lapses_on <= $horizon
        ),
        persons as (
            select province, person_id, count(*) as courses, min(lapses_on) as first_lapse
            from lapsing
            group by all
        ),
        needed as (
            select province, ceil($goal * count(distinct person_id) - 1e-9) as wanted,
                count(distinct person_id) as people
            from ({active}) as active
            group by all
        ),
        ranked as (
            select
                persons.*,
                row_number() over (partition by province order by courses, first_lapse, person_id) as place,
                count(*) over (partition by province) as lapsed,
            from persons
        ),
        chosen as (
            select province, person_id
            from ranked
            inner join needed using (province)
            where place <= wanted - (people - lapsed)
        ),
        dated as (
            select province, course, greatest(lapses_on, $on_day) as needed_by
            from lapsing
            semi join chosen using (province, person_id)
        )
        select course, count(*) as seats, min(needed_by) as first_needed_by
        from dated
        group by course
        order by course
    """
    parameters |= more | {"goal": goal, "horizon": jalali.add_months(on, _SEAT_MONTHS)}
    rows = con.numbers.execute(sql, parameters).fetchall()
    names = ("training_seats_needed", "training_seats_by")
    return answered(base, ("course",), names, rows, query=readable(sql, parameters))


@analysis(asks=("training_compliance", "course_results"))
def compliance(con: ScopedCursor, on: date, where: Where, scenario: Scenario = NOW) -> Answer:
    """Known and planned compliance: (month, compliance, plan, low, high, goal, persons compliant, persons).

    Persons in service, their posts and licences stay as on the day, except for leavers. A seat becomes a pass at the pass
    rate of the last 12 months. Recruits take as many seats as in those months; the other seats first keep compliant persons
    compliant, and then go to those who lack the fewest courses. High uses the pass rate of the best month; low that of the
    worst month, with seats going to those who have waited longest.
    """
    if not {province for province, _ in scenario.seats if province} <= con.scope.codes:
        # What seats change in a province tells how many lack their course.
        raise AccessDenied
    within = filters_of_results(where)
    answer = ask(con, "training_compliance", on=on, where=where)
    period = jalali.last_complete_months(on, 12)
    past = ask(con, "training_compliance", by=("month",), over=period, where=where)
    rates = _pass_rates(con, period, within)
    # The month of the day, and those after it.
    ends = list(islice(jalali.units_between(on, date.max, "month"), 1 + _MONTHS_AHEAD))
    pace = pace_now(con, on, within)
    recruits = pace.value("plan_recruits") if scenario.recruits is None else scenario.recruits
    rate = pace.value("plan_leaver_rate") if scenario.leaver_rate is None else scenario.leaver_rate
    seats = _supply(con, on, where, scenario)
    lapses, query = _lapses(con, on, where, [*seats], [on, *(unit.last for unit in ends[1:])])
    joined, more_query = _passed_by_joiners(con, within, [*seats], period)
    joiners = pace.value("plan_recruits") * 12
    by_recruits = recruits * (joined / joiners if joiners else np.zeros_like(joined))
    # Persons who leave before their turn are skipped: the same passes reach further into the queue.
    leaving = min(rate / 12, 0.99)
    further = np.cumsum([0.0, *((1 - leaving) ** -month for month in range(1, len(ends)))])
    lapsed = {
        name: training_queue.lapsed(
            lapses, np.outer(np.maximum(np.array([*seats.values()]) * passing - by_recruits, 0), further), name == "low"
        )
        for name, passing in zip(("low", "plan", "high"), rates, strict=True)
    }
    everyone = answer.value("trainable_assistants")
    rows: list[tuple[Any, ...]] = [
        (label, share, None, None, None, GOAL, compliant, people)
        for label, share, compliant, people in past.rows
        if label < ends[0].label
    ]
    for month, unit in enumerate(ends):
        compliant = {name: everyone - people[month] for name, people in lapsed.items()}
        # With few people, rounding to whole seats can make the low variant the better one: the range is min to max.
        low, high = min(compliant.values()), max(compliant.values())
        shares = [count / everyone if everyone else None for count in (compliant["plan"], low, high)]
        actual = answer.value() if month == 0 else None
        rows.append((unit.label, actual, *shares, GOAL, compliant["plan"], everyone))
    names = ("training_compliance", "plan_compliance", "plan_compliance_low", "plan_compliance_high", "plan_goal")
    query = f"{query};\n\n{more_query}"
    sources = sources_of_query(query)
    return answered(answer, ("month",), names, rows, also=(past, pace), more=_PARTS, query=query, sources=sources)


def _active(con: ScopedCursor, day: date, where: Where) -> tuple[str, dict[str, Any]]:
    """The rows of the persons in active service on a day, those of a course if `where` names one."""
    table = "course_compliance_intervals" if where and "course" in where else "compliance_intervals"
    return rows_on(con, table, day, where)


def _pass_rates(con: ScopedCursor, period: tuple[date, date], where: Where) -> tuple[float, float, float]:
    """The pass rate of the worst month, of the whole period and of the best month; 1 without results."""
    whole = ask(con, "pass_rate", over=period, where=where).value()
    by_month = ask(con, "pass_rate", by=("month",), over=period, where=where)
    months = list(filter(None, by_month.column("pass_rate")))
    if whole is None or not months:
        return (1.0, 1.0, 1.0)
    return (min(months), whole, max(months))


def _supply(con: ScopedCursor, day: date, where: Where, scenario: Scenario) -> dict[tuple[str, str], float]:
    """Seats per month by province and course: a province with its own seats, all others share those of the province ""."""
    by_province = {key: seats for key, seats in scenario.seats.items() if key[0]}
    shared: dict[str, float] = {}
    for province, course, seats in seats_now(con.of_everybody, day, where).rows:
        if (province, course) not in by_province:
            shared[course] = shared.get(course, 0.0) + seats
    shared |= {course: seats for (province, course), seats in scenario.seats.items() if not province}
    return by_province | {("", course): seats for course, seats in shared.items()}


def _queue_of(queues: list[tuple[str, str]], rows: pd.DataFrame) -> Ints:
    """The number of the queue of each row: that of its course in its province, or else the shared one; -1 for none."""
    number = {queue: at for at, queue in enumerate(queues)}
    places, courses = rows["province"].cat, rows["course"].cat
    # The code of a missing province is -1: the last row.
    numbers = [
        [number.get((place, course), number.get(("", course), -1)) for course in courses.categories]
        for place in (*places.categories, "")
    ]
    queue: Ints = np.array(numbers, dtype=np.int64)[places.codes, courses.codes]
    return queue


def _lapses(
    con: ScopedCursor, on: date, where: Where, queues: list[tuple[str, str]], ends: list[date]
) -> tuple[training_queue.Lapses, str]:
    """The courses that lapse by the last of `ends`, and their query."""
    required, parameters = rows_on(con, "course_compliance_intervals", on, where)
    sql = f"""
        -- A short course lapses again within the year.
        with repeats as (
            select course_code as course, again * coalesce(valid_months, 0) as months
            from courses
            cross join range(0, 13) as times (again)
            where again = 0 or again * valid_months < 13
        )
        select province, course, person_id, cast(lapses_on + to_months(months) as date) - $on_day::date as days_ahead
        from ({required}) as required
        inner join repeats using (course)
        where lapses_on <= $horizon and lapses_on + to_months(months) <= $horizon::date
    """
    parameters |= {"horizon": ends[-1]}
    frame = con.numbers.execute(sql, parameters).df()
    course, person = (column.to_numpy(np.int64) for column in (frame["course"].cat.codes, frame["person_id"]))
    keys = (person, course, frame["days_ahead"].to_numpy(), _queue_of(queues, frame))
    order = order_by(*keys)
    # People with several spells have a course several times.
    order = order[np.logical_or.reduce([np.diff(key[order], prepend=-1) != 0 for key in keys])]
    person, course, day, queue = (key[order] for key in keys)
    lacking = np.bincount(person[day <= 0], minlength=person.max(initial=0) + 1)[person]
    due = np.searchsorted([(end - on).days for end in ends], day)
    return training_queue.Lapses(queue, person, course, day, due, lacking), readable(sql, parameters)


def _passed_by_joiners(
    con: ScopedCursor, within: Where, queues: list[tuple[str, str]], period: tuple[date, date]
) -> tuple[Numbers, str]:
    """By queue, the courses that the joiners of a period passed in it; and the query."""
    provinces = {f"place_{number}": code for number, code in enumerate(within.get("province", ()))}
    passed_here = f"completions.province in ({', '.join('$' + name for name in provinces)})" if provinces else "true"
    sql = f"""
        select completions.province, completions.course_code as course, count(*) as passed
        from completions
        semi join joiners
            on joiners.person_id = completions.person_id
            and joiners.day between $first_day and $last_day
            and joiners.day <= completions.completed_on
        where completions.completed_on between $first_day and $last_day and {passed_here}
        group by all
    """
    parameters = provinces | {"first_day": period[0], "last_day": period[1]}
    frame = con.numbers.execute(sql, parameters).df()
    # Those without seats, -1, come first.
    passed = np.bincount(_queue_of(queues, frame) + 1, frame["passed"], 1 + len(queues))[1:]
    return passed.astype(np.float64), readable(sql, parameters)
