"""Whose training is in date, and whose is about to lapse?"""

import streamlit as st

from ui.charts import bars, lines, maps, titles
from ui.components import figures as ui
from ui.sections import overview

BANDS = {f"status_{band}": band for band in ("in_date", "pending", "expired", "overdue")}


def page() -> None:
    view = ui.scope_bar("@place", "@person", "@course", period=True)
    overview.findings(view, "training_compliance")
    ui.cards(
        view,
        "training_compliance",
        "requirement_rate",
        "expiring_30",
        "expiring_60",
        "expiring_90",
        "training_hours",
        beside={"training_compliance": "trained_share"},
    )
    left, right = st.columns(2)
    with left:
        ui.figure(view, maps.provinces, "training_compliance", by="province")
        over = view.months(24)
        ui.figure(view, lines.trend, "training_compliance", by="month", over=over, zero=False, height=200)
    with right:
        ui.figure(view, bars.ranking, "training_compliance", by="place", nation=True)
    left, right = st.columns(2)
    with left:
        ui.figure(view, bars.stacked, "training_compliance", *BANDS, by="place", parts=tuple(BANDS.items()))
    with right:
        ui.figure(view, bars.ranking, "training_compliance", by="course", says=titles.extreme_by)
        ui.figure(view, lines.run_off, analysis="run_off")
    ui.figure(view, bars.ranking, analysis="seats")
    ui.figure(view, lines.heat, "training_compliance", by=("province", "month"), over=view.complete_months(12))
