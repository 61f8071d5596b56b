"""Who is accredited as a judicial officer, until when, and with training in date?"""

from ui.components.figures import scope_bar
from ui.exhibits.legal import LISTS, PAGE
from ui.sections import listings
from ui.sections.page import draw


def page() -> None:
    draw(scope_bar(PAGE), PAGE, opened=lambda view: listings.requested(view, LISTS))
