"""Jalali months of submissions: which can be submitted, and the day on which each is due."""

import re
from datetime import date

from etl.core import jalali
from etl.core.places import places
from etl.core.settings import Submission as Rules
from etl.extract.causes import because
from etl.submissions.refusals import BAD, declined
from etl.warehouse import official_calendar

_MONTH = re.compile(r"1[34][0-9]{2}-(0[1-9]|1[0-2])")


def month_of(text: str, today: date) -> jalali.Unit:
    """The Jalali month written as 1405-08. Raises Declined if it is none, or has not begun."""
    if isinstance(text, str) and _MONTH.fullmatch(text):
        unit = jalali.month(text)
        if unit.first <= today:
            return unit
    raise declined(BAD, because("submission_month"))


def province_of(text: object) -> str:
    """A province by its ISO code. Raises Declined."""
    if not isinstance(text, str) or text not in set(places().provinces.values()):
        raise declined(BAD, because("submission_place"))
    return text


def due(month: str, rules: Rules) -> date:
    """The last day on which the data of a month are in time."""
    last = jalali.month(month).last
    if not rules.due_working_days:
        return last + rules.due_day * jalali.DAY
    number = rules.due_working_days
    return official_calendar.working_days(last + jalali.DAY, last + (3 * number + 30) * jalali.DAY)[number - 1]


def latest_month(today: date) -> str:
    """The last Jalali month that has ended."""
    return jalali.unit_of(jalali.unit_of(today, "month").first - jalali.DAY, "month").label


def months_ended(today: date, count: int) -> list[str]:
    """The last Jalali months that have ended, the latest one last."""
    labels = [latest_month(today)]
    while len(labels) < count:
        unit = jalali.month(labels[-1])
        labels.append(jalali.unit_of(unit.first - jalali.DAY, "month").label)
    return labels[::-1]


def months_due(today: date, rules: Rules, count: int) -> list[str]:
    """The last months whose deadline has passed, the latest one last."""
    return [month for month in months_ended(today, count + 2) if due(month, rules) < today][-count:]


def working_days_to(day: date, today: date) -> int:
    """The working days from tomorrow to a day, itself included; 0 if it is past."""
    return len(official_calendar.working_days(today + jalali.DAY, day)) if day > today else 0
