"""Cards: one number each, with its change in a year, its parts, and the side of the nation on which it is.

cards(scope, ask, "training_compliance", "requirement_rate", beside={"training_compliance": "trained_share"})
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from etl.analysis import detail, why
from etl.core.errors import QuestionError
from etl.core.jalali import last_complete_months, period_year_before, year_before
from etl.semantic.answers import Answer, Metric
from etl.semantic.catalog import catalogue, provisional_days
from etl.semantic.composed_answers import origins, with_rows
from etl.semantic.ranking import is_tested
from etl.semantic.rights import BELOW_PROVINCE
from etl.submissions import notes
from etl.warehouse.dimensions import PLACES, expand_groups
from ui.charts import elements
from ui.charts.elements import ChartContext
from ui.charts.titles import Title
from ui.data import ask as asking
from ui.data.ask import Ask, Filters, Question, frozen
from ui.exhibits.exhibit import Card, Exhibit, Line, Link, Nothing, Span, Table
from ui.exhibits.findings import without_county
from ui.i18n import member_names, text
from ui.state import periods, questions, wording
from ui.state.questions import analyse_under, ask_under, different, settled_on
from ui.state.scope import NATION, Scope
from ui.summary import changes
from ui.summary import different as sides
from ui.summary.claims import Said

# What has no value where too many people are in no known county.
_BY_COUNTY = ("counties_covered", "gini")
# The months of a sparkline.
_MONTHS = 24


@dataclass(frozen=True)
class Numbers:
    """The answers of a card: now, a year before, the day of `now` if it settled before the as-of day, and the side of the year
    before on which a rate is beyond chance.
    """

    now: Answer
    before: Answer | None = None
    settled_on: date | None = None
    side: str = ""


def cards(
    scope: Scope,
    ask: Ask,
    *names: str,
    beside: Mapping[str, str] | None = None,
    lists: Mapping[str, Link] | None = None,
) -> tuple[Exhibit, ...]:
    """Up to ten numbers, each with its change in a year, the parts of a rate, and its meaning.

    A name like `pace.required_pace` is a result of etl.analysis. `beside` maps a card to a second measure printed on it,
    `lists` a card to the list of what it counts.
    """
    companions, links = beside or {}, lists or {}
    known = at_once(scope, ask, (*names, *companions.values()))
    context = ChartContext(scope.lang, names=asking.names(ask, scope.lang))
    made = []
    for name in names:
        numbers, companion = known.get(name), known.get(companions.get(name, ""))
        below: list[Line] = []
        # A filter that only one of both knows would put numbers of different people side by side.
        if numbers and companion and numbers.now.where == companion.now.where:
            below.append(_printed(companion.now, context))
        if name in links:
            below.append((_link(name, links[name], context.word("action.open"), scope.lang),))
        made.append(_card(scope, ask, name, numbers, below, context))
    return tuple(made)


def _card(
    scope: Scope, ask: Ask, name: str, numbers: Numbers | None, below: list[Line], context: ChartContext
) -> Exhibit:
    analysis, _, part = name.rpartition(".")
    try:
        if analysis:
            exact, _ = analyse_under(scope, ask.exactly, analysis)
            answer = ask.shown(exact)
        elif numbers:
            answer = numbers.now
        else:
            # The measure failed in the batch: ask it alone, so that its error shows on its card.
            answer, _ = ask_under(scope, ask, [name])
    except Exception as failed:
        return Exhibit(scope.lang, Nothing("", failed=failed), name=name)
    metric, lang = elements.metric_of(answer, part), scope.lang
    is_unsettled = numbers is not None and numbers.settled_on is None and _waits(name)
    value = answer.value(part)
    before = numbers.before.value() if numbers and numbers.before else None
    lines: list[Line] = []
    if answer.over and (metric.kind == "event" or answer.on is None):
        lines.append((Span(text.period(*answer.over, lang)),))
    if value is not None and before is not None:
        lines.append(changed(metric, value, before, numbers.side if numbers else "", lang, answer))
    if value is not None:
        lines += _beside_nation(scope, ask, metric, context)
    if value is None:
        # Times that count open files have no value until so many are decided.
        is_open = (
            metric.unit == "working_days" and metric.name not in catalogue() and answer.rows and answer.rows[0][-1]
        )
        key = "not_settled" if is_unsettled else "not_reached" if is_open else "not_known"
        unplaced = without_county(scope, ask) if metric.name in _BY_COUNTY else Said()
        lines.append((Span(unplaced.words if unplaced else context.word(f"figure.{key}")),))
    elif parts := elements.parts_of(answer, metric, answer.rows[0], context):
        lines.append((Span(parts),))
    if answer.left_out:
        lines.append((Span(member_names.left_out(answer.left_out, lang)),))
    lines += below
    signed = notes.about(ask.notes, answer)
    if signed:
        words = context.word("signed.on_card", count=text.number(len(signed), lang))
        lines.append((_link(signed[0].measure, Link("quality"), words, lang),))
    if None not in (value, before) and (link := why_changed(scope, metric, numbers)):
        lines.append((link,))
    written = text.plain(value, metric.unit, lang)
    has_unit = value is not None and metric.unit not in text.NAMED_BY_LABEL
    label = metric.label[lang]
    if numbers and numbers.settled_on:
        label = context.word("change.settled", label=label, day=text.day(numbers.settled_on, lang))
    return Exhibit(
        lang,
        Card(written, text.unit_word(metric.unit, lang, written) if has_unit else "", tuple(lines), part or name),
        answer,
        Title(label),
        wording.where_and_when(context, answer, ask.rights, scope.day),
        notes=tuple(wording.note(context, note, ask is ask.exactly) for note in signed),
        names=context.names,
        name=name,
    )


def as_one(scope: Scope, row: tuple[Exhibit, ...]) -> Exhibit:
    """A row of cards as one table: a column for each number. Where they are of several days or filters, only what all share
    is said of the whole, and a column says its own day.
    """
    found = [(card, card.answer) for card in row if card.answer is not None and isinstance(card.form, Card)]
    if not found:
        return next((card for card in row), Exhibit(scope.lang, Nothing("state.empty_title")))
    metrics, values, hidden = [], [], set()
    for card, answer in found:
        assert isinstance(card.form, Card)
        metric = elements.metric_of(answer, card.form.measure.rpartition(".")[2])
        metrics.append(replace(metric, label=metric.label | {scope.lang: card.title.sentence}))
        values.append(answer.value(metric.name))
        hidden |= {cell for cell in answer.hidden if cell[1] == metric.name}
    answers = [answer for _, answer in found]
    days = {answer.on for answer in answers if answer.on}
    periods_of = {answer.over for answer in answers if answer.over}
    filters = [{*answer.where.items()} for answer in answers]
    whole = replace(
        with_rows(answers[0], (), metrics, [tuple(values)]),
        on=days.pop() if len(days) == 1 else None,
        over=periods_of.pop() if len(periods_of) == 1 else None,
        where=dict(sorted(set.intersection(*filters))),
        hidden=frozenset(hidden),
        **origins(*answers),
    )
    notes = tuple(dict.fromkeys(note for card, _ in found for note in card.notes if note != card.no_effect))
    said = {card.no_effect: "" for card, _ in found}
    no_effect = [*said] if len(said) == 1 else [f"{c.title.sentence}: {c.no_effect}" for c, _ in found if c.no_effect]
    return Exhibit(
        scope.lang,
        Table(),
        whole,
        Title(""),
        found[0][0].subtitle,
        notes=notes,
        names=found[0][0].names,
        no_effect=" ".join(no_effect),
    )


def number(scope: Scope, ask: Ask, name: str) -> tuple[Exhibit, ...]:
    """The number of a panel, which says the rest by itself."""
    answer, context = (
        at_once(scope, ask, [name])[name].now,
        ChartContext(scope.lang, names=asking.names(ask, scope.lang)),
    )
    metric = answer.metrics[0]
    written = text.plain(answer.value(), metric.unit, scope.lang)
    has_unit = metric.unit not in text.NAMED_BY_LABEL
    card = Card(written, text.unit_word(metric.unit, scope.lang, written) if has_unit else "", measure=name)
    when = wording.where_and_when(context, answer, ask.rights, scope.day)
    return (Exhibit(scope.lang, card, answer, Title(metric.label[scope.lang]), when, names=context.names, name=name),)


# ---------------------------------------------------------------- the number of a panel


@dataclass(frozen=True)
class Headline:
    """One number: now and a year before, its latest months where they are of the same people, and why it changed."""

    numbers: Numbers
    months: Answer | None = None
    why: Span | None = None


def headline(scope: Scope, ask: Ask, name: str) -> Headline | None:
    """The number of a measure; None where it has no meaning."""
    numbers = at_once(scope, ask, [name]).get(name)
    if numbers is None:
        return None
    months, is_compared = (
        _months(scope, ask, name),
        numbers.before and None not in (numbers.now.value(), numbers.before.value()),
    )
    return Headline(
        numbers,
        months if months and months.where == numbers.now.where else None,
        why_changed(scope, numbers.now.metrics[0], numbers) if is_compared else None,
    )


def _months(scope: Scope, ask: Ask, name: str) -> Answer | None:
    """A measure at the end of each of the last 24 complete, settled months; None if it has no history or meaning here."""
    metric = catalogue()[name]
    if not metric.has_history:
        return None
    over = last_complete_months(day_of(scope, ask, name), _MONTHS)
    with suppress(QuestionError):
        return ask(Question((name,), ("month",), None, over, frozen(scope.under(metric.dimensions)[0])))
    return None


# ---------------------------------------------------------------- the answers


def at_once(scope: Scope, ask: Ask, names: Iterable[str]) -> dict[str, Numbers]:
    """Each measure now, and a year before if it has a history; measures without meaning under the filters are left out.

    A snapshot that stays provisional for a while is asked on its latest settled day; without any it has no number.
    """
    over = scope.over or scope.complete_months(periods.DEFAULT_MONTHS)
    by_day: dict[date, list[str]] = {}
    for name in names:
        by_day.setdefault(day_of(scope, ask, name), []).append(name)
    found: dict[str, Numbers] = {}
    for day, group in by_day.items():
        now = _together(scope, ask.exactly, group, day, over)
        old = [name for name, answer in now.items() if _has_year_before(ask, answer.metrics[0], day, over)]
        then = _together(scope, ask.exactly, old, year_before(day), period_year_before(over))
        for name, answer in now.items():
            # The two batches may be narrowed to the rights differently.
            before = then[name] if name in then and then[name].where == answer.where else None
            settled, shown = day if day != scope.day else None, ask.shown(answer)
            shown_before = ask.shown(before) if before else None
            side = questions.side(ask, shown, shown_before) if shown_before else ""
            if settled is None and _waits(name):
                # Unknown, on screen and in files: it is not settled on any day.
                shown = replace(shown, rows=[(None,) * len(shown.columns)], hidden=frozenset())
            found[name] = Numbers(shown, shown_before, settled, side)
    return found


def day_of(scope: Scope, ask: Ask, name: str) -> date:
    """The day a measure is asked on: its latest settled day, or the as-of day if none is settled yet."""
    return (settled_on(ask, name, scope.day) if _waits(name) else None) or scope.day


def _has_year_before(ask: Ask, metric: Metric, day: date, over: tuple[date, date]) -> bool:
    """Whether the register had begun a year before the day of a snapshot, or the period of what is counted.

    Institutes may be older than the first person.
    """
    if not metric.has_history or metric.dimensions.isdisjoint(expand_groups(["@person"])):
        return metric.has_history
    begins = ask.look_up(detail.begins_on)
    before = period_year_before(over)[0] if metric.kind == "event" else year_before(day)
    return begins is not None and begins <= before


def _waits(name: str) -> bool:
    """Whether a measure is a snapshot that stays provisional for a while."""
    metric = catalogue().get(name)
    return metric is not None and metric.kind == "snapshot" and provisional_days(name) > 0


def _together(scope: Scope, ask: Ask, names: Iterable[str], on: date, over: tuple[date, date]) -> dict[str, Answer]:
    """Measures with the same applicable filters by one query; those without meaning here are left out."""
    groups: dict[Filters, list[str]] = {}
    for name in names:
        if metric := catalogue().get(name):
            groups.setdefault(frozen(scope.under(metric.dimensions)[0]), []).append(name)
    found: dict[str, Answer] = {}
    for filters, group in groups.items():
        question = Question(tuple(group), (), on, over, filters)
        try:
            found |= ask.each(question)
        except QuestionError:
            for name in group:
                with suppress(QuestionError):
                    found |= ask.each(replace(question, names=(name,)))
    return found


# ---------------------------------------------------------------- the lines


def changed(metric: Metric, now: Any, then: Any, side: str, lang: str, of: Answer) -> Line:
    """The signed change in a year; of a rate that changed beyond chance, whether it is better or worse."""
    if not changes.is_visible(metric, now, then):
        return (Span(text.word("change.unchanged", lang)),)
    line = text.word("change.line", lang, change=changes.signed(metric, now, then, lang, of))
    judged = changes.verdict(metric, side)
    return (Span(f"{line}\u00a0· "), Span(text.word(f"compare.{judged}", lang), judged)) if judged else (Span(line),)


def _printed(answer: Answer, context: ChartContext) -> Line:
    """A second measure with its parts."""
    metric = answer.metrics[0]
    value = text.plain(answer.value(metric.name), metric.unit, context.lang)
    parts = elements.parts_of(answer, metric, answer.rows[0], context)
    return (Span(f"{metric.short[context.lang]}: {value}" + (f" ({parts})" if parts else ""), "strong"),)


def _beside_nation(scope: Scope, ask: Ask, metric: Metric, context: ChartContext) -> list[Line]:
    """Of a rate of one province, the side of the nation on which it is; nothing where chance may explain it."""
    if not scope.province or metric.kind == "event" or not is_tested(metric.name):
        return []
    with suppress(QuestionError):
        where, _ = scope.under(metric.dimensions - BELOW_PROVINCE)
        for row in different(scope, ask, metric.name, "province", where).records():
            if row["province"] == scope.province and (judged := changes.verdict(metric, row["side"])):
                value = text.plain(row["whole_value"], metric.unit, scope.lang)
                whole = f"{context.word('different.mean_nation')} ({value})"
                return [(Span(sides.beyond(metric, row["side"], whole, scope.lang), judged),)]
    return []


def why_changed(scope: Scope, metric: Metric, numbers: Numbers | None) -> Span | None:
    """A link to the parts of the change in a year of a rate; None where it has none, or Compare would ask of other people."""
    places = [scope.where.get(place, ()) for place in PLACES]
    is_flow = metric.kind == "event" and scope.over is not None
    if not (numbers and metric.denominator) or is_flow or any(places[1:]) or len(places[0]) > 1:
        return None
    with suppress(QuestionError):
        why.dimensions(metric.name)
        place, (now, before) = [*places[0], NATION][0], (scope.day, year_before(scope.day))
        chosen = {
            "p": (place,),
            "a": (before.isoformat(),),
            "q": (place,),
            "b": (now.isoformat(),),
            "m": (metric.name,),
        }
        return _link(metric.name, Link("compare", tuple(chosen.items())), text.word("why.link", scope.lang), scope.lang)
    return None


def _link(name: str, link: Link, words: str, lang: str) -> Span:
    return Span(words, link=link, about=f"{words}: {catalogue()[name].label[lang]}")
