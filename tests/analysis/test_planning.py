"""Scenarios against a simulation month by month, extreme plans against certain results, the back-test against history.

The simulation follows the description of the method and walks through months and queues; the pipeline uses one query in
closed form.
"""

import itertools
import math
import random
from collections import Counter, defaultdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from etl.analysis import backtesting, planning, projection, seat_plan, training
from etl.analysis.planning import Scenario
from etl.core import jalali
from etl.core.errors import QuestionError
from etl.semantic import access, answers
from etl.semantic.access import ScopedCursor
from etl.semantic.resolve import settled_on
from etl.semantic.rights import ADMINISTRATOR
from tests import loading
from tests.effort import draws

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
BUILD_DAY = date(2026, 6, 30)
COURSES = ("PY-101", "PY-102", "PY-103", "PY-201", "PY-202", "PY-301", "PY-302", "PY-401")
BIG = ("IR-23", "IR-30")


def as_of(con: ScopedCursor) -> date:
    return con.publication.as_of


def planned(answer: answers.Answer, name: str) -> dict[str, float]:
    """The plan's months and one of its numbers."""
    return {row["month"]: row[name] for row in answer.records() if row["plan_compliance"] is not None}


def seats(count: float) -> dict[tuple[str, str], float]:
    return {("", course): count for course in COURSES}


# ---------------------------------------------------------------- compliance: what is certain


def test_without_a_seat_the_plan_is_the_run_off(con: ScopedCursor) -> None:
    certain = {row[0]: row[1] for row in training.run_off(con).rows}
    answer = training.compliance(con, scenario=Scenario(recruits=0, leaver_rate=0, seats=seats(0)))
    unit = jalali.unit_of(as_of(con), "month")
    compared = 0
    for month, share in list(planned(answer, "plan_compliance").items())[1:]:
        unit = jalali.unit_of(unit.last + jalali.DAY, "month")
        assert unit.label == month
        if unit.last in certain:
            compared += 1
            assert share == certain[unit.last]
    assert compared >= 5


def test_with_seats_for_all_everybody_is_compliant_after_a_month(con: ScopedCursor) -> None:
    answer = training.compliance(con, scenario=Scenario(recruits=0, seats=seats(100_000)))
    months = list(planned(answer, "plan_compliance_high").values())
    assert months[0] < 1
    assert set(months[1:]) == {1.0}


def test_the_plan_begins_where_the_known_ends(con: ScopedCursor) -> None:
    answer = training.compliance(con)
    now = answers.ask(con, "training_compliance").value()
    first = next(row for row in answer.records() if row["plan_compliance"] is not None)
    names = ("training_compliance", "plan_compliance", "plan_compliance_low", "plan_compliance_high")
    assert [first[name] for name in names] == [now] * 4
    before = [row for row in answer.records() if row["plan_compliance"] is None]
    assert len(before) == 12
    assert all(row["training_compliance"] is not None for row in before)


def test_more_seats_never_leave_fewer_compliant(con: ScopedCursor) -> None:
    rng = random.Random(4)
    fewer = {("", course): rng.randrange(0, 12) for course in COURSES}
    more = {key: count + rng.randrange(0, 6) for key, count in fewer.items()}
    paths = [training.compliance(con, scenario=Scenario(recruits=0, seats=seats)) for seats in (fewer, more)]
    low, high = (planned(path, "plan_compliance") for path in paths)
    assert all(high[month] >= low[month] for month in low)
    assert high != low


def test_the_range_holds_the_plan(con: ScopedCursor, by_hand: ScopedCursor) -> None:
    for connection in (con, by_hand):
        for row in training.compliance(connection).records():
            if row["plan_compliance"] is not None:
                assert row["plan_compliance_low"] <= row["plan_compliance"] <= row["plan_compliance_high"]


# ---------------------------------------------------------------- compliance: the simulation


def in_service(con: ScopedCursor, day: date, where: dict[str, Any]) -> dict[int, date]:
    """The people active on a day, and the first day on which each is out of date if nobody trains."""
    rows = con.execute(
        "select person_id, province, lapses_on from compliance_intervals where valid_from <= ? and valid_until > ?",
        [day, day],
    ).fetchall()
    first: dict[int, date] = {}
    for person, province, lapses_on in rows:
        if province in where.get("province", [province]):
            first[person] = min(first.get(person, lapses_on), lapses_on)
    return first


