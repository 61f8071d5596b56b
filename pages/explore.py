"""What else would you like to know: any measure, by up to three dimensions?"""

from pages.parts import breadcrumb, explored, explorer, grid, saved
from pages.parts import components as ui


def page() -> None:
    grid.style()
    view = ui.scope_bar("county", "institute", "gender", "education", "post", "course", period=True)
    breadcrumb.show(view)
    saved.block(view, explored.PAGE)
    explorer.explore(view)
