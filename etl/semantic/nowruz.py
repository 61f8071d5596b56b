"""Twelve months without a Nowruz: months are added in the Gregorian calendar, and a leap year ends a day later.

Most contracts end at Nowruz, so the events of the 12 months to 30 Esfand are too few to be compared with other months.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from persiantools.jdatetime import JalaliDate

from etl.semantic.answers import Answer
from etl.semantic.catalog import catalogue, counts_a_year

_Answer = TypeVar("_Answer", bound=Answer)


def comparable(answer: _Answer) -> _Answer:
    """The answer, without the numbers that count 12 months without a Nowruz: they are None. The same one if it has none."""
    names = [metric.name for metric in answer.metrics if metric.name in catalogue() and counts_a_year(metric.name)]
    positions = set(map(answer.columns.index, names))
    times = [answer.by.index(unit) for unit in ("month", "quarter", "year") if unit in answer.by]
    if not positions or not times:
        return answer

    def kept(row: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(None if i in positions else value for i, value in enumerate(row))

    rows = [kept(row) if _ends_a_leap_year(answer, str(row[times[0]])) else row for row in answer.rows]
    return replace(answer, rows=rows) if rows != answer.rows else answer


def _ends_a_leap_year(answer: Answer, label: str) -> bool:
    """Whether a Jalali unit of time is measured on 30 Esfand."""
    year, _, unit = label.partition("-")
    if unit not in ("", "12", "Q4") or not JalaliDate.is_leap(int(year)):
        return False
    return JalaliDate(int(year), 12, 30).to_gregorian() <= answer.publication.as_of
