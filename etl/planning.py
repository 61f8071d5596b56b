"""What if: the path of the stock and of compliance under a scenario, and how far the projection was right in the past.

Each function takes a connection, a day and filters, and returns an Answer like `ask` does; its words stand in
etl/metrics.toml under [derived.X]. A scenario that says nothing goes on as in the last 12 complete months.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import duckdb

from etl import days
from etl.catalogue import QuestionError, catalogue, derived
from etl.metrics import Answer, ask, readable, rows_on

Where = Mapping[str, Sequence[str]] | None

DAYS_A_MONTH = 30.436875
GOAL = 0.95
HORIZONS = (1, 3, 6, 12)
# Drawn beside what happened: what was said half a year before.
_SHOWN_HORIZON = 6
_MOST_ORIGINS = 120
_KNOWN_MONTHS = 24
_MOST_MONTHS_AHEAD = 60
_COMPLIANCE_MONTHS = 12
# The range of a path holds so many of the misses that the projection made in the past.
_HELD = 0.8
_FEWEST_TRIALS = 12


@dataclass(frozen=True)
class Scenario:
    """What is asked for: recruits a month, leavers a year over the stock, seats a month by (province, course).

    None is as in the last 12 complete months. Seats of a province "" are shared by all that have none of their own.
    """

    recruits: float | None = None
    leaver_rate: float | None = None
    seats: Mapping[tuple[str, str], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        numbers = [*self.seats.values(), *(one for one in (self.recruits, self.leaver_rate) if one is not None)]
        if any(not math.isfinite(one) or one < 0 for one in numbers):
            raise QuestionError("a scenario takes no negative numbers")


NOW = Scenario()


# ---------------------------------------------------------------- as it is now


def pace_now(con: duckdb.DuckDBPyConnection, on: date | None = None, where: Where = None) -> Answer:
    """Recruits a month and leavers a year over the stock, of the last 12 complete months. One row."""
    rate = ask(con, "leaver_rate_12m", on=on, where=where)
    day = rate.on or rate.publication.as_of
    joiners = ask(con, "joiners", over=days.last_complete_months(day, 12), where=where)
    row = (joiners.value() / 12, rate.value() or 0.0)
    return _answer(rate, (), ("plan_recruits", "plan_leaver_rate"), [row], also=(joiners,))


def seats_now(con: duckdb.DuckDBPyConnection, on: date | None = None, where: Where = None) -> Answer:
    """Training seats a month by province and course: the results handed in for the last 12 complete months, over 12."""
    base = ask(con, "trainable_assistants", on=on, where=where)
    day = base.on or base.publication.as_of
    period = days.last_complete_months(day, 12)
    found = ask(con, "course_results", by=("province", "course"), over=period, where=_trained(where))
    rows = [(province, course, count / 12) for province, course, count in found.rows]
    return _answer(found, ("province", "course"), ("plan_seats",), rows)


# ---------------------------------------------------------------- the stock


def headcount(
    con: duckdb.DuckDBPyConnection, on: date | None = None, where: Where = None, scenario: Scenario = NOW
) -> Answer:
    """The stock known and planned: (month, active, plan, low, high, target). The plan begins where the known ends.

    Each month the recruits come and a twelfth of the leaver rate of the stock goes. The range is as wide as 80 % of the
    projection's past misses at the same distance; without two years of history there is none.
    """
    known = ask(con, "active_assistants", on=on, where=where)
    day = known.on or known.publication.as_of
    target = _target(con, day, where)
    pace = pace_now(con, day, where)
    recruits = pace.value("plan_recruits") if scenario.recruits is None else scenario.recruits
    rate = pace.value("plan_leaver_rate") if scenario.leaver_rate is None else scenario.leaver_rate
    history = _history(con, day, where)
    misses = _misses(history)
    now = days.unit_of(day, "month")
    active = float(known.value())
    rows: list[tuple[Any, ...]] = [
        (one.label, one.active, None, None, None, target)
        for one in history.months[-_KNOWN_MONTHS:]
        if one.label < now.label
    ]
    rows.append((now.label, active, active, active, active, target))
    stock, last, unit = active, day, now
    for ahead in range(1, _MOST_MONTHS_AHEAD + 1):
        unit = days.unit_of(unit.last + days.DAY, "month")
        months = (unit.last - last).days / DAYS_A_MONTH
        stock = max(0.0, stock + (recruits - stock * rate / 12) * months)
        last = unit.last
        wide = stock * _miss(misses, ahead)
        rows.append((unit.label, None, stock, max(0.0, stock - wide), stock + wide, target))
        if target is not None and stock - wide >= target and ahead >= 12:
            break
    names = ("plan_active", "plan_low", "plan_high", "target")
    return _answer(known, ("month",), ("active_assistants", *names), rows, also=(pace, *history.answers))


def _target(con: duckdb.DuckDBPyConnection, day: date, where: Where) -> float | None:
    """The target of the place; none where the filters leave it no meaning."""
    if set(where or {}) - catalogue()["target"].dimensions:
        return None
    return ask(con, "target", on=day, where=where).value()


# ---------------------------------------------------------------- the past as a test


@dataclass(frozen=True)
class _Month:
    label: str
    last: date
    active: int
    net: int


@dataclass(frozen=True)
class _History:
    months: list[_Month]
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class _Trial:
    """What was projected at the end of one month for the end of a later one, and what came."""

    ahead: int
    month: str
    low: float
    high: float
    actual: int

    @property
    def is_inside(self) -> bool:
        return self.low <= self.actual <= self.high

    @property
    def miss(self) -> float:
        """The distance of what came from the middle of the range, over that middle."""
        middle = (self.low + self.high) / 2
        return abs(self.actual - middle) / max(middle, 1.0)


def backtest(con: duckdb.DuckDBPyConnection, on: date | None = None, where: Where = None) -> Answer:
    """How often the ranges held what came, 1, 3, 6 and 12 months later, over the past ten years.

    Rows: (ahead, share inside the projection's range, share inside the plan's, mean miss, and the counts both shares
    are made of). Every month's end with a year of history before it is one trial; the plan's range is made at each of
    what had been missed until then. Both see the rows loaded today, as every past day does.
    """
    history = _history(con, on, where)
    rows: list[tuple[Any, ...]] = []
    for ahead in HORIZONS:
        trials = _trials(history, ahead)
        inside = sum(trial.is_inside for trial in trials)
        miss = sum(trial.miss for trial in trials) / len(trials) if trials else None
        planned = _planned(trials)
        held = sum(planned)
        shares = (inside / len(trials) if trials else None, held / len(planned) if planned else None)
        rows.append((ahead, *shares, miss, inside, len(trials), held, len(planned)))
    names = ("backtest_inside", "backtest_plan_inside", "backtest_miss")
    counts = ("backtest_months_inside", "backtest_months", "backtest_plan_months_inside", "backtest_plan_months")
    return _answer(history.answers[0], ("ahead",), (*names, *counts), rows, also=history.answers)


def backtest_months(con: duckdb.DuckDBPyConnection, on: date | None = None, where: Where = None) -> Answer:
    """What came beside what was projected for it six months before: (month, active, low, high)."""
    history = _history(con, on, where)
    rows = [(trial.month, trial.actual, trial.low, trial.high) for trial in _trials(history, _SHOWN_HORIZON)]
    names = ("active_assistants", "projected_low", "projected_high")
    return _answer(history.answers[0], ("month",), names, rows, also=history.answers)


def _history(con: duckdb.DuckDBPyConnection, on: date | None, where: Where) -> _History:
    """The complete months up to the day: stock at the end of each, and net change in it."""
    now = ask(con, "in_service", on=on, where=where)
    day = now.on or now.publication.as_of
    over = days.last_complete_months(day, _MOST_ORIGINS + 12)
    stocks = ask(con, "active_assistants", by=("month",), over=over, where=where)
    nets = ask(con, "net_change", by=("month",), over=over, where=where)
    net = dict(nets.rows)
    units = {unit.label: unit for unit in days.units_between(*over, "month")}
    months = [_Month(label, units[label].last, active, net[label]) for label, active in stocks.rows]
    return _History(months, (_dated(stocks, day), nets))


def _trials(history: _History, ahead: int) -> list[_Trial]:
    """Every month's end projected as `analysis.projection` does: at the pace of 6 and of 12 complete months."""
    months = history.months
    found = []
    for now in range(12, len(months) - ahead):
        if not months[now - 12].active:
            continue
        start, end = months[now], months[now + ahead]
        paces = [sum(one.net for one in months[now - count + 1 : now + 1]) / count for count in (6, 12)]
        away = (end.last - start.last).days / DAYS_A_MONTH
        low, high = (max(0.0, start.active + pace * away) for pace in sorted(paces))
        found.append(_Trial(ahead, end.label, low, high, end.active))
    return found


