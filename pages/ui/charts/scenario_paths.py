"""The path of a scenario, the accuracy of past projections, and the rules of their titles."""

from typing import Any

from etl.semantic.answers import Answer
from pages.ui.charts import axes, elements
from pages.ui.charts.chart import chart
from pages.ui.charts.elements import ChartContext, Figure
from pages.ui.charts.titles import Title
from pages.ui.i18n import text


def reached(answer: Answer, context: ChartContext) -> Title:
    """When the plan's range reaches the goal."""
    plan, low, high, goal = (answer.columns.index(metric.name) for metric in answer.metrics[1:5])
    unit, planned = answer.metrics[0].unit, [row for row in answer.rows if row[plan] is not None]
    last = planned[-1]
    placeholders = {"measure": answer.metrics[0].short[context.lang], "when": context.member("month", last[0])}
    if last[goal] is None or last[low] is None:
        return Title(
            context.word("finding.path_ends", value=text.amount(last[plan], unit, context.lang), **placeholders)
        )
    placeholders["target"] = text.plain(last[goal], unit, context.lang)
    months = [next((row[0] for row in planned if row[at] >= row[goal]), None) for at in (high, low)]
    first, latest = (context.member("month", month) if month else None for month in months)
    if first is None:
        low_high = {
            "low": text.plain(last[low], unit, context.lang),
            "high": text.plain(last[high], unit, context.lang),
        }
        return Title(context.word("finding.short_of", **placeholders, **low_high))
    if latest is None:
        return Title(context.word("finding.reached_earliest", first=first, **placeholders))
    key = "finding.reached_once" if first == latest else "finding.reached"
    return Title(context.word(key, first=first, last=latest, **placeholders))


def how_often(answer: Answer, context: ChartContext) -> Title:
    """How often the projected range contained the actual value half a year later."""
    row = next(row for row in answer.rows if row[0] == 6)
    if row[1] is None:
        return Title(context.word("finding.untried"))
    return Title(context.word("finding.held_once", value=text.percent(row[1], context.lang, 0)))


def last_trial(answer: Answer, context: ChartContext) -> Title:
    """The latest month projected half a year ahead, with its range and its actual value."""
    if not answer.rows:
        return Title(context.word("finding.untried_months"))
    row, metric = answer.rows[-1], answer.metrics[0]
    value, low, high = (text.plain(number, metric.unit, context.lang) for number in row[1:4])
    sentence = context.word("finding.trial", measure=metric.short[context.lang], value=value, low=low, high=high)
    return Title(sentence)


@chart(reached)
def path(answer: Answer, context: ChartContext) -> Figure:
    """Known values solid, planned ones dashed with their range, a line for the goal.

    Metrics in order: known, plan, low, high, goal.
    """
    labels = answer.column("month")
    known, plan, low, high, goal = (answer.column(metric.name) for metric in answer.metrics[:5])
    unit, value = answer.metrics[0].unit, next((number for number in goal if number is not None), None)
    plotted = [number for number in (*known, *low, *high) if number is not None]
    ticks = [0, 0.25, 0.5, 0.75, 1.0] if unit == "share" else axes.nice(max([*plotted, value or 0]))
    colour = context.colour("projection")
    data = [
        _line(answer, context, low, 2, {"color": colour, "width": 1, "dash": "dot"}),
        _line(answer, context, high, 3, {"color": colour, "width": 1, "dash": "dot"})
        | {"fill": "tonexty", "fillcolor": elements.faded(colour, 0.16)},
        _line(answer, context, plan, 1, {"color": colour, "width": 2.5, "dash": "dash"}),
        _line(answer, context, known, 0, {"color": context.colour("actual"), "width": 2.5}),
    ]
    keys = [
        elements.key(context, context.word("figure.actual"), "actual", "line"),
        elements.key(context, answer.metrics[1].short[context.lang], "projection", "dash"),
        elements.key(context, context.word("figure.range"), "projection", "light"),
    ]
    drawn: dict[str, Any] = {}
    if value is not None:
        written = f"{context.word('figure.target')} {text.plain(value, unit, context.lang)}"
        drawn = {
            "shapes": [elements.level(context, value, meaning="target")],
            "annotations": [
                elements.note(context, written, xref="paper", x=0, xanchor="left", y=value, yanchor="bottom"),
            ],
        }
    upright = axes.upright(context, ticks, unit, range=[0, ticks[-1] * 1.06 or 1])
    across = axes.time_axis(context, labels)
    return elements.figure(context, data, 350, keys, xaxis=across, yaxis=upright, margin=elements.LAST_TICK, **drawn)


