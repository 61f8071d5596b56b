"""Where do we stand today, and what needs attention most?"""

import streamlit as st

from pages.ui.charts import lines, maps, titles
from pages.ui.components import figures as ui


def page() -> None:
    view = ui.scope_bar("@place", "@person", period=True)
    ui.cards(
        view,
        "active_assistants",
        "target_progress",
        "licensed_institutes",
        "coverage_per_10k",
        "training_compliance",
        "judicial_officer_share",
        "leaver_rate_12m",
        "expiring_30",
    )
    wide, narrow = st.columns([3, 2])
    with wide:
        ui.figure(view, lines.trend, "active_assistants", by="month", over=view.months(60), target=True)
    with narrow:
        ui.attention(
            view,
            "training_compliance",
            "coverage_gap",
            "target_progress",
            "leaver_rate_12m",
            "expiring_30",
        )
    left, right = st.columns(2)
    with left:
        ui.figure(view, maps.provinces, "target_progress", by="province", says=titles.highest)
    with right:
        ui.figure(view, lines.trend, "training_compliance", by="month", over=view.months(24), zero=False, height=450)
