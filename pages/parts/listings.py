"""Lists of institutes by name, words of caution, and the sources of figures from elsewhere.

A list is an Answer of etl.analysis as a table, under its finding and with the footer that every Answer carries.
"""

import streamlit as st

from pages.parts import text, warehouse
from pages.parts.footer import footer, look, subtitle, table
from pages.parts.notices import kindly
from pages.parts.page import View

_OF_INSTITUTES = ("province", "county", "institute", "activity")


def listing(view: View, analysis: str) -> None:
    """The institutes that `analysis` names, with their measures; a filter without meaning for them is told."""
    ident = f"listing-{analysis}"
    with st.container(border=True, key=f"figure-{ident}"), kindly(view.lang, ident):
        ignored: list[str] = []
        try:
            answer = warehouse.analyse(analysis, reader=view.reader, on=view.as_of, where=view.where)
        except warehouse.QuestionError:
            where = {name: codes for name, codes in view.where.items() if name in _OF_INSTITUTES}
            ignored = [name for name in view.where if name not in where]
            answer = warehouse.analyse(analysis, reader=view.reader, on=view.as_of, where=where)
        count = text.number(len(answer.rows), view.lang)
        sentence = view.word(f"listing.{analysis}", count=count) if answer.rows else view.word("listing.none")
        below = f"{view.word(f'listing.{analysis}_help')} · {subtitle(view, answer)}"
        st.html(f'<div class="pd-head"><h3>{text.escape(sentence)}</h3><p>{text.escape(below)}</p></div>')
        if answer.rows:
            table(view, answer)
        if ignored:
            filters = text.listed([view.word(f"scope.{name}") for name in ignored], view.lang)
            note = view.word("scope.no_effect", filters=filters)
            st.html(f'<p class="pd-note">{text.escape(note)}</p>')
        footer(view, answer, ident, with_table=False)


def caution(view: View, key: str) -> None:
    """A sentence that belongs beside numbers, from text.toml."""
    st.html(f'<p class="pd-intro">{text.escape(view.word(key))}</p>')


def sources(view: View, analysis: str) -> None:
    """Each figure of `analysis` with what it counts, its source, how sure that is, and the address that was read."""
    with st.container(border=True, key=f"sources-{analysis}"), kindly(view.lang, f"sources-{analysis}"):
        answer, seen = warehouse.analyse(analysis, reader=view.reader, on=view.as_of), look(view)
        entries = []
        for row in answer.records():
            year = row["counted_year"] and seen.member("counted_year", row["counted_year"])
            head = f"{seen.member('country', row['country'])} {year or view.word('abroad.undated')}"
            counted, sure = seen.member("counted", row["counted"]), seen.member("sureness", row["sureness"])
            told = f"{counted} · {view.word('dimension.sureness')}: {sure} ·"
            entries.append(
                f"<li><b>{text.escape(head)}</b> {text.escape(told)} <bdi>{text.escape(row['source'])}</bdi> "
                f'<a href="{text.escape(row["address"])}" rel="noreferrer noopener" target="_blank">'
                f"{text.escape(view.word('abroad.address'))}</a></li>"
            )
        st.html(
            f'<div class="pd-head"><h3>{text.escape(view.word("abroad.sources"))}</h3></div>'
            f'<ol class="pd-sources">{"".join(entries)}</ol>'
        )
