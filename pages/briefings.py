"""Which briefings were written, and where can they be downloaded again?"""

from ui.components import figures as ui
from ui.sections import briefings


def page() -> None:
    view = ui.scope_bar()
    briefings.button(view)
    briefings.listed(view)
