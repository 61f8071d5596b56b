"""Licensing cohorts: Aalen-Johansen by hand, against statsmodels, and against applications followed one by one."""

from __future__ import annotations

import random
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.survfunc import CumIncidenceRight

from etl.analysis import survival
from etl.core import jalali
from etl.semantic import answers
from etl.warehouse import publications
from tests.oracle import oracle
from tests.oracle.measures import unit_of, working_days

pytestmark = pytest.mark.slow

BUILD_DAY = date(2026, 6, 30)


# ---------------------------------------------------------------- the estimator


def curve_of(followed: list[tuple[int, int | None, int]], ends: int) -> pd.DataFrame:
    """The curve of cases: time, number of the event (None: censored), count."""
    cases = pd.DataFrame(followed, columns=["time", "end", "followed"])
    counts = cases[["time", "followed"]].assign(**{
        str(end): cases["followed"].where(cases["end"] == end, 0) for end in range(ends)
    })  # fmt: skip
    return survival.cumulative_incidence(counts.groupby("time").sum())


def test_two_ends_by_hand() -> None:
    """Ten files: 2 granted on day 3, 1 censored on it, 1 refused on 5, 1 granted and 1 refused on 8, the rest censored on 9.

    On 3 ten are at risk: 2/10. On 5 seven: 0.8 × 1/7. On 8 six, with 0.8 × 6/7 without an end so far: 24/35 × 1/6 each.
    """
    followed = [(3, 0, 2), (3, None, 1), (5, 1, 1), (8, 0, 1), (8, 1, 1), (9, None, 4)]
    curve = curve_of(followed, 2)
    assert curve["at_risk"].to_dict() == {3: 10, 5: 7, 8: 6, 9: 4}
    assert curve["0"].tolist() == pytest.approx([0.2, 0.2, 0.2 + 24 / 210, 0.2 + 24 / 210])
    assert curve["1"].tolist() == pytest.approx([0, 0.8 / 7, 0.8 / 7 + 24 / 210, 0.8 / 7 + 24 / 210])


def test_without_censoring_it_is_the_plain_share_and_with_one_end_kaplan_and_meiers() -> None:
    plain = curve_of([(1, 0, 3), (2, 1, 4), (2, 0, 1), (7, 1, 2)], 2)
    assert plain[["0", "1"]].iloc[-1].tolist() == pytest.approx([4 / 10, 6 / 10])
    # 6, 6, 6, 7 end, 6 and 9 are censored: 1 - 6/7 × ... of the drug trial of Freireich (1963), its first steps.
    curve = curve_of([(6, 0, 3), (6, None, 1), (7, 0, 1), (9, None, 1), (10, 0, 1), (11, None, 14)], 1)
    assert [round(1 - curve.loc[time, "0"], 3) for time in (6, 7, 10)] == [0.857, 0.807, 0.753]


@pytest.mark.parametrize("seed", range(20))
def test_the_curve_equals_that_of_statsmodels(seed: int) -> None:
    chance = random.Random(seed)
    ends = chance.randint(1, 3)
    # The library reports only the kinds of end that occur.
    cases = [(5, end) for end in range(ends)]
    cases += [(chance.randrange(40), chance.choice([None, *range(ends)])) for _ in range(chance.randint(1, 300))]
    curve = curve_of([(time, end, 1) for time, end in cases], ends)
    times = np.array([float(time) for time, _ in cases])
    status = np.array([0 if end is None else end + 1 for _, end in cases])
    expected = CumIncidenceRight(times, status)
    assert list(curve.index) == list(expected.times)
    for end in range(ends):
        assert curve[str(end)].tolist() == pytest.approx(expected.cinc[end].tolist())


# ---------------------------------------------------------------- the files of the register


def followed_one_by_one(
    data: oracle.Data, first: date, last: date, on: date, where: dict
) -> list[tuple[int, str | None]]:
    durations = []
    for licence in data.licences:
        complete = licence["file_complete_on"]
        institute = data.institutes[licence["institute_code"]]
        fits = all(institute[name] in values for name, values in where.items())
        if complete is not None and first <= complete <= min(last, on) and fits:
            is_decided = licence["outcome"] is not None and licence["decided_on"] <= on
            end = licence["decided_on"] if is_decided else on
            durations.append((working_days(data, licence, end), licence["outcome"] if is_decided else None))
    return durations