def _planned(trials: Sequence[_Trial]) -> list[bool]:
    """Whether each trial lay inside the plan's range as it would have been drawn then; the first ones have none."""
    found = []
    for place, trial in enumerate(trials):
        known = trials[: max(0, place - trial.ahead + 1)]
        if len(known) >= _FEWEST_TRIALS:
            found.append(trial.miss <= _held(known))
    return found


def _held(trials: Sequence[_Trial]) -> float:
    """The miss that 80 % of the trials did not exceed."""
    misses = sorted(trial.miss for trial in trials)
    return misses[math.ceil(_HELD * len(misses)) - 1]


def _misses(history: _History) -> list[float]:
    """The miss that 80 % of the trials did not exceed, 0 to 12 months ahead; it never shrinks with distance."""
    found = [0.0]
    for ahead in range(1, 13):
        trials = _trials(history, ahead)
        if len(trials) < _FEWEST_TRIALS:
            break
        found.append(max(found[-1], _held(trials)))
    return found


def _miss(misses: Sequence[float], ahead: int) -> float:
    """Beyond what could be tried the range goes on growing in proportion."""
    tried = len(misses) - 1
    if not tried:
        return 0.0
    return misses[ahead] if ahead <= tried else misses[tried] * ahead / tried


# ---------------------------------------------------------------- compliance


