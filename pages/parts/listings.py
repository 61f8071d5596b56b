"""Lists of institutes by name, words of caution, and the sources of figures from elsewhere.

A list is an Answer of etl.analysis as a table whose names lead to the institute, under its finding and with the footer
that every Answer carries.
"""

import streamlit as st

from etl.metrics import Answer
from pages.parts import grid, own, text, warehouse
from pages.parts.footer import footer, look, subtitle
from pages.parts.notices import kindly
from pages.parts.page import View

# A longer list is read in its file.
_MOST_ROWS = 100


def listings(view: View, *analyses: str) -> None:
    """The institutes that each of `analyses` names, with their measures."""
    grid.style()
    for analysis in analyses:
        ident = f"listing-{analysis}"
        with st.container(border=True, key=f"figure-{ident}"), kindly(view.lang, ident):
            _listing(view, analysis, ident)


def _listing(view: View, analysis: str, ident: str) -> None:
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


def _asked(view: View, analysis: str) -> tuple[Answer, list[str]]:
    """The answer under the reader's scope, and the filters that have no meaning for it."""
    where, ignored = view.under(warehouse.filters_of(analysis))
    return warehouse.analyse(analysis, reader=view.reader, on=view.as_of, where=where), ignored


def _table(view: View, answer: Answer, caption: str) -> None:
    seen, names = look(view), answer.columns
    columns = [grid.Column(grid.title(view, answer, name), i >= len(answer.by)) for i, name in enumerate(names)]

    def cells(row: tuple) -> list[str]:
        said = [seen.member(name, code) for name, code in zip(answer.by, row, strict=False)]
        said += [
            text.plain(value, grid.unit_of(answer, name), view.lang)
            for name, value in list(zip(names, row, strict=True))[len(answer.by) :]
        ]
        linked = f'<a href="{text.escape(_address(view, row[0]))}" target="_self">{text.escape(said[0])}</a>'
        return [linked, *map(text.escape, said[1:])]

    grid.show(columns, map(cells, answer.rows[:_MOST_ROWS]), caption, tall=True)


def _address(view: View, institute: str) -> str:
    """The page of an institute under the reader's scope; it may lie outside of the places chosen."""
    alone: dict[str, list[str]] = {"institute": [institute], "province": [], "county": []}
    return own.address("institute", view.lang, view.scope.address() | alone)


def caution(view: View, key: str) -> None:
    """A sentence that belongs beside numbers, from text.toml."""
    st.html(f'<p class="pd-intro">{text.escape(view.word(key))}</p>')


def sources(view: View, analysis: str) -> None:
    """Each figure of `analysis` with what it counts, its source, how sure that is, and the address that was read."""
    grid.style()
    with st.container(border=True, key=f"sources-{analysis}"), kindly(view.lang, f"sources-{analysis}"):
        answer, seen = warehouse.analyse(analysis, reader=view.reader, on=view.as_of), look(view)
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
