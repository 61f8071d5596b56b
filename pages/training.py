"""Whose training is in date, whose is about to lapse, and which seats does that take?"""

import streamlit as st

from ui.charts import bars, lines, maps
from ui.components import figures as ui
from ui.sections import ahead, listings, overview, scenario, training

BANDS = {f"status_{band}": band for band in ("in_date", "pending", "expired", "overdue")}


def page() -> None:
    view = ui.scope_bar("@place", "@person", "@course", period=True)
    overview.findings(view, "training_compliance")
    training.courses(view)
    beside = {"training_compliance": "trained_share"}
    ui.cards(view, "training_compliance", "requirement_rate", "training_hours", beside=beside)
    left, right = st.columns(2)
    with left:
        if has_map := view.scope.has_map:
            ui.figure(view, maps.provinces, "training_compliance", by="province")
        over, height = view.months(24), 200 if has_map else 320
        ui.figure(view, lines.trend, "training_compliance", by="month", over=over, zero=False, height=height)
    with right:
        ui.figure(view, bars.ranking, "training_compliance", by="place", nation=True)
    chosen_scenario = scenario.of_address()
    of_seats = scenario.without_present(view, chosen_scenario)
    left, right = st.columns(2)
    with left:
        training.futures(view, of_seats)
    with right:
        training.lapsing(view)
        ui.figure(view, bars.ranking, analysis="seats")
    with st.expander(view.word("futures.status")):
        ui.figure(view, bars.stacked, "training_compliance", *BANDS, by="place", parts=tuple(BANDS.items()))
    ahead.endings(view, "training")
    ahead.falling(view)
    if ahead.has_seats(view):
        listings.part(view, "ahead.seats")
        scenario.panel(view, chosen_scenario, has_seats=True)
        ahead.seats(view, of_seats)
