"""A chart: how to draw it, its title rule, and the options it needs besides the answer; drawn, it is cached with its answer.

A chart declares its needs where it is defined, so that no other module distinguishes charts by name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from etl.semantic.answers import Answer
from etl.semantic.ranking import comparable
from ui.charts.elements import ChartContext, Figure
from ui.charts.titles import Title, TitleRule, spoken


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

    @property
    def name(self) -> str:
        """The name used in the key of the chart's container."""
        return self.draw.__name__


def chart(title: TitleRule, **needs: Any) -> Callable[[Callable[..., Figure]], Chart]:
    """Declare a function as a chart."""
    return lambda draw: Chart(draw, title, **needs)


def drawn_chart(
    answer: Answer, chart: Chart, context: ChartContext, title: Title, below: str, options: Mapping[str, Any]
) -> "DrawnChart":
    """`draw` with hashable options, cached by the identity of the answer."""
    return _cached(Same(answer), chart, context, title, below, tuple(options.items()))


class Same:
    """An answer as a cache key, compared by identity. The key keeps the answer alive, so its id stays unique."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __hash__(self) -> int:
        return id(self.answer)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.answer is self.answer


@dataclass(frozen=True)
class DrawnChart:
    """A chart of an answer: the figure, and its text for screen readers."""

    figure: Figure
    spoken: str

    @property
    def meta(self) -> Mapping[str, Any]:
        """What the page shows beside the figure."""
        return self.figure["layout"]["meta"]


@lru_cache(maxsize=800)
def _cached(
    same: Same,
    chart: Chart,
    context: ChartContext,
    title: Title,
    below: str,
    options: tuple[tuple[str, Any], ...],
) -> DrawnChart:
    return draw(same.answer, chart, context, title, below, dict(options))


def draw(
    answer: Answer, chart: Chart, context: ChartContext, title: Title, below: str, options: Mapping[str, Any]
) -> DrawnChart:
    """The chart of an answer; `options` are those of the chart besides its title."""
    focus = {"focus": title.focus} if chart.names_groups else {}
    figure = chart(answer, context, **{**focus, **options})
    return DrawnChart(figure, spoken(answer, context, title, below))
