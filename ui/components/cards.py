"""Rows of cards, and the number of a panel: exhibits of `ui.exhibits.cards` as HTML."""

from functools import partial

import streamlit as st

from ui.charts import elements
from ui.components.blocks import error_boundary, sparkline
from ui.components.footer import context, question
from ui.components.parts import part
from ui.data import warehouse
from ui.exhibits import cards as exhibits
from ui.exhibits.exhibit import Card, Exhibit, Line, Nothing, Sentence, Span
from ui.exhibits.named import Made, Make, Named
from ui.i18n import member_names, navigation, text
from ui.state import page_context, page_parameters, rendering
from ui.state.page_context import PageContext


def cards(view: PageContext, make: Make) -> None:
    """A row of cards by the function that makes them: `ui.cards(view, training.numbers)`."""
    named = Named(page_context.part(), make, view.asked)
    made = rendering.made_once(Made(named, warehouse.of_page()))
    part(view, make.__name__, lambda: made.exhibits, partial(_row, view, made))


@rendering.fragment
def _row(view: PageContext, made: Made, row: tuple[Exhibit, ...]) -> None:
    across = 2 if len(row) == 2 else next((n for n in (5, 4, 3) if len(row) % n == 0), 4)
    with st.container(key=f"cards-{across}"):
        for exhibit in row:
            with (
                st.container(key=f"card-{exhibit.name.replace('.', '-')}", border=True, height="stretch"),
                error_boundary(view.lang, exhibit.name),
            ):
                _card(view, exhibit, made)


def _card(view: PageContext, exhibit: Exhibit, made: Made) -> None:
    form, answer = exhibit.form, exhibit.answer
    if isinstance(form, Nothing) and form.failed:
        raise form.failed
    assert isinstance(form, Card)
    assert answer is not None
    without = [(Span(exhibit.no_effect),)] if exhibit.no_effect else []
    lines = "".join(as_html(view, line) for line in [*form.lines, *without])
    label, ident = exhibit.title.sentence, f"card-{exhibit.name}"
    st.html(card(label, form.value, form.unit, lines))
    question(view, answer, ident, made)


def card(label: str, value: str, unit: str, below: str) -> str:
    """A card as HTML, with the HTML `below` its number."""
    return (
        f'<div class="pd-card"><p class="pd-label">{text.escape(label)}</p><div><p class="pd-value">'
        f"<bdi>{text.escape(value)}</bdi> <small>{text.escape(unit)}</small></p>{below}</div></div>"
    )


def as_html(view: PageContext, line: Line) -> str:
    """A line of a card as HTML."""
    return f'<p class="pd-line">{spans(view, line)}</p>'


def spans(view: PageContext, line: Line) -> str:
    """The spans of a line as HTML: what is better or worse in its colour, links under the scope of the page."""
    parts = []
    for span in line:
        words = text.escape(span.words)
        if span.link:
            parameters = view.scope.address() | {name: list(values) for name, values in span.link.parameters}
            address = text.escape(page_parameters.address(span.link.part, view.lang, parameters))
            about = text.escape(span.about)
            words = f'<a class="pd-go" href="{address}" target="_self" aria-label="{about}">{words}</a>'
        elif span.kind:
            words = f"<b>{words}</b>" if span.kind == "strong" else f'<b class="pd-{span.kind}">{words}</b>'
        parts.append(words)
    return "".join(parts)


def said_as_html(view: PageContext, exhibit: Exhibit) -> str:
    """The findings of an exhibit as HTML: names that are behind in orange, others that stand out in bold."""
    assert isinstance(exhibit.form, Sentence)
    return " ".join(spans(view, line) for line in exhibit.form.lines)


# ---------------------------------------------------------------- the number of a panel


def headline_number(view: PageContext, name: str, found: exhibits.Headline | None) -> tuple[str, str, str]:
    """One number as HTML, with its unit or the parts of a share, its change in a year, and a sparkline.

    Then in words the parts of another ratio, which are too long to stand beside it, with the provinces that are left out, and the
    link to the reasons of its change.
    """
    if found is None:
        # The picture below says why.
        return "", "", ""
    numbers = found.numbers
    answer, metric = numbers.now, numbers.now.metrics[0]
    value, before = answer.value(), numbers.before.value() if numbers.before else None
    written = text.plain(value, metric.unit, view.lang)
    parts = elements.parts_of(answer, metric, answer.rows[0], context(view))
    beside, below = (parts, "") if metric.unit == "share" else ("", parts)
    below = " · ".join(filter(None, (below, member_names.left_out(answer.left_out, view.lang))))
    unit = beside or text.unit_word(metric.unit, view.lang, written)
    is_compared = None not in (value, before)
    line = spans(view, exhibits.changed(metric, value, before, numbers.side, view.lang, answer)) if is_compared else ""
    number = (
        f'<div class="pd-number-row"><p class="pd-value"><bdi>{text.escape(written)}</bdi> '
        f'<small>{text.escape(unit)}</small></p><p class="pd-line">{line}</p>'
        f"{sparkline(view, found.months, name)}</div>"
    )
    return number, below, spans(view, (found.why,)) if found.why else ""


def linked_title(view: PageContext, part: str, title: str) -> str:
    """A title that leads to the page with more about it, as HTML."""
    address = page_parameters.address(part, view.lang, view.scope.address())
    page = text.escape(navigation.part_words(part)[view.lang])
    words = view.escaped("change.page", page=title)
    return f'<a href="{text.escape(address)}" target="_self" title="{page}">{words}</a>'
