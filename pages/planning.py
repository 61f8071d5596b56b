"""What would it take, and how far can a projection be trusted?"""

import streamlit as st

from pages.parts import components as ui
from pages.parts import plans, scenario


def page() -> None:
    view = ui.scope_bar()
    asked = scenario.panel(view)
    left, right = st.columns(2)
    with left:
        scenario.figure(view, plans.path, "headcount", asked, plans.reached)
    with right:
        scenario.figure(view, plans.path, "compliance", asked, plans.reached)
    scenario.method(view)
    left, right = st.columns(2)
    with left:
        ui.figure(view, plans.held, analysis="backtest", says=plans.how_often)
    with right:
        ui.figure(view, plans.history, analysis="backtest_months", says=plans.last_trial)
