"""The footer of every answer, under cards, charts and tables: its meaning, its files, its table."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from etl.analysis import data_quality
from etl.core.jalali import unit_of
from etl.semantic import exportable
from etl.semantic.answers import Answer, Metric
from etl.semantic.catalog import TIME, catalogue, label_of
from etl.semantic.ranking import worse_side
from etl.submissions import notes
from etl.warehouse import official_calendar
from ui.charts import bars, elements
from ui.charts.elements import ChartContext
from ui.charts.matrix import ORDERED
from ui.components import blocks, connect, data_links, downloads, following, tables
from ui.data import ask as asking
from ui.data import page_run, warehouse
from ui.exhibits.explore import Asked
from ui.exhibits.named import Made
from ui.exports.file_content import Exportable
from ui.i18n import text
from ui.state import page_parameters, rendering, wording
from ui.state.page_context import PageContext
from ui.state.scope import NATION


def context(view: PageContext) -> ChartContext:
    """The context of charts, tables and files."""
    return ChartContext(view.lang, view.dark, asking.names(warehouse.of_page(), view.lang))


def subtitle(view: PageContext, answer: Answer) -> str:
    """Measure, place and period of an answer."""
    return wording.subtitle(view, answer, page_run.access_scope(), view.as_of)


def where_and_when(view: PageContext, answer: Answer) -> str:
    """The place and the period of an answer."""
    return wording.where_and_when(view, answer, page_run.access_scope(), view.as_of)


@rendering.fragment
def footer(
    view: PageContext,
    source: Exportable,
    ident: str,
    with_table: bool = True,
    picture: downloads.Picture | None = None,
    chart_context: ChartContext | None = None,
    made: Made | None = None,
    asked: Asked | None = None,
) -> None:
    """Two words: what the number is, and all ways to take it. Their content and the table are loaded only when opened.

    `chart_context` brings names of members that only this answer has. `made` makes the exhibit again; what is none is the answer
    to a question `asked`, or rows about persons.
    """
    switch, answer = f"table shown {ident}", exportable.of(source).answer
    blocks.left_out(view, answer)
    if not picture:
        # A figure has its notes, and numbers them on a trend.
        blocks.signed_notes(view, answer, ident)
    is_shown = bool(st.session_state.get(switch))
    with st.container(horizontal=True, gap="small", key=f"footer-{ident}", vertical_alignment="center"):
        question(view, answer, ident, made)

        def take() -> None:
            if picture:
                downloads.copy_and_present(view, answer, ident)
            if with_table and not is_shown:
                _table_switch(view, ident, switch, "figure.table")
            address = data_links.address_of(source, made, view.scope, asked)
            downloads.buttons(view, source, chart_context or context(view), ident, picture, made, address)
            connect.connect(view, source, ident, address)

        blocks.popover(view.lang, view.word("figure.files"), f"files-{ident}", take)
        if with_table and is_shown:
            _table_switch(view, ident, switch, "figure.table_close")
    if with_table and is_shown:
        table(view, answer, ident, picture, chart_context)


def _table_switch(view: PageContext, ident: str, switch: str, key: str) -> None:
    """The button that shows the table below the figure or closes it."""
    toggled = {switch: key == "figure.table"}
    button, label = f"table-{ident}", view.word(key)
    st.button(label, key=button, type="tertiary", on_click=st.session_state.update, args=(toggled,))


def question(view: PageContext, answer: Answer, ident: str, made: Made | None = None) -> None:
    """The popover "What is this number?". On a card the style sheet shrinks it to an icon."""
    blocks.popover(view.lang, view.word("figure.what"), f"what-{ident}", partial(_meaning, view, answer, ident, made))


def rejected_rows(answer: Answer) -> int:
    """Rejected rows that could change an answer: those of its source tables in files of its provinces."""
    tables = tuple(sorted(answer.sources))
    return warehouse.analyse(data_quality.rejected_rows, tables, answer.where.get("province", ()))


def _meaning(view: PageContext, answer: Answer, ident: str, made: Made | None) -> None:
    """Definition, formula, worked example, load, rejected rows, links, what sentences claim, and the query."""
    parts = []
    for metric in answer.metrics:
        label, description = text.escape(metric.label[view.lang]), text.escape(metric.description[view.lang])
        parts.append(f"<h4>{label}</h4><p>{description}</p>")
        if metric.numerator and metric.denominator:
            above, below = (label_of(name, view.lang) for name in (metric.numerator, metric.denominator))
            parts.append(_line(view, "formula", view.word("figure.ratio", numerator=above, denominator=below)))
        if example := _example(view, answer, metric):
            parts.append(_line(view, "example", example))
    published = answer.publication
    files, rows = (text.number(count, view.lang) for count in (published.files, published.rows_loaded))
    load = view.word("figure.load_words", id=text.digits(published.id, view.lang), files=files, rows=rows)
    rejected = view.word("figure.rejected", count=text.number(rejected_rows(answer), view.lang))
    parts.append(_line(view, "load", f"{load} {rejected}"))
    if any(metric.by_calendar for metric in answer.metrics):
        confirmed = warehouse.analyse(official_calendar.confirmed_until, view.as_of)
        parts.append(f"<p>{view.escaped('figure.calendar', day=text.day(confirmed, view.lang))}</p>")
    for signed in notes.about(warehouse.of_page().notes, answer):
        parts.append(_line(view, "note", wording.note(view, signed)))
    name, scope = answer.metrics[0].name, view.scope.address()
    links = {"trust.methods": f"{page_parameters.address('methods', view.lang, scope)}#{name}"}
    if name in catalogue():
        links["why.since"] = page_parameters.address("quality", view.lang, scope | {"of": [name]})
    if name in answer.measures and name in catalogue() and page_run.access_scope().role == "steward":
        links["signed.link"] = _address_of_note(view, answer)
    written = " · ".join(
        f'<a href="{text.escape(address)}" target="_self">{view.escaped(key)}</a>' for key, address in links.items()
    )
    parts.append(f"<p>{written}</p>")
    st.html(f'<div class="pd-meaning">{"".join(parts)}</div>')
    following.offer(view, answer, ident)
    stated = made.exhibit.stated if made else ()
    commands = dict.fromkeys(claim.check for said in stated for claim in said.claims)
    if commands:
        with st.expander(view.word("figure.claims")):
            st.html("".join(f"<p>{text.escape(said.words)}</p>" for said in stated if said.claims))
            st.code("\n".join(commands), language="bash", wrap_lines=True)
    with st.expander(view.word("figure.query")):
        st.code(answer.query, language="sql", wrap_lines=True)


def _example(view: PageContext, answer: Answer, metric: Metric) -> str:
    """The sum of the number shown, of several groups that of the first; of a number without parts the worked example."""
    shown = context(view)
    for row in answer.rows:
        if said := elements.sum_of(answer, metric, row, shown):
            name = elements.name_of(answer, row, shown) if answer.by else ""
            return text.isolated(f"{name}: {said}" if name else said, view.lang)
    return metric.example.get(view.lang, "") if not metric.denominator else ""


def _address_of_note(view: PageContext, answer: Answer) -> str:
    """Where a steward writes a note on a number: on its measure, its province, and its last month."""
    places = answer.where.get("province", ())
    last = answer.on or (answer.over[1] if answer.over else view.as_of)
    about = {
        "note": [answer.metrics[0].name],
        "of": [places[0] if len(places) == 1 else NATION],
        "at": [unit_of(last, "month").label],
    }
    return page_parameters.address("approve", view.lang, about)


def _line(view: PageContext, key: str, written: str) -> str:
    return f"<p><b>{view.escaped(f'figure.{key}')}:</b> {text.escape(written)}</p>"


@rendering.fragment
def table(
    view: PageContext,
    answer: Answer,
    ident: str,
    picture: downloads.Picture | None = None,
    chart_context: ChartContext | None = None,
    is_excerpt: bool = False,
) -> None:
    rows, start = _as_drawn(answer, picture)
    columns = tables.columns_of(view, answer, chart_context or context(view)) + _events(view, answer, picture)
    tables.show(view, f"answer-{ident}", columns, rows, subtitle(view, answer), start, is_excerpt=is_excerpt)


def _events(view: PageContext, answer: Answer, picture: downloads.Picture | None) -> list[tables.Column]:
    """A column with the numbered events of the chart; empty without events."""
    meta = picture.figure["layout"].get("meta", {}) if picture else {}
    at = next((i for i, name in enumerate(answer.by) if name in TIME), None)
    if at is None or not meta.get("events"):
        return []
    unit_events: dict[str, list[str]] = {}
    for number, (unit, words) in enumerate(zip(meta["event_units"], meta["events"], strict=True), 1):
        unit_events.setdefault(unit, []).append(f"{text.digits(number, view.lang)}. {words}")

    def cell(row: tuple) -> str:
        return "<br>".join(map(text.escape, unit_events.get(row[at], ())))

    return [tables.Column("events", view.word("briefing.events"), cell)]


def _as_drawn(answer: Answer, picture: downloads.Picture | None) -> tuple[Sequence[tuple], str]:
    """The rows in the order of the chart's bars, or the column to sort them by.

    Groups without a bar follow as if the ranking went on, and those that are compared have its order below a map too. Without
    bars rows keep the order of the answer; a map or a table without a chart shows the largest value first, of a rate the
    worst, unless the dimension has a natural order.
    """
    if not answer.by:
        return answer.rows, ""
    drawn = _bars(answer, picture)
    if drawn or (picture and len(answer.by) == 1 and "side" in answer.columns):
        ranked = {row: place for place, row in enumerate(bars.in_order(answer), len(drawn))}
        return sorted(answer.rows, key=lambda row: drawn.get(row[0], ranked.get(row, len(drawn) + len(ranked)))), ""
    traces = picture.figure["data"] if picture else []
    is_flat = not traces or traces[0]["type"].startswith("choropleth")
    if not is_flat or len(answer.by) > 1 or answer.by[0] in (*TIME, *ORDERED):
        return answer.rows, ""
    metric = answer.metrics[0]
    is_lowest_first = metric.denominator and worse_side(metric) == "lower"
    return answer.rows, metric.name if is_lowest_first else f"-{metric.name}"


def _bars(answer: Answer, picture: downloads.Picture | None) -> dict[object, int]:
    """The position of each member among the horizontal bars of a chart."""
    members = {row[0] for row in answer.rows}
    for trace in picture.figure["data"] if picture else ():
        drawn = [entry[0] if isinstance(entry, (list, tuple)) else entry for entry in trace.get("customdata") or ()]
        if trace.get("orientation") == "h" and drawn and members.issuperset(drawn):
            return {code: place for place, code in enumerate(dict.fromkeys(drawn))}
    return {}
