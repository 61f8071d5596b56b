"""What is dated and to come, as a calendar file (RFC 5545): releases, deadlines of submissions, ends of licences.

DTSTART;VALUE=DATE:20260913
SUMMARY:پایان مجوز نگهبانان پارس (0731)
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO

from icalendar import TRANSP, Calendar, Event

from etl.core import jalali
from etl.core.errors import AccessDenied, QuestionError
from etl.core.settings import Submission as Rules
from etl.semantic.answers import Answer
from etl.submissions import deadline
from ui.data import owed
from ui.data.ask import Ask, names
from ui.i18n import text
from ui.state import questions
from ui.state.scope import Scope

# The months whose deadlines are to come.
_MONTHS = 3


@dataclass(frozen=True)
class Dated:
    """A day and what is on it; `ident` is the same in every file, so that a calendar replaces what it has."""

    day: date
    ident: str
    words: str


def releases(lang: str) -> Iterator[Dated]:
    for day in owed.calendar():
        yield Dated(day, f"release-{day}", text.word("follow.release", lang))


def deadlines(lang: str, today: date, rules: Rules) -> Iterator[Dated]:
    """The deadlines that are to come, of months that have begun or begin soon."""
    month = jalali.unit_of(jalali.add_months(today, -_MONTHS), "month")
    while month.first <= jalali.add_months(today, _MONTHS):
        if (day := deadline.due(month.label, rules)) >= today:
            words = text.word("follow.deadline", lang, month=text.unit_label(month.label, lang))
            yield Dated(day, f"deadline-{month.label}", words)
        month = jalali.unit_of(month.last + jalali.DAY, "month")


def licences(scope: Scope, ask: Ask) -> tuple[list[Dated], Answer | None]:
    """The last days of licences within 90 days of the day of a scope, and their answer; none where it has no meaning."""
    try:
        answer, _ = questions.analyse_under(scope, ask, "licences_ending")
    except (AccessDenied, QuestionError):
        return [], None
    known = names(ask, scope.lang)["institute"]
    found = []
    for row in answer.records():
        code, day = row["institute"], row["licensed_until"]
        who = text.isolated(f"{known.get(code, '')} ({text.digits(code, scope.lang)})", scope.lang)
        found.append(Dated(day, f"licence-{code}-{day}", text.word("follow.licence_ends", scope.lang, who=who)))
    return found, answer


def write(to: BinaryIO, dated: list[Dated], name: str, about: str, lang: str) -> None:
    """Write a calendar file, of whole days that take nobody's time."""
    calendar = Calendar.new(name=name, description=about, language=lang, uid="policeyar")
    for one in sorted(dated, key=lambda one: (one.day, one.ident)):
        uid = f"{one.ident}@policeyar"
        calendar.add_component(Event.new(start=one.day, summary=one.words, uid=uid, transparency=TRANSP.TRANSPARENT))
    to.write(calendar.to_ical())
