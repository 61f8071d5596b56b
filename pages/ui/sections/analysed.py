"""What etl.analysis works out with something given besides the scope: a date, a goal, the metric it is about."""

from dataclasses import replace
from typing import Any

import streamlit as st

from etl.semantic.answers import Answer
from pages.ui.components import figures as ui
from pages.ui.components.notices import error_boundary
from pages.ui.data import warehouse
from pages.ui.state.page_context import PLACES, PageContext


def analysed(view: PageContext, analysis: str, /, **options: Any) -> tuple[Answer, list[str]]:
    """The answer under the reader's scope, and the filters that have no meaning for it. Answers are kept."""
    where, ignored = view.under(warehouse.filters_of(analysis))
    return warehouse.analyse(analysis, on=view.as_of, where=where, **options), ignored


def levels(view: PageContext, chart: ui.Chart, name: str) -> None:
    """The funnel of all provinces by a share, whatever place is chosen."""
    where = {axis: codes for axis, codes in view.where.items() if axis not in PLACES}
    everywhere, ident = replace(view, scope=replace(view.scope, where=where)), f"funnel-{name}"
    with st.container(border=True, key=f"figure-{ident}", height="stretch"), error_boundary(view.lang, ident):
        answer, ignored = analysed(everywhere, "level_signals", name=name)
        ui.draw(view, chart, answer, ident, None, ignored)


def compared(view: PageContext, chart: ui.Chart, name: str, **options: Any) -> None:
    """A measure compared on the day on which it is settled; that it cannot be, where no month is settled yet."""
    with error_boundary(view.lang, f"settled-{name}"):
        if warehouse.settled_on(name, view.as_of) is None:
            raise warehouse.TooEarly(f"{name}: no month is settled yet")
        ui.figure(settled(view, name), chart, name, **options)


def changes(view: PageContext, chart: ui.Chart) -> None:
    """The months of the one province that the view is of, as its share of the nation's joiners."""
    ident = "figure-changes"
    with st.container(border=True, key=ident, height="stretch"), error_boundary(view.lang, ident):
        answer, ignored = analysed(view, "change_signals")
        # Of one province: its months.
        by, rows = answer.by[1:], [row[1:] for row in answer.rows]
        ui.draw(view, chart, replace(answer, by=by, columns=answer.columns[1:], rows=rows), ident, None, ignored)


def settled(view: PageContext, name: str) -> PageContext:
    """The view on the day on which a metric is settled; the as-of day where no month is settled yet."""
    return replace(view, as_of=warehouse.settled_on(name, view.as_of) or view.as_of)
