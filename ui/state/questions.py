"""What a page asks under its scope: measures, analyses, who differs, and what something is compared with.

Each function takes a Scope and an Ask and no page, so that screen, file, paper and test ask alike. Independent of Streamlit.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Any

from etl.analysis import analyses, detail
from etl.analysis.comparison import Side
from etl.analysis.different import PUBLISHED, is_sizeable, is_tested_over_time
from etl.core.errors import QuestionError, TooEarly
from etl.semantic import resolve
from etl.semantic.answers import Answer
from etl.semantic.catalog import TIME, catalogue
from etl.semantic.exportable import StoredRows
from etl.semantic.open_totals import is_open, sees_nation
from etl.semantic.rights import BELOW_PROVINCE
from etl.warehouse.dimensions import PLACES
from ui.data.ask import Ask, Question, Where, frozen, of_analysis
from ui.state import periods
from ui.state.scope import Scope

Over = tuple[date, date]


def ask_under(
    scope: Scope,
    ask: Ask,
    names: Sequence[str],
    by: tuple[str, ...] = (),
    over: Over | None = None,
    without: Collection[str] = (),
) -> tuple[Answer, list[str]]:
    """The answer under the scope, and the filters that have no meaning for these measures.

    Flows and units of time are asked over the period of the scope, else over `over`, else over the twelve complete months
    before its day. With a measure that stays provisional for a while, the day is the latest on which it is settled.
    """
    known = frozenset.intersection(*(catalogue()[name].dimensions for name in names)).difference(without)
    where, ignored = scope.under(known)
    on, period = when(scope, ask, names, by, over)
    answer = with_cut_unit(ask(Question(tuple(names), by, on, period, frozen(where))))
    # A province that is left out is outlined or a part of what is shown.
    return answer, [name for name in ignored if name != "province" or name not in without]


def analyse_under(scope: Scope, ask: Ask, analysis: str, **options: Any) -> tuple[Answer, list[str]]:
    """The result of an analysis under the scope, and the filters that have no meaning for it.

    `options` are its parameters besides the scope: a goal, a metric.
    """
    where, ignored = scope.under(analyses.filters(analysis))
    return ask(of_analysis(analysis, scope.day, where, scope.over, **options)), ignored


def on_day(scope: Scope, ask: Ask, *names: str, by: tuple[str, ...] = (), day: date | None = None) -> Answer:
    """Measures on the day of the scope, or another, under those of its filters that have a meaning for all of them."""
    where, _ = scope.under(frozenset.intersection(*(catalogue()[name].dimensions for name in names)))
    return ask(Question(names, by, day or scope.day, None, frozen(where)))


def when(
    scope: Scope,
    ask: Ask,
    names: Sequence[str],
    by: Sequence[str],
    over: Over | None = None,
    is_settled: bool = True,
) -> tuple[date | None, Over | None]:
    """The day of the snapshots, and the period of the flows and units of time, of a question.

    All snapshots have one day, whichever stands first: the latest on which each is settled. Raises TooEarly without any.
    """
    kinds, is_timed = {catalogue()[name].kind for name in names}, bool({*TIME} & {*by})
    period = scope.over or over or scope.complete_months(periods.DEFAULT_MONTHS)
    if is_timed or kinds == {"event"}:
        return None, period
    if not is_settled:
        return scope.day, period if "event" in kinds else None
    days = {name: settled_on(ask, name, scope.day) for name in names if catalogue()[name].kind == "snapshot"}
    settled = [day for day in days.values() if day is not None]
    if len(settled) < len(days):
        raise TooEarly(f"{', '.join(days)}: no month is settled yet")
    return min(settled), period if "event" in kinds else None


def free(
    scope: Scope, ask: Ask, names: Sequence[str], by: Sequence[str], *, is_settled: bool = True, calc: str = ""
) -> Answer | StoredRows:
    """The answer to a free question under the scope: that of Explore and, without `is_settled`, of the data address.

    With `calc` it has a quick calculation beside each measure. Explore ranks, so it shows the day on which every measure is
    settled. A program gets the day it asked for, and the status says what can still change.
    """
    on, over = when(scope, ask, names, by, is_settled=is_settled)
    answer = ask.stored(Question(tuple(names), tuple(by), on, over, frozen(scope.where), calc=calc))
    return with_cut_unit(answer) if isinstance(answer, Answer) else answer


def with_cut_unit(answer: Answer) -> Answer:
    """The answer with the unit of time that its period begins within among those that are not complete."""
    unit = resolve.unit_of_time(answer.by)
    if not (unit and answer.over and any(metric.kind == "event" for metric in answer.metrics)):
        return answer
    cut = resolve.cut_at_start(answer.over, unit)
    return replace(answer, provisional=answer.provisional | cut) if cut else answer


def settled_on(ask: Ask, name: str, on: date) -> date | None:
    """The latest settled day of a metric up to `on`, for headlines and comparisons; None if no month is settled."""
    return ask.look_up(resolve.settled_on, name, on)


def different(
    scope: Scope, ask: Ask, name: str, by: str, where: Where, over: Over | None = None, whole: str = ""
) -> Answer:
    """Who is below or above the whole, by the one test, on the counts that the Ask may tell of.

    With `whole="nation"` places of a province are compared with the nation too.

    Provinces are compared with the nation whichever are chosen, so that the test is made once for all choices.
    """
    asked, codes = dict(where), tuple(where.get("province", ()))
    chosen = {"whole": whole} if whole else {}
    chosen |= counts_known(ask, (by,), where)
    is_national = by == "province" and not BELOW_PROVINCE & {*where} and sees_nation(ask.rights, where)
    if is_national:
        asked.pop("province", None)
    exact = ask.exactly(of_analysis("different", scope.day, asked, over, metric=name, by=by, **chosen))
    answer = exact if ask is ask.exactly else _as_shown(exact, ask)
    if not (is_national and codes):
        return answer
    return replace(
        answer, where=answer.where | {"province": codes}, rows=[row for row in answer.rows if row[0] in codes]
    )


def counts_known(ask: Ask, by: Collection[str], *filters: Collection[str]) -> dict[str, Any]:
    """The option of a test: a file for circulation tells no side that its counts do not, unless these are open totals."""
    is_exact = ask is ask.exactly or all(is_open(by, where) for where in filters)
    return {} if is_exact else {"counts": PUBLISHED}


def _as_shown(exact: Answer, ask: Ask) -> Answer:
    """An answer of `different` with the numbers of an Ask; a province that has none is named where its total is open."""
    name, (by,), answer = exact.metrics[0].name, exact.by, ask.shown(exact)
    whole = ask(Question((name,), (), exact.on, exact.over, frozen(exact.where))).value()
    rows = [row | {"whole_value": whole} for row in answer.records()]
    if is_open(exact.by, exact.where):
        listed, none = {row[by] for row in rows}, dict.fromkeys(exact.columns)
        left_out = [row for row in exact.records() if row[by] not in listed and row["side"] not in ("none", "untested")]
        rows = [*(none | {by: row[by], "side": row["side"], "whole_value": whole} for row in left_out), *rows]
    return replace(answer, rows=[tuple(row[column] for column in exact.columns) for row in rows])


def who_differs(scope: Scope, ask: Ask, name: str, by: str) -> Answer:
    """Who is below or above the whole under the scope. Raises QuestionError for a county or an institute."""
    if BELOW_PROVINCE & {*scope.where}:
        raise QuestionError("who is behind is not said on the page of one county or institute")
    return different(scope, ask, name, by, scope.under(catalogue()[name].dimensions)[0])


def side(ask: Ask, here: Answer, there: Answer) -> str:
    """On which side of the rate of another day one is beyond chance: lower, higher, or empty."""
    rate, value, before = here.metrics[0], here.value(), there.value()
    if not (here.on and there.on and is_tested_over_time(rate.name)) or None in (value, before):
        return ""
    if not is_sizeable(rate, value - before, before):
        # Such a change is never named; the test takes longer than all else on a card.
        return ""
    than = Side(there.on, frozen(there.where))
    with suppress(QuestionError):
        counts = counts_known(ask, (), here.where, there.where)
        asked = of_analysis("differs", here.on, here.where, metric=rate.name, than=than, **counts)
        found = str(ask.exactly(asked).value("side"))
        return found if found in ("lower", "higher") else ""
    return ""


# ---------------------------------------------------------------- what is compared with


def similar_to(ask: Ask, province: str) -> tuple[str, ...]:
    """The provinces similar to one; empty without any."""
    answer = ask.exactly(of_analysis("similar_provinces", where={"province": (province,)}))
    return tuple(filter(None, answer.column("similar")))


def without_places(where: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {name: codes for name, codes in where.items() if name not in PLACES}


def of_nation(answer: Answer, ask: Ask) -> Answer:
    """The measure for the nation; beside a trend its own over the same months."""
    where = without_places(answer.where)
    if len(answer.by) == 1 and answer.by[0] in TIME:
        return ask(Question((answer.metrics[0].name,), answer.by, None, answer.over, frozen(where)))
    return _as_whole(answer, ask, where)


def of_whole(answer: Answer, ask: Ask) -> Answer:
    """The measure for what groups are compared with: provinces with the nation, others with all within the filters."""
    is_national = answer.by == ("province",) and not BELOW_PROVINCE & {*answer.where}
    return of_nation(answer, ask) if is_national else _as_whole(answer, ask, answer.where)


def _as_whole(answer: Answer, ask: Ask, where: Mapping[str, tuple[str, ...]]) -> Answer:
    on, over = answer.on, answer.over
    if over and answer.metrics[0].kind == "snapshot":
        # A state over time is compared with that of its last day.
        on, over = over[1], None
    return ask(Question((answer.metrics[0].name,), (), on, over, frozen(where)))


# ---------------------------------------------------------------- what an answer holds


def is_empty(answer: Answer) -> bool:
    """Whether no measure has a value."""
    at = [answer.columns.index(metric.name) for metric in answer.metrics]
    return not any(row[i] is not None for row in answer.rows for i in at)


def without_first(answer: Answer) -> Answer:
    """An answer whose rows are all of one member of its first dimension, without that."""
    return replace(answer, by=answer.by[1:], columns=answer.columns[1:], rows=[row[1:] for row in answer.rows])


def of_own_provinces(answer: Answer, ask: Ask) -> Answer:
    """An answer by province under smaller places without the provinces that hold none of them, which have a row too."""
    counties = answer.where.get("county", ())
    provinces = ask.look_up(detail.provinces_of_counties)
    return _narrowed(answer, frozenset(provinces.get(county) for county in counties) if counties else None)


@lru_cache(maxsize=100)
def _narrowed(answer: Answer, own: frozenset[str] | None) -> Answer:
    """The same answer for the same one: charts are kept by theirs."""
    at, first = answer.by.index("province"), len(answer.by)
    rows = [row for row in answer.rows if (row[at] in own if own is not None else any(row[first:]))]
    return replace(answer, rows=rows)
