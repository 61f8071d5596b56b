"""Who is accredited as a judicial officer, until when, and with training in date?"""

import streamlit as st

from ui.components import figures as ui
from ui.exhibits import legal
from ui.sections import listings


def page() -> None:
    view = ui.scope_bar("@place", "@person", period=True)
    chosen = listings.chosen("legal")
    listings.requested(view, chosen, legal.LISTS)
    said = ui.sentence(view, legal.findings)
    left, right = st.columns(2)
    with left:
        ui.exhibit(view, legal.by_place, said=said)
    with right:
        ui.exhibit(view, legal.lapsed_by_place)
    ui.cards(view, legal.numbers)
    left, right = st.columns(2)
    with left:
        ui.exhibit(view, legal.by_course)
        ui.exhibit(view, legal.over_time)
    with right:
        ui.exhibit(view, legal.officers_by_place)
    ui.exhibit(view, legal.endings)
    listings.lists(view, *legal.LISTS, without=chosen)
