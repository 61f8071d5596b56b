"""Where are the assistants, and where are they few?"""

import streamlit as st

from pages.ui.charts import bars, lines, maps, titles
from pages.ui.components import figures as ui


def page() -> None:
    view = ui.scope_bar("@person")
    ui.cards(view, "coverage_per_10k", "coverage_per_100km2", "counties_covered", "lorenz.gini")
    left, right = st.columns(2)
    with left:
        ui.figure(view, maps.provinces, "coverage_per_10k", by="province", says=titles.highest)
        ui.figure(view, lines.lorenz, analysis="lorenz")
    with right:
        ui.figure(view, bars.ranking, "coverage_per_10k", by="place", nation=True)
    left, right = st.columns(2)
    with left:
        ui.figure(view, bars.ranking, "coverage_gap", by="place", says=titles.gap)
    with right:
        ui.figure(view, bars.ranking, "counties_covered", by="place", nation=True)
    ui.groups(view, "coverage_per_10k", by="county", says=titles.lowest)
