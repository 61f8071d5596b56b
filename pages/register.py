"""How does one institute stand, and which institutes are there?"""

import streamlit as st

from ui.components import breadcrumb
from ui.components import figures as ui
from ui.exhibits import institute as exhibits
from ui.sections import institute


def page() -> None:
    view = ui.scope_bar("@place", "@person", period=True)
    breadcrumb.show(view)
    institute.find(view)
    chosen_institute = institute.chosen(view)
    if chosen_institute is None:
        institute.listing(view)
        institute.people(view)
        return
    view = institute.only(view, chosen_institute)
    institute.head(view, chosen_institute)
    ui.cards(view, exhibits.numbers)
    institute.licences(view, chosen_institute)
    left, right = st.columns(2)
    with left:
        ui.exhibit(view, exhibits.over_time)
    with right:
        ui.exhibit(view, exhibits.by_course)
    institute.people(view)
