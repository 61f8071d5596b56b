"""What a reader meets twice: the scope bar, cards, figures, tables. Each shows one Answer and carries the same footer.

A component asks its question under the reader's scope, says in words what it shows, and says something kind where there
is nothing to show. Data goes into HTML only through `text.escape`, and never into Markdown.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache, partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from etl.analysis.training_plan import GOAL
from etl.semantic.answers import Answer
from etl.semantic.disclosure import Ask, Circulated, for_circulation
from pages.ui.charts import elements, lines, maps, titles
from pages.ui.charts.elements import ChartContext
from pages.ui.charts.titles import Title
from pages.ui.components import downloads, filter_bar
from pages.ui.components.cards import attention, cards
from pages.ui.components.downloads import Picture
from pages.ui.components.footer import context, footer, subtitle, table
from pages.ui.components.notices import error_boundary, notice
from pages.ui.components.plot import plot
from pages.ui.data import warehouse
from pages.ui.i18n import text
from pages.ui.state import page_context, scoped_query
from pages.ui.state.page_context import FILTERS, PageContext

__all__ = ["attention", "cards", "draw", "figure", "groups", "scope_bar"]

Chart = Callable[..., elements.Figure]


def scope_bar(*more: str, period: bool = False) -> PageContext:
    """The scope bar, with this page's `more` filters, and the view that it leaves. Raises warehouse.Unpublished.

    `period` says that the page shows flows or trends, and so has a use for a period.
    """
    view = replace(page_context.view(), has_period=period)
    page_context.later(filter_bar.bar, view, more, ready=partial(filter_bar.asked, view, more))
    return view


# ---------------------------------------------------------------- figures


def figure(
    view: PageContext,
    chart: Chart,
    *names: str,
    by: str | Iterable[str] = (),
    over: tuple[date, date] | None = None,
    says: titles.TitleRule | None = None,
    analysis: str = "",
    nation: bool = False,
    target: bool = False,
    **options: Any,
) -> None:
    """One question drawn: its finding as the title, measure, place and period below, the chart, and the footer.

    `by="place"` is provinces, or the counties of a few chosen ones. `analysis` names what etl.analysis works out where
    no single question does. `nation` and `target` add a line: the nation's value, the value to be reached.
    """
    axes = tuple(
        scoped_query.place(view, names) if axis == "place" else axis for axis in ((by,) if isinstance(by, str) else by)
    )
    ident = "-".join([chart.__name__, analysis, *names[:1], *axes])
    place = st.container(border=True, key=f"figure-{ident}", height="stretch")
    asked = _Asked(view, chart, names, axes, over, analysis, nation, target)
    page_context.later(_figure, asked, ident, says, options, place, place=place, ready=asked.ready, first=True)


@dataclass(frozen=True)
class _Asked:
    """What a figure asks."""

    view: PageContext
    chart: Chart
    names: tuple[str, ...]
    axes: tuple[str, ...]
    over: tuple[date, date] | None
    analysis: str
    nation: bool
    target: bool

    def answer(self) -> tuple[Answer, list[str]]:
        """Its answer, and the filters that have no meaning for it."""
        if self.analysis:
            return scoped_query.worked_out(self.view, self.analysis)
        # A map keeps the whole country in sight; what is chosen is outlined.
        without = ("province", "county") if self.chart is maps.provinces else ()
        return scoped_query.ask(self.view, self.names, self.axes, self.over, without)

    def options(self, answer: Answer) -> dict[str, Any]:
        """What the chart is told besides the answer."""
        told: dict[str, Any] = {}
        if self.chart is maps.provinces and "province" in self.view.where and not self.analysis:
            told["focus"] = self.view.where["province"]
        if self.chart is lines.run_off:
            told["goal"] = GOAL
        if self.nation:
            told["nation"] = _nation(self.view, answer)
        if self.target:
            told["target"] = _target(self.view, answer)
        return told

    def ready(self) -> None:
        """All of it is asked, for answers are kept."""
        self.options(self.answer()[0])


def _figure(
    asked: _Asked, ident: str, says: titles.TitleRule | None, options: Mapping[str, Any], place: DeltaGenerator
) -> None:
    view = asked.view
    with error_boundary(view.lang, ident):
        answer, ignored = asked.answer()
        if scoped_query.nothing(answer):
            notice(view.lang, "state.empty_title", view.word("state.empty"))
            return
        draw(view, asked.chart, answer, ident, says, ignored, {**options, **asked.options(answer)}, place)


def _nation(view: PageContext, answer: Answer) -> float | None:
    """The value of the same measure for the whole nation, under the filters that are not places."""
    return _of_nation(view, answer).value()


def _of_nation(view: PageContext, answer: Answer) -> Answer:
    where = {name: codes for name, codes in answer.where.items() if name not in page_context.PLACES}
    name = answer.metrics[0].name
    return warehouse.ask(name, on=answer.on, over=answer.over, where=where)


def _target(view: PageContext, answer: Answer) -> float | None:
    """The target of the place on the as-of day, where the filters leave it a meaning."""
    if not set(answer.where) <= warehouse.catalogue()["target"].dimensions:
        return None
    return warehouse.ask("target", on=view.as_of, where=answer.where).value()


def draw(
    view: PageContext,
    chart: Chart,
    answer: Answer,
    ident: str,
    says: titles.TitleRule | None = None,
    ignored: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
    place: DeltaGenerator | None = None,
) -> None:
    """An answer as a figure is drawn: finding, subtitle, chart, the filters that were `ignored`, and the footer.

    Where it is told its `place`, the footer can wait until all figures stand.
    """
    below = subtitle(view, answer)
    drawn = _drawn(_Same(answer), chart, context(view), says, below, _frozen(options or {}))
    axis = drawn.meta["clicks"] if drawn.meta["clicks"] in FILTERS else ""
    keys, chosen = drawn.meta["keys"], axis and any(key.get("member") for key in drawn.meta["keys"])
    st.html(
        f'<div class="pd-head"><h3>{text.escape(drawn.finding.sentence)}</h3><p>{text.escape(below)}</p>'
        f"{'' if chosen else _keys(keys)}</div>"
    )
    if chosen:
        _keys_to_click(axis, keys, ident)
    plot(drawn.figure, f"chart-{ident}", drawn.spoken, clicked=partial(page_context.turn, axis) if axis else None)
    notes = [drawn.meta["credit"]] if drawn.meta.get("credit") else []
    if ignored:
        notes.append(scoped_query.no_effect(view, ignored))
    if notes:
        st.html("".join(f'<p class="pd-note"><bdi>{text.escape(note)}</bdi></p>' for note in notes))
    source = downloads.source_of(view, answer, notes)
    picture = Picture(
        drawn.figure,
        drawn.finding.sentence,
        below,
        source,
        partial(_circulated, view, chart, says, below, dict(options or {}), notes, answer),
    )
    if place:
        page_context.later(partial(footer, view, answer, ident, picture=picture), place=place)
    else:
        footer(view, answer, ident, picture=picture)


def _circulated(
    view: PageContext,
    chart: Chart,
    says: titles.TitleRule | None,
    below: str,
    options: dict[str, Any],
    notes: Iterable[str],
    exact: Answer,
    answer: Circulated,
    ask: Ask,
) -> Picture | None:
    """The picture of a chart as it may circulate: drawn anew of the rounded answer, beside the nation's rounded value."""
    # A chart that lacks one of its measures says something else.
    names = [metric.name for metric in answer.metrics]
    if any(_is_known(exact, name) and not _is_known(answer, name) for name in names):
        return None
    if options.get("nation") is not None:
        options = options | {"nation": for_circulation(_of_nation(view, answer), ask).value()}
    drawn = _draw_of(answer, chart, context(view), says, below, options)
    source = downloads.source_of(view, answer, [*notes, view.word("file.circulation_short")])
    return Picture(drawn.figure, drawn.finding.sentence, below, source)


