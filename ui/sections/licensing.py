"""The parts of the licensing pages with a period of their own: the survival of institutes, smart services."""

from dataclasses import replace
from datetime import timedelta

import streamlit as st

from etl.semantic.catalog import catalogue
from ui.charts import bars
from ui.charts import licensing as charts
from ui.components import blocks
from ui.components import figures as ui
from ui.components.blocks import error_boundary
from ui.data import warehouse
from ui.exhibits import licensing as exhibits
from ui.i18n import text
from ui.sections import listings
from ui.state import scoped_query
from ui.state.page_context import PageContext


def survival(view: PageContext) -> None:
    """The share of institutes of each founding year that remain after five years; nothing if no year is that old."""
    with error_boundary(view.lang, "survival"):
        if any(row[1] == charts.YEARS_AFTER for row in scoped_query.computed(view, "institute_survival")[0].rows):
            ui.exhibit(view, exhibits.survival)


def smart(view: PageContext) -> None:
    """Who offers smart services, by place, activity and size, and what may be said of them."""
    listings.part(view, "smart.title")
    ui.cards(view, exhibits.smart_numbers)
    said = ui.sentence(view, exhibits.findings)
    left, right = st.columns([3, 2])
    with left:
        ui.exhibit(view, exhibits.smart_by_place, said=said)
    with right:
        ui.exhibit(view, exhibits.smart_by_activity)
        ui.exhibit(view, exhibits.smart_by_size)
    with st.expander(view.word("smart.compared")):
        blocks.intro(view.word("smart.no_history"))
        _smart_history(view)
        _smart_compared(view)


def _smart_history(view: PageContext) -> None:
    """The share in each publication, once there are two."""
    with error_boundary(view.lang, "smart-history"):
        if len(scoped_query.computed(view, "adoption")[0].rows) > 1:
            ui.exhibit(view, exhibits.smart_published)


def _smart_compared(view: PageContext) -> None:
    """Adopters and other institutes compared, by licences decided after the first publication with the flag."""
    with error_boundary(view.lang, "smart-compared"):
        adoption = scoped_query.computed(view, "adoption")[0]
        first = next((row["day"] for row in adoption.records() if row["smart_institutes"]), None)
        if first is None:
            blocks.intro(view.word("smart.never_shown"))
            return
        over = (first + timedelta(days=1), view.as_of)
        where, _ = view.under(catalogue()["granted"].dimensions)
        is_later = over[0] <= over[1]
        answer = warehouse.ask("granted", by="smart", over=over, where=where) if is_later else None
        granted = dict(answer.rows) if answer else {}
        count = sum(granted.values())
        day = text.day(first, view.lang)
        if answer is None or not count:
            blocks.intro(view.word("smart.no_comparison", day=day))
            return
        counts = {"count": count, "adopters": granted.get("yes", 0), "others": granted.get("no", 0)}
        sentence = view.word(
            "smart.since", day=day, **{key: text.number(value, view.lang) for key, value in counts.items()}
        )
        blocks.intro(sentence)
        blocks.left_out(view, answer)
        blocks.intro(view.word("smart.no_proof"))
        without_period = replace(view, has_period=False)
        for name, column in zip(exhibits.TIMES, st.columns(len(exhibits.TIMES)), strict=True):
            with column:
                ui.figure(without_period, bars.ranking, name, by="smart", over=over)
