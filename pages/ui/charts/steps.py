"""Step charts: a funnel of stages, and a bridge from one stock to the next."""

from etl.semantic.answers import Answer
from pages.ui.charts import axes, elements, time_titles, titles
from pages.ui.charts.chart import chart
from pages.ui.charts.elements import ChartContext, Figure
from pages.ui.i18n import text


@chart(titles.stages)
def funnel(answer: Answer, context: ChartContext) -> Figure:
    """One bar per stage (the metrics of the answer's single row), each with its share of the first."""
    row = answer.rows[0]
    values = [row[answer.columns.index(metric.name)] or 0 for metric in answer.metrics]
    first = values[0] or 1
    labels = [metric.short[context.lang] for metric in answer.metrics]
    written = [
        f"{text.plain(v, m.unit, context.lang)} · {text.percent(v / first, context.lang, 0)}"
        for v, m in zip(values, answer.metrics, strict=True)
    ]
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "y": list(range(len(values))),
            "x": values,
            "marker": {"color": context.colour("actual")},
            "text": [context.line(label) for label in written],
            "textposition": "outside",
            "cliponaxis": False,
            "hovertext": [
                context.line(f"<b>{text.escape(m.label[context.lang])}</b><br>{text.amount(v, m.unit, context.lang)}")
                for v, m in zip(values, answer.metrics, strict=True)
            ],
            "hovertemplate": "%{hovertext}<extra></extra>",
        }
    ]
    top = max([*values, 1])
    x_axis = axes.axis(context, axes.nice(top), answer.metrics[0].unit, **axes.across(context, (), 0, top * 1.02))
    x_axis["showticklabels"] = False
    return elements.figure(
        context,
        data,
        len(values) * 44 + 24,
        xaxis=x_axis,
        yaxis=axes.categories(context, labels),
        margin=_beyond(context, max(len(label) for label in written)),
    )


def _beyond(context: ChartContext, letters: int) -> Figure:
    """Margins with room for labels of `letters` beyond the bars; padding by a share of the axis is too narrow on a phone."""
    room = 12 + 7 * letters
    return {"l": room if context.rtl else 8, "r": 8 if context.rtl else room, "t": 8, "b": 8, "pad": 0}


# Steps of a bridge that are stocks; the others are changes.
_STOCKS = ("start", "end", "active")


@chart(time_titles.ends)
def bridge(answer: Answer, context: ChartContext) -> Figure:
    """A waterfall from the opening to the closing stock. Rows: a step, and its signed change or its stock."""
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    steps = [row[0] for row in answer.rows]
    sizes = [row[at] or 0 for row in answer.rows]
    stocks = {i for i, step in enumerate(steps) if step in _STOCKS}
    reached, bases, tops = 0.0, [], []
    for i, size in enumerate(sizes):
        bases.append(0.0 if i in stocks else reached)
        reached = size if i in stocks else reached + size
        tops.append(reached)
    span = [*tops, *(base for i, base in enumerate(bases) if i not in stocks)]
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "y": list(range(len(steps))),
            "base": bases,
            "x": sizes,
            "marker": {
                "color": [
                    context.colour("total" if i in stocks else "gain" if size >= 0 else "loss")
                    for i, size in enumerate(sizes)
                ],
                "pattern": elements.pattern(context, "loss")
                | {"shape": ["/" if i not in stocks and size < 0 else "" for i, size in enumerate(sizes)]},
            },
            "hovertext": [
                context.line(
                    f"<b>{text.escape(context.member('step', step))}</b><br>"
                    f"{text.amount(size, metric.unit, context.lang, signed=i not in stocks)}"
                )
                for i, (step, size) in enumerate(zip(steps, sizes, strict=True))
            ],
            "hovertemplate": "%{hovertext}<extra></extra>",
        }
    ]
    top = max([1, *span])
    notes = [
        elements.note(
            context,
            text.plain(size, metric.unit, context.lang, signed=i not in stocks),
            x=max(base, base + size),
            y=i,
            xanchor="right" if context.rtl else "left",
            xshift=-5 if context.rtl else 5,
        )
        for i, (base, size) in enumerate(zip(bases, sizes, strict=True))
    ]
    joints = [
        {
            "type": "line",
            "x0": tops[i],
            "x1": tops[i],
            "y0": i + 0.36,
            "y1": i + 0.64,
            "line": {"color": context.colour("quiet"), "width": 1},
        }
        for i in range(len(steps) - 1)
    ]
    ticks = axes.nice(top)
    x_axis = axes.axis(context, ticks, metric.unit, **axes.across(context, ticks, 0, top * 1.02))
    return elements.figure(
        context,
        data,
        len(steps) * 34 + 44,
        [
            elements.key(context, context.word("figure.stock"), "total"),
            elements.key(context, context.word("figure.gain"), "gain"),
            elements.key(context, context.word("figure.loss"), "loss", elements.filled("loss")),
        ],
        xaxis=x_axis,
        yaxis=axes.categories(context, [context.member("step", step) for step in steps]),
        annotations=notes,
        shapes=joints,
        margin=_beyond(context, max((len(text.number(size, context.lang)) for size in sizes), default=1)),
    )
