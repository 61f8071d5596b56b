"""The three questions of the first screen, side by side: coverage, growth toward the target, training.

Each panel has its number with the change in a year, a sentence that names places, a picture and the link to its page. Of one
province the pictures show the map of its counties, its projection, and its compliance beside the nation's.
"""

from functools import partial

import streamlit as st

from ui.components import figures
from ui.components.blocks import error_boundary
from ui.components.cards import headline_number, linked_title, said_as_html
from ui.data import warehouse
from ui.exhibits import coverage, growth, training, verdict
from ui.exhibits import overview as exhibits
from ui.exhibits.exhibit import Made, Make
from ui.i18n import text
from ui.sections import goal
from ui.state import rendering
from ui.state.page_context import PageContext


def panels(view: PageContext) -> None:
    with st.container(key="panels"):
        with _panel(view, "coverage", exhibits.COVERAGE, coverage.findings):
            figures.exhibit(view, exhibits.coverage, head=False)
        with _panel(view, "growth", "active_assistants", verdict.to_target):
            rendering.defer(_pace, view, ready=partial(goal.in_a_sentence, view))
            figures.exhibit(view, exhibits.growth, head=False)
        with _panel(view, "training", exhibits.TRAINING, training.findings):
            figures.exhibit(view, exhibits.training, head=False)


def _panel(view: PageContext, page: str, name: str, make: Make) -> st.delta_generator.DeltaGenerator:
    """A panel with its words, and room for its picture."""
    panel = st.container(border=True, key=f"panel-{page}")
    with panel:
        words = st.container(key=f"words-{page}", gap=None)
    made = Made(make, view.asked, warehouse.of_page())

    def show() -> None:
        with error_boundary(view.lang, page):
            number, parts, why = headline_number(view, name)
            below = f'<p class="pd-parts">{text.escape(parts)}</p>' if parts else ""
            is_known = page != "growth" or growth.has_target(view.asked, warehouse.of_page())
            title = linked_title(view, page, view.word(f"panel.{page}" if is_known else "group.growth"))
            st.html(
                f'<div class="pd-panel"><div class="pd-panel-top"><h3>{title}</h3>{why}</div>'
                f"{number}{_paragraph(said_as_html(view, made.exhibit))}{below}</div>"
            )

    rendering.defer(show, place=words, ready=lambda: (headline_number(view, name), made.exhibit))
    return panel


def _paragraph(written: str) -> str:
    return f'<p class="pd-sentence">{written}</p>' if written else ""


def _pace(view: PageContext) -> None:
    """Whether the recruits of now are enough, where a target is set."""
    with error_boundary(view.lang, "pace"):
        if sentence := goal.in_a_sentence(view):
            st.html(f'<p class="pd-sentence">{text.escape(sentence)}</p>')
