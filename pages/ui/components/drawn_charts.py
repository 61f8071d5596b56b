"""Charts drawn from answers, cached while their answers are."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from etl.semantic.answers import Answer
from pages.ui.charts import elements, titles
from pages.ui.charts.chart import Chart
from pages.ui.charts.elements import ChartContext
from pages.ui.charts.titles import Title


def drawn(
    answer: Answer, chart: Chart, chart_context: ChartContext, title: Title, below: str, options: Mapping[str, Any]
) -> "DrawnChart":
    """`draw`, cached by the identity of the answer."""
    return _cached(_Same(answer), chart, chart_context, title, below, _frozen(options))


class _Same:
    """An answer as a cache key, compared by identity. The key keeps the answer alive, so its id stays unique."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __hash__(self) -> int:
        return id(self.answer)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.answer is self.answer


@dataclass(frozen=True)
class DrawnChart:
    """A chart of an answer: the figure, its text for screen readers, and what the page shows beside it."""

    figure: elements.Figure
    spoken: str
    meta: Mapping[str, Any]


@lru_cache(maxsize=800)
def _cached(
    same: _Same,
    chart: Chart,
    chart_context: ChartContext,
    title: Title,
    below: str,
    options: tuple[tuple[str, Any], ...],
) -> DrawnChart:
    return draw(
        same.answer,
        chart,
        chart_context,
        title,
        below,
        {name: dict(value) if name == "parts" else value for name, value in options},
    )


def draw(
    answer: Answer,
    chart: Chart,
    chart_context: ChartContext,
    title: Title,
    below: str,
    options: Mapping[str, Any],
) -> DrawnChart:
    """The chart of an answer; `options` are those of the chart besides its title."""
    chart_options = dict(options)
    if chart.names_groups:
        chart_options = {"focus": title.focus, "is_problem": title.is_problem, **chart_options}
    made = chart(answer, chart_context, **chart_options)
    return DrawnChart(made, titles.spoken(answer, chart_context, title, below), made["layout"]["meta"])


def _frozen(options: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(
        (name, tuple(value.items()) if isinstance(value, Mapping) else value) for name, value in options.items()
    )
