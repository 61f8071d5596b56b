"""The component that shows a Plotly figure. Its element persists, and Plotly updates it for each answer (static/plot.js).

Streamlit's own element recreates a chart for every answer and draws it twice, which took most of the time of a filter
change. The JavaScript library is the one in the `plotly` Python package.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import streamlit as st

from etl.core.paths import ROOT
from ui import streamlit_internals
from ui.charts import elements

# Streamlit serves a component's script as a file only if a manifest names its folder. A script given as text is imported
# from a `blob:` address, which a Content-Security-Policy without `blob:` forbids.
_PACKAGE = "dashboard"
_NAMES = ("plot", "table", "pictures", "handin")


def plot(
    figure: elements.Figure,
    key: str,
    spoken: str,
    config: Mapping[str, Any] = elements.CONFIG,
    clicked: Callable[[str], None] | None = None,
    paper: Mapping[str, Any] | None = None,
    copied: Callable[[], None] | None = None,
) -> None:
    """Show the figure under `key`, with the height of its layout, and its width if the container has room for it.

    `spoken` is the text for screen readers. `config` is Plotly's. `clicked` receives the code of a clicked member. `paper` is
    the layout of its picture, `copied` is called when somebody copied that.
    Raises ValueError for a number that JSON cannot represent.
    """
    payload = {"figure": figure, "config": config, "spoken": spoken, "clickable": clicked is not None}
    payload |= {"paper": paper or {}, "noted": copied is not None}
    # Streamlit would escape every Persian letter of a mapping to six characters.
    written = json.dumps(payload, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    component("plot")(
        key=key,
        data=written.encode("utf-8"),
        on_copied_change=copied,
        on_click_change=(lambda: clicked(str(st.session_state[key]["click"]))) if clicked else None,
    )


def component(name: str) -> Callable[..., Any]:
    """The component of static/{name}.js, registered with the current Streamlit runtime: each test starts its own."""
    streamlit_internals.serve_components(_PACKAGE, _NAMES, ROOT, "static")
    return _declared(name)


@cache
def _declared(name: str) -> Callable[..., Any]:
    return st.components.v2.component(f"{_PACKAGE}.{name}", js=f"{name}.js", isolate_styles=False)
