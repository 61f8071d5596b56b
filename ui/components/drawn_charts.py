"""Charts drawn from answers, cached while their answers are."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from etl.semantic.answers import Answer
from ui.charts import elements, titles
from ui.charts.chart import Chart
from ui.charts.elements import ChartContext
from ui.charts.titles import Title


def drawn(
    answer: Answer, chart: Chart, chart_context: ChartContext, title: Title, below: str, options: Mapping[str, Any]
) -> "DrawnChart":
    """`draw` with hashable options, cached by the identity of the answer."""
    return _cached(_Same(answer), chart, chart_context, title, below, tuple(options.items()))


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
    """A chart of an answer: the figure, and its text for screen readers."""

    figure: elements.Figure
    spoken: str

    @property
    def meta(self) -> Mapping[str, Any]:
        """What the page shows beside the figure."""
        return self.figure["layout"]["meta"]


@lru_cache(maxsize=800)
def _cached(
    same: _Same,
    chart: Chart,
    chart_context: ChartContext,
    title: Title,
    below: str,
    options: tuple[tuple[str, Any], ...],
) -> DrawnChart:
    return draw(same.answer, chart, chart_context, title, below, dict(options))


def draw(
    answer: Answer, chart: Chart, chart_context: ChartContext, title: Title, below: str, options: Mapping[str, Any]
) -> DrawnChart:
    """The chart of an answer; `options` are those of the chart besides its title."""
    focus = {"focus": title.focus} if chart.names_groups else {}
    figure = chart(answer, chart_context, **{**focus, **options})
    return DrawnChart(figure, titles.spoken(answer, chart_context, title, below))
