"""A chart: how to draw it, its title rule, and the options it needs besides the answer; drawn, it is cached with its answer.

A chart declares its needs where it is defined, so that no other module distinguishes charts by name.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from etl.semantic.answers import Answer
from etl.semantic.ranking import comparable
from ui.charts import elements
from ui.charts.elements import ChartContext, Figure
from ui.charts.titles import Title, TitleRule
from ui.i18n import text

# The rows that the text alternative of a long chart names at each end.
_SPOKEN_ROWS = 3


@dataclass(frozen=True, eq=False)
class Chart:
    """A function that draws an answer, with its declared needs."""

    draw: Callable[..., Figure]
    # The title rule, unless the page passes another one.
    title: TitleRule
    # Takes the groups named in the title (`focus`).
    names_groups: bool = False
    # Always shows all provinces; takes the selected ones (`chosen`).
    whole_country: bool = False
    # Runs over time; takes the events in its range (`events`).
    has_events: bool = False
    # Compares groups; a single group is shown as a trend instead.
    compares: bool = False

    def __call__(self, answer: Answer, context: ChartContext, *positional: Any, **options: Any) -> Figure:
        return self.draw(comparable(answer), context, *positional, **options)

    def titled(self, answer: Answer, context: ChartContext, title: Title, options: Mapping[str, Any]) -> Figure:
        """The figure of an answer under its title; `options` are those of the chart besides it."""
        focus = {"focus": title.focus} if self.names_groups else {}
        return self(answer, context, **{**focus, **options})


def chart(title: TitleRule, **needs: Any) -> Callable[[Callable[..., Figure]], Chart]:
    """Declare a function as a chart."""
    return lambda draw: Chart(draw, title, **needs)


@lru_cache(maxsize=800)
def drawn_chart(
    answer: Answer, chart: Chart, context: ChartContext, title: Title, below: str, options: tuple[tuple[str, Any], ...]
) -> tuple[Figure, str]:
    """The figure of an answer and its text for screen readers; `options` are the items of a mapping."""
    return chart.titled(answer, context, title, dict(options)), spoken(answer, context, title, below)


def spoken(answer: Answer, context: ChartContext, finding: Title, subtitle: str) -> str:
    """The text alternative of a chart: its finding, its subtitle, and its first and last rows in words."""
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    rows: Sequence[tuple] = answer.rows
    if len(rows) > 2 * _SPOKEN_ROWS:
        rows = [*answer.rows[:_SPOKEN_ROWS], *answer.rows[-_SPOKEN_ROWS:]]
    row_texts = [
        f"{elements.name_of(answer, row, context)}: {text.plain(row[at], metric.unit, context.lang)}" for row in rows
    ]
    return f"{finding.sentence}. {subtitle}. " + text.clauses(row_texts, context.lang)
