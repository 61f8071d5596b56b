"""The parts of a difference between two days or places, by the groups of a dimension."""

from typing import Any

from etl.analysis.why import OVERLAP, SMALL, TOTAL
from etl.semantic.answers import Answer, Metric
from ui.charts import axes, elements, titles
from ui.charts.chart import chart
from ui.charts.elements import ChartContext, Figure
from ui.charts.titles import Title
from ui.summary import changes

# The groups that have a bar of their own, and the code of all others together.
_MOST, _OTHERS = 10, "others"
_STYLES = {"rate_effect": "actual", "composition_effect": "second", "effect": "actual"}


def largest(answer: Answer, context: ChartContext, metric: Metric) -> Title:
    """The difference of a metric, and the group whose part of it is the largest as shown.

    None is named where two are equal, and where a rate differs by little.
    """
    change = changes.total(answer, metric.unit)
    words = {"measure": metric.short[context.lang], "change": changes.part(change, metric.unit, context.lang)}
    if not change:
        return Title(context.word("split.same", **words))
    sentences = [context.word("split.title_alone", **words)]
    # A part that works the other way explains none of it.
    alike = [group for group in changes.ranked(answer, metric.unit) if (group[1] > 0) == (change > 0)]
    sizes = [changes.part(effect, metric.unit, context.lang, with_unit=False) for _, effect in alike]
    if sizes and sizes[0] not in sizes[1:] and changes.is_split(answer, metric):
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
