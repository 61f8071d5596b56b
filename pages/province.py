"""Where does one province stand, and what needs action there?"""

import streamlit as st

from ui.charts import lines
from ui.components import figures as ui
from ui.sections import briefings, comparisons, listings, overview
from ui.state import rendering


def page() -> None:
    view = ui.scope_bar()
    if not overview.one_province(view):
        return
    with st.container(key="profile"):
        overview.named(view)
        overview.summed_up(view)
        overview.cards(view)
        left, right = st.columns([3, 2])
        with left:
            overview.needing_action(view)
        with right:
            overview.ranked(view)
        left, right = st.columns(2)
        with left:
            ui.figure(view, lines.projection, analysis="projection")
        with right:
            comparisons.changes(view)
        with st.container(key="profile-institutes"):
            listings.listings(view, "register")
            listings.on_paper(view, "listing.register_on_paper")
        rendering.defer(briefings.button, view)
