"""A field for a day: Jalali to a Persian reader, in the calendar and in the field."""

from collections.abc import Callable
from datetime import date

import streamlit as st

from pages.parts import text
from pages.parts.page import View
from pages.parts.scope import jalali_bounds


def field(view: View, ident: str, label: str, day: date, chosen: Callable[[date], None]) -> None:
    """Show `day`; `chosen` hears of another one, never beyond the days that can be chosen."""
    key = f"day-{ident}"
    if st.session_state.get(key) != day:
        st.session_state[key] = day
    first, last = view.first_day, view.latest
    if view.lang == "fa":
        first, last = jalali_bounds(first, last)

    def changed() -> None:
        now = st.session_state[key]
        if now is not None:
            chosen(min(max(now, view.first_day), view.latest))

    st.date_input(label, key=key, min_value=first, max_value=last, format="YYYY/MM/DD", on_change=changed, width=210)
    if view.lang == "fa":
        # Streamlit's field is Gregorian in every language: the Jalali day stands in its place
        st.html(
            f"<style>.st-key-{key} [data-testid='stDateInputField']::before"
            f"{{content:'{text.day(day, view.lang)}';padding-inline:0.75rem}}</style>"
        )
