"""A figure in the browser. The chart stays where it is and Plotly redraws it for each answer (static/plot.js).

Streamlit's own element takes a chart away with every answer, makes it anew and draws it twice, which was the larger part
of what a filter change took. Plotly's library is the one that comes with the Python package of the same name.
"""

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from pages.parts import charts

_SCRIPT = Path(__file__).resolve().parents[2] / "static" / "plot.js"
_component = st.components.v2.component("plot", js=_SCRIPT.read_text(encoding="utf-8"), isolate_styles=False)

# What a click on a figure does with the code of the member that was clicked.
Clicked = Callable[[str], None]


def plot(
    figure: charts.Figure,
    key: str,
    spoken: str,
    config: Mapping[str, Any] = charts.CONFIG,
    clicked: Clicked | None = None,
) -> None:
    """The figure under `key`, as high as its layout says, and as wide as its place or, where there is room, as its layout says.

    `spoken` is what a screen reader says of it. `config` is Plotly's. Without `clicked` a click does nothing.
    Raises ValueError for a number that JSON has no word for.
    """
    told = {"figure": figure, "config": config, "spoken": spoken, "clickable": clicked is not None}
    _component(
        key=key,
        # Of a mapping Streamlit would write every Persian letter as six.
        data=json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8"),
        on_click_change=partial(_tell, key, clicked) if clicked else None,
    )


def _tell(key: str, clicked: Clicked) -> None:
    clicked(str(st.session_state[key]["click"]))
