"""What differs between two days, or two places, and what made the difference?"""

from ui.components.figures import scope_bar
from ui.exhibits.compare import PAGE
from ui.sections import compare
from ui.sections.page import draw


def page() -> None:
    draw(scope_bar(PAGE), PAGE, compare=compare.compare)
