"""A period as an address writes it: the days it stands for, the same days a year earlier. Knows no Streamlit.

`year` is the Jalali year of the as-of day so far, a number so many complete Jalali months before it, `first..last` two
days. Nothing written is no period: each figure shows its own.
"""

from datetime import date

from etl.core.jalali import add_months, last_complete_months, unit_of
from pages.ui.i18n import text

# What is offered by name, in its order; `days` stands for two chosen days.
PRESETS = ("year", "12", "24", "36", "60", "120")
DAYS = "days"
# So many months flows are counted over where no period is on.
DEFAULT_MONTHS = 12


def written(first: date, last: date) -> str:
    """Two days as a period."""
    return f"{min(first, last).isoformat()}..{max(first, last).isoformat()}"


def known(period: str) -> str:
    """`period` as this file writes it; empty for what is none."""
    if period in PRESETS:
        return period
    first, dots, last = period.partition("..")
    try:
        days = (text.read_day(first), text.read_day(last)) if dots else None
    except ValueError:
        return ""
    return written(*days) if days and days[0] <= days[1] else ""


def within(period: str, first: date, last: date) -> str:
    """A known period of two days cut to those from `first` to `last`, none where nothing is left; any other as it is."""
    if kind(period) != DAYS:
        return period
    here = [date.fromisoformat(day) for day in period.split("..")]
    starts, ends = max(here[0], first), min(here[1], last)
    return written(starts, ends) if starts <= ends else ""


def kind(period: str) -> str:
    """The preset of a known period, `days` for two days, empty for none."""
    return DAYS if ".." in period else period


def days(period: str, as_of: date) -> tuple[date, date]:
    """First and last day of a known period that is not empty."""
    if period == "year":
        return unit_of(as_of, "year").first, as_of
    if period in PRESETS:
        return last_complete_months(as_of, int(period))
    first, _, last = period.partition("..")
    return date.fromisoformat(first), date.fromisoformat(last)


def year_before(over: tuple[date, date]) -> tuple[date, date]:
    """The same days one Jalali year earlier; a period up to the end of a month ends with that month a year before."""
    return add_months(over[0], -12), add_months(over[1], -12)
