"""Answer in, Plotly figure out: applications by age, and adoption from publication to publication; what sizes say."""

from datetime import date

from etl.metrics import Answer
from pages.parts import charts, text
from pages.parts.charts import Figure, Look
from pages.parts.findings import Finding

_MOST_TICKS = 5


def aged(answer: Answer, look: Look) -> Figure:
    """Horizontal bars of the first metric cut into the others, from the youngest to the oldest; longest first."""
    whole, *bands = answer.metrics
    at = answer.columns.index(whole.name)
    rows = sorted(answer.rows, key=lambda row: (-(row[at] or 0), str(row[0])))
    steps = charts.STEPS[look.dark][1:]
    names = [charts.name_of(answer, row, look) for row in rows]
    data = []
    for band, colour in zip(bands, steps, strict=False):
        column = answer.columns.index(band.name)
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "x": [row[column] or 0 for row in rows],
                "y": list(range(len(rows))),
                "marker": {"color": colour, "line": {"color": look.colour("quiet"), "width": 1}},
                "hovertext": [
                    charts.hover(answer, band, row, name, look) for row, name in zip(rows, names, strict=True)
                ],
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        )
    top = max([1, *(row[at] or 0 for row in rows)])
    ticks = charts.nice(top)
    edge = {"x": 0 if look.rtl else 1, "xref": "paper", "xanchor": "right" if look.rtl else "left"}
    written = [text.plain(row[at], whole.unit, look.lang) for row in rows]
    beyond = 18 + 7 * max((len(value) for value in written), default=1)
    axis = charts.axis(look, ticks, whole.unit, **charts.across(look, ticks, 0, top * 1.01)) | {"showticklabels": False}
    return charts.figure(
        look,
        data,
        len(rows) * charts.BAR + 44,
        [
            {"label": band.short[look.lang], "colour": colour, "kind": "fill"}
            for band, colour in zip(bands, steps, strict=False)
        ],
        barmode="stack",
        xaxis=axis,
        yaxis=charts.categories(look, names),
        annotations=[charts.note(look, value, y=place, **edge) for place, value in enumerate(written)],
        margin={"l": beyond if look.rtl else 8, "r": 8 if look.rtl else beyond, "t": 8, "b": 8, "pad": 0},
    )


def published(answer: Answer, look: Look) -> Figure:
    """A share as each publication found it: a point a publication, dotted between, where nothing is known."""
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    days: list[date] = [row[0] for row in answer.rows]
    values = [row[at] for row in answer.rows]
    ticks = charts.nice(max([0.01, *(value for value in values if value is not None)]))
    x = [day.toordinal() for day in days]
    line = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": x,
        "y": values,
        "line": {"color": look.colour("actual"), "width": 1.5, "dash": "dot"},
        "marker": {"size": 9, "color": look.colour("actual")},
        "connectgaps": False,
        "hovertext": [charts.hover(answer, metric, row, look.member("day", row[0]), look) for row in answer.rows],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    step = -(-len(days) // _MOST_TICKS)
    shown = days[::-1][::step][::-1]
    spare = max((x[-1] - x[0]) * 0.06, 15)
    axis = charts.time_axis(look, []) | {
        "tickvals": [day.toordinal() for day in shown],
        "ticktext": [look.line("<br>".join(text.day(day, look.lang).rsplit(" ", 1))) for day in shown],
        "range": [x[0] - spare, x[-1] + spare],
    }
    margin = {"l": 8, "r": 26, "t": 8, "b": 8}
    return charts.figure(look, [line], 300, xaxis=axis, yaxis=charts.upright(look, ticks, metric.unit), margin=margin)


def since(answer: Answer, look: Look) -> Finding:
    """The share of the first publication kept and of the last; of one alone, that history begins here."""
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    first, last = answer.rows[0], answer.rows[-1]
    now = text.plain(last[at], metric.unit, look.lang)
    if len(answer.rows) == 1:
        return Finding(look.word("smart.begins", value=now))
    return Finding(
        look.word(
            "finding.grown",
            measure=metric.short[look.lang],
            first=text.plain(first[at], metric.unit, look.lang),
            value=now,
        )
    )


def largest_size(answer: Answer, look: Look) -> Finding:
    """The size of institutes, in persons, at which the first metric is highest."""
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    known = [row for row in answer.rows if row[at] is not None]
    if not known:
        return Finding(look.word("finding.none"))
    row = max(known, key=lambda row: row[at])
    place, value = look.member(answer.by[0], row[0]), text.amount(row[at], metric.unit, look.lang)
    return Finding(look.word("finding.of_size", place=place, value=value))
