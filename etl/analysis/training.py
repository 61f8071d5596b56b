"""Training ahead: compliance if nobody trains and under a scenario, and the seats that a goal needs.

Lapses wait in queues, one for a course and the provinces that share its seats. Seats go first to people in date who are about to
lapse, then to those who lack the fewest courses.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd

from etl.analysis.analyses import analysis
from etl.analysis.planning import NOW, Scenario, check_goal, filters_of_results, last_year, pace_now, seats_now
from etl.analysis.seat_plan import seat_plan_months
from etl.analysis.seat_scheduling import Ints, Numbers, order_by, out_by_month
from etl.core import jalali
from etl.core.errors import AccessDenied, TooEarly
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask, filter_conditions, readable, rows_on
from etl.semantic.catalog import tables
from etl.semantic.composed_answers import Where, compose
from etl.warehouse.run_models import sources_of_query

GOAL = 0.95
# A scenario that misses what happened in the last 12 months by more is not drawn.
MOST_MISSED = 0.02
# Half a percentage point, which a chart shows.
_VISIBLE = 0.005
RUN_OFF_DAYS = 180
_SEAT_MONTHS = 6
_MONTHS_AHEAD = 12
# The parts of compliance.
_PARTS = ("compliant_assistants", "trainable_assistants")


@dataclass(frozen=True)
class _Lapses:
    """Courses that lapse, sorted by person, course and day.

    `queue` (-1 for one without seats) and `due`, the month by whose end that is, from 0; `lacking`: how many courses the person
    lacks at the beginning.
    """

    queue: Ints
    person: Ints
    course: Ints
    day: Ints
    due: Ints
    lacking: Ints

    @cached_property
    def starts(self) -> Ints:
        """Where each lapse of a person begins, which several queues may have."""
        is_other = [np.diff(column, prepend=-1) != 0 for column in (self.person, self.course, self.day)]
        return np.flatnonzero(np.logical_or.reduce(is_other))


@analysis(asks=("trainable_assistants",), open_by=("",))
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
    lapses = dict(con.execute(sql, parameters).fetchall())
    everyone = compliant = sum(lapses.values())
    rows = []
    for ahead in range(RUN_OFF_DAYS + 1):
        future_day = on + timedelta(days=ahead)
        compliant -= lapses.get(future_day, 0)
        rows.append((future_day, compliant / everyone if everyone else None, compliant, everyone))
    return compose(answer, ("day",), ("run_off",), rows, more=_PARTS, query=readable(sql, parameters))


@analysis(asks=("trainable_assistants",))
def seats(con: ScopedCursor, on: date, where: Where, goal: float = GOAL) -> Answer:
    """The fewest seats by course that bring each province to the goal: (course, seats, day by which the first is needed).

    Persons who lack the fewest courses are trained first.
    """
    check_goal(goal)
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
        served as (
            select province, count(distinct person_id) as people
            from ({active}) as active
            group by all
        ),
        chosen as (
            select province, person_id
            from persons
            inner join served using (province)
            qualify row_number() over (partition by province order by courses, first_lapse, person_id)
                <= ceil($goal * people - 1e-9) - people + count(*) over (partition by province)
        )
        select course, count(*) as seats, greatest(min(lapses_on), $on_day) as first_needed_by
        from lapsing
        semi join chosen using (province, person_id)
        group by course
        order by course
    """
    parameters |= more | {"goal": goal, "horizon": jalali.add_months(on, _SEAT_MONTHS)}
    rows = con.execute(sql, parameters).fetchall()
    names = ("training_seats_needed", "training_seats_by")
    return compose(base, ("course",), names, rows, query=readable(sql, parameters))


