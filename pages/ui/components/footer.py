"""What every shown answer carries, under cards, charts and tables alike: what the number is, its table, its files."""

from datetime import date
from typing import Any

import pyarrow as pa
import streamlit as st

from etl.semantic.answers import Answer
from pages.ui.charts.elements import ChartContext
from pages.ui.components import downloads
from pages.ui.data import warehouse
from pages.ui.i18n import text
from pages.ui.state import page_context
from pages.ui.state.page_context import PageContext

# More rows than this are read in a file, not on a screen.
_MOST_ROWS = 1000
# More measures than this are named by the keys of the chart.
_MOST_NAMED = 2


def context(view: PageContext) -> ChartContext:
    """How charts, tables and files are to be made for this reader."""
    return ChartContext(
        view.lang, view.dark, {name: warehouse.names(name, view.lang) for name in ("course", "institute")}
    )


def subtitle(view: PageContext, answer: Answer) -> str:
    """Measure, place and period of an answer."""
    labels = [metric.label[view.lang] for metric in answer.metrics[:_MOST_NAMED]]
    # "Outstanding" and "Outstanding, up to 30 days" are one measure and a part of it: the legend names the parts.
    whole = [label for place, label in enumerate(labels) if not any(map(label.startswith, labels[:place]))]
    measures = text.listed(whole, view.lang)
    if answer.over:
        first, last = (text.day(day, view.lang) for day in answer.over)
        when = view.word("figure.period", first=first, last=last)
    else:
        when = text.day(answer.on or view.as_of, view.lang)
    return " · ".join([measures, page_context.place(view, answer.where), when])


@page_context.fragment
def footer(
    view: PageContext, answer: Answer, ident: str, with_table: bool = True, picture: downloads.Picture | None = None
) -> None:
    """Meaning, files and table behind doors. What is behind a closed door is neither made nor sent."""
    switch = f"table shown {ident}"
    with st.container(horizontal=True, gap="small", key=f"footer-{ident}", vertical_alignment="center"):
        question(view, answer, ident)
        downloads.downloads(view, answer, context(view), ident, picture)
        if with_table:
            label = view.word("figure.table_close" if st.session_state.get(switch) else "figure.table")
            st.button(label, key=f"table-{ident}", type="tertiary", on_click=_turn, args=(switch,))
    if with_table and st.session_state.get(switch):
        table(view, answer)


def question(view: PageContext, answer: Answer, ident: str) -> None:
    """ "What is this number?". On a card the style sheet shows it as a mark."""
    what = st.popover(view.word("figure.what"), key=f"what-{ident}", type="tertiary", on_change="rerun")
    if what.open:
        with what:
            _meaning(view, answer)


def _turn(switch: str) -> None:
    st.session_state[switch] = not st.session_state.get(switch)


def _meaning(view: PageContext, answer: Answer) -> None:
    """Words, inclusions, worked example, load, the rows that were kept back, and the query."""
    parts = []
    for metric in answer.metrics:
        parts.append(f"<h4>{text.escape(metric.label[view.lang])}</h4>")
        parts.append(f"<p>{text.escape(metric.description[view.lang])}</p>")
        if metric.numerator and metric.denominator:
            above, below = (_label(name, view.lang) for name in (metric.numerator, metric.denominator))
            parts.append(_line(view, "formula", view.word("figure.ratio", numerator=above, denominator=below)))
        if metric.example.get(view.lang):
            parts.append(_line(view, "example", metric.example[view.lang]))
    published = answer.publication
    parts.append(
        _line(
            view,
            "load",
            view.word(
                "figure.load_words",
                id=text.digits(published.id, view.lang),
                files=text.number(published.files, view.lang),
                rows=text.number(published.rows_loaded, view.lang),
            )
            + " "
            + view.word("figure.kept_back", rows=text.number(warehouse.rejected_rows(answer), view.lang)),
        )
    )
    address = f"methods{'?lang=en' if view.lang == 'en' else ''}#{answer.metrics[0].name}"
    parts.append(
        f'<p><a href="{text.escape(address)}" target="_self">{text.escape(view.word("trust.methods"))}</a></p>'
    )
    parts.append(_line(view, "query", ""))
    st.html(f'<div class="pd-meaning">{"".join(parts)}</div>')
    st.code(answer.query, language="sql", wrap_lines=True)


def _line(view: PageContext, key: str, written: str) -> str:
    return f"<p><b>{text.escape(view.word(f'figure.{key}'))}:</b> {text.escape(written)}</p>"


def _label(name: str, lang: str) -> str:
    metric = warehouse.catalogue().get(name) or warehouse.worked_out(name)
    return metric.label[lang] if metric else name


def table(view: PageContext, answer: Answer) -> None:
    """The answer as a table: names for codes, numbers that sort as numbers, columns in the reading direction."""
    seen, units = context(view), warehouse.units() | {metric.name: metric.unit for metric in answer.metrics}
    rows = answer.rows[:_MOST_ROWS]
    data: dict[str, list[Any]] = {}
    settings: dict[str, Any] = {}
    for i, name in enumerate(answer.columns):
        values = [row[i] for row in rows]
        if i < len(answer.by):
            label = view.word(f"dimension.{name}")
            data[label] = [seen.member(name, value) for value in values]
            settings[label] = st.column_config.TextColumn(alignment="right" if seen.rtl else "left")
            continue
        label, unit = _column(answer, name, view.lang), units.get(name, "persons")
        if any(isinstance(value, (str, date)) for value in values):
            data[label] = [text.plain(value, unit, view.lang) for value in values]
        else:
            data[label] = [text.rounded(value, unit) for value in values]
            settings[label] = st.column_config.NumberColumn(format="percent" if unit == "share" else "localized")
    st.dataframe(
        pa.table(data),
        hide_index=True,
        column_order=list(data)[::-1] if seen.rtl else list(data),
        column_config=settings,
        height=min(len(rows) + 1, 12) * 35 + 3,
        alt=subtitle(view, answer),
    )


def _column(answer: Answer, name: str, lang: str) -> str:
    known = {metric.name: metric.label[lang] for metric in answer.metrics}
    return known.get(name) or _label(name, lang)
