"""What does my province submit this month, and what came back?"""

from ui.components import filter_bar
from ui.sections import hand_in
from ui.state import page_context


def page() -> None:
    view = page_context.view()
    filter_bar.whole(view)
    hand_in.hand_in(view)