@dataclass(frozen=True)
class _LastYear:
    """What became of seats and people in the last 12 complete months.

    By queue: the courses `passed` in all, those of them that people active before `needed`, and the courses of such people that
    lapsed by the end (`due`). By queue and month: those that recruits passed (`joined`).
    `in_date` by month of the first lapse (0: before) and month: of the people active before and still at its end, the share in
    date. `stayed` by month of joining, the latest first: the recruits in active service at the end, and those of them in date.
    """

    passed: Numbers
    needed: Numbers
    due: Numbers
    joined: Numbers
    in_date: Numbers
    stayed: Numbers
    query: str

    @property
    def share_needed(self) -> Numbers:
        """By queue, the part of the passes of others than recruits that people active before needed; all without a pass."""
        others = self.passed - self.joined.sum(axis=1)
        return np.divide(self.needed, others, out=np.ones_like(others), where=others > 0)


@analysis(asks=("training_compliance", "course_results"))
def compliance(con: ScopedCursor, on: date, where: Where, scenario: Scenario = NOW) -> Answer:
    """Known and planned compliance: (month, compliance, plan, low, high, goal, persons compliant, persons).

    Posts and licences stay as on the day. A twelfth of the leaver rate leaves each month, in date or not; recruits come,
    stay, and take seats as those of the last 12 months did. A seat becomes a pass at the pass rate of these months. Of those
    whose training lapses, as many are in date some months later as in these months, in proportion to the seats for each lapse.
    High: the pass rate of the best month, and seats first keep people in date, then go to those who lack the fewest courses.
    Low: the pass rate of the worst month, and seats go as in the plan or to those who have waited longest, whichever leaves
    more people out of date.
    """
    _check_seats(con, scenario)
    return _known_and_planned(con, on, where, _path(con, on, where, scenario, _supply(con, on, where, scenario)))


def _check_seats(con: ScopedCursor, scenario: Scenario) -> None:
    """Raise AccessDenied for seats of another province: what they change there tells how many lack their course."""
    if not {province for province, _ in scenario.seats if province} <= con.scope.codes:
        raise AccessDenied


def _known_and_planned(con: ScopedCursor, on: date, where: Where, path: "_Path") -> Answer:
    now = path.like[0]
    past = ask(con, "training_compliance", by=("month",), over=jalali.last_complete_months(on, 12), where=where)
    rows: list[tuple[Any, ...]] = [
        (label, share, None, None, None, GOAL, in_date, people)
        for label, share, in_date, people in past.rows
        if label < path.months[0]
    ]
    for number, (month, people, (low, plan, high)) in enumerate(
        zip(path.months, path.people, path.in_date, strict=True)
    ):
        # With few people, rounding to whole seats can make the low variant the better one: the range is min to max.
        counts = (plan, min(low, plan, high), max(low, plan, high))
        shares = [count / people if people else None for count in counts]
        rows.append((month, None if number else now.value(), *shares, GOAL, plan, people))
    names = ("training_compliance", "plan_compliance", "plan_compliance_low", "plan_compliance_high", "plan_goal")
    sources = sources_of_query(path.query)
    also = (past, *path.like[1:])
    return compose(now, ("month",), names, rows, also=also, more=_PARTS, query=path.query, sources=sources)


@analysis(asks=("training_compliance", "course_results"))
def compliance_backtest(con: ScopedCursor, on: date, where: Where) -> Answer:
    """The plan of `compliance` from 12 months ago, with the seats and recruits that came since, beside what happened:
    (month, plan_compliance, compliance, plan_miss).

    Only what was known on that day decides the rest. Raises TooEarly where the register has fewer than 24 complete months.
    """
    period = last_year(con, on)
    start = period[0] - jalali.DAY
    last_year(con, start)
    recruits = pace_now(con, on, filters_of_results(where)).value("plan_recruits")
    path = _path(con, start, where, Scenario(recruits), _supply(con, on, where, NOW))
    real = ask(con, "training_compliance", by=("month",), over=period, where=where)
    happened = dict(zip(real.column("month"), real.column("training_compliance"), strict=True))
    rows = []
    for month, people, (_, plan, _) in zip(path.months[1:], path.people[1:], path.in_date[1:], strict=True):
        planned, share = plan / people if people else None, happened.get(month)
        miss = None if planned is None or share is None else planned - share
        rows.append((month, planned, share, miss))
    names = ("plan_compliance", "training_compliance", "plan_miss")
    also = (*path.like, real)
    return compose(real, ("month",), names, rows, also=also, query=path.query, sources=sources_of_query(path.query))


