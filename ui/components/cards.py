"""Cards: one number each, with its change in a year."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import streamlit as st

from etl.analysis import detail, why
from etl.core.errors import QuestionError, TooEarly
from etl.core.jalali import last_complete_months, period_year_before, year_before
from etl.semantic.answers import Answer, Metric
from etl.semantic.catalog import catalogue, provisional_days
from etl.semantic.ranking import is_tested
from etl.warehouse.dimensions import PLACES, expand_groups
from ui.charts import elements
from ui.components import page_files
from ui.components.blocks import error_boundary, sparkline
from ui.components.footer import context, question, where_and_when
from ui.data import warehouse
from ui.data.ask import Filters, frozen
from ui.i18n import member_names, navigation, text
from ui.state import page_parameters, periods, rendering, scoped_query, wording
from ui.state.address import NATION
from ui.state.page_context import PageContext
from ui.summary import changes, different

# The months of a sparkline.
_MONTHS = 24


@dataclass(frozen=True)
class CardAnswers:
    """The answers of a card: now, a year before, the day of `now` if it settled before the as-of day, and the side of the year
    before on which a rate is beyond chance.
    """

    now: Answer
    before: Answer | None = None
    settled_on: date | None = None
    side: str = ""


_Answers = Mapping[str, CardAnswers]


def cards(
    view: PageContext, *names: str, beside: Mapping[str, str] | None = None, lists: Mapping[str, str] | None = None
) -> None:
    """Up to ten numbers, each with its change in a year, the parts of a rate, and its meaning.

    A name like `pace.required_pace` is a result of etl.analysis. `beside` maps a card to a second measure printed on it,
    `lists` a card to the address of the list of what it counts.
    """
    companions, addresses = beside or {}, lists or {}
    ask = partial(_at_once, view, (*names, *companions.values()))

    def below(name: str, card_answers: _Answers) -> str:
        link = _link(view, name, addresses[name], view.word("action.open")) if name in addresses else ""
        card, companion = card_answers.get(name), card_answers.get(companions.get(name, ""))
        # A filter that only one of both knows would put numbers of different people side by side.
        is_alike = card is not None and companion is not None and card.now.where == companion.now.where
        return (_printed(view, companion) if is_alike else "") + link

    rendering.defer(_cards, view, names, ask, below, ready=ask)


def headline_number(view: PageContext, name: str) -> tuple[str, str, str]:
    """One number as HTML, with its unit or the parts of a share, its change in a year, and a sparkline.

    Then in words the parts of another ratio, which are too long to stand beside it, with the provinces that are left out, and the
    link to the reasons of its change.
    """
    answers = _at_once(view, [name]).get(name)
    if answers is None:
        return f'<p class="pd-line">{view.escaped("figure.not_known")}</p>', "", ""
    answer, metric = answers.now, answers.now.metrics[0]
    page_files.note_card(f"number-{name}", metric.label[view.lang], where_and_when(view, answer), answer, name)
    value, before = answer.value(), answers.before.value() if answers.before else None
    written = text.plain(value, metric.unit, view.lang)
    parts = elements.parts_of(answer, metric, answer.rows[0], context(view))
    beside, below = (parts, "") if metric.unit == "share" else ("", parts)
    below = " · ".join(filter(None, (below, member_names.left_out(answer.left_out, view.lang))))
    unit = beside or text.unit_word(metric.unit, view.lang, written)
    is_compared = None not in (value, before)
    line = _changed(view, metric, value, before, answers.side) if is_compared else ""
    number = (
        f'<div class="pd-number-row"><p class="pd-value"><bdi>{text.escape(written)}</bdi> '
        f'<small>{text.escape(unit)}</small></p><p class="pd-line">{line}</p>'
        f"{_months_of(view, name, answer)}</div>"
    )
    return number, below, _why(view, metric, answers) if is_compared else ""


@rendering.fragment
def _cards(
    view: PageContext, names: Sequence[str], ask: Callable[[], _Answers], below: Callable[[str, _Answers], str]
) -> None:
    """The cards of `names`; `below` gives the HTML under the number of each."""
    across = 2 if len(names) == 2 else next((n for n in (5, 4, 3) if len(names) % n == 0), 4)
    card_answers = ask()
    with st.container(key=f"cards-{across}"):
        for name in names:
            with (
                st.container(key=f"card-{name.replace('.', '-')}", border=True, height="stretch"),
                error_boundary(view.lang, name),
            ):
                _card(view, name, card_answers.get(name), below(name, card_answers))


def _printed(view: PageContext, answers: CardAnswers | None) -> str:
    """A second measure with its parts, as a line on a card."""
    if answers is None:
        return ""
    answer, metric = answers.now, answers.now.metrics[0]
    value = text.plain(answer.value(metric.name), metric.unit, view.lang)
    parts = elements.parts_of(answer, metric, answer.rows[0], context(view))
    line = f"{metric.short[view.lang]}: {value}" + (f" ({parts})" if parts else "")
    return f'<p class="pd-line"><b>{text.escape(line)}</b></p>'


def _at_once(view: PageContext, names: Iterable[str]) -> dict[str, CardAnswers]:
    """Each measure now, and a year before if it has a history; measures without meaning under the filters are left out.

    A snapshot that stays provisional for a while is asked on its latest settled day.
    """
    over = view.over or view.complete_months(periods.DEFAULT_MONTHS)
    by_day: dict[date, list[str]] = {}
    for name in names:
        by_day.setdefault(_day(view, name), []).append(name)
    card_answers: dict[str, CardAnswers] = {}
    for day, group in by_day.items():
        now = _together(view, group, on=day, over=over)
        old = [name for name, answer in now.items() if _has_year_before(answer.metrics[0], day, over)]
        then = _together(view, old, on=year_before(day), over=period_year_before(over))
        for name, answer in now.items():
            # Groups of the nation are not given to everybody of a year before.
            before = then[name] if name in then and then[name].where == answer.where else None
            side = scoped_query.side(answer, before) if before else ""
            card_answers[name] = CardAnswers(answer, before, day if day != view.as_of else None, side)
    return card_answers


def _day(view: PageContext, name: str) -> date:
    """The day a measure is asked on: its latest settled day, or the as-of day if none is settled yet."""
    return (scoped_query.settled_on(name, view.as_of) if _waits(name) else None) or view.as_of


def _has_year_before(metric: Metric, day: date, over: tuple[date, date]) -> bool:
    """Whether the register had begun a year before the day of a snapshot, or the period of what is counted.

    Institutes may be older than the first person.
    """
    if not metric.has_history or metric.dimensions.isdisjoint(expand_groups(["@person"])):
        return metric.has_history
    begins = warehouse.analyse(detail.begins_on)
    before = period_year_before(over)[0] if metric.kind == "event" else year_before(day)
    return begins is not None and begins <= before


def _waits(name: str) -> bool:
    """Whether a measure is a snapshot that stays provisional for a while."""
    metric = catalogue().get(name)
    return metric is not None and metric.kind == "snapshot" and provisional_days(name) > 0


def _history(view: PageContext, name: str) -> Answer | None:
    """A measure at the end of each of the last 24 complete, settled months; None if it has no history or meaning here."""
    metric = catalogue()[name]
    if not metric.has_history:
        return None
    over, (where, _) = last_complete_months(_day(view, name), _MONTHS), view.under(metric.dimensions)
    try:
        return warehouse.ask(name, by="month", over=over, where=where)
    except QuestionError:
        return None


def _months_of(view: PageContext, name: str, now: Answer) -> str:
    """The sparkline of the people that a card is of; empty where their months are not given."""
    history = _history(view, name)
    return sparkline(view, history if history and history.where == now.where else None)


def linked_title(view: PageContext, part: str, title: str) -> str:
    """A title that leads to the page with more about it, as HTML."""
    address = page_parameters.address(part, view.lang, view.scope.address())
    page = text.escape(navigation.part_words(part)[view.lang])
    words = view.escaped("change.page", page=title)
    return f'<a href="{text.escape(address)}" target="_self" title="{page}">{words}</a>'


def _link(view: PageContext, name: str, address: str, words: str) -> str:
    label = catalogue()[name].label[view.lang]
    return (
        f'<a class="pd-go" href="{text.escape(address)}" target="_self" '
        f'aria-label="{text.escape(f"{words}: {label}")}">{text.escape(words)}</a>'
    )


def _together(view: PageContext, names: Iterable[str], **period: Any) -> dict[str, Answer]:
    """Ask measures with the same applicable filters in one query; those without meaning here are left out."""
    groups: dict[Filters, list[str]] = {}
    for name in names:
        if metric := catalogue().get(name):
            where, _ = view.under(metric.dimensions)
            groups.setdefault(frozen(where), []).append(name)
    answers: dict[str, Answer] = {}
    for filters, group in groups.items():
        ask = partial(warehouse.ask_each, where=dict(filters), **period)
        try:
            answers |= ask(*group)
        except QuestionError:
            for name in group:
                with suppress(QuestionError):
                    answers |= ask(name)
    return answers


def _card(view: PageContext, name: str, answers: CardAnswers | None, below: str) -> None:
    analysis, _, part = name.rpartition(".")
    before: Any = None
    if analysis:
        answer, ignored = scoped_query.computed(view, analysis)
    elif answers:
        answer = answers.now
        before = answers.before.value() if answers.before else None
        _, ignored = view.under(answer.metrics[0].dimensions)
    else:
        # The measure failed in the batch: ask it alone, so that its error shows on its card.
        answer, ignored = scoped_query.ask(view, [name])
    metric = elements.metric_of(answer, part)
    # A number that is not settled on any day is shown as unknown.
    is_unsettled = answers is not None and answers.settled_on is None and _waits(name)
    value, row = None if is_unsettled else answer.value(part), answer.rows[0]
    lines = []
    if answer.over and (metric.kind == "event" or answer.on is None):
        lines.append(text.escape(text.period(*answer.over, view.lang)))
    if value is not None and before is not None:
        lines.append(_changed(view, metric, value, before, answers.side if answers else ""))
    if value is not None:
        lines += _beside_nation(view, metric)
    if value is None:
        # Times that count open files have no value until so many are decided.
        is_open = metric.unit == "working_days" and metric.name not in catalogue() and answer.rows[0][-1]
        key = "not_settled" if is_unsettled else "not_reached" if is_open else "not_known"
        lines.append(view.escaped(f"figure.{key}"))
    elif parts := elements.parts_of(answer, metric, row, context(view)):
        lines.append(text.escape(parts))
    if ignored:
        lines.append(text.escape(wording.no_effect(view, ignored)))
    if answer.left_out:
        lines.append(text.escape(member_names.left_out(answer.left_out, view.lang)))
    if None not in (value, before) and (link := _why(view, metric, answers)):
        lines.append(link)
    written = text.plain(value, metric.unit, view.lang)
    unit = (
        "" if value is None or metric.unit in text.NAMED_BY_LABEL else text.unit_word(metric.unit, view.lang, written)
    )
    label = metric.label[view.lang]
    if answers and answers.settled_on:
        label = view.word("change.settled", label=label, day=text.day(answers.settled_on, view.lang))
    st.html(card(label, written, unit, "".join(f'<p class="pd-line">{line}</p>' for line in lines) + below))
    page_files.note_card(f"card-{name}", label, where_and_when(view, answer), answer, part)
    question(view, answer, f"card-{name}")


def card(label: str, value: str, unit: str, below: str) -> str:
    """A card as HTML, with the HTML `below` its number."""
    return (
        f'<div class="pd-card"><p class="pd-label">{text.escape(label)}</p><div><p class="pd-value">'
        f"<bdi>{text.escape(value)}</bdi> <small>{text.escape(unit)}</small></p>{below}</div></div>"
    )


def _beside_nation(view: PageContext, metric: Metric) -> list[str]:
    """Of a rate of one province, the side of the nation on which it is; nothing where chance may explain it."""
    provinces = view.where.get("province", ())
    if (
        len(provinces) != 1
        or {"county", "institute"} & {*view.where}
        or metric.kind == "event"
        or not is_tested(metric.name)
    ):
        return []
    with suppress(QuestionError, TooEarly):
        where, _ = view.under(metric.dimensions - {"county", "institute"})
        for row in scoped_query.different(view, metric.name, "province", where).records():
            if row["province"] == provinces[0] and (judged := changes.verdict(metric, row["side"])):
                value = text.plain(row["whole_value"], metric.unit, view.lang)
                whole = f"{view.word('different.mean_nation')} ({value})"
                words = text.escape(different.beyond(metric, row["side"], whole, view.lang))
                return [f'<b class="pd-{judged}">{words}</b>']
    return []


def _why(view: PageContext, metric: Metric, answers: CardAnswers | None) -> str:
    """A link to the parts of the change in a year of a rate; empty where it has none, or Compare would ask of other people."""
    places = [view.where.get(place, ()) for place in PLACES]
    is_flow = metric.kind == "event" and view.over is not None
    if not (answers and metric.denominator) or is_flow or any(places[1:]) or len(places[0]) > 1:
        return ""
    with suppress(QuestionError):
        why.dimensions(metric.name)
        place, (now, before) = [*places[0], NATION][0], (view.as_of, year_before(view.as_of))
        sides = {"p": [place], "a": [before.isoformat()], "q": [place], "b": [now.isoformat()], "m": [metric.name]}
        address = page_parameters.address("compare", view.lang, view.scope.address() | sides)
        return _link(view, metric.name, address, view.word("why.link"))
    return ""


def _changed(view: PageContext, metric: Metric, now: Any, then: Any, side: str) -> str:
    """The signed change in a year; of a rate that changed beyond chance, whether it is better or worse."""
    if not changes.is_visible(metric, now, then):
        return view.escaped("change.unchanged")
    line = view.escaped("change.line", change=changes.signed(metric, now, then, view.lang))
    verdict = changes.verdict(metric, side)
    return f'{line}\u00a0· <b class="pd-{verdict}">{view.escaped(f"compare.{verdict}")}</b>' if verdict else line
