"""The path of a scenario, the accuracy of past projections, and the rules of their titles."""

from etl.semantic.answers import Answer
from ui.charts import axes, elements
from ui.charts.chart import chart
from ui.charts.elements import ChartContext, Figure
from ui.charts.forecast import axis_ahead, between, turning_points
from ui.charts.lines import line_of
from ui.charts.titles import Title
from ui.i18n import text

# The distance that the title of the trials states.
STATED_MONTHS = 6


def reached(answer: Answer, context: ChartContext) -> Title:
    """When the plan reaches the goal; where only its range does, the earliest month."""
    plan, low, high, goal = (answer.columns.index(metric.name) for metric in answer.metrics[1:5])
    unit, planned = answer.metrics[0].unit, [row for row in answer.rows if row[plan] is not None]
    last = planned[-1]
    placeholders = {"measure": answer.metrics[0].short[context.lang], "when": context.member("month", last[0])}
    if last[goal] is None or last[low] is None:
        end = text.amount(last[plan], unit, context.lang)
        return Title(context.word("finding.path_ends", value=end, **placeholders))
    placeholders["target"] = text.plain(last[goal], unit, context.lang)
    months = [next((row[0] for row in planned if row[at] >= row[goal]), None) for at in (high, plan)]
    first, central = (text.unit_in_both(month, context.lang) if month else None for month in months)
    if first is None:
        lowest, highest = (text.plain(last[at], unit, context.lang) for at in (low, high))
        placeholders["value"] = text.plain(last[plan], unit, context.lang)
        key = "finding.short_of" if lowest != highest else "finding.short_of_once"
        return Title(context.word(key, low=lowest, high=highest, **placeholders))
    if central is None:
        return Title(context.word("finding.reached_earliest", first=first, **placeholders))
    return Title(context.word("finding.reached", month=central, **placeholders))


def how_often(answer: Answer, context: ChartContext) -> Title:
    """How often the projected range contained the actual value half a year later."""
    row = next(row for row in answer.rows if row[0] == STATED_MONTHS)
    if row[1] is None:
        return Title(context.word("finding.untried"))
    return Title(context.word("finding.held_once", value=text.percent(row[1], context.lang, 0)))


def last_trial(answer: Answer, context: ChartContext) -> Title:
    """The latest month projected half a year ahead, with its range and its actual value."""
    if not answer.rows:
        return Title(context.word("finding.untried_months"))
    row, metric = answer.rows[-1], answer.metrics[0]
    value, low, high = (text.plain(number, metric.unit, context.lang) for number in row[1:4])
    words = {"measure": metric.short[context.lang], "when": context.member("month", row[0])}
    return Title(context.word("finding.trial", value=value, low=low, high=high, **words))


@chart(reached)
def path(answer: Answer, context: ChartContext) -> Figure:
    """Known values solid, planned ones dashed with their range, a line for the goal.

    Metrics in order: actual, plan, low, high, goal.
    """
    actual, plan, low, high, goal = (answer.column(metric.name) for metric in answer.metrics[:5])
    unit, value = answer.metrics[0].unit, next((number for number in goal if number is not None), None)
    # The range of a share ends at 100 %.
    held = (*actual, *plan, value, *((*low, *high) if unit == "share" else ()))
    axis, cut = axis_ahead(context, held, (*low, *high), unit)
    data = [
        *between(answer, 2, 3, context, 0.16),
        line_of(answer, 1, context, "projection", 2.5, "dash"),
        line_of(answer, 0, context, "actual") | {"mode": "lines"},
        turning_points(actual, plan, value, context),
    ]
    keys = [
        elements.key(context, context.word("figure.actual"), "actual", "line"),
        elements.key(context, answer.metrics[1].short[context.lang], "projection", "dash"),
        elements.key(context, context.word("figure.range"), "projection", "light"),
    ]
    return elements.figure(
        context,
        data,
        350,
        keys,
        **axes.over_time(context, answer.column("month"), axis),
        credit=cut,
        **elements.target(context, value, unit),
    )


@chart(last_trial)
def history(answer: Answer, context: ChartContext) -> Figure:
    """Actual values, and the range projected for them."""
    actual, _, high = (answer.column(metric.name) for metric in answer.metrics[:3])
    data = [*between(answer, 1, 2, context, 0.3), line_of(answer, 0, context, "actual") | {"mode": "lines"}]
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
        **axes.over_time(context, answer.column("month"), axes.upright(context, ticks, answer.metrics[0].unit)),
    )


@chart(how_often)
def held(answer: Answer, context: ChartContext) -> Figure:
    """How often the projected range contained the actual value, by months ahead."""
    rows, metric = answer.rows, answer.metrics[0]
    names = [context.word("figure.months_ahead", count=text.number(row[0], context.lang)) for row in rows]
    shares = answer.column(metric.name)
    hovers = [elements.hover(answer, metric, row, context, name) for row, name in zip(rows, names, strict=True)]
    marker, lengths = {"color": context.colour("actual")}, [share or 0 for share in shares]
    value_texts = [
        context.word("figure.missing") if share is None else text.percent(share, context.lang, 0) for share in shares
    ]
    return elements.figure(
        context,
        [elements.bar(lengths, hovers, width=0.36, marker=marker)],
        len(rows) * 72 + 50,
        [elements.key(context, metric.short[context.lang], "actual")],
        xaxis=axes.across(context, axes.SHARES, "share", 1.08),
        yaxis=axes.categories(context, names),
        annotations=[
            elements.value_at_end(context, value, x, y)
            for y, (value, x) in enumerate(zip(value_texts, lengths, strict=True))
        ],
        barmode="overlay",
    )
