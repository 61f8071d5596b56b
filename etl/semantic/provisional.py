"""Settled and provisional: the day up to which a metric can no longer change by itself."""

from datetime import date, timedelta

from etl.core import jalali
from etl.semantic.access import ScopedCursor
from etl.semantic.catalog import counts_a_year, provisional_days


def last_settled_day(on: date, provisional_days: int) -> date:
    """The last day whose events are settled on `on`.

    A leaver is dated the first day out, the day after the last day of service from which the days are counted.
    """
    return on - timedelta(days=max(provisional_days - 1, 0))


def settled_on(con: ScopedCursor, name: str, on: date | None = None) -> date | None:
    """The day to ask a metric on if it is a headline, compared, ranked or used for a pace on `on` (default: the as-of day).

    For a metric that stays provisional for some days this is the end of the last settled Jalali month, for any other `on`
    itself. One that counts 12 months is not asked on 30 Esfand (see nowruz.py). None if no month of the register is settled yet.
    """
    day = on or con.publication.as_of
    wait = provisional_days(name)
    if not wait:
        return day
    end = jalali.last_month_end(last_settled_day(day, wait))
    if jalali.is_leap_day(end) and counts_a_year(name):
        end = jalali.unit_of(end, "month").first - jalali.DAY
    return end if con.begins_on is not None and end >= con.begins_on else None
