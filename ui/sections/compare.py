"""Two sides side by side: the choices of the reader, and what stands below them."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from functools import partial
from operator import itemgetter

import streamlit as st

from etl.core.errors import QuestionError
from etl.semantic.answers import Answer, Metric
from etl.semantic.catalog import catalogue
from ui.charts import elements
from ui.charts.elements import ChartContext
from ui.components import blocks, tables
from ui.components import figures as ui
from ui.components.blocks import controlled
from ui.data import warehouse
from ui.exhibits import compare as exhibits
from ui.exhibits.compare import SIDES, At, Compared, Sides, signed
from ui.exhibits.exhibit import Drawing, Exhibit, Table
from ui.exhibits.named import as_chosen
from ui.i18n import text
from ui.sections.sides import PAGE, choices
from ui.state import page_parameters, questions
from ui.state.page_context import PageContext
from ui.state.questions import without_places
from ui.state.scope import SIMILAR
from ui.summary import changes


def compare(view: PageContext) -> None:
    """The whole page: choices, the chosen measure of both sides and what explains it, all numbers, the bridge of each side."""
    sides, ask = as_chosen(Sides, page_parameters.of(PAGE), view.asked), warehouse.of_page()
    choices(view, sides)
    if any(place == SIMILAR and not sides.similar(ask, i) for i, place in enumerate(sides.places)):
        blocks.notice(view.lang, "compare.similar", view.word("compare.none_similar"))
        return
    compared = as_chosen(Compared, page_parameters.of(PAGE), view.asked)
    _choose_measure(view, exhibits.measures(ask, sides), compared.name)
    # What is a sentence alone stands above the lines, not beside them.
    over, beside = st.columns(2) if _is_split(view, sides, compared) else (st.container(), None)
    with beside or over:
        parts(view, sides, compared)
    with over:
        ui.exhibit(view, exhibits.over_time)
    ui.table(view, exhibits.numbers, partial(_table, view, sides))
    bridges(view, sides)


def _table(view: PageContext, sides: Sides, exhibit: Exhibit) -> None:
    """Measures down; the two sides and their difference across."""
    assert isinstance(exhibit.form, Table)
    assert exhibit.answer is not None
    context, answer = exhibit.context(), exhibit.answer
    heads = [view.word("compare.measure"), *(context.member("side", side) for side in (*SIDES, "difference"))]
    columns = [tables.Column("", title, itemgetter(i), is_number=i > 0) for i, title in enumerate(heads)]
    body = [
        _row(view, context, answer, each, verdict, sides.days)
        for each, verdict in zip(answer.metrics, exhibit.form.remarks, strict=True)
    ]
    tables.show(view, "compare", columns, body, view.word("compare.caption"))


def _row(
    view: PageContext, context: ChartContext, answer: Answer, metric: Metric, verdict: str, days: Sequence[date]
) -> list[str]:
    at = answer.columns.index(metric.name)
    cells, first, second = [text.escape(metric.label[view.lang])], *(row[at] for row in answer.rows[:2])
    for row, day in zip(answer.rows, days, strict=False):
        value = text.escape(text.amount(row[at], metric.unit, view.lang))
        cells.append(value + _parts(context, answer, metric, row) + _settled(view, metric, day))
    written = signed(second, first, metric.unit, view.lang)
    if None not in (first, second) and not changes.is_visible(metric, second, first):
        written = view.word("change.same")
    remark = verdict and f'<br><small class="pd-{verdict}">{view.escaped(f"compare.{verdict}")}</small>'
    return [*cells, f"<bdi>{text.escape(written)}</bdi>{remark}"]


def _settled(view: PageContext, metric: Metric, day: date) -> str:
    """The day on which a measure that stays provisional is asked in place of `day`."""
    settled = questions.settled_on(warehouse.of_page(), metric.name, day)
    if settled in (None, day):
        return ""
    return f"<br><small>{view.escaped('compare.settled', day=text.day(settled, view.lang))}</small>"


def _parts(context: ChartContext, answer: Answer, metric: Metric, row: tuple) -> str:
    is_median = metric.numerator in answer.columns and row[answer.columns.index(metric.numerator)] is None
    parts = "" if is_median else elements.parts_of(answer, metric, row, context)
    return f"<br><small>{text.escape(parts)}</small>" if parts else ""


def _choose_measure(view: PageContext, names: Sequence[str], name: str) -> None:
    """A box to choose the measure of the parts and the lines."""
    labels = {each: catalogue()[each].label[view.lang] for each in [*exhibits.offered_of(names, view.asked), name]}
    label = view.word("why.line_of")
    _box("measure", label, "m", name, labels, lambda chosen: page_parameters.choose(PAGE, m=chosen, by=None))


def _box(
    ident: str, label: str, parameter: str, value: str, labels: Mapping[str, str], chosen: Callable[[str], object]
) -> None:
    """A choice among `labels`, in a container of the footers, which the style sheet hides in print."""
    with st.container(key=f"footer-compare-{ident}"):
        options, named = list(labels), labels.__getitem__
        controlled(
            st.selectbox, label, f"compare {parameter}", value, chosen, options=options, format_func=named, width=280
        )


def _is_split(view: PageContext, sides: Sides, compared: Compared) -> bool:
    if not exhibits.split_by(sides, compared.name):
        return False
    with suppress(QuestionError):
        return exhibits.is_split(view.asked, warehouse.of_page(), sides, compared.name, compared.by)
    return False


def parts(view: PageContext, sides: Sides, compared: Compared) -> None:
    """The parts of the difference in a measure, by the dimension of the address, else the one that explains most.

    Nothing where two places have no groups in common.
    """
    if not exhibits.has_parts(compared.name):
        blocks.note(view.word("split.no_parts"))
    elif not sides.have_parts:
        blocks.note(view.word("split.two_sides"))
    elif offered := exhibits.split_by(sides, compared.name):
        ui.exhibit(view, exhibits.parts, more=partial(_choose_parts, view, offered))


def _choose_parts(view: PageContext, offered: Sequence[str], exhibit: Exhibit) -> None:
    if not isinstance(exhibit.form, Drawing) or exhibit.answer is None:
        return
    by = exhibit.answer.by[0]
    labels = {dimension: view.word(f"dimension.{dimension}") for dimension in [*offered, by]}
    _box("by", view.word("split.by"), "by", by, labels, lambda by: page_parameters.choose(PAGE, by=by))


def bridges(view: PageContext, sides: Sides) -> None:
    """The bridge of each side: between the two days, or over the year before if both days are the same."""
    if without_places(view.where):
        blocks.notice(view.lang, "compare.no_bridge_title", view.word("compare.no_bridge"), "refused")
        return
    places = [place for place in dict.fromkeys(sides.places) if place != SIMILAR]
    for place, column in zip(places, st.columns(len(places)), strict=True):
        with column:
            ui.exhibit(view, exhibits.bridge, sides, At(place), of=place)
