"""What the numbers mean, and how settled, projected, signalled and suppressed numbers are made; for Methods."""

import streamlit as st

from pages.ui.i18n import text
from pages.ui.state import page_context

_PARTS = ("settled", "projection", "signals", "disclosure")
# Parts with a further paragraph on how well the method performs.
_TRIED = ("signals",)


def explained() -> None:
    """A statement that the product counts inputs, and one paragraph on each shared method."""
    lang = page_context.language()
    parts = "".join(
        f'<h3 id="how-{part}">{text.escape(text.word(f"how.{part}_title", lang))}</h3>'
        f"<p>{text.escape(text.word(f'how.{part}', lang))}</p>"
        + (f"<p>{text.escape(text.word(f'how.{part}_tried', lang))}</p>" if part in _TRIED else "")
        for part in _PARTS
    )
    st.html(
        f'<p class="pd-intro"><b>{text.escape(text.word("how.inputs", lang))}</b></p><div class="pd-entry">{parts}</div>'
    )
