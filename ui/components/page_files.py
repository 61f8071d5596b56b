"""Everything on a page as one workbook: what its figures and cards noted while they were drawn, offered beside "Print"."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import streamlit as st

from etl.core.errors import Refused
from etl.semantic import answers, exportable
from etl.semantic.answers import Answer
from etl.semantic.catalog import catalogue
from ui.charts.elements import ChartContext
from ui.components import blocks, downloads
from ui.components.plot import component
from ui.data import ask as asking
from ui.data import page_run, warehouse
from ui.exhibits.exhibit import Drawing, Exhibit, Made, MadeCards
from ui.exports import about
from ui.exports.file_content import Exportable
from ui.exports.page_workbook import Card, PageJob, Part
from ui.i18n import text
from ui.state import page_context, rendering
from ui.state.page_context import PageContext

_PICTURES = "page pictures"


@dataclass(frozen=True)
class Shown:
    """An exhibit of the page."""

    made: Made

    @property
    def source(self) -> Answer:
        assert self.made.exhibit.answer is not None
        return self.made.exhibit.answer

    def part(self, circulation: bool) -> Exhibit:
        return self.made.for_circulation() if circulation else self.made.exhibit


@dataclass(frozen=True)
class ShownCard:
    """A card among those of a row."""

    made: MadeCards
    name: str

    @property
    def source(self) -> Answer:
        answer = self.card(False).answer
        assert answer is not None
        return answer

    def card(self, circulation: bool) -> Exhibit:
        row = self.made.circulated if circulation else self.made.exhibits
        return next(one for one in row if one.name == self.name)


@dataclass(frozen=True)
class ShownRows:
    """Rows that are no exhibit, under their heading: too many of them, or of persons."""

    title: str
    below: str
    source: exportable.StreamedRows | exportable.StoredRows


Noted = Shown | ShownCard | ShownRows


def note(ident: str, made: Made) -> None:
    page_context.parts()[ident] = Shown(made)


def note_card(ident: str, made: MadeCards, name: str) -> None:
    page_context.parts()[ident] = ShownCard(made, name)


def note_rows(ident: str, title: str, below: str, source: exportable.StreamedRows | exportable.StoredRows) -> None:
    page_context.parts()[ident] = ShownRows(title, below, source)


def has_provisional() -> bool:
    """Whether a figure of the page, drawn so far, shows numbers that can still change by themselves."""
    shown = [noted.source for noted in page_context.parts().values() if isinstance(noted, Shown)]
    return any(answer.is_provisional(row) for answer in shown if answer.provisional for row in answer.rows)


@rendering.fragment
def offer(view: PageContext, page: str, noted: Sequence[Noted]) -> None:
    blocks.folded(view.lang, view.word("book.open"), "page-files", partial(_inside, view, page, noted))


def context(view: PageContext) -> ChartContext:
    """The context of a workbook: some of its tables have a measure in each row."""
    names = asking.names(warehouse.of_page(), view.lang)
    measures = {name: metric.label[view.lang] for name, metric in catalogue().items()}
    return ChartContext(view.lang, view.dark, names | {"metric": measures})


def _inside(view: PageContext, page: str, noted: Sequence[Noted]) -> None:
    if not noted:
        blocks.note(view.word("book.nothing"))
        return
    allowed = [one for one in noted if _may_leave(one.source)]
    if not allowed:
        blocks.note(view.word("sign_in.no_export"))
        return
    blocks.note(view.word("book.intro"))
    circulation = st.checkbox(
        view.word("figure.circulation"), key="circulation-book", help=view.word("figure.circulation_help")
    )
    with_pictures = st.checkbox(view.word("book.pictures"), key="pictures-book")
    every = [one for one in noted if not isinstance(one, ShownCard)]
    figures = [one for one in every if one in allowed and not (circulation and _is_detail(one.source))]
    left_out = tuple(_named(view, one, circulation) for one in every if one not in figures)
    drawn = {at: one.part(circulation) for at, one in enumerate(figures) if isinstance(one, Shown)}
    pictures: dict[int, bytes] = {}
    if with_pictures:
        papers = {
            at: downloads.on_paper(downloads.picture_of(view, exhibit), context(view))
            for at, exhibit in drawn.items()
            if isinstance(exhibit.form, Drawing)
        }
        found = _pictures(papers, f"pictures-book-{circulation}")
        if found is None:
            blocks.note(view.word("book.drawing"), is_status=True)
            return
        pictures = found
    parts = tuple(
        Part(one.title, one.below, one.source)
        if isinstance(one, ShownRows)
        else Part.of(drawn[at], pictures.get(at, b""))
        for at, one in enumerate(figures)
    )
    made, place = _made(view, datetime.now()), page_context.scope_in_words(view)
    cards = tuple(Card.of(one.card(circulation)) for one in allowed if isinstance(one, ShownCard))
    job = PageJob(page, place, made, cards, parts, context(view), circulation, left_out)
    try:
        job.check()
    except Refused as refused:
        blocks.note(str(refused), is_status=True)
        return
    ident = page_run.publication().id
    name = about.named(context(view), (page,), place, (view.as_of.isoformat(), ident), "xlsx", circulation)
    details: dict[str, str | int] = {"metric": "page", "form": "xlsx", "rows": job.rows(), "publication": ident}
    if circulation:
        measures = {name for one in allowed for name in exportable.of(one.source).answer.measures}
        details |= {"metric": ",".join(sorted(measures)), "circulation": 1}
    downloads.made_first(view, "book", name, job, details | {"page": page_context.part()})


def _made(view: PageContext, now: datetime) -> str:
    """When a workbook was made, and by whom where people sign in."""
    at = view.word("book.made_at", day=text.day_in_both(now.date(), view.lang), hour=f"{now:%H:%M}")
    return view.word("book.made_by", who=page_run.access_scope().sub, at=at) if page_run.signs_in() else at


def _is_detail(source: Exportable) -> bool:
    return isinstance(source, exportable.StreamedRows)


def _may_leave(source: Exportable) -> bool:
    return answers.may_leave(page_run.access_scope(), exportable.of(source).answer, _is_detail(source))


def _named(view: PageContext, one: Shown | ShownRows, circulation: bool) -> str:
    """What is left out: by its title, for circulation by its measure, for a title may state a small exact number."""
    if circulation:
        return exportable.of(one.source).answer.metrics[0].label[view.lang]
    return one.title if isinstance(one, ShownRows) else one.made.exhibit.title.sentence


def _pictures(drawn: dict[int, Any], key: str) -> dict[int, bytes] | None:
    """The pictures by figure, which the user's browser draws; None until it has."""
    written = json.dumps(list(drawn.values()), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    kept = st.session_state.get(_PICTURES)
    if kept and kept[0] == written:
        return dict(zip(drawn, kept[1], strict=False))

    def received() -> None:
        images = [base64.b64decode(image) for image in st.session_state[key]["made"] or ()]
        st.session_state[_PICTURES] = (written, [image if image.startswith(b"\x89PNG") else b"" for image in images])

    component("pictures")(key=key, data=written.encode("utf-8"), on_made_change=received)
    return None
