"""How many are there for so many residents, here and in other countries?"""

import streamlit as st

from pages.ui.charts import grouped
from pages.ui.components import figures as ui
from pages.ui.sections import listings


def page() -> None:
    view = ui.scope_bar("@place")
    listings.caution(view, "abroad.not_alike")
    left, right = st.columns(2)
    with left:
        ui.figure(view, grouped.countries, analysis="countries", says=grouped.beside)
    with right:
        ui.figure(view, grouped.claimed, analysis="claim", says=grouped.above)
    listings.sources(view, "claim")
