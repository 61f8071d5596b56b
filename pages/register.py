"""How does one institute stand, and which institutes are there?"""

from ui.components import breadcrumb
from ui.components.figures import scope_bar
from ui.exhibits.institute import PAGE
from ui.sections import institute
from ui.sections.page import draw


def page() -> None:
    view = scope_bar(PAGE)
    breadcrumb.show(view)
    draw(
        institute.only(view),
        PAGE,
        find=institute.find,
        listing=institute.listing,
        head=institute.head,
        licences=institute.licences,
        people=institute.people,
    )