def required(con: ScopedCursor, day: date, where: dict[str, Any]) -> set[tuple[str, str, int, date]]:
    """Province, course, person and day of the lapse of all that people active on a day must hold."""
    rows = con.execute(
        "select distinct province, course, person_id, lapses_on from course_compliance_intervals "
        "where valid_from <= ? and valid_until > ?",
        [day, day],
    ).fetchall()
    return {row for row in rows if row[0] in where.get("province", [row[0]])}


def month_ends(first: date, months: int) -> list[date]:
    """The ends of so many months, the first of which contains the day."""
    ends = [jalali.unit_of(first, "month").last]
    while len(ends) < months:
        ends.append(jalali.unit_of(ends[-1] + jalali.DAY, "month").last)
    return ends


def simulated(con: ScopedCursor, day: date, scenario: Scenario, where: dict[str, Any]) -> list[tuple[int, int, int]]:
    """Persons in date as planned and at best, and all persons, on the day and at each month's end: walked through."""
    period = jalali.last_complete_months(day, 12)
    start, months = period[0] - jalali.DAY, month_ends(period[0], 12)
    pace = planning.pace_now(con, day, where).records()[0]
    leaving = (pace["plan_leaver_rate"] if scenario.leaver_rate is None else scenario.leaver_rate) / 12
    recruits = pace["plan_recruits"] if scenario.recruits is None else scenario.recruits
    more = recruits / pace["plan_recruits"] if pace["plan_recruits"] else 0.0
    own = {key for key in scenario.seats if key[0]}

    def pool(province: str, course: str) -> tuple[str, str]:
        return (province, course) if (province, course) in own else ("", course)

    # Last year: who passed what, and how many needed it.
    joined = con.execute("select person_id, day, province from joiners where day between ? and ?", period).fetchall()
    needed_then = {(course, person) for _, course, person, at in required(con, start, where) if at <= period[1]}
    passed: dict[tuple[str, str], int] = defaultdict(int)
    by_joiners: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * 12)
    for person, province, course, on in con.execute(
        "select person_id, province, course_code, completed_on from completions where completed_on between ? and ?",
        period,
    ).fetchall():
        if province in where.get("province", [province]):
            passed[pool(province, course)] += 1
            if any(member == person and since <= on for member, since, _ in joined):
                by_joiners[pool(province, course)][sum(end < on for end in months)] += 1
    lapsed: dict[tuple[str, str], int] = defaultdict(int)
    for province, course, person in {row[:3] for row in required(con, start, where) if row[3] <= period[1]}:
        assert (course, person) in needed_then
        lapsed[pool(province, course)] += 1
    # Last year: who was in date again when.
    before = {person: at for person, at in in_service(con, start, where).items() if at <= period[1]}
    shares: dict[tuple[int, int], list[bool]] = defaultdict(list)
    for number, end in enumerate(months, 1):
        after = in_service(con, end, where)
        for person, at in before.items():
            if person in after:
                group = 0 if at <= start else 1 + sum(month < at for month in months)
                shares[group, number].append(after[person] > end)
    # Last year: who joined and stayed, by how many months before the end.
    latest: dict[int, date] = {}
    for person, on, province in joined:
        if province in where.get("province", [province]):
            latest[person] = max(latest.get(person, on), on)
    stayed = [[0, 0] for _ in range(12)]
    for person, at in in_service(con, period[1], where).items():
        if person in latest:
            age = 11 - sum(end < latest[person] for end in months)
            stayed[age][0] += 1
            stayed[age][1] += at > period[1]

    # The seats of each pool, and how often one is a pass.
    results = answers.ask(con, "course_results", by=("province", "course"), over=period, where=where).rows
    taken: dict[tuple[str, str], float] = defaultdict(float)
    for province, course, count in results:
        taken[pool(province, course)] += count / 12
    supply = {key: count for key, count in taken.items() if key not in own} | dict(scenario.seats)
    whole = answers.ask(con, "pass_rate", over=period, where=where).value()
    best = max(filter(None, answers.ask(con, "pass_rate", by=("month",), over=period, where=where).column("pass_rate")))
    passing = {key: passed[key] / 12 / taken[key] if taken[key] else whole for key in supply}

    ends = [day, *month_ends(day, 13)[1:]]
    current = jalali.unit_of(day, "month")
    begun = (current.last - day).days / ((current.last - current.first).days + 1)

    def so_far(monthly: list[float], number: int) -> float:
        """The sum up to the end of a month: whole months, and a part of one more."""
        if number == 0:
            return 0.0
        longer = [*monthly, monthly[-1]]
        return sum(longer[:number]) + begun * longer[number]

    def left(key: tuple[str, str], a_month: float, how_many: float) -> list[float]:
        of_joiners = by_joiners[key]
        return [max(a_month - how_many * of_joiners[month], 0.0) / (1 - leaving) ** (month + 1) for month in range(12)]

    lapses = {(pool(p, c), person, at) for p, c, person, at in required(con, day, where) if at <= ends[-1]}
    ratio: dict[tuple[str, str], float] = {}
    for key in supply:
        due = sum(member == key for member, *_ in lapses)
        now = so_far(left(key, supply[key] * passing[key], more), 12) / due if due else 0.0
        then = sum(left(key, passed[key] / 12, 1.0)) / lapsed[key] if lapsed[key] else 0.0
        ratio[key] = now / then if then else 0.0
    first: dict[int, int] = {}
    fewest: dict[int, float] = {}
    for key, person, at in lapses:
        number = sum(end < at for end in ends)
        first[person] = min(first.get(person, 99), number)
        fewest[person] = min(fewest.get(person, math.inf), ratio.get(key, 0.0))
    trained = best_months(lapses, day, ends, {
        key: [so_far(left(key, supply[key] * passing[key] * best / whole, more), n) for n in range(13)] for key in supply
    })  # fmt: skip
    everyone, found = len(in_service(con, day, where)), []
    for number, end in enumerate(ends):
        planned_out = 0.0
        for person, group in first.items():
            known = shares[group, number]
            share = sum(known) / len(known) if known and number else 0.0
            planned_out += (1 - min(share * fewest[person], 1)) if group <= number else 0
        best_out = {
            person
            for (_, course), person, at in lapses
            if at <= end and trained.get((person, course, at), 1000) > number
        }
        time = begun + number if number else 0.0
        staying = (1 - leaving) ** time
        new, new_in_date = (so_far([more * row[at] for row in stayed], number) for at in (0, 1))
        counts = [(everyone - out) * staying + new_in_date for out in (planned_out, len(best_out))]
        found.append((*(round(count) for count in counts), round(everyone * staying + new)))
    return found