def compliance(
    con: duckdb.DuckDBPyConnection, on: date | None = None, where: Where = None, scenario: Scenario = NOW
) -> Answer:
    """Compliance known and planned: (month, compliance, plan, low, high, goal, persons compliant, persons).

    Those in service, their posts and licences are frozen as on the day but for who leaves. A seat becomes a pass at the
    pass rate of the last 12 months. Recruits take as many as they took in those; the rest keeps compliant who is, and
    then brings back who lacks the fewest courses. High is the same at the pass rate of the best of the months; low is
    that of the worst, with seats going to who has waited longest.
    """
    trained = _trained(where)
    answer = ask(con, "training_compliance", on=on, where=where)
    day = answer.on or answer.publication.as_of
    period = days.last_complete_months(day, 12)
    past = ask(con, "training_compliance", by=("month",), over=period, where=where)
    rates = _pass_rates(con, period, trained)
    ends = _month_ends(day, _COMPLIANCE_MONTHS)
    supply = _supply(con, day, where, scenario)
    lacking, parameters = rows_on(con, "course_readiness", day, where)
    pace = pace_now(con, day, trained)
    recruits = pace.value("plan_recruits") if scenario.recruits is None else scenario.recruits
    rate = pace.value("plan_leaver_rate") if scenario.leaver_rate is None else scenario.leaver_rate
    provinces = {f"place_{number}": code for number, code in enumerate(trained.get("province", ()))}
    here = f"completions.province in ({', '.join('$' + name for name in provinces)})" if provinces else "true"
    sql = _LAPSED.format(lacking=lacking, passed_here=here)
    parameters |= provinces | {
        "horizon": ends[-1].last,
        "own_provinces": [province for (province, _), _ in supply if province],
        "own_courses": [course for (province, course), _ in supply if province],
        "pools": [province for (province, _), _ in supply],
        "courses": [course for (_, course), _ in supply],
        "seats": [seats for _, seats in supply],
        "variants": ["low", "plan", "high"],
        "rates": list(rates),
        "waiting": [True, False, False],
        "recruits": recruits,
        "joiners": pace.value("plan_recruits") * 12,
        "leaving": min(rate / 12, 0.99),
        "first_day": period[0],
        "last_day": period[1],
        "months": list(range(len(ends))),
        "ends": [day, *(unit.last for unit in ends[1:])],
    }
    lapsed = {(variant, month): count for variant, month, count in con.execute(sql, parameters).fetchall()}
    everyone = answer.value("trainable_assistants")
    rows: list[tuple[Any, ...]] = [
        (label, share, None, None, None, GOAL, held, people)
        for label, share, held, people in past.rows
        if label < ends[0].label
    ]
    for month, unit in enumerate(ends):
        held = {name: everyone - lapsed.get((name, month), 0) for name in ("low", "plan", "high")}
        # of few people, whole seats may serve who waits longest better: the range is what it says
        low, high = min(held.values()), max(held.values())
        shares = [count / everyone if everyone else None for count in (held["plan"], low, high)]
        known = answer.value() if month == 0 else None
        rows.append((unit.label, known, *shares, GOAL, held["plan"], everyone))
    names = ("training_compliance", "plan_compliance", "plan_compliance_low", "plan_compliance_high", "plan_goal")
    more = ("compliant_assistants", "trainable_assistants")
    return _answer(answer, ("month",), names, rows, also=(past,), more=more, query=readable(sql, _written(parameters)))


