"""Whose licence is about to end, how long does a licence take, and which institutes are licensed?"""

import streamlit as st

from ui.charts import bars, lines, time_titles, titles
from ui.charts import licensing as charts
from ui.components import figures as ui
from ui.sections import ahead, licensing, listings
from ui.state import address

AGES = ("outstanding_30", "outstanding_90", "outstanding_180", "outstanding_older")


def page() -> None:
    view = ui.scope_bar("@place", period=True)
    listings.requested(view, "licensing")
    first, *others = address.LICENCE_LISTS[:-1]
    listings.listings(view, first, without=listings.chosen("licensing"))
    ui.cards(
        view,
        "licensed_institutes",
        "licences_ending_30",
        "lapsed_licence_service",
        "suspended_institutes",
        "revoked_institutes",
        "outstanding",
        "renewal_rate",
        "veteran_led_institute_share",
        "institutes_founded",
        "institute_age_median",
        lists={"licences_ending_30": listings.ending(view, "30")},
    )
    left, right = st.columns(2)
    with left:
        ahead.endings(view, "licences")
    with right:
        ahead.queue(view)
    with st.expander(view.word("cohort.by_age")):
        ui.figure(view, charts.aged, "outstanding", *AGES, by="place")
    listings.listings(view, *others, without=listings.chosen("licensing"))
    listings.part(view, "cohort.all")
    ui.cards(view, *(f"licensing_times.files_{name}" for name in ("median", "p90", "within_25")))
    left, middle, right = st.columns(3)
    with left:
        ui.figure(view, charts.decided, analysis="licensing_cohort")
    with middle:
        licensing.funnel(view)
    with right:
        ui.figure(view, lines.trend, "renewal_rate", by="quarter", over=view.complete_quarters(12))
    with st.expander(view.word("cohort.institutes")):
        left, middle, right = st.columns(3)
        with left:
            ui.figure(view, lines.trend, "licensed_institutes", by="month", over=view.months(144))
        with middle:
            ui.figure(view, bars.columns, "institutes_founded", by="year", over=view.years(15), says=time_titles.latest)
        with right:
            licensing.survival(view)
        left, right = st.columns(2)
        with left:
            ui.figure(view, bars.columns, analysis="sizes", says=titles.highest)
            ui.figure(view, bars.ranking, "licensed_institutes", by="activity", says=titles.highest)
            ui.figure(view, bars.ranking, "veteran_led_institute_share", by="smart", nation=True)
        with right:
            ui.figure(view, bars.ranking, "veteran_led_institute_share", by="place", nation=True, says=titles.highest)
    licensing.smart(view)
