"""Figures of signals, and of measures on their latest settled day."""

from dataclasses import replace

import streamlit as st

from etl.semantic.answers import Answer
from ui.charts import signals
from ui.components import blocks
from ui.components import figures as ui
from ui.components.blocks import error_boundary
from ui.state import scoped_query
from ui.state.page_context import PageContext, without_places


def levels(view: PageContext, name: str) -> None:
    """The funnel of all provinces for a share, regardless of the chosen place."""
    everywhere, ident = replace(view, scope=replace(view.scope, where=without_places(view.where))), f"funnel-{name}"
    with st.container(border=True, key=f"figure-{ident}", height="stretch"), error_boundary(view.lang, ident):
        answer, ignored = scoped_query.computed(everywhere, "level_signals", name=name)
        if _has_rows(view, answer):
            ui.draw(view, signals.funnel, answer, ident, ignored=ignored)


def changes(view: PageContext) -> None:
    """The months of the chosen province as its share of the nation's joiners."""
    if len(view.where.get("province", ())) != 1:
        blocks.note(view.word("signal.choose"))
        return
    ident = "figure-changes"
    with st.container(border=True, key=ident, height="stretch"), error_boundary(view.lang, ident):
        answer, ignored = scoped_query.computed(view, "change_signals")
        if _has_rows(view, answer):
            by, rows = answer.by[1:], [row[1:] for row in answer.rows]
            months = replace(answer, by=by, columns=answer.columns[1:], rows=rows)
            ui.draw(view, signals.process, months, ident, ignored=ignored)


def _has_rows(view: PageContext, answer: Answer) -> bool:
    """Whether there is anything to draw; if not, the part says so."""
    if not answer.rows:
        blocks.notice(view.lang, "state.empty_title", view.word("state.empty"))
    return bool(answer.rows)


def settled(view: PageContext, name: str) -> PageContext:
    """The view on the latest settled day of a metric; on the as-of day if no month is settled yet."""
    return replace(view, as_of=scoped_query.settled_on(name, view.as_of) or view.as_of)
