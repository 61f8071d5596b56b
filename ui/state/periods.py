"""Periods in the form of the address, and their days. Independent of Streamlit.

`year` is the Jalali year to the as-of day, `last_year` the whole one before it, a number that many complete Jalali months
before it, `first..last` two days.
Empty means no period: each figure uses its default.
"""

from datetime import date

from etl.core import jalali
from etl.core.jalali import last_complete_months, unit_of
from etl.semantic import resolve
from ui.i18n import text

# The presets in display order; `days` stands for two chosen days.
PRESETS = ("year", "last_year", "12", "24", "36", "60", "120")
DAYS = "days"
# The months over which flows are counted if no period is chosen.
DEFAULT_MONTHS = resolve.DEFAULT_MONTHS


def written(first: date, last: date) -> str:
    return f"{min(first, last).isoformat()}..{max(first, last).isoformat()}"


def canonical(period: str) -> str:
    """`period` in canonical form; empty if it is not valid."""
    if period in PRESETS:
        return period
    first, dots, last = period.partition("..")
    try:
        days = (text.read_day(first), text.read_day(last)) if dots else None
    except ValueError:
        return ""
    return written(*days) if days and days[0] <= days[1] else ""


def within(period: str, first: date, last: date) -> str:
    """A valid period clipped to `first`..`last`, empty if nothing remains; presets are returned unchanged."""
    if kind(period) != DAYS:
        return period
    chosen = [date.fromisoformat(day) for day in period.split("..")]
    starts, ends = max(chosen[0], first), min(chosen[1], last)
    return written(starts, ends) if starts <= ends else ""


def kind(period: str) -> str:
    """The preset of a valid period, `days` for two days, empty for none."""
    return DAYS if ".." in period else period


def named(period: str, as_of: date, lang: str) -> str:
    """The name of a kind of period, also of none; that of the last year by its number."""
    year = days(period, as_of)[0] if period == "last_year" else as_of
    return text.word(f"period.{period}", lang, year=text.unit_in_both(unit_of(year, "year").label, lang))


def days(period: str, as_of: date) -> tuple[date, date]:
    """First and last day of a valid period that is not empty."""
    if period == "year":
        return unit_of(as_of, "year").first, as_of
    if period == "last_year":
        before = unit_of(unit_of(as_of, "year").first - jalali.DAY, "year")
        return before.first, before.last
    if period in PRESETS:
        return last_complete_months(as_of, int(period))
    first, _, last = period.partition("..")
    return date.fromisoformat(first), date.fromisoformat(last)
