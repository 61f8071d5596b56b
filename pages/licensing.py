"""Whose licence is about to end, how long does a licence take, and which institutes are licensed?"""

from ui.components.figures import scope_bar
from ui.exhibits.licensing import LISTS, PAGE
from ui.sections import listings
from ui.sections.page import draw


def page() -> None:
    draw(scope_bar(PAGE), PAGE, opened=lambda view: listings.requested(view, LISTS))
