"""Applications by age, adoption per publication, and the rules of their titles."""

from dataclasses import replace
from datetime import date

from etl.semantic.answers import Answer
from pages.ui.charts import axes, elements, titles
from pages.ui.charts.chart import chart
from pages.ui.charts.classes import STEPS
from pages.ui.charts.elements import ChartContext, Figure
from pages.ui.charts.titles import Title
from pages.ui.i18n import text

_MOST_TICKS = 5


def since(answer: Answer, context: ChartContext) -> Title:
    """The share in the first and the last publication; a single publication is the start of the history."""
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    first, last = answer.rows[0], answer.rows[-1]
    now = text.plain(last[at], metric.unit, context.lang)
    if len(answer.rows) == 1:
        return Title(context.word("smart.begins", measure=metric.short[context.lang], value=now))
    return Title(
        context.word(
            "finding.grown",
            measure=metric.short[context.lang],
            first=text.plain(first[at], metric.unit, context.lang),
            value=now,
        )
    )


@chart(titles.highest)
def aged(answer: Answer, context: ChartContext) -> Figure:
    """Horizontal bars of the first metric, longest first, split into the other metrics from youngest to oldest."""
    whole, *bands = answer.metrics
    at = answer.columns.index(whole.name)
    rows = sorted(answer.rows, key=lambda row: (-(row[at] or 0), str(row[0])))
    steps = STEPS[context.dark][1:]
    names = [elements.name_of(answer, row, context) for row in rows]
    data = []
    for band, colour in zip(bands, steps, strict=False):
        column = answer.columns.index(band.name)
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "x": [row[column] or 0 for row in rows],
                "y": list(range(len(rows))),
                "marker": {"color": colour, "line": {"color": context.colour("quiet"), "width": 1}},
                "hovertext": [
                    elements.hover(answer, band, row, name, context) for row, name in zip(rows, names, strict=True)
                ],
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        )
    top = max([1, *(row[at] or 0 for row in rows)])
    ticks = axes.nice(top)
    edge = {"x": 0 if context.rtl else 1, "xref": "paper", "xanchor": "right" if context.rtl else "left"}
    written = [text.plain(row[at], whole.unit, context.lang) for row in rows]
    beyond = 18 + 7 * max((len(value) for value in written), default=1)
    axis = axes.axis(context, ticks, whole.unit, **axes.across(context, ticks, 0, top * 1.01)) | {
        "showticklabels": False
    }
    return elements.figure(
        context,
        data,
        len(rows) * elements.BAR + 44,
        [
            {"label": band.short[context.lang], "colour": colour, "kind": "fill"}
            for band, colour in zip(bands, steps, strict=False)
        ],
        barmode="stack",
        xaxis=axis,
        yaxis=axes.categories(context, names),
        annotations=[elements.note(context, value, y=place, **edge) for place, value in enumerate(written)],
        margin={"l": beyond if context.rtl else 8, "r": 8 if context.rtl else beyond, "t": 8, "b": 8, "pad": 0},
    )


@chart(since)
def published(answer: Answer, context: ChartContext) -> Figure:
    """A share in each publication: one point each, joined by dots because nothing is known in between."""
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    days: list[date] = [row[0] for row in answer.rows]
    values = [row[at] for row in answer.rows]
    ticks = axes.nice(max([0.01, *(value for value in values if value is not None)]))
    x = [day.toordinal() for day in days]
    line = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": x,
        "y": values,
        "line": {"color": context.colour("actual"), "width": 1.5, "dash": "dot"},
        "marker": {"size": 9, "color": context.colour("actual")},
        "connectgaps": False,
        "hovertext": [
            elements.hover(answer, metric, row, context.member("day", row[0]), context) for row in answer.rows
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    step = -(-len(days) // _MOST_TICKS)
    tick_days = days[::-1][::step][::-1]
    spare = max((x[-1] - x[0]) * 0.06, 15)
    axis = axes.time_axis(context, []) | {
        "tickvals": [day.toordinal() for day in tick_days],
        "ticktext": [context.line("<br>".join(text.day(day, context.lang).rsplit(" ", 1))) for day in tick_days],
        "range": [x[0] - spare, x[-1] + spare],
    }
    return elements.figure(
        context, [line], 300, xaxis=axis, yaxis=axes.upright(context, ticks, metric.unit), margin=elements.LAST_TICK
    )


def largest_size(answer: Answer, context: ChartContext) -> Title:
    """The size of institutes, in persons, at which the first metric is highest."""
    # A title breaks its line beside "10–24", not within.
    whole = {row[0]: context.member("size", row[0]).replace("–", "–\u2060") for row in answer.rows}
    sizes = {size: context.word("finding.of_size", place=place) for size, place in whole.items()}
    return titles.highest(answer, replace(context, names={**context.names, "size": sizes}))
