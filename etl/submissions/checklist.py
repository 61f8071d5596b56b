"""What stands between what is approved and a publication, as codes: the page says them in words, and the command refuses them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from etl.submissions.ledger import Ledger, states
from etl.submissions.records import Submission


@dataclass(frozen=True)
class Item:
    """One thing: its code, the provinces that it is about, and of each the tables that are missing, if it is about tables."""

    code: str
    provinces: Sequence[str] = ()
    tables: Mapping[str, Sequence[str]] = field(default_factory=dict)
    count: int = 0


def must_be_solved(
    ledger: Ledger, every: Sequence[Submission], provinces: Collection[str], without_notes: Collection[str]
) -> list[Item]:
    """What is solved, or left out on purpose, before a publication. Nothing where nothing is approved.

    `ledger`: what was submitted for the month; `without_notes`: the province of each jump that no note explains.
    """
    if not any(one.state == "approved" for one in every):
        return []
    lacking = {
        code: missing
        for code in sorted(provinces)
        if (missing := [table for table, state in states(ledger, code).items() if state == "missing"])
    }
    found = [
        Item("without", [*lacking], lacking),
        Item("failing", _of_state(every, "to_correct")),
        Item("notes", sorted({*without_notes}), count=len(without_notes)),
    ]
    return [item for item in found if item.provinces]


def perhaps_forgotten(every: Sequence[Submission], has_next_update: bool, without_english: int) -> list[Item]:
    """What is told and keeps nothing from being published."""
    found = [Item(f"still_{state}", _of_state(every, state)) for state in ("submitted", "returned")]
    found += [Item("failing", _of_state(every, "to_correct"))] * all(one.state != "approved" for one in every)
    told = [item for item in found if item.provinces]
    told += [] if has_next_update else [Item("no_next_update")]
    return told + [Item("no_english", count=without_english)] * bool(without_english)


def unsolved(items: Sequence[Item], without: Collection[str]) -> list[Item]:
    """What is neither solved nor left out on purpose, each with the provinces that are not."""
    left = [
        Item(item.code, [code for code in item.provinces if code not in without], item.tables, item.count)
        for item in items
    ]
    return [item for item in left if item.provinces]


def _of_state(every: Sequence[Submission], state: str) -> list[str]:
    return sorted({one.province for one in every if one.state == state})
