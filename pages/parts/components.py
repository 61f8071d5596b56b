"""What a reader meets twice: the scope bar, cards, figures, tables. Each shows one Answer and carries the same footer.

A component asks its question under the reader's scope, says in words what it shows, and says something kind where there
is nothing to show. Data goes into HTML only through `text.escape`, and never into Markdown.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache, partial
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from etl.analysis import GOAL
from etl.metrics import Answer, Metric
from pages.parts import bars, charts, exports_more, findings, lines, maps, page, periods, scope, text, warehouse
from pages.parts.charts import Look
from pages.parts.exports_more import Picture
from pages.parts.findings import Finding
from pages.parts.footer import footer, look, question, subtitle, table
from pages.parts.notices import kindly, notice
from pages.parts.page import FILTERS, View

# Of so many provinces the counties can still be read in one chart.
_FEW_PROVINCES = 3
# Charts whose shapes are members of a dimension: a click narrows the page to one, another click widens it again.
_CLICKED = (bars.ranking, bars.stacked, maps.provinces)

Chart = Callable[..., charts.Figure]


def scope_bar(*more: str, period: bool = False) -> View:
    """The scope bar, with this page's `more` filters, and the view that it leaves. Raises warehouse.Unpublished.

    `period` says that the page shows flows or trends, and so has a use for a period.
    """
    view = replace(page.view(), has_period=period)
    scope.bar(view, more)
    return view


# ---------------------------------------------------------------- asking


def _ask(
    view: View,
    names: Sequence[str],
    by: tuple[str, ...] = (),
    over: tuple[date, date] | None = None,
    without: Iterable[str] = (),
) -> tuple[Answer, list[str]]:
    """The answer under the reader's scope, and the filters that have no meaning for these measures.

    Flows and units of time are asked over the reader's period; where none is on, over `over`, else over the twelve
    complete months before the as-of day.
    """
    metrics = [warehouse.catalogue()[name] for name in names]
    where, ignored = view.under(frozenset.intersection(*(metric.dimensions for metric in metrics)).difference(without))
    kinds = {metric.kind for metric in metrics}
    timed = bool({"month", "quarter", "year"} & set(by))
    own_period = over or view.complete_months(periods.DEFAULT_MONTHS)
    period = view.over or own_period if timed or "flow" in kinds else None
    day = None if timed or kinds == {"flow"} else view.as_of
    answer = warehouse.ask(*names, reader=view.reader, by=by, on=day, over=period, where=where)
    return answer, [name for name in ignored if name not in without]


def _worked_out(view: View, analysis: str) -> tuple[Answer, list[str]]:
    """What etl.analysis works out under the reader's scope, and the filters that have no meaning for it."""
    where, ignored = view.under(warehouse.filters_of(analysis))
    return warehouse.analyse(analysis, reader=view.reader, on=view.as_of, where=where, over=view.over), ignored


def _nothing(answer: Answer) -> bool:
    at = [answer.columns.index(metric.name) for metric in answer.metrics]
    return not any(row[i] is not None for row in answer.rows for i in at)


def _no_effect(view: View, ignored: Iterable[str]) -> str:
    filters = text.listed([view.word(f"scope.{name}") for name in ignored], view.lang)
    return view.word("scope.no_effect", filters=filters)


def _notice(view: View, title: str, words: str, kind: str = "empty") -> None:
    notice(view.lang, title, words, kind)


def _kindly(view: View, ident: str) -> AbstractContextManager[None]:
    return kindly(view.lang, ident)


# ---------------------------------------------------------------- cards


def cards(view: View, *names: str) -> None:
    """Up to ten numbers, each with what it was a year before, its parts if it is a rate, and what it means.

    A name like `pace.required_pace` is a number that etl.analysis works out.
    """
    place = st.container()
    page.later(partial(_in, place, _cards, view, names[:10]))


def _in(place: DeltaGenerator, draw: Callable[..., None], *given: Any) -> None:
    with place:
        draw(*given)


