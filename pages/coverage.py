"""Where are the assistants, where are they few, and how do we compare with other countries?"""

import streamlit as st

from ui.charts import bars, grouped, lines, titles
from ui.components import blocks
from ui.components import figures as ui
from ui.sections import coverage, listings, overview


def page() -> None:
    view = ui.scope_bar("@place", "@person")
    overview.findings(view, "coverage_per_10k")
    coverage.none_at_all(view)
    coverage.counties_without(view)
    coverage.choices(view)
    left, right = st.columns(2)
    with left:
        has_map = coverage.map_of_places(view)
        over, height = view.complete_months(36), 200 if has_map else 320
        ui.figure(view, lines.trend, "coverage_per_10k", by="month", over=over, zero=False, height=height)
    with right:
        coverage.ranking(view)
    coverage.residents(view)
    inequality = ["lorenz.gini"] if coverage.has_curve(view) else []
    ui.cards(view, "coverage_per_10k", "coverage_per_100km2", "counties_covered", *inequality)
    left, right = st.columns(2)
    with left:
        ui.figure(view, bars.ranking, "coverage_gap", by="place", says=titles.gap)
    with right:
        ui.figure(view, bars.ranking, "counties_covered", by="province", nation=True)
    left, right = st.columns(2)
    with left:
        if inequality:
            ui.figure(view, lines.lorenz, analysis="lorenz")
    with right:
        ui.groups(view, "coverage_per_10k", by="county", note=view.word("population.of_counties"))
    listings.part(view, "abroad.title")
    blocks.intro(view.word("abroad.not_alike"))
    coverage.claimed(view)
    left, right = st.columns(2)
    with left:
        ui.figure(view, grouped.countries, analysis="countries")
    with right:
        ui.figure(view, grouped.claimed, analysis="claim")
    listings.sources(view, "claim", "countries")
