"""The download of a briefing, for circulation or exact, and the list of written ones for circulation."""

import os
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import IO

import streamlit as st

from etl.core.errors import Refused
from etl.semantic import rights
from ui.briefing import writing
from ui.briefing.writer import refuse_empty
from ui.briefing.writing import NATION, Written
from ui.components import blocks, downloads
from ui.components.blocks import error_boundary
from ui.data import cursors, page_run
from ui.i18n import text
from ui.state.page_context import PageContext

_MIME = "application/pdf"
# Older briefings remain in the folder.
_MOST_SHOWN = 60


def place_of(view: PageContext) -> str | None:
    """The place whose briefing matches the scope: a province, `IR` for the nation; None under any other filter."""
    provinces = view.where.get("province", ())
    if set(view.where) - {"province"} or len(provinces) > 1:
        return None
    place = provinces[0] if provinces else NATION
    return place if _may_see(place) else None


def take_away(view: PageContext) -> None:
    """The dialog of the PDF at the top of a page: which book, exact or for circulation; nothing if the scope has none."""
    if place := place_of(view):
        with st.container(key="take-away"):
            blocks.popover(view.lang, view.word("briefing.open"), "briefing", partial(_dialog, view, place))


def _dialog(view: PageContext, place: str) -> None:
    """The book of the place, its pages and day, for circulation or exact, and a button that makes and downloads it."""
    exact = st.checkbox(view.word("briefing.exact"), key="briefing-exact")
    try:
        with cursors.opened(Path(page_run.current_file()), page_run.access_scope()) as ask:
            publication = ask.publication
            scope = writing.scope_of(publication, place, view.lang, view.scope.on)
            refuse_empty(scope, ask)
    except Refused:
        blocks.note(view.word("briefing.nobody"))
        return
    blocks.note(
        view.word(
            "briefing.book",
            place=text.isolated(writing.place_name(place, view.lang), view.lang),
            day=text.day(scope.day, view.lang),
            id=text.digits(publication.id, view.lang),
            made=text.day(publication.published_at.date(), view.lang),
        )
    )
    blocks.note(view.word("briefing.exact_short" if exact else "briefing.make_help"))
    make = partial(made, place, view.lang, view.scope.on, exact)
    more = {"why": "exact"} if exact else {}
    name = writing.file_name(scope, exact)
    _download(view, "briefing-button", "briefing.make", name, place, publication.id, make, None, more)


def _download(
    view: PageContext,
    key: str,
    label: str,
    name: str,
    place: str,
    publication: str,
    content: Callable[[], bytes],
    help: str | None,
    more: Mapping[str, str] = MappingProxyType({}),
) -> None:
    details: dict[str, str | int] = {"metric": "briefing", "form": "pdf", "province": place, "publication": publication}
    write = partial(_write, content)
    downloads.offered(view, key, view.word(label), name, _MIME, write, {**details, **more}, help)


def _write(content: Callable[[], bytes], out: IO[bytes]) -> None:
    out.write(content())


def made(place: str, lang: str, on: date | None, exact: bool = False) -> bytes:
    """The briefing of a place, suppressed for circulation unless `exact`. Raises Refused."""
    with writing.press(Path(page_run.current_file()), page_run.access_scope()) as press:
        return press.pdf(press.writer(place, lang, on, exact))


def listed(view: PageContext) -> None:
    """The written briefings that the user may see, the latest first, each with a download button."""
    with st.container(border=True, key="figure-briefings"), error_boundary(view.lang, "briefings"):
        books = [book for book in writing.written() if not book.is_exact and _may_see(book.place)]
        if not books:
            blocks.note(view.word("briefing.none_written"))
            blocks.note(view.word("briefing.to_write"), on_screen=True)
            return
        blocks.head(view.word("briefing.written"))
        for number, book in enumerate(books[:_MOST_SHOWN]):
            _line(view, number, book)


def _line(view: PageContext, number: int, book: Written) -> None:
    words = " · ".join(
        [
            writing.place_name(book.place, view.lang),
            text.day(date.fromisoformat(book.day), view.lang),
            view.word(f"briefing.in_{book.lang}"),
            text.digits(book.publication, view.lang),
        ]
    )
    with st.container(horizontal=True, vertical_alignment="center", key=f"briefing-{number}"):
        st.html(f"<p>{text.escape(words)}</p>", width="stretch")
        if not os.access(book.file, os.R_OK):
            st.html(f'<p class="pd-note">{view.escaped("briefing.not_here")}</p>', width="content")
            return
        file = Path(book.file)
        given = (file.name, book.place, book.publication, file.read_bytes, file.name)
        _download(view, f"take-{number}", "briefing.take", *given)


def _may_see(place: str) -> bool:
    """Whether the user may download the briefing of a place; the nation's names institutes of every province."""
    return page_run.access_scope().may_take(rights.every_province() if place == NATION else frozenset({place}))
