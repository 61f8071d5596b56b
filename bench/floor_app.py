"""The floor: a bare Streamlit page that shows figures made before, and nothing else. BENCH_FIGURES names their file.

The file holds a list of sets of figures; each further choice in the box shows the next one.
"""

import json
import os
from pathlib import Path
from typing import Any

import streamlit as st


@st.cache_resource
def _sets() -> list[list[dict[str, Any]]]:
    return json.loads(Path(os.environ["BENCH_FIGURES"]).read_text(encoding="utf-8"))


def main() -> None:
    """One box, as many figures as the page that is compared."""
    st.set_page_config(layout="wide")
    sets = _sets()
    chosen = st.multiselect("set", [f"set {number}" for number in range(31)])
    for place, figure in enumerate(sets[len(chosen) % len(sets)]):
        st.plotly_chart(figure, key=f"figure {place}", config={"displayModeBar": False})


main()
