"""Widgets whose value is kept in the address or in the session."""

from collections.abc import Callable
from typing import Any

import streamlit as st


def controlled(
    widget: Callable[..., Any], label: str, key: str, value: Any, chosen: Callable[[Any], object], **options: Any
) -> None:
    """A widget that shows `value` at each run (see page_context) and calls `chosen` with what the user sets.

    `options` are those of the `widget`, a function of Streamlit.
    """
    st.session_state[key] = value
    widget(label, key=key, on_change=lambda: chosen(st.session_state[key]), **options)
