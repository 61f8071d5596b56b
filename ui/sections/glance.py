"""Provinces at a glance: one row each, with its trend and the measures of the first screen; of one province, its counties."""

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from etl.semantic.answers import Answer
from etl.semantic.ranking import named_side, worse_side
from etl.semantic.rights import BELOW_PROVINCE
from ui.charts import elements
from ui.components import blocks, tables
from ui.components.blocks import polygon
from ui.components.figures import named
from ui.components.parts import part
from ui.components.table_html import Column
from ui.exhibits.exhibit import Exhibit, Nothing, Table
from ui.exhibits.glance import few, glance
from ui.i18n import text
from ui.state import rendering
from ui.state.page_context import PageContext
from ui.summary import different


def at_a_glance(view: PageContext) -> None:
    """The table of the provinces of the country, or of the counties of the one chosen; nothing for smaller places."""
    if not BELOW_PROVINCE & {*view.where}:
        place = st.container(border=True, key="figure-glance")
        made = named(view, glance)
        part(view, "glance", lambda: made.exhibit, partial(_show, view), place)


def _show(view: PageContext, exhibit: Exhibit) -> None:
    if isinstance(exhibit.form, Nothing):
        blocks.notice(view.lang, exhibit.form.title, exhibit.form.words)
        return
    assert exhibit.answer is not None
    title, below, trend = exhibit.title.sentence, exhibit.below, exhibit.intro
    # What a line is relative to is read where one points at it, and on paper.
    on_paper = f'<span class="pd-about-trend pd-on-paper"> {text.escape(trend)}</span>'
    st.html(blocks.heading(title, more=f'<p title="{text.escape(trend)}">{text.escape(below)}{on_paper}</p>'))
    _table(view, exhibit)
    for note in exhibit.own_notes:
        blocks.note(note, on_paper=note == view.word("figure.overlap"))


@rendering.fragment
def _table(view: PageContext, exhibit: Exhibit) -> None:
    places, form = exhibit.answer, exhibit.form
    assert isinstance(form, Table)
    assert places
    assert form.total
    assert form.trends
    by = places.by[0]
    context, rows = exhibit.context(), places.records()
    lines = _lines(places, form.trends)
    compared_with = view.word("different.mean_nation" if by == "province" else "different.mean_province")

    def written(name: str, row: dict[str, Any]) -> str:
        metric = elements.metric_of(places, name)
        return text.escape(text.plain(row[name], metric.unit, view.lang, signed=name == "active_growth"))

    def few_of(name: str, row: dict[str, Any]) -> float | None:
        return few(places, name, tuple(row.values()))

    def number(name: str, row: dict[str, Any]) -> str:
        if name in row["unclear"].split("|"):
            words = view.escaped("different.short_unclear")
            return f'{written(name, row)}<span title="{words}">{view.escaped("different.mark")}</span>'
        if name not in row["behind"].split("|"):
            if (people := few_of(name, row)) is None:
                return written(name, row)
            return f"<small>– ({text.escape(text.number(people, view.lang))})</small>"
        metric = elements.metric_of(places, name)
        words = text.escape(different.beyond(metric, named_side(metric), compared_with, view.lang))
        mark = "▲" if worse_side(metric) == "higher" else "▼"
        return (
            f'<b class="pd-behind" title="{words}"><i aria-hidden="true">{mark}</i> {written(name, row)}'
            f'<span class="pd-unseen"> {words}</span></b>'
        )

    def value(name: str, row: dict[str, Any]) -> Any:
        """What a column is sorted by: shares of few people stand below the others."""
        return row[name] if few_of(name, row) is None else None

    def trend(row: dict[str, Any]) -> str:
        if row[by] not in lines:
            return "–"
        return f'{lines[row[by]]}<span class="pd-growth">{written("active_growth", row)}</span>'

    def column(name: str, cell: Callable[[dict[str, Any]], str] | None = None) -> Column:
        metric = elements.metric_of(places, name)
        title = metric.short[view.lang]
        if metric.unit == "per_10k":
            title = view.word("glance.per_10k", measure=title)
        return Column(name, title, cell or partial(number, name), partial(value, name), True)

    def named(row: dict[str, Any]) -> str:
        return tables.member(view, by, row[by], context.member(by, row[by]))

    shown = [metric.name for metric in places.metrics if any(row[metric.name] is not None for row in rows)]
    columns = [
        Column(by, view.word(f"dimension.{by}"), named, lambda row: tables.collated(context.member(by, row[by]))),
        *(column(name, trend if name == "active_growth" else None) for name in shown),
    ]
    of_whole = form.total.records()[0]
    total = [view.word(f"glance.whole_{by}"), *(written(name, of_whole) for name in shown)]
    start = "training_compliance" if "training_compliance" in shown else "-active_assistants"
    if form.first:
        # What the sentence above names comes first, in its order; then the worst.
        order = {code: place for place, code in enumerate(form.first)}
        by_value = start.removeprefix("-")
        rows.sort(key=lambda row: (order.get(row[by], len(order)), row[by_value] is None, row[by_value] or 0))
        start = ""
    tables.show(
        view,
        "glance",
        columns,
        rows,
        exhibit.title.sentence,
        start=start,
        total=total,
        is_total_first=True,
        is_short=True,
    )


def _lines(places: Answer, months: Answer) -> dict[Any, str]:
    """The trend of each place with enough people, all on one scale in parts of the first month."""
    by = places.by[0]
    large = {row[by] for row in places.records() if row["active_growth"] is not None}
    history: dict[Any, list[float]] = {}
    for place, _, count in (row[:3] for row in months.rows):
        if place in large:
            history.setdefault(place, []).append(count or 0)
    scaled = {place: [count / counts[0] for count in counts] for place, counts in history.items()}
    every = [value for values in scaled.values() for value in values]
    return {place: polygon("pd-trend", values, min(every), max(every)) for place, values in scaled.items()}
