"""Questions under the user's scope, and which of its filters have no meaning for them."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any

from etl.analysis import registry
from etl.analysis.comparison import Side
from etl.analysis.different import is_sizeable, is_tested_over_time
from etl.core.errors import QuestionError, TooEarly
from etl.semantic import resolve
from etl.semantic.answers import Answer
from etl.semantic.catalog import TIME, catalogue
from etl.semantic.exportable import StoredRows
from etl.semantic.rights import BELOW_PROVINCE
from ui.data import warehouse
from ui.data.ask import Where, frozen
from ui.i18n import text
from ui.state import page_context, periods
from ui.state.page_context import PageContext


def ask(
    view: PageContext,
    names: Sequence[str],
    by: tuple[str, ...] = (),
    over: tuple[date, date] | None = None,
    without: Iterable[str] = (),
) -> tuple[Answer, list[str]]:
    """The answer under the user's scope, and the filters that have no meaning for these measures.

    Flows and units of time are asked over the user's period, else over `over`, else over the twelve complete months before
    the as-of day. With a measure that stays provisional for a while, the day is the latest on which it is settled.
    """
    metrics = [catalogue()[name] for name in names]
    where, ignored = view.under(frozenset.intersection(*(metric.dimensions for metric in metrics)).difference(without))
    on, period = _when(view, names, by, over)
    answer = _with_cut_unit(warehouse.ask(*names, by=by, on=on, over=period, where=where))
    # A province that is left out is outlined or a part of what is shown.
    return answer, [name for name in ignored if name != "province" or name not in without]


def free(
    view: PageContext, names: Sequence[str], by: Sequence[str], *, is_settled: bool = True, calc: str = ""
) -> Answer | StoredRows:
    """The answer to a free question under the user's scope: that of Explore and, without `is_settled`, of the data address.
    With `calc` it has a quick calculation beside each measure.

    Explore ranks, so it shows the day on which every measure is settled. A program gets the day it asked for, and the status
    says what can still change.
    """
    on, over = _when(view, names, by, is_settled=is_settled)
    answer = warehouse.ask(*names, may_be_stored=True, by=by, on=on, over=over, where=view.where, calc=calc)
    return _with_cut_unit(answer) if isinstance(answer, Answer) else answer


def _with_cut_unit(answer: Answer) -> Answer:
    """The answer with the unit of time that its period begins within among those that are not complete."""
    unit = resolve.unit_of_time(answer.by)
    if not (unit and answer.over and any(metric.kind == "event" for metric in answer.metrics)):
        return answer
    cut = resolve.cut_at_start(answer.over, unit)
    return replace(answer, provisional=answer.provisional | cut) if cut else answer


def _when(
    view: PageContext,
    names: Sequence[str],
    by: Sequence[str],
    over: tuple[date, date] | None = None,
    is_settled: bool = True,
) -> tuple[date | None, tuple[date, date] | None]:
    """The day of the snapshots, and the period of the flows and units of time, of a question.

    All snapshots have one day, whichever stands first: the latest on which each is settled. Raises TooEarly without any.
    """
    kinds, is_timed = {catalogue()[name].kind for name in names}, bool({*TIME} & {*by})
    period = view.over or over or view.complete_months(periods.DEFAULT_MONTHS)
    if is_timed or kinds == {"event"}:
        return None, period
    if not is_settled:
        return view.as_of, period if "event" in kinds else None
    days = {name: settled_on(name, view.as_of) for name in names if catalogue()[name].kind == "snapshot"}
    settled = [day for day in days.values() if day is not None]
    if len(settled) < len(days):
        raise TooEarly(f"{', '.join(days)}: no month is settled yet")
    return min(settled), period if "event" in kinds else None


def settled_on(name: str, on: date) -> date | None:
    """The latest settled day of a metric up to `on`, for headlines and comparisons; None if no month is settled."""
    return warehouse.analyse(resolve.settled_on, name, on)


def different(view: PageContext, name: str, by: str, where: Where, over: tuple[date, date] | None = None) -> Answer:
    """Who is below or above the whole, by the one test.

    Provinces are compared with the nation whichever are chosen, so that the test is made once for all choices.
    """
    asked, codes = dict(where), tuple(where.get("province", ()))
    is_national = by == "province" and not BELOW_PROVINCE & {*where} and page_context.sees_nation(where)
    if is_national:
        asked.pop("province", None)
    answer = warehouse.analyse("different", on=view.as_of, where=asked, over=over, metric=name, by=by)
    if not (is_national and codes):
        return answer
    return replace(
        answer, where=answer.where | {"province": codes}, rows=[row for row in answer.rows if row[0] in codes]
    )


def side(here: Answer, there: Answer) -> str:
    """On which side of the rate of another day one is beyond chance: lower, higher, or empty."""
    rate, value, before = here.metrics[0], here.value(), there.value()
    if not (here.on and there.on and is_tested_over_time(rate.name)) or None in (value, before):
        return ""
    if not is_sizeable(rate, value - before, before):
        # Such a change is never named; the test takes longer than all else on a card.
        return ""
    than = Side(there.on, frozen(there.where))
    with suppress(QuestionError):
        answer = warehouse.analyse("differs", on=here.on, where=here.where, metric=rate.name, than=than)
        found = str(answer.value("side"))
        return found if found in ("lower", "higher") else ""
    return ""


def similar_to(province: str) -> tuple[str, ...]:
    """The provinces similar to one; empty without any."""
    answer = warehouse.analyse("similar_provinces", where={"province": (province,)})
    return tuple(filter(None, answer.column("similar")))


def computed(view: PageContext, analysis: str, /, **options: Any) -> tuple[Answer, list[str]]:
    """The result of an analysis under the user's scope, and the filters that have no meaning for it.

    `options` are parameters of the analysis besides the scope: a date, a goal, a metric.
    """
    where, ignored = view.under(registry.filters(analysis))
    return warehouse.analyse(analysis, on=view.as_of, where=where, over=view.over, **options), ignored


def nothing(answer: Answer) -> bool:
    at = [answer.columns.index(metric.name) for metric in answer.metrics]
    return not any(row[i] is not None for row in answer.rows for i in at)


def without_first(answer: Answer) -> Answer:
    """An answer whose rows are all of one member of its first dimension, without that."""
    return replace(answer, by=answer.by[1:], columns=answer.columns[1:], rows=[row[1:] for row in answer.rows])


def no_effect(view: PageContext, ignored: Iterable[str]) -> str:
    filters = text.listed([view.word(f"scope.{name}") for name in ignored], view.lang)
    return view.word("scope.no_effect", filters=filters)


def place(view: PageContext, names: Sequence[str]) -> str:
    """The dimension of places: counties if only a few provinces are chosen and the measures have counties, else provinces."""
    return view.scope.place(all("county" in catalogue()[name].dimensions for name in names))