def _trained(where: Where) -> dict[str, Sequence[str]]:
    """The filters that results of courses know. Raises QuestionError for others: seats are not kept by them."""
    for name in where or {}:
        if name not in ("province", "course"):
            raise QuestionError(f"training seats have no meaning by {name}")
    return {name: values for name, values in (where or {}).items() if name != "course"}


def _pass_rates(con: duckdb.DuckDBPyConnection, period: tuple[date, date], where: Where) -> tuple[float, float, float]:
    """The pass rate of the worst month, of the whole period and of the best month; 1 where nothing was handed in."""
    whole = ask(con, "pass_rate", over=period, where=where).value()
    months = [
        rate for rate in ask(con, "pass_rate", by=("month",), over=period, where=where).column("pass_rate") if rate
    ]
    if whole is None or not months:
        return (1.0, 1.0, 1.0)
    return (min(months), whole, max(months))


def _supply(
    con: duckdb.DuckDBPyConnection, day: date, where: Where, scenario: Scenario
) -> list[tuple[tuple[str, str], float]]:
    """Seats a month by pool and course: a province with seats of its own is a pool, all others share one ("")."""
    own = {key: seats for key, seats in scenario.seats.items() if key[0]}
    shared: dict[str, float] = {}
    for province, course, seats in seats_now(con, day, where).rows:
        if (province, course) not in own:
            shared[course] = shared.get(course, 0.0) + seats
    shared |= {course: seats for (province, course), seats in scenario.seats.items() if not province}
    return [*sorted(own.items()), *((("", course), seats) for course, seats in sorted(shared.items()))]


def _month_ends(day: date, count: int) -> list[days.Unit]:
    """The month that holds the day, and the `count` after it."""
    found = [days.unit_of(day, "month")]
    for _ in range(count):
        found.append(days.unit_of(found[-1].last + days.DAY, "month"))
    return found


