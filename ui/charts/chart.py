"""The declaration of a chart: how to draw it, its title rule, and the options it needs besides the answer.

A chart declares its needs where it is defined, so that no other module distinguishes charts by name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from etl.semantic.answers import Answer
from etl.semantic.provisional import comparable
from ui.charts.elements import ChartContext, Figure
from ui.charts.titles import TitleRule


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