def best_months(
    lapses: set[tuple[tuple[str, str], int, date]],
    day: date,
    ends: list[date],
    passes: dict[tuple[str, str], list[float]],
) -> dict[tuple[int, str, date], int]:
    """The month in which each lapse is trained at best, from the passes of each pool up to each month: queue by queue."""
    lacking: dict[int, int] = defaultdict(int)
    for _, person, at in lapses:
        lacking[person] += at <= day
    trained: dict[tuple[int, str, date], int] = {}
    for key in {lapse[0] for lapse in lapses if lapse[0] in passes}:
        line = [(person, at) for member, person, at in lapses if member == key]
        first = sorted(((at, person) for person, at in line if not lacking[person]))
        second = sorted((lacking[person], at, person) for person, at in line if lacking[person])
        reached_first = reached_second = 0.0
        for month in range(1, len(ends)):
            new = passes[key][month] - passes[key][month - 1]
            due = sum(at <= ends[month] for at, _ in first)
            served = min(new, due - reached_first)
            reached_first, reached_second = reached_first + served, reached_second + new - served
            for at, person in first[: math.floor(reached_first + 1e-6)]:
                earliest(trained, (person, key[1], at), month)
            for _, at, person in second[: math.floor(reached_second + 1e-6)]:
                earliest(trained, (person, key[1], at), month)
    return trained


def earliest(trained: dict[tuple[int, str, date], int], key: tuple[int, str, date], month: int) -> None:
    trained[key] = min(trained.get(key, 1000), month)


SCENARIOS = [
    Scenario(),
    Scenario(recruits=0),
    Scenario(recruits=40, leaver_rate=0.0),
    Scenario(recruits=5, leaver_rate=0.3, seats=seats(9)),
    Scenario(seats={("IR-23", "PY-201"): 3, ("IR-23", "PY-103"): 0, ("", "PY-102"): 25}),
]


