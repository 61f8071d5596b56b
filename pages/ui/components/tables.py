"""A table on the page: real HTML, read by screen readers, in the reading direction, with links; shown a page at a time.

Data goes in escaped. What is long is paged and sorted on the server: 100,000 groups cost the browser fifty rows.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import streamlit as st

from etl.core.paths import ROOT
from etl.semantic.answers import Answer, Metric
from pages.ui.charts.elements import ChartContext
from pages.ui.data import warehouse
from pages.ui.i18n import text
from pages.ui.state.page_context import PageContext

PAGE_ROWS = 50
_STYLE = ROOT / "static" / "analyst.css"
# Persian letters in the order of the alphabet, which is not that of their codes.
_ALPHABET = {letter: f"{place:02}" for place, letter in enumerate("آابپتثجچحخدذرزژسشصضطظعغفقکگلمنوهی")}

Link = Callable[[tuple], str]


@dataclass(frozen=True)
class Column:
    """One column: what stands over it, whether it holds numbers."""

    title: str
    is_number: bool = False


@cache
def _style() -> str:
    return f"<style>{_STYLE.read_text(encoding='utf-8')}</style>"


def style() -> None:
    """The look of tables, breadcrumbs and comparisons; once on a page that has some."""
    st.html(_style())


def show(columns: Sequence[Column], rows: Iterable[Sequence[str]], caption: str, tall: bool = False) -> None:
    """A table of cells that are HTML already; the first column names the row."""
    head = "".join(f'<th scope="col"{_kind(column)}>{text.escape(column.title)}</th>' for column in columns)
    body = "".join(
        "<tr>"
        + "".join(
            f'<th scope="row">{cell}</th>' if i == 0 else f"<td{_kind(column)}>{cell}</td>"
            for i, (column, cell) in enumerate(zip(columns, row, strict=True))
        )
        + "</tr>"
        for row in rows
    )
    label = text.escape(caption)
    st.html(
        f'<div class="pd-scroll{" pd-tall" if tall else ""}" tabindex="0" role="region" aria-label="{label}">'
        f'<table class="pd-grid"><caption>{label}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _kind(column: Column) -> str:
    return ' class="pd-number"' if column.is_number else ""


def answer(
    view: PageContext,
    shown: Answer,
    context: ChartContext,
    rows: Sequence[tuple],
    caption: str,
    link: Link | None = None,
    without: Iterable[str] = (),
    words: Mapping[str, Callable[[Any], str]] | None = None,
) -> None:
    """Rows of an answer; `link` gives the address the first cell of a row leads to, `words` says cells its own way."""
    left_out = set(without)
    at = [i for i, name in enumerate(shown.columns) if name not in left_out]
    columns = [Column(title(view, shown, shown.columns[i]), i >= len(shown.by)) for i in at]
    own = words or {}

    def cell(row: tuple, i: int) -> str:
        name = shown.columns[i]
        if name in own:
            written = own[name](row[i])
        elif i < len(shown.by):
            written = context.member(name, row[i])
        else:
            written = text.plain(row[i], unit_of(shown, name), view.lang)
        written = text.escape(written)
        if i == at[0] and link:
            written = f'<a href="{text.escape(link(row))}" target="_self">{written}</a>'
        mark = i < len(shown.by) and row[i] is not None and row[i] in shown.provisional
        return f"{written} <small>({text.escape(view.word('figure.provisional'))})</small>" if mark else written

    show(columns, ([cell(row, i) for i in at] for row in rows), caption)


def metric_of(shown: Answer, name: str) -> Metric | None:
    """What a column counts."""
    known = next((metric for metric in shown.metrics if metric.name == name), None)
    return known or warehouse.catalogue().get(name)


def unit_of(shown: Answer, name: str) -> str:
    metric = metric_of(shown, name)
    return metric.unit if metric else "persons"


def title(view: PageContext, shown: Answer, name: str) -> str:
    """What stands over a column, with the unit where there is one."""
    if name in shown.by:
        return view.word(f"dimension.{name}")
    metric = metric_of(shown, name)
    return metric.label[view.lang] if metric else name


def in_order(shown: Answer, context: ChartContext, by: str, downwards: bool) -> list[tuple]:
    """The rows sorted by a column: names as the alphabet has them, numbers by size; what is unknown comes last."""
    if by not in shown.columns:
        return shown.rows
    i = shown.columns.index(by)
    known = [row for row in shown.rows if row[i] is not None]
    unknown = [row for row in shown.rows if row[i] is None]
    if i < len(shown.by) and by not in ("month", "quarter", "year"):
        keys = {value: collated(context.member(by, value)) for value in {row[i] for row in known}}
        known.sort(key=lambda row: keys[row[i]], reverse=downwards)
    else:
        known.sort(key=lambda row: row[i], reverse=downwards)
    return known + unknown


def collated(name: str) -> str:
    """A key under which Persian names stand in the order of the alphabet."""
    return "".join(_ALPHABET.get(letter, letter) for letter in name)


def pages(count: int) -> int:
    return max(1, -(-count // PAGE_ROWS))


def page_of(rows: Sequence[tuple], number: int) -> Sequence[tuple]:
    """The rows of a page, the first being 1; a page that is not there is the last."""
    number = min(max(number, 1), pages(len(rows)))
    return rows[(number - 1) * PAGE_ROWS : number * PAGE_ROWS]


def has_numbers(shown: Answer) -> bool:
    """Whether an answer has any number at all."""
    at = [shown.columns.index(metric.name) for metric in shown.metrics]
    return any(row[i] is not None for row in shown.rows for i in at)
