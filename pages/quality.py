"""What was handed in, what was loaded, and what was kept back?"""

import streamlit as st

from pages.parts import grid, loadbook


def page() -> None:
    grid.style()
    view = loadbook.view()
    loadbook.totals(view)
    loadbook.provinces(view)
    left, right = st.columns(2)
    with left:
        loadbook.reasons(view)
        loadbook.warned(view)
    with right:
        loadbook.rules(view)
    loadbook.publications(view)
    loadbook.files(view)
    loadbook.revisions(view)
