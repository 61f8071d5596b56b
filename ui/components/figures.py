"""Components shared by pages: the scope bar, cards, figures, tables. Each shows one Answer above the same footer.

A component asks its question under the user's scope, describes its content in words, and shows a notice if it has none.
Data goes into HTML only through `text.escape`, and never into Markdown.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

import streamlit as st

from etl.analysis import detail
from etl.semantic.answers import Answer
from etl.semantic.disclosure import Ask, Circulated, for_circulation
from etl.warehouse.dimensions import FILTERS, PLACES, expand_groups
from ui.charts import elements, lines, marks, titles
from ui.charts.chart import Chart, drawn_chart
from ui.components import blocks, downloads, filter_bar
from ui.components.blocks import error_boundary, notice
from ui.components.cards import cards
from ui.components.downloads import Picture
from ui.components.figure_question import Asked, FigureQuestion, asked_around, line_of, of_nation, of_whole
from ui.components.footer import context, footer, table
from ui.components.plot import plot
from ui.data import page_run, warehouse
from ui.i18n import text
from ui.state import page_context, rendering, scoped_query
from ui.state.page_context import PageContext
from ui.streamlit_internals import DeltaGenerator

__all__ = ["Chart", "cards", "draw", "figure", "groups", "scope_bar"]

# The height of the trend of a single group.
_TREND = 240


class NothingYet(Exception):
    """The register begins after the chosen day or period; the page has said so."""


def scope_bar(*more: str, period: bool = False) -> PageContext:
    """Show the scope bar and return its view. Raises Unpublished, and NothingYet on a page about people.

    `more` are the filters of this page besides the main ones, by name or by group (`@person`).
    `period` adds the choice of a period, for pages with flows or trends.
    """
    view = replace(page_context.view(), has_period=period)
    filters = tuple(expand_groups(more))
    rendering.defer(filter_bar.bar, view, filters, ready=partial(filter_bar.prefetch, view, filters))
    # Licences may be older than the first person.
    first = warehouse.analyse(detail.begins_on) if more != ("@place",) else None
    if first and (view.over[1] if view.over else view.as_of) < first:
        day = text.day_in_both(first, view.lang)
        notice(view.lang, "state.nothing_yet_title", view.word("state.nothing_yet", day=day))
        raise NothingYet
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
    head: bool = True,
    **options: Any,
) -> None:
    """A figure for one question: its finding as the title, then measure, place and period, the chart, and the footer.

    Without `head` the page has said the finding, and the figure is a part of its box.

    `by="place"` means provinces, or the counties of a few selected ones. `analysis` names a result of etl.analysis. `nation`
    and `target` add lines for the nation's value and the target. `says` replaces the chart's title rule.
    """
    axes = tuple(
        scoped_query.place(view, names) if axis == "place" else axis for axis in ((by,) if isinstance(by, str) else by)
    )
    ident = "-".join([chart.draw.__name__, analysis, *names[:1], *axes])
    place = st.container(border=head, key=f"figure-{ident}", height="stretch")
    question = FigureQuestion(view, chart, names, axes, over, analysis, nation, target)
    if chart is lines.trend and axes == ("month",) and len(names) == 1:
        page_context.trends()[ident] = lambda: question.answer()[0]

    def work_out() -> Callable[[], None] | None:
        """Returns what sends the figure to the browser; None for a notice, which is sent already."""
        with error_boundary(view.lang, ident):
            answer, ignored = question.answer()
            if wider := [name for name in PLACES if name in ignored]:
                # It would be of places that the scope line does not name.
                return _not_narrowed(question, answer, ident, wider, place, head)
            elif scoped_query.nothing(answer):
                notice(view.lang, "state.empty_title", view.word("state.empty"))
            elif question.is_single(answer):
                return _single(question, answer, ident, ignored, place, head)
            else:
                chart_options = {**options, **question.options(answer)}
                asked = asked_around(view, answer, ignored, with_parts="parts" in options, is_map=chart.is_map)
                return prepare(view, chart, asked, ident, says, chart_options, place, head=head)
        return None

    rendering.defer(work_out, place=place, ready=question.ready, first=True)


def _not_narrowed(
    question: FigureQuestion,
    answer: Answer,
    ident: str,
    dimensions: Sequence[str],
    place: DeltaGenerator,
    head: bool,
) -> Callable[[], None] | None:
    """The trend of the measure in the scope, where the figure itself cannot be narrowed to it; without any a notice."""
    view, metric = question.view, answer.metrics[0]
    if (found := question.trend_of_scope(metric)) and not scoped_query.nothing(found[0]):
        return _trend(view, asked_around(view, *found), ident, place, "", head)
    named = text.listed([view.word(f"dimension.{name}") for name in dimensions], view.lang)
    words = view.word("refused.not_where", measure=metric.label[view.lang], dimensions=named)
    notice(view.lang, "state.not_narrowed_title", words)
    return None


def _single(
    question: FigureQuestion, answer: Answer, ident: str, ignored: Sequence[str], place: DeltaGenerator, head: bool
) -> Callable[[], None] | None:
    """A single group, with nothing to compare: its value as on a card, unless the page says it, and its trend."""
    view, metric = question.view, answer.metrics[0]
    value = text.amount(answer.rows[-1][answer.columns.index(metric.name)], metric.unit, view.lang)
    card = f'<div class="pd-card"><p class="pd-value"><bdi>{text.escape(value)}</bdi></p></div>'
    over_time = question.trend(answer)
    if over_time is not None and not scoped_query.nothing(over_time):
        return _trend(view, asked_around(view, over_time, ignored), ident, place, card if head else "", head)
    title = _title(answer, question.chart.title, context(view), ident)
    st.html(blocks.heading(title.sentence, asked_around(view, answer).below) + card)
    footer(view, answer, ident)
    return None


def _trend(
    view: PageContext, asked: Asked, ident: str, place: DeltaGenerator, card: str, head: bool
) -> Callable[[], None] | None:
    """The trend in place of a figure; where another figure draws it already, nothing, not even the box."""
    months, drawn = asked.answer, page_context.trends()
    if any(_agree(months, answer()) for figure, answer in drawn.items() if figure != ident):
        st.html('<i class="pd-left-out"></i>')
        return None
    drawn[ident] = lambda: months
    options = {"zero": months.metrics[0].unit != "share", "height": _TREND}
    return prepare(view, lines.trend, asked, ident, None, options, place, card, head)


def _agree(months: Answer, others: Answer) -> bool:
    """Whether two trends are one: of one measure, with the same number in every month that both have."""
    first, second = ({row[0]: row[1] for row in answer.rows} for answer in (months, others))
    shared = first.keys() & second.keys()
    return months.measures == others.measures and all(first[month] == second[month] for month in shared)


def draw(
    view: PageContext,
    chart: Chart,
    answer: Answer,
    ident: str,
    says: titles.TitleRule | None = None,
    ignored: Sequence[str] = (),
    notes: Sequence[str] = (),
    card: str = "",
    options: Mapping[str, Any] | None = None,
) -> None:
    """Show an answer that was asked already, with `notes` of its own; the other parameters are those of `prepare`."""
    prepare(view, chart, asked_around(view, answer, ignored, notes), ident, says, options, card=card)()


def prepare(
    view: PageContext,
    chart: Chart,
    asked: Asked,
    ident: str,
    says: titles.TitleRule | None = None,
    options: Mapping[str, Any] | None = None,
    place: DeltaGenerator | None = None,
    card: str = "",
    head: bool = True,
    chart_context: elements.ChartContext | None = None,
) -> Callable[[], None]:
    """Draw what was asked; returns what shows it: title, line below it, `card`, chart, notes, and the footer. It asks nothing.

    Without `head` title and line are those of pictures and files alone, and the legend stands below the chart. With a
    `place`, the footer is deferred until all figures are shown. `chart_context` brings names of members that only this answer
    has.
    """
    answer, chart_context, rule = asked.answer, chart_context or context(view), says or chart.title
    title = _title(answer, rule, chart_context, ident)
    drawn, spoken = drawn_chart(answer, chart, chart_context, title, asked.below, tuple((options or {}).items()))
    meta = drawn["layout"]["meta"]
    on_screen, all_notes = _notes(asked, drawn, head)
    circulated = partial(_circulated, view, chart, rule, asked, options or {}, chart_context)
    picture = Picture(drawn, title.sentence, asked.below, downloads.source_of(view, answer, all_notes), circulated)

    def show() -> None:
        with error_boundary(view.lang, ident):
            axis = meta["clicks"] if meta["clicks"] in FILTERS else ""
            legend, chosen = meta["keys"], axis and any(key.get("member") for key in meta["keys"])
            listed = "" if chosen else keys(legend, view.dark)
            if head:
                st.html(blocks.heading(picture.title, asked.below, listed) + card)
            if chosen:
                _keys_to_click(view, axis, legend, ident)
            clicked = partial(page_context.toggle, axis) if axis else None
            copied = partial(downloads.note_copy, answer) if page_run.signs_in() else None
            paper = downloads.paper(picture, chart_context)
            plot(drawn, f"chart-{ident}", spoken, clicked=clicked, paper=paper, copied=copied)
            if not head and listed:
                st.html(listed)
            if meta.get("events"):
                st.html(marks.listed(meta["events"], chart_context))
            if all_notes:
                st.html("".join(_note(note, on_screen) for note in all_notes))
            draw_footer = partial(footer, view, answer, ident, picture=picture, chart_context=chart_context)
            if place:
                rendering.defer(draw_footer, place=place)
            else:
                draw_footer()

    return show


def _circulated(
    view: PageContext,
    chart: Chart,
    rule: Callable[..., titles.Title],
    asked: Asked,
    options: Mapping[str, Any],
    chart_context: elements.ChartContext,
    rounded: Circulated,
    ask: Ask,
) -> Picture | None:
    """The picture for circulation, made when a user takes it: from the rounded answer and the nation's rounded value."""
    if "whole_value" in rounded.columns:
        # The counts of the whole are not in the answer.
        at, whole = rounded.columns.index("whole_value"), for_circulation(of_whole(rounded), ask).value()
        rounded = replace(rounded, rows=[(*row[:at], whole, *row[at + 1 :]) for row in rounded.rows])
    # Without one of its measures the chart would be misleading.
    if any(_is_known(asked.answer, metric.name) and not _is_known(rounded, metric.name) for metric in rounded.metrics):
        return None
    options = dict(options)
    if "days" in options:
        # Their values are exact.
        options["days"] = tuple(replace(day, value=None) for day in options["days"])
        rule = partial(rule, days=options["days"])
    if options.get("nation") is not None:
        options["nation"] = line_of(for_circulation(of_nation(rounded), ask))
    title = rule(rounded, chart_context)
    redrawn = chart.titled(rounded, chart_context, title, options)
    # The line of a map names the value of the whole.
    _, notes = _notes(asked, redrawn)
    source = downloads.source_of(view, rounded, [*notes, view.word("file.circulation_short")])
    return Picture(redrawn, title.sentence, asked.subtitle, source)


