"""What the load tells of itself: what arrived, what is missing, what was kept back and why, which rules held, what moved."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import streamlit as st

from etl.extract.causes import spoken
from etl.semantic.answers import Answer
from pages.ui.charts.elements import ChartContext
from pages.ui.components import downloads, notices, tables
from pages.ui.components.footer import question
from pages.ui.data import registers, warehouse
from pages.ui.i18n import text
from pages.ui.sections import compare
from pages.ui.state import page_context
from pages.ui.state.page_context import PageContext

_IGNORED_NAMED = 20
_COUNTS = ("rows_read", "rows_loaded", "rows_quarantined", "exact_duplicates")


def view() -> PageContext:
    """The reader's view; the load is that of the whole country, whatever the scope."""
    return page_context.view()


def totals(view: PageContext) -> None:
    """That what arrived adds up, in one sentence."""
    answer = registers.load_totals()
    read, loaded, kept, duplicates = (text.number(answer.value(name), view.lang) for name in _COUNTS)
    said = view.word("quality.adds_up", read=read, loaded=loaded, kept=kept, duplicates=duplicates)
    share = view.word("load.share", share=text.percent(answer.value("kept_back_share"), view.lang))
    st.html(f'<p class="pd-intro">{text.escape(said)} {text.escape(share)}</p>')


def provinces(view: PageContext) -> None:
    """What arrived from each province, and since when one is silent."""
    answer = registers.load_provinces()
    lacking = registers.missing_sources()
    if lacking:
        named = [
            view.word(
                "load.lacks",
                province=text.member("province", code, view.lang),
                sources=text.listed([_named(view, "source", one) for one in sources], view.lang),
            )
            for code, sources in lacking.items()
        ]
        title = view.word("load.not_reported", count=text.number(len(lacking), view.lang))
    else:
        named, title = [], view.word("load.all_reported")
    _part(view, answer, "provinces", title, view.word("load.provinces_are"), answer.rows, notes=named)


def reasons(view: PageContext) -> None:
    """Why rows were kept back: source, reason, column, rows. No field of a person."""
    count = text.number(warehouse.published().rows_quarantined, view.lang)
    _by_reason(view, registers.load_reasons(), "reasons", view.word("load.reasons", rows=count))


def warned(view: PageContext) -> None:
    """Which bad values were loaded as unknown: source, reason, column, rows."""
    _by_reason(view, registers.load_warned(), "warned", view.word("load.warned"))


def _by_reason(view: PageContext, answer: Answer, ident: str, title: str) -> None:
    known = registers.headers()
    words: dict[str, Callable[[Any], str]] = {
        "source": lambda name: _named(view, "source", name),
        "reason": lambda name: _named(view, "reason", name),
        "column": lambda name: (known.get(name, name) if view.lang == "fa" else name) or "–",
    }
    _part(view, answer, ident, title, view.word(f"load.{ident}_are"), answer.rows, words)


def files(view: PageContext) -> None:
    """Each file: from which province, how many rows, refused or with a note."""
    answer = registers.load_files()
    read = text.number(warehouse.published().files, view.lang)
    words: dict[str, Callable[[Any], str]] = {
        "file": str,
        "source": lambda name: _named(view, "source", name),
        "refusal": lambda said: text.digits(spoken(said, view.lang), view.lang) if said else "–",
        "notes": lambda said: text.listed([_note(view, one) for one in said.split("; ")], view.lang) if said else "–",
    }
    rows = sorted(answer.rows, key=lambda row: (not row[3], -row[answer.columns.index("rows_quarantined")]))
    ignored = registers.ignored_files()
    more = [view.word("load.more", count=text.number(len(ignored) - _IGNORED_NAMED, view.lang))]
    named = text.listed(ignored[:_IGNORED_NAMED] + (more if len(ignored) > _IGNORED_NAMED else []), view.lang)
    notes = [view.word("load.ignored", files=named)] if ignored else []
    title = view.word("load.files", count=read)
    _part(view, answer, "files", title, view.word("load.files_are"), rows, words, notes)


def rules(view: PageContext) -> None:
    """The rules that every publication keeps."""
    known = registers.rules()
    title = view.word("load.rules", count=text.number(len(known), view.lang))
    listed = "".join(
        f'<li><code dir="ltr">{text.escape(rule.name)}</code> {text.escape(_rule(view, rule.name, rule.words))}</li>'
        for rule in known
    )
    with st.container(border=True, key="figure-rules", height="stretch"):
        st.html(
            f'<div class="pd-head"><h3>{text.escape(title)}</h3><p>{text.escape(view.word("load.rules_are"))}</p></div>'
            f'<ul class="pd-rules">{listed}</ul>'
        )


def publications(view: PageContext) -> None:
    """The publications kept, and what moved from one to the next."""
    answer = registers.publications()
    title = view.word("load.publications", count=text.number(len(answer.rows), view.lang))
    words = {"publication": lambda number: text.digits(number, view.lang)}
    _part(view, answer, "publications", title, view.word("load.publications_are"), answer.rows, words)


