"""Titles of charts over time: the latest value, a pair of flows, start and end, the projected range."""

import statistics
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from etl.analysis.projection import REACHED
from etl.semantic.answers import Answer, Metric
from etl.semantic.catalog import TIME, catalogue, size_of
from etl.semantic.ranking import comparable, is_sampled
from ui.charts import elements, titles
from ui.charts.elements import ChartContext
from ui.charts.titles import Title
from ui.i18n import text
from ui.summary import claims


def of_complete_units(answer: Answer) -> Answer:
    """The answer without provisional units of events, unless all are: a month in progress says little."""
    if answer.metrics[0].kind != "event":
        return answer
    return replace(answer, rows=[row for row in answer.rows if not answer.is_provisional(row)] or answer.rows)


def latest(answer: Answer, context: ChartContext) -> Title:
    """The latest value compared with a year earlier, else with the first; says so if the latest unit has no value.

    Where each unit of time has cases of its own, two values may differ by chance: the latest stands beside the range of all.
    """
    answer = of_complete_units(comparable(answer))
    metric, (at, unit, rows) = answer.metrics[0], titles.rows_with_value(answer)
    if not rows:
        return titles.nothing(metric, context)
    if len(answer.by) > 1:
        return _latest_of_groups(answer, context)
    last = answer.rows[-1]
    words = {"measure": metric.short[context.lang], "when": context.member(answer.by[0], last[0])}
    if (people := elements.size_below(answer, metric, last)) is not None:
        return _of_few(answer, last, people, words, context)
    if last[at] is None:
        return Title(context.word("finding.ended", **words))
    rows = [row for row in rows if elements.size_below(answer, metric, row) is None]
    key, beside = "now", [last]
    is_open, is_varied = last[0] in answer.provisional, len({row[at] for row in rows}) > 1
    before = next((row for row in rows if row[0] == _year_before(str(last[0]))), None)
    if metric.kind == "event" and is_varied and (is_sampled(metric) or metric.sample_size):
        beside = [last, min(rows, key=lambda row: row[at]), max(rows, key=lambda row: row[at])]
        key, (words["low"], words["high"]) = (
            "in_unit_among",
            [text.plain(row[at], unit, context.lang) for row in beside[1:]],
        )
    elif before and not is_open:
        # The cards of a page are of other days.
        key, beside = "since", [last, before]
        words |= {
            "before": text.plain(before[at], unit, context.lang),
            "then": text.unit_label(before[0], context.lang),
        }
    elif len(rows) > 1 and metric.kind == "event" and is_open:
        # None is complete: a year that begins and one that ends within the period are not compared.
        return titles.spread(answer, metric, rows, context)
    elif len(rows) > 1 and answer.rows[0] == rows[0]:
        beside = [last, rows[0]]
        words |= {
            "first": text.plain(rows[0][at], unit, context.lang),
            "start": context.member(answer.by[0], rows[0][0]),
        }
        key = "grown_since" if words["first"] != text.plain(last[at], unit, context.lang) else "same"
    shorter = "now" if key in ("now", "grown_since", "same") else "in_unit"
    written = (
        titles.values_of(last[at], metric, context)
        if key == "in_unit_among"
        else titles.amounts(last[at], unit, context)
    )
    return _worded(answer, [(key, beside), (shorter, [last])], written, words, context)


def _worded(
    answer: Answer,
    ways: Sequence[tuple[str, Sequence[Sequence[Any]]]],
    written: Sequence[str],
    words: dict[str, str],
    context: ChartContext,
) -> Title:
    """The first of the ways to say the latest value that fits; each is a key and the rows that it names."""
    made = []
    for key, named in ways:
        said = (claims.claim("value", answer, **claims.rows(answer, named)),)
        sentences = [context.word(f"finding.{key}", value=value, **words) for value in written]
        made += [Title(sentence, claims=said) for sentence in sentences]
    return next((title for title in made if titles.fits(title.sentence)), made[-1])


def _of_few(answer: Answer, last: Sequence[Any], people: float, words: dict[str, str], context: ChartContext) -> Title:
    """That the latest unit has too few cases, or none."""
    said = claims.claim("value", answer, size_of(answer.metrics[0]), members=(last[0],), values=(people,))
    key = "finding.of_few" if people else "finding.of_none"
    return Title(context.word(key, count=text.number(people, context.lang), **words), claims=(said,))


def _latest_of_groups(answer: Answer, context: ChartContext) -> Title:
    time = next(i for i, axis in enumerate(answer.by) if axis in TIME)
    last = max(row[time] for row in answer.rows)
    other = 1 - time
    rows = [(row[other], *row[2:]) for row in answer.rows if row[time] == last]
    part = replace(answer, by=(answer.by[other],), columns=(answer.by[other], *answer.columns[2:]), rows=rows)
    title = titles.extreme(replace(part, provisional=frozenset()), context)
    if title.focus:
        return title
    _, _, with_value = titles.rows_with_value(answer)
    return titles.spread(answer, answer.metrics[0], with_value, context)


