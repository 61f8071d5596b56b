"""Charts of a comparison of two days or places: a line for each side with its day, and the parts of the difference by group."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from etl.analysis.why import OVERLAP, SMALL, TOTAL
from etl.core.jalali import DAY, unit_of
from etl.semantic.answers import Answer, Metric
from etl.semantic.ranking import comparable
from ui.charts import axes, elements, lines, titles
from ui.charts.chart import chart
from ui.charts.elements import ChartContext, Figure
from ui.charts.titles import Title
from ui.i18n import text
from ui.summary import changes

# The groups that have a bar of their own, and the code of all others together.
_MOST, _OTHERS = 10, "others"
_STYLES = {"rate_effect": "actual", "composition_effect": "second", "effect": "actual"}


@dataclass(frozen=True)
class SideDay:
    """The place of a side, its day, and its value on that day; no value in a picture for circulation."""

    place: str
    on: date
    value: float | None


def side_by_side(answer: Answer, context: ChartContext, days: Sequence[SideDay] = ()) -> Title:
    """The value of each side on its day, else in the last unit in which all sides have one; or only the measure."""
    metric = answer.metrics[0]
    whole = context.word("why.lines", measure=metric.label[context.lang])
    if days and all(day.value is not None for day in days):
        return Title(titles.first_that_fits([*_on_days(metric, days, context), whole]))
    at, unit, rows = titles.rows_with_value(comparable(answer))
    values: dict[Any, dict[Any, str]] = {}
    for row in rows:
        values.setdefault(row[0], {})[row[1]] = text.plain(row[at], unit, context.lang)
    most = max(map(len, values.values()), default=0)
    when = next((when for when in reversed(values) if len(values[when]) == most), None)
    if when is None:
        return Title(whole)
    sides = [f"{context.member('side', side)} {value}" if most > 1 else value for side, value in values[when].items()]
    words = {"when": context.member(answer.by[0], when), "values": text.listed(sides, context.lang)}
    sentence = context.word("compare.lines", measure=metric.short[context.lang], **words)
    return Title(titles.first_that_fits([sentence, whole]))


def _on_days(metric: Metric, days: Sequence[SideDay], context: ChartContext) -> list[str]:
    """The values of the sides with what differs: their days, their places or both; and shorter, with places or months alone."""
    measure = metric.short[context.lang]
    values = [text.plain(day.value, metric.unit, context.lang) for day in days]
    places = [context.member("side", day.place) for day in days]
    written = [text.day(day.on, context.lang) for day in days]
    placed = [f"{place} {value}" for place, value in zip(places, values, strict=True)]
    if written[0] == written[1]:
        said = text.listed(placed, context.lang)
        return [context.word("compare.lines", measure=measure, when=written[0], values=said)]
    is_one_place = places[0] == places[1]
    named = values if is_one_place else placed
    dated = [context.word("compare.on_day", value=value, day=day) for value, day in zip(named, written, strict=True)]
    sentences = [
        context.word("finding.now", measure=measure, value=text.listed(said, context.lang)) for said in (dated, placed)
    ]
    if is_one_place:
        # The place tells the sides not apart: the months are shorter than the days.
        before, now = (unit_of(day.on, "month").label for day in days)
        words = {"when": context.member("month", now), "then": text.unit_label(before, context.lang)}
        words |= {"value": values[1], "before": values[0]}
        sentences[1:] = [context.word("finding.since", measure=measure, **words)] if before != now else []
    return sentences


@chart(side_by_side)
def two_sides(answer: Answer, context: ChartContext, days: Sequence[SideDay] = (), zero: bool = True) -> Figure:
    """One line for each place, a point for each side's day within the period, and its words among the keys."""
    figure = lines.trend(answer, context, zero=zero)
    labels = list(dict.fromkeys(answer.column("month")))
    colour_of = dict(zip(dict.fromkeys(answer.column("side")), elements.SERIES, strict=False))
    unit, layout = answer.metrics[0].unit, figure["layout"]
    shown = [day for day in days if unit_of(day.on, "month").label in labels and day.place in colour_of]
    for day in shown:
        x, colour = _position(day.on, labels, answer), context.colour(colour_of[day.place])
        words = text.listed([context.member("side", day.place), text.day(day.on, context.lang)], context.lang)
        if day.value is not None:
            words = context.word("finding.now", measure=words, value=text.plain(day.value, unit, context.lang))
            marker = {"size": 11, "color": colour, "line": {"color": context.colour("surface"), "width": 2}}
            point = elements.line([x], [day.value], [text.escape(words)], colour, mode="markers", marker=marker)
            figure["data"].append(point | {"cliponaxis": False})
        stem = {"color": context.colour("quiet"), "width": 1, "dash": "dot"}
        ends = {"x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper"}
        layout.setdefault("shapes", []).append({"type": "line", **ends, "line": stem})
        layout["meta"]["keys"].append(elements.key(context, words, colour_of[day.place], "dot"))
    return figure


