"""The questions of a summary: answered from the cache on a page, by a connection in a briefing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from etl.semantic.answers import Answer
from etl.submissions.arrivals import Owed
from ui.i18n import member_names, text


@dataclass(frozen=True)
class Sources:
    """The place and day of a summary, and the functions that answer its questions.

    `province` is empty for the whole country and any other scope. `ask(*names, by=, on=, over=, where=)` and `analyse(name, …)`
    answer under the scope, or under `where`: that of a list whose number stands beside. `everywhere(name)` is an analysis of all
    provinces, `provinces()` the submissions of each.
    `different(name, by)` says which provinces, or counties of the place, are below or above the whole.
    `exactly` answers on exact counts where `ask` rounds them: for an order, never for a number to show (None: `ask` is exact).
    `settled_on(name)` is the latest settled day of a metric (None if there is none), `member(dimension, code)` a name.
    """

    lang: str
    on: date
    province: str
    ask: Callable[..., Answer]
    analyse: Callable[..., Answer]
    everywhere: Callable[[str], Answer]
    different: Callable[[str, str], Answer]
    provinces: Callable[[], Answer]
    settled_on: Callable[[str], date | None]
    member: Callable[[str, Any], str]
    # Active filters of assistants besides a province: targets and lists of provinces have no meaning under them.
    filters: frozenset[str] = frozenset()
    exactly: Callable[..., Answer] | None = None
    # The provinces chosen: lists of all provinces are narrowed to them.
    chosen: tuple[str, ...] = ()
    # What provinces owe by the deadline, and the page part that lists it: on a page, in no briefing.
    owed: Callable[[], tuple[Owed, str] | None] = lambda: None

    def word(self, key: str, **values: object) -> str:
        return text.word(key, self.lang, **values)

    def number(self, value: float) -> str:
        return text.number(value, self.lang)

    def day(self, day: date) -> str:
        return text.day(day, self.lang)

    def named(self, dimension: str, codes: list[Any], counts: Mapping[Any, float] | None = None, among: int = 0) -> str:
        """These members by name, with their counts; of more than three, or `among` more, the first and how many others."""
        names = [text.isolated(self.member(dimension, code), self.lang) for code in codes]
        if counts:
            names = [
                self.word("scope.counted", name=name, count=self.number(counts[code]))
                for name, code in zip(names, codes, strict=True)
            ]
        if not names or (len(names) <= 3 and among <= len(names)):
            return text.listed(names, self.lang)
        more = max(len(names), among) - 1
        words = {
            "count": self.number(more),
            "group": text.with_ezafe(member_names.counted(dimension, self.lang, more), self.lang),
        }
        return self.word("different.others", names=names[0], **words)
