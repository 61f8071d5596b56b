"""Where do we stand today, and what needs action?"""

import streamlit as st

from ui.charts import lines, maps, titles
from ui.components import figures as ui
from ui.sections import briefings, overview
from ui.state import rendering


def page() -> None:
    view = ui.scope_bar("@place", "@person", period=True)
    overview.summed_up(view)
    overview.told(view, "coverage_per_10k", "training_compliance")
    overview.cards(view)
    overview.needing_action(view)
    wide, narrow = st.columns([3, 2])
    with wide:
        # The height of the map next to it.
        ui.figure(view, lines.projection, analysis="projection", target=True, height=450)
    with narrow:
        ui.figure(view, maps.provinces, "training_compliance", by="province", says=titles.lowest)
    rendering.defer(briefings.button, view)
