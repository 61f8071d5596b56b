"""Workforce: who the assistants are, in a sentence."""

from functools import partial

import streamlit as st

from etl.semantic.catalog import catalogue
from etl.semantic.ranking import LEAST
from ui.components import blocks
from ui.components.blocks import error_boundary
from ui.i18n import text
from ui.sections.overview import sources
from ui.state import rendering
from ui.state.page_context import PageContext

_SAID = ("active_assistants", "women_share", "age_median", "tenure_median")


def summed_up(view: PageContext) -> None:
    """How many are active, the share of women, the median age and time in service; nothing of few people."""
    ask = partial(_values, view)

    def show() -> None:
        with st.container(key="people"), error_boundary(view.lang, "people"):
            values = ask()
            if values["active_assistants"] is None or values["active_assistants"] < LEAST or None in values.values():
                return
            count = text.number(values["active_assistants"], view.lang)
            women, age, tenure = (text.amount(values[name], catalogue()[name].unit, view.lang) for name in _SAID[1:])
            blocks.intro(view.word("people.are", count=count, women=women, age=age, tenure=tenure))

    rendering.defer(show, ready=ask)


def _values(view: PageContext) -> dict[str, float | None]:
    ask = sources(view).ask
    return {name: ask(name, on=view.as_of).value() for name in _SAID}
