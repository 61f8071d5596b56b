"""Titles of charts over time: the latest value, a pair of flows, start and end, the projected range."""

import statistics
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from etl.analysis.projection import REACHED
from etl.semantic.answers import Answer, Metric
from etl.semantic.catalog import TIME, catalogue
from etl.semantic.ranking import comparable, is_sampled
from ui.charts import elements, titles
from ui.charts.elements import ChartContext
from ui.charts.titles import Title
from ui.i18n import text


def of_complete_units(answer: Answer) -> Answer:
    """The answer without provisional units of events, unless all are: a month in progress says little."""
    if answer.metrics[0].kind != "event":
        return answer
    return replace(answer, rows=[row for row in answer.rows if not answer.is_provisional(row)] or answer.rows)


def latest(answer: Answer, context: ChartContext) -> Title:
    """The latest value compared with a year earlier; says so if the latest unit has no value.

    Where each unit of time has cases of its own, two values may differ by chance: the latest stands beside the range of all.
    """
    answer = of_complete_units(comparable(answer))
    at, unit, rows = titles.rows_with_value(answer)
    if not rows:
        return titles.nothing(answer.metrics[0], context)
    if len(answer.by) > 1:
        return _latest_of_groups(answer, context)
    first, last = answer.rows[0], answer.rows[-1]
    words = {"measure": answer.metrics[0].short[context.lang]}
    if (people := elements.size_below(answer, answer.metrics[0], last)) is not None:
        when = context.member(answer.by[0], last[0])
        key = "finding.of_few" if people else "finding.of_none"
        return Title(context.word(key, when=when, count=text.number(people, context.lang), **words))
    rows = [row for row in rows if elements.size_below(answer, answer.metrics[0], row) is None]
    if last[at] is None:
        return Title(context.word("finding.ended", when=context.member(answer.by[0], last[0]), **words))
    metric, when = answer.metrics[0], context.member(answer.by[0], last[0])
    values = [row[at] for row in rows]
    if len({*values}) > 1 and metric.kind == "event" and (is_sampled(metric) or metric.sample_size):
        low, high = (text.plain(value, unit, context.lang) for value in (min(values), max(values)))
        said = words | {"when": when, "low": low, "high": high}
        written = titles.values_of(last[at], metric, context)
        ways = ((key, value) for value in written for key in _IN_UNIT)
        return Title(titles.first_that_fits(context.word(f"finding.{key}", value=value, **said) for key, value in ways))
    then = _year_before(str(last[0]))
    before = {row[0]: row for row in rows}.get(then)
    now = "now"
    if before is not None and last[0] not in answer.provisional:
        # The cards of a page are of other days.
        key, now, words["when"] = "since", "in_unit", when
        words |= {"before": text.plain(before[at], unit, context.lang), "then": text.unit_label(then, context.lang)}
    elif len(rows) > 1 and metric.kind == "event" and last[0] in answer.provisional:
        # None is complete: a year that begins and one that ends within the period are not compared.
        return titles.spread(answer, metric, values, context)
    elif len(rows) > 1 and first == rows[0]:
        words |= {"first": text.plain(first[at], unit, context.lang), "start": context.member(answer.by[0], first[0])}
        key = "grown_since" if words["first"] != text.plain(last[at], unit, context.lang) else "same"
    else:
        key = "now"
    amounts = titles.amounts(last[at], unit, context)
    ways = ((name, value) for name in (key, now) for value in amounts)
    return Title(titles.first_that_fits(context.word(f"finding.{name}", value=value, **words) for name, value in ways))


def _latest_of_groups(answer: Answer, context: ChartContext) -> Title:
    time = next(i for i, axis in enumerate(answer.by) if axis in TIME)
    last = max(row[time] for row in answer.rows)
    other = 1 - time
    rows = [(row[other], *row[2:]) for row in answer.rows if row[time] == last]
    part = replace(answer, by=(answer.by[other],), columns=(answer.by[other], *answer.columns[2:]), rows=rows)
    title = titles.extreme(replace(part, provisional=frozenset()), context)
    if title.focus:
        return title
    at, _, with_value = titles.rows_with_value(answer)
    return titles.spread(answer, answer.metrics[0], [row[at] for row in with_value], context)


def _year_before(label: str) -> str:
    year, dash, unit = label.partition("-")
    return f"{int(year) - 1}{dash}{unit}" if year.isdigit() else ""


# The value of the latest unit beside the lowest and the highest, and alone.
_IN_UNIT = ("in_unit_among", "in_unit")
# A flow stands out in a unit that has so many times its median.
_PEAK = 2


def pair(answer: Answer, context: ChartContext) -> Title:
    """The flow that stands out most and the units in which it does; else both flows in the last complete unit."""
    rows = [row for row in answer.rows if row[0] not in answer.provisional] or answer.rows
    if not rows:
        return titles.nothing(answer.metrics[0], context)
    peaks = [peak for metric in answer.metrics[:2] if (peak := _peak(answer, metric, rows, context))]
    return Title(max(peaks)[1]) if peaks else _both(answer, rows[-1], context)