@analysis(asks=("training_compliance", "trainable_assistants", "course_results"))
def futures(con: ScopedCursor, on: date, where: Where, scenario: Scenario = NOW) -> Answer:
    """Three futures of compliance from one day: (month, compliance, run_off, plan, low, high, plan_in_date, goal, plan_miss,
    lapses_ahead, lapses_before, joiner_courses, passes_ahead).

    If nobody trains, for six months; if seats are used as now (`compliance`); under the seat plan. `plan_miss` is the largest
    miss of `compliance_backtest`: beyond two points, or where 24 months are not there to try it on, `plan`, `low` and `high` are
    empty. Its sign is that of the plan minus what happened. Then: person-courses that lapse in the 12 months after the day, and
    that did in those after the same day a year before, if nobody had trained; the courses that the recruits of a year pass, and
    all that the seats of a year do. A plan that falls though these are enough, or rises though they are not, is empty too.
    """
    _check_seats(con, scenario)
    path = _path(con, on, where, scenario, _supply(con, on, where, scenario))
    given = _known_and_planned(con, on, where, path)
    certain = run_off(con, on, where)
    miss, in_date = None, dict[str, float]()
    also = [certain]
    with suppress(TooEarly):
        plan = seat_plan_months(con, on, where, entered=tuple((*at, n) for at, n in sorted(scenario.seats.items())))
        in_date = dict(zip(plan.column("month"), plan.column("plan_in_date"), strict=True))
        also.append(plan)
        tried = compliance_backtest(con, on, where)
        misses = [value for value in tried.column("plan_miss") if value is not None]
        miss = max(misses, key=abs, default=None)
        also.append(tried)
    lapses = [_lapsing(con, day, where) for day in (on, jalali.year_before(on))]
    left_over = path.passed - path.joined - lapses[0]
    is_drawn = miss is not None and abs(miss) <= MOST_MISSED and not is_contradicted(path.change, left_over)
    shares = {day: share for day, share, *_ in certain.rows}
    ends = {unit.label: unit.last for unit in _months_from(on)}
    names = ("plan_compliance", "plan_compliance_low", "plan_compliance_high")
    rows: list[tuple[Any, ...]] = []
    for row in given.records():
        month, now = row["month"], row["training_compliance"]
        planned = [row[name] if is_drawn else None for name in names]
        lines = [shares.get(ends[month]), *planned, in_date.get(month)] if month in ends else [None] * 5
        if month in ends and now is not None:
            # All lines begin today.
            lines = [now if drawn else None for drawn in (True, is_drawn, is_drawn, is_drawn, in_date)]
        parts = [row[name] if is_drawn or now is not None else None for name in _PARTS]
        rows.append((month, now, *lines, GOAL, miss, *lapses, path.joined, path.passed, *parts))
    others = (
        "plan_in_date",
        "plan_goal",
        "plan_miss",
        "lapses_ahead",
        "lapses_before",
        "joiner_courses",
        "passes_ahead",
    )
    shown = ("training_compliance", "run_off", *names, *others)
    return compose(given, ("month",), shown, rows, also=also, more=_PARTS)


def is_contradicted(change: float, left_over: float) -> bool:
    """Whether a share that changes by so much goes against the seats, of which so many are left over (or lacking, below 0)."""
    return change < -_VISIBLE if left_over >= 0 else change > _VISIBLE