def _notes(asked: Asked, drawn: elements.Figure, head: bool = True) -> tuple[list[str], list[str]]:
    """The notes below a chart on screen, and all of them, as paper and a picture have them; without `head` the page says more."""
    meta = drawn["layout"]["meta"]
    credit, boundaries = ([meta[name]] if name in meta else [] for name in ("credit", "boundaries"))
    on_screen = [*asked.own_notes, *(credit if head else []), *asked.notes]
    return on_screen, [*asked.own_notes, *credit, *asked.notes, *boundaries]


def _is_known(answer: Answer, name: str) -> bool:
    return any(value is not None for value in answer.column(name))


def _note(note: str, on_screen: Sequence[str]) -> str:
    """A note below a chart, or one for paper alone, which has no footer of the page."""
    kind = "pd-note" if note in on_screen else "pd-note pd-on-paper"
    return f'<p class="{kind}"><bdi>{text.escape(note)}</bdi></p>'


def _title(answer: Answer, rule: titles.TitleRule, chart_context: elements.ChartContext, ident: str) -> titles.Title:
    """The title of the figure, which its footer and the workbook take too."""
    title = rule(answer, chart_context)
    page_context.titles()[ident] = title.sentence
    return title


def _keys_to_click(view: PageContext, axis: str, keys: Iterable[elements.Figure], ident: str) -> None:
    """The keys of a chart as buttons that toggle a filter on their member."""
    with st.container(horizontal=True, key=f"legend-{ident}", gap="small", vertical_alignment="center"):
        for key in keys:
            st.html(_swatch(key, view.dark), width="content")
            st.button(
                key["label"],
                key=f"legend-{ident}-{key['member']}",
                type="tertiary",
                on_click=page_context.toggle,
                args=(axis, key["member"]),
            )


