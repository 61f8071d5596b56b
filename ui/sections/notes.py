"""Signed notes: what a steward signs and withdraws, what is owed for a jump, and the list for everybody."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Any

import streamlit as st

from etl.core import jalali
from etl.semantic.catalog import catalogue
from etl.submissions import deadline, notes
from etl.submissions.desk import Person, Reader
from etl.submissions.notes import MOST_LETTERS, NATION, Note, Owed
from etl.submissions.records import Submission
from ui.components import blocks, tables
from ui.data import page_run, signed_notes, submissions
from ui.i18n import text
from ui.i18n.member_names import collated
from ui.state import acts, page_parameters, rendering, wording
from ui.state.page_context import PageContext

PAGE = "approve"
# Where steps of a steward on notes are answered.
PLACE = "note"
_MONTHS = 60
# For how many months a note is shown, the first the default.
_SHOWN = (12, 3, 6, 24)
# The reason that is being made a note, and the fields that a signed note leaves empty.
_DRAFT, _FA, _EN = "note of", "note-fa", "note-en"


def owed(every: Sequence[Submission]) -> list[Owed]:
    """The reasons of these submissions of which no note was signed."""
    return notes.owed(every, signed_notes.every())


def without_english() -> int:
    """How many of the notes that are shown have no English text."""
    return sum(not note.en for note in signed_notes.every() if note.is_shown(date.today()))


# ---------------------------------------------------------------- what everybody sees


def listed(view: PageContext) -> None:
    """The notes that the reader may see, also those that are shown no longer; nothing without any."""
    with blocks.error_boundary(view.lang, "notes"):
        found = notes.seen_by(signed_notes.every(), page_run.access_scope())
        if found:
            _list(view, found)


@rendering.fragment
def _list(view: PageContext, found: Sequence[Note]) -> None:
    with st.container(border=True, key="figure-notes"):
        shown = sum(note.is_shown(date.today()) for note in found)
        title = view.word("signed.listed", count=text.number(shown, view.lang))
        blocks.head(title, view.word("signed.listed_is"))
        _table(view, "notes", found, title)


def _table(view: PageContext, ident: str, found: Sequence[Note], caption: str) -> None:
    def column(name: str, words: Any, value: Any = None) -> tables.Column:
        return tables.Column(
            name, view.word(f"signed.{name}"), lambda note: f"<bdi>{text.escape(words(note))}</bdi>", value
        )

    def day(written: str) -> str:
        return text.day(date.fromisoformat(written), view.lang)

    def state(note: Note) -> str:
        if note.withdrawn_on:
            return view.word("signed.withdrawn", day=day(note.withdrawn_on))
        key = "shown" if note.is_shown(date.today()) else "ended"
        return view.word(f"signed.{key}", day=day(note.until))

    def measure(note: Note) -> str:
        return catalogue()[note.measure].label[view.lang]

    columns = [
        column("place", partial(wording.place_of, view), lambda note: collated(wording.place_of(view, note))),
        column("text", lambda note: note.text(view.lang)),
        column("measure", measure, measure),
        column("months", partial(wording.months_of, view), lambda note: note.first),
        column("by", partial(wording.author_of, view)),
        column("signed_on", lambda note: day(note.signed_on), lambda note: note.signed_on),
        column("publication", lambda note: text.digits(note.publication, view.lang) or "–"),
        column("state", state, lambda note: (bool(note.withdrawn_on), note.until)),
    ]
    newest = sorted(found, key=lambda note: -note.number)
    tables.show(view, ident, columns, newest, caption, is_short=True, is_stacked=True)


# ---------------------------------------------------------------- a steward


def desk(view: PageContext) -> None:
    """Where a steward signs a note, and withdraws one; nothing for others."""
    with blocks.error_boundary(view.lang, "notes"):
        if submissions.reader().is_steward:
            _desk(view)


@rendering.fragment
def _desk(view: PageContext) -> None:
    with blocks.error_boundary(view.lang, "notes"), st.container(border=True, key="figure-note"):
        blocks.head(view.word("signed.write"), view.word("signed.write_is"))
        acts.said(PLACE)
        reader = submissions.reader()
        for reason in owed(submissions.desk().visible(reader)):
            _reason(view, reason)
        _form(view, reader)
        if every := signed_notes.every():
            _withdraw(view, [note for note in every if note.is_shown(date.today())])
            _table(view, "note-desk", every, view.word("signed.title"))


def _reason(view: PageContext, reason: Owed) -> None:
    """A reason of a province, and the button that puts it into the form."""
    one = reason.submission
    about = {
        "place": view.member("province", one.province),
        "measure": catalogue()[reason.measure].label[view.lang],
        "month": text.unit_label(one.month, view.lang),
        "text": text.isolated(reason.why, view.lang),
    }
    with st.container(horizontal=True, vertical_alignment="center"):
        blocks.note(view.word("signed.reason", **about))
        key = f"note-take-{one.id}-{reason.measure}"
        st.button(view.word("signed.take"), key=key, type="tertiary", on_click=_take, args=(reason,))


def _take(reason: Owed) -> None:
    one = reason.submission
    page_parameters.choose(PAGE, note=reason.measure, of=one.province, at=one.month, to=None)
    st.session_state[_DRAFT], st.session_state[_FA] = reason, reason.why[:MOST_LETTERS]


def _form(view: PageContext, reader: Reader) -> None:
    measures = sorted(
        (name for name, metric in catalogue().items() if not metric.hidden),
        key=lambda name: collated(catalogue()[name].label[view.lang]),
    )
    provinces = sorted(reader.provinces, key=lambda code: collated(view.member("province", code)))
    months = [jalali.unit_of(date.today(), "month").label, *reversed(deadline.months_ended(date.today(), _MONTHS))]

    def place(code: str) -> str:
        return view.word("scope.nation") if code == NATION else view.member("province", code)

    with st.container(horizontal=True):
        measure = _choice(view, "note", "measure", measures, lambda name: catalogue()[name].label[view.lang], 330)
        at = _choice(view, "of", "place", [NATION, *provinces], place, 220)
        first = _choice(view, "at", "first", months, lambda month: text.unit_label(month, view.lang), 170, 1)
        until = months[: months.index(first) + 1]
        last = _choice(view, "to", "last", until, lambda month: text.unit_label(month, view.lang), 170, len(until) - 1)
        today = date.today()
        shown = st.selectbox(
            view.word("signed.until"),
            _SHOWN,
            key="note-until",
            format_func=lambda count: text.day(jalali.add_months(today, count), view.lang),
            width=260,
        )
    most = text.number(MOST_LETTERS, view.lang)
    st.text_area(view.word("signed.in_fa", most=most), key=_FA)
    st.text_area(view.word("signed.in_en", most=most), key=_EN)
    blocks.note(view.word("signed.open"), on_screen=True)
    chosen = (measure, at, f"{first}..{last}", jalali.add_months(today, shown), page_run.publication().id)
    st.button(
        view.word("signed.sign"),
        key="note-sign",
        type="primary",
        on_click=acts.take,
        args=(view, partial(_sign, *chosen), view.word("signed.is_signed"), PLACE),
    )


def _choice(
    view: PageContext, parameter: str, name: str, options: Sequence[str], words: Any, width: int, default: int = 0
) -> str:
    """One of some options, in the address; that of this place until one is chosen."""
    asked = page_parameters.one(PAGE, parameter)
    chosen = asked if asked in options else options[default]
    blocks.controlled(
        st.selectbox,
        view.word(f"signed.{name}"),
        f"note-{parameter}",
        chosen,
        lambda option: page_parameters.choose(PAGE, **{parameter: option}),
        options=options,
        format_func=words,
        width=width,
    )
    return chosen


def _sign(measure: str, place: str, over: str, until: date, publication: str, who: Person) -> None:
    state = st.session_state
    reason: Owed | None = state.get(_DRAFT)
    one = reason.submission if reason and (reason.measure, reason.submission.province) == (measure, place) else None
    note = notes.written(
        measure,
        place,
        over,
        state.get(_FA, ""),
        state.get(_EN, ""),
        date.today(),
        until,
        publication,
        one,
    )
    signed_notes.store().sign(who, note)
    signed_notes.forget()
    state[_FA] = state[_EN] = ""
    state.pop(_DRAFT, None)


def _withdraw(view: PageContext, shown: Sequence[Note]) -> None:
    if not shown:
        return
    by_number = {note.number: note for note in shown}

    def words(number: int) -> str:
        note = by_number[number]
        measure = catalogue()[note.measure].short[view.lang]
        return " · ".join((wording.place_of(view, note), measure, wording.months_of(view, note)))

    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.selectbox(
            view.word("signed.which"), list(by_number), key="note-which", format_func=words, width=460
        )
        st.button(
            view.word("signed.withdraw"),
            key="note-withdraw",
            on_click=acts.take,
            args=(view, partial(_end, number), view.word("signed.is_withdrawn"), PLACE),
        )


def _end(number: int, who: Person) -> None:
    signed_notes.store().withdraw(who, number, date.today())
    signed_notes.forget()
