"""Where does the country, or one province, stand today, and what needs action?"""

import streamlit as st

from ui.components import figures
from ui.exhibits.overview import PAGE, counties_without, register, verdict
from ui.sections import glance, listings, overview, panels
from ui.sections.page import draw
from ui.state.page_context import PageContext


def page() -> None:
    view = figures.scope_bar(PAGE)
    with st.container(key="profile" if view.scope.province else "country"):
        draw(
            view,
            PAGE,
            verdict=lambda view: overview.summed_up(view, verdict),
            panels=panels.panels,
            needs_action=overview.needing_action,
            glance=glance.at_a_glance,
            counties=_counties,
            beside_nation=overview.beside_nation,
            institutes=_institutes,
        )


def _counties(view: PageContext) -> None:
    with st.container(key="profile-counties"):
        glance.at_a_glance(view)
        figures.sentence(view, counties_without)


def _institutes(view: PageContext) -> None:
    with st.container(key="profile-institutes"):
        listings.lists(view, register, is_excerpt=True)
