"""The projection against a second computation from the source rows, each past run made only of what was known on its day."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice, pairwise
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from etl.analysis import backtesting, projection, signals
from etl.core import jalali
from etl.semantic import access, answers, rights
from etl.warehouse import publications
from tests.effort import draws, thorough
from tests.loading import build_tables, national_id, put, put_good, row
from tests.oracle import oracle
from tests.oracle.projection import as_known_on, breaks_and_runs_of, month_ends, outlook

ROOT = Path(__file__).parents[2]
BUILD_DAY = date(2026, 6, 30)


# ---------------------------------------------------------------- the method by hand


def test_the_pace_of_a_year_and_the_profile_of_three() -> None:
    """Twenty more each month, but for every fourth of twelve months, which loses a hundred."""
    active, stock = [1000], 1000
    for at in range(36):
        stock += -100 if at % 12 == 3 else 20
        active.append(stock)
    steps = projection.monthly_changes(np.array(active), 14)
    assert steps == pytest.approx([-100.0 if at % 12 == 3 else 20.0 for at in range(14)])
    assert projection.monthly_changes(np.array(active[-13:]), 3) == pytest.approx([120 / 12] * 3), (
        "no profile without three years"
    )


def test_the_profile_is_of_three_years_and_the_pace_of_the_last() -> None:
    gains = [0, 60] * 12 + [10, 70] * 6
    gains[0], gains[12], gains[24] = 4, 7, 1
    active = [500]
    for gain in gains:
        active.append(active[-1] + gain)
    first, second = projection.monthly_changes(np.array(active), 2)
    pace, mean = (1 + 5 * 10 + 6 * 70) / 12, sum(gains) / 36
    assert first == pytest.approx(pace + (4 + 7 + 1) / 3 - mean)
    assert second == pytest.approx(pace + (60 + 60 + 70) / 3 - mean)


def test_the_tenth_percentile_of_24_lies_between_the_second_and_the_third() -> None:
    values = np.array([[float(value)] for value in range(24, 0, -1)] + [[math.nan]])
    assert projection.middle_range(values).tolist() == [[2.5], [22.5]]


# ---------------------------------------------------------------- after a break


# At least one break in each month of a year.
SERIES = draws(12, 25)


@pytest.fixture(scope="module")
def planted() -> pd.DataFrame:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backtesting, "_SERIES", SERIES)
        return backtesting.planted().set_index(["break", "ahead"])


@pytest.mark.slow
@pytest.mark.parametrize("kind", backtesting.PLANTED)
def test_ranges_shown_in_the_year_after_a_planted_break_hold(planted: pd.DataFrame, kind: str) -> None:
    shown = planted.loc[kind]
    assert (shown["inside"][shown["ranges"] > 0] >= 0.6).all(), "6 in 10 was asked for, at each distance"
    assert kind == "none" or shown["ranges"][12] == shown["unnoticed"][12], "none of a year once the break is noticed"
    assert kind == "none" or shown["unnoticed"][1] < 3 * SERIES, "most breaks are noticed in a month or two"
    assert shown["ranges"].iloc[0] > 4 * SERIES, "a range of one month is shown again before the year is over"


@pytest.mark.slow
def test_a_boom_that_ends_after_a_year_is_within_the_ranges_of_its_year() -> None:
    """Whether a break goes on is not known while it does: both futures are in the range."""
    shown = held = 0
    for seed in range(5):
        history, broken = backtesting.planted_series("boom_of_a_year", seed)
        runs = backtesting.runs_of(history)
        made = runs["month"].map({label: at for at, label in enumerate(history.labels)}) - runs["ahead"]
        during = runs[made.between(broken + 3, broken + 11) & runs["low"].notna() & (runs["ahead"] >= 6)]
        shown, held = shown + len(during), held + during["held"].sum()
    assert shown > 20
    assert held == shown


def test_without_a_break_hardly_a_month_is_left_out() -> None:
    series = [backtesting.planted_series("none", seed)[0].active for seed in range(25)]
    assert sum(np.count_nonzero(signals.break_sizes(active, 120)) for active in series) <= 25 * 120 / 200


def test_a_step_below_the_dip_of_farvardin_is_a_break() -> None:
    """Recruits are halved: 450 fewer a month, where Farvardin loses 1,000 every year."""
    named = 0
    for seed in range(25):
        history, broken = backtesting.planted_series("recruits_halved", seed)
        known = [signals.break_sizes(history.active[: broken + months], 12) for months in (1, 2, 3)]
        named += any((sizes < 0).any() for sizes in known)
    assert named >= 20


def test_a_boom_that_fills_the_dip_of_farvardin_is_a_break_in_its_first_month() -> None:
    """Recruits are doubled, 900 more a month, where Farvardin loses 1,000 every year: its net change is that of other months."""
    series = [backtesting.planted_series("boom", seed) for seed in range(25)]
    sizes = [
        signals.break_sizes(history.active[: broken + 1], 1)[0]
        for history, broken in series
        if history.labels[broken].endswith("-01")
    ]
    assert sizes == [pytest.approx(900, rel=0.5)] * 2


def test_a_step_is_one_break_and_its_new_level_none() -> None:
    gains = [40 + at % 5 for at in range(60)] + [240 + at % 5 for at in range(24)]
    sizes = signals.break_sizes(1000 + np.cumsum([0, *gains]), 30)
    assert sizes.nonzero()[0].tolist() == [6, 7, 8, 9], "until three months of the new level are known"


def test_there_is_no_range_of_a_year_in_the_year_after_a_break() -> None:
    history, broken = backtesting.planted_series("boom", 3)
    lengths = [len(history.ranges(month, 12)) for month in range(broken - 1, broken + 18)]
    assert lengths[0] == 13
    later = [length for length in lengths[1:] if length > 1]
    assert later[0] == 10
    assert later[-1] == 13
    assert set(later) == {10, 13}


@pytest.mark.parametrize(
    ("apart", "mean"),
    [
        ((0, 20, 22), 14),
        ((-20, 0, -19), -13),
        ((20, -20, 0), 0),
        ((0, 20, 0), 0),
        ((10, 0, 11, 10, 9), 8),
        ((9, 0, 9, 9), 0),
    ],
)
def test_two_of_three_months_far_to_one_side_and_four_of_five_a_third_of_the_way_are_a_run(apart, mean) -> None:
    """At limits of 24: beyond 16, or beyond 8."""
    assert signals._runs(np.array(apart, float), np.full(len(apart), 24.0))[-1] == pytest.approx(mean)


@pytest.mark.parametrize("kind", backtesting.PLANTED)
def test_breaks_and_runs_are_those_of_the_oracle(kind: str) -> None:
    found = 0
    for seed in range(4):
        changes = np.diff(backtesting.planted_series(kind, seed)[0].active)
        sizes, runs = signals.breaks_and_runs(1000 + np.cumsum([0, *changes]))
        expected = breaks_and_runs_of(changes.tolist())
        for mine, theirs in zip((sizes, runs), expected, strict=True):
            assert {at: mine[at] for at in mine.nonzero()[0]} == pytest.approx(theirs)
        found += len(expected[1])
    assert kind != "recruits_halved" or found > 10


def test_a_run_widens_the_range_to_its_side_for_a_year() -> None:
    history, broken = backtesting.planted_series("recruits_halved", 3)
    month = broken + 5
    runs = history.one_sided[month, :month][-12:]
    assert not history.breaks[month, :month][-12:].any()
    before, after = (history.ranges(at, 12)[12] for at in (broken - 1, month))
    assert after[0] - before[0] == pytest.approx(12 * runs.min() / history.active[month], abs=0.01)
    assert after[1] - before[1] == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(("kind", "sign"), [("recruiting_stops", -1), ("eighth_struck_off", -1), ("boom", 1)])
def test_a_planted_break_is_named_by_its_month_and_its_direction(kind: str, sign: int) -> None:
    named = 0
    for seed in range(25):
        history, broken = backtesting.planted_series(kind, seed)
        sizes = signals.break_sizes(history.active, len(history.active) - broken)
        named += sign in np.sign(sizes[:3])
    assert named >= 24


def test_a_month_struck_off_is_left_out_of_pace_and_profile() -> None:
    """The projection a year after a month in which an eighth is struck off is that of the series without it."""
    gains = [0, 60, 20, 40] * 15
    even = 1000 + np.cumsum([0, *gains])
    gains[-6] -= 500
    broken = 1000 + np.cumsum([0, *gains])
    assert signals.break_sizes(broken, 12).nonzero()[0].tolist() == [6]
    assert projection.monthly_changes(broken, 12) == pytest.approx(projection.monthly_changes(even, 12), abs=15)
    assert projection.monthly_changes(even, 12) == pytest.approx([0, 60, 20, 40] * 3)


def test_a_month_that_is_so_every_year_is_no_break() -> None:
    gains = [20, 25, 15, 22, 18, 24, 16, 21, 19, 23, 17, -300] * 5
    assert not signals.break_sizes(1000 + np.cumsum([0, *gains]), 36).any()


def test_the_end_of_a_boom_is_a_break_too() -> None:
    named = 0
    for seed in range(25):
        history, ended = backtesting.planted_series("end_of_boom", seed)
        named += (signals.break_sizes(history.active, len(history.active) - 1)[ended - 1 : ended + 5] < 0).any()
    assert named >= 12


def test_there_is_no_range_for_three_months_after_a_break_and_a_wider_one_for_the_rest_of_the_year() -> None:
    history, broken = backtesting.planted_series("eighth_struck_off", 3)
    size = -signals.break_sizes(history.active[: broken + 1], 1)[0]
    assert [len(history.ranges(month, 6)) for month in range(broken - 1, broken + 3)] == [7, 1, 1, 1]
    for month in (broken + 3, broken + 11):
        widths = np.diff(history.ranges(month, 6))[:, 0]
        assert (widths[1:] * history.active[month] > 2 * size * np.arange(1, len(widths))).all(), "for each month ahead"
        assert 2 <= len(widths) < 7, "none wider than half of the projection"
    assert len(history.ranges(broken + 12, 6)) == 7
    assert np.diff(history.ranges(broken + 12, 1)[1])[0] * history.active[broken + 12] < size


# ---------------------------------------------------------------- as known then


@pytest.fixture(scope="module")
def late_decisions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[duckdb.DuckDBPyConnection, oracle.Data]]:
    """Licences valid from a day long before their decision, one of them next to one that was decided in time."""
    folder = put_good(tmp_path_factory.mktemp("late") / "incoming")
    names = ("0001", "0002", "0003")
    put(folder, "institutes.csv", [row("institutes", institute_code=code) for code in names])
    ways = {
        "0001": ("1398/01/20", "1398/02/10", "1398/02/10"),
        # Decided a year after it began to hold.
        "0002": ("1398/03/01", "1399/07/15", "1398/07/01"),
        "0003": ("1398/03/01", "1400/02/01", "1398/05/01"),
    }
    licences = [
        row("licences", application_no=f"L{code}", institute_code=code, applied_on="1398/01/05", file_complete_on=complete,
            decided_on=decided, valid_from=begins, valid_until="1409/01/01")
        for code, (complete, decided, begins) in ways.items()
    ]  # fmt: skip
    put(folder, "licences.csv", licences)
    people = []
    for at in range(40):
        code = names[at % 3]
        hired = date(2019, 6, 1) + timedelta(40 * at)
        left_on = (hired + timedelta(700)).isoformat() if at % 5 == 0 else ""
        gender = "female" if at % 4 else "male"
        person = row("personnel", national_id=national_id(100 + at), institute_code=code, hired_on=hired.isoformat(),
                  left_on=left_on, gender=gender)  # fmt: skip
        people.append(person)
        if at % 6 == 0:
            people.append(
                {**person, "institute_code": names[(at + 1) % 3], "hired_on": (hired + timedelta(9)).isoformat()}
            )
    put(folder, "personnel.csv", [*people, row("personnel")])
    built = build_tables(folder, day=date(2024, 6, 1))
    assert not built.rejected_rows()
    with access.connect(built.to, rights.ADMINISTRATOR) as con:
        yield con, oracle.read(folder, date(2024, 6, 1))[1]


@pytest.mark.slow
@pytest.mark.parametrize("where", [{}, {"gender": ("female",)}, {"institute": ("0001", "0003")}])
def test_past_months_use_only_what_was_known_then(late_decisions, where) -> None:
    con, data = late_decisions
    history = projection.history_of(con, con.publication.as_of, where)
    filters = {name: set(values) for name, values in where.items()}
    differences = 0
    for at in range(3, len(history.ends), 6):
        known = as_known_on(data, history.ends[at])
        expected = [oracle.STATES["active_assistants"](known, end, filters) for end in history.ends[: at + 1]]
        assert history.vintages[at, : at + 1].tolist() == expected
        differences += expected != history.active[: at + 1].tolist()
    assert differences >= 2, "what was decided later was not known"


# ---------------------------------------------------------------- a second computation


@pytest.mark.slow
def test_the_projection_is_that_of_the_oracle(con, data) -> None:
    as_of = publications.describe(con).as_of
    for day in (date(2025, 3, 20), as_of, date(2024, 8, 3))[: draws(1, 3)]:
        projected = {item["month"]: item for item in projection.projection(con, on=day).records()}
        path = outlook(data, day, 14)
        assert len(path) == 14
        shown = [item for item in path if item[0] in projected]
        assert len(shown) >= 12
        assert sum(low is not None for _, _, low, _ in shown) >= 9
        for month, *expected in shown:
            found = [projected[month][name] for name in ("projected", "projected_low", "projected_high")]
            assert found == pytest.approx(expected), month


@pytest.mark.slow
def test_the_back_test_is_the_projection_run_at_the_end_of_every_past_month(con, data) -> None:
    rows = {item["ahead"]: item for item in backtesting.backtest(con).records()}
    ends = month_ends(data, publications.describe(con).as_of)
    active = {end: oracle.STATES["active_assistants"](data, end, {}) for end in ends}
    for ahead in (1, 3):
        hits = ranges = 0
        misses = []
        for at in range(36, len(ends) - ahead):
            path = outlook(data, ends[at], ahead)
            _, stock, low, high = path[-1]
            actual = active[ends[at + ahead]]
            misses.append(abs(actual - stock) / max(stock, 1))
            if low is not None:
                ranges += 1
                hits += low <= actual <= high
        row_ = rows[ahead]
        assert (row_["backtest_months_inside"], row_["backtest_months"]) == (hits, ranges)
        assert row_["backtest_runs"] == len(misses)
        assert row_["backtest_miss"] == pytest.approx(sum(misses) / len(misses))
        assert ranges > 50


def test_the_range_never_narrows_and_holds_the_projection(con) -> None:
    months = projection.projection(con, on=date(2025, 3, 20)).records()
    rows = [row for row in months if row["projected_low"] is not None]
    assert len(rows) > 8
    widths = [(row["projected_high"] - row["projected_low"]) / row["projected"] for row in rows]
    assert all(after >= before - 1e-9 for before, after in pairwise(widths))
    assert all(row["projected_low"] <= row["projected"] <= row["projected_high"] for row in rows)


def test_the_pace_is_that_of_the_active(con) -> None:
    row_ = projection.pace(con).records()[0]
    for months in (6, 12):
        first, last = jalali.last_complete_months(publications.describe(con).as_of, months)
        change = (
            answers.ask(con, "active_assistants", on=last).value()
            - answers.ask(con, "active_assistants", on=first - jalali.DAY).value()
        )
        assert row_[f"actual_pace_{months}"] == pytest.approx(change / months)


def test_the_months_of_reaching_are_those_of_the_bounds() -> None:
    bounds = {"low": [80.0, 85.0, 100.0], "projected": [90.0, 99.0, 130.0], "high": [100.0, 120.0, 150.0]}
    points = pd.DataFrame({"month": ["1405-01", "1405-02", "1405-03"]} | bounds)
    assert projection.reached(points, 100) == ["1405-01", "1405-03", "1405-03"]
    assert projection.reached(points, 110) == ["1405-02", "1405-03", None]
    assert projection.reached(points, 1000) == [None, None, None]


@pytest.mark.parametrize(
    ("projected", "stays"),
    [
        ([90, 101, 99, 100], "1405-04"),
        ([90, 99, 100, 130], "1405-03"),
        ([120, 110, 100, 100], "1405-01"),
        ([90, 101, 102, 99], None),
        ([math.nan] * 4, None),
    ],
)
def test_a_target_is_held_from_the_month_after_which_the_projection_is_never_below_it(
    projected: list[float], stays: str | None
) -> None:
    points = pd.DataFrame({"month": [f"1405-0{month}" for month in range(1, 5)], "projected": projected})
    assert projection.stays_above(points, 100) == stays


@pytest.mark.parametrize(("goal", "months"), [(None, 13), (95.0, 13), (107.0, 20), (math.inf, 37)])
def test_months_are_shown_to_a_year_after_the_projection_reaches_the_goal_three_years_at_most(
    goal: float | None, months: int
) -> None:
    day = date(2026, 3, 30)
    units = list(islice(jalali.units_between(day, date.max, "month"), 50))
    projected = 100.0 + np.arange(50)
    points = pd.DataFrame({"month": [unit.label for unit in units], "projected": projected, "low": projected - 10})
    points["high"] = projected + 10
    none = projection.History([], [], np.array([]))
    shown = projection.months_shown(none, day, 100.0, points, goal)
    assert len(shown) == months
    assert shown.loc[0, ["month", "active", "low", "projected", "high"]].tolist() == ["1405-01", *[100.0] * 4]


def test_a_history_too_short_has_no_range_and_one_shorter_than_a_year_no_projection(con) -> None:
    begin = projection.history_of(con, con.publication.as_of, {}).ends[0]
    young = projection.projection(con, on=begin + timedelta(200)).records()
    assert all(row["projected"] is None for row in young[:-1])
    assert young[-1]["projected"] == young[-1]["active_assistants"]
    row_ = projection.pace(con, on=begin + timedelta(200)).records()[0]
    assert row_["actual_pace_12"] is None
    assert row_["projected_first"] is None
    later = projection.projection(con, on=begin + timedelta(500)).records()
    ahead = [row for row in later if row["active_assistants"] is None]
    assert len(ahead) >= 12
    assert all(row["projected"] is not None and row["projected_low"] is None for row in ahead)


# ---------------------------------------------------------------- what docs/numbers.md states


@thorough
@pytest.mark.slow
def test_the_figures_in_the_documents_are_those_of_the_sample(tmp_path: Path) -> None:
    """The back-test in docs/numbers.md is reproduced from the sample that it names; it beats a flat pace at 3 and 6 months."""
    stated = (ROOT / "docs" / "numbers.md").read_text(encoding="utf-8")
    match = re.search(r"etl sample DIR --seed 7 --day\s+(\d{4}-\d{2}-\d{2})", stated)
    assert match is not None
    day = match[1]
    words: tuple[list[str], ...] = (
        ["sample", str(tmp_path / "in"), "--seed", "7", "--day", day],
        ["build", str(tmp_path / "in"), "--to", str(tmp_path / "w.duckdb"), "--day", day],
        ["backtest", "--format", "json", "--from", str(tmp_path / "w.duckdb")],
    )
    for command in words:
        result = subprocess.run(
            [sys.executable, "-m", "etl", *command], cwd=ROOT, check=True, capture_output=True, text=True
        )
    rows = json.loads(result.stdout)
    for entry in rows:
        misses = f"{entry['backtest_miss']:.1%} | {entry['backtest_miss_flat']:.1%}"
        line = f"| {entry['ahead']} | {entry['backtest_inside']:.0%} | {misses} |"
        assert line.replace("%", " %") in stated
        assert 0.7 <= round(entry["backtest_inside"], 2) <= 0.9
        if entry["ahead"] in (3, 6):
            assert entry["backtest_miss"] < entry["backtest_miss_flat"]
    assert not math.isnan(rows[0]["backtest_miss"])
