"""What does each number mean, and how is it calculated?"""

from ui.components import filter_bar
from ui.exhibits.methods import PAGE
from ui.sections import definitions
from ui.sections.page import draw
from ui.state import page_context


def page() -> None:
    view = page_context.view()
    filter_bar.whole(view)
    draw(
        view,
        PAGE,
        methods=definitions.methods,
        similar=definitions.similar,
        projections=definitions.projections,
        all=definitions.all_of_them,
    )