# Each lapse waits in a line of its pool and course; its place in it says in which month its seat comes.
_LAPSED = """
    with own as (
        select unnest($own_provinces::varchar[]) as province, unnest($own_courses::varchar[]) as course
    ),
    required as (
        select distinct coalesce(own.province, '') as pool, course, person_id, lapses_on
        from ({lacking}) as lacking
        left join own using (province, course)
    ),
    supply as (
        select
            unnest($pools::varchar[]) as pool,
            unnest($courses::varchar[]) as course,
            unnest($seats::double[]) as seats
    ),
    ends as (
        select unnest($months::integer[]) as month, unnest($ends::date[]) as day
    ),
    variants as (
        select
            unnest($variants::varchar[]) as variant,
            unnest($rates::double[]) as pass_rate,
            unnest($waiting::boolean[]) as is_waiting
    ),
    recruited as (
        -- what the joiners of the last 12 months passed in them, a joiner
        select coalesce(own.province, '') as pool, completions.course_code as course, count(*) as passed
        from completions
        left join own on own.province = completions.province and own.course = completions.course_code
        semi join joiners
            on joiners.person_id = completions.person_id
            and joiners.day between $first_day::date and $last_day::date
            and joiners.day <= completions.completed_on
        where completions.completed_on between $first_day::date and $last_day::date and {passed_here}
        group by all
    ),
    passes as (
        select
            pool,
            course,
            variant,
            is_waiting,
            seats * pass_rate - $recruits::double * coalesce(passed / nullif($joiners::double, 0), 0) as passes,
        from supply
        cross join variants
        left join recruited using (pool, course)
    ),
    lapses as (
        -- a short course lapses again within the year
        select
            pool,
            course,
            person_id,
            cast(lapses_on + to_months(again * coalesce(valid_months, 0)) as date) as lapses_on,
        from required
        inner join courses on courses.course_code = required.course
        cross join range(0, 13) as repeats (again)
        where
            required.lapses_on <= $horizon::date
            and (again = 0 or again * valid_months < 13)
            and required.lapses_on + to_months(again * coalesce(valid_months, 0)) <= $horizon::date
    ),
    -- who is compliant now is kept so first; then comes back who lacks the fewest courses
    counted as (
        select *, count(*) filter (where lapses_on <= $on_day::date) over (partition by person_id) as lacking
        from lapses
    ),
    orders (is_waiting) as (values (false), (true)),
    queued as (
        select
            counted.*,
            orders.is_waiting,
            not is_waiting and lacking = 0 as is_first,
            row_number() over (
                partition by pool, course, is_waiting, lacking = 0 and not is_waiting
                order by case when is_waiting then 0 else lacking end, lapses_on, person_id
            ) as place,
        from counted
        cross join orders
    ),
    coming as (
        select pool, course, ends.month, count(*) as people
        from queued
        inner join ends on queued.lapses_on <= ends.day
        where is_first
        group by all
    ),
    opened as (
        select
            pool,
            course,
            variant,
            ends.month,
            -- who leaves before their turn is passed over: the same passes reach further into the line
            greatest(passes, 0) * sum(case when ends.month > 0 then pow(1 - $leaving::double, -ends.month) else 0 end)
                over (partition by pool, course, variant order by ends.month) as passed,
            case when is_waiting then 0 else coalesce(people, 0) end as needed,
        from passes
        cross join ends
        left join coming using (pool, course, month)
    ),
    shared as (
        select
            *,
            passed + least(
                min(needed - passed) over (partition by pool, course, variant order by month), 0
            ) as passed_first,
        from opened
    ),
    reached as (
        select pool, course, variant, true as is_first, month, passed_first as reached from shared
        union all
        select pool, course, variant, false, month, passed - passed_first from shared
    ),
    lines as (
        -- whole places: fractions differ in their last digit from month to month
        select pool, course, variant, is_first, cast(floor(reached + 1e-6) as bigint) as reached, min(month) as month
        from reached
        group by all
    ),
    served as (
        select
            variants.variant,
            queued.person_id,
            queued.course,
            queued.lapses_on,
            -- who serves in two provinces is trained in one of them
            min(coalesce(lines.month, 1000)) as month,
        from queued
        inner join variants using (is_waiting)
        asof left join lines
            on lines.pool = queued.pool
            and lines.course = queued.course
            and lines.variant = variants.variant
            and lines.is_first = queued.is_first
            and lines.reached >= queued.place
        group by all
    )
    select variant, ends.month, count(distinct person_id) as people
    from served
    inner join ends on served.lapses_on <= ends.day and served.month > ends.month
    group by all
"""


# ---------------------------------------------------------------- answers


def _written(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Lists of numbers and days as lists of words: a query is written out to be read."""
    return {
        name: [str(one) for one in value] if isinstance(value, list) else value for name, value in parameters.items()
    }


def _dated(answer: Answer, day: date) -> Answer:
    return Answer(
        answer.metrics, answer.by, answer.columns, answer.rows, answer.where, day, None,
        answer.provisional, answer.query, answer.publication,
    )  # fmt: skip


def _answer(
    like: Answer,
    by: tuple[str, ...],
    names: Sequence[str],
    rows: list[tuple[Any, ...]],
    also: Sequence[Answer] = (),
    more: tuple[str, ...] = (),
    query: str = "",
) -> Answer:
    metrics = tuple(catalogue()[name] if name in catalogue() else derived(name) for name in names)
    return Answer(
        metrics,
        by,
        (*by, *names, *more),
        rows,
        like.where,
        like.on,
        None if like.on else like.over,
        frozenset(),
        query or ";\n\n".join(dict.fromkeys([like.query, *(one.query for one in also)])),
        like.publication,
    )