def _peak(answer: Answer, metric: Metric, rows: Sequence[tuple], context: ChartContext) -> tuple[float, str] | None:
    """How many times its median a flow has in its largest unit, and the sentence about all in which it stands out; else None."""
    at = answer.columns.index(metric.name)
    known = [(row[at], row[0]) for row in rows if row[at] is not None]
    median = statistics.median(value for value, _ in known) if known else 0
    peaks = [(value, unit) for value, unit in known if value >= _PEAK * median]
    if not median or not peaks:
        return None

    written = (
        (text.plain(most, metric.unit, context.lang), context.member(answer.by[0], unit)) for most, unit in peaks
    )
    named = text.listed([context.word("finding.peak_in", most=most, when=when) for most, when in written], context.lang)
    words = {
        "measure": metric.short[context.lang],
        "median": text.plain(median, metric.unit, context.lang),
        "peaks": named,
        "value": named,
        "count": text.number(len(peaks), context.lang),
    }
    keys = ("peaks", "now", "peaks_many")
    sentence = titles.first_that_fits(context.word(f"finding.{key}", **words) for key in keys)
    return max(peaks)[0] / median, sentence


def _both(answer: Answer, row: Sequence[Any], context: ChartContext) -> Title:
    """Both flows in the unit of a row."""
    lang = context.lang
    first, second = (
        f"{text.inside(m.short[lang], lang)} {text.plain(row[answer.columns.index(m.name)], m.unit, lang)}"
        for m in answer.metrics[:2]
    )
    when = context.member(answer.by[0], row[0])
    return Title(context.word("finding.pair", when=when, first=first, second=second))


def ends(answer: Answer, context: ChartContext) -> Title:
    """The first and the last value of a bridge, or the last value of a run-off."""
    at, unit, rows = titles.rows_with_value(answer)
    if not rows:
        return titles.nothing(answer.metrics[0], context)
    last = answer.rows[-1]
    if answer.by[0] == "step":
        stock = dict(row[:2] for row in rows)
        measure, start = catalogue()["in_service"].short[context.lang], text.plain(stock["start"], unit, context.lang)
        end = text.amount(stock["end"], unit, context.lang)
        return Title(context.word("finding.became", measure=measure, first=start, value=end))
    if last[at] is None:
        return latest(answer, context)
    when, value = context.member(answer.by[0], last[0]), text.amount(last[at], unit, context.lang)
    return Title(context.word("finding.to_value", when=when, value=value))


def projected(answer: Answer) -> list[tuple[Any, ...]]:
    """The months ahead that have a range. Metrics: actual, low, high, projected."""
    ends = [answer.columns.index(metric.name) for metric in answer.metrics[1:3]]
    return [row for row in answer.rows if row[1] is None and None not in [row[at] for at in ends]]


def ahead(answer: Answer, context: ChartContext) -> Title:
    """When the projection reaches the target; without one its value and range a year ahead, later too wide to state."""
    at_low, at_high, at_central = (answer.columns.index(metric.name) for metric in answer.metrics[1:4])
    months = projected(answer)
    if not months:
        # Without a projection the months ahead are empty, so use the known months.
        actual = [row for row in answer.rows if row[1] is not None]
        return latest(replace(answer, rows=actual), context)
    if title := reached(answer, context):
        return title
    metric, row = answer.metrics[0], months[:12][-1]
    words = {"measure": metric.short[context.lang], "when": context.member(answer.by[0], row[0])}
    ends = ("central", at_central), ("low", at_low), ("high", at_high)
    words |= {name: text.plain(row[at], metric.unit, context.lang) for name, at in ends}
    return Title(context.word("finding.ahead", **words))


def reached(answer: Answer, context: ChartContext) -> Title | None:
    """The month in which a path reaches its target, with the earliest and the latest; None without a target that lies ahead."""
    now: dict[str, Any] = next(
        (row for row in reversed(answer.records()) if row[answer.metrics[0].name] is not None), {}
    )
    if REACHED[0] not in answer.columns or not now.get("target") or now[answer.metrics[0].name] >= now["target"]:
        return None
    first, middle, last = (now[name] for name in REACHED)

    words = {"measure": answer.metrics[0].short[context.lang]}
    words["target"] = text.plain(now["target"], answer.metrics[0].unit, context.lang)
    if middle is None:
        key = "reached_earliest" if first else "not_reached"
        return Title(context.word(f"finding.{key}", first=first and text.unit_in_both(first, context.lang), **words))
    words["month"] = text.unit_in_both(middle, context.lang)
    said = [context.word("finding.reached", **words)]
    if first and last and first != last:
        is_one_year = first.split("-")[0] == last.split("-")[0]
        ends = text.unit_label(first, context.lang, short=is_one_year), text.unit_label(last, context.lang)
        said.insert(0, context.word("finding.reached_between", first=ends[0], last=ends[1], **words))
    return Title(titles.first_that_fits(said))
