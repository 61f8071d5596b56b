"""The ledger: what counts of each table of a province, and one rule for it: the later month counts, and in a month the later
number.

Example: Fars submitted all four tables for Mehr, and courses again for Aban. The ledger holds institutes, licences and
personnel of Mehr, and training of Aban. What a submission declares unchanged stands for its month and takes no file away.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from etl.core.settings import Submission as Rules
from etl.extract.contract import TABLES
from etl.submissions import deadline
from etl.submissions.records import Submission


@dataclass(frozen=True)
class Entry:
    """What counts of a table of a province.

    `month`: the latest month that it stands for, and `arrival`, how it arrived for that: in, late or no_change. `submission`:
    whose files count (empty: none, it was only declared); `said_by`: the last one that says anything of the table.
    """

    month: str
    arrival: str
    submission: str
    order: tuple[str, int]
    said_by: str
    at: float


Ledger = Mapping[tuple[str, str], Entry]


def order_of(one: Submission) -> tuple[str, int]:
    """By which of two submissions of a province the later one counts."""
    return one.month, one.number


def ledger(submissions: Iterable[Submission], rules: Rules) -> Ledger:
    """What counts of these submissions, by province and table."""
    entries: dict[tuple[str, str], Entry] = {}
    for one in sorted(submissions, key=order_of):
        for table, arrival in arrivals(one, rules).items():
            if arrival == "missing":
                continue
            before = entries.get((one.province, table))
            is_file = table in one.tables
            if before and before.month == one.month:
                # A correction makes nothing late; a file after a declaration is in.
                arrival = before.arrival if before.arrival != "no_change" or not is_file else "in"
            entries[one.province, table] = Entry(
                one.month,
                arrival,
                one.id if is_file else before.submission if before else "",
                order_of(one) if is_file or not before else before.order,
                one.id,
                one.decided_at or one.submitted_at,
            )
    return entries


def arrivals(one: Submission, rules: Rules) -> dict[str, str]:
    """How each table of a submission arrived: missing, in, late or no_change."""
    due = deadline.due(one.month, rules)
    states = dict.fromkeys(TABLES, "missing") | dict.fromkeys(one.unchanged, "no_change")
    for file in one.files:
        # A file of a draft is not submitted yet.
        is_late = datetime.fromtimestamp(max(file.at, one.submitted_at)).date() > due
        for table in file.table.split():
            if table in states:
                states[table] = "late" if is_late else "in"
    return states


def counting(entries: Ledger, one: Submission) -> set[str]:
    """The tables of a submission of which its files count."""
    return {
        table for table in one.tables if (entry := entries.get((one.province, table))) and entry.submission == one.id
    }


def overtaken(entries: Ledger, one: Submission) -> set[str]:
    """The tables of a submission of which a later one counts."""
    return {
        table
        for table in one.tables
        if (entry := entries.get((one.province, table))) and entry.submission and entry.order > order_of(one)
    }


def is_superseded(one: Submission, others: Iterable[Submission], rules: Rules) -> bool:
    """Whether later submissions of its province and month say all that a submission says; a declaration takes no file away."""
    later = [other for other in others if other.province == one.province and other.month == one.month]
    later = [other for other in later if other.number > one.number]
    entries = ledger([one, *later], rules)
    is_said = any(entries[one.province, table].said_by == one.id for table in one.unchanged)
    return bool(later) and not counting(entries, one) and not is_said


def behind(entries: Ledger) -> list[str]:
    """Which provinces sent nothing of a table for the month that most of them have reached: a line each, by province.

    Their earlier files go on counting, and no build says so.
    """
    return [
        f"{province}: {', '.join(found)} of {month}, where most provinces have sent {usual}"
        for (province, month, usual), found in _behind(entries)
    ]


def not_arrived(entries: Ledger) -> dict[str, str]:
    """The provinces that are behind, each with the latest month of which a table has not arrived."""
    found: dict[str, str] = {}
    for (province, _, usual), _ in _behind(entries):
        found[province] = max(usual, found.get(province, ""))
    return found


def _behind(entries: Ledger) -> list[tuple[tuple[str, str, str], list[str]]]:
    """A province, the month that it has reached, the one that most have reached, and the tables of which that is so."""
    reached: dict[str, str] = {}
    for table in TABLES:
        months = sorted(entry.month for (_, of), entry in entries.items() if of == table)
        reached |= {table: months[len(months) // 2]} if months else {}
    tables: dict[tuple[str, str, str], list[str]] = {}
    for (province, table), entry in entries.items():
        if entry.month < reached[table]:
            tables.setdefault((province, entry.month, reached[table]), []).append(table)
    return sorted(tables.items())


def states(entries: Ledger, province: str) -> dict[str, str]:
    """How each table of a province arrived: missing, in, late or no_change."""
    return {table: entry.arrival if (entry := entries.get((province, table))) else "missing" for table in TABLES}
