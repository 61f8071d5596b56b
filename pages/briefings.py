"""Which briefings were written, and where can they be downloaded again?"""

from pages.ui.components import figures as ui
from pages.ui.sections import briefings


def page() -> None:
    view = ui.scope_bar()
    briefings.button(view)
    briefings.listed(view)
