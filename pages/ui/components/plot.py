"""A figure in the browser. The chart stays where it is and Plotly redraws it for each answer (static/plot.js).

Streamlit's own element takes a chart away with every answer, makes it anew and draws it twice, which was the larger part
of what a filter change took. Plotly's library is the one that comes with the Python package of the same name.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

import streamlit as st
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

from etl.core.paths import ROOT
from pages.ui.charts import elements

# Streamlit serves a component's script as a file only if a manifest names its folder. A script given as text is imported
# from a `blob:` address, which a Content-Security-Policy without `blob:` forbids.
_MANIFEST = ComponentManifest("dashboard", "1", [ComponentConfig("plot", asset_dir="static")])
_NAME = "dashboard.plot"

# What a click on a figure does with the code of the member that was clicked.
Clicked = Callable[[str], None]


def plot(
    figure: elements.Figure,
    key: str,
    spoken: str,
    config: Mapping[str, Any] = elements.CONFIG,
    clicked: Clicked | None = None,
) -> None:
    """The figure under `key`, as high as its layout says, and as wide as its place or, where there is room, as its layout says.

    `spoken` is what a screen reader says of it. `config` is Plotly's. Without `clicked` a click does nothing.
    Raises ValueError for a number that JSON has no word for.
    """
    payload = {"figure": figure, "config": config, "spoken": spoken, "clickable": clicked is not None}
    _component()(
        key=key,
        # Of a mapping Streamlit would write every Persian letter as six.
        data=json.dumps(payload, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8"),
        on_click_change=partial(_tell, key, clicked) if clicked else None,
    )


def _component() -> Callable[..., Any]:
    """The component, known to the Streamlit runtime of this run. Tests start a runtime each."""
    manager = get_bidi_component_manager()
    if manager.get_component_asset_root(_NAME) is None:
        manager.register_from_manifest(_MANIFEST, ROOT)
    return _declared()


@cache
def _declared() -> Callable[..., Any]:
    return st.components.v2.component(_NAME, js="plot.js", isolate_styles=False)


def _tell(key: str, clicked: Clicked) -> None:
    clicked(str(st.session_state[key]["click"]))
