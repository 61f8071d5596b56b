"""At this pace, when is the target reached?"""

import streamlit as st

from pages.ui.charts import bars, lines
from pages.ui.components import figures as ui


def page() -> None:
    view = ui.scope_bar("@place", "@person", period=True)
    ui.cards(
        view,
        "active_assistants",
        "target_progress",
        "joiners",
        "leavers",
        "leaver_rate_12m",
        "early_attrition",
        "pace.required_pace",
        "pace.actual_pace_12",
        "pace.projected_first",
        "pace.projected_last",
    )
    wide, narrow = st.columns([3, 2])
    with wide:
        ui.figure(view, lines.trend, "active_assistants", by="month", over=view.months(144), target=True)
    with narrow:
        ui.figure(view, lines.projection, analysis="projection", target=True)
    left, right = st.columns(2)
    with left:
        ui.figure(view, bars.paired, "joiners", "leavers", by="month", over=view.months(24))
        ui.figure(view, bars.bridge, analysis="bridge")
    with right:
        ui.figure(view, bars.ranking, "leaver_rate_12m", by="place", nation=True)
