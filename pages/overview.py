"""Where do we stand today, and what needs action?"""

from ui.components import figures as ui
from ui.sections import briefings, glance, overview, panels


def page() -> None:
    view = ui.scope_bar("@place", "@person", period=True)
    briefings.take_away(view)
    overview.summed_up(view, reached=False)
    panels.panels(view)
    overview.needing_action(view)
    glance.at_a_glance(view)
    overview.cards(view)