def _year_before(label: str) -> str:
    year, dash, unit = label.partition("-")
    return f"{int(year) - 1}{dash}{unit}" if year.isdigit() else ""


# A flow stands out in a unit that has more than so many times its median.
_PEAK = 2


def pair(answer: Answer, context: ChartContext) -> Title:
    """The flow that stands out most and the units in which it does; else both flows in the last complete unit."""
    rows = [row for row in answer.rows if row[0] not in answer.provisional] or answer.rows
    if not rows:
        return titles.nothing(answer.metrics[0], context)
    peaks = [peak for metric in answer.metrics[:2] if (peak := _peak(answer, metric, rows, context))]
    return max(peaks, key=lambda peak: peak[0])[1] if peaks else _both(answer, rows[-1], context)


def _peak(answer: Answer, metric: Metric, rows: Sequence[tuple], context: ChartContext) -> tuple[float, Title] | None:
    """How many times its median a flow has in its largest unit, and the units in which it stands out; else None.

    Where not all of them fit, the largest do.
    """
    at = answer.columns.index(metric.name)
    known = [row for row in rows if row[at] is not None]
    median = statistics.median(row[at] for row in known) if known else 0
    peaks = [row for row in known if row[at] > _PEAK * median]
    if not median or not peaks:
        return None
    largest = sorted(peaks, key=lambda row: -row[at])
    ways = (sorted(largest[:count], key=known.index) for count in range(len(peaks), 0, -1))
    titles_of = [_peaks(answer, metric, named, context) for named in ways]
    title = next((one for one in titles_of if titles.fits(one.sentence)), titles_of[-1])
    return largest[0][at] / median, title


def _peaks(answer: Answer, metric: Metric, named: Sequence[tuple], context: ChartContext) -> Title:
    """The numbers of a flow in units in which it stands out."""
    at = answer.columns.index(metric.name)
    written = [
        context.word(
            "finding.peak_in",
            most=text.plain(row[at], metric.unit, context.lang),
            when=context.member(answer.by[0], row[0]),
        )
        for row in named
    ]
    peaks = text.listed(written, context.lang)
    said = claims.claim("value", answer, metric.name, **claims.rows(answer, named, metric.name))
    return Title(context.word("finding.peaks", measure=metric.short[context.lang], peaks=peaks), claims=(said,))


def _both(answer: Answer, row: Sequence[Any], context: ChartContext) -> Title:
    """Both flows in the unit of a row."""
    lang = context.lang
    first, second = (
        f"{text.inside(m.short[lang], lang)} {text.plain(row[answer.columns.index(m.name)], m.unit, lang)}"
        for m in answer.metrics[:2]
    )
    when = context.member(answer.by[0], row[0])
    said = tuple(
        claims.claim("value", answer, m.name, **claims.rows(answer, [row], m.name)) for m in answer.metrics[:2]
    )
    return Title(context.word("finding.pair", when=when, first=first, second=second), claims=said)


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
        ends = [row for row in rows if row[0] in ("start", "end")]
        said = claims.claim("value", answer, **claims.rows(answer, ends))
        return Title(context.word("finding.became", measure=measure, first=start, value=end), claims=(said,))
    if last[at] is None:
        return latest(answer, context)
    when, value = context.member(answer.by[0], last[0]), text.amount(last[at], unit, context.lang)
    said = claims.claim("value", answer, **claims.rows(answer, [last]))
    return Title(context.word("finding.to_value", when=when, value=value), claims=(said,))


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
    said = tuple(
        claims.claim("value", answer, metric.name, **claims.rows(answer, [row], metric.name))
        for metric in answer.metrics[1:4]
    )
    return Title(context.word("finding.ahead", **words), claims=said)


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
    target = claims.claim("value", answer, "target", members=(now[answer.by[0]],), values=(now["target"],))
    labels = zip(REACHED, (first, middle, last), strict=True)
    months = tuple(claims.claim("month", answer, name, members=(label,)) for name, label in labels if label)
    if middle is None:
        key = "reached_earliest" if first else "not_reached"
        sentence = context.word(f"finding.{key}", first=first and text.unit_in_both(first, context.lang), **words)
        return Title(sentence, claims=(target, *months))
    words["month"] = text.unit_in_both(middle, context.lang)
    said = [context.word("finding.reached", **words)]
    if first and last and first != last:
        is_one_year = first.split("-")[0] == last.split("-")[0]
        ends = text.unit_label(first, context.lang, short=is_one_year), text.unit_label(last, context.lang)
        said.insert(0, context.word("finding.reached_between", first=ends[0], last=ends[1], **words))
    return Title(titles.first_that_fits(said), claims=(target, *months))
