"""Settled and provisional: figures of leavers end with the last month whose 90 days are over."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from etl.core import jalali
from etl.semantic import access, answers, rights
from etl.semantic.catalog import provisional_days
from etl.semantic.resolve import settled_on
from etl.warehouse import publications
from tests.loading import build_tables, national_id, put, put_good, row

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory):
    """Service until the last day of Tir 1404, and a person who returns 90 days after it."""
    folder = put_good(tmp_path_factory.mktemp("settling") / "incoming")
    end = date(2025, 7, 22)
    assert jalali.unit_of(end, "month").last == end
    leaving = [
        row("personnel", national_id=national_id(at), hired_on="1402/03/01", left_on="1404/04/31") for at in (21, 22)
    ]
    back = row("personnel", national_id=national_id(21), hired_on=(end + timedelta(90)).isoformat())
    # Known of the day before: a leaver is dated the first day out.
    put(
        folder,
        "personnel_3.csv",
        [row("personnel", national_id=national_id(23), hired_on=(end + timedelta(89)).isoformat())],
    )
    put(folder, "personnel_2.csv", leaving)
    early = build_tables(folder, to=folder.parent / "early.duckdb", day=end + timedelta(89))
    put(folder, "personnel_2.csv", [*leaving, back])
    late = build_tables(folder, to=folder.parent / "late.duckdb", day=end + timedelta(90))
    return early, late, end


def test_a_leaver_may_come_back_on_the_ninetieth_day_and_the_month_is_settled_after_it(built):
    early, late, end = built
    month = (jalali.unit_of(end + jalali.DAY, "month").first, end + jalali.DAY)
    with access.connect(early.to, rights.ADMINISTRATOR) as con:
        assert answers.ask(con, "leavers", over=month).value() == 2
    with access.connect(late.to, rights.ADMINISTRATOR) as con:
        assert answers.ask(con, "leavers", over=month).value() == 1
        # Somebody out since 1 Mordad may return until 90 days after the last of Tir: Tir is settled then.
        assert settled_on(con, "leavers", end + timedelta(90)) == end
        assert settled_on(con, "leaver_rate_12m", end + timedelta(89)) == end
        assert (
            settled_on(con, "leaver_rate_12m", end + timedelta(88)) == jalali.unit_of(end, "month").first - jalali.DAY
        )


def test_a_measure_that_cannot_change_later_is_asked_on_the_day_itself(built):
    with access.connect(built[1].to, rights.ADMINISTRATOR) as con:
        for name in ("active_assistants", "joiners", "training_compliance"):
            assert provisional_days(name) == 0
            assert settled_on(con, name, date(2025, 8, 3)) == date(2025, 8, 3)
        for name in ("leavers", "net_change", "leaver_rate_12m"):
            assert provisional_days(name) == 90


def test_a_register_of_which_no_month_is_settled_has_no_settled_day(built):
    with access.connect(built[1].to, rights.ADMINISTRATOR) as con:
        assert settled_on(con, "leavers", date(2023, 6, 1)) is None
        assert settled_on(con, "leavers", date(2023, 9, 20)) == date(2023, 6, 21)


def test_months_that_are_not_settled_are_provisional(built):
    with access.connect(built[1].to, rights.ADMINISTRATOR) as con:
        as_of = publications.describe(con).as_of
        over = (as_of - timedelta(300), as_of)
        last = settled_on(con, "leavers")
        assert last is not None
        provisional = answers.ask(con, "leavers", by=("month",), over=over).provisional
        units = list(jalali.units_between(*over, "month"))
        assert provisional == {unit.label for unit in units if unit.last > last}


def test_a_unit_that_the_period_cuts_is_provisional_and_a_complete_one_of_the_past_is_not(built):
    with access.connect(built[1].to, rights.ADMINISTRATOR) as con:
        as_of = publications.describe(con).as_of
        # A year before nothing can change any more: what is cut there is cut by the day asked.
        day = jalali.unit_of(as_of - timedelta(365), "month").first + timedelta(14)
        for names in (("joiners",), ("leavers",), ("joiners", "leavers", "in_service")):
            for unit in ("month", "quarter", "year"):
                answer = answers.ask(con, *names, by=(unit,), over=(day - timedelta(200), day))
                assert answer.provisional == {jalali.unit_of(day, unit).label}, names
        whole = jalali.unit_of(day, "month")
        assert answers.ask(con, "joiners", by=("month",), over=(day - timedelta(200), whole.last)).provisional == set()


def test_the_month_in_progress_is_measured_on_the_last_day_asked(built):
    """A trend to a day ends with the number of that day, not with that of the publication."""
    with access.connect(built[1].to, rights.ADMINISTRATOR) as con:
        as_of = publications.describe(con).as_of
        day = as_of - timedelta(1)
        for unit in ("month", "quarter", "year"):
            trend = answers.ask(con, "active_assistants", by=(unit,), over=(as_of - timedelta(400), day))
            assert trend.rows[-1][1] == answers.ask(con, "active_assistants", on=day).value()
