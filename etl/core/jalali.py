"""Jalali and Gregorian days: parsing written days, and the bounds of Jalali months, quarters and years.

Days are Gregorian `datetime.date`. Jalali days follow the official 33-year rule, by persiantools.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache

import numpy as np
from persiantools.jdatetime import JalaliDate

DAY = timedelta(days=1)
FOREVER = date(9999, 12, 31)
UNITS = ("month", "quarter", "year")
# A twelfth of the mean Gregorian year.
DAYS_A_MONTH = 30.436875

# Years below this are Jalali: no register reaches back to the Gregorian year 1599.
_FIRST_GREGORIAN_YEAR = 1600
_WRITTEN = re.compile(r"([0-9]{4})([/-])([0-9]{1,2})\2([0-9]{1,2})")
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
# Further forms that clerks write.
_MIDNIGHT = re.compile(r"[ t]00:00:00(\.0+)?$")
_SPACED = re.compile(r" *([/.-]) *")
_DOTTED = re.compile(r"[0-9]+(\.[0-9]+){2}")
_DAY_FIRST = re.compile(r"([0-9]{1,2})([/-])([0-9]{1,2})\2([0-9]{4})")
_NAMED = re.compile(r"([0-9]{1,2}) ([^0-9 ]+) ([0-9]{4})")
_MONTHS = ("فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور", "مهر", "آبان", "آذر", "دی", "بهمن", "اسفند")


def parse_day(text: str) -> date:
    """The day written in `text` (Latin digits), Jalali or Gregorian.

    Raises ValueError for any other form and for a day that does not exist.
    """
    if match := _WRITTEN.fullmatch(text):
        year, month, day = int(match[1]), int(match[3]), int(match[4])
    elif match := _COMPACT.fullmatch(text):
        year, month, day = int(match[1]), int(match[2]), int(match[3])
    else:
        raise ValueError("not a day")
    if year < _FIRST_GREGORIAN_YEAR:
        return JalaliDate(year, month, day).to_gregorian()
    return date(year, month, day)


def read_day(text: str) -> tuple[date, tuple[str, ...]]:
    """The day written in a folded text, in a form of parse_day or a form that clerks use, and the names of those habits.

    Raises ValueError like parse_day. A day that comes first is read in Jalali years only: 03/04/2024 has two meanings.
    """
    habits = []
    if plain := _MIDNIGHT.sub("", text) if "00:00:00" in text else "":
        habits.append("date_with_time")
        text = plain
    if " " in text and (joined := _SPACED.sub(r"\1", text)) != text:
        habits.append("date_with_spaces")
        text = joined
    if _DOTTED.fullmatch(text):
        habits.append("date_with_dots")
        text = text.replace(".", "/")
    if (first := _DAY_FIRST.fullmatch(text)) and int(first[4]) < _FIRST_GREGORIAN_YEAR:
        habits.append("date_day_first")
        text = f"{first[4]}/{first[3]}/{first[1]}"
    elif (named := _NAMED.fullmatch(text)) and named[2] in _MONTHS and int(named[3]) < _FIRST_GREGORIAN_YEAR:
        habits.append("date_month_name")
        text = f"{named[3]}/{_MONTHS.index(named[2]) + 1}/{named[1]}"
    return parse_day(text), tuple(habits)


def days_of(years: np.ndarray, months: np.ndarray, days: np.ndarray) -> np.ndarray:
    """The date of each year, month and day by the rules of parse_day: datetime64[D], NaT for a date that does not exist."""
    dates = np.full(len(years), np.datetime64("NaT"), "datetime64[D]")
    is_jalali = years < _FIRST_GREGORIAN_YEAR
    starts = _jalali_years()
    year = np.where(is_jalali & (years >= 1), years, 1)
    long_months = np.minimum(np.maximum(months, 1), 7) - 1
    passed = (months - 1) * 30 + long_months
    leap = (starts[year + 1] - starts[year]) == np.timedelta64(366, "D")
    last = np.where(months <= 6, 31, np.where((months <= 11) | leap, 30, 29))
    right = is_jalali & (years >= 1) & (months >= 1) & (months <= 12) & (days >= 1) & (days <= last)
    dates[right] = (starts[year] + (passed + days - 1).astype("timedelta64[D]"))[right]

    right = ~is_jalali & (months >= 1) & (months <= 12)
    first = ((years - 1970) * 12 + months - 1).astype("datetime64[M]")
    length = (first + 1).astype("datetime64[D]") - first.astype("datetime64[D]")
    right &= (days >= 1) & (days <= length.astype(np.int64))
    dates[right] = (first.astype("datetime64[D]") + (days - 1).astype("timedelta64[D]"))[right]
    return dates


@cache
def _jalali_years() -> np.ndarray:
    """The first day of each Jalali year by its number, up to the first year read as Gregorian; 0 is not used."""
    starts = [np.datetime64(JalaliDate(year, 1, 1).to_gregorian()) for year in range(1, _FIRST_GREGORIAN_YEAR + 1)]
    return np.array([starts[0], *starts], dtype="datetime64[D]")


def month_starts(first_year: int, last_year: int) -> np.ndarray:
    """The first day of every month of the Jalali years, and of the one after them, as datetime64[D]."""
    years = np.repeat(np.arange(first_year, last_year + 1), 12)
    months = np.tile(np.arange(1, 13), last_year - first_year + 1)
    return days_of(np.append(years, last_year + 1), np.append(months, 1), np.ones(len(years) + 1, np.int64))


def add_months(day: date, months: int) -> date:
    """`day` plus whole Jalali months; the last day of a month becomes the last day of the other.

    Twelve Gregorian months before 30 Esfand of a leap year is 1 Farvardin: a year counted so holds no Nowruz, when most
    contracts end.
    """
    here = JalaliDate(day)
    year, month = divmod(here.year * 12 + here.month - 1 + months, 12)
    last = JalaliDate.days_in_month(month + 1, year)
    is_last = here.day == JalaliDate.days_in_month(here.month, here.year)
    return JalaliDate(year, month + 1, last if is_last else min(here.day, last)).to_gregorian()


@dataclass(frozen=True)
class Unit:
    """A Jalali month, quarter or year: its label (`1403-06`, `1403-Q2`, `1403`) and its first and last day."""

    label: str
    first: date
    last: date


@lru_cache(maxsize=1 << 13)
def unit_of(day: date, kind: str) -> Unit:
    """The Jalali unit of this kind (month, quarter or year) that contains `day`."""
    jalali = JalaliDate(day)
    if kind == "month":
        return _unit(f"{jalali.year}-{jalali.month:02}", jalali.year, jalali.month, 1)
    if kind == "quarter":
        quarter = (jalali.month - 1) // 3 + 1
        return _unit(f"{jalali.year}-Q{quarter}", jalali.year, quarter * 3 - 2, 3)
    return _unit(f"{jalali.year}", jalali.year, 1, 12)


def units_between(first: date, last: date, kind: str) -> Iterator[Unit]:
    """Every unit that overlaps the period from `first` to `last` (both included), in order."""
    day = first
    while day <= last:
        unit = unit_of(day, kind)
        yield unit
        day = unit.last + DAY


def last_complete_months(as_of: date, count: int) -> tuple[date, date]:
    """First and last day of the latest `count` Jalali months that have ended by `as_of`."""
    current = unit_of(as_of, "month")
    last = as_of if current.last == as_of else current.first - DAY
    first = last
    for _ in range(count):
        start = unit_of(first, "month").first
        first = start - DAY
    return start, last


def _unit(label: str, year: int, month: int, months: int) -> Unit:
    index = year * 12 + month - 1 + months
    first = JalaliDate(year, month, 1).to_gregorian()
    next_first = JalaliDate(index // 12, index % 12 + 1, 1).to_gregorian()
    return Unit(label, first, next_first - DAY)