@dataclass(frozen=True)
class _Path:
    """A scenario from a day on: the months, the people, and those in date in the worst case, as last year and in the best.

    `joined`: the courses that the recruits of a year pass; `passed`: all that are passed in it.
    """

    months: list[str]
    people: list[int]
    in_date: list[tuple[int, int, int]]
    joined: float
    passed: float
    like: tuple[Answer, Answer]
    query: str

    @property
    def change(self) -> float:
        """The change of the share in date from the day to the end, as last year."""
        first, last = (
            in_date[1] / people if people else 0.0
            for people, in_date in ((self.people[at], self.in_date[at]) for at in (0, -1))
        )
        return last - first


def _path(con: ScopedCursor, on: date, where: Where, scenario: Scenario, seats: dict[tuple[str, str], float]) -> _Path:
    """The scenario with `seats` a month by queue, on the day and at the ends of the months ahead."""
    within, period = filters_of_results(where), jalali.last_complete_months(on, 12)
    now, pace = ask(con, "training_compliance", on=on, where=where), pace_now(con, on, within)
    joiners = pace.value("plan_recruits")
    recruits = joiners if scenario.recruits is None else scenario.recruits
    rate = pace.value("plan_leaver_rate") if scenario.leaver_rate is None else scenario.leaver_rate
    units = _months_from(on)
    lapses, query = _lapses(con, on, where, [*seats], [on, *(unit.last for unit in units[1:])])
    before = _last_year(con, where, [*seats], period)
    # More recruits than those of the 12 months take more seats, and more of them stay.
    more = recruits / joiners if joiners else 0.0
    # The days left of the current month are a part of one: they have lapses, and seats as well.
    left = (units[0].last - on).days / ((units[0].last - units[0].first).days + 1)
    times = np.array([0.0, *(left + month for month in range(1, len(units)))])
    leaving = min(rate / 12, 0.99)
    # A seat of a course becomes a pass as often as last year.
    held = seats_now(con, on, where).frame
    for name in ("province", "course"):
        held[name] = held[name].astype("category")
    taken = _counts(_queue_of([*seats], held) + 1, len(seats) + 1, held["plan_seats"])[1:]
    least, whole, most = _pass_rates(con, period, within)
    passing = np.divide(before.passed / 12, taken, out=np.full_like(taken, whole), where=taken > 0)
    worst, usual, best = (
        _passes(before, np.array([*seats.values()]) * passing * rate / whole, more, leaving, times)
        for rate in (least, whole, most)
    )
    year = _passes(before, before.passed / 12, 1.0, leaving, np.arange(len(times), dtype=float))
    # The seats for each lapse of the year, in proportion to those of last year.
    due = _counts(lapses.queue + 1, len(seats) + 1)[1:]
    worst_as_before, plan = (
        _out_as_before(lapses, _ratio(_ratio(passed[:, -1], due), _ratio(year[:, -1], before.due)), before.in_date)
        for passed in (worst, usual)
    )
    waiting = _out(lapses, _in_turn(lapses, worst * before.share_needed[:, None], is_waiting=True), len(times))
    high = _out(lapses, _in_turn(lapses, best, is_waiting=False), len(times))
    out = np.stack([np.maximum(waiting, worst_as_before), plan, high], axis=1)
    everyone, staying = now.value("trainable_assistants"), (1 - leaving) ** times
    new, new_in_date = _summed(before.stayed * more, times)
    people = np.round(everyone * staying + new).astype(int).tolist()
    in_date = np.round((everyone - out) * staying[:, None] + new_in_date[:, None]).astype(int).tolist()
    query = f"{query};\n\n{before.query}"
    joined, passed = before.joined.sum() * more, 12 * float(np.array([*seats.values()]) @ passing) if seats else 0.0
    return _Path([unit.label for unit in units], people, [*map(tuple, in_date)], joined, passed, (now, pace), query)


def _months_from(on: date) -> list[jalali.Unit]:
    """The month of the day, and those ahead."""
    return list(islice(jalali.units_between(on, date.max, "month"), 1 + _MONTHS_AHEAD))


