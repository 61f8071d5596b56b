"""Whose training is in date, whose is about to lapse, and which seats does that take?"""

from ui.components.figures import scope_bar
from ui.exhibits.training import PAGE
from ui.sections import ahead, scenario
from ui.sections.page import draw


def page() -> None:
    draw(scope_bar(PAGE), PAGE, scenario=scenario.of_seats, order=ahead.order)
