"""Which province is unusual among provinces, and whose share of the nation's joiners has changed?"""

import streamlit as st

from ui.components import blocks
from ui.components import figures as ui
from ui.sections import comparisons


def page() -> None:
    view = ui.scope_bar("@person")
    blocks.intro(view.word("signal.other_question"))
    ui.cards(view, "training_compliance", "leaver_rate_12m")
    left, right = st.columns(2)
    with left:
        comparisons.levels(view, "training_compliance")
    with right:
        comparisons.levels(view, "leaver_rate_12m")
    comparisons.changes(view)
