"""Who offers smart services, and how do they compare with other institutes?"""

import streamlit as st

from ui.charts import bars, maps
from ui.charts import licensing as charts
from ui.components import blocks
from ui.components import figures as ui
from ui.sections import licensing, overview


def page() -> None:
    view = ui.scope_bar("@place", period=True)
    ui.cards(
        view,
        "smart_service_share",
        "smart_institutes",
        "licensed_institutes",
        beside={"smart_service_share": "smart_unknown"},
    )
    overview.findings(view, "smart_service_share")
    blocks.intro(view.word("smart.no_history"))
    left, right = st.columns(2)
    with left:
        ui.figure(view, maps.provinces, "smart_service_share", by="province")
        ui.figure(view, bars.ranking, "smart_service_share", by="activity", nation=True)
    with right:
        ui.figure(view, bars.ranking, "smart_service_share", by="place", nation=True)
    ui.figure(view, bars.columns, analysis="smart_sizes", says=charts.with_staff)
    licensing.smart_history(view)
    licensing.smart_compared(view)
