"""Where are the assistants, where are they few, and how do we compare with other countries?"""

import streamlit as st

from ui.components import blocks
from ui.components import figures as ui
from ui.exhibits import coverage as exhibits
from ui.sections import coverage, listings


def page() -> None:
    view = ui.scope_bar("@place", "@person")
    said = ui.sentence(view, exhibits.findings)
    ui.sentence(view, exhibits.without_any)
    ui.sentence(view, exhibits.counties_without)
    coverage.choices(view)
    left, right = st.columns(2)
    with left:
        coverage.map_of_places(view, said)
        ui.exhibit(view, exhibits.over_time)
    with right:
        if coverage.is_on_census():
            ui.exhibit(view, exhibits.on_census)
        else:
            ui.exhibit(view, exhibits.by_place, said=said)
    coverage.residents(view)
    ui.cards(view, exhibits.numbers)
    left, right = st.columns(2)
    with left:
        ui.exhibit(view, exhibits.gap)
    with right:
        ui.exhibit(view, exhibits.covered)
    left, right = st.columns(2)
    with left:
        if exhibits.has_curve(view.scope):
            ui.exhibit(view, exhibits.lorenz)
    with right:
        ui.table(view, exhibits.every_county)
    listings.heading(view, "abroad.title")
    blocks.intro(view.word("abroad.not_alike"))
    ui.sentence(view, exhibits.claimed, asks=True)
    left, right = st.columns(2)
    with left:
        ui.exhibit(view, exhibits.abroad)
    with right:
        ui.exhibit(view, exhibits.millions)
    listings.sources(view, "claim", "countries")
