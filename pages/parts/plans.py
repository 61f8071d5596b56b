"""Answer in, Plotly figure out: the path of a scenario, and how right past projections were. With what each says."""

from typing import Any

from etl.metrics import Answer
from pages.parts import charts, text
from pages.parts.charts import Figure, Look
from pages.parts.findings import Finding


def path(answer: Answer, look: Look) -> Figure:
    """Known solid, planned dashed with its range, the goal outlined. Metrics in order: known, plan, low, high, goal."""
    labels = answer.column("month")
    known, plan, low, high, goal = (answer.column(metric.name) for metric in answer.metrics[:5])
    unit, value = answer.metrics[0].unit, next((one for one in goal if one is not None), None)
    seen = [one for one in (*known, *low, *high) if one is not None]
    ticks = [0, 0.25, 0.5, 0.75, 1.0] if unit == "share" else charts.nice(max([*seen, value or 0]))
    colour = look.colour("projection")
    data = [
        _line(answer, look, low, 2, {"color": colour, "width": 1, "dash": "dot"}),
        _line(answer, look, high, 3, {"color": colour, "width": 1, "dash": "dot"})
        | {"fill": "tonexty", "fillcolor": charts.faded(colour, 0.16)},
        _line(answer, look, plan, 1, {"color": colour, "width": 2.5, "dash": "dash"}),
        _line(answer, look, known, 0, {"color": look.colour("actual"), "width": 2.5}),
    ]
    keys = [
        charts.key(look, look.word("figure.actual"), "actual", "line"),
        charts.key(look, answer.metrics[1].short[look.lang], "projection", "dash"),
        charts.key(look, look.word("figure.range"), "projection", "light"),
    ]
    drawn: dict[str, Any] = {}
    if value is not None:
        written = f"{look.word('figure.target')} {text.plain(value, unit, look.lang)}"
        drawn = {
            "shapes": [charts.level(look, value, meaning="target")],
            "annotations": [
                charts.note(look, written, xref="paper", x=1, xanchor="right", y=value, yanchor="bottom"),
            ],
        }
    upright = charts.upright(look, ticks, unit, range=[0, ticks[-1] * 1.06 or 1])
    return charts.figure(look, data, 350, keys, xaxis=charts.time_axis(look, labels), yaxis=upright, **drawn)


def history(answer: Answer, look: Look) -> Figure:
    """What came, and the range that had been projected for it."""
    labels = answer.column("month")
    actual, low, high = (answer.column(metric.name) for metric in answer.metrics[:3])
    colour = look.colour("projection")
    thin = {"color": colour, "width": 1, "dash": "dot"}
    data = [
        _line(answer, look, low, 1, thin),
        _line(answer, look, high, 2, thin) | {"fill": "tonexty", "fillcolor": charts.faded(colour, 0.3)},
        _line(answer, look, actual, 0, {"color": look.colour("focus"), "width": 2}),
    ]
    keys = [
        charts.key(look, look.word("figure.actual"), "focus", "line"),
        charts.key(look, look.word("figure.projected_before"), "projection", "light"),
    ]
    ticks = charts.nice(max([0, *high, *actual]))
    return charts.figure(
        look,
        data,
        330,
        keys,
        xaxis=charts.time_axis(look, labels),
        yaxis=charts.upright(look, ticks, answer.metrics[0].unit),
    )


def _line(answer: Answer, look: Look, values: list[Any], which: int, line: Figure) -> Figure:
    metric = answer.metrics[which]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": list(range(len(values))),
        "y": values,
        "line": line,
        "connectgaps": False,
        "hovertext": [
            charts.hover(answer, metric, row, charts.name_of(answer, row, look), look) for row in answer.rows
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def held(answer: Answer, look: Look) -> Figure:
    """How often the projection's range held what came: a bar for each distance."""
    rows, series = answer.rows, (("actual", answer.metrics[0]),)
    names = [_ahead(row[0], look) for row in rows]
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
                "marker": {"color": look.colour(meaning)},
                "hovertext": [
                    charts.hover(answer, metric, row, name, look) for row, name in zip(rows, names, strict=True)
                ],
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        )
        notes += [
            charts.note(
                look,
                look.word("figure.missing") if row[at] is None else text.percent(row[at], look.lang, 0),
                x=row[at] or 0,
                y=place + side,
                xanchor="right" if look.rtl else "left",
                xshift=-5 if look.rtl else 5,
            )
            for place, row in enumerate(rows)
        ]
    ticks = [0, 0.25, 0.5, 0.75, 1]
    return charts.figure(
        look,
        data,
        len(rows) * 58 + 50,
        [charts.key(look, metric.short[look.lang], meaning) for meaning, metric in series],
        xaxis=charts.axis(look, ticks, "share", **charts.across(look, ticks, 0, 1.08)),
        yaxis=charts.categories(look, names),
        annotations=notes,
        barmode="overlay",
    )


def _ahead(months: int, look: Look) -> str:
    key = "figure.month_ahead" if months == 1 else "figure.months_ahead"
    return look.word(key, count=text.number(months, look.lang))


# ---------------------------------------------------------------- what they say


def reached(answer: Answer, look: Look) -> Finding:
    """When the plan's range reaches the goal."""
    plan, low, high, goal = (answer.columns.index(metric.name) for metric in answer.metrics[1:5])
    unit, planned = answer.metrics[0].unit, [row for row in answer.rows if row[plan] is not None]
    last = planned[-1]
    if last[goal] is None:
        value, when = text.amount(last[plan], unit, look.lang), look.member("month", last[0])
        return Finding(look.word("finding.path_ends", when=when, value=value))
    target = text.plain(last[goal], unit, look.lang)
    if last[low] is None:
        when, value = look.member("month", last[0]), text.amount(last[plan], unit, look.lang)
        return Finding(look.word("finding.path_ends", when=when, value=value))
    months = [next((row[0] for row in planned if row[at] >= row[goal]), None) for at in (high, low)]
    first, latest = (look.member("month", month) if month else None for month in months)
    if first is None:
        low_high = (text.plain(last[at], unit, look.lang) for at in (low, high))
        when = look.member("month", last[0])
        return Finding(look.word("finding.short_of", when=when, **dict(zip(("low", "high"), low_high, strict=True))))
    if latest is None:
        return Finding(look.word("finding.reached_earliest", target=target, first=first))
    key = "finding.reached_once" if first == latest else "finding.reached"
    return Finding(look.word(key, target=target, first=first, last=latest))


def how_often(answer: Answer, look: Look) -> Finding:
    """How often the range held what came half a year later."""
    row = next(row for row in answer.rows if row[0] == 6)
    if row[1] is None:
        return Finding(look.word("finding.untried"))
    return Finding(look.word("finding.held_once", value=text.percent(row[1], look.lang, 0)))


def last_trial(answer: Answer, look: Look) -> Finding:
    """The latest month that was projected half a year before."""
    if not answer.rows:
        return Finding(look.word("finding.untried"))
    row = answer.rows[-1]
    unit = answer.metrics[0].unit
    value, low, high = (text.plain(one, unit, look.lang) for one in row[1:4])
    return Finding(look.word("finding.trial", value=value, low=low, high=high))
