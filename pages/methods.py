"""What does each number mean, and how is it calculated?"""

from ui.components import filter_bar
from ui.sections import definitions
from ui.state import page_context


def page() -> None:
    filter_bar.whole(page_context.view())
    definitions.methods()
    definitions.all_of_them()