@pytest.mark.parametrize("where", [{}, {"province": list(BIG)}])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_plan_equals_a_monthly_simulation(con: ScopedCursor, scenario: Scenario, where: dict[str, Any]) -> None:
    for day in (as_of(con), jalali.add_months(as_of(con), -14)):
        rows = [
            row
            for row in training.compliance(con, day, where, scenario=scenario).records()
            if row["plan_compliance"] is not None
        ]
        counts = simulated(con, day, scenario, where)
        assert [(row["compliant_assistants"], row["trainable_assistants"]) for row in rows] == [
            (plan, people) for plan, _, people in counts
        ]
        # The range holds the plan, which can be the better one.
        assert [row["plan_compliance_high"] for row in rows] == [
            max(plan, best) / people for plan, best, people in counts
        ]


# ---------------------------------------------------------------- compliance: three futures, and the trial of one


def test_a_course_of_somebody_who_joined_twice_took_one_seat(tmp_path: Path) -> None:
    folder = loading.put_good(tmp_path / "in")
    first = {"hired_on": "1404/05/01", "left_on": "1404/06/01", "leave_reason": "resigned"}
    again = {"hired_on": "1404/10/01", "left_on": "", "leave_reason": ""}
    who = {"national_id": loading.national_id(7)}
    loading.put(folder, "personnel_2.csv", [loading.row("personnel", **who, **spell) for spell in (first, again)])
    loading.put(folder, "training_2.csv", [loading.row("training", **who, completed_on="1405/02/01")])
    with access.connect(loading.build(folder).to, ADMINISTRATOR) as con:
        period = jalali.last_complete_months(BUILD_DAY, 12)
        joined = con.execute("select count(*) from joiners where day between ? and ?", period).fetchone()
        assert joined == (2,)
        last_year = training._last_year(con, {}, [("", "PY-101")], period)
    assert (last_year.passed.sum(), last_year.joined.sum()) == (1, 1)


def test_the_trial_is_the_scenario_of_a_year_ago_with_the_seats_and_recruits_that_came(
    con: ScopedCursor,
) -> None:
    day = as_of(con)
    period = jalali.last_complete_months(day, 12)
    came: dict[tuple[str, str], float] = defaultdict(float)
    for _, course, monthly in planning.seats_now(con, day).rows:
        came["", course] += monthly
    recruits = answers.ask(con, "joiners", over=period).value() / 12
    then = training.compliance(con, period[0] - jalali.DAY, scenario=Scenario(recruits=recruits, seats=came))
    real = dict(
        answers.ask(con, "training_compliance", by=("month",), over=period).frame.iloc[:, :2].itertuples(index=False)
    )
    planned_then = planned(then, "plan_compliance")
    rows = training.compliance_backtest(con, day).records()
    assert [row["month"] for row in rows] == [*real] == [*planned_then][1:]
    for row in rows:
        assert row["plan_compliance"] == pytest.approx(planned_then[row["month"]], abs=1e-12)
        assert row["training_compliance"] == real[row["month"]]
        assert row["plan_miss"] == row["plan_compliance"] - row["training_compliance"]


