"""Complete applications decided by working day and outcome, and the share of a founding year's institutes that remain."""

from typing import Any

from etl.analysis.competing_risks import SERVICE_DAYS
from etl.semantic.answers import Answer
from pages.ui.charts import axes, elements, traces
from pages.ui.charts.chart import chart
from pages.ui.charts.elements import ChartContext, Figure
from pages.ui.charts.titles import Title
from pages.ui.i18n import text


def within(answer: Answer, context: ChartContext) -> Title:
    """The share decided within the days that the service standard allows."""
    decided = {row["working_day"]: row["files_decided_by"] for row in answer.records()}.get(SERVICE_DAYS)
    if decided is None:
        return Title(context.word("cohort.untold"))
    days = text.number(SERVICE_DAYS, context.lang)
    return Title(context.word("cohort.by_day", value=text.percent(decided, context.lang), days=days))


def remaining(answer: Answer, context: ChartContext) -> Title:
    """The range of the share of a founding year's institutes that remain."""
    metric, rows = answer.metrics[0], answer.records()
    values = [row[metric.name] for row in rows]
    low, high = (text.plain(value, metric.unit, context.lang) for value in (min(values), max(values)))
    years = text.number(rows[0]["years"], context.lang)
    measure = metric.short[context.lang]
    return Title(context.word("cohort.after", measure=measure, years=years, low=low, high=high))


@chart(within)
def decided(answer: Answer, context: ChartContext) -> Figure:
    """The cumulative share decided, granted and refused by working day, with the service standard."""
    days = answer.column("working_day")
    data, keys = [], []
    for metric, meaning, dash, kind in zip(
        answer.metrics,
        ("actual", "third", "second"),
        ("solid", "dash", "dot"),
        ("line", "dash", "dotted"),
        strict=True,
    ):
        hovers = [_hover(answer, metric.name, row, context) for row in answer.rows]
        data.append(
            traces.line(days, answer.column(metric.name), hovers, context.colour(meaning), dash=dash, shape="hv")
        )
        keys.append(elements.key(context, metric.short[context.lang], meaning, kind))
    standard = f"{text.number(SERVICE_DAYS, context.lang)} {text.unit_word('working_days', context.lang)}"
    return elements.figure(
        context,
        data,
        320,
        keys,
        xaxis=axes.axis(
            context,
            list(range(0, days[-1] + 1, 20)),
            "working_days",
            range=[0, days[-1]],
            title=axes.titled(context, context.word("dimension.working_day")),
        ),
        yaxis=axes.upright(context, axes.SHARES, "share"),
        shapes=[elements.level(context, SERVICE_DAYS, vertical=True, meaning="target")],
        annotations=[
            # Between the curves, clear of the ticks on a phone.
            elements.note(context, standard, x=SERVICE_DAYS, xanchor="left", xshift=4, y=0.25, yanchor="bottom"),
        ],
        margin=traces.margins(context),
    )


def _hover(answer: Answer, name: str, row: tuple[Any, ...], context: ChartContext) -> str:
    metric = elements.metric_of(answer, name)
    day = f"{context.word('dimension.working_day')} {text.number(row[0], context.lang)}"
    return elements.hover(answer, metric, row, day, context)
