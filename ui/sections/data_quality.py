"""The quality of the load: what was submitted, what is missing, which rows were rejected and why, which rules hold."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from operator import attrgetter

import streamlit as st

from etl.analysis import data_quality as load
from etl.core.paths import warehouse_pointer
from etl.extract.causes import in_language
from etl.operations import readiness
from etl.semantic.answers import Answer
from ui.components import blocks, tables
from ui.components import figures as ui
from ui.data import page_run, warehouse
from ui.exhibits import quality as exhibits
from ui.exhibits.exhibit import Exhibit
from ui.i18n import text
from ui.state import rendering
from ui.state.page_context import PageContext

_REFUSALS_NAMED = 30
_COUNTS = ("rows_read", "rows_loaded", "rows_quarantined", "exact_duplicates")


def refused_load(view: PageContext) -> None:
    """The sentences of a load that was refused, until the next one is published; those of the provinces of the reader."""
    build, scope = readiness.last_build(warehouse_pointer()), page_run.access_scope()
    if not build or not build.refusals:
        return
    sentences = [line for place, line in build.refusals if scope.sees_whole_country or place in scope.codes]
    named = [text.escape(in_language(line, view.lang)) for line in sentences[:_REFUSALS_NAMED]]
    if more := len(sentences) - len(named):
        named.append(view.word("listing.more", count=text.number(more, view.lang)))
    with st.container(border=True, key="figure-refused"):
        st.html(
            blocks.heading(view.word("load.refused_load"), view.word("load.refused_load_is"))
            + "".join(f"<p><bdi>{sentence}</bdi></p>" for sentence in named)
        )


def totals(view: PageContext) -> None:
    """One sentence that shows that the row counts add up; and that there is nothing to compare with, where that is so."""
    answer = warehouse.analyse(load.totals)
    read, loaded, rejected, duplicates = (text.number(answer.value(name), view.lang) for name in _COUNTS)
    sentence = view.word("quality.adds_up", read=read, loaded=loaded, kept=rejected, duplicates=duplicates)
    share = view.word("load.share", share=text.percent(answer.value("rejected_share"), view.lang))
    is_first = warehouse.analyse(load.last_revision, warehouse_pointer()) is None
    blocks.intro(" ".join([sentence, share, *[view.word("load.first_publication")] * is_first]))


def provinces(view: PageContext) -> None:
    """The submissions of each province, with its latest day."""
    ui.table(view, exhibits.provinces, partial(_rows, view, "provinces", about=("days_silent",)))


def reasons(view: PageContext) -> None:
    """The reasons of rejected rows: source, reason, column, rows. No field of a person."""
    ui.table(view, exhibits.reasons, partial(_rows, view, "reasons", words=_of_reasons(view)))


def warned(view: PageContext) -> None:
    """The bad values loaded as unknown: source, reason, column, rows."""
    ui.table(view, exhibits.warned, partial(_rows, view, "warned", words=_of_reasons(view)))


def _of_reasons(view: PageContext) -> tables.Words:
    return {
        "source": lambda name: name_of(view, "source", name),
        "reason": lambda name: name_of(view, "reason", name),
        "column": lambda name: column_of(view, name),
    }


def column_of(view: PageContext, column: str) -> str:
    """A source column by its Persian header, or in English words: "national_id" is "National ID"."""
    if view.lang == "fa":
        return load.headers().get(column, column) or "–"
    return re.sub(r"\bid\b", "ID", column.replace("_", " ").capitalize()) or "–"


def files(view: PageContext) -> None:
    """Each file: from which province, how many rows, refused or with a note."""
    words: tables.Words = {
        "file": str,
        "source": lambda name: name_of(view, "source", name),
        # A file of several provinces is of none.
        "province": lambda code: view.member("province", code) if code else "–",
        "refusal": lambda refusal: in_language(refusal, view.lang) if refusal else "–",
        "notes": lambda notes: (
            text.clauses([_note(view, note) for note in notes.split("; ")], view.lang) if notes else "–"
        ),
    }
    about = ("refusal", "rows_quarantined")
    ui.table(view, exhibits.files, partial(_rows, view, "files", words=words, about=about, order=_refused_first))


def _refused_first(answer: Answer) -> Sequence[tuple]:
    rejected = answer.columns.index("rows_quarantined")
    return sorted(answer.rows, key=lambda row: (not row[answer.columns.index("refusal")], -row[rejected]))


def rules(view: PageContext) -> None:
    """The rules that every publication satisfies; a rule without words in text.toml has the comment of its file."""
    checks = load.rules()
    title = view.word("load.rules", count=text.number(len(checks), view.lang))
    listed = "".join(
        f'<li title="{text.escape(name)}">{text.escape(text.word_or(comment, f"rule.{name}", view.lang))}</li>'
        for name, comment in checks.items()
    )
    with st.container(border=True, key="figure-rules", height="stretch"):
        # For developers: closed, and printed.
        rules_are = f"<summary>{view.escaped('load.rules_are')}</summary>"
        st.html(
            f'{blocks.heading(title)}<details class="pd-note">{rules_are}<ul class="pd-rules">{listed}</ul></details>'
        )


def publications(view: PageContext) -> None:
    """The publications kept, with the changes from one to the next; the one that is shown is marked."""
    shown = warehouse_pointer().resolve().stem

    def named(number: str) -> str:
        identity = text.digits(number, view.lang)
        return view.word("load.shown", id=identity) if number == shown else identity

    words: tables.Words = {"publication": named}
    ui.table(view, exhibits.publications, partial(_rows, view, "publications", words=words))


@rendering.fragment
def _rows(
    view: PageContext,
    ident: str,
    exhibit: Exhibit,
    words: tables.Words | None = None,
    about: Sequence[str] = (),
    order: Callable[[Answer], Sequence[tuple]] = attrgetter("rows"),
) -> None:
    """The rows of a table in their own order, the columns `about` it first; `words` writes the cells of the named columns."""
    answer = exhibit.answer
    assert answer is not None
    if answer.rows:
        empty = [name for name in {"refusal", "notes"} & set(answer.columns) if not any(answer.column(name))]
        columns = tables.columns_of(view, answer, exhibit.context(view.dark), without=empty, words=words)
        title = exhibit.title.sentence
        tables.show(view, ident, tables.led_by(columns, *about), order(answer), title, is_short=True)


def _note(view: PageContext, written: str) -> str:
    """A note of the load in the user's language, if it is a known one."""
    note, colon, what = written.partition(": ")
    key = f"note.{note.replace(' ', '_')}"
    listed = text.listed(text.digits(what, view.lang).split(", "), view.lang)
    return text.word_or(written, key, view.lang, what=listed) if colon else written


def name_of(view: PageContext, section: str, name: str) -> str:
    return text.word_or(name, f"{section}.{name}", view.lang)