def _lapsing(con: ScopedCursor, on: date, where: Where) -> int:
    """The person-courses that lapse in the 12 months after a day if nobody trains."""
    rows, parameters = rows_on(con, "course_compliance_intervals", on, where)
    sql = f"select count(distinct (person_id, course)) from ({rows}) as rows where lapses_on > $on_day and lapses_on <= $horizon"
    parameters["horizon"] = jalali.add_months(on, _MONTHS_AHEAD)
    ((lapses,),) = con.execute(sql, parameters).fetchall()
    return int(lapses)


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
    for province, course, seats in seats_now(con, day, where).rows:
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
) -> tuple[_Lapses, str]:
    """The courses that lapse by the last of `ends`, and their query."""
    required, parameters = rows_on(con, "course_compliance_intervals", on, where)
    sql = f"""
        -- A short course lapses again within the year.
        with repeats as (
            select course_code as course, again, again * coalesce(valid_months, 0) as months
            from courses
            cross join range(0, 13) as times (again)
            where again = 0 or again * valid_months < 13
        )
        select province, course, person_id, cast(
            case again when 0 then lapses_on else greatest(lapses_on, $on_day) + to_months(months) end as date
        ) - $on_day::date as days_ahead
        from ({required}) as required
        inner join repeats using (course)
        where lapses_on <= $horizon and (again = 0 or greatest(lapses_on, $on_day) + to_months(months) <= $horizon::date)
    """
    parameters |= {"horizon": ends[-1]}
    frame = con.execute(sql, parameters).df()
    course, person = (column.to_numpy(np.int64) for column in (frame["course"].cat.codes, frame["person_id"]))
    keys = (person, course, frame["days_ahead"].to_numpy(), _queue_of(queues, frame))
    order = order_by(*keys)
    # People with several spells have a course several times.
    order = order[np.logical_or.reduce([np.diff(key[order], prepend=-1) != 0 for key in keys])]
    person, course, day, queue = (key[order] for key in keys)
    lacking = np.bincount(person[day <= 0], minlength=person.max(initial=0) + 1)[person]
    due = np.searchsorted([(end - on).days for end in ends], day)
    return _Lapses(queue, person, course, day, due, lacking), readable(sql, parameters)


