"""Whose licence is about to end, how long does a licence take, and which institutes are licensed?"""

import streamlit as st

from ui.components import figures as ui
from ui.exhibits import licensing
from ui.sections import licensing as sections
from ui.sections import listings


def page() -> None:
    # Licences may be older than the first person.
    view = ui.scope_bar("@place", period=True, of_people=False)
    chosen = listings.chosen("licensing")
    listings.requested(view, chosen, licensing.LISTS)
    listings.lists(view, licensing.licences_ending, without=chosen)
    ui.cards(view, licensing.numbers)
    left, right = st.columns(2)
    with left:
        ui.exhibit(view, licensing.endings)
    with right:
        ui.exhibit(view, licensing.queue)
    with st.expander(view.word("cohort.by_age")):
        ui.exhibit(view, licensing.by_age)
    listings.lists(view, licensing.lapsed, licensing.files_overdue, licensing.stopped, without=chosen)
    listings.heading(view, "cohort.all")
    ui.cards(view, licensing.times)
    left, middle, right = st.columns(3)
    with left:
        ui.exhibit(view, licensing.decided)
    with middle:
        ui.exhibit(view, licensing.funnel)
    with right:
        ui.exhibit(view, licensing.renewals)
    with st.expander(view.word("cohort.institutes")):
        ui.cards(view, licensing.kinds)
        left, middle, right = st.columns(3)
        with left:
            ui.exhibit(view, licensing.over_time)
        with middle:
            ui.exhibit(view, licensing.founded)
        with right:
            sections.survival(view)
        left, right = st.columns(2)
        with left:
            ui.exhibit(view, licensing.by_size)
            ui.exhibit(view, licensing.by_activity)
            ui.exhibit(view, licensing.veterans_by_smart)
        with right:
            ui.exhibit(view, licensing.veterans_by_place)
    sections.smart(view)