def _is_known(answer: Answer, name: str) -> bool:
    return any(value is not None for value in answer.column(name))


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
    figure: elements.Figure
    finding: Title
    spoken: str
    meta: Mapping[str, Any]


@lru_cache(maxsize=800)
def _drawn(
    same: _Same,
    chart: Chart,
    seen: ChartContext,
    says: titles.TitleRule | None,
    below: str,
    options: tuple[tuple[str, Any], ...],
) -> _Drawn:
    return _draw_of(
        same.answer,
        chart,
        seen,
        says,
        below,
        {name: dict(value) if name == "parts" else value for name, value in options},
    )


def _draw_of(
    answer: Answer,
    chart: Chart,
    seen: ChartContext,
    says: titles.TitleRule | None,
    below: str,
    options: Mapping[str, Any],
) -> _Drawn:
    asked, found = dict(options), titles.of(chart, answer, seen, says)
    if "focus" in chart.__code__.co_varnames:
        asked.setdefault("focus", found.focus)
    made = chart(answer, seen, **asked)
    spoken = titles.spoken(answer, seen, found, below)
    return _Drawn(made, found, spoken, made["layout"]["meta"])


def _frozen(options: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(
        (name, tuple(value.items()) if isinstance(value, Mapping) else value) for name, value in options.items()
    )


def _keys_to_click(axis: str, keys: Iterable[elements.Figure], ident: str) -> None:
    """The keys of a chart as buttons: each narrows the page to its member, or widens it again."""
    with st.container(horizontal=True, key=f"legend-{ident}", gap="small", vertical_alignment="center"):
        for key in keys:
            st.html(_swatch(key), width="content")
            st.button(
                key["label"],
                key=f"legend-{ident}-{key['member']}",
                type="tertiary",
                on_click=page_context.turn,
                args=(axis, key["member"]),
            )


def _keys(keys: Iterable[elements.Figure]) -> str:
    """The keys of a chart, in the reading direction; a swatch shows line, dash, outline and hatch as the chart does."""
    entries = "".join(f"<li>{_swatch(key)}{text.escape(key['label'])}</li>" for key in keys)
    return f'<ul class="pd-keys">{entries}</ul>' if entries else ""


def _swatch(key: elements.Figure) -> str:
    return f'<i class="pd-swatch pd-{key["kind"]}" style="--c:{key["colour"]}"></i>'


# ---------------------------------------------------------------- tables and lists


def groups(view: PageContext, *names: str, by: str, says: titles.TitleRule | None = None) -> None:
    """Measures of every member of a dimension as a table, under its finding and with the same footer."""
    place = st.container(border=True, key=f"figure-groups-{by}")
    page_context.later(_groups, view, names, by, says, place=place, ready=partial(scoped_query.ask, view, names, (by,)))


def _groups(view: PageContext, names: Sequence[str], by: str, says: titles.TitleRule | None) -> None:
    ident = f"groups-{by}"
    with error_boundary(view.lang, ident):
        answer, ignored = scoped_query.ask(view, names, (by,))
        if scoped_query.nothing(answer):
            notice(view.lang, "state.empty_title", view.word("state.empty"))
            return
        found = (says or titles.extreme)(answer, context(view))
        st.html(
            f'<div class="pd-head"><h3>{text.escape(found.sentence)}</h3>'
            f"<p>{text.escape(subtitle(view, answer))}</p></div>"
        )
        table(view, answer)
        if ignored:
            st.html(f'<p class="pd-note">{text.escape(scoped_query.no_effect(view, ignored))}</p>')
        footer(view, answer, ident, with_table=False)