def _last_year(con: ScopedCursor, where: Where, queues: list[tuple[str, str]], period: tuple[date, date]) -> _LastYear:
    """Who took the seats of 12 complete months, and what became of those who joined in them."""
    within, start = filters_of_results(where), period[0] - jalali.DAY
    places = {f"place_{number}": code for number, code in enumerate(within.get("province", ()))}
    named = ", ".join("$" + name for name in places)
    required, parameters = rows_on(con, "course_compliance_intervals", start, within)
    passes_sql = f"""
        with required as (
            select distinct person_id, course from ({required}) as required where lapses_on <= $last_day
        ),
        -- Some join twice in a year.
        first_joined as (
            select person_id, min(day) as day
            from joiners
            where day >= $first_day
            group by person_id
        ),
        passes as (
            select
                completions.province,
                completions.course_code as course,
                completions.completed_on,
                first_joined.person_id is not null as is_joiner,
                not is_joiner and required.person_id is not null as is_needed,
            from completions
            left join first_joined
                on first_joined.person_id = completions.person_id and first_joined.day <= completions.completed_on
            left join required
                on required.person_id = completions.person_id and required.course = completions.course_code
            where
                completions.completed_on between $first_day and $last_day
                and {f"completions.province in ({named})" if named else "true"}
        )
        select
            province,
            course,
            case when is_joiner then completed_on end as joined_by,
            count(*) as passed,
            count(*) filter (is_needed) as needed,
        from passes
        group by all
    """
    due_sql = f"""
        select province, course, count(distinct person_id) as persons
        from ({required}) as required
        where lapses_on <= $last_day
        group by all
    """
    before, of_before = _active(con, start, where)
    table = "course_compliance_intervals" if "course" in where else "compliance_intervals"
    conditions, _ = filter_conditions(where, tables()[table].columns)
    kept_sql = f"""
        with before as (
            select person_id, greatest(min(lapses_on), $on_day) as first_lapse
            from ({before}) as before
            where lapses_on <= $last_day
            group by person_id
        ),
        after as (
            select person_id, ends.day, min(lapses_on) > ends.day as is_in_date
            from {table}
            inner join unnest($ends) as ends (day) on valid_from <= ends.day and valid_until > ends.day
            where {" and ".join(conditions) or "true"}
            group by person_id, ends.day
        )
        select first_lapse, day, count(*) as persons, count(*) filter (is_in_date) as in_date
        from before
        inner join after using (person_id)
        group by all
    """
    active, of_active = _active(con, period[1], where)
    stayed_sql = f"""
        with active as (
            select person_id, min(lapses_on) as lapses_on from ({active}) as active group by all
        ),
        newest as (
            select person_id, max(day) as day
            from joiners
            where day between $first_day and $last_day and {f"province in ({named})" if named else "true"}
            group by all
        )
        select newest.day, count(*) as stayed, count(*) filter (lapses_on > $on_day) as in_date
        from newest
        inner join active using (person_id)
        group by all
    """
    ends = [start, *(unit.last for unit in jalali.units_between(*period, "month"))]
    first, last = {"first_day": period[0]}, {"last_day": period[1]}
    asked = [
        (passes_sql, parameters | places | first | last),
        (due_sql, parameters | last),
        (kept_sql, of_before | last | {"ends": ends}),
        (stayed_sql, of_active | places | first | last),
    ]
    # Who joined elsewhere in the year is a recruit too.
    reader = con.of_people(within)
    passes, due, kept, stayed = (reader.execute(*query).df() for query in asked)
    months, shape = len(ends), 1 + len(queues)
    # Those without seats, -1, come first.
    queue = _queue_of(queues, passes) + 1
    passed, needed = (_counts(queue, shape, passes[name])[1:] for name in ("passed", "needed"))
    is_joiner = passes["joined_by"].notna().to_numpy()
    month = _month_by(passes["joined_by"][is_joiner], ends) - 1
    at = queue[is_joiner] * (months - 1) + month
    joined = _counts(at, shape * (months - 1), passes["passed"][is_joiner]).reshape(shape, -1)[1:]
    lapsed = _counts(_queue_of(queues, due) + 1, shape, due["persons"])[1:]
    at = _month_by(kept["first_lapse"], ends) * months + _month_by(kept["day"], ends)
    persons, in_date = (
        _counts(at, months * months, kept[name]).reshape(months, months) for name in ("persons", "in_date")
    )
    month = _month_by(stayed["day"], ends) - 1
    stays = np.stack([_counts(month, months - 1, stayed[name])[::-1] for name in ("stayed", "in_date")])
    query = ";\n\n".join(readable(*query) for query in asked)
    return _LastYear(passed, needed, lapsed, joined, _ratio(in_date, persons), stays, query)


def _counts(at: Ints, length: int, many: "pd.Series | None" = None) -> Numbers:
    """How many there are at each position, or the sum of `many`."""
    return np.bincount(at, many, length).astype(np.float64)


