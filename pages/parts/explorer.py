"""Measures and dimensions the reader chooses: a chart that suits the answer, its table, its pivot, its files.

What is chosen stands in the address (see `own`). A question without meaning is refused in words, with the ways out as buttons.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import streamlit as st

from etl.catalogue import DIMENSIONS
from etl.metrics import Answer
from pages.parts import (
    bars,
    exports_more,
    findings,
    grid,
    lines,
    maps,
    matrix,
    meaning,
    notices,
    own,
    page,
    periods,
    registers,
    text,
    warehouse,
)
from pages.parts import components as ui
from pages.parts.footer import look, question, subtitle
from pages.parts.meaning import TIME, Trouble, Way
from pages.parts.page import View

PAGE = "explore"
MOST_DIMENSIONS, MOST_MEASURES = 3, 8
_DEFAULT = {"m": ("active_assistants",), "by": ("province",)}
# A choice that was emptied on purpose is not the default.
_NOTHING = "-"
_OFFERED = tuple(name for name in DIMENSIONS if name != "lapses_on")
# Above so many bars a ranking is no picture; above so many lines a trend is none.
_MOST_BARS, _MOST_LINES, _MOST_FIGURES = 45, 5, 3
_ORDERED = ("age_band", "tenure_band")
_MOST_COLUMNS = 24

# A chart, the measures it shows, its options.
_Drawn = tuple[Any, tuple[str, ...], dict[str, Any]]


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
        return self.is_timed or any(warehouse.catalogue()[name].kind == "flow" for name in self.names)


def explore(view: View) -> None:
    """The question, and its answer or why there is none."""
    asked = _asked(view)
    _controls(view, asked)
    found = meaning.troubles(warehouse.catalogue(), asked.names, asked.by, view.where)
    if found:
        _refused(view, found)
        return
    with notices.kindly(view.lang, PAGE):
        with st.spinner(view.word("more.counting")):
            answer = _answer(view, asked)
        if not grid.has_numbers(answer):
            notices.notice(view.lang, "state.empty_title", view.word("state.empty"))
            return
        _figures(view, asked, answer)
        _rows(view, asked, answer)


# ---------------------------------------------------------------- the question


def _asked(view: View) -> Asked:
    known = warehouse.catalogue()
    names = [name for name in _chosen("m") if name in known and not known[name].hidden]
    by = [name for name in _chosen("by") if name in _OFFERED]
    over = view.over or view.complete_months(periods.DEFAULT_MONTHS)
    return Asked(tuple(names[:MOST_MEASURES]), tuple(by[:MOST_DIMENSIONS]), over)


def _chosen(name: str) -> Iterable[str]:
    kept = own.of(PAGE).get(name)
    return _DEFAULT[name] if kept is None else [one for one in kept if one != _NOTHING]


def _controls(view: View, asked: Asked) -> None:
    known = warehouse.catalogue()
    measures = [name for name, metric in known.items() if not metric.hidden]
    with st.container(horizontal=True, key="explore-bar", gap="small", vertical_alignment="bottom"):
        _several(view, "m", measures, asked.names, lambda name: known[name].label[view.lang], MOST_MEASURES)
        _several(view, "by", _OFFERED, asked.by, lambda name: view.word(f"dimension.{name}"), MOST_DIMENSIONS)


def _several(
    view: View, name: str, options: Sequence[str], chosen: Sequence[str], label: Callable[[str], str], most: int
) -> None:
    key = f"explore {name}"
    if st.session_state.get(key) != list(chosen):
        st.session_state[key] = list(chosen)

    def changed() -> None:
        now = st.session_state[key]
        default = tuple(now) == _DEFAULT[name]
        own.choose(PAGE, **{name: None if default else now or [_NOTHING], "page": None, "sort": None})

    st.multiselect(
        view.word(f"more.{name}"),
        list(options),
        key=key,
        format_func=label,
        max_selections=most,
        placeholder=view.word(f"more.{name}_hint"),
        on_change=changed,
        filter_mode="contains",
        select_all=False,
        wrap=True,
        width=420 if name == "m" else 300,
    )


def _refused(view: View, found: Sequence[Trouble]) -> None:
    """Why there is no answer, and a button for each way out."""
    said: list[str] = []
    ways: list[Way] = []
    for trouble in found:
        measure = warehouse.catalogue()[trouble.measure].label[view.lang] if trouble.measure else ""
        named = text.listed([view.word(f"dimension.{one}") for one in trouble.dimensions], view.lang)
        said.append(view.word(f"refused.{trouble.reason}", measure=measure, dimensions=named))
        ways += trouble.ways
    listed = "".join(f"<p>{text.escape(line)}</p>" for line in dict.fromkeys(said))
    title = text.escape(view.word("state.refused_title"))
    st.html(f'<div class="pd-notice pd-refused" role="alert"><strong>{title}</strong>{listed}</div>')
    with st.container(horizontal=True, gap="small"):
        for way in dict.fromkeys(ways):
            label = view.word("refused.take_away", name=_named(view, way))
            st.button(label, key=f"way-{way.kind}-{way.name}", on_click=_take, args=(way,))


def _named(view: View, way: Way) -> str:
    if way.kind == "m":
        return warehouse.catalogue()[way.name].label[view.lang]
    named = view.word(f"dimension.{way.name}")
    return view.word("refused.filter", name=named) if way.kind == "where" else named


def _take(way: Way) -> None:
    if way.kind == "where":
        page.narrow(way.name, ())
    else:
        left = [name for name in _chosen(way.kind) if name != way.name]
        default = tuple(left) == _DEFAULT[way.kind]
        own.choose(PAGE, **{way.kind: None if default else left or [_NOTHING], "page": None, "sort": None})


def _answer(view: View, asked: Asked) -> Answer:
    catalogue = warehouse.catalogue()
    kinds = {catalogue[name].kind for name in asked.names}
    return registers.large(
        *asked.names,
        reader=view.reader,
        by=asked.by,
        on=view.as_of if "state" in kinds and not asked.is_timed else None,
        over=asked.over if asked.needs_period else None,
        where=view.where,
    )


# ---------------------------------------------------------------- the picture


def _figures(view: View, asked: Asked, answer: Answer) -> None:
    """A chart that suits the shape of the answer, or in words why there is none."""
    over = asked.over if asked.needs_period else None
    drawn = _suited(asked, answer)
    if not asked.by:
        _values(view, answer)
    elif not drawn:
        st.html(f'<p class="pd-note">{text.escape(view.word("more.no_chart"))}</p>')
    for place in range(0, len(drawn), 2):
        for column, (chart, names, options) in zip(
            st.columns(len(drawn[place : place + 2])), drawn[place : place + 2], strict=True
        ):
            with column:
                ui.figure(view, chart, *names, by=asked.by, over=over, **options)


def _suited(asked: Asked, answer: Answer) -> list[_Drawn]:
    """Charts with the measures each shows."""
    names, by = asked.names, asked.by
    first = names[:1]
    if len(by) == 1:
        groups = len(answer.rows)
        if asked.is_timed:
            return _over_time(names)
        if by[0] in _ORDERED:
            return [(bars.columns, (name,), {}) for name in names[:_MOST_FIGURES]]
        ranking = bars.ranking if groups <= _MOST_BARS else matrix.first_bars
        says: dict[str, Any] = {} if ranking is bars.ranking else {"says": _extreme}
        ranked: list[_Drawn] = [(ranking, (name,), says) for name in names[:_MOST_FIGURES]]
        return [(maps.provinces, first, {"says": findings.highest}), *ranked] if by == ("province",) else ranked
    if len(by) == 2 and asked.is_timed:
        other = 1 if by[0] in TIME else 0
        few = len({row[other] for row in answer.rows}) <= _MOST_LINES
        chart = lines.trend if few else lines.heat if by[other] == "province" else matrix.matrix
        return [(chart, first, {"says": matrix.largest_cell} if chart is matrix.matrix else {})]
    if len(by) == 2:
        return [(matrix.matrix, (name,), {"says": matrix.largest_cell}) for name in names[:_MOST_FIGURES]]
    return []


def _extreme(answer: Answer, seen: Any) -> Any:
    return matrix.largest_cell(answer, seen)


def _over_time(names: Sequence[str]) -> list[_Drawn]:
    """Lines for states, those of one unit in one chart; bars for flows, two of persons side by side."""
    catalogue = warehouse.catalogue()
    by_unit: dict[str, list[str]] = {}
    for name in names:
        if catalogue[name].kind == "state":
            by_unit.setdefault(catalogue[name].unit, []).append(name)
    found: list[_Drawn] = [
        (lines.trend, tuple(group[:_MOST_LINES]), {"zero": unit != "share"}) for unit, group in by_unit.items()
    ]
    flows = [name for name in names if catalogue[name].kind == "flow"]
    if set(flows) == {"joiners", "leavers"}:
        found.append((bars.paired, ("joiners", "leavers"), {}))
    else:
        found += [(bars.columns, (name,), {}) for name in flows]
    return found[:_MOST_FIGURES]


def _values(view: View, answer: Answer) -> None:
    """A question without a dimension has one row: its numbers as cards."""
    cards = "".join(
        f'<div class="pd-card"><p class="pd-label">{text.escape(metric.label[view.lang])}</p><p class="pd-value"><bdi>'
        f"{text.escape(text.amount(answer.value(metric.name), metric.unit, view.lang))}</bdi></p></div>"
        for metric in answer.metrics
    )
    st.html(f'<div class="pd-values">{cards}</div>')


# ---------------------------------------------------------------- the rows


@st.fragment
def _rows(view: View, asked: Asked, answer: Answer) -> None:
    """The table or the pivot, a page at a time, and the files of all of it."""
    seen = look(view)
    with st.container(border=True, key="figure-rows"), notices.kindly(view.lang, "rows"):
        count = view.word("more.groups", count=text.number(len(answer.rows), view.lang))
        st.html(f'<div class="pd-head"><h3>{text.escape(count)}</h3><p>{text.escape(subtitle(view, answer))}</p></div>')
        shape = _shape(view, asked)
        if shape == "pivot":
            _pivot(view, asked, answer)
        else:
            _table(view, asked, answer)
        with st.container(horizontal=True, gap="small", key="footer-rows", vertical_alignment="center"):
            question(view, answer, "rows")
            exports_more.downloads(view, answer, seen, "rows")


def _shape(view: View, asked: Asked) -> str:
    """Table or pivot: a pivot needs two dimensions."""
    if len(asked.by) < 2:
        return "table"
    key, chosen = "explore show", own.one(PAGE, "show", "table")
    chosen = chosen if chosen in ("table", "pivot") else "table"
    if st.session_state.get(key) != chosen:
        st.session_state[key] = chosen

    def changed() -> None:
        now = st.session_state[key]
        own.choose(PAGE, show=None if now == "table" else now, page=None)
        page.refresh()

    st.segmented_control(
        view.word("more.show"),
        ("table", "pivot"),
        key=key,
        required=True,
        format_func=lambda one: view.word(f"more.{one}"),
        label_visibility="collapsed",
        on_change=changed,
    )
    return chosen


def _sorting(view: View, asked: Asked, answer: Answer) -> tuple[str, bool]:
    """By which column the rows stand, and whether downwards: time as it runs, groups by their first measure."""
    default = asked.by[0] if asked.is_timed or not asked.by or set(asked.by) & set(_ORDERED) else f"-{asked.names[0]}"
    written = own.one(PAGE, "sort", default)
    name, downwards = written.lstrip("-"), written.startswith("-")
    if name not in answer.columns:
        written, name, downwards = default, default.lstrip("-"), default.startswith("-")
    options = [f"{sign}{column}" for column in answer.columns for sign in ("-", "")]
    key = "explore sort"
    if st.session_state.get(key) != written:
        st.session_state[key] = written

    def changed() -> None:
        now = st.session_state[key]
        own.choose(PAGE, sort=None if now == default else now, page=None)
        page.refresh()

    def said(option: str) -> str:
        title = grid.title(view, answer, option.lstrip("-"))
        return view.word("more.downwards" if option.startswith("-") else "more.upwards", name=title)

    if len(answer.rows) > 1:
        st.selectbox(view.word("more.sort"), options, key=key, format_func=said, on_change=changed, width=360)
    return name, downwards


def _table(view: View, asked: Asked, answer: Answer) -> None:
    name, downwards = _sorting(view, asked, answer)
    rows = grid.in_order(answer, look(view), name, downwards)
    number = turned(view, PAGE, len(rows))
    grid.answer(view, answer, look(view), grid.page_of(rows, number), subtitle(view, answer))


def turned(view: View, name: str, count: int) -> int:
    """The page of a long table, in the address of page `name`; the buttons that turn it, where there is more than one."""
    most = grid.pages(count)
    written = own.one(name, "page", "1")
    number = min(max(int(written), 1), most) if written.isdigit() else 1
    if most == 1:
        return 1
    key = f"{name} page"
    # the first, the last, the neighbours, and ten further on either side
    near = (1, number - 10, number - 1, number, number + 1, number + 10, most)
    if st.session_state.get(key) != number:
        st.session_state[key] = number

    def changed() -> None:
        now = st.session_state[key]
        own.choose(name, page=None if now == 1 else str(now))
        page.refresh()

    with st.container(horizontal=True, gap="small", vertical_alignment="center", key=f"pages-{name}"):
        first = (number - 1) * grid.PAGE_ROWS + 1
        said = view.word(
            "more.page_said",
            first=text.number(first, view.lang),
            last=text.number(min(first + grid.PAGE_ROWS - 1, count), view.lang),
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


def _pivot(view: View, asked: Asked, answer: Answer) -> None:
    """The last dimension across, the others down, the first measure in the cells; totals are asked for, never summed."""
    seen, metric = look(view), answer.metrics[0]
    at, across = answer.columns.index(metric.name), len(asked.by) - 1
    down = asked.by[:across]
    totals = {tuple(row[:across]): row[across] for row in _totals(view, asked, down).rows}
    beneath = {row[0]: row[1] for row in _totals(view, asked, asked.by[across:]).rows}
    columns = _across(answer, across, beneath)
    cells: dict[tuple, dict[Any, Any]] = {}
    for row in answer.rows:
        cells.setdefault(row[:across], {})[row[across]] = row[at]
    timed = set(down) & {*TIME, *_ORDERED}
    groups = sorted(cells, key=lambda group: _down_key(group, totals, bool(timed)))
    number = turned(view, PAGE, len(groups))
    head = [grid.Column(view.word(f"dimension.{name}")) for name in down]
    head += [grid.Column(seen.member(asked.by[across], code), True) for code in columns[:_MOST_COLUMNS]]
    head.append(grid.Column(view.word("more.total"), True))

    def written(value: Any) -> str:
        return text.escape(text.plain(value, metric.unit, view.lang))

    body = [
        [*(text.escape(seen.member(name, code)) for name, code in zip(down, group, strict=True))]
        + [written(cells[group].get(code)) if code in cells[group] else "" for code in columns[:_MOST_COLUMNS]]
        + [written(totals.get(group))]
        for group in grid.page_of(groups, number)
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
    grid.show(head, body, subtitle(view, answer))


def _across(answer: Answer, across: int, totals: Mapping[Any, Any]) -> list[Any]:
    codes = dict.fromkeys(row[across] for row in answer.rows)
    if answer.by[across] in (*TIME, *_ORDERED):
        return sorted(codes, key=lambda code: (code is None, str(code)))
    return sorted(codes, key=lambda code: (code is None, -(totals.get(code) or 0), str(code)))


def _down_key(group: tuple, totals: Mapping[tuple, Any], timed: bool) -> tuple:
    unknown = tuple(code is None for code in group)
    return (unknown, tuple(map(str, group))) if timed else (unknown, -(totals.get(group) or 0), tuple(map(str, group)))


def _totals(view: View, asked: Asked, by: Sequence[str]) -> Answer:
    """The first measure at the grain of a total. A state over time has no total over the times: its last day stands for it."""
    name = asked.names[0]
    flow = warehouse.catalogue()[name].kind == "flow"
    timed = any(one in TIME for one in by)
    return registers.large(
        name,
        reader=view.reader,
        by=tuple(by),
        on=None if flow or timed else (min(asked.over[1], view.as_of) if asked.is_timed else view.as_of),
        over=asked.over if flow or timed else None,
        where=view.where,
    )
