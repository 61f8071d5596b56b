"""Answer in, Plotly figure out: what runs over time, and the curve of inequality. Time runs left to right."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import cycle
from typing import Any

from etl.metrics import Answer, Metric
from pages.parts import charts, text
from pages.parts.charts import Figure, Look

TIME = ("month", "quarter", "year", "day")


def trend(
    answer: Answer,
    look: Look,
    target: float | None = None,
    before: Answer | None = None,
    zero: bool = True,
    height: int = 320,
) -> Figure:
    """Lines of the answer's metrics over time: actual solid, the year before lighter, the target outlined.

    With a second dimension there is one line a member. What is not over is drawn hollow; an unknown value is a gap.
    """
    t = next(i for i, name in enumerate(answer.by) if name in TIME)
    labels = list(dict.fromkeys(row[t] for row in answer.rows))
    unit = answer.metrics[0].unit
    data, keys, seen = [], [], []
    if before is not None:
        earlier = _Series(look.word("figure.before"), before.metrics[0], before.rows[: len(labels)])
        values, hovers = earlier.spread(before, look, [row[0] for row in earlier.rows], 0)
        seen += values
        data.append(_line(look, values, "before", hovers, width=2))
        keys.append(charts.key(look, earlier.name, "before", "line"))
    for series, meaning in zip(_series(answer, look, t), cycle(charts.SERIES), strict=False):
        values, hovers = series.spread(answer, look, labels, t)
        seen += values
        firm = [None if label in answer.provisional else value for label, value in zip(labels, values, strict=True)]
        data.append(_line(look, firm, meaning, hovers))
        data += _open_end(look, values, labels, answer.provisional, meaning, hovers)
        keys.append(charts.key(look, series.name, meaning, "line"))
    known = [value for value in seen if value is not None]
    ticks = charts.nice(max([0, *known, target or 0])) if zero else _around(known, target, unit)
    if answer.provisional & set(labels):
        keys.append(charts.key(look, look.word("figure.provisional"), charts.SERIES[0], "outline"))
    return charts.figure(
        look,
        data,
        height,
        keys if len(keys) > 1 else [],
        xaxis=charts.time_axis(look, labels),
        yaxis=_roomy(look, ticks, unit),
        **_goal(look, target, unit),
    )


@dataclass(frozen=True)
class _Series:
    """One line: its name, its metric, its rows."""

    name: str
    metric: Metric
    rows: Sequence[tuple[Any, ...]]

    def spread(self, answer: Answer, look: Look, labels: Sequence[Any], t: int) -> tuple[list[float | None], list[str]]:
        """Values and hover texts in the order of `labels`; a label without a row has neither."""
        at = answer.columns.index(self.metric.name)
        place = {row[t]: row for row in self.rows}
        rows = [place.get(label) for label in labels]
        return (
            [row[at] if row else None for row in rows],
            [
                charts.hover(answer, self.metric, row, charts.name_of(answer, row, look), look) if row else ""
                for row in rows
            ],
        )


def _series(answer: Answer, look: Look, t: int) -> list[_Series]:
    """The lines of a trend: one a metric, or one a member of the second dimension."""
    if len(answer.by) == 1:
        return [_Series(metric.short[look.lang], metric, answer.rows) for metric in answer.metrics]
    members: dict[Any, list[tuple[Any, ...]]] = {}
    for row in answer.rows:
        members.setdefault(row[1 - t], []).append(row)
    name = answer.by[1 - t]
    return [_Series(look.member(name, code), answer.metrics[0], rows) for code, rows in members.items()]


def _roomy(look: Look, ticks: Sequence[float], unit: str) -> Figure:
    """An upright axis with some room above its last tick."""
    return charts.upright(look, ticks, unit, range=[ticks[0], ticks[-1] + (ticks[-1] - ticks[0]) * 0.06])


def _goal(look: Look, value: float | None, unit: str, at_end: bool = False) -> Figure:
    """The value to be reached, outlined and named; nothing where there is none."""
    if value is None:
        return {}
    side = {"x": 1, "xanchor": "right"} if at_end else {"x": 0, "xanchor": "left"}
    written = f"{look.word('figure.target')} {text.plain(value, unit, look.lang)}"
    return {
        "shapes": [charts.level(look, value, meaning="target")],
        "annotations": [charts.note(look, written, xref="paper", y=value, yanchor="bottom", **side)],
    }


def _line(
    look: Look, y: Sequence[Any], meaning: str, hover: Sequence[str], width: float = 2.5, dash: str = "solid"
) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines+markers" if len(y) <= 30 and dash == "solid" else "lines",
        "x": list(range(len(y))),
        "y": list(y),
        "line": {"color": look.colour(meaning), "width": width, "dash": dash},
        "marker": {"size": 5, "color": look.colour(meaning)},
        "connectgaps": False,
        "hovertext": list(hover),
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def _open_end(
    look: Look,
    values: Sequence[Any],
    labels: Sequence[str],
    provisional: frozenset,
    meaning: str,
    hover: Sequence[str],
) -> list[Figure]:
    """The provisional end of a line: thin, dotted, with hollow points."""
    open_at = [i for i, label in enumerate(labels) if label in provisional]
    if not open_at:
        return []
    x = [max(open_at[0] - 1, 0), *open_at]
    return [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": x,
            "y": [values[i] for i in x],
            "line": {"color": look.colour(meaning), "width": 1.5, "dash": "dot"},
            "marker": {
                "size": [0, *[8] * len(open_at)],
                "color": look.colour("surface"),
                "line": {"color": look.colour(meaning), "width": 2},
            },
            # The last point stands at the edge of the plot, and is drawn whole.
            "cliponaxis": False,
            "hovertext": [hover[i] for i in x],
            "hovertemplate": "%{hovertext}<extra></extra>",
        }
    ]


def _around(values: Sequence[float], target: float | None, unit: str) -> list[float]:
    """Ticks for a line that need not start at zero; a share shows at least ten points, for noise is no news."""
    low, high = min(values, default=0), max([*values, target or 0], default=1)
    if unit == "share":
        spare = max(0.1 - (high - low), 0) / 2
        low, high = max(low - spare, 0), min(high + spare, 1) if high <= 1 else high
    return charts.between(low, high)


def projection(answer: Answer, look: Look, target: float | None = None) -> Figure:
    """What is known solid, what is projected dashed with its range. Metrics in order: actual, low, high."""
    labels = [row[0] for row in answer.rows]
    parts = [_Series(metric.short[look.lang], metric, answer.rows) for metric in answer.metrics[:3]]
    (known, known_hover), (floor, floor_hover), (roof, roof_hover) = (
        part.spread(answer, look, labels, 0) for part in parts
    )
    low = _line(look, floor, "projection", floor_hover, 1.5, "dash")
    high = _line(look, roof, "projection", roof_hover, 1.5, "dash") | {
        "fill": "tonexty",
        "fillcolor": charts.faded(look.colour("projection"), 0.18),
    }
    top = max([target or 0, *(value for value in [*known, *roof] if value is not None)])
    unit = answer.metrics[0].unit
    keys = [
        charts.key(look, look.word("figure.actual"), "actual", "line"),
        charts.key(look, look.word("figure.range"), "projection", "dash"),
    ]
    return charts.figure(
        look,
        [low, high, _line(look, known, "actual", known_hover)],
        340,
        keys,
        xaxis=charts.time_axis(look, labels),
        yaxis=_roomy(look, charts.nice(top), unit),
        **_goal(look, target, unit),
    )


def run_off(answer: Answer, look: Look, goal: float | None = None) -> Figure:
    """A share that falls on known days if nothing is done: a step line over days, with the goal."""
    metric = answer.metrics[0]
    days: list[date] = [row[0] for row in answer.rows]
    values, hovers = _Series("", metric, answer.rows).spread(answer, look, days, 0)
    line = _line(look, values, "actual", hovers) | {"mode": "lines"}
    line["line"] = line["line"] | {"shape": "hv"}
    known = [value for value in values if value is not None]
    axis = charts.time_axis(look, [day.isoformat() for day in days])
    axis["tickvals"] = list(range(0, len(days), max(1, len(days) // 4)))
    axis["ticktext"] = [look.line("<br>".join(text.day(days[i], look.lang).rsplit(" ", 1))) for i in axis["tickvals"]]
    return charts.figure(
        look,
        [line],
        320,
        xaxis=axis,
        yaxis=_roomy(look, _around(known, goal, metric.unit), metric.unit),
        margin={"l": 8, "r": 26, "t": 8, "b": 8},
        **_goal(look, goal, metric.unit, at_end=True),
    )


def heat(answer: Answer, look: Look) -> Figure:
    """A table of colour: groups down, as they rank in the last month; months across; an unknown cell stays empty."""
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    t = next(i for i, name in enumerate(answer.by) if name in TIME)
    labels = list(dict.fromkeys(row[t] for row in answer.rows))
    last = {row[1 - t]: row[at] for row in answer.rows if row[t] == labels[-1]}
    groups = sorted(last, key=lambda code: (last[code] is None, -(last[code] or 0)))
    cell = {(row[1 - t], row[t]): row for row in answer.rows}
    bounds = charts.classes([row[at] for row in answer.rows if row[at] is not None])
    rows = [[cell.get((group, label)) for label in labels] for group in groups]
    data = {
        "type": "heatmap",
        "x": list(range(len(labels))),
        "y": list(range(len(groups))),
        "z": [
            [None if row is None or row[at] is None else charts.class_of(row[at], bounds) for row in line]
            for line in rows
        ],
        "zmin": -0.5,
        "zmax": 4.5,
        "colorscale": charts.scale(charts.STEPS[look.dark]),
        "showscale": False,
        "xgap": 1,
        "ygap": 1,
        "hovertext": [
            [charts.hover(answer, metric, row, charts.name_of(answer, row, look), look) if row else "" for row in line]
            for line in rows
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "hoverongaps": False,
    }
    names = charts.categories(look, [look.member(answer.by[1 - t], group) for group in groups])
    return charts.figure(
        look,
        [data],
        len(groups) * 20 + 60,
        charts.class_keys(look, bounds, metric.unit),
        xaxis=charts.time_axis(look, labels) | {"range": [-0.5, len(labels) - 0.5], "showline": False},
        yaxis=names | {"range": [len(groups) - 0.5, -0.5]},
    )


def lorenz(answer: Answer, look: Look) -> Figure:
    """Cumulative share of assistants over cumulative share of residents, beside the line of full equality.

    Rows in order of coverage, from the origin: a group, the cumulative shares of residents and of assistants.
    """
    along, up = answer.metrics[:2]
    x, y = answer.column(along.name), answer.column(up.name)
    hovers = [
        look.line(
            f"<b>{text.escape(charts.name_of(answer, row, look))}</b><br>"
            f"{text.escape(along.label[look.lang])}: {text.percent(across, look.lang)}<br>"
            f"{text.escape(up.label[look.lang])}: {text.percent(share, look.lang)}"
        )
        for row, across, share in zip(answer.rows, x, y, strict=True)
    ]
    if hovers and answer.rows[0][0] is None:
        hovers[0] = ""
    even = _line(look, [0, 1], "quiet", ["", ""], 1.5, "dash") | {"x": [0, 1], "hoverinfo": "skip"}
    del even["hovertemplate"], even["hovertext"]
    curve = _line(look, y, "actual", hovers) | {
        "x": x,
        "customdata": [row[0] for row in answer.rows],
        "mode": "lines+markers",
        "fill": "tonexty",
        "fillcolor": charts.faded(look.colour("actual"), 0.15),
    }
    ticks = [0, 0.25, 0.5, 0.75, 1]
    named = {
        "font": {"size": 12, "color": look.colour("quiet")},
        "standoff": 8,
        "text": look.line(along.short[look.lang]),
    }
    corner: Figure = {"x": 0.01, "xanchor": "left", "y": 1, "yanchor": "top", "xref": "paper", "yref": "paper"}
    return charts.figure(
        look,
        [even, curve],
        360,
        [
            charts.key(look, look.word("figure.equality"), "quiet", "dash"),
            charts.key(look, look.word("figure.actual"), "actual", "line"),
        ],
        clicks=answer.by[0],
        xaxis=charts.axis(look, ticks, "share", range=[0, 1.01], title=named, **charts.ground(look)),
        yaxis=charts.axis(look, ticks, "share", range=[0, 1.01], **charts.ground(look)),
        margin={"l": 8, "r": 26, "t": 8, "b": 8},
        annotations=[charts.note(look, up.short[look.lang], **corner)],
    )
