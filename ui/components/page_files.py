"""Everything on a page as one workbook, made of what stands on the page and offered beside "Print"."""

import base64
import json
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import streamlit as st

from etl.core.errors import Refused
from etl.semantic.catalog import catalogue
from ui.charts.elements import ChartContext
from ui.components import blocks, data_links, downloads
from ui.components.plot import component
from ui.data import ask as asking
from ui.data import page_run, warehouse
from ui.exhibits import register
from ui.exhibits.exhibit import Drawing
from ui.exhibits.named import Made, Named
from ui.exhibits.page import Page
from ui.exports import about
from ui.exports.page_workbook import Contents, PageJob, contents_of
from ui.i18n import navigation, text
from ui.state import page_context, page_parameters, rendering
from ui.state.given import Wrong
from ui.state.page_context import PageContext

_PICTURES = "page pictures"


def has_provisional() -> bool:
    """Whether a figure of the page shows numbers that can still change by themselves."""
    answers = []
    for made in rendering.made():
        # What fails says so in its own box.
        with suppress(Exception):
            answers += [made.exhibit.answer] if isinstance(made, Made) else []
    return any(answer.is_provisional(row) for answer in answers if answer and answer.provisional for row in answer.rows)


@rendering.fragment
def offer(view: PageContext, part: str) -> None:
    blocks.folded(view.lang, view.word("book.open"), "page-files", partial(_inside, view, part))


def context(view: PageContext) -> ChartContext:
    """The context of a workbook: some of its tables have a measure in each row."""
    names = asking.names(warehouse.of_page(), view.lang)
    measures = {name: metric.label[view.lang] for name, metric in catalogue().items()}
    return ChartContext(view.lang, view.dark, names | {"metric": measures})


def _inside(view: PageContext, part: str) -> None:
    page = register.pages().get(part)
    if page is None:
        blocks.note(view.word("book.nothing"))
        return
    view, given = of_page(view, page), page_parameters.of(part)
    circulation = bool(st.session_state.get("circulation-book"))
    try:
        contents = contents_of(page, view.asked, warehouse.of_page(), given, circulation)
    except Wrong as wrong:
        blocks.note(str(wrong))
        return
    if contents.is_empty:
        blocks.note(view.word("sign_in.no_export" if contents.left_out else "book.nothing"))
        return
    blocks.note(view.word("book.intro"))
    st.checkbox(view.word("figure.circulation"), key="circulation-book", help=view.word("figure.circulation_help"))
    with_pictures = st.checkbox(view.word("book.pictures"), key="pictures-book")
    pictures = _drawn(view, contents, circulation) if with_pictures else {}
    if pictures is None:
        blocks.note(view.word("book.drawing"), is_status=True)
        return
    query = page.query(given, view.asked) | ({"circulation": ["1"]} if circulation else {})
    in_words = text.escape(data_links.with_query(f"{data_links.folder()}{part}.html", query))
    st.html(f'<p class="pd-note"><a href="{in_words}" download>{view.escaped("book.in_words")}</a></p>')
    job = job_of(view, part, contents, circulation, pictures)
    try:
        job.check()
    except Refused as refused:
        blocks.note(str(refused), is_status=True)
        return
    downloads.made_first(view, "book", file_name(view, job), job, details(job, contents) | {"page": part})
    address = f"{data_links.folder()}{part}.xlsx"
    said = data_links.with_query(address, page.query(given, view.asked))
    st.html(f'<p class="pd-note"><bdi class="pd-latin">{text.escape(said)}</bdi></p>')


def of_page(view: PageContext, page: Page) -> PageContext:
    """The view with or without a period, as the page has it."""
    return replace(view, has_period=page.has_period)


def job_of(
    view: PageContext, part: str, contents: Contents, circulation: bool, pictures: dict[Named, bytes]
) -> PageJob:
    """The workbook of a page to write."""
    title, place = navigation.part_words(part)[view.lang], page_context.scope_in_words(view, part)
    return contents.job(title, place, _made(view, datetime.now()), context(view), circulation, pictures)


def file_name(view: PageContext, job: PageJob) -> str:
    end = (view.as_of.isoformat(), page_run.publication().id)
    return about.named(context(view), (job.page,), job.scope, end, "xlsx", job.circulation)


def details(job: PageJob, contents: Contents) -> dict[str, str | int]:
    """The fields of the audit log for the workbook of a page."""
    found: dict[str, str | int] = {"form": "xlsx", "rows": job.rows(), "publication": page_run.publication().id}
    if job.circulation:
        return found | {"metric": ",".join(sorted(contents.measures())), "circulation": 1}
    return found | {"metric": "page"}


def _made(view: PageContext, now: datetime) -> str:
    """When a workbook was made, and by whom where people sign in."""
    at = view.word("book.made_at", day=text.day_in_both(now.date(), view.lang), hour=f"{now:%H:%M}")
    return view.word("book.made_by", who=page_run.access_scope().sub, at=at) if page_run.signs_in() else at


def _drawn(view: PageContext, contents: Contents, circulation: bool) -> dict[Named, bytes] | None:
    papers = {
        named: downloads.on_paper(downloads.picture_of(view, exhibit), context(view))
        for named, exhibit in contents.figures.items()
        if isinstance(exhibit.form, Drawing)
    }
    return _pictures(papers, f"pictures-book-{circulation}")


def _pictures(drawn: dict[Named, Any], key: str) -> dict[Named, bytes] | None:
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
