"""Whose training is in date, and whose is about to lapse?"""

import streamlit as st

from ui.charts import bars, lines, maps
from ui.components import figures as ui
from ui.sections import overview, training
from ui.state import scoped_query

BANDS = {f"status_{band}": band for band in ("in_date", "pending", "expired", "overdue")}


def page() -> None:
    view = ui.scope_bar("@place", "@person", "@course", period=True)
    overview.findings(view, "training_compliance")
    training.courses(view)
    beside = {"training_compliance": "trained_share"}
    ui.cards(view, "training_compliance", "requirement_rate", "training_hours", beside=beside)
    left, right = st.columns(2)
    with left:
        if has_map := scoped_query.has_map(view):
            ui.figure(view, maps.provinces, "training_compliance", by="province")
        over, height = view.months(24), 200 if has_map else 320
        ui.figure(view, lines.trend, "training_compliance", by="month", over=over, zero=False, height=height)
    with right:
        ui.figure(view, bars.ranking, "training_compliance", by="place", nation=True)
    left, right = st.columns(2)
    with left:
        training.futures(view)
    with right:
        training.lapsing(view)
        ui.figure(view, bars.ranking, analysis="seats")
    ui.figure(view, bars.stacked, "training_compliance", *BANDS, by="place", parts=tuple(BANDS.items()))
