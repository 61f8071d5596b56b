"""The rows of an explored answer: a table or a pivot, a page at a time, and the files of all of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import streamlit as st

from etl.semantic.answers import Answer
from pages.ui.components import downloads, notices, tables
from pages.ui.components.footer import context, question, subtitle
from pages.ui.data import registers, warehouse
from pages.ui.i18n import text
from pages.ui.sections.question_problems import TIME
from pages.ui.state import page_context, page_parameters
from pages.ui.state.address import SHOWN
from pages.ui.state.page_context import PageContext

PAGE = "explore"
# Dimensions whose members have an order of their own.
ORDERED = ("age_band", "tenure_band")
_MOST_COLUMNS = 24


@dataclass(frozen=True)
class Asked:
    """The question: measures, dimensions, and the period of flows and of units of time (both ends in)."""

    names: tuple[str, ...]
    by: tuple[str, ...]
    over: tuple[date, date]

    @property
    def is_timed(self) -> bool:
        return any(name in TIME for name in self.by)

    @property
    def needs_period(self) -> bool:
        return self.is_timed or any(warehouse.catalogue()[name].kind == "event" for name in self.names)


@page_context.fragment
def rows(view: PageContext, asked: Asked, answer: Answer) -> None:
    """The table or the pivot, a page at a time, and the files of all of it."""
    seen = context(view)
    with st.container(border=True, key="figure-rows"), notices.error_boundary(view.lang, "rows"):
        count = view.word("more.groups", count=text.number(len(answer.rows), view.lang))
        st.html(f'<div class="pd-head"><h3>{text.escape(count)}</h3><p>{text.escape(subtitle(view, answer))}</p></div>')
        shape = _shape(view, asked)
        if shape == "pivot":
            _pivot(view, asked, answer)
        else:
            _table(view, asked, answer)
        with st.container(horizontal=True, gap="small", key="footer-rows", vertical_alignment="center"):
            question(view, answer, "rows")
            downloads.downloads(view, answer, seen, "rows")


def _shape(view: PageContext, asked: Asked) -> str:
    """Table or pivot: a pivot needs two dimensions."""
    if len(asked.by) < 2:
        return "table"
    key, chosen = "explore show", page_parameters.one(PAGE, "show", SHOWN[0])
    st.session_state[key] = chosen

    def changed() -> None:
        now = st.session_state[key]
        page_parameters.choose(PAGE, show=None if now == "table" else now, page=None)
        page_context.write()

    st.segmented_control(
        view.word("more.show"),
        SHOWN,
        key=key,
        required=True,
        format_func=lambda one: view.word(f"more.{one}"),
        label_visibility="collapsed",
        on_change=changed,
    )
    return chosen


def _sorting(view: PageContext, asked: Asked, answer: Answer) -> tuple[str, bool]:
    """By which column the rows stand, and whether downwards: time as it runs, groups by their first measure."""
    default = asked.by[0] if asked.is_timed or set(asked.by) & set(ORDERED) else f"-{asked.names[0]}"
    written = page_parameters.one(PAGE, "sort", default)
    name, downwards = written.lstrip("-"), written.startswith("-")
    if name not in answer.columns:
        written, name, downwards = default, default.lstrip("-"), default.startswith("-")
    options = [f"{sign}{column}" for column in answer.columns for sign in ("-", "")]
    key = "explore sort"
    st.session_state[key] = written

    def changed() -> None:
        now = st.session_state[key]
        page_parameters.choose(PAGE, sort=None if now == default else now, page=None)
        page_context.write()

    def said(option: str) -> str:
        title = tables.title(view, answer, option.lstrip("-"))
        return view.word("more.downwards" if option.startswith("-") else "more.upwards", name=title)

    if len(answer.rows) > 1:
        st.selectbox(view.word("more.sort"), options, key=key, format_func=said, on_change=changed, width=360)
    return name, downwards


def _table(view: PageContext, asked: Asked, answer: Answer) -> None:
    name, downwards = _sorting(view, asked, answer)
    rows = tables.in_order(answer, context(view), name, downwards)
    number = turned(view, PAGE, len(rows))
    tables.answer(view, answer, context(view), tables.page_of(rows, number), subtitle(view, answer))


def turned(view: PageContext, name: str, count: int) -> int:
    """The page of a long table, in the address of page `name`; the buttons that turn it, where there is more than one."""
    most = tables.pages(count)
    number = min(int(page_parameters.one(name, "page", "1")), most)
    if most == 1:
        return 1
    key = f"{name} page"
    # the first, the last, the neighbours, and ten further on either side
    near = (1, number - 10, number - 1, number, number + 1, number + 10, most)
    st.session_state[key] = number

    def changed() -> None:
        now = st.session_state[key]
        page_parameters.choose(name, page=None if now == 1 else str(now))
        page_context.write()

    with st.container(horizontal=True, gap="small", vertical_alignment="center", key=f"pages-{name}"):
        first = (number - 1) * tables.PAGE_ROWS + 1
        said = view.word(
            "more.page_said",
            first=text.number(first, view.lang),
            last=text.number(min(first + tables.PAGE_ROWS - 1, count), view.lang),
            count=text.number(count, view.lang),
        )
        st.html(f'<p class="pd-note" role="status">{text.escape(said)}</p>', width="content")
        st.pills(
            view.word("more.turn"),
            sorted({one for one in near if 1 <= one <= most}),
            key=key,
            required=True,
            format_func=lambda one: text.number(one, view.lang),
            label_visibility="collapsed",
            on_change=changed,
        )
    return number


def _pivot(view: PageContext, asked: Asked, answer: Answer) -> None:
    """The last dimension across, the others down, the first measure in the cells; totals are asked for, never summed."""
    seen, metric = context(view), answer.metrics[0]
    at, across = answer.columns.index(metric.name), len(asked.by) - 1
    down = asked.by[:across]
    totals = {tuple(row[:across]): row[across] for row in _totals(view, asked, down).rows}
    beneath = {row[0]: row[1] for row in _totals(view, asked, asked.by[across:]).rows}
    columns = _across(answer, across, beneath)
    cells: dict[tuple, dict[Any, Any]] = {}
    for row in answer.rows:
        cells.setdefault(row[:across], {})[row[across]] = row[at]
    timed = set(down) & {*TIME, *ORDERED}
    groups = sorted(cells, key=lambda group: _down_key(group, totals, bool(timed)))
    number = turned(view, PAGE, len(groups))
    head = [tables.Column(view.word(f"dimension.{name}")) for name in down]
    head += [tables.Column(seen.member(asked.by[across], code), True) for code in columns[:_MOST_COLUMNS]]
    head.append(tables.Column(view.word("more.total"), True))

    def written(value: Any) -> str:
        return text.escape(text.plain(value, metric.unit, view.lang))

    body = [
        [*(text.escape(seen.member(name, code)) for name, code in zip(down, group, strict=True))]
        + [written(cells[group].get(code)) if code in cells[group] else "" for code in columns[:_MOST_COLUMNS]]
        + [written(totals.get(group))]
        for group in tables.page_of(groups, number)
    ]
    whole = _totals(view, asked, ()).value()
    body.append(
        [text.escape(view.word("more.total")), *[""] * (len(down) - 1)]
        + [written(beneath.get(code)) for code in columns[:_MOST_COLUMNS]]
        + [written(whole)]
    )
    notes = [view.word("more.pivot_of", measure=metric.label[view.lang])]
    if len(columns) > _MOST_COLUMNS:
        shown, count = (text.number(n, view.lang) for n in (_MOST_COLUMNS, len(columns)))
        notes.append(view.word("more.columns_of", shown=shown, count=count))
    st.html("".join(f'<p class="pd-note">{text.escape(note)}</p>' for note in notes))
    tables.show(head, body, subtitle(view, answer))


def _across(answer: Answer, across: int, totals: Mapping[Any, Any]) -> list[Any]:
    codes = dict.fromkeys(row[across] for row in answer.rows)
    if answer.by[across] in (*TIME, *ORDERED):
        return sorted(codes, key=lambda code: (code is None, str(code)))
    return sorted(codes, key=lambda code: (code is None, -(totals.get(code) or 0), str(code)))


def _down_key(group: tuple, totals: Mapping[tuple, Any], timed: bool) -> tuple:
    unknown = tuple(code is None for code in group)
    return (unknown, tuple(map(str, group))) if timed else (unknown, -(totals.get(group) or 0), tuple(map(str, group)))


def _totals(view: PageContext, asked: Asked, by: Sequence[str]) -> Answer:
    """The first measure at the grain of a total. A state over time has no total over the times: its last day stands for it."""
    name = asked.names[0]
    flow = warehouse.catalogue()[name].kind == "event"
    timed = any(one in TIME for one in by)
    return registers.large(
        name,
        by=tuple(by),
        on=None if flow or timed else (min(asked.over[1], view.as_of) if asked.is_timed else view.as_of),
        over=asked.over if flow or timed else None,
        where=view.where,
    )
