"""The rows of an explored answer: a paged table or pivot, and the files of all rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from operator import itemgetter
from typing import Any

import streamlit as st

from etl.analysis import quick_calculations
from etl.core.errors import AccessDenied
from etl.semantic import exportable
from etl.semantic.answers import Answer
from etl.semantic.calculations import CALCULATIONS, Calculated
from etl.semantic.catalog import TIME, catalogue
from ui.charts import matrix, titles
from ui.charts.matrix import ORDERED
from ui.components import blocks, tables
from ui.components.blocks import controlled
from ui.components.footer import context, footer, subtitle
from ui.components.table_html import Menu
from ui.components.table_state import InAddress
from ui.data import warehouse
from ui.exhibits.explore import Asked
from ui.i18n import text
from ui.state import page_context, page_parameters, questions, rendering
from ui.state.address import SHOWN
from ui.state.page_context import PageContext
from ui.state.questions import Over

PAGE = "explore"
_MOST_COLUMNS = 24
# Chosen in the menu of a column to calculate nothing.
_NONE = "none"


@dataclass(frozen=True)
class Selection:
    """The chosen question: measures, dimensions, and the period of flows and units of time (inclusive)."""

    names: tuple[str, ...]
    by: tuple[str, ...]
    over: Over

    @property
    def is_timed(self) -> bool:
        return any(name in TIME for name in self.by)


@rendering.fragment
def rows(view: PageContext, selection: Selection, source: Answer | exportable.StoredRows) -> None:
    """The paged table or pivot, and the files of all rows, with the chosen calculation beside each measure."""
    with blocks.error_boundary(view.lang, "rows"):
        calc = page_parameters.one(PAGE, "calc")
        on = exportable.of(source).answer.on
        is_calculated, refused = calculation(view, selection.names, selection.by, calc, on)
        if is_calculated:
            try:
                source = questions.free(view.asked, warehouse.of_page(), selection.names, selection.by, calc=calc)
            except AccessDenied:
                refused = [view.word("refused.calc_denied")]
        _rows(view, selection, source, refused)


def _rows(
    view: PageContext, selection: Selection, source: Answer | exportable.StoredRows, refused: Sequence[str]
) -> None:
    chart_context, answer = context(view), exportable.of(source).answer
    # A pivot needs two dimensions.
    shape = page_parameters.one(PAGE, "show", SHOWN[0]) if len(selection.by) > 1 else "table"
    # Time and bands come in their own order, other groups by their first measure.
    is_ordered = selection.is_timed or set(selection.by) & set(ORDERED)
    start = selection.by[0] if is_ordered else f"-{selection.names[0]}"
    with st.container(border=True, key="figure-rows"):
        is_pivot = shape == "pivot" and not isinstance(source, exportable.StoredRows)
        count = (
            len({row[: len(selection.by) - 1] for row in answer.rows}) if is_pivot else exportable.of(source).count()
        )
        blocks.head(_title(view, selection, answer, count), subtitle(view, answer))
        if len(selection.by) > 1:
            _choose_shape(view, shape)
        for sentence in refused:
            blocks.note(sentence, is_status=True)
        if is_pivot:
            if isinstance(answer, Calculated):
                blocks.note(view.word("calc.in_table"))
            _pivot(view, selection, answer)
        else:
            if shape == "pivot":
                blocks.note(view.word("more.pivot_too_large"))
            columns = _with_menus(
                view, answer, tables.columns_of(view, answer, chart_context, words=_changes(view, answer))
            )
            if isinstance(source, exportable.StoredRows):
                # To sort the first rows alone would show others than the first of that order.
                columns = [replace(column, value=None, has_bar=False) for column in columns]
                answer, start = source.first(tables.PAGE_ROWS, start), ""
                first = text.number(len(answer.rows), view.lang)
                blocks.note(view.word("more.first_shown", first=first, count=text.number(count, view.lang)))
            store = InAddress(PAGE)
            tables.show(view, "rows", columns, answer.rows, subtitle(view, answer), start, store, on_choice=_calculate)
        calc = answer.calculation.kind if isinstance(answer, Calculated) else ""
        footer(view, source, "rows", with_table=False, asked=Asked(selection.names, selection.by, calc))


def _title(view: PageContext, selection: Selection, answer: Answer, count: int) -> str:
    """The measures, what they are split by, and the number of rows; the number alone if that is too long or there is no split."""
    rows = view.word("more.groups", count=text.number(count, view.lang))
    if not selection.by:
        return rows
    asked = [metric.short[view.lang] for metric in answer.metrics if metric.name in selection.names]
    measures = text.listed(asked, view.lang)
    axes = text.listed([view.word(f"dimension.{name}").lower() for name in selection.by], view.lang)
    return titles.first_that_fits([view.word("more.rows_of", measures=measures, axes=axes, rows=rows), rows])


def calculation(
    view: PageContext, names: Sequence[str], by: Sequence[str], calc: str, on: date | None
) -> tuple[bool, Sequence[str]]:
    """Whether a calculation has a meaning beside one of the measures on a day, and in sentences why beside others it has none."""
    if not calc:
        return False, ()
    reasons = warehouse.analyse(quick_calculations.refusals, tuple(names), tuple(by), calc, on)
    refused = {name: reason for name, reason in reasons.items() if reason}
    labels = {name: catalogue()[name].label[view.lang] for name in refused}
    sentences = [view.word(f"refused.calc_{reason}", measure=labels[name]) for name, reason in refused.items()]
    return len(refused) < len(reasons), [*dict.fromkeys(sentences)]


def _with_menus(view: PageContext, answer: Answer, columns: Sequence[tables.Column]) -> list[tables.Column]:
    """The columns, those of measures with a menu of what can be calculated beside them."""
    options = tuple((calc, view.word(f"calc.{calc}")) for calc in (_NONE, *CALCULATIONS))
    menu = Menu(view.word("calc.title"), options, page_parameters.one(PAGE, "calc", _NONE))
    return [replace(column, menu=menu) if column.name in answer.measures else column for column in columns]


def _calculate(calc: str) -> None:
    page_parameters.choose(PAGE, calc=calc if calc in CALCULATIONS else None, page=None)
    page_context.write()


def _changes(view: PageContext, answer: Answer) -> tables.Words:
    """How the cells of changes are written: with their sign, of shares in percentage points."""
    if not isinstance(answer, Calculated) or answer.calculation.kind not in ("previous", "year"):
        return {}
    added = [(metric, column) for metric in answer.metrics for column in answer.calculation.columns(metric)]
    return {
        column.name: partial(_signed, view, "share_points" if column.unit == metric.unit == "share" else column.unit)
        for metric, column in added
    }


def _signed(view: PageContext, unit: str, value: Any) -> str:
    return text.plain(value, unit, view.lang, signed=True)


def _choose_shape(view: PageContext, shape: str) -> None:
    def changed(form: str) -> None:
        page_parameters.choose(PAGE, show=None if form == "table" else form, page=None)
        page_context.write()

    controlled(
        st.segmented_control,
        view.word("more.show"),
        "explore show",
        shape,
        changed,
        options=SHOWN,
        required=True,
        format_func=lambda form: view.word(f"more.{form}"),
        label_visibility="collapsed",
    )


def _pivot(view: PageContext, selection: Selection, answer: Answer) -> None:
    """The last dimension across, the others down, the first measure in the cells, in the order of the chart above.

    Totals are separate questions: distinct counts and rates cannot be summed.
    """
    chart_context, metric = context(view), answer.metrics[0]
    at, across = answer.columns.index(metric.name), len(selection.by) - 1
    down, over = selection.by[:across], selection.by[across]
    totals = {tuple(row[:across]): row[across] for row in _totals(view, selection, answer, down).rows}
    beneath = {row[0]: row[1] for row in _totals(view, selection, answer, (over,)).rows}
    positions = [
        {code: place for place, code in enumerate(matrix.in_order(answer, i, at))} for i in range(len(selection.by))
    ]
    columns = list(positions[across])
    cells: dict[tuple, dict[Any, Any]] = {}
    for row in answer.rows:
        cells.setdefault(row[:across], {})[row[across]] = row[at]
    groups = sorted(cells, key=lambda group: [place[code] for place, code in zip(positions, group, strict=False)])

    counts = [row[at] for row in answer.rows if row[at] is not None]
    has_bars = metric.unit not in ("date", "month") and 0 <= min(counts, default=0) < max(counts, default=0)
    highest = float(max(counts)) if has_bars else None

    def written(value: Any) -> str:
        return text.escape(text.plain(value, metric.unit, view.lang))

    def counted(code: Any) -> tables.Column:
        return tables.Column(
            f"{over}:{code}",
            chart_context.member(over, code),
            lambda group: written(cells[group][code]) if code in cells[group] else "",
            lambda group: cells[group].get(code),
            is_number=True,
            has_bar=bool(highest),
            longest=highest,
        )

    page_columns = columns[:_MOST_COLUMNS]
    head = [
        *(_group_column(view, i, name, positions[i]) for i, name in enumerate(down)),
        *map(counted, page_columns),
        tables.Column(metric.name, view.word("more.total"), lambda group: written(totals.get(group)), totals.get, True),
    ]
    total = [
        view.escaped("more.total"),
        *[""] * (len(down) - 1),
        *(written(beneath.get(code)) for code in page_columns),
    ]
    total.append(written(_totals(view, selection, answer, ()).value()))
    notes = [view.word("more.pivot_of", measure=metric.label[view.lang])]
    if len(columns) > _MOST_COLUMNS:
        few, count = (text.number(n, view.lang) for n in (_MOST_COLUMNS, len(columns)))
        notes.append(view.word("more.columns_of", shown=few, count=count))
    st.html("".join(f'<p class="pd-note">{text.escape(note)}</p>' for note in notes))
    tables.show(view, "pivot", head, groups, subtitle(view, answer), store=InAddress(PAGE), total=total)


def _group_column(view: PageContext, i: int, name: str, positions: Mapping[Any, int]) -> tables.Column:
    """The column of a dimension of the groups; time and bands sort in their own order, names alphabetically."""
    chart_context = context(view)
    column = tables.member_column(view, name, itemgetter(i), lambda group: chart_context.member(name, group[i]))
    is_ordered = name in (*TIME, *ORDERED)
    return replace(column, value=lambda group: positions.get(group[i])) if is_ordered else column


def _totals(view: PageContext, selection: Selection, answer: Answer, by: Sequence[str]) -> Answer:
    """The first measure at the grain of a total, within the answer. For a snapshot over time the total is its last day."""
    name = selection.names[0]
    if catalogue()[name].kind == "event" or set(by) & set(TIME):
        return warehouse.ask(name, by=by, over=selection.over, where=answer.where)
    return warehouse.ask(name, by=by, on=answer.on or min(selection.over[1], view.as_of), where=answer.where)
