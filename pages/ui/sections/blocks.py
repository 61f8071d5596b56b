"""Short pieces of text on a page, escaped for HTML."""

import streamlit as st

from pages.ui.i18n import text


def head(title: str, below: str | None = None) -> None:
    """The heading of a block, with a line below it."""
    line = "" if below is None else f"<p>{text.escape(below)}</p>"
    st.html(f'<div class="pd-head"><h3>{text.escape(title)}</h3>{line}</div>')


def intro(words: str) -> None:
    st.html(f'<p class="pd-intro">{text.escape(words)}</p>')


def note(words: str, is_status: bool = False) -> None:
    """A quiet line; a screen reader announces it if it is a status."""
    role = ' role="status"' if is_status else ""
    st.html(f'<p class="pd-note"{role}>{text.escape(words)}</p>')