def _ratio(part: Numbers, whole: Numbers) -> Numbers:
    """`part` / `whole`, 0 where there is no whole."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _month_by(days: pd.Series, ends: list[date]) -> Ints:
    """The number of the first of `ends` by which each day is."""
    return np.searchsorted(np.array(ends, dtype="datetime64[D]"), days.to_numpy("datetime64[D]"))


def _passes(before: _LastYear, supply: Numbers, more: float, leaving: float, times: Numbers) -> Numbers:
    """The passes by queue, summed up at `times`, that recruits leave to others; each reaches somebody who stays.

    `supply` a month by queue, `more`: the recruits in proportion to those of last year.
    """
    left = np.maximum(supply[:, None] - before.joined * more, 0)
    # Persons who leave before their turn are skipped: the same passes reach further into the queue.
    return _summed(left * (1 - leaving) ** -np.arange(1, left.shape[1] + 1), times)


def _summed(monthly: Numbers, times: Numbers) -> Numbers:
    """Numbers by month, summed up to each of the `times` in months; a month after the last is as that one."""
    longer = np.concatenate([monthly, monthly[:, -1:]], axis=1)
    sums = np.concatenate([np.zeros((len(longer), 1)), longer.cumsum(axis=1)], axis=1)
    at = np.arange(sums.shape[1])
    return np.stack([np.interp(times, at, row) for row in sums]) if len(sums) else np.zeros((0, len(times)))


def _out_as_before(lapses: _Lapses, ratio: Numbers, in_date: Numbers) -> Numbers:
    """The persons out of date at the end of each month, if `in_date` are not so of those with a first lapse in each month.

    `ratio` by queue: the seats for each lapse, in proportion to those of last year; a person's is that of the course with the
    fewest.
    """
    months = len(in_date)
    if not len(lapses.queue):
        return np.zeros(months)
    first = np.flatnonzero(np.diff(lapses.person, prepend=-1))
    due = np.minimum.reduceat(lapses.due, first)
    # The last one is the queue of those without seats, -1.
    fewest = np.minimum.reduceat(np.append(ratio, 0.0)[lapses.queue], first)
    is_in_date = np.minimum(in_date[due] * fewest[:, None], 1)
    is_due = due[:, None] <= np.arange(months)
    out: Numbers = ((1 - is_in_date) * is_due).sum(axis=0)
    return out


def _in_turn(lapses: _Lapses, passed: Numbers, is_waiting: bool) -> Ints:
    """The month in which each lapse is trained, with passes `passed` by queue and month, summed up from the first.

    `is_waiting`: seats go to those who have waited longest, whatever else they lack.
    """
    months = passed.shape[1]
    # The first row is the queue of those without seats, -1.
    passed, queue = np.concatenate([np.zeros((1, months)), passed]), lapses.queue + 1
    is_first = (lapses.lacking == 0) & (not is_waiting)
    is_there = is_first & (queue > 0)
    needed = np.bincount(queue[is_there] * months + lapses.due[is_there], minlength=passed.size)
    needed = needed.reshape(passed.shape)
    # No seat waits for a lapse to come: the others have it.
    passed_first = passed + np.minimum(np.minimum.accumulate(needed.cumsum(axis=1) - passed, axis=1), 0)
    reached = np.stack([passed - passed_first, passed_first], axis=1).reshape(-1, months)
    # A line is a queue's first or its others.
    return _trained(2 * queue + is_first, reached, lapses.lacking * (not is_waiting), lapses.day, lapses.person)


def _trained(line: Ints, reached: Numbers, *in_turn: Ints) -> Ints:
    """The month in which each lapse is trained, the number of months for never.

    `reached` by line and month: how many of its lapses are trained by the month's end, in the order of the keys `in_turn`.
    """
    # Whole places: fractions differ in their last digit from month to month.
    whole = np.floor(reached + 1e-6)
    length = np.bincount(line, minlength=len(whole))[:, None]
    whole = np.minimum(np.maximum.accumulate(whole, axis=1), length).astype(np.int64)
    # Those trained in one month follow each other in their line.
    order = order_by(line, *in_turn)
    trained = np.empty_like(order)
    many = np.diff(whole, prepend=0, append=length)
    trained[order] = np.repeat(np.tile(np.arange(whole.shape[1] + 1), len(whole)), many.ravel())
    return trained


def _out(lapses: _Lapses, trained: Ints, months: int) -> Ints:
    """The persons out of date at the end of each month."""
    if not len(lapses.queue):
        return np.zeros(months, dtype=np.int64)
    # A person who serves in two provinces is trained in one of them.
    trained = np.minimum.reduceat(trained, lapses.starts)
    due, person = (column[lapses.starts] for column in (lapses.due, lapses.person))
    first = np.flatnonzero(np.diff(person, prepend=-1))
    return out_by_month(due, trained, first, np.zeros_like(first), 1, months)[:, 0]
