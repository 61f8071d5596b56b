"""A field for a day; in Persian it is typed and shown in Jalali, next to a Jalali calendar.

Streamlit's date field shows Gregorian text in every language, only its calendar is Jalali. In Persian the day is therefore
typed into a text field, with the calendar button at its end (static/shell.css); in English it is Streamlit's field.
"""

import re
from collections.abc import Callable
from datetime import date

import streamlit as st

from etl.core import jalali
from etl.core.text_folding import fold, latin_digits
from ui.components.blocks import controlled
from ui.i18n import text
from ui.state.page_context import PageContext

Chosen = Callable[[date], object]
# The most letters of the typed text that an error message repeats.
_MOST_REPEATED = 20


def field(
    view: PageContext, ident: str, label: str, day: date, chosen: Chosen, bounds: tuple[date, date] | None = None
) -> None:
    """Show `day` and call `chosen` with a new day, always within `bounds`: by default the days of the data.

    Unreadable input leaves the day unchanged; `trouble` shows the error below the row of fields.
    """
    first, last = bounds or (view.days.first, view.latest)
    is_persian = view.lang == "fa"

    def typed(entry: str) -> None:
        try:
            typed_day = read(entry)
        except ValueError:
            message = view.word("scope.no_day", written=_repeated(entry), day=written(day, view.lang))
        else:
            if first <= typed_day <= last:
                chosen(typed_day)
                return
            ends = {"first": written(first, view.lang), "last": written(last, view.lang)}
            message = view.word("scope.day_outside", written=_repeated(entry), **ends)
        st.session_state[_wrong(ident)] = message

    def picked(now: date | None) -> None:
        if now is not None:
            chosen(min(max(now, first), last))

    with st.container(key=f"day-{ident}", gap=None):
        if is_persian:
            controlled(st.text_input, label, f"typed {ident}", written(day, view.lang), typed)
        least, most = jalali_bounds(first, last) if is_persian else (first, last)
        controlled(
            st.date_input,
            label,
            f"calendar {ident}",
            day,
            picked,
            min_value=least,
            max_value=most,
            format="YYYY/MM/DD",
            label_visibility="collapsed" if is_persian else "visible",
        )


def trouble(*idents: str) -> None:
    """Show the error of the day last typed into one of these fields, once."""
    for ident in idents:
        if message := st.session_state.pop(_wrong(ident), ""):
            st.html(f'<p class="pd-wrong" role="alert">{text.escape(message)}</p>')


def read(written: str) -> date:
    """Parse a typed day: any digits, either calendar, any separator, the year first or last.

    The month may be a name: «۳۱ شهریور ۱۴۰۳». Raises ValueError if it is not a day.
    """
    plain = latin_digits(written)
    parts = re.findall("[0-9]+", plain)
    if len(parts) == 2:
        return jalali.read_day(_named(plain))[0]
    if len(parts) == 3 and len(parts[2]) == 4:
        parts.reverse()
    return text.read_day("-".join(parts))


def _named(written: str) -> str:
    """A day with a month name, normalised for `jalali.read_day`: Persian month names, no commas."""
    day, *name, year = " ".join(fold(written).replace(",", " ").replace("،", " ").split()).split(" ")
    english, persian = (text.words("calendar.months", lang) for lang in ("en", "fa"))
    months = dict(zip(map(fold, english), persian, strict=True))
    month = " ".join(name)
    return f"{day} {months.get(month, month)} {year}"


def written(day: date, lang: str) -> str:
    """A day in the format of the text field: «۱۴۰۵/۰۷/۳۰»."""
    return text.digits(text.iso_jalali(day).replace("-", "/"), lang)


def jalali_bounds(first: date, last: date) -> tuple[date, date]:
    """Bounds around `first` and `last` that keep the browser's calendar Jalali.

    The calendar clips its months at the Gregorian months of the bounds: with a last day after the 20th, or a first day
    before it, it shows a Gregorian month under a Jalali name.
    """
    following = last if last.day <= 15 else jalali.add_months(last, 1)
    return jalali.add_months(first, -1).replace(day=25), following.replace(day=15)


def _wrong(ident: str) -> str:
    return f"typed wrong {ident}"


def _repeated(typed: str) -> str:
    """The typed text for an error message: on one line, shortened, and isolated in direction."""
    line = " ".join(typed.split())
    return text.isolated(line if len(line) <= _MOST_REPEATED else f"{line[:_MOST_REPEATED]}…", "fa")
