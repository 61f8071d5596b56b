"""Step charts: a funnel of stages, and a bridge from one stock to the next."""

from etl.semantic.answers import Answer
from etl.semantic.catalog import provisional_days
from etl.semantic.resolve import last_settled_day
from ui.charts import axes, elements, time_titles, titles
from ui.charts.chart import chart
from ui.charts.elements import ChartContext, Figure
from ui.i18n import text
from ui.summary import claims


def stages(answer: Answer, context: ChartContext) -> titles.Title:
    """The share of a funnel's first stage that reaches its last."""
    first, last = (answer.value(metric.name) or 0 for metric in (answer.metrics[0], answer.metrics[-1]))
    if not first:
        return titles.nothing(answer.metrics[0], context)
    numbers = {"whole": text.number(first, context.lang), "part": text.number(last, context.lang)}
    said = tuple(claims.value(answer, answer.metrics[at].name) for at in (0, -1))
    sentence = context.word("finding.stages", share=text.percent(last / first, context.lang, 0), **numbers)
    return titles.Title(sentence, claims=said)


@chart(stages)
def funnel(answer: Answer, context: ChartContext) -> Figure:
    """One bar per stage (the metrics of the answer's single row), each with its share of the first."""
    values = [answer.value(metric.name) or 0 for metric in answer.metrics]
    first = values[0] or 1
    value_texts = [
        f"{text.plain(v, m.unit, context.lang)} · {text.percent(v / first, context.lang, 0)}"
        for v, m in zip(values, answer.metrics, strict=True)
    ]
    hovers = [
        elements.hover_lines(context, m.label[context.lang], text.amount(v, m.unit, context.lang))
        for v, m in zip(values, answer.metrics, strict=True)
    ]
    bars = elements.bar(
        values,
        hovers,
        marker={"color": context.colour("actual")},
        text=[context.line(label) for label in value_texts],
        textposition="outside",
        cliponaxis=False,
    )
    top = max([*values, 1])
    return elements.figure(
        context,
        [bars],
        len(values) * 66 + 24,
        xaxis=axes.across(context, axes.nice(top), answer.metrics[0].unit, top * 1.02, showticklabels=False),
        yaxis=axes.categories(context, [metric.short[context.lang] for metric in answer.metrics]),
        # Room for the labels beyond the bars: padding by a share of the axis is too narrow on a phone.
        margin=axes.margins(context, 12 + 7 * max(map(len, value_texts))),
    )


# Steps of a bridge that are stocks; the others are changes.
_STOCKS = ("start", "end", "active")


@chart(time_titles.ends)
def bridge(answer: Answer, context: ChartContext) -> Figure:
    """A waterfall from the opening to the closing stock. Rows: a step, and its signed change or its stock."""
    metric = answer.metrics[0]
    steps = [row[0] for row in answer.rows]
    sizes = [size or 0 for size in answer.column(metric.name)]
    names = [context.member("step", step) for step in steps]
    bases: list[float] = []
    tops: list[float] = []
    meanings, hovers, notes = [], [], []
    for i, (step, size) in enumerate(zip(steps, sizes, strict=True)):
        is_change = step not in _STOCKS
        base = tops[-1] if is_change else 0
        bases.append(base)
        tops.append(base + size)
        meanings.append("total" if not is_change else "gain" if size >= 0 else "loss")
        amount, value = (write(size, metric.unit, context.lang, is_change) for write in (text.amount, text.plain))
        hovers.append(elements.hover_lines(context, names[i], amount))
        notes.append(elements.value_at_end(context, value, max(base, base + size), i))
    marker = {
        "color": [context.colour(meaning) for meaning in meanings],
        "pattern": elements.pattern(context, "loss")
        | {"shape": ["/" if meaning == "loss" else "" for meaning in meanings]},
    }
    settled = last_settled_day(answer.publication.as_of, provisional_days("leavers"))
    has_open_leavers = answer.over is not None and answer.over[1] > settled
    joint = {"type": "line", "line": {"color": context.colour("quiet"), "width": 1}}
    top = max([1, *bases, *tops])
    longest = max((len(text.number(size, context.lang)) for size in sizes), default=1)
    return elements.figure(
        context,
        [elements.bar(sizes, hovers, base=bases, marker=marker)],
        len(steps) * 34 + 44,
        [
            elements.key(context, context.word("figure.stock"), "total"),
            elements.key(context, context.word("figure.gain"), "gain"),
            elements.key(context, context.word("figure.loss"), "loss"),
        ],
        xaxis=axes.across(context, axes.nice(top), metric.unit, top * 1.02),
        yaxis=axes.categories(context, names),
        annotations=notes,
        shapes=[joint | {"x0": x, "x1": x, "y0": i + 0.36, "y1": i + 0.64} for i, x in enumerate(tops[:-1])],
        margin=axes.margins(context, 12 + 7 * longest),
        credit=context.word("figure.leavers_open") if has_open_leavers else "",
    )
