"""What would it take, what comes next, and how far can a projection be trusted?"""

import streamlit as st

from ui.charts import forecast
from ui.components import figures as ui
from ui.sections import ahead, listings, scenario, training


def page() -> None:
    view = ui.scope_bar()
    chosen_scenario = scenario.of_address()
    of_seats = scenario.without_present(view, chosen_scenario)
    left, right = st.columns(2)
    with left:
        scenario.headcount(view, chosen_scenario)
    with right:
        training.futures(view, of_seats)
    scenario.panel(view, chosen_scenario)
    listings.part(view, "ahead.title")
    ahead.endings(view)
    listings.part(view, "ahead.seats")
    ahead.seats(view, of_seats)
    ahead.recruits(view)
    with st.expander(view.word("planning.method_title")):
        scenario.method(view)
        left, right = st.columns(2)
        with left:
            ui.figure(view, forecast.held, analysis="backtest")
        with right:
            ui.figure(view, forecast.history, analysis="backtest_months")
