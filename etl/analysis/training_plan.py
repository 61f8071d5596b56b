"""Training compliance under a scenario of recruits, leavers and seats."""

from collections.abc import Sequence
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from etl.analysis.planning import NOW, Scenario, filters_of_results, pace_now, seats_now
from etl.analysis.registry import analysis
from etl.core import jalali
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask, readable, rows_on
from etl.semantic.derived import Where, answered
from etl.semantic.lineage import sources_of_query

GOAL = 0.95
_MONTHS_AHEAD = 12
_LAPSED = Path(__file__).with_name("training_plan.sql").read_text(encoding="utf-8")


@analysis(asks=("training_compliance", "course_results"))
def compliance(con: ScopedCursor, on: date | None = None, where: Where = None, scenario: Scenario = NOW) -> Answer:
    """Known and planned compliance: (month, compliance, plan, low, high, goal, persons compliant, persons).

    Persons in service, their posts and licences stay as on the day, except for leavers. A seat becomes a pass at the pass
    rate of the last 12 months. Recruits take as many seats as in those months; the other seats first keep compliant persons
    compliant, and then go to those who lack the fewest courses. High uses the pass rate of the best month; low that of the
    worst month, with seats going to those who have waited longest.
    """
    within = filters_of_results(where)
    answer = ask(con, "training_compliance", on=on, where=where)
    day = answer.on or answer.publication.as_of
    period = jalali.last_complete_months(day, 12)
    past = ask(con, "training_compliance", by=("month",), over=period, where=where)
    rates = _pass_rates(con, period, within)
    # The month of the day, and those after it.
    ends = list(islice(jalali.units_between(day, date.max, "month"), 1 + _MONTHS_AHEAD))
    supply = _supply(con, day, where, scenario)
    lacking, parameters = rows_on(con, "course_compliance_intervals", day, where)
    pace = pace_now(con, day, within)
    recruits = pace.value("plan_recruits") if scenario.recruits is None else scenario.recruits
    rate = pace.value("plan_leaver_rate") if scenario.leaver_rate is None else scenario.leaver_rate
    provinces = {f"place_{number}": code for number, code in enumerate(within.get("province", ()))}
    passed_here = f"completions.province in ({', '.join('$' + name for name in provinces)})" if provinces else "true"
    sql = _LAPSED.format(lacking=lacking, passed_here=passed_here)
    parameters |= provinces | _seat_parameters(supply)
    parameters |= {
        "horizon": ends[-1].last,
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
    lapsed = {(variant, month): count for variant, month, count in con.numbers.execute(sql, parameters).fetchall()}
    everyone = answer.value("trainable_assistants")
    rows: list[tuple[Any, ...]] = [
        (label, share, None, None, None, GOAL, compliant, people)
        for label, share, compliant, people in past.rows
        if label < ends[0].label
    ]
    for month, unit in enumerate(ends):
        compliant = {name: everyone - lapsed.get((name, month), 0) for name in ("low", "plan", "high")}
        # With few people, rounding to whole seats can make the low variant the better one: the range is min to max.
        low, high = min(compliant.values()), max(compliant.values())
        shares = [count / everyone if everyone else None for count in (compliant["plan"], low, high)]
        actual = answer.value() if month == 0 else None
        rows.append((unit.label, actual, *shares, GOAL, compliant["plan"], everyone))
    names = ("training_compliance", "plan_compliance", "plan_compliance_low", "plan_compliance_high", "plan_goal")
    more = ("compliant_assistants", "trainable_assistants")
    texts = {name: list(map(str, value)) if isinstance(value, list) else value for name, value in parameters.items()}
    return answered(
        answer,
        ("month",),
        names,
        rows,
        also=(past, pace),
        more=more,
        query=readable(sql, texts),
        sources=sources_of_query(sql),
    )


def _pass_rates(con: ScopedCursor, period: tuple[date, date], where: Where) -> tuple[float, float, float]:
    """The pass rate of the worst month, of the whole period and of the best month; 1 without results."""
    whole = ask(con, "pass_rate", over=period, where=where).value()
    months = [
        rate for rate in ask(con, "pass_rate", by=("month",), over=period, where=where).column("pass_rate") if rate
    ]
    if whole is None or not months:
        return (1.0, 1.0, 1.0)
    return (min(months), whole, max(months))


def _supply(con: ScopedCursor, day: date, where: Where, scenario: Scenario) -> list[tuple[tuple[str, str], float]]:
    """Seats per month by (pool, course): a province with its own seats is a pool, all others share the pool "" (empty)."""
    by_province = {key: seats for key, seats in scenario.seats.items() if key[0]}
    shared: dict[str, float] = {}
    for province, course, seats in seats_now(con, day, where).rows:
        if (province, course) not in by_province:
            shared[course] = shared.get(course, 0.0) + seats
    shared |= {course: seats for (province, course), seats in scenario.seats.items() if not province}
    return [*sorted(by_province.items()), *((("", course), seats) for course, seats in sorted(shared.items()))]


def _seat_parameters(supply: Sequence[tuple[tuple[str, str], float]]) -> dict[str, Any]:
    """The seats of `_supply` as lists to bind."""
    return {
        "own_provinces": [province for (province, _), _ in supply if province],
        "own_courses": [course for (province, course), _ in supply if province],
        "pools": [province for (province, _), _ in supply],
        "courses": [course for (_, course), _ in supply],
        "seats": [seats for _, seats in supply],
    }
