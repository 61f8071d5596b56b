"""Who is accredited as a judicial officer, until when, and with training in date?"""

import streamlit as st

from ui.charts import bars, lines
from ui.components import figures as ui
from ui.sections import ahead, listings, overview
from ui.state import address


def page() -> None:
    view = ui.scope_bar("@place", "@person", period=True)
    listings.requested(view, "legal")
    overview.findings(view, "officer_training_share")
    left, right = st.columns(2)
    with left:
        ui.figure(view, bars.ranking, "officer_training_share", by="place", nation=True)
    with right:
        ui.figure(view, bars.ranking, "officers_lapsed", by="place")
    ui.cards(
        view,
        "officer_training_share",
        "officers_lapsed",
        "judicial_officers",
        "judicial_officer_share",
        "accreditation_ending_30",
        "accreditation_ending_60",
        "accreditation_ending_90",
    )
    left, right = st.columns(2)
    with left:
        ui.figure(view, bars.ranking, "officer_training_share", by="course")
        ui.figure(view, lines.trend, "judicial_officers", by="month", over=view.months(60))
    with right:
        ui.figure(view, bars.ranking, "judicial_officer_share", by="place", nation=True)
    ahead.endings(view, "accreditations")
    listings.listings(view, *address.OFFICER_LISTS, without=listings.chosen("legal"))
