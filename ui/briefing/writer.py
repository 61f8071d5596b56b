"""The scope, the Ask, the words and the names that every part of a briefing uses."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from etl.core.errors import Refused
from etl.semantic.answers import Answer
from ui.charts.elements import ChartContext
from ui.data import ask as asking
from ui.data.ask import Ask, Kept
from ui.exhibits.exhibit import Exhibit
from ui.exhibits.named import Input
from ui.i18n import member_names, text
from ui.state.questions import on_day
from ui.state.scope import Scope

# They decide who is named, and none of their numbers is shown.
_DECIDING = frozenset({"different", "differs", "change_signals"})
# What the test adds to an answer: no numbers of the place.
_OF_TEST = ("side", "whole_value")


class NoData(Refused):
    """The place has no rows on the day: a briefing would show nothing."""


def refuse_empty(scope: Scope, ask: Ask) -> None:
    """Raise NoData for a day outside of the data and for a place without rows."""
    where, day = scope.province or "the nation", scope.day
    if day > scope.latest:
        raise NoData(f"{where}: {day} lies after the latest day of the data, {scope.latest}")
    counts = on_day(scope, ask, "in_service", "registered_institutes")
    if not any(counts.value(name) for name in ("in_service", "registered_institutes")):
        raise NoData(f"{where}: the data holds nothing on {day}")
    if not counts.value("in_service"):
        raise NoData(f"{where}: nobody is in service on {day}")


@dataclass(frozen=True)
class Writer:
    """A place and a day, and the Ask of one book, which keeps what was asked; the publication is that of `pointer`.

    `beside` are answers that were put together of others, and those of exhibits.
    """

    scope: Scope
    ask: Kept
    pointer: Path
    beside: list[Answer] = field(default_factory=list)

    @property
    def lang(self) -> str:
        return self.scope.lang

    @property
    def is_exact(self) -> bool:
        return self.ask is self.ask.exactly

    def exhibit(self, make: Callable[..., Exhibit], *inputs: Input) -> Exhibit:
        """An exhibit of a page, in the numbers of the book; of what it asks only what it shows is in the file of numbers."""
        made = make(self.scope, self.ask.ask, *inputs)
        if made.answer is not None:
            kept = [name for name in made.answer.columns if name not in _OF_TEST]
            rows = [tuple(row[name] for name in kept) for row in made.answer.records()]
            self.beside.append(replace(made.answer, columns=tuple(kept), rows=rows))
        return made

    def recorded(self) -> Iterator[Answer]:
        """The answers whose numbers are in the book: none that decides, and in that of a province no rows of others."""
        for question, answer in self.ask.asked.items():
            is_own = "province" not in question.by or not self.scope.province or "province" in question.where
            if is_own and question.analysis not in _DECIDING:
                yield answer
        yield from self.beside

    @cached_property
    def context(self) -> ChartContext:
        return ChartContext(self.lang, names=asking.names(self.ask, self.lang))

    def member(self, dimension: str, code: Any) -> str:
        """The name of a member, cut to the length of a line."""
        return member_names.cut(self.context.member(dimension, code))

    @property
    def place(self) -> str:
        if self.scope.province:
            return member_names.of("province", self.scope.province, self.lang)
        return text.word("scope.nation", self.lang)

    @property
    def place_within(self) -> str:
        """The place in the form used within a sentence."""
        return self.place if self.scope.province else self.word("nation_within")

    def title(self, exhibit: Exhibit) -> str:
        """The title of an exhibit of a page; where its picture does not circulate, what it compares."""
        if exhibit.title.sentence or exhibit.answer is None:
            return exhibit.title.sentence
        (by,), metric = exhibit.answer.by, exhibit.answer.metrics[0]
        axis = text.word(f"dimension.{by}", self.lang).lower()
        return text.word("different.title_by", self.lang, measure=metric.short[self.lang], axis=axis)

    def word(self, key: str, **values: object) -> str:
        return text.word(f"briefing.{key}", self.lang, **values)

    def words(self, key: str) -> Any:
        return text.words(f"briefing.{key}", self.lang)

    def plain(self, answer: Answer) -> str:
        """The number of a one-row answer, without its unit."""
        metric = answer.metrics[0]
        return text.plain(answer.value(metric.name), metric.unit, self.lang)