@st.fragment
def _cards(view: View, names: Sequence[str]) -> None:
    across = next((n for n in (5, 4, 3) if len(names) % n == 0), 4)
    asked = _at_once(view, names)
    with st.container(key=f"cards-{across}"):
        for name in names:
            with st.container(key=f"card-{name.replace('.', '-')}", border=True, height="stretch"), _kindly(view, name):
                _card(view, name, asked.get(name))


def _at_once(view: View, names: Iterable[str]) -> dict[str, tuple[Answer, Answer | None]]:
    """Measures that are asked under the same filters are asked together: now, and a year before where there is a history."""
    together: dict[warehouse.Frozen, list[str]] = {}
    for name in names:
        if metric := warehouse.catalogue().get(name):
            where, _ = view.under(metric.dimensions)
            together.setdefault(warehouse.frozen(where), []).append(name)
    over = view.over or view.complete_months(periods.DEFAULT_MONTHS)
    asked: dict[str, tuple[Answer, Answer | None]] = {}
    for filters, group in together.items():
        old = [name for name in group if warehouse.catalogue()[name].has_history]
        ask = partial(warehouse.ask_each, reader=view.reader, where=dict(filters))
        try:
            now = ask(*group, on=view.as_of, over=over)
            then = ask(*old, on=view.a_year_before(), over=periods.year_before(over)) if old else {}
        except warehouse.QuestionError:
            # One of them has no meaning here: each card then says so for itself.
            continue
        asked |= {name: (answer, then.get(name)) for name, answer in now.items()}
    return asked


def _card(view: View, name: str, asked: tuple[Answer, Answer | None] | None) -> None:
    worked_out, _, part = name.rpartition(".")
    before: Any = None
    if worked_out:
        answer, ignored = _worked_out(view, worked_out)
    elif asked:
        answer, earlier = asked
        before, ignored = earlier.value() if earlier else None, view.under(answer.metrics[0].dimensions)[1]
    else:
        answer, ignored = _ask(view, [name])
        before = _year_before(view, answer) if answer.metrics[0].has_history else None
    metric = next(metric for metric in answer.metrics if metric.name == part)
    value, row = answer.value(part), answer.rows[0]
    lines = []
    if parts := charts.parts_of(answer, metric, row, look(view)):
        lines.append(parts)
    if value is not None and before is not None:
        lines.append(_then(view, metric, value, before))
    if ignored:
        lines.append(_no_effect(view, ignored))
    written = text.plain(value, metric.unit, view.lang)
    if value is None and metric.unit == "date":
        written = view.word("figure.never")
    unit = "" if metric.unit in ("share", "ratio", "date") else text.unit_word(metric.unit, view.lang)
    long = " pd-long" if metric.unit == "date" else ""
    st.html(
        f'<div class="pd-card"><p class="pd-label">{text.escape(metric.label[view.lang])}</p>'
        f'<p class="pd-value{long}"><bdi>{text.escape(written)}</bdi> <small>{text.escape(unit)}</small></p>'
        + "".join(f'<p class="pd-line">{text.escape(line)}</p>' for line in lines)
        + "</div>"
    )
    question(view, answer, f"card-{name}")


def _year_before(view: View, answer: Answer) -> Any:
    """The same number a year earlier: on the day, or over the same days of the year before."""
    name = answer.metrics[0].name
    if answer.over:
        earlier = periods.year_before(answer.over)
        return warehouse.ask(name, reader=view.reader, over=earlier, where=answer.where).value()
    return warehouse.ask(name, reader=view.reader, on=view.a_year_before(), where=answer.where).value()


def _then(view: View, metric: Metric, now: Any, then: Any) -> str:
    mark = "▲" if now > then else "▼" if now < then else "●"
    return f"{mark} {view.word('figure.before')}: {text.plain(then, metric.unit, view.lang)}"


# ---------------------------------------------------------------- figures


