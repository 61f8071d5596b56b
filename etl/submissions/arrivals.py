"""What has come in of each province and month, and what is owed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from etl.core import jalali
from etl.submissions import deadline
from etl.submissions.desk import Desk, Reader, passable
from etl.submissions.ledger import Ledger, ledger, states
from etl.submissions.records import Submission

# Of a month: all tables in by the deadline, some after it, declared unchanged, some owed, the deadline still to come.
CELLS = ("on_time", "late", "no_change", "missing", "open")
_HANDED_IN = ("submitted", "approved", "published")
# So many working days before the deadline who owes tables is reminded.
_REMIND_WORKING_DAYS = 5
# Of so many months a clerk is told what is still open.
_MONTHS_OPEN = 4


def counts(one: Submission) -> bool:
    """Whether a submission counts as submitted; a published one still does once a later one of its month supersedes it."""
    return one.state in _HANDED_IN or (one.state == "superseded" and bool(one.publication))


def arrived(desk: Desk, month: str, submissions: Iterable[Submission]) -> Ledger:
    """What was submitted for a month: what the matrix, the calendar, Quality and reminders tell."""
    return ledger((one for one in submissions if one.month == month and counts(one)), desk.rules)


def of_month(month: str, submissions: Iterable[Submission]) -> dict[str, list[Submission]]:
    """The submissions of a month by province."""
    found: dict[str, list[Submission]] = {}
    for one in submissions:
        if one.month == month:
            found.setdefault(one.province, []).append(one)
    return found


def to_decide(submissions: Iterable[Submission]) -> tuple[list[Submission], list[Submission]]:
    """What waits for a steward: submissions to approve or return, the first one first, and checks to let pass."""
    every = [*submissions]
    submitted = sorted((one for one in every if one.state == "submitted"), key=lambda one: one.submitted_at)
    return submitted, [one for one in every if one.state == "to_correct" and passable(one.result) and not one.let_pass]


def waiting(desk: Desk, who: Reader, today: date) -> int:
    """How many submissions wait for a person: for a steward's decision, and for a clerk to correct or submit them."""
    found: set[str] = set()
    if who.is_steward:
        every = desk.records.all("submitted", "to_correct")
        submitted, stopped = to_decide(one for one in every if one.province in who.provinces)
        found |= {one.id for one in [*submitted, *stopped]}
    since = deadline.months_ended(today, _MONTHS_OPEN)[0]
    for ident, province, state in desk.records.newest(since):
        is_own = province in who.provinces and (who.is_alone or not who.stands_in_for(province))
        if is_own and state in ("to_correct", "ready", "returned"):
            found.add(ident)
    return len(found)


@dataclass(frozen=True)
class Calendar:
    """The completeness of months: a cell of CELLS and the number of tables owed, by province and month."""

    months: Sequence[str]
    cells: Mapping[tuple[str, str], tuple[str, int]]


def calendar(desk: Desk, submissions: Sequence[Submission], provinces: Collection[str], today: date) -> Calendar:
    """The months from the first with a submission, at most twelve, to the last that has ended."""
    months = [month for month in deadline.months_ended(today, 12) if any(one.month <= month for one in submissions)]
    cells = {}
    for month in months:
        here = arrived(desk, month, submissions)
        is_over = deadline.due(month, desk.rules) < today
        for province in provinces:
            cells[province, month] = _cell([*states(here, province).values()], is_over)
    return Calendar(months, cells)


def _cell(found: Sequence[str], is_over: bool) -> tuple[str, int]:
    owed = found.count("missing")
    if owed:
        return ("missing" if is_over else "open"), owed
    if set(found) == {"no_change"}:
        return "no_change", 0
    return ("late" if "late" in found else "on_time"), 0


@dataclass(frozen=True)
class Owed:
    """What provinces owe for a month: those that lack tables, and of these those whose data went back."""

    month: str
    due: date
    provinces: Sequence[str]
    returned: Sequence[str]


def owed(desk: Desk, submissions: Sequence[Submission], provinces: Collection[str], today: date) -> Owed | None:
    """What is owed of the latest month whose deadline has passed or is at most five working days away.

    None where nothing is owed, and where nobody has submitted anything yet: data may then come by hand.
    """
    months = [jalali.unit_of(today, "month").label, *reversed(deadline.months_ended(today, 3))]
    dues = {month: deadline.due(month, desk.rules) for month in months}
    near = [month for month in months if deadline.working_days_to(dues[month], today) <= _REMIND_WORKING_DAYS]
    if not submissions or not near:
        return None
    here = of_month(near[0], submissions)
    entries = arrived(desk, near[0], submissions)
    lacking = [code for code in sorted(provinces) if "missing" in states(entries, code).values()]
    returned = [code for code in lacking if any(one.state == "returned" for one in here.get(code, ()))]
    return Owed(near[0], dues[near[0]], lacking, returned) if lacking else None
