"""The scope bar: province, activity and as-of day in one place on every page, the rest one click away, and Reset."""

from datetime import date

import streamlit as st

from etl.days import add_months
from pages.parts import page, text, warehouse
from pages.parts.page import FILTERS, View

_MAIN = ("province", "activity")


def bar(view: View, more: tuple[str, ...]) -> None:
    """Draw the bar for `view`; `more` are the filters that this page has besides the main ones."""
    offered = [name for name in FILTERS if name in more]
    on = [name for name in offered if name in view.where]
    with st.container(key="scope-bar", horizontal=True, vertical_alignment="bottom", gap="small"):
        for name in _MAIN:
            _filter(view, name)
        _day(view)
        label = view.word("scope.more_on", count=text.number(len(on), view.lang)) if on else view.word("scope.more")
        box = st.popover(label, key="scope-more", on_change="rerun")
        # thousands of institutes are not sent to who does not look for one
        if box.open:
            with box:
                for name in offered:
                    _filter(view, name)
        st.button(view.word("scope.reset"), key="scope-reset", on_click=page.reset, type="tertiary")
    said = view.word("scope.in_words", parts=page.said(view))
    day = view.word("trust.as_of", day=text.day_in_both(view.as_of, view.lang))
    st.html(f'<p class="pd-said" role="status">{text.escape(said)} <span>·</span> {text.escape(day)}</p>')


def _filter(view: View, name: str) -> None:
    """One multiple choice; what the session holds is what it shows."""
    key = f"filter {name}"
    options = _options(view, name)
    chosen = [code for code in view.where.get(name, ()) if code in options]
    if st.session_state.get(key) != chosen:
        st.session_state[key] = chosen
    st.multiselect(
        view.word(f"scope.{name}"),
        list(options),
        key=key,
        format_func=lambda code: options.get(code, code),
        placeholder=view.word("scope.all_of"),
        on_change=lambda: page.narrow(name, st.session_state[key]),
        filter_mode="contains",
        select_all=False,
        wrap=True,
    )


def _options(view: View, name: str) -> dict[str, str]:
    """What may be chosen: counties only of the provinces that are on."""
    names = dict(warehouse.names(name, view.lang))
    provinces = view.where.get("province")
    if name == "county" and provinces:
        within = text.counties_of(frozenset(provinces))
        return {code: label for code, label in names.items() if code in within}
    return names


def _day(view: View) -> None:
    key = "filter on"
    if st.session_state.get(key) != view.as_of:
        st.session_state[key] = view.as_of

    def chosen() -> None:
        on = st.session_state[key]
        page.set_day(None if on is None or on >= view.latest else on)

    first, last = view.first_day, view.latest
    if view.lang == "fa":
        first, last = jalali_bounds(first, last)
    st.date_input(
        view.word("scope.on"), key=key, min_value=first, max_value=last, format="YYYY/MM/DD", on_change=chosen
    )
    if view.lang == "fa":
        # Streamlit's field is Gregorian in every language: the Jalali day stands in its place
        st.html(
            "<style>.st-key-filter-on [data-testid='stDateInputField']::before"
            f"{{content:'{text.day(view.as_of, view.lang)}';padding-inline:0.75rem}}</style>"
        )


def jalali_bounds(first: date, last: date) -> tuple[date, date]:
    """Bounds around `first` and `last` under which the browser's calendar stays Jalali.

    It cuts its months at the Gregorian months of the bounds: a last day after the 20th, or a first day before it, makes
    it show a Gregorian month under a Jalali name.
    """
    following = last if last.day <= 15 else add_months(last, 1)
    return add_months(first, -1).replace(day=25), following.replace(day=15)