def figure(
    view: View,
    chart: Chart,
    *names: str,
    by: str | Iterable[str] = (),
    over: tuple[date, date] | None = None,
    says: findings.Says | None = None,
    analysis: str = "",
    nation: bool = False,
    target: bool = False,
    **options: Any,
) -> None:
    """One question drawn: its finding as the title, measure, place and period below, the chart, and the footer.

    `by="place"` is provinces, or the counties of a few chosen ones. `analysis` names what etl.analysis works out where
    no single question does. `nation` and `target` add a line: the nation's value, the value to be reached.
    """
    axes = tuple(_place(view, names) if axis == "place" else axis for axis in ((by,) if isinstance(by, str) else by))
    ident = "-".join([chart.__name__, analysis, *names[:1], *axes])
    with st.container(border=True, key=f"figure-{ident}", height="stretch"), _kindly(view, ident):
        if analysis:
            answer, ignored = _worked_out(view, analysis)
        elif chart is maps.provinces:
            # a map keeps the whole country in sight; what is chosen is outlined
            answer, ignored = _ask(view, names, axes, over, without=("province", "county"))
            if "province" in view.where:
                options["focus"] = view.where["province"]
        else:
            answer, ignored = _ask(view, names, axes, over)
        if _nothing(answer):
            _notice(view, "state.empty_title", view.word("state.empty"))
            return
        if chart is lines.run_off:
            options["goal"] = GOAL
        if nation:
            options["nation"] = _nation(view, answer)
        if target:
            options["target"] = _target(view, answer)
        draw(view, chart, answer, ident, says, ignored, options)


def _place(view: View, names: Sequence[str]) -> str:
    few = 0 < len(view.where.get("province", ())) <= _FEW_PROVINCES
    known = all("county" in warehouse.catalogue()[name].dimensions for name in names)
    return "county" if (few or "county" in view.where) and known else "province"


def _nation(view: View, answer: Answer) -> float | None:
    """The value of the same measure for the whole nation, under the filters that are not places."""
    where = {name: codes for name, codes in answer.where.items() if name not in page.PLACES}
    name = answer.metrics[0].name
    return warehouse.ask(name, reader=view.reader, on=answer.on, over=answer.over, where=where).value()


def _target(view: View, answer: Answer) -> float | None:
    """The target of the place on the as-of day, where the filters leave it a meaning."""
    if not set(answer.where) <= warehouse.catalogue()["target"].dimensions:
        return None
    return warehouse.ask("target", reader=view.reader, on=view.as_of, where=answer.where).value()


def draw(
    view: View,
    chart: Chart,
    answer: Answer,
    ident: str,
    says: findings.Says | None = None,
    ignored: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
) -> None:
    """An answer as a figure is drawn: finding, subtitle, chart, the filters that were `ignored`, and the footer."""
    below = subtitle(view, answer)
    drawn = _drawn(_Same(answer), chart, look(view), says, below, _frozen(options or {}))
    axis = drawn.meta["clicks"] or (answer.by[0] if answer.by and chart in _CLICKED else "")
    axis = axis if axis in FILTERS else ""
    keys, chosen = drawn.meta["keys"], axis and any(key.get("member") for key in drawn.meta["keys"])
    st.html(
        f'<div class="pd-head"><h3>{text.escape(drawn.finding.sentence)}</h3><p>{text.escape(below)}</p>'
        f"{'' if chosen else _keys(keys)}</div>"
    )
    if chosen:
        _keys_to_click(axis, keys, ident)
    key = f"chart-{ident}"
    clickable: Any = partial(_clicked, axis, key) if axis else "ignore"
    st.plotly_chart(
        drawn.figure,
        key=key,
        theme=None,
        config=charts.CONFIG,
        on_select=clickable,
        selection_mode="points",
        alt=drawn.spoken,
    )
    notes = [drawn.meta["credit"]] if drawn.meta.get("credit") else []
    if ignored:
        notes.append(_no_effect(view, ignored))
    if notes:
        st.html("".join(f'<p class="pd-note"><bdi>{text.escape(note)}</bdi></p>' for note in notes))
    source = exports_more.source_of(view, answer, notes)
    footer(view, answer, ident, picture=Picture(drawn.figure.to_dict(), drawn.finding.sentence, below, source))


class _Kept(go.Figure):
    """A figure that is turned into a dictionary once and not at each run of a page; nobody changes it."""

    def to_dict(self) -> dict[str, Any]:
        kept = getattr(self, "_kept", None)
        if kept is None:
            kept = self._kept = super().to_dict()
        return kept