@chart(last_trial)
def history(answer: Answer, context: ChartContext) -> Figure:
    """Actual values, and the range projected for them."""
    labels = answer.column("month")
    actual, low, high = (answer.column(metric.name) for metric in answer.metrics[:3])
    colour = context.colour("projection")
    thin = {"color": colour, "width": 1, "dash": "dot"}
    data = [
        _line(answer, context, low, 1, thin),
        _line(answer, context, high, 2, thin) | {"fill": "tonexty", "fillcolor": elements.faded(colour, 0.3)},
        _line(answer, context, actual, 0, {"color": context.colour("actual"), "width": 2.5}),
    ]
    keys = [
        elements.key(context, context.word("figure.actual"), "actual", "line"),
        elements.key(context, context.word("figure.projected_before"), "projection", "light"),
    ]
    ticks = axes.nice(max([0, *high, *actual]))
    return elements.figure(
        context,
        data,
        330,
        keys,
        xaxis=axes.time_axis(context, labels),
        yaxis=axes.upright(context, ticks, answer.metrics[0].unit),
        margin=elements.LAST_TICK,
    )


def _line(answer: Answer, context: ChartContext, values: list[Any], which: int, line: Figure) -> Figure:
    metric = answer.metrics[which]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": list(range(len(values))),
        "y": values,
        "line": line,
        "connectgaps": False,
        "hovertext": [elements.hover_of_row(answer, metric, row, context) for row in answer.rows],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


@chart(how_often)
def held(answer: Answer, context: ChartContext) -> Figure:
    """How often the projected range contained the actual value, by months ahead."""
    rows, series = answer.rows, (("actual", answer.metrics[0]),)
    names = [_ahead(row[0], context) for row in rows]
    data = []
    notes = []
    for side, (meaning, metric) in zip((0,), series, strict=True):
        at = answer.columns.index(metric.name)
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "x": [row[at] or 0 for row in rows],
                "y": [place + side for place in range(len(rows))],
                "width": 0.36,
                "marker": {"color": context.colour(meaning)},
                "hovertext": [
                    elements.hover(answer, metric, row, name, context) for row, name in zip(rows, names, strict=True)
                ],
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        )
        notes += [
            elements.note(
                context,
                context.word("figure.missing") if row[at] is None else text.percent(row[at], context.lang, 0),
                x=row[at] or 0,
                y=place + side,
                xanchor="right" if context.rtl else "left",
                xshift=-5 if context.rtl else 5,
            )
            for place, row in enumerate(rows)
        ]
    ticks = [0, 0.25, 0.5, 0.75, 1]
    return elements.figure(
        context,
        data,
        len(rows) * 58 + 50,
        [elements.key(context, metric.short[context.lang], meaning) for meaning, metric in series],
        xaxis=axes.axis(context, ticks, "share", **axes.across(context, ticks, 0, 1.08)),
        yaxis=axes.categories(context, names),
        annotations=notes,
        barmode="overlay",
    )


def _ahead(months: int, context: ChartContext) -> str:
    key = "figure.month_ahead" if months == 1 else "figure.months_ahead"
    return context.word(key, count=text.number(months, context.lang))
