"""Which institutes are licensed, how long does a licence take, and whose is about to end?"""

import streamlit as st

from pages.ui.charts import bars, licensing, lines, titles
from pages.ui.components import figures as ui
from pages.ui.sections import listings
from pages.ui.state import address

AGES = ("outstanding_30", "outstanding_90", "outstanding_180", "outstanding_older")


def page() -> None:
    view = ui.scope_bar("@place", period=True)
    listings.asked_for(view, "licensing")
    ui.cards(
        view,
        "licensed_institutes",
        "suspended_institutes",
        "revoked_institutes",
        "licences_ending_30",
        "lapsed_licence_service",
        "outstanding",
        "time_to_licence_median",
        "time_to_licence_p90",
        "within_25_days_share",
        "renewal_rate",
    )
    left, right = st.columns(2)
    with left:
        ui.figure(view, lines.trend, "licensed_institutes", by="month", over=view.months(144))
    with right:
        ui.figure(view, bars.columns, analysis="sizes", says=licensing.largest_size)
    left, right = st.columns(2)
    with left:
        ui.figure(view, bars.funnel, "applications", "cohort_complete", "cohort_decided", "cohort_granted")
    with right:
        ui.figure(view, bars.ranking, "licensed_institutes", by="activity", says=titles.highest)
    left, right = st.columns(2)
    with left:
        times = ("time_to_licence_median", "time_to_licence_p90")
        ui.figure(view, lines.trend, *times, by="month", over=view.months(24))
    with right:
        ui.figure(view, lines.trend, "renewal_rate", by="quarter", over=view.complete_months(36))
    left, right = st.columns(2)
    with left:
        ui.figure(view, bars.ranking, "within_25_days_share", by="place", nation=True)
    with right:
        ui.figure(view, bars.ranking, "time_to_licence_median", by="place", nation=True)
    ui.figure(view, licensing.aged, "outstanding", *AGES, by="place", says=titles.highest)
    listings.listings(view, *address.LICENCE_LISTS, without=listings.chosen("licensing"))
