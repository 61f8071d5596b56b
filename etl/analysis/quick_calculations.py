"""Questions with a quick calculation beside each measure: where it has a meaning, and what is asked beside the rows.

`etl.semantic.calculations` works the columns out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any

from etl.analysis import analyses
from etl.core import jalali
from etl.core.errors import AccessDenied, QuestionError
from etl.semantic import answers
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer
from etl.semantic.calculations import CALCULATIONS, Calculation, calculated
from etl.semantic.catalog import TIME, Metric, catalogue, provisional_days
from etl.semantic.composed_answers import origins
from etl.semantic.ranking import is_tested
from etl.semantic.resolve import cut_at_start, metrics_named, settled_on, unit_of_time
from etl.warehouse.dimensions import expand_groups
from etl.warehouse.publications import Publication

# What is counted of all, and of its parts; a target is set for each place.
_COUNTED = (
    "persons", "institutes", "applications", "licences", "counties", "completions", "hours", "residents", "km2",
)  # fmt: skip
# Why a calculation has no meaning, as the command line says it; pages say it in words of their own.
REASONS = {
    "share_of_rate": "{measure} is no count of people or things: it has no share of a total",
    "no_groups": "{measure}: a share of the total is that of a group; split by a dimension other than time",
    "no_time": "{measure}: {calc} compares units of time; split by month, quarter or year",
    "no_history": "{measure} has no history: of past days only the flags of today are known",
    "no_number": "{measure} is a day, not a number",
    "difference": "{measure} is a difference and can be negative: an index of it says nothing",
    "stock": "{measure} is a state on a day: a running total is of what is counted over a period",
    "rate": "{measure} is a rate: a running total is of counts",
    "unsettled": "{measure} can still change on that day: it is ranked at the end of a settled month",
    "same_name": "{measure}: the column {measure}_{calc} is another measure of this question",
    "untested": "{measure}: groups are ranked where they can be tested: a rate of what institutes have, by one dimension",
}


def refusals(con: ScopedCursor, names: Sequence[str], by: Sequence[str], calc: str, on: date | None) -> dict[str, str]:
    """Why a calculation has no meaning beside each of these measures, as a key of REASONS; empty where it has one.

    `on` is the day of what is measured on a day (default: the as-of day).
    """
    reasons = {}
    for name in names:
        reason = "same_name" if f"{name}_{calc}" in names else _refusal(catalogue()[name], by, calc)
        reasons[name] = reason or ("unsettled" if calc == "rank" and not _can_be_tested(con, name, on) else "")
    return reasons


def _can_be_tested(con: ScopedCursor, name: str, on: date | None) -> bool:
    return catalogue()[name].kind == "event" or _tested_from(con, name, on) is not None


def _tested_from(con: ScopedCursor, name: str, on: date | None) -> date | None:
    """The day from which the test looks back to this day: it takes the last month that was settled then; None without one."""
    as_of = con.publication.as_of
    day = on or as_of
    settles = day + timedelta(days=max(provisional_days(name) - 1, 0))
    # The test takes 29 Esfand rather than the 30th.
    days = (one for one in (day, settles, settles + jalali.DAY) if one <= as_of)
    return next((one for one in days if settled_on(con, name, one) == day), None)


def _refusal(metric: Metric, by: Sequence[str], calc: str) -> str:
    is_timed = not {*TIME}.isdisjoint(by)
    groups = [name for name in by if name not in TIME]
    is_count = metric.counts in _COUNTED and metric.numerator is None and metric.sample_size is None
    if calc == "share":
        if not is_count or metric.is_difference:
            return "share_of_rate"
        # The months of a period are parts of what happened in it; a state has one whole on each day.
        return "" if groups or (is_timed and metric.kind == "event") else "no_groups"
    if calc == "rank":
        return "" if len(by) == 1 and groups and is_tested(metric.name, by[0]) else "untested"
    if calc == "running":
        if metric.kind != "event":
            return "stock"
        if not is_count:
            return "rate"
    elif metric.unit == "date":
        return "no_number"
    elif not metric.has_history:
        return "no_history"
    elif calc == "index" and metric.is_difference:
        return "difference"
    return "" if is_timed or calc == "year" else "no_time"


def ask(
    con: ScopedCursor,
    *names: str,
    calc: str,
    by: Sequence[str] = (),
    on: date | None = None,
    over: tuple[date, date] | None = None,
    where: Mapping[str, Sequence[str]] | None = None,
    publication: Publication | None = None,
) -> Answer:
    """The Answer of `answers.ask` with a calculation beside each measure for which it has a meaning.

    Raises QuestionError where it has one for none of them, AccessDenied where the scope may not ask what it takes.
    """
    if calc not in CALCULATIONS:
        raise QuestionError(f"no calculation is called {calc}; there are {', '.join(CALCULATIONS)}")
    reasons = refusals(con, [metric.name for metric in metrics_named(names)], by, calc, on)
    measures = tuple(name for name, reason in reasons.items() if not reason)
    asking = partial(answers.ask, con, by=by, publication=publication)
    if not measures:
        name, reason = next(iter(reasons.items()))
        raise QuestionError(REASONS[reason].format(measure=name, calc=calc))
    answer = asking(*names, on=on, over=over, where=where)
    calculation = _calculation(con, answer, calc, measures)
    behind = origins(answer, *calculation.beside)
    answer = replace(answer, query=behind["query"], sources=behind["sources"])
    return calculated(answer, calculation)


def _calculation(con: ScopedCursor, answer: Answer, calc: str, measures: tuple[str, ...]) -> Calculation:
    unit = unit_of_time(answer.by)
    given: dict[str, Any] = {}
    if calc == "share":
        # Groups that are split by time have the total of their unit.
        whole_by = (unit,) if unit and len(answer.by) > 1 else ()
        given["total"] = _beside(con, answer, whole_by)
    elif calc == "rank":
        given["tested"] = {name: _tested(con, answer, name) for name in measures}
    elif calc in ("previous", "year"):
        given |= _earlier(con, answer, calc, unit, measures)
    if unit and answer.over:
        given["parted"] = _parted(answer, unit)
    return Calculation(calc, measures, unit, **given)


def _beside(con: ScopedCursor, answer: Answer, by: Sequence[str], **when: Any) -> Answer:
    """The measures of an answer under its filters, on its day and over its period unless others are given.

    Raises AccessDenied where the scope narrows them to fewer provinces than the answer.
    """
    when = {"on": answer.on, "over": answer.over} | when
    names, kinds = [metric.name for metric in answer.metrics], {metric.kind for metric in answer.metrics}
    if kinds == {"event"}:
        when["on"] = None
    if kinds == {"snapshot"} and not unit_of_time(by):
        when["over"] = None
    found = answers.ask(con, *names, by=by, where=answer.where, publication=answer.publication, **when)
    if found.where != answer.where:
        raise AccessDenied
    return found


def _tested(con: ScopedCursor, answer: Answer, name: str) -> frozenset[tuple[Any, ...]]:
    """The groups that the test can tell something about."""
    is_event = catalogue()[name].kind == "event"
    when = {"over": answer.over} if is_event else {"on": _tested_from(con, name, answer.on)}
    tested = analyses.analyse(con, "different", where=answer.where, metric=name, by=answer.by[0], **when)
    return frozenset(
        (row[0],) for row, side in zip(tested.rows, tested.column("side"), strict=True) if side != "untested"
    )


def _earlier(con: ScopedCursor, answer: Answer, calc: str, unit: str, measures: Sequence[str]) -> dict[str, Any]:
    """The same groups a unit of time or a year before, and of each measure the units that the register tells of."""
    begins = {name: con.begins_on if con.begins_on and _is_of_people(name) else date.min for name in measures}
    before: dict[str, dict[str, str]] = {name: {} for name in measures}
    if not unit:
        on = answer.on and jalali.year_before(answer.on)
        over = answer.over and jalali.period_year_before(answer.over)
        for name in measures:
            first = over[0] if over and catalogue()[name].kind == "event" else on
            if first and first >= begins[name]:
                before[name][""] = ""
        is_told = any(before.values())
        return {"before": before, "earlier": _beside(con, answer, answer.by, on=on, over=over) if is_told else None}
    assert answer.over
    days: list[date] = []
    shown = {*answer.column(unit)}
    for one in (one for one in jalali.units_between(*answer.over, unit) if one.label in shown):
        then = jalali.unit_of(one.first - jalali.DAY if calc == "previous" else jalali.year_before(one.first), unit)
        for name in measures:
            first = then.first if catalogue()[name].kind == "event" else then.last
            if first >= begins[name]:
                before[name][one.label] = then.label
                days += (then.first, then.last)
    if not days:
        return {"before": before}
    return {"before": before, "earlier": _beside(con, answer, answer.by, over=(min(days), max(days)))}


def _is_of_people(name: str) -> bool:
    """Whether the register tells nothing of a measure before its first person; institutes may be older."""
    return not catalogue()[name].dimensions.isdisjoint(expand_groups(["@person"]))


def _parted(answer: Answer, unit: str) -> frozenset[str]:
    """The units of time of which the period, or what has passed of it, has only a part."""
    assert answer.over
    last = min(answer.over[1], answer.publication.as_of)
    ends = frozenset(one.label for one in jalali.units_between(*answer.over, unit) if one.last > last)
    return ends | cut_at_start(answer.over, unit)
