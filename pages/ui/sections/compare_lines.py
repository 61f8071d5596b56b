"""Two places in one chart: one measure by month, one line each."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from etl.semantic.nowruz import comparable
from pages.ui.charts import lines, titles
from pages.ui.components import blocks, notices
from pages.ui.components import figures as ui
from pages.ui.components.footer import context, footer, subtitle
from pages.ui.components.plot import plot
from pages.ui.data import registers, warehouse
from pages.ui.i18n import text
from pages.ui.state import rendering
from pages.ui.state.address import NATION
from pages.ui.state.page_context import PageContext, without_places

# The default measure: a rate, because a province and the nation differ too much in counts.
_LINE, _MONTHS = "training_compliance", 36


def over_time(view: PageContext, places: tuple[str, ...], names: Sequence[str]) -> None:
    """One measure of both places as two lines in one chart, over the period of the page or the last three years."""
    with st.container(border=True, key="figure-compare-lines"):
        _over_time(view, tuple(dict.fromkeys(places)), tuple(names))


@rendering.fragment
def _over_time(view: PageContext, places: tuple[str, ...], names: tuple[str, ...]) -> None:
    with notices.error_boundary(view.lang, "compare-lines"):
        where = without_places(view.where)
        catalogue = warehouse.catalogue()
        offered = [name for name in names if set(where) <= catalogue[name].dimensions]
        key = "compare line"
        if st.session_state.get(key) not in offered:
            st.session_state[key] = _LINE if _LINE in offered else offered[0]
        name = st.session_state[key]
        provinces = warehouse.names("province", view.lang)
        labels = {place: provinces.get(place, view.word("scope.nation")) for place in places}
        sides = {place: {} if place == NATION else {"province": (place,)} for place in places}
        answer = registers.over_time(name, sides, view.over or view.months(_MONTHS), where)
        chart_context = replace(context(view), names={**context(view).names, "side": labels})
        metric = answer.metrics[0]
        title = view.word("why.lines", measure=metric.label[view.lang])
        below = subtitle(view, answer, text.listed(list(labels.values()), view.lang))
        figure = lines.trend(answer, chart_context, zero=metric.unit != "share")
        st.html(blocks.heading(title, below, ui.keys(figure["layout"]["meta"]["keys"], view.dark)))
        plot(figure, "chart-compare-lines", titles.spoken(answer, chart_context, titles.Title(title), below))
        if comparable(answer) is not answer:
            blocks.note(view.word("figure.no_nowruz"))
        # In the footer container, which the style sheet hides in print.
        with st.container(key="footer-compare-line"):
            st.selectbox(
                view.word("why.line_of"),
                offered,
                key=key,
                format_func=lambda measure: catalogue[measure].label[view.lang],
                width=280,
            )
        footer(view, answer, "compare-lines", chart_context=chart_context)
