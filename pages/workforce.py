"""Who are the assistants, how long do they stay, and where do they move?"""

import streamlit as st

from ui.charts import bars, lines, titles, workforce
from ui.components import figures as ui


def page() -> None:
    view = ui.scope_bar("@place", "@person", period=True)
    ui.cards(
        view,
        "active_assistants",
        "women_share",
        "age_median",
        "tenure_median",
        "leaver_rate_12m",
        "early_attrition",
        "jobs_created",
        "veteran_leader_share",
    )
    left, middle, right = st.columns(3)
    with left:
        ui.figure(view, workforce.pyramid, "active_assistants", by=("age_band", "gender"))
    with middle:
        ui.figure(view, workforce.pyramid, "active_assistants", by=("tenure_band", "gender"))
    with right:
        ui.figure(view, bars.ranking, "active_assistants", by="education", says=titles.highest)
    left, middle, right = st.columns(3)
    with left:
        ui.figure(view, bars.ranking, "active_assistants", by="post", says=titles.highest)
    with middle:
        ui.figure(view, bars.ranking, "leaver_rate_12m", by="post", nation=True)
    with right:
        ui.figure(view, workforce.survival, analysis="survival")
    left, right = st.columns(2)
    with left:
        ui.figure(view, workforce.moves, "transfers_between", by=("origin", "province"))
    with right:
        months = view.months(60)
        ui.figure(view, lines.trend, "women_share", "veteran_leader_share", by="month", over=months, height=380)
