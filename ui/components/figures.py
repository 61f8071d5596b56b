"""Components shared by pages: the scope bar, cards, figures, tables. Each shows one Answer above the same footer.

A component asks its question under the user's scope, describes its content in words, and shows a notice if it has none.
Data goes into HTML only through `text.escape`, and never into Markdown.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

import streamlit as st

from etl.analysis import detail
from etl.warehouse.dimensions import FILTERS, expand_groups
from ui.charts import elements, marks
from ui.components import blocks, downloads, filter_bar, tables
from ui.components import footer as footers
from ui.components.blocks import error_boundary, notice
from ui.components.cards import cards, said_as_html
from ui.components.footer import footer, question
from ui.components.parts import part
from ui.components.plot import plot
from ui.data import page_run, warehouse
from ui.exhibits import figure as exhibits
from ui.exhibits.exhibit import Drawing, Exhibit, Nothing, Sentence, Value
from ui.exhibits.named import Input, Made, Make, Named, chosen
from ui.exhibits.page import Page
from ui.i18n import text
from ui.state import page_context, page_parameters, rendering
from ui.state.page_context import PageContext
from ui.streamlit_internals import DeltaGenerator

__all__ = ["cards", "exhibit", "named", "part", "scope_bar", "sentence", "table"]


class NothingYet(Exception):
    """The register begins after the chosen day or period; the page has said so."""


def scope_bar(page: Page) -> PageContext:
    """Show the scope bar of a page and return its view. Raises Unpublished, and NothingYet on one of people."""
    view = replace(page_context.view(), has_period=page.has_period)
    filters = tuple(expand_groups(page.filters))
    part(view, "scope", partial(filter_bar.offered, view, filters), partial(filter_bar.bar, view, filters))
    first = warehouse.analyse(detail.begins_on) if page.of_people else None
    if first and (view.over[1] if view.over else view.as_of) < first:
        day = text.day_in_both(first, view.lang)
        notice(view.lang, "state.nothing_yet_title", view.word("state.nothing_yet", day=day))
        raise NothingYet
    return view


# ---------------------------------------------------------------- exhibits


def named(view: PageContext, make: Make, *inputs: Input) -> Made:
    """An exhibit of the open page, made once in a run, with its inputs: those of the address unless others are given."""
    page = page_context.part()
    chosen_here = inputs or chosen(make, page_parameters.of(page), view.asked)
    return rendering.made_once(Made(Named(page, make, view.asked, chosen_here), warehouse.of_page()))


def exhibit(
    view: PageContext,
    make: Make,
    *inputs: Input,
    of: str = "",
    head: bool = True,
    said: Callable[[], object] | None = None,
    more: Callable[[Exhibit], None] | None = None,
) -> None:
    """A figure of the page by the function that makes it. Its name is that of its box.

    `inputs` are those of the address unless they are given; where a page has several figures of one function, `of` tells them
    apart. Without `head` the page has said the finding, and the figure is a part of its box. `said` returns whether the page's
    first sentence states the finding already; the title then appears only in pictures and files. `more` stands below the footer.
    """
    made, ident = named(view, make, *inputs), f"{make.__name__}-{of}" if of else make.__name__
    place = st.container(border=head, key=f"figure-{ident}", height="stretch")

    def drawn(found: tuple[Exhibit, bool]) -> rendering.Send | None:
        send = show(view, made, ident, place, head=head, is_said=found[1])

        def send_all() -> None:
            if send:
                send()
            if more:
                rendering.after(partial(more, made.exhibit), place)

        return send_all if more else send

    part(view, ident, lambda: (made.exhibit, bool(said and said())), drawn, place, first=True)


def table(view: PageContext, make: Make, rows: Callable[[Exhibit], None] | None = None) -> None:
    """A table of the page by the function that makes it; `rows` shows what is below its title, where that is no plain table."""
    made, ident = named(view, make), make.__name__

    def drawn(exhibit: Exhibit) -> None:
        if isinstance(exhibit.form, Nothing):
            notice(view.lang, exhibit.form.title, exhibit.form.words)
            return
        title, answer, context = exhibit.title.sentence, exhibit.answer, exhibit.context(view.dark)
        blocks.head(title, exhibit.below)
        if rows:
            rows(exhibit)
        elif answer is not None:
            # All counties would fill eight sheets.
            is_long = len(answer.rows) > tables.WHOLE_ON_PAPER
            footers.table(view, answer, ident, chart_context=context, is_excerpt=is_long)
        notes_of(exhibit, ident)
        if answer is not None:
            footer(view, answer, ident, with_table=False, chart_context=context, made=made)

    place = st.container(border=True, key=f"figure-{ident}", height="stretch")
    part(view, ident, lambda: made.exhibit, drawn, place)


def sentence(view: PageContext, make: Make, *, asks: bool = False, quiet: bool = False) -> Callable[[], bool]:
    """Findings in words alone, by the function that makes them, with the names that they count folded behind them.

    With `asks` the reader can ask what the number is; `quiet` ones are a line below something else. Returns whether there are
    any, so that they are said once.
    """
    made, ident = named(view, make), make.__name__

    def shown(exhibit: Exhibit) -> None:
        assert isinstance(exhibit.form, Sentence)
        if names := exhibit.form.names:
            words, listed = " ".join(exhibit.sentences), text.listed(names, view.lang)
            st.html(
                f'<details class="pd-note"><summary>{text.escape(words)}</summary>{text.escape(listed)}'
                f"<p>{text.escape(' '.join((*exhibit.own_notes, *exhibit.notes)))}</p></details>"
            )
        else:
            if exhibit.sentences:
                st.html(f'<p class="{"pd-note" if quiet else "pd-intro"}">{said_as_html(view, exhibit)}</p>')
            notes_of(exhibit, ident)
        if exhibit.answer is not None and (exhibit.sentences or exhibit.own_notes):
            blocks.left_out(view, exhibit.answer)
            if asks:
                question(view, exhibit.answer, ident, made)

    part(view, ident, lambda: made.exhibit, shown, st.container(key=ident))
    return lambda: bool(made.exhibit.sentences)


def notes_of(exhibit: Exhibit, ident: str) -> None:
    """The notes below what has no chart; where several parts of the page have one, as the footer too, the first shows it."""
    for note in exhibit.own_notes:
        blocks.note(note)
    for note in exhibit.notes:
        if page_context.is_noted_at(note, f"notes of {ident}"):
            blocks.note(note)


def show(
    view: PageContext, made: Made, ident: str, place: DeltaGenerator, head: bool = True, is_said: bool = False
) -> rendering.Send | None:
    """Draw an exhibit; returns what sends it to the browser: title, line below it, chart and notes, and later the footer.

    Without `head`, title and subtitle appear only in pictures and files, and the legend stands below the chart. With `is_said`,
    only the title is left out. What has no chart is shown at once.
    """
    exhibit = made.exhibit
    if isinstance(exhibit.form, Nothing):
        notice(view.lang, exhibit.form.title, exhibit.form.words)
        return None
    if exhibit.stands_in and _is_drawn(made):
        # Nothing, not even the box.
        rendering.leave_out(made)
        st.html('<i class="pd-left-out"></i>')
        return None
    assert isinstance(exhibit.form, Drawing | Value)
    answer, value, card = exhibit.answer, exhibit.form.value, ""
    if value and head:
        card = f'<div class="pd-card"><p class="pd-value"><bdi>{text.escape(value)}</bdi></p></div>'
    if exhibit.intro:
        card = f'<p class="pd-intro">{text.escape(exhibit.intro)}</p>' + card
    if isinstance(exhibit.form, Value):
        st.html(blocks.heading(exhibit.title.sentence, exhibit.below) + card)
        notes_of(exhibit, ident)
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
            footing = partial(footer, view, answer, ident, picture=picture, chart_context=chart_context, made=made)
            rendering.after(footing, place)

    return send


def _is_drawn(made: Made) -> bool:
    """Whether another figure of the page draws the same trend."""
    for other in rendering.made():
        # What fails says so in its own box.
        with suppress(Exception):
            if other is not made and exhibits.draws_the_same(made.exhibit, other.exhibit):
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
