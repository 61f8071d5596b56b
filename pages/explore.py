"""What else would you like to know: any measure, by up to three dimensions?"""

from ui.components import breadcrumb
from ui.components.figures import scope_bar
from ui.exhibits.explore import PAGE
from ui.sections import explore
from ui.sections.page import draw


def page() -> None:
    draw(scope_bar(PAGE), PAGE, breadcrumb=breadcrumb.show, explore=explore.explore)
