"""Components shared by pages: the scope bar, cards, figures, tables. Each shows one Answer above the same footer.

A component asks its question under the user's scope, describes its content in words, and shows a notice if it has none.
Data goes into HTML only through `text.escape`, and never into Markdown.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

import streamlit as st

from etl.analysis import detail
from etl.semantic.answers import Answer
from etl.warehouse.dimensions import FILTERS, expand_groups
from ui.charts import bars, elements, lines, marks, titles
from ui.charts.chart import Chart
from ui.components import blocks, downloads, filter_bar
from ui.components.blocks import error_boundary, notice
from ui.components.cards import cards, said_as_html
from ui.components.footer import footer, table
from ui.components.plot import plot
from ui.data import page_run, warehouse
from ui.data.ask import Ask
from ui.exhibits import figure as exhibits
from ui.exhibits.exhibit import Drawing, Exhibit, Made, Make, Nothing, Value
from ui.i18n import text
from ui.state import page_context, questions, rendering, scoped_query, wording
from ui.state.page_context import PageContext
from ui.state.scope import Scope
from ui.streamlit_internals import DeltaGenerator

__all__ = ["Chart", "cards", "draw", "exhibit", "figure", "groups", "scope_bar", "sentence"]

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
    asked: Scope | None = None,
    **options: Any,
) -> None:
    """A figure for one question: its finding as the title, then measure, place and period, the chart, and the footer.

    Without `head` the page has said the finding, and the figure is a part of its box. `asked` replaces the scope of the page. The
    other parameters are those of
    `exhibits.figure.figure`.
    """
    axes = exhibits.axes_of(view.scope, names, by)
    ident = "-".join([chart.draw.__name__, analysis, *names[:1], *axes])

    def make(scope: Scope, ask: Ask) -> Exhibit:
        return exhibits.figure(
            scope,
            ask,
            chart,
            *names,
            by=axes,
            over=over,
            says=says,
            analysis=analysis,
            nation=nation,
            target=target,
            **options,
        )

    place = st.container(border=head, key=f"figure-{ident}", height="stretch")
    made = Made(make, asked or view.asked, warehouse.of_page())
    if chart is lines.trend and axes == ("month",) and len(names) == 1:
        page_context.trends()[ident] = made
    rendering.defer(partial(_work_out, view, made, ident, place, head), place=place, ready=made.ready, first=True)


def exhibit(
    view: PageContext,
    make: Make,
    *,
    head: bool = True,
    said: Callable[[], object] | None = None,
    more: Callable[[Exhibit], None] | None = None,
    **inputs: Any,
) -> None:
    """A figure of the page by the function that makes it: `ui.exhibit(view, training.by_place)`. Its name is that of its box.

    `inputs` are what the function takes besides scope and Ask, `more` stands below the footer. Where `said` answers, the first
    sentence of the page has said the finding, and the title is that of pictures and files alone.
    """
    ident = make.__name__
    place = st.container(border=head, key=f"figure-{ident}", height="stretch")
    made = Made(partial(make, **inputs) if inputs else make, view.asked, warehouse.of_page())
    page_context.trends()[ident] = made
    draw = partial(_work_out, view, made, ident, place, head, more, said)

    def ready() -> None:
        made.ready()
        if said:
            said()

    rendering.defer(draw, place=place, ready=ready, first=True)


def sentence(view: PageContext, make: Make) -> Callable[[], bool]:
    """Findings in words alone, those who are behind in orange; returns whether there are any, so that they are said once."""
    made, ident = Made(make, view.asked, warehouse.of_page()), make.__name__

    def say() -> None:
        with error_boundary(view.lang, ident):
            if made.exhibit.sentences:
                st.html(f'<p class="pd-intro">{said_as_html(view, made.exhibit)}</p>')

    rendering.defer(say, place=st.container(key=ident), ready=made.ready)
    return lambda: bool(made.exhibit.sentences)


def _work_out(
    view: PageContext,
    made: Made,
    ident: str,
    place: DeltaGenerator,
    head: bool,
    more: Callable[[Exhibit], None] | None = None,
    said: Callable[[], object] | None = None,
) -> Callable[[], None] | None:
    """Returns what sends the figure to the browser; None for a notice, which is sent already."""
    with error_boundary(view.lang, ident):
        send = show(view, made, ident, place, head=head, is_said=bool(said and said()))

        def send_all() -> None:
            if send:
                send()
            if more:
                rendering.defer(more, made.exhibit, place=place)

        return send_all if more else send
    return None


def draw(
    view: PageContext,
    chart: Chart,
    answer: Answer,
    ident: str,
    says: titles.TitleRule | None = None,
    ignored: Sequence[str] = (),
    notes: Sequence[str] = (),
    card: str = "",
    **more: Any,
) -> None:
    """Show an answer that was asked already, with `notes` of its own and the HTML `card` above the chart.

    `more` are parameters of `exhibits.figure.of_answer`.
    """

    def make(scope: Scope, ask: Ask) -> Exhibit:
        return exhibits.of_answer(scope, ask, chart, answer, says, ignored, notes, **more)

    if shown := show(view, Made(make, view.asked, warehouse.of_page()), ident, card=card):
        shown()


def show(
    view: PageContext,
    made: Made,
    ident: str,
    place: DeltaGenerator | None = None,
    card: str = "",
    head: bool = True,
    is_said: bool = False,
) -> Callable[[], None] | None:
    """Draw an exhibit; returns what sends it to the browser: title, line below it, `card`, chart, notes, and the footer.

    Without `head` title and line are those of pictures and files alone, and the legend stands below the chart; of what `is_said`
    the title alone is. With a `place`, the footer is deferred until all figures are shown. What has no chart is shown at once.
    """
    exhibit = made.exhibit
    if isinstance(exhibit.form, Nothing):
        notice(view.lang, exhibit.form.title, exhibit.form.words)
        return None
    if exhibit.stands_in and _is_drawn(exhibit, ident):
        # Nothing, not even the box.
        st.html('<i class="pd-left-out"></i>')
        return None
    page_context.trends()[ident] = made
    assert isinstance(exhibit.form, Drawing | Value)
    answer, value = exhibit.answer, exhibit.form.value
    if value and head:
        card = f'<div class="pd-card"><p class="pd-value"><bdi>{text.escape(value)}</bdi></p></div>' + card
    if exhibit.intro:
        card = f'<p class="pd-intro">{text.escape(exhibit.intro)}</p>' + card
    if isinstance(exhibit.form, Value):
        st.html(blocks.heading(exhibit.title.sentence, exhibit.below) + card)
        if answer is not None:
            footer(view, answer, ident, made=made)
        return None
    assert answer is not None
    picture = downloads.picture_of(view, exhibit)
    drawn, spoken = exhibit.drawn(view.dark)
    meta, chart_context = drawn["layout"]["meta"], exhibit.context(view.dark)
    on_screen, all_notes = exhibit.all_notes(view.dark)
    if not head:
        # The page says more of its maps.
        on_screen = [*exhibit.own_notes, *exhibit.notes]

    def send() -> None:
        with error_boundary(view.lang, ident):
            axis = meta["clicks"] if meta["clicks"] in FILTERS else ""
            legend, chosen = meta["keys"], axis and any(key.get("member") for key in meta["keys"])
            listed = "" if chosen else keys(legend, view.dark)
            if head:
                st.html(blocks.heading("" if is_said else picture.title, exhibit.below, listed) + card)
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
            noted = [note for note in all_notes if note not in exhibit.notes or page_context.is_noted_at(note, ident)]
            if noted:
                st.html("".join(_note(note, on_screen) for note in noted))
            draw_footer = partial(footer, view, answer, ident, picture=picture, chart_context=chart_context, made=made)
            if place:
                rendering.defer(draw_footer, place=place)
            else:
                draw_footer()

    return send


def _is_drawn(exhibit: Exhibit, ident: str) -> bool:
    """Whether another figure of the page draws the same trend."""
    for name, other in page_context.trends().items():
        # What fails says so in its own box.
        with suppress(Exception):
            if name != ident and exhibits.draws_the_same(exhibit, other.exhibit):
                return True
    return False


def _note(note: str, on_screen: Sequence[str]) -> str:
    """A note below a chart, or one for paper alone, which has no footer of the page."""
    kind = "pd-note" if note in on_screen else "pd-note pd-on-paper"
    return f'<p class="{kind}"><bdi>{text.escape(note)}</bdi></p>'


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
    listed, waiting = "", ""
    for key in entries:
        # Classes of one side share the label of the last.
        waiting += _swatch(key, dark)
        if key["label"]:
            listed, waiting = f"{listed}<li>{waiting}{text.escape(key['label'])}</li>", ""
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
            if questions.is_empty(answer):
                notice(view.lang, "state.empty_title", view.word("state.empty"))
                return
            made = partial(exhibits.of_answer, chart=bars.ranking, exact=answer, says=titles.whole_range)
            exhibit = made(view.asked, warehouse.of_page())
            blocks.head(exhibit.title.sentence, exhibit.below)
            # Who has no known place is no member; a sentence of the page says how many they are.
            known = replace(answer, rows=[row for row in answer.rows if row[0] is not None])
            table(view, known, ident)
            blocks.note(note)
            if ignored:
                blocks.note(wording.no_effect(view, ignored))
            footer(view, answer, ident, with_table=False, title=exhibit.title.sentence)

    rendering.defer(draw, place=st.container(border=True, key=f"figure-{ident}"), ready=ask)
