"""The parts of the licensing pages with a period of their own: the survival of institutes, smart services."""

import streamlit as st

from ui.charts import licensing as charts
from ui.components import blocks
from ui.components import figures as ui
from ui.components.blocks import error_boundary
from ui.data import warehouse
from ui.exhibits import licensing as exhibits
from ui.sections import listings
from ui.state import questions
from ui.state.page_context import PageContext


def survival(view: PageContext) -> None:
    """The share of institutes of each founding year that remain after five years; nothing if no year is that old."""
    with error_boundary(view.lang, "survival"):
        answer, _ = questions.analyse_under(view.asked, warehouse.of_page(), "institute_survival")
        if any(row[1] == charts.YEARS_AFTER for row in answer.rows):
            ui.exhibit(view, exhibits.survival)


def smart(view: PageContext) -> None:
    """Who offers smart services, by place, activity and size, and what may be said of them."""
    listings.heading(view, "smart.title")
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
        answer, _ = questions.analyse_under(view.asked, warehouse.of_page(), "adoption")
        if len(answer.rows) > 1:
            ui.exhibit(view, exhibits.smart_published)


def _smart_compared(view: PageContext) -> None:
    """Institutes with smart services and others compared, by licences decided after the first publication with the flag."""
    with error_boundary(view.lang, "smart-compared"):
        ui.sentence(view, exhibits.smart_compared)
        if exhibits.since_smart(view.asked, warehouse.of_page()):
            blocks.intro(view.word("smart.no_proof"))
            makes = (exhibits.smart_median, exhibits.smart_p90, exhibits.smart_within_25)
            for make, column in zip(makes, st.columns(len(makes)), strict=True):
                with column:
                    ui.exhibit(view, make)
