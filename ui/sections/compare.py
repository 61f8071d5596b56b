"""Two sides side by side, the parts of their difference, over time, and the bridge of each."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from functools import partial
from operator import itemgetter
from typing import Any

import streamlit as st

from etl.analysis import comparison
from etl.analysis.different import is_tested_over_time
from etl.analysis.why import dimensions
from etl.core.errors import AccessDenied, QuestionError
from etl.core.jalali import DAY, last_complete_months, unit_of
from etl.semantic.answers import Answer, Metric
from etl.semantic.catalog import catalogue, size_of
from etl.semantic.ranking import is_tested
from etl.semantic.rights import BELOW_PROVINCE
from ui.charts import comparison as charts
from ui.charts import elements, steps, titles
from ui.charts.comparison import SideDay
from ui.components import blocks, tables
from ui.components import figures as ui
from ui.components.blocks import controlled
from ui.components.footer import context, footer, subtitle
from ui.data import page_run, warehouse
from ui.data.ask import Ask, Filters, frozen
from ui.exhibits import figure as exhibits
from ui.exhibits.exhibit import Exhibit, Made
from ui.i18n import text
from ui.sections.sides import PAGE, Sides, choices, named, shown, sides_of, where_of
from ui.state import page_parameters, scoped_query, wording
from ui.state.address import SIMILAR
from ui.state.page_context import PageContext
from ui.state.questions import without_places
from ui.state.scope import NATION, Scope
from ui.summary import changes, different

# The default measure of parts and lines: a rate, because a province and the nation differ too much in counts.
_LINE, _MONTHS = "training_compliance", 36
# So many rates are named in the title.
_MOST_NAMED = 2
_SIDES = ("first", "second")


def compare(view: PageContext, *names: str) -> None:
    """The whole page: choices, the chosen measure of both sides and what explains it, all numbers, the bridge of each side."""
    chosen = sides_of(view)
    choices(view, chosen)
    if any(place == SIMILAR and not chosen.similar(i) for i, place in enumerate(chosen.places)):
        blocks.notice(view.lang, "compare.similar", view.word("compare.none_similar"))
        return
    # A census share of the nation's target would only restate coverage.
    if not all(map(_has_target, chosen.places, chosen.days)):
        names = tuple(name for name in names if name != "target_progress")
    name = measure(view, names)
    is_split, show_why = why(view, chosen, name)
    # What is a sentence alone stands above the lines, not beside them.
    over, beside = st.columns(2) if is_split else (st.container(), None)
    with beside or over:
        show_why()
    with over, st.container(border=True, key="figure-compare-lines", height="stretch"):
        over_time(view, chosen, name)
    table(view, chosen, *sorted(names, key=lambda each: each != name))
    bridges(view, chosen)


def _has_target(place: str, day: date) -> bool:
    return place != SIMILAR and warehouse.ask("own_target", on=day, where=where_of(place)).value() is not None


def table(view: PageContext, chosen: Sides, *names: str) -> None:
    """Measures down; the two sides and their difference across."""
    with st.container(border=True, key="figure-compare"), blocks.error_boundary(view.lang, PAGE):
        where = without_places(view.where)
        known = catalogue()
        offered = [name for name in names if set(where) <= known[name].dimensions]
        first, second = chosen.side(0), chosen.side(1)
        answer = warehouse.analyse(comparison.compare, tuple(offered), first, second, frozen(where))
        chart_context = context(view, side=_titles(view, chosen, answer))
        rows = {row[0]: row for row in answer.rows}
        tested = [_is_tested(chosen, each) for each in answer.metrics]
        verdicts = [_verdict(chosen, each, frozen(where)) for each in answer.metrics]
        sides = [chart_context.member("side", side) for side in ("first", "second", "difference")]
        compared = view.word("compare.sides", first=sides[0], second=sides[1])
        filters = text.listed(wording.filters(view, where), view.lang)
        below = " · ".join(filter(None, (compared, filters, view.word("compare.difference_is"))))
        blocks.head(_finding(view, answer, rows, verdicts, sum(tested), chosen), below)
        if ignored := sorted(BELOW_PROVINCE & {*view.where}):
            blocks.note(wording.no_effect(view, ignored))
        heads = [view.word("compare.measure"), *sides]
        columns = [tables.Column("", title, itemgetter(i), is_number=i > 0) for i, title in enumerate(heads)]
        body = [
            _row(view, answer, each, rows, verdict, chosen.days)
            for each, verdict in zip(answer.metrics, verdicts, strict=True)
        ]
        tables.show(view, "compare", columns, body, view.word("compare.caption"))
        if left_out := [known[name].label[view.lang] for name in names if name not in offered]:
            blocks.note(view.word("compare.left_out", measures=text.listed(left_out, view.lang)))
        footer(view, answer, "compare", with_table=False, chart_context=chart_context)


def _titles(view: PageContext, chosen: Sides, answer: Answer) -> dict[str, str]:
    first, second = (
        text.listed([shown(view, place, answer), text.day(day, view.lang)], view.lang)
        for place, day in zip(chosen.places, chosen.days, strict=True)
    )
    return {"first": first, "second": second, "difference": view.word("compare.difference")}


def _apart(view: PageContext, chosen: Sides) -> dict[str, str]:
    """The sides by what differs between them: their days or their places."""
    if chosen.places[0] == chosen.places[1]:
        apart = [text.day(day, view.lang) for day in chosen.days]
    else:
        apart = [named(view, place) for place in chosen.places]
    return dict(zip(("first", "second"), apart, strict=True))


def _finding(
    view: PageContext, answer: Answer, rows: dict[str, tuple], verdicts: list[str], tested: int, chosen: Sides
) -> str:
    """The numbers of a single measure; of several, on which or how many of the `tested` the second side is better or worse.

    Nothing is said of rates in which no difference was found.
    """
    if len(verdicts) > 1:
        counts = Counter(filter(None, verdicts))
        numbers = {verdict: different.written(count, view.lang) for verdict, count in counts.items()}
        if not numbers:
            count = text.number(len(verdicts), view.lang)
            whole = {name: side for name, side in _titles(view, chosen, answer).items() if name in _SIDES}
            # The line below the title gives the day, or the place, that both share.
            differ_twice = len({*chosen.places}) == len({*chosen.days}) == 2
            named_sides = (whole, _apart(view, chosen)) if differ_twice else (_apart(view, chosen),)
            beside = (view.word("compare.beside", count=count, **each) for each in named_sides)
            return titles.first_that_fits([*beside, view.word("compare.finding_beside", count=count)])
        key = "both" if len(numbers) == 2 else next(iter(numbers))
        count = text.number(counts["better"] or counts["worse"], view.lang)
        is_all = len(numbers) == 1 and sum(counts.values()) == tested
        findings = [view.word(f"compare.finding_{key}{'_all' if is_all else ''}", count=count, **numbers)]
        found = [metric.short[view.lang] for metric, verdict in zip(answer.metrics, verdicts, strict=True) if verdict]
        if len(numbers) == 1 and len(found) <= _MOST_NAMED:
            names = different.joined([text.inside(name, view.lang) for name in found], view.lang)
            findings.insert(0, view.word(f"compare.finding_{key}_on", names=names))
        # The line below the title says which place and day each letter is.
        letters = {"first": view.word("compare.side_1"), "second": view.word("compare.side_2")}
        said = [("against", _apart(view, chosen)), ("than", _apart(view, chosen)), ("against", letters)]
        return titles.first_that_fits(
            view.word(f"compare.{how}", finding=finding, **sides) for finding in findings for how, sides in said
        )
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    if rows["difference"][at] is None:
        return metric.label[view.lang]
    first, second = (text.plain(rows[side][at], metric.unit, view.lang) for side in _SIDES)
    change, measure = signed(rows["second"][at], rows["first"][at], metric.unit, view.lang), metric.short[view.lang]
    return view.word("compare.finding", measure=measure, first=first, second=second, change=change)


def _row(
    view: PageContext, answer: Answer, metric: Metric, rows: dict[str, tuple], verdict: str, days: Sequence[date]
) -> list[str]:
    at = answer.columns.index(metric.name)
    cells = [text.escape(metric.label[view.lang])]
    for side, day in zip(_SIDES, days, strict=True):
        value = text.escape(text.amount(rows[side][at], metric.unit, view.lang))
        cells.append(value + _parts(view, answer, metric, rows[side]) + _settled(view, metric, day))
    first, second = (rows[side][at] for side in _SIDES)
    written = signed(second, first, metric.unit, view.lang)
    if None not in (first, second) and not changes.is_visible(metric, second, first):
        written = view.word("change.same")
    remark = verdict and f'<br><small class="pd-{verdict}">{view.escaped(f"compare.{verdict}")}</small>'
    return [*cells, f"<bdi>{text.escape(written)}</bdi>{remark}"]


def _settled(view: PageContext, metric: Metric, day: date) -> str:
    """The day on which a measure that stays provisional is asked in place of `day`."""
    settled = scoped_query.settled_on(metric.name, day)
    if settled in (None, day):
        return ""
    return f"<br><small>{view.escaped('compare.settled', day=text.day(settled, view.lang))}</small>"


def _parts(view: PageContext, answer: Answer, metric: Metric, row: tuple) -> str:
    is_median = metric.numerator in answer.columns and row[answer.columns.index(metric.numerator)] is None
    parts = "" if is_median else elements.parts_of(answer, metric, row, context(view))
    return f"<br><small>{text.escape(parts)}</small>" if parts else ""


def signed(value: Any, before: Any, unit: str, lang: str) -> str:
    """The difference of two shown numbers or days with its sign; for shares in percentage points."""
    if None in (value, before):
        return "–"
    if isinstance(value, date):
        return f"{text.number((value - before).days, lang, signed=True)} {text.unit_word('days', lang)}"
    return changes.part(changes.of_shown(value, before, unit), unit, lang)


def _is_tested(chosen: Sides, metric: Metric) -> bool:
    """Whether a difference of a measure between the sides may be better or worse."""
    on_one_day = chosen.days[0] == chosen.days[1]
    return chosen.are_tested and (is_tested if on_one_day else is_tested_over_time)(metric.name)


def _verdict(chosen: Sides, metric: Metric, where: Filters) -> str:
    """Better or worse: of a rate with a direction, where the second side differs from the first beyond chance."""
    if not _is_tested(chosen, metric):
        return ""
    first, second = (
        comparison.Side(
            scoped_query.settled_on(metric.name, chosen.days[i]) or chosen.days[i],
            frozen({**dict(where), **where_of(chosen.places[i])}),
        )
        for i in (0, 1)
    )
    with suppress(AccessDenied):
        answer = warehouse.analyse("differs", on=second.on, where=dict(second.where), metric=metric.name, than=first)
        return changes.verdict(metric, answer.value("side"))
    return ""


def measure(view: PageContext, names: Sequence[str]) -> str:
    """The measure of the parts and the lines: that of the address, else a rate; with a box to choose another."""
    offered = [name for name in names if set(without_places(view.where)) <= catalogue()[name].dimensions]
    name = page_parameters.one(PAGE, "m", _LINE if _LINE in offered else offered[0])
    labels = {each: catalogue()[each].label[view.lang] for each in [*offered, name]}
    label = view.word("why.line_of")
    _box("measure", label, "m", name, labels, lambda chosen: page_parameters.choose(PAGE, m=chosen, by=None))
    return name


def _box(
    ident: str, label: str, parameter: str, value: str, labels: Mapping[str, str], chosen: Callable[[str], object]
) -> None:
    """A choice among `labels`, in a container of the footers, which the style sheet hides in print."""
    with st.container(key=f"footer-compare-{ident}"):
        options, named = list(labels), labels.__getitem__
        controlled(
            st.selectbox, label, f"compare {parameter}", value, chosen, options=options, format_func=named, width=280
        )


def why(view: PageContext, chosen: Sides, name: str) -> tuple[bool, Callable[[], None]]:
    """Whether the difference in a measure has parts, and what shows why: those, or a sentence.

    The parts are by the dimension of the address, else the one that explains most.
    """
    metric = catalogue()[name]
    with blocks.error_boundary(view.lang, "compare-why"):
        offered = _dimensions(name)
        is_two = (chosen.places[0] == chosen.places[1]) != (chosen.days[0] == chosen.days[1])
        if not offered or not is_two or SIMILAR in chosen.places:
            return False, partial(blocks.note, view.word("split.two_sides" if offered else "split.no_parts"))
        before, after = (scoped_query.settled_on(name, day) or day for day in chosen.days)
        # The nation is what a province is compared with.
        base, here = sorted(chosen.places, key=lambda place: place != NATION) if before == after else chosen.places
        against = "nation" if base == NATION else f"province={base}"
        sides = {"before": before} if before != after else {"against": against}
        by = page_parameters.one(PAGE, "by")
        if by not in offered and base == here == NATION and not page_run.access_scope().sees_whole_country:
            # Of the nation only its provinces are open to everybody.
            by = "province"
        where = {**without_places(view.where), **where_of(here)}
        answer = warehouse.analyse("why", on=after, where=where, metric=name, by=by if by in offered else "", **sides)
        there = view.word("different.nation") if base == NATION else named(view, base)
        kind, between = "place", (there, named(view, here))
        if before != after:
            kind, between = "day", (text.day(before, view.lang), text.day(after, view.lang))
        said = changes.sentence(answer, metric, view.lang, context(view).member, kind, between)
        if not changes.is_split(answer, metric):
            return False, partial(_sentence, charts.largest(answer, context(view), metric).sentence, said)
        return True, partial(_parts_of_difference, view, metric, answer, said, offered)
    return False, lambda: None


def _sentence(title: str, said: str) -> None:
    with st.container(border=True, key="figure-compare-why"):
        blocks.head(title, said)


def _parts_of_difference(view: PageContext, metric: Metric, answer: Answer, said: str, offered: Sequence[str]) -> None:
    with (
        st.container(border=True, key="figure-compare-why", height="stretch"),
        blocks.error_boundary(view.lang, "compare-why"),
    ):
        ui.draw(
            view,
            charts.parts,
            changes.shown(answer, metric),
            "compare-why",
            partial(charts.largest, metric=metric),
            options={"unit": metric.unit},
            notes=[view.word("split.note")],
            card=f'<p class="pd-intro">{text.escape(said)}</p>',
        )
        labels = {dimension: view.word(f"dimension.{dimension}") for dimension in [*offered, answer.by[0]]}
        label = view.word("split.by")
        _box("by", label, "by", answer.by[0], labels, lambda by: page_parameters.choose(PAGE, by=by))


def _dimensions(name: str) -> tuple[str, ...]:
    """The dimensions by which a difference splits; empty for a measure without parts."""
    with suppress(QuestionError):
        return dimensions(name)
    return ()


def over_time(view: PageContext, chosen: Sides, name: str) -> None:
    """A measure of both places as lines in one chart, with the day of each side marked."""
    with blocks.error_boundary(view.lang, "compare-lines"):
        where, pair = without_places(view.where), (chosen.side(0), chosen.side(1))
        sides = dict(zip(chosen.places, pair, strict=True))
        answer = warehouse.analyse(
            comparison.over_time, name, tuple(sides.items()), _period(view, chosen.days), frozen(where)
        )
        compared = warehouse.analyse(comparison.compare, (name,), *pair, frozen(where))
        settled = (scoped_query.settled_on(name, day) or day for day in chosen.days)
        days = tuple(map(SideDay, chosen.places, settled, compared.column(name)[:2]))
        labels = {place: shown(view, place, answer) for place in sides}
        whose = (text.listed(names, view.lang) for names in (list(labels.values()), wording.filters(view, where)))
        named_sides = subtitle(view, answer, " · ".join(filter(None, whose)))

        def make(scope: Scope, ask: Ask) -> Exhibit:
            # The values of the days are exact.
            marked = days if ask is ask.exactly else tuple(replace(day, value=None) for day in days)
            return exhibits.of_answer(
                scope,
                ask,
                charts.two_sides,
                answer,
                partial(charts.side_by_side, days=marked),
                options={"days": marked, "zero": catalogue()[name].unit != "share"},
                subtitle=named_sides,
                cases=_cases(view, compared),
                names={"side": labels},
            )

        if send := ui.show(view, Made(make, view.asked, warehouse.of_page()), "compare-lines"):
            send()


def _cases(view: PageContext, compared: Answer) -> str:
    """The number of cases of a ratio on the day of each side; empty for counts, and where a side has none."""
    metric = compared.metrics[0]
    counted = size_of(metric)
    sizes = compared.column(counted)[:2] if counted in compared.columns and counted != metric.name else []
    if not sizes or None in sizes:
        return ""
    count = text.listed([text.amount(size, catalogue()[counted].unit, view.lang) for size in sizes], view.lang)
    return view.word("figure.cases", count=count)


def _period(view: PageContext, days: Sequence[date]) -> tuple[date, date]:
    """The period of the page, or the last three years and the days of both sides."""
    first, last = view.months(_MONTHS)
    return view.over or (min(first, unit_of(min(days), "month").first), max(last, *days))


def bridges(view: PageContext, chosen: Sides) -> None:
    """The bridge of each side: between the two days, or over the year before if both days are the same."""
    if without_places(view.where):
        blocks.notice(view.lang, "compare.no_bridge_title", view.word("compare.no_bridge"), "refused")
        return
    first, last = sorted(chosen.days)
    over = (first + DAY, last) if first < last else last_complete_months(last, 12)
    places = [place for place in dict.fromkeys(chosen.places) if place != SIMILAR]
    for place, column in zip(places, st.columns(len(places)), strict=True):
        ident = f"bridge-{place}"
        with (
            column,
            st.container(border=True, key=f"figure-{ident}", height="stretch"),
            blocks.error_boundary(view.lang, ident),
        ):
            ui.draw(view, steps.bridge, warehouse.analyse("bridge", over[1], where_of(place), over), ident)
