"""Which institutes are licensed, how long does a licence take, and whose is about to end?"""

import streamlit as st

from ui.charts import bars, lines, time_titles, titles
from ui.charts import licensing as charts
from ui.components import blocks
from ui.components import figures as ui
from ui.sections import licensing, listings
from ui.state import address

AGES = ("outstanding_30", "outstanding_90", "outstanding_180", "outstanding_older")


def page() -> None:
    view = ui.scope_bar("@place", period=True)
    listings.requested(view, "licensing")
    listings.part(view, "cohort.all")
    ui.cards(view, *(f"licensing_times.files_{name}" for name in ("median", "p90", "within_25")))
    left, right = st.columns(2)
    with left:
        ui.figure(view, charts.decided, analysis="licensing_cohort")
    with right:
        licensing.funnel(view)
    listings.part(view, "cohort.decided")
    blocks.intro(view.word("cohort.decided_help"))
    ui.cards(view, "time_to_licence_median", "time_to_licence_p90", "within_25_days_share", "decided")
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
    ui.figure(view, charts.aged, "outstanding", *AGES, by="place")
    listings.part(view, "cohort.institutes")
    ui.cards(
        view,
        "licensed_institutes",
        "suspended_institutes",
        "revoked_institutes",
        "licences_ending_30",
        "lapsed_licence_service",
        "outstanding",
        "renewal_rate",
        "veteran_led_institute_share",
        "institutes_founded",
        "institute_age_median",
        lists={"licences_ending_30": listings.ending(view, "30")},
    )
    left, right = st.columns(2)
    with left:
        ui.figure(view, lines.trend, "licensed_institutes", by="month", over=view.months(144))
        ui.figure(view, bars.columns, "institutes_founded", by="year", over=view.years(15), says=time_titles.latest)
    with right:
        ui.figure(view, bars.columns, analysis="sizes", says=charts.largest_size)
        licensing.survival(view)
    left, right = st.columns(2)
    with left:
        ui.figure(view, bars.ranking, "licensed_institutes", by="activity", says=titles.highest)
        ui.figure(view, bars.ranking, "veteran_led_institute_share", by="smart", nation=True)
    with right:
        ui.figure(view, bars.ranking, "veteran_led_institute_share", by="place", nation=True, says=titles.highest)
    listings.listings(view, *address.LICENCE_LISTS, without=listings.chosen("licensing"))
