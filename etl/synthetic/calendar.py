"""The Jalali calendar of the samples, separate from that of the pipeline, so that each checks the other."""

from collections.abc import Iterable
from datetime import date
from functools import cache

import numpy as np

from etl.core.paths import REFERENCE
from etl.core.places import reference_rows

_YEARS = range(1304, 1421)
_LEAP = (1, 5, 9, 13, 17, 22, 26, 30)  # the 33-year rule
_LENGTHS = [365 + (year % 33 in _LEAP) for year in _YEARS]
_STARTS = np.cumsum([0, *_LENGTHS[:-1]])
# The contract's anchor is 1 Farvardin 1404.
YEAR_STARTS = _STARTS - _STARTS[1404 - _YEARS.start] + date(2025, 3, 21).toordinal()
FIRST_ORDINAL = int(YEAR_STARTS[0])


def jalali_year(ordinals: np.ndarray) -> np.ndarray:
    """Jalali year of each day ordinal (as `date.toordinal`)."""
    return np.searchsorted(YEAR_STARTS, ordinals, side="right") + _YEARS.start - 1


@cache
def working_days() -> np.ndarray:
    """The ordinals of all working days of the nation: days that are not Fridays, holidays or closures."""
    days = np.arange(FIRST_ORDINAL, FIRST_ORDINAL + sum(_LENGTHS))
    off = [date.fromisoformat(row["date"]).toordinal() for row in reference_rows(REFERENCE / "calendar.csv")]
    # Ordinal 1 was a Monday.
    return days[(days % 7 != 5) & ~np.isin(days, off)]


def ordinal(year: int, month: int, day: int) -> int:
    """Day ordinal of a Jalali day."""
    before = (month - 1) * 31 if month <= 7 else 186 + (month - 7) * 30
    return int(YEAR_STARTS[year - _YEARS.start]) + before + day - 1


# The forms of a Jalali (j) or Gregorian (g) day; "cell" is a date in a workbook.
_FORMS = {
    "/": "{0:04d}/{1:02d}/{2:02d}", "1": "{0}/{1}/{2}", "-": "{0:04d}-{1:02d}-{2:02d}", "8": "{0:04d}{1:02d}{2:02d}",
}  # fmt: skip


def spelled_days(form: str) -> list[str]:
    """Every day from FIRST_ORDINAL on in one of the contract's forms, in Latin digits ('cell' as ISO text)."""
    days: Iterable[tuple[int, int, int]]
    if form[0] == "j":
        days = (
            (year, month, day)
            for year, length in zip(_YEARS, _LENGTHS, strict=True)
            for month, last in enumerate([31] * 6 + [30] * 5 + [length - 336], 1)
            for day in range(1, last + 1)
        )
    else:
        dates = map(date.fromordinal, range(FIRST_ORDINAL, FIRST_ORDINAL + sum(_LENGTHS)))
        days = ((when.year, when.month, when.day) for when in dates)
    pattern = _FORMS["-" if form == "cell" else form[1]]
    return [pattern.format(*day) for day in days]
