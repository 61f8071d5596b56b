"""Charts of licensing and of smart services, and the rules of their titles."""

from dataclasses import replace
from datetime import date

from etl.analysis.survival import SERVICE_DAYS
from etl.semantic.answers import Answer
from etl.semantic.ranking import rank
from ui import palette
from ui.charts import axes, bars, elements, titles
from ui.charts.chart import chart
from ui.charts.elements import ChartContext, Figure
from ui.charts.titles import Title
from ui.i18n import text
from ui.summary import claims

# The age at which institutes are counted that remain.
YEARS_AFTER = 5
_MOST_TICKS = 5


def within(answer: Answer, context: ChartContext) -> Title:
    """The share decided within the days that the service standard allows."""
    decided = {row["working_day"]: row["files_decided_by"] for row in answer.records()}.get(SERVICE_DAYS)
    if decided is None:
        return Title(context.word("cohort.untold"))
    days = text.number(SERVICE_DAYS, context.lang)
    said = claims.claim("value", answer, members=(SERVICE_DAYS,), values=(decided,))
    return Title(context.word("cohort.by_day", value=text.percent(decided, context.lang), days=days), claims=(said,))


def remaining(answer: Answer, context: ChartContext) -> Title:
    """The range of the share of a founding year's institutes that remain."""
    metric, rows = answer.metrics[0], answer.records()
    rows.sort(key=lambda row: row[metric.name])
    ends = (rows[0], rows[-1])
    low, high = (text.plain(row[metric.name], metric.unit, context.lang) for row in ends)
    years = text.number(YEARS_AFTER, context.lang)
    measure = metric.short[context.lang]
    said = claims.claim(
        "value",
        answer,
        by=("founded_year", "years"),
        members=tuple(f"{row['founded_year']}|{YEARS_AFTER}" for row in ends),
        values=tuple(row[metric.name] for row in ends),
    )
    return Title(context.word("cohort.after", measure=measure, years=years, low=low, high=high), claims=(said,))


def with_staff(answer: Answer, context: ChartContext) -> Title:
    """The range by size of the institutes that have staff; of the few without, one more or less is several points."""
    staffed, metric = replace(answer, rows=[row for row in answer.rows if row[0] != "0"]), answer.metrics[0]
    ranking = rank(staffed)
    if ranking.small or len(ranking.ranked) < 2:
        return titles.extreme(staffed, context)
    ends = [ranking.ranked[at] for at in (-1, 0)]
    low, high = (text.plain(end.value, metric.unit, context.lang) for end in ends)
    said = claims.claim(
        "value", answer, members=tuple(end.key[0] for end in ends), values=tuple(end.value for end in ends)
    )
    return Title(context.word("smart.by_size", measure=metric.short[context.lang], low=low, high=high), claims=(said,))


@chart(within)
def decided(answer: Answer, context: ChartContext) -> Figure:
    """The cumulative share decided, granted and refused by working day, with the service standard."""
    days, working_day = answer.column("working_day"), context.word("dimension.working_day")
    names = [f"{working_day} {text.number(day, context.lang)}" for day in days]
    data, keys = [], []
    styles = (("actual", "solid", "line"), ("third", "dash", "dash"), ("second", "dot", "dotted"))
    for metric, (meaning, dash, kind) in zip(answer.metrics, styles, strict=True):
        hovers = [
            elements.hover(answer, metric, row, context, name) for row, name in zip(answer.rows, names, strict=True)
        ]
        shares, colour = answer.column(metric.name), context.colour(meaning)
        data.append(elements.line(days, shares, hovers, colour, dash=dash, shape="hv"))
        keys.append(elements.key(context, metric.short[context.lang], meaning, kind))
    standard = f"{text.number(SERVICE_DAYS, context.lang)} {text.unit_word('working_days', context.lang)}"
    return elements.figure(
        context,
        data,
        320,
        keys,
        xaxis=axes.axis(context, range(0, days[-1] + 1, 20), "working_days", range=[0, days[-1]], title=working_day),
        yaxis=axes.upright(context, axes.SHARES, "share"),
        shapes=[elements.level(context, SERVICE_DAYS, vertical=True, meaning="target")],
        annotations=[
            # Between the curves, clear of the ticks on a phone.
            elements.note(context, standard, x=SERVICE_DAYS, xanchor="left", xshift=4, y=0.25, yanchor="bottom"),
        ],
        margin=axes.margins(context),
    )


def since(answer: Answer, context: ChartContext) -> Title:
    """The share in the first and the last publication."""
    metric = answer.metrics[0]
    first, *_, last = (text.plain(value, metric.unit, context.lang) for value in answer.column(metric.name))
    return Title(context.word("finding.grown", measure=metric.short[context.lang], first=first, value=last))


@chart(titles.highest, order=bars.in_order)
def aged(answer: Answer, context: ChartContext) -> Figure:
    """Horizontal bars of the first metric, longest first, split into the other metrics from youngest to oldest."""
    whole, *bands = answer.metrics
    at = answer.columns.index(whole.name)
    rows = sorted(answer.rows, key=lambda row: (-(row[at] or 0), str(row[0])))
    data, keys = [], []
    for band, colour in zip(bands, palette.ramp("counts", len(bands), context.dark), strict=True):
        column = answer.columns.index(band.name)
        hovers = [elements.hover(answer, band, row, context) for row in rows]
        marker = {"color": colour, "line": {"color": context.colour("quiet"), "width": 1}}
        data.append(elements.bar([row[column] or 0 for row in rows], hovers, marker=marker))
        keys.append({"label": band.short[context.lang], "colour": colour, "kind": "fill"})
    top = max([1, *(row[at] or 0 for row in rows)])
    value_texts = [text.plain(row[at], whole.unit, context.lang) for row in rows]
    return elements.figure(
        context,
        data,
        len(rows) * elements.BAR + 44,
        keys,
        barmode="stack",
        xaxis=axes.across(context, axes.nice(top), whole.unit, top * 1.01, showticklabels=False),
        **axes.named_bars(context, [elements.name_of(answer, row, context) for row in rows], value_texts),
    )


@chart(since)
def published(answer: Answer, context: ChartContext) -> Figure:
    """A share in each publication: one point each, joined by dots because nothing is known in between."""
    metric = answer.metrics[0]
    days: list[date] = [row[0] for row in answer.rows]
    values = answer.column(metric.name)
    ticks = axes.nice(max([0.01, *(value for value in values if value is not None)]))
    x = [day.toordinal() for day in days]
    colour = context.colour("actual")
    hovers = [elements.hover(answer, metric, row, context) for row in answer.rows]
    marker = {"size": 9, "color": colour}
    line = elements.line(x, values, hovers, colour, 1.5, "dot", mode="lines+markers", marker=marker)
    step = -(-len(days) // _MOST_TICKS)
    tick_days = days[::-1][::step][::-1]
    padding = max((x[-1] - x[0]) * 0.06, 15)
    at = [day.toordinal() for day in tick_days]
    axis = axes.days_axis(context, at, tick_days, [x[0] - padding, x[-1] + padding])
    return elements.figure(
        context, [line], 300, xaxis=axis, yaxis=axes.upright(context, ticks, metric.unit), margin=axes.LAST_TICK
    )
