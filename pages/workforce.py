"""Who are the assistants, how long do they stay, and where do they move?"""

import streamlit as st

from ui.components import figures as ui
from ui.exhibits import workforce


def page() -> None:
    view = ui.scope_bar("@place", "@person", period=True)
    ui.sentence(view, workforce.people)
    left, middle, right = st.columns(3)
    with left:
        ui.exhibit(view, workforce.by_age)
    with middle:
        ui.exhibit(view, workforce.by_tenure)
    with right:
        ui.exhibit(view, workforce.by_education)
    ui.cards(view, workforce.numbers)
    left, right = st.columns(2)
    with left:
        ui.exhibit(view, workforce.by_post)
        ui.exhibit(view, workforce.leavers_by_post)
    with right:
        ui.exhibit(view, workforce.survival)
    left, right = st.columns(2)
    with left:
        ui.exhibit(view, workforce.moves)
    with right:
        ui.exhibit(view, workforce.over_time)