def _position(day: date, labels: Sequence[str], answer: Answer) -> float:
    """Where a day lies between the points of months, which are those of their last day in the period."""
    month = unit_of(day, "month")
    last = min(month.last, answer.over[1]) if answer.over else month.last
    before = month.first - DAY
    return labels.index(month.label) - 1 + (min(day, last) - before) / (last - before)


def largest(answer: Answer, context: ChartContext, metric: Metric) -> Title:
    """The difference of a metric, and the group whose part of it is the largest as shown.

    None is named where two are equal, and where a rate differs by too little to differ clearly.
    """
    change = changes.total(answer, metric.unit)
    words = {"measure": metric.short[context.lang], "change": changes.part(change, metric.unit, context.lang)}
    if not change:
        return Title(context.word("split.same", **words))
    if not changes.is_split(answer, metric):
        return Title(context.word("split.title_slight", **words))
    sentences = [context.word("split.title_alone", **words)]
    # A part that works the other way explains none of it.
    alike = [group for group in changes.ranked(answer, metric.unit) if (group[1] > 0) == (change > 0)]
    sizes = [changes.part(effect, metric.unit, context.lang, with_unit=False) for _, effect in alike]
    if sizes and sizes[0] not in sizes[1:]:
        place = context.named(answer.by[0], alike[0][0])
        sentences.insert(0, context.word("split.title", place=place, part=sizes[0], **words))
    return Title(titles.first_that_fits(sentences))


@chart(titles.extreme)
def parts(answer: Answer, context: ChartContext, unit: str) -> Figure:
    """Signed bars of the largest parts, those of a rate in two colours; then the others together, and the sum."""
    names: list[str] = [name for name in _STYLES if name in answer.columns and name != "effect"] or ["effect"]
    by_code = {row[0]: row for row in answer.rows}
    shown = [code for code, _ in changes.ranked(answer, unit)][:_MOST]
    others = [row for code, row in by_code.items() if code not in (*shown, SMALL, OVERLAP, TOTAL)]
    codes = [*shown, *[_OTHERS] * bool(others), *(code for code in (SMALL, OVERLAP, TOTAL) if code in by_code)]

    def value(code: Any, name: str) -> float:
        at = answer.columns.index(name)
        return sum(row[at] or 0 for row in (others if code == _OTHERS else [by_code[code]]))

    labels = [context.member("part" if code == _OTHERS else answer.by[0], code) for code in codes]
    data, keys = [], []
    for name in names:
        effect = elements.metric_of(answer, name)
        hovers = [
            elements.hover(answer, effect, by_code[code], context)
            if code in by_code
            else elements.hover_lines(context, label, elements.labelled(effect, value(code, name), context))
            for code, label in zip(codes, labels, strict=True)
        ]
        marker = {"color": context.colour(_STYLES[name])}
        data.append(elements.bar([value(code, name) for code in codes], hovers, marker=marker))
        keys.append(elements.key(context, effect.short[context.lang], _STYLES[name]))
    sums = [value(code, "effect") for code in codes]
    ends = [
        sum(sign * max(sign * x, 0) for x in bar)
        for bar in zip(*(trace["x"] for trace in data), strict=True)
        for sign in (1, -1)
    ]
    low, top = min([0, *ends]), max([0, *ends])
    value_texts = [changes.part(value, unit, context.lang, with_unit=False) for value in sums]
    whole = changes.part(changes.total(answer, unit), unit, context.lang, with_unit=False)
    return elements.figure(
        context,
        data,
        len(codes) * elements.BAR + 44,
        keys if len(keys) > 1 else [],
        barmode="relative",
        xaxis=axes.across(context, axes.between(low, top), unit, top * 1.01, low * 1.01, showticklabels=False),
        **axes.named_bars(context, labels, [*value_texts[:-1], f"<b>{whole}</b>"]),
    )
