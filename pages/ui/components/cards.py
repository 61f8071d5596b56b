"""What is told in few words: cards, each with one number, and the list of what most needs attention."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import streamlit as st

from etl.semantic.answers import Answer, Metric
from pages.ui.charts import elements, titles
from pages.ui.components.footer import context, question
from pages.ui.components.notices import error_boundary
from pages.ui.data import warehouse
from pages.ui.i18n import text
from pages.ui.state import page_context, periods, scoped_query
from pages.ui.state.page_context import PageContext


def cards(view: PageContext, *names: str) -> None:
    """Up to ten numbers, each with what it was a year before, its parts if it is a rate, and what it means.

    A name like `pace.required_pace` is a number that etl.analysis works out.
    """
    page_context.later(_cards, view, names[:10], ready=partial(_at_once, view, names[:10]))


@page_context.fragment
def _cards(view: PageContext, names: Sequence[str]) -> None:
    across = next((n for n in (5, 4, 3) if len(names) % n == 0), 4)
    asked = _at_once(view, names)
    with st.container(key=f"cards-{across}"):
        for name in names:
            with (
                st.container(key=f"card-{name.replace('.', '-')}", border=True, height="stretch"),
                error_boundary(view.lang, name),
            ):
                _card(view, name, asked.get(name))


def _at_once(view: PageContext, names: Iterable[str]) -> dict[str, tuple[Answer, Answer | None]]:
    """Each measure now, and a year before where there is a history; one that has no meaning here stays out."""
    over = view.over or view.complete_months(periods.DEFAULT_MONTHS)
    now = _together(view, names, on=view.as_of, over=over)
    old = [name for name, answer in now.items() if answer.metrics[0].has_history]
    then = _together(view, old, on=view.a_year_before(), over=periods.year_before(over))
    return {name: (answer, then.get(name)) for name, answer in now.items()}


def _together(view: PageContext, names: Iterable[str], **asked: Any) -> dict[str, Answer]:
    """Measures that are asked under the same filters are asked together; one that has no meaning here stays out."""
    groups: dict[warehouse.Frozen, list[str]] = {}
    for name in names:
        if metric := warehouse.catalogue().get(name):
            where, _ = view.under(metric.dimensions)
            groups.setdefault(warehouse.frozen(where), []).append(name)
    found: dict[str, Answer] = {}
    for filters, group in groups.items():
        ask = partial(warehouse.ask_each, where=dict(filters), **asked)
        try:
            found |= ask(*group)
        except warehouse.QuestionError:
            for name in group:
                with suppress(warehouse.QuestionError):
                    found |= ask(name)
    return found


def _card(view: PageContext, name: str, asked: tuple[Answer, Answer | None] | None) -> None:
    worked_out, _, part = name.rpartition(".")
    before: Any = None
    if worked_out:
        answer, ignored = scoped_query.worked_out(view, worked_out)
    elif asked:
        answer, earlier = asked
        before, ignored = earlier.value() if earlier else None, view.under(answer.metrics[0].dimensions)[1]
    else:
        # It could not be answered with the others: what it says alone is said here.
        answer, ignored = scoped_query.ask(view, [name])
    metric = next(metric for metric in answer.metrics if metric.name == part)
    value, row = answer.value(part), answer.rows[0]
    lines = []
    if parts := elements.parts_of(answer, metric, row, context(view)):
        lines.append(parts)
    if value is not None and before is not None:
        lines.append(_then(view, metric, value, before))
    if ignored:
        lines.append(scoped_query.no_effect(view, ignored))
    written = text.plain(value, metric.unit, view.lang)
    if value is None and metric.unit in ("date", "month"):
        written = view.word("figure.never")
    unit = "" if metric.unit in ("share", "ratio", "date", "month") else text.unit_word(metric.unit, view.lang)
    long = " pd-long" if metric.unit in ("date", "month") else ""
    st.html(
        f'<div class="pd-card"><p class="pd-label">{text.escape(metric.label[view.lang])}</p>'
        f'<p class="pd-value{long}"><bdi>{text.escape(written)}</bdi> <small>{text.escape(unit)}</small></p>'
        + "".join(f'<p class="pd-line">{text.escape(line)}</p>' for line in lines)
        + "</div>"
    )
    question(view, answer, f"card-{name}")


def _then(view: PageContext, metric: Metric, now: Any, then: Any) -> str:
    mark = "▲" if now > then else "▼" if now < then else "●"
    return f"{mark} {view.word('figure.before')}: {text.plain(then, metric.unit, view.lang)}"


def attention(view: PageContext, *names: str) -> None:
    """For each measure the province that most needs attention, by name; of few provinces the county, where it has counties."""
    with st.container(border=True, key="attention", height="stretch"):
        page_context.later(_attention, view, names, ready=partial(_asked_of_places, view, names))


def _asked_of_places(view: PageContext, names: Sequence[str]) -> list[Answer]:
    """Each measure by the places among which one may need attention; one that has no meaning here is left out."""
    over = view.over or view.complete_months(periods.DEFAULT_MONTHS)
    by_province = [name for name in names if scoped_query.place(view, [name]) == "province"]
    found = _together(view, by_province, by=("province",), on=view.as_of, over=over)
    for name in names:
        if name not in by_province:
            with suppress(warehouse.QuestionError):
                found[name] = scoped_query.ask(view, [name], ("county",))[0]
    return [found[name] for name in names if name in found]


def _attention(view: PageContext, names: Sequence[str]) -> None:
    entries = []
    for answer in _asked_of_places(view, names):
        if scoped_query.nothing(answer):
            continue
        metric = answer.metrics[0]
        found = (titles.gap if metric.name == "coverage_gap" else titles.extreme)(answer, context(view))
        label = metric.label[view.lang]
        entries.append(f"<li><b>{text.escape(found.sentence)}</b><span>{text.escape(label)}</span></li>")
    st.html(
        f'<div class="pd-head"><h3>{text.escape(view.word("attention.title"))}</h3></div>'
        f'<ol class="pd-attention">{"".join(entries)}</ol>'
    )
