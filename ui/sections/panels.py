"""The three questions of the first screen, side by side: coverage, growth toward the target, training.

Each panel has its number with the change in a year, a sentence that names places, a picture and the link to its page. Of one
province the pictures show the map of its counties, its projection, and its compliance beside the nation's.
"""

from collections.abc import Callable
from functools import partial

import streamlit as st

from ui.components import figures
from ui.components.blocks import error_boundary
from ui.components.cards import headline_number, linked_title
from ui.exhibits import overview as exhibits
from ui.i18n import text
from ui.sections import goal
from ui.sections.overview import finding, has_target, marked, marking, sources
from ui.state import rendering
from ui.state.page_context import PageContext
from ui.summary import verdict


def panels(view: PageContext) -> None:
    with st.container(key="panels"):
        with _panel(view, "coverage", exhibits.COVERAGE, partial(finding, exhibits.COVERAGE)):
            figures.exhibit(view, exhibits.coverage, head=False)
        with _panel(view, "growth", "active_assistants", _growth):
            rendering.defer(_pace, view, ready=partial(goal.in_a_sentence, view))
            figures.exhibit(view, exhibits.growth, head=False)
        with _panel(view, "training", exhibits.TRAINING, partial(finding, exhibits.TRAINING)):
            figures.exhibit(view, exhibits.training, head=False)


def _panel(
    view: PageContext, page: str, name: str, sentence: Callable[[PageContext], str]
) -> st.delta_generator.DeltaGenerator:
    """A panel with its words, and room for its picture."""
    panel = st.container(border=True, key=f"panel-{page}")
    with panel:
        words = st.container(key=f"words-{page}", gap=None)

    def show() -> None:
        with error_boundary(view.lang, page):
            number, parts, why = headline_number(view, name)
            below = f'<p class="pd-parts">{text.escape(parts)}</p>' if parts else ""
            is_known = page != "growth" or has_target(view)
            title = linked_title(view, page, view.word(f"panel.{page}" if is_known else "group.growth"))
            st.html(
                f'<div class="pd-panel"><div class="pd-panel-top"><h3>{title}</h3>{why}</div>'
                f"{number}{_paragraph(sentence(view), page != 'growth')}{below}</div>"
            )

    rendering.defer(show, place=words, ready=lambda: (headline_number(view, name), sentence(view)))
    return panel


def _paragraph(sentence: str, is_behind: bool) -> str:
    return f'<p class="pd-sentence">{marked(sentence, is_behind)}</p>' if sentence else ""


def _growth(view: PageContext) -> str:
    asked = marking(sources(view), "province")
    facts = verdict.facts(asked)
    # A met target is said in the first sentence.
    reached = verdict.sentences(facts, asked)[-1] if facts.target else verdict.without_target(asked)
    return " ".join(filter(None, (reached, verdict.furthest(asked))))


def _pace(view: PageContext) -> None:
    """Whether the recruits of now are enough, where a target is set."""
    with error_boundary(view.lang, "pace"):
        if sentence := goal.in_a_sentence(view):
            st.html(f'<p class="pd-sentence">{text.escape(sentence)}</p>')
