"""Who offers smart services, and how do they fare beside the others?"""

import streamlit as st

from pages.ui.charts import bars, grouped, licensing, maps, titles
from pages.ui.components import figures as ui
from pages.ui.sections import listings


def page() -> None:
    view = ui.scope_bar("@place", period=True)
    listings.caution(view, "smart.no_history")
    ui.cards(view, "smart_service_share", "smart_institutes", "licensed_institutes", "smart_unknown")
    left, right = st.columns(2)
    with left:
        ui.figure(view, maps.provinces, "smart_service_share", by="province", says=titles.highest)
        ui.figure(view, bars.ranking, "smart_service_share", by="activity", nation=True)
    with right:
        ui.figure(view, bars.ranking, "smart_service_share", by="place", nation=True)
    left, right = st.columns(2)
    with left:
        ui.figure(view, bars.columns, analysis="smart_sizes", says=licensing.largest_size)
    with right:
        ui.figure(view, licensing.published, analysis="adoption", says=licensing.since)
    listings.caution(view, "smart.no_proof")
    left, right = st.columns(2)
    with left:
        ui.figure(view, grouped.sides, "time_to_licence_median", by=("kind", "smart"), says=grouped.adopters)
        ui.figure(view, grouped.sides, "renewal_rate", by="smart", says=grouped.adopters)
    with right:
        ui.figure(view, grouped.sides, "time_to_licence_p90", by=("kind", "smart"), says=grouped.adopters)
        ui.figure(view, grouped.sides, "within_25_days_share", by="smart", says=grouped.adopters)
