"""The download of a briefing, and the list of written ones. On pages all their numbers are suppressed for circulation."""

from collections.abc import Callable
from datetime import date
from functools import partial

import streamlit as st

from etl.core.errors import Refused
from etl.core.paths import warehouse_pointer
from etl.semantic import rights
from ui.briefing import writing
from ui.briefing.writing import NATION, Written
from ui.components import blocks, downloads
from ui.components.blocks import error_boundary
from ui.data import briefing_questions, page_run
from ui.i18n import text
from ui.state import rendering
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
    """The button of the briefing at the top of a page, beside the words on what is shown."""
    rendering.defer(button, view, place=st.container(key="take-away"))


def button(view: PageContext) -> None:
    """A button that makes and downloads the briefing of the place; nothing if the scope has none."""
    place = place_of(view)
    if place is None:
        return
    with error_boundary(view.lang, "briefing"):
        pointer = warehouse_pointer()
        try:
            with briefing_questions.opened(pointer, page_run.access_scope()) as con:
                questions = briefing_questions.Questions(
                    con, pointer, view.lang, "" if place == NATION else place, view.scope.on
                )
                questions.refuse_empty()
                name, publication = writing.file_name(questions), questions.publication.id
        except Refused:
            return
        make, about = partial(made, place, view.lang, view.scope.on), view.word("briefing.make_help")
        _download(view, "briefing-button", "briefing.make", name, place, publication, make, about)


def _download(
    view: PageContext,
    key: str,
    label: str,
    name: str,
    place: str,
    publication: str,
    content: Callable[[], bytes],
    about: str,
) -> None:
    details: dict[str, str | int] = {"metric": "briefing", "form": "pdf", "province": place, "publication": publication}
    downloads.offered(view, key, view.word(label), name, _MIME, lambda out: out.write(content()), details, about)


def made(place: str, lang: str, on: date | None) -> bytes:
    """The briefing of a place, suppressed for circulation. Raises Refused."""
    with writing.press(warehouse_pointer(), page_run.access_scope()) as press:
        return press.pdf(press.questions(place, lang, on))


def listed(view: PageContext) -> None:
    """The written briefings that the user may see, the latest first, each with a download button."""
    with error_boundary(view.lang, "briefings"):
        books = [book for book in writing.written() if not book.is_exact and _may_see(book.place)]
        if not books:
            blocks.note(view.word("briefing.none_written"))
            blocks.note(view.word("briefing.to_write"), on_screen=True)
            return
        blocks.head(view.word("briefing.written"))
        for number, book in enumerate(books[:_MOST_SHOWN]):
            _line(view, number, book)


def _line(view: PageContext, number: int, book: Written) -> None:
    content = writing.content_of(book)
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
        if content is None:
            st.html(f'<p class="pd-note">{view.escaped("briefing.not_here")}</p>', width="content")
            return
        name = book.file.rpartition("/")[2]
        _download(view, f"take-{number}", "briefing.take", name, book.place, book.publication, lambda: content, name)


def _may_see(place: str) -> bool:
    """Whether the user may download the briefing of a place; the nation's names institutes of every province."""
    return page_run.access_scope().may_take(rights.every_province() if place == NATION else frozenset({place}))
