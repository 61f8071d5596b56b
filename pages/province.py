"""Where does one province stand, and what needs action there?"""

import streamlit as st

from ui.charts import lines
from ui.components import figures as ui
from ui.sections import briefings, listings, overview
from ui.state import rendering


def page() -> None:
    view = ui.scope_bar()
    if not overview.one_province(view):
        return
    with st.container(key="profile"):
        overview.named(view)
        overview.summed_up(view)
        overview.told(view, "coverage_per_10k", "training_compliance", "leaver_rate_12m")
        overview.cards(view)
        left, right = st.columns([3, 2])
        with left:
            overview.needing_action(view)
        with right:
            overview.ranked(view)
        ui.figure(view, lines.projection, analysis="projection")
        with st.container(key="profile-institutes"):
            listings.listings(view, "register")
            listings.on_paper(view, "listing.register_on_paper")
        rendering.defer(briefings.button, view)
