"""How does one institute stand, and which institutes are there?"""

import streamlit as st

from ui.charts import bars, lines
from ui.components import breadcrumb
from ui.components import figures as ui
from ui.sections import institute


def page() -> None:
    view = ui.scope_bar("@place", "@person", period=True)
    breadcrumb.show(view)
    institute.find(view)
    chosen_institute = institute.chosen(view)
    if chosen_institute is None:
        institute.listing(view)
        institute.people(view)
        return
    view = institute.only(view, chosen_institute)
    institute.head(view, chosen_institute)
    ui.cards(view, "active_assistants", "in_service", "training_compliance", "judicial_officer_share", "expiring_30")
    institute.licences(view, chosen_institute)
    left, right = st.columns(2)
    with left:
        ui.figure(view, lines.trend, "in_service", "active_assistants", by="month", over=view.months(60))
    with right:
        ui.figure(view, bars.ranking, "training_compliance", by="course")
    institute.people(view)
