"""Lists of institutes by name, words of caution, and the sources of figures from elsewhere.

A list is an Answer of etl.analysis as a table whose names lead to the institute, under its finding and with the footer
that every Answer carries.
"""

import streamlit as st

from etl.semantic.answers import Answer
from pages.ui.components import tables
from pages.ui.components.footer import context, footer, subtitle
from pages.ui.components.notices import error_boundary
from pages.ui.data import warehouse
from pages.ui.i18n import text
from pages.ui.state import page_parameters
from pages.ui.state.page_context import PageContext

# A longer list is read in its file.
_MOST_ROWS = 100


def listings(view: PageContext, *analyses: str) -> None:
    """The institutes that each of `analyses` names, with their measures."""
    tables.style()
    for analysis in analyses:
        ident = f"listing-{analysis}"
        with st.container(border=True, key=f"figure-{ident}"), error_boundary(view.lang, ident):
            _listing(view, analysis, ident)


def _listing(view: PageContext, analysis: str, ident: str) -> None:
    """A list in its order, as far as a page holds it; a filter without meaning for it is told."""
    answer, ignored = _asked(view, analysis)
    count = text.number(len(answer.rows), view.lang)
    sentence = view.word(f"listing.{analysis}", count=count) if answer.rows else view.word("listing.none")
    below = f"{view.word(f'listing.{analysis}_help')} · {subtitle(view, answer)}"
    st.html(f'<div class="pd-head"><h3>{text.escape(sentence)}</h3><p>{text.escape(below)}</p></div>')
    if answer.rows:
        _table(view, answer, sentence)
    notes = []
    if len(answer.rows) > _MOST_ROWS:
        notes.append(view.word("listing.first", most=text.number(_MOST_ROWS, view.lang), count=count))
    if ignored:
        filters = text.listed([view.word(f"scope.{name}") for name in ignored], view.lang)
        notes.append(view.word("scope.no_effect", filters=filters))
    if notes:
        st.html("".join(f'<p class="pd-note">{text.escape(note)}</p>' for note in notes))
    footer(view, answer, ident, with_table=False)


def _asked(view: PageContext, analysis: str) -> tuple[Answer, list[str]]:
    """The answer under the reader's scope, and the filters that have no meaning for it."""
    where, ignored = view.under(warehouse.filters_of(analysis))
    return warehouse.analyse(analysis, on=view.as_of, where=where), ignored


def _table(view: PageContext, answer: Answer, caption: str) -> None:
    seen, names = context(view), answer.columns
    columns = [tables.Column(tables.title(view, answer, name), i >= len(answer.by)) for i, name in enumerate(names)]

    def cells(row: tuple) -> list[str]:
        said = [seen.member(name, code) for name, code in zip(answer.by, row, strict=False)]
        said += [
            text.plain(value, tables.unit_of(answer, name), view.lang)
            for name, value in list(zip(names, row, strict=True))[len(answer.by) :]
        ]
        linked = f'<a href="{text.escape(_address(view, row[0]))}" target="_self">{text.escape(said[0])}</a>'
        return [linked, *map(text.escape, said[1:])]

    tables.show(columns, map(cells, answer.rows[:_MOST_ROWS]), caption, tall=True)


def _address(view: PageContext, institute: str) -> str:
    """The page of an institute under the reader's scope; it may lie outside of the places chosen."""
    alone: dict[str, list[str]] = {"institute": [institute], "province": [], "county": []}
    return page_parameters.address("institute", view.lang, view.scope.address() | alone)


def caution(view: PageContext, key: str) -> None:
    """A sentence that belongs beside numbers, from text.toml."""
    st.html(f'<p class="pd-intro">{text.escape(view.word(key))}</p>')


def sources(view: PageContext, analysis: str) -> None:
    """Each figure of `analysis` with what it counts, its source, how sure that is, and the address that was read."""
    tables.style()
    with st.container(border=True, key=f"sources-{analysis}"), error_boundary(view.lang, f"sources-{analysis}"):
        answer, seen = warehouse.analyse(analysis, on=view.as_of), context(view)
        entries = []
        for row in answer.records():
            year = row["counted_year"] and seen.member("counted_year", row["counted_year"])
            head = f"{seen.member('country', row['country'])} {year or view.word('abroad.undated')}"
            counted, sure = seen.member("counted", row["counted"]), seen.member("sureness", row["sureness"])
            told = f"{counted} · {view.word('dimension.sureness')}: {sure} ·"
            entries.append(
                f"<li><b>{text.escape(head)}</b> {text.escape(told)} "
                f'<cite class="pd-latin"><bdi>{text.escape(row["source"])}</bdi></cite> '
                f'<a href="{text.escape(row["address"])}" rel="noreferrer noopener" target="_blank" '
                f'style="color: var(--pd-accent)">'
                f"{text.escape(view.word('abroad.address'))}</a></li>"
            )
        st.html(
            f'<div class="pd-head"><h3>{text.escape(view.word("abroad.sources"))}</h3></div>'
            f'<ol class="pd-rules">{"".join(entries)}</ol>'
        )
