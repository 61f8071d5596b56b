"""Where are the assistants, where are they few, and how do we compare with other countries?"""

from ui.components.figures import scope_bar
from ui.exhibits.coverage import PAGE
from ui.sections import coverage, listings
from ui.sections.page import draw


def page() -> None:
    draw(
        scope_bar(PAGE),
        PAGE,
        choices=coverage.choices,
        residents=coverage.residents,
        sources=lambda view: listings.sources(view, "claim", "countries"),
    )
