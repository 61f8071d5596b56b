"""Rows of a table that stay in the database, sorted by a column; and the collation of names."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from etl.semantic.catalog import TIME
from etl.semantic.exportable import StoredRows
from ui.charts.elements import ChartContext
from ui.charts.matrix import ORDERED

# Persian letters in alphabetical order, which differs from code point order.
_ALPHABET = {letter: f"{place:02}" for place, letter in enumerate("آابپتثجچحخدذرزژسشصضطظعغفقکگلمنوهی")}


def collated(name: str) -> str:
    """A sort key for the Persian alphabetical order."""
    return "".join(_ALPHABET.get(letter, letter) for letter in name)


@dataclass(frozen=True)
class PagedRows(Sequence[tuple]):
    """Stored rows as a sequence for `tables.show`, sorted by a column (`-name` for descending)."""

    stored: StoredRows
    context: ChartContext
    sort: str = ""

    def __len__(self) -> int:
        return self.stored.count()

    def __getitem__(self, place: Any) -> Any:
        if not isinstance(place, slice):
            return self[place : place + 1][0]
        first, last, _ = place.indices(len(self))
        by = self.sort.removeprefix("-")
        keys = None
        if by in self.stored.answer.by and by not in (*TIME, *ORDERED):
            keys = {code: collated(self.context.member(by, code)) for code in self.stored.members(by)}
        return self.stored.page(first, last - first, by, self.sort.startswith("-"), keys)