def keys(entries: Iterable[elements.Figure], dark: bool) -> str:
    """The keys of a chart as HTML; their swatches repeat the lines, dashes, outlines and patterns of the chart."""
    listed = "".join(f"<li>{_swatch(key, dark)}{text.escape(key['label'])}</li>" for key in entries)
    return f'<ul class="pd-keys">{listed}</ul>' if listed else ""


def _swatch(key: elements.Figure, dark: bool) -> str:
    look = "dark" if dark else "light"
    return f'<i class="pd-swatch pd-{key["kind"]}" data-look="{look}" style="--c:{key["colour"]}"></i>'


def part(
    view: PageContext,
    ident: str,
    analysis: str,
    show: Callable[[Answer, Sequence[str]], object],
    border: bool = True,
    first: bool = False,
    **options: Any,
) -> None:
    """A box for an analysis that `show` draws with the filters it ignores; its question runs beside those of the page.

    It is drawn `first` like a figure, or after the figures.
    """
    ask = partial(scoped_query.computed, view, analysis, **options)

    def draw() -> None:
        with error_boundary(view.lang, ident):
            show(*ask())

    place = st.container(border=border, key=f"figure-{ident}", height="stretch")
    rendering.defer(draw, place=place, ready=ask, first=first)


# ---------------------------------------------------------------- tables and lists


def groups(view: PageContext, name: str, by: str, note: str) -> None:
    """A measure of every member of a dimension as a table, with its range as title, a note, and the same footer."""
    ask, ident = partial(scoped_query.ask, view, [name], (by,)), f"groups-{by}"

    def draw() -> None:
        with error_boundary(view.lang, ident):
            answer, ignored = ask()
            if scoped_query.nothing(answer):
                notice(view.lang, "state.empty_title", view.word("state.empty"))
                return
            blocks.head(
                _title(answer, titles.whole_range, context(view), ident).sentence, asked_around(view, answer).below
            )
            # Who has no known place is no member; a sentence of the page says how many they are.
            known = replace(answer, rows=[row for row in answer.rows if row[0] is not None])
            table(view, known, ident)
            blocks.note(note)
            if ignored:
                blocks.note(scoped_query.no_effect(view, ignored))
            footer(view, answer, ident, with_table=False)

    rendering.defer(draw, place=st.container(border=True, key=f"figure-{ident}"), ready=ask)
