"""Every day of 150 Jalali years against a second computation, in each written form; the bounds of months and quarters."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.core import jalali

# Of every 33 years these eight are leap years: the rule of printed calendars.
LEAP = {1, 5, 9, 13, 17, 22, 26, 30}
FIRST = date(1921, 3, 21)  # 1 Farvardin 1300
KNOWN = {
    (1300, 1, 1): FIRST,
    (1357, 11, 22): date(1979, 2, 11),
    (1399, 12, 30): date(2021, 3, 20),
    (1403, 12, 30): date(2025, 3, 20),
    (1404, 1, 1): date(2025, 3, 21),
}


def is_leap(year: int) -> bool:
    return year % 33 in LEAP


def months(year: int) -> list[int]:
    return [31] * 6 + [30] * 5 + [30 if is_leap(year) else 29]


def calendar(first: int = 1300, last: int = 1450) -> Iterator[tuple[int, int, int, date]]:
    """Every Jalali day, counted one by one from a known day."""
    day = FIRST
    for year in range(first, last + 1):
        for month, length in enumerate(months(year), 1):
            for number in range(1, length + 1):
                yield year, month, number, day
                day += timedelta(1)


def test_the_second_computation_knows_days_that_everybody_knows():
    computed = {(year, month, number): day for year, month, number, day in calendar()}
    assert len(computed) == 55_152
    assert {key: computed[key] for key in KNOWN} == KNOWN


@pytest.mark.slow
def test_every_jalali_day_is_read_in_each_of_its_forms():
    for year, month, number, day in calendar():
        assert jalali.parse_day(f"{year}/{month:02}/{number:02}") == day
        assert jalali.parse_day(f"{year}/{month}/{number}") == day
        assert jalali.parse_day(f"{year}-{month:02}-{number:02}") == day
        assert jalali.parse_day(f"{year}{month:02}{number:02}") == day


@pytest.mark.slow
def test_every_gregorian_day_is_read_in_each_of_its_forms():
    for ordinal in range(date(1899, 12, 30).toordinal(), date(2101, 1, 2).toordinal()):
        day = date.fromordinal(ordinal)
        assert jalali.parse_day(day.isoformat()) == day
        assert jalali.parse_day(f"{day:%Y%m%d}") == day
        assert jalali.parse_day(f"{day.year}/{day.month}/{day.day}") == day
        assert jalali.parse_day(f"{day:%Y/%m/%d}") == day


def test_no_day_that_does_not_exist_is_read():
    for year in range(1300, 1451):
        for month, length in enumerate(months(year), 1):
            for number in (0, *range(length + 1, 33)):
                with pytest.raises(ValueError, match=r".*"):
                    jalali.parse_day(f"{year}/{month:02}/{number:02}")
        for month in (0, 13, 99):
            with pytest.raises(ValueError, match=r".*"):
                jalali.parse_day(f"{year}/{month:02}/01")


@pytest.mark.parametrize(
    "text",
    [
        "", "1403", "1403/6", "1403/06/31/1", "1403/06-31", "1403-06/31", "1403.06.31", "03/06/31", "98/05/12", "31/06/1403",
        "45123", "45123.0", "1403/12/31", "1402/12/30", "2023/02/29", "2023/02/30", "2023-13-01", "140306311", "1403063",
        "0000/01/01", "1403/06/31 10:00", "1403//31", "+1403/06/31", "1403/006/31", "2024-01-01T00:00:00", "1.4E+07",
    ],
)  # fmt: skip
def test_what_is_no_day_is_refused(text):
    with pytest.raises(ValueError, match=r".*"):
        jalali.parse_day(text)


def test_months_begin_on_their_first_days():
    *_, last = (day for *_, day in calendar())
    months = list(jalali.units_between(FIRST, last, "month"))
    assert [month.first for month in months] == [day for _, _, number, day in calendar() if number == 1]
    assert months[-1].last == last


@given(st.dates(date(1950, 1, 1), date(2100, 1, 1)), st.sampled_from(["month", "quarter", "year"]))
def test_a_unit_holds_its_day_and_meets_its_neighbours(day, kind):
    unit = jalali.unit_of(day, kind)
    assert unit.first <= day <= unit.last
    assert jalali.unit_of(unit.first, kind) == jalali.unit_of(unit.last, kind) == unit
    assert jalali.unit_of(unit.last + timedelta(1), kind).first == unit.last + timedelta(1)


def test_units_are_named_as_the_contract_names_them():
    day = date(2024, 9, 21)  # 31 Shahrivar 1403
    assert [jalali.unit_of(day, kind).label for kind in ("month", "quarter", "year")] == ["1403-06", "1403-Q2", "1403"]
    assert jalali.unit_of(day, "quarter").last == day


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        (date(2023, 1, 31), 1, date(2023, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2024, 12, 31), 2, date(2025, 2, 28)),
        (date(2024, 3, 31), -1, date(2024, 2, 29)),
        (date(2024, 12, 15), 1, date(2025, 1, 15)),
    ],
)
def test_months_are_added_in_the_gregorian_calendar(day, months, then):
    assert jalali.add_months(day, months) == then


def test_complete_months_end_before_the_one_that_is_not_over():
    assert jalali.last_complete_months(date(2024, 9, 21), 1) == (date(2024, 8, 22), date(2024, 9, 21))
    assert jalali.last_complete_months(date(2024, 9, 20), 1) == (date(2024, 7, 22), date(2024, 8, 21))
    assert jalali.last_complete_months(date(2024, 9, 20), 12) == (date(2023, 8, 23), date(2024, 8, 21))


def test_a_quarter_is_complete_with_its_last_day() -> None:
    """Summer of 1403 ends on 31 Shahrivar, 21 September 2024."""
    assert jalali.last_complete_quarters(date(2024, 9, 21), 1) == (date(2024, 6, 21), date(2024, 9, 21))
    assert jalali.last_complete_quarters(date(2024, 9, 20), 1) == (date(2024, 3, 20), date(2024, 6, 20))
    for year in range(1390, 1420):
        on = jalali.unit_of(date(year + 621, 12, 25), "month").first
        quarters = [*jalali.units_between(*jalali.last_complete_quarters(on, 12), "quarter")]
        assert len(quarters) == 12
        assert quarters[-1].last + jalali.DAY == on
