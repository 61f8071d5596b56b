"""Short pieces of text on a page, escaped for HTML."""

import streamlit as st

from ui.i18n import text


def heading(title: str, below: str | None = None, more: str = "") -> str:
    """The heading of a block as HTML, with a line below it and the HTML `more`."""
    line = "" if below is None else f"<p>{text.escape(below)}</p>"
    return f'<div class="pd-head"><h3>{text.escape(title)}</h3>{line}{more}</div>'


def head(title: str, below: str | None = None) -> None:
    st.html(heading(title, below))


def intro(words: str) -> None:
    st.html(f'<p class="pd-intro">{text.escape(words)}</p>')


def note(words: str, is_status: bool = False) -> None:
    """A quiet line; a screen reader announces it if it is a status."""
    role = ' role="status"' if is_status else ""
    st.html(f'<p class="pd-note"{role}>{text.escape(words)}</p>')
