"""The two sides of a comparison: the place and the day of each, as the reader chooses them."""

from datetime import date
from functools import partial

import streamlit as st

from ui.components import day_field, tables
from ui.components.blocks import controlled
from ui.data import warehouse
from ui.exhibits.compare import Sides, named
from ui.state import page_parameters
from ui.state.page_context import PageContext
from ui.state.scope import NATION, SIMILAR

PAGE = "compare"


def choices(view: PageContext, chosen: Sides) -> None:
    """A place and a day for each side, and a button that exchanges them."""
    provinces = warehouse.names("province", view.lang)
    options = [NATION, SIMILAR, *sorted(provinces, key=lambda code: tables.collated(provinces[code]))]
    with st.container(horizontal=True, key="compare-bar", gap="small", vertical_alignment="bottom"):
        for i, (place, day) in enumerate((("p", "a"), ("q", "b"))):
            which, name = view.word(f"compare.side_{i + 1}"), partial(named, lang=view.lang)
            label, key = view.word("compare.place", side=which), f"compare {place}"
            choose, now = partial(_set_place, chosen, place), chosen.places[i]
            controlled(st.selectbox, label, key, now, choose, options=options, format_func=name, width=220)
            label = view.word("compare.day", side=which)
            day_field.field(view, f"compare-{day}", label, chosen.days[i], partial(_set_day, chosen, day))
        swapped = Sides(chosen.places[::-1], chosen.days[::-1])
        st.button(view.word("compare.swap"), key="compare-swap", on_click=_keep, args=(swapped,))
    day_field.trouble("compare-a", "compare-b")


def _set_place(chosen: Sides, name: str, place: str) -> None:
    """Store both places: a default one would change when the scope does. The days keep their defaults."""
    page_parameters.choose(PAGE, **dict(zip("pq", chosen.places, strict=True)) | {name: place})


def _set_day(chosen: Sides, name: str, day: date) -> None:
    _keep(chosen, **{name: day})


def _keep(chosen: Sides, **changed: date) -> None:
    days = dict(zip("ab", chosen.days, strict=True)) | changed
    places = dict(zip("pq", chosen.places, strict=True))
    page_parameters.choose(PAGE, **places, **{name: day.isoformat() for name, day in days.items()})