def revisions(view: PageContext) -> None:
    """Which numbers moved between publications, by how much and by what, where that was worked out."""
    with (
        st.container(border=True, key="figure-revisions", height="stretch"),
        notices.error_boundary(view.lang, "revisions"),
    ):
        st.html(f'<div class="pd-head"><h3>{text.escape(view.word("load.revisions"))}</h3></div>')
        found = registers.revisions()
        if not found:
            st.html(f'<p class="pd-note">{text.escape(view.word("load.no_revisions"))}</p>')
            return
        said = view.word("revision.numbers", count=text.number(len(found), view.lang))
        st.html(f'<p class="pd-note">{text.escape(said)}</p>')
        head = [tables.Column(view.word("dimension.measure")), tables.Column(view.word("revision.publications"))]
        head += [tables.Column(view.word(f"revision.{name}"), True) for name in ("before", "after", "change")]
        head.append(tables.Column(view.word("revision.causes")))
        tables.show(head, [_moved(view, one) for one in found], view.word("load.revisions"), tall=True)


def _moved(view: PageContext, one: Mapping[str, Any]) -> list[str]:
    """A line of the revision log: a number before and after, and what can have moved it."""
    metric = warehouse.catalogue().get(one["metric"])
    unit = metric.unit if metric else "persons"
    ids = {name: text.digits(one[name], view.lang) for name in ("old", "new")}
    cells = [metric.label[view.lang] if metric else one["metric"], view.word("revision.from_to", **ids)]
    cells += [text.plain(one[name], unit, view.lang) for name in ("before", "after")]
    cells.append(compare.signed(one["change"], unit, view.lang))
    cells.append(text.listed([_named(view, "revision", cause) for cause in one["causes"]], view.lang) or "–")
    return [text.escape(cell) for cell in cells]


def _part(
    view: PageContext,
    answer: Answer,
    ident: str,
    title: str,
    below: str,
    rows: Iterable[tuple],
    words: dict[str, Callable[[Any], str]] | None = None,
    notes: Iterable[str] = (),
) -> None:
    """A table under its title, with what its numbers mean and its file."""
    listed = list(rows)
    seen = ChartContext(view.lang, view.dark, {"file": {row[0]: row[0] for row in listed}} if ident == "files" else {})
    with st.container(border=True, key=f"figure-{ident}", height="stretch"), notices.error_boundary(view.lang, ident):
        st.html(f'<div class="pd-head"><h3>{text.escape(title)}</h3><p>{text.escape(below)}</p></div>')
        for note in notes:
            st.html(f'<p class="pd-note">{text.escape(note)}</p>')
        if not listed:
            st.html(f'<p class="pd-note">{text.escape(view.word("load.nothing"))}</p>')
            return
        empty = [
            name
            for i, name in enumerate(answer.columns)
            if name in ("refusal", "notes") and not any(r[i] for r in listed)
        ]
        shown = grid_rows(view, answer, seen, listed, words or {}, empty)
        tables.show(shown[0], shown[1], title, tall=True)
        with st.container(horizontal=True, gap="small", key=f"footer-{ident}", vertical_alignment="center"):
            question(view, answer, ident)
            downloads.downloads(view, answer, seen, ident)


def grid_rows(
    view: PageContext,
    answer: Answer,
    seen: ChartContext,
    rows: Iterable[tuple],
    words: dict[str, Callable[[Any], str]],
    without: Iterable[str],
) -> tuple[list[tables.Column], list[list[str]]]:
    """Columns and cells of a report."""
    left_out = set(without)
    at = [i for i, name in enumerate(answer.columns) if name not in left_out]
    columns = [tables.Column(tables.title(view, answer, answer.columns[i]), i >= len(answer.by)) for i in at]

    def cell(row: tuple, i: int) -> str:
        name = answer.columns[i]
        if name in words:
            return text.escape(words[name](row[i]))
        if i < len(answer.by):
            return text.escape(seen.member(name, row[i]))
        return text.escape(text.plain(row[i], tables.unit_of(answer, name), view.lang))

    return columns, [[cell(row, i) for i in at] for row in rows]


def _note(view: PageContext, written: str) -> str:
    """A note of the load in the reader's language, where it is one we know."""
    said, colon, what = written.partition(": ")
    try:
        return view.word(f"note.{said.replace(' ', '_')}", what=text.digits(what, view.lang)) if colon else written
    except KeyError:
        return written


def _rule(view: PageContext, name: str, words: str) -> str:
    """The words of a rule: ours in the reader's language, else the comment of its file."""
    said = _named(view, "rule", name)
    return words if said == name else said


def _named(view: PageContext, section: str, name: str) -> str:
    try:
        return view.word(f"{section}.{name}")
    except KeyError:
        return name
