"""The questions, words and names that every part of a briefing uses."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from etl.semantic.answers import Answer
from ui.charts.elements import ChartContext
from ui.data.briefing_questions import Questions
from ui.i18n import member_names, text
from ui.summary.sources import Sources


@dataclass
class Writer(Questions):
    """The questions of a briefing, with its words and names, summary sources and chart context."""

    @cached_property
    def sources(self) -> Sources:
        return Sources(
            lang=self.lang,
            on=self.day,
            province=self.province,
            ask=self.ask,
            analyse=self.analyse,
            everywhere=self.everywhere,
            different=self.different,
            provinces=self.provinces,
            settled_on=self.settled_on,
            member=self.member,
            exactly=None if self.exact else self.exactly,
        )

    @property
    def context(self) -> ChartContext:
        return ChartContext(self.lang)

    @property
    def place(self) -> str:
        if self.province:
            return member_names.of("province", self.province, self.lang)
        return text.word("scope.nation", self.lang)

    @property
    def place_within(self) -> str:
        """The place in the form used within a sentence."""
        return self.place if self.province else self.word("nation_within")

    def word(self, key: str, **values: object) -> str:
        return text.word(f"briefing.{key}", self.lang, **values)

    def words(self, key: str) -> Any:
        return text.words(f"briefing.{key}", self.lang)

    def plain(self, answer: Answer) -> str:
        """The number of a one-row answer, without its unit."""
        metric = answer.metrics[0]
        return text.plain(answer.value(metric.name), metric.unit, self.lang)