class _Same:
    """An answer as a key: the very same object. It is held as long as what was drawn of it."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __hash__(self) -> int:
        return id(self.answer)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.answer is self.answer


@dataclass(frozen=True)
class _Drawn:
    figure: go.Figure
    finding: Finding
    spoken: str
    meta: Mapping[str, Any]


@lru_cache(maxsize=800)
def _drawn(
    same: _Same, chart: Chart, seen: Look, says: findings.Says | None, below: str, options: tuple[tuple[str, Any], ...]
) -> _Drawn:
    answer, asked = same.answer, {name: dict(value) if name == "parts" else value for name, value in options}
    found = findings.of(chart, answer, seen, says)
    if "focus" in chart.__code__.co_varnames:
        asked.setdefault("focus", found.focus)
    made = chart(answer, seen, **asked)
    spoken = findings.spoken(answer, seen, found, below)
    return _Drawn(_Kept(made), found, spoken, made["layout"]["meta"])


def _frozen(options: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(
        (name, tuple(value.items()) if isinstance(value, Mapping) else value) for name, value in options.items()
    )


def _clicked(axis: str, key: str) -> None:
    points = st.session_state[key]["selection"]["points"]
    found = [point.get("location") or point.get("customdata") for point in points]
    codes = [code[0] if isinstance(code, list) else code for code in found if code]
    page.turn(axis, codes[0] if codes else None)


def _keys_to_click(axis: str, keys: Iterable[charts.Figure], ident: str) -> None:
    """The keys of a chart as buttons: each narrows the page to its member, or widens it again."""
    with st.container(horizontal=True, key=f"legend-{ident}", gap="small", vertical_alignment="center"):
        for key in keys:
            st.html(_swatch(key), width="content")
            st.button(
                key["label"],
                key=f"legend-{ident}-{key['member']}",
                type="tertiary",
                on_click=page.turn,
                args=(axis, key["member"]),
            )


def _keys(keys: Iterable[charts.Figure]) -> str:
    """The keys of a chart, in the reading direction; a swatch shows line, dash, outline and hatch as the chart does."""
    entries = "".join(f"<li>{_swatch(key)}{text.escape(key['label'])}</li>" for key in keys)
    return f'<ul class="pd-keys">{entries}</ul>' if entries else ""


def _swatch(key: charts.Figure) -> str:
    return f'<i class="pd-swatch pd-{key["kind"]}" style="--c:{key["colour"]}"></i>'


# ---------------------------------------------------------------- tables and lists


def groups(view: View, *names: str, by: str, says: findings.Says | None = None) -> None:
    """Measures of every member of a dimension as a table, under its finding and with the same footer."""
    ident = f"groups-{by}"
    with st.container(border=True, key=f"figure-{ident}"), _kindly(view, ident):
        answer, ignored = _ask(view, names, (by,))
        if _nothing(answer):
            _notice(view, "state.empty_title", view.word("state.empty"))
            return
        found = (says or findings.extreme)(answer, look(view))
        st.html(
            f'<div class="pd-head"><h3>{text.escape(found.sentence)}</h3>'
            f"<p>{text.escape(subtitle(view, answer))}</p></div>"
        )
        table(view, answer)
        if ignored:
            st.html(f'<p class="pd-note">{text.escape(_no_effect(view, ignored))}</p>')
        footer(view, answer, ident, with_table=False)


def attention(view: View, *names: str) -> None:
    """For each measure the province that most needs attention, by name."""
    with st.container(border=True, key="attention", height="stretch"):
        place = st.container()
    page.later(partial(_in, place, _attention, view, names))


def _attention(view: View, names: Sequence[str]) -> None:
    entries = []
    for name in names:
        try:
            answer, _ = _ask(view, [name], ("province",))
        except warehouse.QuestionError:
            continue
        if _nothing(answer):
            continue
        found = (findings.gap if name == "coverage_gap" else findings.extreme)(answer, look(view))
        label = answer.metrics[0].label[view.lang]
        entries.append(f"<li><b>{text.escape(found.sentence)}</b><span>{text.escape(label)}</span></li>")
    st.html(
        f'<div class="pd-head"><h3>{text.escape(view.word("attention.title"))}</h3></div>'
        f'<ol class="pd-attention">{"".join(entries)}</ol>'
    )
