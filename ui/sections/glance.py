"""Provinces at a glance: one row each, with its trend and the measures of the first screen; of one province, its counties."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import streamlit as st

from etl.analysis.glance import MONTHS
from etl.core.jalali import last_complete_months, unit_of
from etl.semantic.answers import Answer
from etl.semantic.catalog import catalogue
from etl.semantic.ranking import LEAST, named_side, worse_side
from ui.charts import elements
from ui.components import blocks, page_files, tables
from ui.components.blocks import error_boundary, polygon
from ui.components.table_html import Column
from ui.data import warehouse
from ui.exhibits import exhibit
from ui.exhibits.exhibit import Made
from ui.exhibits.figure import overlaps
from ui.i18n import text
from ui.state import rendering, scoped_query
from ui.state.page_context import PageContext
from ui.summary import different


def at_a_glance(view: PageContext) -> None:
    """The table of the provinces of the country, or of the counties of the one chosen; nothing for smaller places."""
    if not set(view.where) & {"county", "institute"}:
        by = "county" if len(view.where.get("province", ())) == 1 else "province"
        place = st.container(border=True, key="figure-glance")
        rendering.defer(_show, view, by, place=place, ready=partial(_asked, view, by))


def _asked(view: PageContext, by: str) -> tuple[Answer, Answer, int, bool, Answer, date | None]:
    """The places, the whole, why their people do not add up to its, the months of each, and the day of the leaver rate.

    Why: how many people are in no known place, and whether some are counted in two.
    """
    within = view.where if by == "county" else {name: codes for name, codes in view.where.items() if name != "province"}
    where = {name: codes for name, codes in within.items() if name in catalogue()["active_assistants"].dimensions}
    places, whole = (warehouse.analyse("glance", on=view.as_of, where=where, by=axis) for axis in (by, ""))
    people = warehouse.ask("active_assistants", by=by, on=view.as_of, where=where)
    unknown = next((count for place, count in people.rows if place is None), 0)
    over = last_complete_months(view.as_of, MONTHS)
    months = warehouse.ask("active_assistants", by=(by, "month"), over=over, where=where)
    settled = scoped_query.settled_on("leaver_rate_12m", view.as_of)
    return places, whole, unknown, overlaps(people, people.metrics[0], warehouse.of_page()), months, settled


def _show(view: PageContext, by: str) -> None:
    with error_boundary(view.lang, "glance"):
        places, whole, unknown, are_counted_twice, months, settled = _asked(view, by)
        if not places.rows:
            blocks.notice(view.lang, "state.empty_title", view.word("state.empty"))
            return
        name = view.member("province", view.where["province"][0]) if by == "county" else ""
        title = view.word(f"glance.{by}", count=text.number(len(places.rows), view.lang), place=name)
        first = unit_of(last_complete_months(view.as_of, MONTHS)[0], "month").label
        fewest, rows = text.number(LEAST, view.lang), places.records()
        # The meaning of a sign is given only if the table has it.
        is_unclear, is_pale = any(row["unclear"] for row in rows), any(_has_few(places, row) for row in rows)
        said = [view.word("glance.colour"), *[view.word("glance.unclear")] * is_unclear]
        said += [view.word("glance.pale", fewest=fewest)] * is_pale
        trend = [view.word("glance.trend", month=text.unit_in_both(first, view.lang))]
        trend += [view.word("glance.trend_few", fewest=fewest)] * any(row["active_growth"] is None for row in rows)
        is_rate_shown = any(value is not None for value in places.column("leaver_rate_12m"))
        if is_rate_shown and settled not in (None, view.as_of):
            measure = elements.metric_of(places, "leaver_rate_12m").short[view.lang]
            said.append(view.word("glance.settled", measure=measure, day=text.day(settled, view.lang)))
        below, about_trend = text.escape(" ".join(said)), text.escape(" ".join(trend))
        # What a line is relative to is read where one points at it, and on paper.
        on_paper = f'<span class="pd-about-trend pd-on-paper"> {about_trend}</span>'
        st.html(blocks.heading(title, more=f'<p title="{about_trend}">{below}{on_paper}</p>'))
        made = partial(exhibit.rows, exact=places, title=title, below=" ".join([*said, *trend]))
        page_files.note("glance", Made(made, view.asked, warehouse.of_page()))
        _table(view, places, whole, months, title)
        if unknown:
            blocks.note(view.word("glance.unknown", count=text.number(unknown, view.lang)))
        if are_counted_twice:
            blocks.note(view.word("figure.overlap"), on_paper=True)


@rendering.fragment
def _table(view: PageContext, places: Answer, whole: Answer, months: Answer, title: str) -> None:
    by = places.by[0]
    names, rows = warehouse.names(by, view.lang), places.records()
    lines = _lines(places, months)
    compared_with = view.word("different.mean_nation" if by == "province" else "different.mean_province")

    def written(name: str, row: dict[str, Any]) -> str:
        metric = elements.metric_of(places, name)
        return text.escape(text.plain(row[name], metric.unit, view.lang, signed=name == "active_growth"))

    few = partial(_few, places)

    def number(name: str, row: dict[str, Any]) -> str:
        if name in row["unclear"].split("|"):
            words = view.escaped("different.short_unclear")
            return f'{written(name, row)}<span title="{words}">{view.escaped("different.mark")}</span>'
        if name not in row["behind"].split("|"):
            if (people := few(name, row)) is None:
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
        return row[name] if few(name, row) is None else None

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
        return tables.member(view, by, row[by], names.get(row[by], str(row[by])))

    shown = [metric.name for metric in places.metrics if any(row[metric.name] is not None for row in rows)]
    columns = [
        Column(by, view.word(f"dimension.{by}"), named, lambda row: tables.collated(names.get(row[by], ""))),
        *(column(name, trend if name == "active_growth" else None) for name in shown),
    ]
    of_whole = whole.records()[0]
    total = [view.word(f"glance.whole_{by}"), *(written(name, of_whole) for name in shown)]
    start = "training_compliance" if "training_compliance" in shown else "-active_assistants"
    tables.show(view, "glance", columns, rows, title, start=start, total=total, is_total_first=True, is_short=True)


def _few(places: Answer, name: str, row: dict[str, Any]) -> float | None:
    """The people of a share of too few of them; None of any other number."""
    metric = elements.metric_of(places, name)
    return elements.size_below(places, metric, tuple(row.values())) if metric.unit == "share" else None


def _has_few(places: Answer, row: dict[str, Any]) -> bool:
    return any(_few(places, metric.name, row) is not None for metric in places.metrics)


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
