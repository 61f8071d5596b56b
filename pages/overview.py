"""Where does the country, or one province, stand today, and what needs action?"""

import streamlit as st

from ui.components import figures as ui
from ui.data import warehouse
from ui.exhibits import coverage, licensing
from ui.exhibits.overview import verdict
from ui.exhibits.verdict import nobody
from ui.sections import glance, listings, overview, panels


def page() -> None:
    view = ui.scope_bar("@place", "@person", period=True)
    is_province = bool(view.scope.province)
    with st.container(key="profile" if is_province else "country"):
        overview.summed_up(view, verdict)
        panels.panels(view)
        overview.needing_action(view)
        if nobody(view.asked, warehouse.of_page()):
            return
        if not is_province:
            glance.at_a_glance(view)
            return
        with st.container(key="profile-counties"):
            glance.at_a_glance(view)
            ui.sentence(view, coverage.counties_without)
        overview.beside_nation(view)
        with st.container(key="profile-institutes"):
            listings.lists(view, licensing.register, is_excerpt=True)
