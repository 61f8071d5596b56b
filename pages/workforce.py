"""Who are the assistants, how long do they stay, and where do they move?"""

from ui.components.figures import scope_bar
from ui.exhibits.workforce import PAGE
from ui.sections.page import draw


def page() -> None:
    draw(scope_bar(PAGE), PAGE)
