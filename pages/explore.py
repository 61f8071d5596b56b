"""What else would you like to know: any measure, by up to three dimensions?"""

from ui.components import breadcrumb
from ui.components import figures as ui
from ui.sections import explore


def page() -> None:
    view = ui.scope_bar("@place", "@person", "@course", period=True)
    breadcrumb.show(view)
    explore.explore(view)
