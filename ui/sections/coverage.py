"""The parts of Coverage besides its exhibits: the population basis, and what the map and the ranking show."""

import streamlit as st

from ui.components import blocks
from ui.components.blocks import controlled
from ui.data import page_run
from ui.exhibits.coverage import CENSUS, Basis
from ui.exhibits.named import as_chosen
from ui.i18n import text
from ui.state import page_parameters
from ui.state.page_context import PageContext

_PAGE = "coverage"
_SHIPPED = ("1395 census", "SCI ")


def residents(view: PageContext) -> None:
    """The year, kind and source of the population that is the denominator of every rate on the page."""
    basis = page_run.publication().provinces.basis(view.as_of)
    if basis is None:
        return
    # The shipped file names the Statistical Centre; one of DIR's own names its sources.
    is_shipped = all(source.startswith(_SHIPPED) for source in basis.sources)
    source = text.isolated(text.listed(basis.sources, view.lang), view.lang)
    values = {
        "year": text.digits(basis.year, view.lang),
        "kind": view.word(f"population.{basis.kind}"),
        "source": view.word("population.statistical_centre") if is_shipped else source,
    }
    blocks.note(view.word("population.basis", **values))


def _basis(view: PageContext) -> Basis:
    return as_chosen(Basis, page_parameters.of(_PAGE), view.asked)


def choices(view: PageContext) -> None:
    """What the map and the ranking show, on one line."""
    with st.container(key="coverage-choices", horizontal=True, vertical_alignment="center"):
        if view.scope.has_map:
            _choose_map(view)
        _switch(view)


def _switch(view: PageContext) -> None:
    """The switch between the residents of the day and the census of 1395, for the ranking."""

    def changed(is_on: bool) -> None:
        page_parameters.choose(_PAGE, census=CENSUS if is_on else None)

    controlled(st.toggle, view.word("population.switch"), "coverage census", _basis(view).is_census, changed)


def _choose_map(view: PageContext) -> None:
    def changed(option: str) -> None:
        page_parameters.choose(_PAGE, map=None if option == "province" else option)

    controlled(
        st.segmented_control,
        view.word("population.map"),
        "coverage map",
        "county" if _basis(view).of_counties else "province",
        changed,
        options=["province", "county"],
        required=True,
        label_visibility="collapsed",
        format_func=lambda option: view.word(f"population.map_{option}"),
    )
