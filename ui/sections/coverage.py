"""The parts of Coverage besides its charts: the population basis, the census comparison, provinces without assistants."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from etl.semantic.answers import Answer
from etl.semantic.catalog import catalogue
from etl.semantic.rights import BELOW_PROVINCE
from ui.components import blocks
from ui.components import figures as ui
from ui.components.blocks import controlled, error_boundary
from ui.components.footer import question
from ui.components.table_html import collated
from ui.data import page_run, warehouse
from ui.exhibits import coverage as exhibits
from ui.i18n import text
from ui.state import page_parameters, questions, rendering, scoped_query, wording
from ui.state.page_context import PageContext

_PAGE = "coverage"
_CENSUS = "1395"
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


def none_at_all(view: PageContext) -> None:
    """The provinces without an active assistant, by name; every other province has none of one county or institute."""
    if BELOW_PROVINCE & {*view.where}:
        return
    ask = partial(scoped_query.ask, view, ["active_assistants"], ("province",))

    def show() -> None:
        with st.container(key="none-at-all"), error_boundary(view.lang, "none-at-all"):
            answer = ask()[0]
            active, places = dict(answer.rows), answer.where.get("province") or warehouse.names("province", view.lang)
            none = [view.member("province", place) for place in places if not active.get(place)]
            if none:
                named = text.listed(none, view.lang)
                blocks.intro(view.word("population.with_none", places=named, whom=_whom(view, answer)))
                blocks.left_out(view, answer)

    rendering.defer(show, ready=ask)


def counties_without(view: PageContext) -> None:
    """How many counties have no active assistant, and their names; not of one county or institute."""
    if not BELOW_PROVINCE & {*view.where}:
        rendering.defer(_counties_without, view, ready=partial(_of_counties, view))


def _whom(view: PageContext, answer: Answer) -> str:
    """The people among whom none is active, in brackets, as filters name them; empty for all."""
    names = wording.filters(view, questions.without_places(answer.where))
    return f" ({text.listed(names, view.lang)})" if names else ""


def _of_counties(view: PageContext) -> tuple[Answer, Answer, Answer, list[str]]:
    """The number of counties without assistants and of all, the residents and the active assistants of each county, and the
    filters that have no meaning for one of these.

    All are of the same people and places: those of the user's rights, by county.
    """
    numbers, by_county = ("uncovered_counties", "census_counties"), ("residents", "active_assistants")
    known = frozenset.intersection(*(catalogue()[name].dimensions for name in (*numbers, *by_county)))
    where, ignored = view.under(known)
    residents, active = (warehouse.ask(name, by="county", on=view.as_of, where=where) for name in by_county)
    return warehouse.ask(*numbers, on=view.as_of, where=active.where), residents, active, ignored


def _counties_without(view: PageContext) -> None:
    ident = "counties-without"
    with st.container(key=ident), error_boundary(view.lang, ident):
        counts, residents, active, ignored = _of_counties(view)
        active_in = dict(active.rows)
        unknown = text.number(active_in[None], view.lang) if active_in.get(None) else ""
        about = [view.word("population.boundaries")]
        is_stated = bool(counts.value("uncovered_counties"))
        about += [view.word("population.no_county", count=unknown)] if unknown and not is_stated else []
        about += [wording.no_effect(view, ignored)] if ignored else []
        if not is_stated:
            blocks.note(" ".join(about))
            blocks.left_out(view, active)
            return
        without = [code for code in residents.column("county") if code is not None and not active_in.get(code)]
        names = [view.member("county", code) for code in without]
        numbers = (counts.value(name) for name in ("uncovered_counties", "census_counties"))
        count, total = (text.number(number, view.lang) for number in numbers)
        words = view.word("population.counties_without", count=count, whole=total, whom=_whom(view, active))
        but_unknown = [view.word("different.but_unknown", count=unknown)] if unknown else []
        sentence = text.escape(text.clauses([words, *but_unknown], view.lang))
        listed = text.escape(text.listed(sorted(names, key=collated), view.lang))
        boundaries = text.escape(" ".join(about))
        st.html(f'<details class="pd-note"><summary>{sentence}</summary>{listed}<p>{boundaries}</p></details>')
        blocks.left_out(view, active)


def choices(view: PageContext) -> None:
    """What the map and the ranking show, on one line."""
    with st.container(key="coverage-choices", horizontal=True, vertical_alignment="center"):
        if view.scope.has_map:
            _choose_map(view)
        _switch(view)


def _switch(view: PageContext) -> None:
    """The switch between the residents of the day and the census of 1395, for the ranking."""

    def changed(is_on: bool) -> None:
        page_parameters.choose(_PAGE, census=_CENSUS if is_on else None)

    controlled(st.toggle, view.word("population.switch"), "coverage census", is_on_census(), changed)


def is_on_census() -> bool:
    """Whether the switch is on."""
    return page_parameters.one(_PAGE, "census") == _CENSUS


def _chosen_map() -> str:
    return page_parameters.one(_PAGE, "map", "province")


def _choose_map(view: PageContext) -> None:
    def changed(option: str) -> None:
        page_parameters.choose(_PAGE, map=None if option == "province" else option)

    controlled(
        st.segmented_control,
        view.word("population.map"),
        "coverage map",
        _chosen_map(),
        changed,
        options=["province", "county"],
        required=True,
        label_visibility="collapsed",
        format_func=lambda option: view.word(f"population.map_{option}"),
    )


def map_of_places(view: PageContext, said: Callable[[], object]) -> None:
    """The map of provinces or, with the switch or of one province, of counties; none where there is nothing to compare.

    `said` is of the provinces or, of one of them, of its counties.
    """
    if BELOW_PROVINCE & {*view.where}:
        return
    if view.scope.has_map and _chosen_map() == "county":
        ui.exhibit(view, exhibits.by_county)
    else:
        ui.exhibit(view, exhibits.by_province if view.scope.has_map else exhibits.by_county, said=said)


def claimed(view: PageContext) -> None:
    """By which kinds of force "more than four million" is exceeded, and by which not."""
    with st.container(key="claimed"), error_boundary(view.lang, "claimed"):
        answer = warehouse.analyse("claim", on=view.as_of)
        above = dict.fromkeys(row["force"] for row in answer.records() if row["above_claim"] is not None)
        below = [force for force in dict.fromkeys(answer.column("force")) if force not in above]
        forces = {
            name: text.listed([text.inside(view.member("force", force), view.lang) for force in members], view.lang)
            for name, members in (("above", above), ("below", below))
        }
        key = "none_above" if not above else "only" if below else "every"
        sentence = view.word(f"abroad.{key}", **forces)
        blocks.intro(sentence)
        question(view, answer, "claimed")
