"""What does each number mean, and how is it calculated?"""

from ui.components import filter_bar
from ui.sections import definitions
from ui.state import page_context


def page() -> None:
    view = page_context.view()
    filter_bar.whole(view)
    definitions.methods()
    definitions.similar(view)
    definitions.projections(view)
    definitions.all_of_them()
