"""A field for a day: to a Persian reader typed and shown in Jalali, with the Jalali calendar beside it.

Streamlit's own field is Gregorian in every language, only its calendar is Jalali. So a Persian reader types into a field
of text, and the calendar's button stands in its end (static/shell.css); an English reader has Streamlit's field.
"""

import re
from collections.abc import Callable
from datetime import date

import streamlit as st

from etl.core import jalali
from etl.core.jalali import add_months
from etl.core.text_folding import fold, latin_digits
from pages.ui.i18n import text
from pages.ui.state.page_context import PageContext

Chosen = Callable[[date], None]
# So much of what was written is repeated to who wrote it.
_MOST_REPEATED = 20


def field(view: PageContext, ident: str, label: str, day: date, chosen: Chosen) -> None:
    """Show `day`; `chosen` hears of another one, never of one beyond the days that can be chosen.

    What cannot be read leaves the day as it is; `trouble` says so, below the row of fields.
    """
    with st.container(key=f"day-{ident}", gap=None):
        if view.lang == "fa":
            _typed(view, ident, label, day, chosen)
        _calendar(view, ident, label, day, chosen)


def trouble(*idents: str) -> None:
    """What was wrong with the day last typed into one of these fields, said once, where there is room for it."""
    for ident in idents:
        if message := st.session_state.pop(_wrong(ident), ""):
            st.html(f'<p class="pd-wrong" role="alert">{text.escape(message)}</p>')


def read(written: str) -> date:
    """The day somebody typed: any digits, either calendar, any sign between its parts, the year first or last.

    The month may be a name: «۳۱ شهریور ۱۴۰۳». Raises ValueError for what is no day.
    """
    plain = latin_digits(written)
    parts = re.findall("[0-9]+", plain)
    if len(parts) == 2:
        return jalali.read_day(_named(plain))[0]
    if len(parts) == 3 and len(parts[2]) == 4:
        parts.reverse()
    return text.read_day("-".join(parts))


def _named(written: str) -> str:
    """A day with the name of its month as `jalali.read_day` takes it: also with an English name, and without the comma."""
    day, *name, year = " ".join(fold(written).replace(",", " ").replace("،", " ").split()).split(" ")
    months = {fold(month_name): place for place, month_name in enumerate(text.words("calendar.months", "en"))}
    month = " ".join(name)
    known = text.words("calendar.months", "fa")
    return f"{day} {known[months[month]] if month in months else month} {year}"


def written(day: date, lang: str) -> str:
    """A day as one types it: «۱۴۰۵/۰۷/۳۰»."""
    return text.digits(text.iso_jalali(day).replace("-", "/"), lang)


def jalali_bounds(first: date, last: date) -> tuple[date, date]:
    """Bounds around `first` and `last` under which the browser's calendar stays Jalali.

    It cuts its months at the Gregorian months of the bounds: a last day after the 20th, or a first day before it, makes
    it show a Gregorian month under a Jalali name.
    """
    following = last if last.day <= 15 else add_months(last, 1)
    return add_months(first, -1).replace(day=25), following.replace(day=15)


def _typed(view: PageContext, ident: str, label: str, day: date, chosen: Chosen) -> None:
    key = f"typed {ident}"
    st.session_state[key] = written(day, view.lang)

    def changed() -> None:
        typed = st.session_state[key]
        try:
            typed_day = read(typed)
        except ValueError:
            message = view.word("scope.no_day", written=_repeated(typed), day=written(day, view.lang))
            st.session_state[_wrong(ident)] = message
            return
        if not view.first_day <= typed_day <= view.latest:
            first, last = (written(bound, view.lang) for bound in (view.first_day, view.latest))
            message = view.word("scope.day_outside", written=_repeated(typed), first=first, last=last)
            st.session_state[_wrong(ident)] = message
            return
        chosen(typed_day)

    st.text_input(label, key=key, on_change=changed)


def _wrong(ident: str) -> str:
    return f"typed wrong {ident}"


def _repeated(typed: str) -> str:
    """What was typed, on one line, short, and in a direction of its own."""
    line = " ".join(typed.split())
    return text.isolated(line if len(line) <= _MOST_REPEATED else f"{line[:_MOST_REPEATED]}…", "fa")


def _calendar(view: PageContext, ident: str, label: str, day: date, chosen: Chosen) -> None:
    key = f"calendar {ident}"
    st.session_state[key] = day

    def changed() -> None:
        now = st.session_state[key]
        if now is not None:
            chosen(min(max(now, view.first_day), view.latest))

    first, last = view.first_day, view.latest
    if view.lang == "fa":
        first, last = jalali_bounds(first, last)
    st.date_input(
        label,
        key=key,
        min_value=first,
        max_value=last,
        format="YYYY/MM/DD",
        on_change=changed,
        label_visibility="collapsed" if view.lang == "fa" else "visible",
    )
