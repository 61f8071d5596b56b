"""What else would you like to know: any measure, by up to three dimensions?"""

import streamlit as st

from ui.components import breadcrumb
from ui.components import figures as ui
from ui.sections import explore, explore_rows, saved_views


def page() -> None:
    view = ui.scope_bar("@place", "@person", "@course", period=True)
    breadcrumb.show(view)
    with st.container(horizontal=True, gap="medium", vertical_alignment="center", key="views-bar"):
        saved_views.block(view, explore_rows.PAGE)
        saved_views.copy_link(view)
    explore.explore(view)
