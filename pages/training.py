"""Whose training is in date, whose is about to lapse, and which seats does that take?"""

from functools import partial

import streamlit as st

from ui.components import figures as ui
from ui.exhibits import training
from ui.sections import ahead, listings, scenario


def page() -> None:
    view = ui.scope_bar("@place", "@person", "@course", period=True)
    said = ui.sentence(view, training.findings)
    left, right = st.columns(2)
    with left:
        if view.scope.has_map:
            ui.exhibit(view, training.by_province, said=said)
        ui.exhibit(view, training.over_time)
    with right:
        ui.exhibit(view, training.by_place, said=said)
    ui.cards(view, training.numbers)
    chosen = scenario.of_address()
    of_seats = scenario.without_present(view, chosen)
    left, right = st.columns(2)
    with left:
        ui.exhibit(view, training.futures, scenario=of_seats)
    with right:
        ui.exhibit(view, training.lapsing)
        ui.exhibit(view, training.seats)
    with st.expander(view.word("futures.status")):
        ui.exhibit(view, training.by_status)
    ui.exhibit(view, training.endings)
    ahead.falling(view)
    if ahead.has_seats(view):
        listings.heading(view, "ahead.seats")
        scenario.panel(view, chosen, has_seats=True)
        left, right = st.columns(2)
        with left:
            ui.exhibit(view, training.seat_plan, scenario=of_seats)
            ui.exhibit(view, training.seat_order, scenario=of_seats, more=partial(ahead.order_form, view))
        with right:
            ui.exhibit(view, training.seat_rooms, scenario=of_seats)
