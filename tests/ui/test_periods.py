"""Periods of the address: the last Jalali year is offered by its number, beside the last months."""

from datetime import date

import pytest

from etl.core import jalali
from ui.state import periods


@pytest.mark.parametrize(
    ("as_of", "first", "last", "fa", "en"),
    [
        ("1405/09/10", "1404/01/01", "1404/12/29", "سال ۱۴۰۴", "Year 1404 (2025–26)"),
        ("1405/01/01", "1404/01/01", "1404/12/29", "سال ۱۴۰۴", "Year 1404 (2025–26)"),
        ("1404/12/29", "1403/01/01", "1403/12/30", "سال ۱۴۰۳", "Year 1403 (2024–25)"),
    ],
)
def test_the_last_jalali_year_is_a_period(as_of: str, first: str, last: str, fa: str, en: str) -> None:
    day = jalali.parse_day(as_of)
    assert "last_year" in periods.PRESETS
    assert periods.days("last_year", day) == (jalali.parse_day(first), jalali.parse_day(last))
    assert periods.named("last_year", day, "fa") == fa
    assert periods.named("last_year", day, "en") == en


@pytest.mark.parametrize("lang", ["fa", "en"])
def test_every_period_has_a_name_of_its_own(lang: str) -> None:
    names = [periods.named(kind, date(2026, 12, 1), lang) for kind in ("none", *periods.PRESETS, periods.DAYS)]
    assert len({*names}) == len(names)
    assert all(names)
