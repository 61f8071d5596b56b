"""What else would you like to know: any measure, by up to three dimensions?"""

from pages.ui.components import breadcrumb, tables
from pages.ui.components import figures as ui
from pages.ui.sections import explore, explore_rows, saved_views


def page() -> None:
    tables.style()
    view = ui.scope_bar("@place", "@person", "@course", period=True)
    breadcrumb.show(view)
    saved_views.block(view, explore_rows.PAGE)
    explore.explore(view)
