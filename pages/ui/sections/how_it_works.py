"""What the numbers are and are not, and how settled, projected, signalled and circulated numbers come about; for Methods."""

import streamlit as st

from pages.ui.i18n import text
from pages.ui.state import page_context

_PARTS = ("settled", "projection", "signals", "disclosure")
# A further paragraph: how well a method does what it is for.
_TRIED = ("signals",)


def explained() -> None:
    """That the product counts inputs, and one paragraph on each method that several pages use."""
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
