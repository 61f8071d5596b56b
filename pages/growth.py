"""At this pace, when is the target reached, and what would it take to reach it in time?"""

import streamlit as st

from ui.components import figures as ui
from ui.data import warehouse
from ui.exhibits import growth
from ui.sections import ahead, goal, overview, scenario


def page() -> None:
    view = ui.scope_bar("@place", "@person", period=True)
    overview.summed_up(view, growth.verdict)
    ui.exhibit(view, growth.projection)
    goal.seek(view)
    scenario.of_headcount(view)
    goal.announced(view)
    ui.cards(view, growth.numbers)
    said = ui.sentence(view, growth.findings)
    left, right = st.columns(2)
    with left:
        ui.exhibit(view, growth.joiners_and_leavers)
        if growth.has_bridge(view.scope, warehouse.of_page().rights):
            ui.exhibit(view, growth.bridge)
    with right:
        ui.exhibit(view, growth.leavers_by_place, said=said)
    ahead.recruits(view)
    ui.exhibit(view, growth.over_time)
