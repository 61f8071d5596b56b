"""What a chart is: how it is drawn, what its title says, and what it needs to be told besides the answer.

Needs are declared where a chart is defined, so that nothing else has to know one chart from another.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from etl.semantic.answers import Answer
from pages.ui.charts.elements import ChartContext, Figure
from pages.ui.charts.titles import TitleRule


@dataclass(frozen=True, eq=False)
class Chart:
    """A function that draws an answer, with its declaration."""

    draw: Callable[..., Figure]
    # What the title says unless the page asks for something else.
    title: TitleRule
    # Told the groups that the title names (`focus`) and whether they are a problem (`is_problem`).
    names_groups: bool = False
    # Asked for all provinces whatever province is chosen; told the chosen ones (`chosen`).
    whole_country: bool = False
    # Told the goal of training compliance (`goal`).
    has_goal: bool = False
    # Runs over time: told the events that fall into it (`events`).
    has_events: bool = False
    # Compares groups: of a single one there is nothing to compare, and its trend is shown.
    compares: bool = False
    # Drawn in its place where the groups differ no more than by chance.
    where_noise: "Chart | None" = None

    def __call__(self, answer: Answer, context: ChartContext, *positional: Any, **options: Any) -> Figure:
        return self.draw(answer, context, *positional, **options)

    @property
    def name(self) -> str:
        """The name by which a page knows the chart's place."""
        return self.draw.__name__


def chart(title: TitleRule, **needs: Any) -> Callable[[Callable[..., Figure]], Chart]:
    """Declare a function as a chart."""
    return lambda draw: Chart(draw, title, **needs)
