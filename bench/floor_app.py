"""The floor: a bare Streamlit page that shows prebuilt figures and nothing else. BENCH_FIGURES names their file.

The file holds sets of figures by the day in the address; each further option in the box shows the next set.
"""

import json
import os
from pathlib import Path
from typing import Any

import streamlit as st

# Plotly draws no map without its base map, which is served next to this file like the boundaries.
_CONFIG = {"displayModeBar": False, "topojsonURL": "/app/static/"}


@st.cache_resource
def _sets() -> dict[str, list[list[dict[str, Any]]]]:
    return json.loads(Path(os.environ["BENCH_FIGURES"]).read_text(encoding="utf-8"))


def main() -> None:
    """One select box, and as many figures as the page it is compared with."""
    st.set_page_config(layout="wide")
    sets = _sets()[st.query_params.get("on", "")]
    chosen = st.multiselect("set", [f"set {number}" for number in range(31)])
    for place, figure in enumerate(sets[len(chosen) % len(sets)]):
        st.plotly_chart(figure, key=f"figure {place}", config=_CONFIG)


main()