@pytest.mark.parametrize("where", [{}, {"activity": ("guarding", "patrol")}, {"province": ("IR-23",)}])
@pytest.mark.parametrize("ago", [0, 45, 700])
def test_the_cohort_is_that_of_files_followed_one_by_one(con, data, where, ago) -> None:
    on = publications.describe(con).as_of - timedelta(ago)
    over = jalali.last_complete_months(on, 12)
    files = followed_one_by_one(data, *over, on, where)
    answer = survival.licensing_cohort(con, on=on, where=where)
    assert answer.column("working_day") == list(range(121))
    free, shares = 1.0, dict.fromkeys(survival.OUTCOMES, 0.0)
    for row in answer.records():
        day = row["working_day"]
        at_risk = sum(time >= day for time, _ in files)
        ending = [outcome for time, outcome in files if time == day and outcome is not None]
        for outcome in ending:
            shares[outcome] += free / at_risk
        free *= 1 - len(ending) / at_risk if at_risk else 1
        assert row["files_followed"] == at_risk
        assert row["files_granted_by"] == pytest.approx(shares["granted"])
        assert row["files_refused_by"] == pytest.approx(shares["refused"])
        assert row["files_withdrawn_by"] == pytest.approx(shares["withdrawn"])
        assert row["files_decided_by"] == pytest.approx(shares["granted"] + shares["refused"])


def test_nothing_is_said_of_days_on_which_no_file_is_followed(con, data) -> None:
    on = publications.describe(con).as_of
    over = jalali.last_complete_months(on, 2)
    last = max(time for time, _ in followed_one_by_one(data, *over, on, {}))
    decided = survival.licensing_cohort(con, on=on, over=over).column("files_decided_by")
    assert 0 < last < 120
    assert [share is None for share in decided] == [False] * (last + 1) + [True] * (120 - last)


def test_the_times_are_read_off_the_curve(con) -> None:
    curve = {row["working_day"]: row["files_decided_by"] for row in survival.licensing_cohort(con).records()}
    times = survival.licensing_times(con).records()[0]
    assert times["files_within_25"] == pytest.approx(curve[25])
    for name, part in (("files_median", 0.5), ("files_p90", 0.9)):
        time = times[name]
        if time is None:
            assert all(share is None or share < part for share in curve.values())
        else:
            assert curve[time] >= part > (curve[time - 1] if time else 0)
    over = jalali.last_complete_months(publications.describe(con).as_of, 12)
    assert times["files_complete"] == answers.ask(con, "files_complete", over=over).value()


def test_a_period_of_its_own_is_followed_up_to_the_day(con, data) -> None:
    over = (date(2024, 1, 1), date(2024, 3, 31))
    on = date(2024, 4, 15)
    answer = survival.licensing_cohort(con, on=on, over=over)
    files = followed_one_by_one(data, *over, on, {})
    assert answer.records()[0]["files_followed"] == len(files)
    assert answer.over == over


def test_without_complete_files_there_is_no_curve(con) -> None:
    over = (date(1990, 1, 1), date(1990, 12, 31))
    assert survival.licensing_times(con, over=over).records()[0] == {
        "files_median": None, "files_p90": None, "files_within_25": None, "files_complete": 0}  # fmt: skip
    assert all(row["files_decided_by"] is None for row in survival.licensing_cohort(con, over=over).records())


# ---------------------------------------------------------------- institutes


def test_institutes_of_a_year_are_followed_one_by_one(con, data) -> None:
    on = publications.describe(con).as_of
    answer = survival.institute_survival(con, least=1)
    rows = {(row["founded_year"], row["years"]): row for row in answer.records()}
    assert any(row["institute_survival"] < 1 for row in rows.values())
    for (year, years), row in rows.items():
        lives = []
        for institute in data.institutes.values():
            founded = institute["founded_on"]
            if founded is None or unit_of(founded, "year") != year or founded > on:
                continue
            closed_on = institute["status_since"] if institute["status"] in ("closed", "revoked") else None
            end = closed_on if closed_on is not None and closed_on <= on else None
            lives.append((((end or on) - founded).days, end is not None))
        limit = int(years * 365.2425)
        staying = 1.0
        for time in sorted({time for time, end in lives if end and time <= limit}):
            at_risk = sum(other >= time for other, _ in lives)
            staying *= 1 - sum(end and other == time for other, end in lives) / at_risk
        assert row["institute_survival"] == pytest.approx(staying)
        assert row["institutes_followed"] == sum(time >= limit for time, _ in lives) >= 1
