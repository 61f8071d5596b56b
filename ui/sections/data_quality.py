"""The quality of the load: what was submitted, what is missing, which rows were rejected and why, which rules hold."""

import re
from collections.abc import Iterable, Sequence

import streamlit as st

from etl.analysis import data_quality as load
from etl.core.paths import warehouse_pointer
from etl.extract.causes import in_language
from etl.operations import readiness
from etl.semantic.answers import Answer
from ui.charts.elements import ChartContext
from ui.components import blocks, tables
from ui.components.footer import footer
from ui.data import page_run, warehouse
from ui.i18n import text
from ui.state import rendering
from ui.state.page_context import PageContext

_IGNORED_NAMED = 20
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


def silent_provinces(lang: str) -> str:
    """How many provinces have sent nothing new for long; empty if there is none."""
    most_days = load.MOST_DAYS_SILENT
    count = warehouse.analyse(load.silent_provinces, most_days)
    numbers = {"count": text.number(count, lang), "days": text.number(most_days, lang)}
    return text.word("trust.silent", lang, **numbers) if count else ""


def provinces(view: PageContext) -> None:
    """The submissions of each province, with its latest day."""
    answer = warehouse.analyse(load.provinces)
    missing = warehouse.analyse(load.missing_sources)
    silent = silent_provinces(view.lang)
    notes = []
    if missing:
        title = view.word("load.not_reported", count=text.number(len(missing), view.lang))
        notes += [f"{silent}."] * bool(silent)
    else:
        title = silent or view.word("load.all_reported")
    for code, sources in missing.items():
        names = text.listed([name_of(view, "source", source) for source in sources], view.lang)
        notes.append(view.word("load.lacks", province=view.member("province", code), sources=names))
    _part(view, answer, "provinces", title, notes=notes, about=("days_silent",))


def reasons(view: PageContext) -> None:
    """The reasons of rejected rows: source, reason, column, rows. No field of a person."""
    count = text.number(page_run.publication().rows_quarantined, view.lang)
    _by_reason(view, warehouse.analyse(load.reasons), "reasons", view.word("load.reasons", count=count))


def warned(view: PageContext) -> None:
    """The bad values loaded as unknown: source, reason, column, rows."""
    _by_reason(view, warehouse.analyse(load.warned), "warned", view.word("load.warned"))


def _by_reason(view: PageContext, answer: Answer, ident: str, title: str) -> None:
    words: tables.Words = {
        "source": lambda name: name_of(view, "source", name),
        "reason": lambda name: name_of(view, "reason", name),
        "column": lambda name: column_of(view, name),
    }
    _part(view, answer, ident, title, words)


def column_of(view: PageContext, column: str) -> str:
    """A source column by its Persian header, or in English words: "national_id" is "National ID"."""
    if view.lang == "fa":
        return load.headers().get(column, column) or "–"
    return re.sub(r"\bid\b", "ID", column.replace("_", " ").capitalize()) or "–"


def files(view: PageContext) -> None:
    """Each file: from which province, how many rows, refused or with a note."""
    answer = warehouse.analyse(load.files)
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
    rows = sorted(answer.rows, key=lambda row: (not row[3], -row[answer.columns.index("rows_quarantined")]))
    notes = [_reference(view, *reference) for reference in warehouse.analyse(load.references)]
    # A hidden file is none that a province sent.
    seen = [name for name in warehouse.analyse(load.ignored) if not name.startswith(".")]
    ignored = [in_language(name, view.lang) for name in seen]
    more = [view.word("load.more", count=text.number(len(ignored) - _IGNORED_NAMED, view.lang))]
    named = text.listed(ignored[:_IGNORED_NAMED] + (more if len(ignored) > _IGNORED_NAMED else []), view.lang)
    notes += [view.word("load.ignored", files=named)] if ignored else []
    title = view.word("load.files", count=text.number(page_run.publication().files, view.lang))
    _part(view, answer, "files", title, words, notes, rows, about=("refusal", "rows_quarantined"))


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
    """The publications kept, with the changes from one to the next."""
    answer = warehouse.analyse(load.publications, warehouse_pointer())
    title = view.word("load.publications", count=text.number(len(answer.rows), view.lang))
    _part(view, answer, "publications", title, {"publication": lambda number: text.digits(number, view.lang)})


@rendering.fragment
def _part(
    view: PageContext,
    answer: Answer,
    ident: str,
    title: str,
    words: tables.Words | None = None,
    notes: Iterable[str] = (),
    rows: Sequence[tuple] | None = None,
    about: Sequence[str] = (),
) -> None:
    """A table with title, explanation and download; `rows` overrides the order of its rows, `about` leads its columns."""
    files = {row[0]: row[0] for row in answer.rows} if ident == "files" else {}
    chart_context = ChartContext(view.lang, view.dark, {"file": files})
    with st.container(border=True, key=f"figure-{ident}", height="stretch"), blocks.error_boundary(view.lang, ident):
        blocks.head(title, view.word(f"load.{ident}_are"))
        for note in notes:
            blocks.note(note)
        if not answer.rows:
            blocks.note(view.word("load.nothing"))
            return
        empty = [name for name in {"refusal", "notes"} & set(answer.columns) if not any(answer.column(name))]
        columns = tables.columns_of(view, answer, chart_context, without=empty, words=words)
        tables.show(view, ident, tables.led_by(columns, *about), rows or answer.rows, title, is_short=True)
        footer(view, answer, ident, with_table=False, chart_context=chart_context)


def _reference(view: PageContext, file: str, replaces: str, rows: int) -> str:
    """What a file that sets up the build stands for."""
    key = "load.replaced" if replaces else f"load.set_up.{file.partition('.')[0].lower()}"
    return view.word(key, file=file, replaces=replaces, rows=text.number(rows, view.lang))


def _note(view: PageContext, written: str) -> str:
    """A note of the load in the user's language, if it is a known one."""
    note, colon, what = written.partition(": ")
    key = f"note.{note.replace(' ', '_')}"
    listed = text.listed(text.digits(what, view.lang).split(", "), view.lang)
    return text.word_or(written, key, view.lang, what=listed) if colon else written


def name_of(view: PageContext, section: str, name: str) -> str:
    return text.word_or(name, f"{section}.{name}", view.lang)
