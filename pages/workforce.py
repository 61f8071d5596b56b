"""Who are the assistants, how long do they stay, and where do they move?"""

import streamlit as st

from pages.parts import bars, findings, lines, staff
from pages.parts import components as ui


def page() -> None:
    view = ui.scope_bar("county", "institute", "gender", "education", "post", period=True)
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
    left, right = st.columns(2)
    with left:
        ages = ("age_band", "gender")
        ui.figure(view, staff.pyramid, "active_assistants", by=ages, says=staff.largest_band)
    with right:
        served = ("tenure_band", "gender")
        ui.figure(view, staff.pyramid, "active_assistants", by=served, says=staff.largest_band)
    left, right = st.columns(2)
    with left:
        ui.figure(view, bars.ranking, "active_assistants", by="education", says=findings.highest)
        ui.figure(view, bars.ranking, "active_assistants", by="post", says=findings.highest)
    with right:
        ui.figure(view, bars.ranking, "women_share", by="post", nation=True)
        ui.figure(view, bars.ranking, "leaver_rate_12m", by="post", nation=True)
    left, right = st.columns(2)
    with left:
        ui.figure(view, staff.survival, analysis="survival", says=staff.still_serving)
    with right:
        ui.figure(view, staff.curves, analysis="survival_by_post", says=staff.fewest_stay)
    left, right = st.columns(2)
    with left:
        ways = ("origin", "province")
        ui.figure(view, staff.moves, "transfers_between", by=ways, says=staff.largest_move)
    with right:
        months = view.months(60)
        ui.figure(view, lines.trend, "women_share", "veteran_leader_share", by="month", over=months)
    left, right = st.columns(2)
    with left:
        ui.figure(view, bars.ranking, "women_share", by="place", nation=True)
    with right:
        ui.figure(view, bars.ranking, "veteran_leader_share", by="place", nation=True)
