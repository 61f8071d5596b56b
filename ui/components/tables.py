"""Tables of all pages: accessible HTML in the reading direction, with a pinned name column.

Headings sort by click and by keyboard. Sorting and paging happen on the server, so that a table of 30,000 groups sends only
one page to the browser. Data is escaped.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cache, partial
from typing import Any

import streamlit as st

from etl.semantic.answers import Answer
from etl.semantic.calculations import Calculated
from etl.semantic.catalog import TIME, described, label_of
from ui.charts import elements
from ui.charts.elements import ChartContext
from ui.charts.matrix import ORDERED
from ui.components import table_html
from ui.components.blocks import controlled
from ui.components.plot import component
from ui.components.table_html import Column
from ui.components.table_state import InSession, Store, TableState
from ui.i18n import text
from ui.i18n.member_names import collated
from ui.state import page_parameters
from ui.state.page_context import PageContext

PAGE_ROWS = 200
# The most rows shown on one page; longer tables are downloaded.
MOST_ROWS = 1000
# The rows of an excerpt on paper (static/summary.css).
PAPER_ROWS = 10
# The rows of a short table on the screen (static/summary.css), and the most that paper has of it: all provinces fill no sheet.
FIRST_ROWS = 5
WHOLE_ON_PAPER = 31
_UNBARRED = ("date", "month", "year")

Link = Callable[[tuple], str]
Words = Mapping[str, Callable[[Any], str]]


# ---------------------------------------------------------------- the table


def show(
    view: PageContext,
    ident: str,
    columns: Sequence[Column],
    rows: Sequence[Any],
    caption: str,
    start: str = "",
    store: Store | None = None,
    total: Sequence[str] = (),
    is_total_first: bool = False,
    is_excerpt: bool = False,
    is_short: bool = False,
    is_stacked: bool = False,
    on_choice: Callable[[str], None] | None = None,
) -> None:
    """Show a table; the first column names the row. `on_choice` takes what is chosen in the menu of a column.

    On a phone each row of a stacked one is a block, which scrolls in no direction.

    A short one shows its first rows on the screen until a button shows all of them; paper has all of them, of a long list what
    the screen shows.

    Its page is printed as on the screen; an excerpt has only its first rows on paper, where its page has one sheet.
    The rows are sorted by `start` (`-name` for descending, empty for their own order) until a heading is pressed. `total` are
    the cells of the row of the whole. Call it in a fragment, so that sorting redraws only the table.
    """
    state_store = store or InSession(ident)
    state = state_store.read()
    known = {column.name for column in columns if column.value}
    sort = state.sort if state.sort.removeprefix("-") in known else start
    ordered: Sequence[Any] = rows
    # Equal cells keep the order of `start`.
    for order in dict.fromkeys((start, sort)):
        if order.removeprefix("-") in known:
            ordered = sorted_by(columns, ordered, order)
    number = min(state.page, pages(len(rows)))
    with st.container(key=f"table-{ident}", gap=None):
        if (len(rows) > 1 and known) or on_choice:
            key = f"headings-{ident}"
            chosen = {"on_choice_change": partial(_choose, on_choice, key)} if on_choice else {}
            component("table")(key=key, on_sort_change=partial(_press, state_store, columns, start, key), **chosen)
        page_rows = page_of(ordered, number) if number else ordered[:MOST_ROWS]
        listed = table_html.html(columns, ordered, page_rows, caption, sort, total, is_total_first, is_stacked)
        if pages(len(rows)) > 1:
            listed = _position(view, columns, sort, number, len(rows)) + listed
        is_cut = is_short and len(page_rows) > FIRST_ROWS and not st.session_state.get(f"all rows {ident}")
        if is_excerpt and len(page_rows) > PAPER_ROWS:
            listed = f'<div class="pd-cut">{listed}</div>{_on_paper(view, PAPER_ROWS, len(rows))}'
        elif is_cut and len(page_rows) > WHOLE_ON_PAPER:
            listed = f'<div class="pd-long">{listed}</div>{_on_paper(view, FIRST_ROWS, len(rows))}'
        st.html(f'<div class="pd-short">{listed}</div>' if is_cut else listed)
        if is_short and len(page_rows) > FIRST_ROWS:
            _all_rows(view, ident, len(rows), is_cut)
        if not is_cut and pages(len(rows)) > 1:
            _pager(view, ident, state_store, state, number, len(rows))


def _on_paper(view: PageContext, first: int, count: int) -> str:
    """How many of the rows are printed, as HTML."""
    words = view.escaped("more.first_printed", first=text.number(first, view.lang), count=text.number(count, view.lang))
    return f'<p class="pd-note pd-on-paper">{words}</p>'


def _choose(on_choice: Callable[[str], None], key: str) -> None:
    """Handle what was chosen in the menu of a column; a press of a heading ends here too, with nothing chosen."""
    if choice := st.session_state[key]["choice"]:
        on_choice(str(choice))


def _all_rows(view: PageContext, ident: str, count: int, is_cut: bool) -> None:
    """The button that shows all rows of a short table, or its first ones again."""
    number = count if is_cut else FIRST_ROWS
    label = view.word("listing.all" if is_cut else "listing.only", count=text.number(number, view.lang))
    shown = {f"all rows {ident}": is_cut}
    st.button(label, key=f"all-{ident}", type="tertiary", on_click=st.session_state.update, args=(shown,))


def _position(view: PageContext, columns: Sequence[Column], sort: str, number: int, count: int) -> str:
    """The range of rows shown and what they are sorted by, as HTML; page 0 is all rows, as far as MOST_ROWS."""
    rows = {
        "first": text.number(max(number - 1, 0) * PAGE_ROWS + 1, view.lang),
        "last": text.number(_last_row(number, count) if number else min(MOST_ROWS, count), view.lang),
        "count": text.number(count, view.lang),
    }
    by = next((column.title for column in columns if column.name == sort.removeprefix("-")), "")
    said = view.escaped("more.page_sorted" if by else "more.page_said", by=by, **rows)
    on_paper = view.escaped("more.rest_in_file") if number or count > MOST_ROWS else ""
    return f'<p class="pd-note" role="status">{said}<span class="pd-on-paper">{on_paper}</span></p>'


def sorted_by(columns: Sequence[Column], rows: Sequence[Any], sort: str) -> list[Any]:
    """The rows sorted by one column; unknown values come last in both directions."""
    value = next(column.value for column in columns if column.name == sort.removeprefix("-"))
    assert value
    keyed_rows = [(value(row), row) for row in rows]
    known = sorted(
        (pair for pair in keyed_rows if pair[0] is not None), key=lambda pair: pair[0], reverse=sort.startswith("-")
    )
    return [row for _, row in known] + [row for value, row in keyed_rows if value is None]


def order_of(columns: Sequence[Column], rows: Sequence[Any]) -> str:
    """The column that rows are sorted by as they come, in the form of `start`; empty if there is none."""
    for column in columns:
        if not column.value or len({*map(column.value, rows)}) < 2:
            continue
        for sort in (f"-{column.name}", column.name):
            if sorted_by([column], rows, sort) == [*rows]:
                return sort
    return ""


def _press(store: Store, columns: Sequence[Column], start: str, key: str) -> None:
    """Handle a pressed heading: numbers sort descending first, names ascending; the second press reverses."""
    name = str(st.session_state[key]["sort"])
    column = next((candidate for candidate in columns if candidate.name == name and candidate.value), None)
    if not column:
        return
    ways = [f"-{name}", name] if column.is_number else [name, f"-{name}"]
    now = store.read().sort or start
    chosen = ways[1] if now == ways[0] else ways[0]
    store.write(TableState("" if chosen == start else chosen))


def _pager(view: PageContext, ident: str, store: Store, state: TableState, number: int, count: int) -> None:
    """The buttons for other pages; page 0 is all rows, as far as MOST_ROWS."""
    most = pages(count)
    # The first, the last, the neighbours, and those ten pages away.
    near = (1, number - 10, number - 1, number, number + 1, number + 10, most)
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key=f"pages-{ident}"):
        key = "why.all_rows" if count <= MOST_ROWS else "more.first_rows"
        whole = view.word(key, count=text.number(MOST_ROWS, view.lang))
        controlled(
            st.pills,
            view.word("more.turn"),
            f"{ident} page",
            number,
            lambda page: store.write(replace(state, page=page)),
            options=[*sorted({page for page in near if 1 <= page <= most}), 0],
            required=True,
            format_func=lambda page: text.number(page, view.lang) if page else whole,
            label_visibility="collapsed",
        )


def pages(count: int) -> int:
    """The number of pages; the last one takes the rest, so that no page has but a few and all counties are one list."""
    return max(1, count // PAGE_ROWS)


def page_of(rows: Sequence[Any], number: int) -> Sequence[Any]:
    """The rows of a page, counted from 1; numbers out of range give the nearest page."""
    number = min(max(number, 1), pages(len(rows)))
    return rows[(number - 1) * PAGE_ROWS : _last_row(number, len(rows))]


def _last_row(number: int, count: int) -> int:
    """The last row of a page, counted from 1."""
    return count if number == pages(count) else number * PAGE_ROWS


# ---------------------------------------------------------------- answers


def columns_of(
    view: PageContext,
    answer: Answer,
    context: ChartContext,
    link: Link | None = None,
    without: Iterable[str] = (),
    words: Words | None = None,
) -> list[Column]:
    """The table columns of an answer, the parts of a ratio next to it. Columns that nothing describes serve the chart alone.

    `link` returns the address for the first cell of a row, `words` formats the cells of the named columns.
    """
    left_out, formatters = set(without), words or {}
    # Only the first measure and shares have bars: a bar in every cell would be noise.
    barred = {metric.name for metric in answer.metrics[:1]}
    at = [
        answer.columns.index(name)
        for name in _beside(answer)
        if name not in left_out and (name in answer.by or name in formatters or described(name, answer.metrics))
    ]

    def column(place: int, i: int) -> Column:
        name = answer.columns[i]
        is_member, unit = i < len(answer.by), elements.unit_of(answer, name)
        is_name = is_member and name not in (*TIME, *ORDERED)

        def written(row: tuple) -> str:
            if name in formatters:
                label = formatters[name](row[i])
            elif isinstance(row[i], date):
                return day(row[i], view.lang)
            elif is_member:
                label = context.member(name, row[i])
            else:
                label = text.plain(row[i], unit, view.lang)
            if place == 0 and link:
                cell = f'<a href="{text.escape(link(row))}" target="_self">{text.escape(label)}</a>'
            else:
                cell = member(view, name, row[i], label)
            provisional = is_member and row[i] is not None and row[i] in answer.provisional
            return f"{cell} <small>({view.escaped('figure.provisional')})</small>" if provisional else cell

        @cache
        def spelt(code: Any) -> str:
            return collated(formatters[name](code) if name in formatters else context.member(name, code))

        def value(row: tuple) -> Any:
            return spelt(row[i]) if is_name and row[i] is not None else row[i]

        has_bar = (name in barred or unit == "share") and unit not in _UNBARRED and name not in formatters
        return Column(name, title(view, answer, name), written, value, not is_member, not is_member and has_bar)

    return [column(place, i) for place, i in enumerate(at)]


def paled(columns: Sequence[Column], answer: Answer) -> list[Column]:
    """The columns, with the shares of few people pale, without a bar, and sorted below the others."""

    def of_few(column: Column) -> Column:
        metric = described(column.name, answer.metrics)
        if column.name in answer.by or not metric or metric.unit != "share":
            return column

        def is_of_few(row: tuple) -> bool:
            return elements.size_below(answer, metric, row) is not None

        return replace(
            column,
            cell=lambda row: f"<small>{column.cell(row)}</small>" if is_of_few(row) else column.cell(row),
            value=lambda row: None if is_of_few(row) or not column.value else column.value(row),
        )

    return [of_few(column) for column in columns]


def led_by(columns: Sequence[Column], *names: str) -> list[Column]:
    """The columns with those of `names` behind the first: a phone shows the name of a row and what the table is about."""
    first, *others = columns
    return [first, *sorted(others, key=lambda column: names.index(column.name) if column.name in names else len(names))]


def day(value: date, lang: str) -> str:
    """The cell of a day: where the column is narrow, the second calendar stands below the first."""
    return f'<span class="pd-day"><span>{text.day(value, lang).replace(" (", "</span> <span>(")}</span></span>'


def member(view: PageContext, dimension: str, code: str | None, name: str) -> str:
    """The cell of a member; a province links to its profile, unless it is the selected one, which the filter bar links."""
    if dimension != "province" or not code or view.where.get("province") == (code,):
        return text.escape(name)
    address = page_parameters.profile(code, view.lang, view.scope.address())
    return f'<a href="{text.escape(address)}" target="_self">{text.escape(name)}</a>'


def member_column(
    view: PageContext, dimension: str, code: Callable[[Any], str | None], name: Callable[[Any], str]
) -> Column:
    """A column of members, sorted by name: `code` and `name` give that of a row."""
    return Column(
        dimension,
        view.word(f"dimension.{dimension}"),
        lambda row: member(view, dimension, code(row), name(row)),
        lambda row: collated(name(row)),
    )


def _beside(answer: Answer) -> list[str]:
    """The column names, with what is calculated and the parts of each ratio next to it."""
    names = list(answer.by)
    for metric in answer.metrics:
        added = answer.calculation.columns(metric) if isinstance(answer, Calculated) else ()
        beside = (metric.name, *(column.name for column in added), metric.numerator, metric.denominator)
        names += [part for part in beside if part in answer.columns]
    return list(dict.fromkeys([*names, *answer.columns]))


def title(view: PageContext, answer: Answer, name: str) -> str:
    if name in answer.by:
        return view.word(f"dimension.{name}")
    return label_of(name, view.lang, answer.metrics)
