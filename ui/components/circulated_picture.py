"""The picture of a figure for circulation, made when a user takes it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from etl.semantic.answers import Answer
from etl.semantic.disclosure import Ask, Circulated, for_circulation
from ui.charts import titles
from ui.charts.chart import Chart
from ui.charts.elements import ChartContext
from ui.components import downloads
from ui.components.downloads import Picture
from ui.components.figure_question import Asked, of_nation
from ui.state.page_context import PageContext


@dataclass(frozen=True)
class Circulation:
    """What the figure on the page was drawn from."""

    view: PageContext
    chart: Chart
    rule: titles.TitleRule
    asked: Asked
    options: Mapping[str, Any]
    context: ChartContext
    notes: Sequence[str]

    def picture(self, rounded: Circulated, ask: Ask) -> Picture | None:
        """The picture, redrawn from the rounded answer and the nation's rounded value."""
        # Without one of its measures the chart would be misleading.
        names = [metric.name for metric in rounded.metrics]
        if any(_is_known(self.asked.answer, name) and not _is_known(rounded, name) for name in names):
            return None
        options = dict(self.options)
        rule: Callable[..., titles.Title] = self.rule
        if "days" in options:
            # Their values are exact.
            options["days"] = tuple(replace(day, value=None) for day in options["days"])
            rule = partial(rule, days=options["days"])
        has_line = options.get("nation") is not None
        has_whole = self.chart.whole_country and "whole_value" in rounded.columns
        nation = for_circulation(of_nation(rounded), ask).value() if has_line or has_whole else None
        if has_line:
            options["nation"] = nation
        if has_whole:
            at = rounded.columns.index("whole_value")
            rounded = replace(rounded, rows=[(*row[:at], nation, *row[at + 1 :]) for row in rounded.rows])
        title = titles.unlike(rule(rounded, self.context), (), rounded, self.context)
        redrawn = self.chart.titled(rounded, self.context, title, options)
        notes = [*self.notes, self.view.word("file.circulation_short")]
        return Picture(redrawn, title.sentence, self.asked.below, downloads.source_of(self.view, rounded, notes))


def _is_known(answer: Answer, name: str) -> bool:
    return any(value is not None for value in answer.column(name))
