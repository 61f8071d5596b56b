"""Where does one province stand, and what needs action there?"""

import streamlit as st

from ui.components import figures as ui
from ui.sections import briefings, coverage, glance, listings, overview, panels


def page() -> None:
    view = ui.scope_bar()
    if not overview.one_province(view):
        return
    with st.container(key="profile"):
        briefings.take_away(view)
        overview.named(view)
        overview.summed_up(view, reached=False)
        panels.panels(view)
        overview.needing_action(view)
        with st.container(key="profile-counties"):
            glance.at_a_glance(view)
            coverage.counties_without(view)
        overview.ranked(view)
        overview.cards(view)
        with st.container(key="profile-institutes"):
            listings.listings(view, "register", is_excerpt=True)
