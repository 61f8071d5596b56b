"""Jalali and Gregorian days: parsing written days, and the bounds of Jalali months, quarters and years.

Days are Gregorian `datetime.date`. Jalali days follow the official 33-year rule, by persiantools.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from persiantools.jdatetime import JalaliDate

DAY = timedelta(days=1)
_MONTHS_IN = {"month": 1, "quarter": 3, "year": 12}
# A twelfth of the mean Gregorian year.
DAYS_A_MONTH = 30.436875

# Years below this are Jalali: no register reaches back to the Gregorian year 1599.
_FIRST_GREGORIAN_YEAR = 1600
_WRITTEN = re.compile(r"(?P<year>[0-9]{4})(?P<mark>[/-])(?P<month>[0-9]{1,2})(?P=mark)(?P<day>[0-9]{1,2})")
_COMPACT = re.compile(r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})")
# Further forms that clerks write.
_MIDNIGHT = re.compile(r"[ t](0?0:00(:00(\.0+)?)?|12:00(:00)? (am|ق\.ظ))$")
_SPACED = re.compile(r" *([/.-]) *")
_DOTTED = re.compile(r"[0-9]+(\.[0-9]+){2}")
_DAY_FIRST = re.compile(r"([0-9]{1,2})([/-])([0-9]{1,2})\2([0-9]{4})")
_NAMED = re.compile(r"([0-9]{1,2}) ([^0-9 ]+) ([0-9]{4})")
_MONTHS = ("فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور", "مهر", "آبان", "آذر", "دی", "بهمن", "اسفند")


class AmbiguousDay(ValueError):
    """A Gregorian day written day or month first: 03/04/2024 is a day of March in America, of April elsewhere."""


def parse_day(text: str) -> date:
    """The day written in `text` (Latin digits), Jalali or Gregorian.

    Raises ValueError for any other form and for a day that does not exist.
    """
    match = _WRITTEN.fullmatch(text) or _COMPACT.fullmatch(text)
    if not match:
        raise ValueError("not a day")
    year, month, day = (int(match[name]) for name in ("year", "month", "day"))
    if year < _FIRST_GREGORIAN_YEAR:
        return JalaliDate(year, month, day).to_gregorian()
    return date(year, month, day)


def read_day(text: str) -> tuple[date, tuple[str, ...]]:
    """The day written in a folded text, in a form of parse_day or a form that clerks use, and the names of those habits.

    Raises ValueError like parse_day, and AmbiguousDay for a year of the Gregorian calendar that comes last.
    """
    habits = []
    if ":" in text and (plain := _MIDNIGHT.sub("", text)) != text:
        habits.append("date_with_time")
        text = plain
    if " " in text and (joined := _SPACED.sub(r"\1", text)) != text:
        habits.append("date_with_spaces")
        text = joined
    if _DOTTED.fullmatch(text):
        habits.append("date_with_dots")
        text = text.replace(".", "/")
    if first := _DAY_FIRST.fullmatch(text):
        if int(first[4]) >= _FIRST_GREGORIAN_YEAR:
            raise AmbiguousDay("day or month first")
        habits.append("date_day_first")
        text = f"{first[4]}/{first[3]}/{first[1]}"
    elif (named := _NAMED.fullmatch(text)) and named[2] in _MONTHS and int(named[3]) < _FIRST_GREGORIAN_YEAR:
        habits.append("date_month_name")
        text = f"{named[3]}/{_MONTHS.index(named[2]) + 1}/{named[1]}"
    return parse_day(text), tuple(habits)


def add_months(day: date, months: int) -> date:
    """`day` plus whole Gregorian months; 31 January + 1 is the last day of February."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def is_leap_day(day: date) -> bool:
    """Whether `day` is 30 Esfand, which only leap years have."""
    jalali = JalaliDate(day)
    return (jalali.month, jalali.day) == (12, 30)


def year_before(day: date) -> date:
    """The same Jalali day a year earlier; for 30 Esfand the 29th."""
    jalali = JalaliDate(day)
    day_before = 29 if is_leap_day(day) else jalali.day
    return JalaliDate(jalali.year - 1, jalali.month, day_before).to_gregorian()


@dataclass(frozen=True)
class Unit:
    """A Jalali month, quarter or year: its label (`1403-06`, `1403-Q2`, `1403`) and its first and last day."""

    label: str
    first: date
    last: date


@lru_cache(maxsize=1 << 13)
def unit_of(day: date, kind: str) -> Unit:
    """The Jalali unit of this kind (month, quarter or year) that contains `day`."""
    jalali, length = JalaliDate(day), _MONTHS_IN[kind]
    # The months of the year before the unit, and up to its end.
    before = (jalali.month - 1) // length * length
    until = before + length
    labels = {"month": f"-{until:02}", "quarter": f"-Q{until // 3}", "year": ""}
    first = JalaliDate(jalali.year, before + 1, 1).to_gregorian()
    next_first = JalaliDate(jalali.year + until // 12, until % 12 + 1, 1).to_gregorian()
    return Unit(f"{jalali.year}{labels[kind]}", first, next_first - DAY)


def month(label: str) -> Unit:
    """The Jalali month of a label (`1403-06`)."""
    return unit_of(parse_day(f"{label.replace('-', '/')}/01"), "month")


def units_between(first: date, last: date, kind: str) -> Iterator[Unit]:
    """Every unit that overlaps the period from `first` to `last` (both included), in order."""
    day = first
    while day <= last:
        unit = unit_of(day, kind)
        yield unit
        day = unit.last + DAY


def period_year_before(over: tuple[date, date]) -> tuple[date, date]:
    """The same days one Jalali year earlier; a period up to the end of a month ends with that month a year before."""
    return _day_year_before(over[0]), _day_year_before(over[1])


def _day_year_before(day: date) -> date:
    before = year_before(day)
    return unit_of(before, "month").last if unit_of(day, "month").last == day else before


def last_month_end(day: date) -> date:
    """The last day, up to `day`, that is the end of a Jalali month."""
    month = unit_of(day, "month")
    return day if month.last == day else month.first - DAY


def last_complete_months(as_of: date, count: int) -> tuple[date, date]:
    """First and last day of the latest `count` Jalali months that have ended by `as_of`."""
    first = unit_of(as_of + DAY, "month").first
    last = first - DAY
    for _ in range(count):
        first = unit_of(first - DAY, "month").first
    return first, last


def last_complete_quarters(as_of: date, count: int) -> tuple[date, date]:
    """First and last day of the latest `count` Jalali quarters that have ended by `as_of`."""
    return last_complete_months(unit_of(as_of + DAY, "quarter").first - DAY, 3 * count)
