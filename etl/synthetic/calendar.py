"""The Jalali calendar of the samples, separate from that of the pipeline, so that each checks the other."""

from datetime import date

import numpy as np

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


def jalali(ordinal: int) -> tuple[int, int, int]:
    """Year, month and day in the Jalali calendar of a day ordinal."""
    year = int(np.searchsorted(YEAR_STARTS, ordinal, side="right")) + _YEARS.start - 1
    days = ordinal - int(YEAR_STARTS[year - _YEARS.start])
    if days < 186:
        return year, days // 31 + 1, days % 31 + 1
    return year, (days - 186) // 30 + 7, (days - 186) % 30 + 1


def ordinal(year: int, month: int, day: int) -> int:
    """Day ordinal of a Jalali day."""
    before = (month - 1) * 31 if month <= 7 else 186 + (month - 7) * 30
    return int(YEAR_STARTS[year - _YEARS.start]) + before + day - 1


# The forms of a Jalali (j) or Gregorian (g) day; "cell" is a date in a workbook.
_FORMS = {
    "/": "{0:04d}/{1:02d}/{2:02d}", "1": "{0}/{1}/{2}", "-": "{0:04d}-{1:02d}-{2:02d}", "8": "{0:04d}{1:02d}{2:02d}",
}  # fmt: skip


def spell_day(day: int, form: str) -> str:
    """A day ordinal in one of the contract's forms, in Latin digits ('cell' as ISO text)."""
    if form[0] == "j":
        return _FORMS[form[1]].format(*jalali(day))
    when = date.fromordinal(day)
    return when.isoformat() if form == "cell" else _FORMS[form[1]].format(when.year, when.month, when.day)
