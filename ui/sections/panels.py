"""The three questions of the first screen, side by side: coverage, growth toward the target, training.

Each panel has its number with the change in a year, a sentence that names places, a picture and the link to its page. Of one
province the pictures show the map of its counties, its projection, and its compliance beside the nation's.
"""

from functools import partial

import streamlit as st

from ui.components import figures
from ui.components.cards import headline_number, linked_title, said_as_html
from ui.components.parts import part
from ui.data import warehouse
from ui.exhibits import growth, verdict
from ui.exhibits import overview as exhibits
from ui.exhibits.cards import Headline, headline
from ui.exhibits.exhibit import Exhibit
from ui.exhibits.named import Make
from ui.i18n import text
from ui.state.page_context import PageContext


def panels(view: PageContext) -> None:
    with st.container(key="panels"):
        with _panel(view, "coverage", exhibits.COVERAGE, exhibits.coverage_said):
            figures.exhibit(view, exhibits.coverage, head=False)
        with _panel(view, "growth", exhibits.ACTIVE, exhibits.to_target):
            pace = figures.named(view, exhibits.pace)
            part(view, "pace", lambda: pace.exhibit, partial(_sentence, view))
            figures.exhibit(view, exhibits.growth, head=False)
        with _panel(view, "training", exhibits.TRAINING, exhibits.training_said):
            figures.exhibit(view, exhibits.training, head=False)


def _panel(view: PageContext, page: str, name: str, make: Make) -> st.delta_generator.DeltaGenerator:
    """A panel with its words, and room for its picture."""
    panel, scope, ask = st.container(border=True, key=f"panel-{page}"), view.asked, warehouse.of_page()
    with panel:
        place = st.container(key=f"words-{page}", gap=None)
    made = figures.named(view, make)

    def of_panel() -> tuple[Headline | None, Exhibit]:
        has_none = verdict.nobody(scope, ask) or (page == "coverage" and "institute" in scope.where)
        return None if has_none else headline(scope, ask, name), made.exhibit

    part(view, page, of_panel, partial(_words, view, page, name), place)
    return panel


def _words(view: PageContext, page: str, name: str, made: tuple[Headline | None, Exhibit]) -> None:
    found, exhibit = made
    number, parts, why = headline_number(view, name, found)
    below = f'<p class="pd-parts">{text.escape(parts)}</p>' if parts else ""
    is_known = page != "growth" or growth.has_target(view.asked, warehouse.of_page())
    title = linked_title(view, page, view.word(f"panel.{page}" if is_known else "group.growth"))
    st.html(
        f'<div class="pd-panel"><div class="pd-panel-top"><h3>{title}</h3>{why}</div>'
        f"{number}{_paragraph(said_as_html(view, exhibit))}{below}</div>"
    )


def _sentence(view: PageContext, exhibit: Exhibit) -> None:
    if written := _paragraph(said_as_html(view, exhibit)):
        st.html(written)


def _paragraph(written: str) -> str:
    return f'<p class="pd-sentence">{written}</p>' if written else ""