def test_a_scenario_is_drawn_only_if_it_meets_the_last_12_months_within_two_points(
    con: ScopedCursor, by_hand: ScopedCursor, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert training.MOST_MISSED == 0.02
    names = ["plan_compliance", "plan_compliance_low", "plan_compliance_high"]
    for connection in (con, by_hand):
        misses = training.compliance_backtest(connection).column("plan_miss")
        miss = max(map(abs, misses))
        whole = training.compliance(connection).frame[names]
        for most in (miss - 1e-9, miss + 1e-9):
            monkeypatch.setattr(training, "MOST_MISSED", most)
            answer = training.futures(connection)
            assert {abs(value) for value in answer.column("plan_miss")} == {miss}
            if most < miss:
                assert answer.frame[names].isna().all(axis=None)
            else:
                pd.testing.assert_frame_equal(answer.frame[names], whole)


def test_without_24_months_no_scenario_is_drawn_but_what_is_certain(con: ScopedCursor) -> None:
    first = jalali.add_months(con.begins_on, 18)
    answer = training.futures(con, first).frame
    assert answer["plan_miss"].isna().all()
    assert answer["plan_compliance"].isna().all()
    assert answer["run_off"].notna().sum() >= 6
    assert answer["plan_in_date"].notna().any()


def test_the_futures_begin_today_and_are_those_of_their_own_analyses(con: ScopedCursor) -> None:
    where = {"province": ["IR-23"]}
    answer = training.futures(con, where=where).frame.set_index("month")
    now = answers.ask(con, "training_compliance", where=where).value()
    ahead = answer[answer["training_compliance"].isna()]
    (today,) = answer[answer["run_off"].notna() & answer["training_compliance"].notna()].itertuples()
    assert (today.run_off, today.plan_in_date) == (now, now)
    certain = dict(row[:2] for row in training.run_off(con, where=where).rows)
    months = dict(row[:2] for row in seat_plan.seat_plan_months(con, where=where).rows)
    ends = dict(zip(ahead.index, month_ends(as_of(con), 13)[1:], strict=True))
    for month, row in ahead.iterrows():
        assert row["plan_in_date"] == months[month]
        assert (row["run_off"] if ends[month] in certain else None) == certain.get(ends[month])
    until = jalali.add_months(as_of(con), 12)
    lapsing = {row[1:3] for row in required(con, as_of(con), {"province": ["IR-23"]}) if as_of(con) < row[3] <= until}
    assert {*answer["lapses_ahead"]} == {len(lapsing)}


def test_training_seats_are_not_kept_by_gender(con: ScopedCursor) -> None:
    with pytest.raises(QuestionError, match="no meaning by gender"):
        training.compliance(con, where={"gender": ["female"]})


# ---------------------------------------------------------------- the stock


def test_a_scenario_adds_to_the_projection_what_it_asks_for_beyond_the_last_year(
    con: ScopedCursor,
) -> None:
    pace = planning.pace_now(con)
    recruits, rate = pace.value("plan_recruits") + 30, pace.value("plan_leaver_rate") + 0.12
    rows = [
        row
        for row in planning.headcount(con, scenario=Scenario(recruits, rate)).records()
        if row["plan_active"] is not None
    ]
    rows_by_month = {row["month"]: row for row in projection.projection(con).records()}
    stock = rows[0]["plan_active"]
    assert stock == rows[0]["active_assistants"] == answers.ask(con, "active_assistants").value()
    day = as_of(con)
    assert day != jalali.unit_of(day, "month").last
    # The rest of the month that holds the day goes before the first month shown.
    projected, rest = stock, jalali.unit_of(day, "month")
    part = (rest.last - day).days / ((rest.last - rest.first).days + 1)
    history = projection.history_of(con, day, {})
    first = projection.path_of(history, day, stock)["projected"][0]
    # The projection loses last year's rate of its own headcount, the scenario its higher rate of its own.
    was = pace.value("plan_leaver_rate")
    stock, projected = stock + first - projected + (30 - (rate * stock - was * projected) / 12) * part, first
    assert len(rows) > 12
    for row in rows[1:13]:
        then = rows_by_month[row["month"]]
        more_leavers = (rate * stock - was * projected) / 12
        stock, projected = stock + then["projected"] - projected + 30 - more_leavers, then["projected"]
        assert math.isclose(row["plan_active"], stock)
        for side in ("low", "high"):
            bound = then[f"projected_{side}"]
            wanted = None if bound is None else pytest.approx(stock * bound / then["projected"])
            assert row[f"plan_{side}"] == wanted
        assert row["active_assistants"] is None


def test_without_recruits_fewer_leave_each_year_because_fewer_are_left(con: ScopedCursor) -> None:
    path = planning.headcount(con, scenario=Scenario(recruits=0)).records()
    stocks = [row["plan_active"] for row in path if row["plan_active"] is not None]
    losses = [before - after for before, after in itertools.pairwise(stocks)]
    assert sum(losses[:12]) > sum(losses[12:24]) > sum(losses[24:36]) > 0


def test_an_empty_plan_equals_the_projection(con: ScopedCursor) -> None:
    for day in (as_of(con), date(2025, 3, 20)):
        plan = planning.headcount(con, on=day).records()
        projected = {row["month"]: row for row in projection.projection(con, on=day).records()}
        for row in plan:
            if row["plan_active"] is not None and row["month"] in projected:
                then = projected[row["month"]]
                planned_values = (row["plan_active"], row["plan_low"], row["plan_high"])
                for planned_value, value in zip(
                    planned_values, (then["projected"], then["projected_low"], then["projected_high"]), strict=True
                ):
                    assert planned_value == (None if value is None else pytest.approx(value))


def test_an_empty_scenario_continues_the_last_year(con: ScopedCursor) -> None:
    period = jalali.last_complete_months(as_of(con), 12)
    recruits = answers.ask(con, "joiners", over=period).value() / 12
    # The settled rate, as on the cards: on the as-of day, people who return within 90 days still count as leavers.
    settled = settled_on(con, "leaver_rate_12m")
    assert settled is not None
    assert settled < as_of(con)
    rate = answers.ask(con, "leaver_rate_12m", on=settled).value()
    assert rate != answers.ask(con, "leaver_rate_12m").value()
    projected = planning.headcount(con, scenario=Scenario(recruits, rate))
    assert planning.headcount(con).rows == projected.rows


def test_a_negative_scenario_is_refused() -> None:
    for values in ({"recruits": -1}, {"leaver_rate": -0.1}, {"seats": {("", "PY-101"): -3}}, {"recruits": math.nan}):
        with pytest.raises(QuestionError):
            Scenario(**values)


# ---------------------------------------------------------------- the back-test


def test_the_listed_months_are_those_of_the_back_test(con: ScopedCursor) -> None:
    months = backtesting.backtest_months(con).records()
    row = next(row for row in backtesting.backtest(con).records() if row["ahead"] == 6)
    ranged = [month for month in months if month["projected_low"] is not None]
    assert len(ranged) == row["backtest_months"]
    inside = sum(month["projected_low"] <= month["active_assistants"] <= month["projected_high"] for month in ranged)
    assert inside == row["backtest_months_inside"]


def test_a_month_without_a_range_is_a_gap_of_the_back_test(con: ScopedCursor, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = backtesting.backtest_months(con).records()
    runs = backtesting.runs_of(projection.history_of(con, con.publication.as_of, {}))
    first, second, third, *_, last = (month["month"] for month in listed)
    gone = runs["month"].isin([first, third, last])
    without = runs.assign(low=runs["low"].mask(gone), high=runs["high"].mask(gone))
    monkeypatch.setattr(backtesting, "runs_of", lambda _: without)
    shown = backtesting.backtest_months(con).records()
    assert [month["month"] for month in shown] == [month["month"] for month in listed][1:-1]
    assert shown[0]["month"] == second
    assert (shown[1]["projected_low"], shown[1]["projected_high"]) == (None, None)
    assert shown[1]["active_assistants"] == listed[2]["active_assistants"]


def test_a_short_history_gets_no_back_test(by_hand: ScopedCursor) -> None:
    day = date(2022, 6, 1)
    answer = backtesting.backtest(by_hand, on=day)
    assert all(row["backtest_inside"] is None and row["backtest_months"] == 0 for row in answer.records())
    rows = [row for row in planning.headcount(by_hand, on=day).records() if row["plan_active"] is not None]
    assert {(row["plan_low"], row["plan_high"]) for row in rows[1:]} == {(None, None)}


# ---------------------------------------------------------------- recruits needed


def test_the_recruits_needed_bring_the_plan_to_the_goal_at_the_end_of_the_month(con: ScopedCursor) -> None:
    """The recruits needed, put into the plan, hold the goal in the chosen month, one fewer do not; the plan names that month."""
    day = as_of(con)
    for months, goal in ((4, 1_500.0), (17, 2_000.0)):
        until = jalali.unit_of(jalali.add_months(day, months), "month")
        answer = planning.recruits_needed(con, until=until.last, goal=goal)
        recruits = answer.value()
        assert isinstance(recruits, int)
        assert recruits > answer.records()[0]["plan_recruits"]
        path, fewer = (
            planning.headcount(con, scenario=Scenario(count), goal=goal).records() for count in (recruits, recruits - 1)
        )
        reached, short = ({row["month"]: row["plan_active"] for row in rows} for rows in (path, fewer))
        assert short[until.label] < goal <= reached[until.label]
        assert path[0]["reached_middle"] == until.label
        assert fewer[0]["reached_middle"] > until.label


SEEKS = draws(20, 200)


@pytest.mark.slow
def test_the_scenario_of_a_goal_seek_reaches_the_target_in_the_month_asked_for(con: ScopedCursor) -> None:
    """Over dates, provinces, goals and months asked for: the path of the exact recruits is at the goal at the end of the month,
    and names that month, or an earlier one after which it falls; whole ones hold it, one fewer do not."""
    chance, said, in_month = random.Random(54), Counter[str](), 0
    provinces = [code for code, people in answers.ask(con, "active_assistants", by=("province",)).rows if people > 30]
    for _ in range(SEEKS):
        day = as_of(con) - timedelta(chance.randrange(900))
        where = chance.choice([{}, {"province": (chance.choice(provinces),)}])
        active = answers.ask(con, "active_assistants", on=day, where=where).value()
        goal = float(round(active * chance.uniform(0.5, 3)))
        until = jalali.unit_of(jalali.add_months(day, chance.randrange(1, 58)), "month")
        row = planning.recruits_needed(con, on=day, where=where, until=until.last, goal=goal).records()[0]
        needed = row["recruits_needed"]
        assert isinstance(needed, int)
        history = projection.history_of(con, day, where)
        points = projection.path_of(history, day, active).set_index("month")
        ends, exact = {}, row["exact_recruits"]
        assert needed - 1 < exact <= needed
        for count in (exact, needed, needed - 1):
            if count >= 0:
                plan = planning.headcount(con, on=day, where=where, scenario=Scenario(count), goal=goal).records()
                ends[count] = simulated_stocks(con, day, where, count)
                named = plan[0]["reached_middle"]
                if count == exact > 0:
                    assert abs(ends[exact][until.label] - goal) < 0.01, "at the goal at the end of the month asked for"
                if active < goal:
                    first = next((month for month, stock in ends[count].items() if stock >= goal - 1e-6), None)
                    assert named == first, "the month named is the first that reaches the goal"
                    if count == exact and exact > 0:
                        assert named == row["reached"]
                        falls = named < until.label and ends[exact][named] >= ends[exact][until.label] - 1e-6
                        assert named == until.label or falls, "in the month asked for"
                        in_month += named == until.label
        assert row["reached"] or active >= goal
        assert ends[needed][until.label] >= goal - 1e-6, "rounded down it would end below"
        assert needed == 0 or ends[needed - 1][until.label] < goal, "one fewer is not enough"
        low, central = points.loc[until.label, ["low", "projected"]]
        if row["sufficiency"] == "enough":
            assert low >= goal
        elif row["sufficiency"] == "not_enough":
            assert central < goal
            assert needed > row["plan_recruits"]
        else:
            assert central >= goal > low or math.isnan(low) or needed - row["plan_recruits"] < 1
        said[row["sufficiency"]] += 1
    assert len(said) == 3, said
    assert in_month > SEEKS / 3, "most of those ahead"


def simulated_stocks(con: ScopedCursor, day: date, where: dict[str, Any], recruits: float) -> dict[str, float]:
    """The plan at every month's end, step by step: the projection, more recruits, and more leavers of more people."""
    pace = planning.pace_now(con, on=day, where=where).records()[0]
    more, rate = recruits - pace["plan_recruits"], pace["plan_leaver_rate"]
    active = float(answers.ask(con, "active_assistants", on=day, where=where).value())
    stock = before = active
    stocks, passed = {}, 0.0
    for point in projection.path_of(projection.history_of(con, day, where), day, active).itertuples():
        length, passed = point.distance - passed, point.distance
        stock = max(0.0, stock + point.projected - before + (more - rate * (stock - before) / 12) * length)
        before = point.projected
        stocks[point.month] = stock
    return stocks


def walked(points: pd.DataFrame, day: date, stock: float, until: date, more: float, rate: float) -> float:
    """The active assistants on a day, walked day by day with so many more recruits a month, of whom a part leaves again."""
    projected = stock
    for last, then in zip(points["last"], points["projected"], strict=True):
        unit = jalali.unit_of(last, "month")
        length = (unit.last - unit.first).days + 1
        each = (then - projected) / (unit.last - day).days + (more - rate * (stock - projected) / 12) / length
        while day < unit.last:
            day, stock = day + jalali.DAY, stock + each
            if day == until:
                return stock
        projected = then
    raise AssertionError("a day beyond the projection")


@pytest.mark.parametrize(("days", "goal"), [(3, 1_500.0), (40, 1_500.0), (200, 2_000.0), (900, 4_000.0)])
def test_the_recruits_needed_by_any_day_are_those_of_a_walk_day_by_day(
    con: ScopedCursor, days: int, goal: float
) -> None:
    day = as_of(con)
    pace, until = planning.pace_now(con).records()[0], day + days * jalali.DAY
    recruits = planning.recruits_needed(con, until=until, goal=goal).value()
    active = float(answers.ask(con, "active_assistants").value())
    points = projection.path_of(projection.history_of(con, day, {}), day, active)
    low, high = 0.0, 1e6
    for _ in range(80):
        middle = (low + high) / 2
        reached = walked(points, day, active, until, middle - pace["plan_recruits"], pace["plan_leaver_rate"])
        low, high = (middle, high) if reached < goal else (low, middle)
    assert recruits > pace["plan_recruits"]
    assert recruits == math.ceil(low - 1e-6)
    later = planning.recruits_needed(con, until=until + 60 * jalali.DAY, goal=goal).value()
    assert later < recruits, "two months more need fewer a month"


def test_no_recruits_are_needed_where_the_plan_reaches_the_goal_without_any(con: ScopedCursor) -> None:
    assert planning.recruits_needed(con, goal=1.0).value() == 0
    beyond = jalali.add_months(as_of(con), 12 * 6)
    assert planning.recruits_needed(con, until=beyond, goal=2_000.0).value() is None
    assert planning.recruits_needed(con, until=jalali.add_months(as_of(con), -2), goal=2_000.0).value() is None


def test_a_plan_is_measured_by_a_target_set_for_the_place_and_by_no_census_share(by_hand: ScopedCursor) -> None:
    wheres = [{"province": codes} if codes else {} for codes in ((), ("IR-23",), ("IR-30",), ("IR-23", "IR-30"))]
    assert answers.ask(by_hand, "target", where=wheres[2]).value() > 0, "`ask` gives the share"
    goals = [planning.recruits_needed(by_hand, where=where).records()[0]["goal"] for where in wheres]
    assert goals == [12, 5, None, None], "the target of one of two places is not that of both"
    for where, goal in zip(wheres, goals, strict=True):
        pace = projection.pace(by_hand, where=where).records()[0]
        assert (pace["required_pace"] is None) == (goal is None)
        assert goal is not None or {pace[f"projected_{name}"] for name in ("first", "middle", "last")} == {None}
        plan = planning.headcount(by_hand, where=where)
        assert set(plan.column("target") if "target" in plan.columns else ()) == {goal} - {None}


@pytest.mark.parametrize(
    ("change", "left_over", "is_against"),
    [
        (-0.06, 100, True),
        (-0.06, 0, True),
        (-0.06, -100, False),
        (-0.004, 100, False),
        (0.03, -100, True),
        (0.03, 100, False),
        (0.0, -100, False),
    ],
)
def test_a_future_that_goes_against_the_seats_is_none(change: float, left_over: float, is_against: bool) -> None:
    assert training.is_contradicted(change, left_over) == is_against


def test_a_future_against_its_balance_is_not_drawn(con: ScopedCursor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever way the balance of the seats goes, one of two opposite changes is against it."""
    monkeypatch.setattr(training, "MOST_MISSED", 1.0)
    for visible in (-1.0, 1.0):
        # Of a change of any size, and of none.
        monkeypatch.setattr(training, "_VISIBLE", visible)
        drawn = training.futures(con).frame["plan_compliance"]
        assert drawn.notna().any() == (visible > 0)


def test_what_recruits_and_seats_give_is_that_of_the_last_12_months(con: ScopedCursor) -> None:
    day = con.publication.as_of
    last = training.futures(con).records()[-1]
    passed = answers.ask(con, "completions", over=jalali.last_complete_months(day, 12)).value()
    assert last["passes_ahead"] == pytest.approx(passed)
    more = Scenario(recruits=2 * planning.pace_now(con).value("plan_recruits"))
    assert training.futures(con, scenario=more).records()[-1]["joiner_courses"] == pytest.approx(
        2 * last["joiner_courses"]
    )
