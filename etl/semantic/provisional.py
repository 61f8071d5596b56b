"""Settled, provisional and comparable: until when a metric can still change by itself, and 12 months without a Nowruz.

Months are added in the Gregorian calendar, and a leap year ends a day later. Most contracts end at Nowruz, so the events of
the 12 months to 30 Esfand are too few to be compared with other months.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from persiantools.jdatetime import JalaliDate

from etl.core import jalali
from etl.semantic.access import ScopedCursor
from etl.semantic.catalog import TIME, catalogue, counts_a_year, provisional_days


def last_settled_day(on: date, provisional_days: int) -> date:
    """The last day whose events are settled on `on`.

    A leaver is dated the first day out, the day after the last day of service from which the days are counted.
    """
    return on - timedelta(days=max(provisional_days - 1, 0))


def settled_on(con: ScopedCursor, name: str, on: date | None = None) -> date | None:
    """The day to ask a metric on if it is a headline, compared, ranked or used for a pace on `on` (default: the as-of day).

    For a metric that stays provisional for some days this is the end of the last settled Jalali month, for any other `on`
    itself. One that counts 12 months is asked on 29 Esfand rather than on the 30th (`comparable`). None if no month of the
    register is settled yet.
    """
    day = on or con.publication.as_of
    wait = provisional_days(name)
    if not wait:
        return day
    end = jalali.last_month_end(last_settled_day(day, wait))
    if jalali.is_leap_day(end) and counts_a_year(name):
        end -= jalali.DAY
    return end if con.begins_on is not None and end >= con.begins_on else None


if TYPE_CHECKING:
    from etl.semantic.answers import Answer

_Answer = TypeVar("_Answer", bound="Answer")


def comparable(answer: _Answer) -> _Answer:
    """The answer, without the numbers that count 12 months without a Nowruz: they are None. The same one if it has none."""
    names = [metric.name for metric in answer.metrics if metric.name in catalogue() and counts_a_year(metric.name)]
    positions = set(map(answer.columns.index, names))
    times = [answer.by.index(unit) for unit in TIME if unit in answer.by]
    if not positions or not times:
        return answer

    def kept(row: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(None if i in positions else value for i, value in enumerate(row))

    rows = [kept(row) if _ends_a_leap_year(answer, str(row[times[0]])) else row for row in answer.rows]
    return replace(answer, rows=rows) if rows != answer.rows else answer


def _ends_a_leap_year(answer: "Answer", label: str) -> bool:
    """Whether a Jalali unit of time is measured on 30 Esfand."""
    year, _, unit = label.partition("-")
    if unit not in ("", "12", "Q4") or not JalaliDate.is_leap(int(year)):
        return False
    return JalaliDate(int(year), 12, 30).to_gregorian() <= answer.publication.as_of
