"""Line charts over time, and the Lorenz curve. Time runs left to right."""

from collections.abc import Sequence
from datetime import date
from itertools import cycle
from typing import Any

import numpy as np

from etl.analysis.training import GOAL
from etl.semantic.answers import Answer, Metric
from etl.semantic.ranking import worse_side
from etl.warehouse import dimensions
from ui.charts import axes, elements, marks, time_titles, titles
from ui.charts.chart import chart
from ui.charts.elements import ChartContext, Figure
from ui.charts.matrix import heatmap
from ui.i18n import text

TIME_AXES = (*dimensions.TIME, "day")
# The width of a line, as a part of an axis of shares.
_LINE = 0.003


@chart(time_titles.latest, has_events=True)
def trend(
    answer: Answer,
    context: ChartContext,
    target: float | None = None,
    zero: bool = True,
    height: int = 320,
    events: Sequence[marks.Event] = (),
    nation: float | tuple[tuple[Any, ...], ...] | None = None,
    target_word: str = "figure.target",
) -> Figure:
    """Metrics over time: actual values solid, a line for the target or else for the nation, events numbered.

    The nation is a value or its own trend, as pairs of a label and a value.

    A second dimension gives one line per member. Provisional points are hollow; an unknown value is a gap.
    """
    t = _time_column(answer)
    mark, meaning_of_mark, word = target, "target", target_word
    of_nation = dict(nation) if isinstance(nation, tuple) else {}
    level = None if isinstance(nation, tuple) else nation
    if target is None:
        mark, meaning_of_mark, word = level, "nation", "figure.nation_line"
    labels = list(dict.fromkeys(row[t] for row in answer.rows))
    unit = answer.metrics[0].unit
    open_at = [i for i, label in enumerate(labels) if label in answer.provisional]
    data, keys, all_values = [], [], []
    for (name, metric, rows), meaning in zip(_series(answer, context, t), cycle(elements.SERIES), strict=False):
        at = answer.columns.index(metric.name)
        row_of = {row[t]: row for row in rows}
        by_label = [row_of.get(label) for label in labels]
        values = [row[at] if row else None for row in by_label]
        hovers = [elements.hover(answer, metric, row, context) if row else "" for row in by_label]
        all_values += values
        firm = [None if i in open_at else value for i, value in enumerate(values)]
        data.append(_line(context, firm, meaning, hovers))
        if open_at:
            data.append(_open(context, values, open_at, meaning, hovers))
        keys.append(elements.key(context, name, meaning, "line"))
    if of_nation:
        values = [of_nation.get(label) for label in labels]
        all_values += values
        measure, said = answer.metrics[0], context.word("figure.nation_line")
        hovers = [
            f"{said}: {text.plain(value, measure.unit, context.lang)}" if value is not None else "" for value in values
        ]
        data.append(_line(context, values, "nation", hovers, 1.5, "dash"))
        keys.append(elements.key(context, said, "nation", "dash"))
    numbers = [value for value in all_values if value is not None]
    ticks = axes.nice(max([0, *numbers, mark or 0])) if zero else around(numbers, mark, unit)
    # The words about the nation stand on the other side of its line.
    is_above = target is None and level is not None and min(numbers, default=0) > level
    if open_at:
        keys.append(elements.key(context, context.word("figure.provisional"), elements.SERIES[0], "outline"))
    figure = elements.figure(
        context,
        data,
        height,
        keys if len(keys) > 1 else [],
        **axes.over_time(context, labels, roomy(context, ticks, unit)),
        **elements.target(
            context, mark, unit, meaning=meaning_of_mark, yanchor="top" if is_above else "bottom", word=word
        ),
    )
    return marks.drawn(figure, events, context, labels)


def _time_column(answer: Answer) -> int:
    return next(i for i, name in enumerate(answer.by) if name in TIME_AXES)


def _series(answer: Answer, context: ChartContext, t: int) -> list[tuple[str, Metric, list[tuple[Any, ...]]]]:
    """Name, metric and rows of the lines of a trend: one per metric, or one per member of the second dimension."""
    if len(answer.by) == 1:
        return [(metric.short[context.lang], metric, answer.rows) for metric in answer.metrics]
    members: dict[Any, list[tuple[Any, ...]]] = {}
    for row in answer.rows:
        members.setdefault(row[1 - t], []).append(row)
    name = answer.by[1 - t]
    return [(context.member(name, code), answer.metrics[0], rows) for code, rows in members.items()]


def roomy(context: ChartContext, ticks: Sequence[float], unit: str) -> Figure:
    """A vertical axis with some room above its last tick."""
    return axes.upright(context, ticks, unit, range=[ticks[0], ticks[-1] + (ticks[-1] - ticks[0]) * 0.06])


def _line(
    context: ChartContext, y: Sequence[Any], meaning: str, hover: Sequence[str], width: float = 2.5, dash: str = "solid"
) -> Figure:
    colour = context.colour(meaning)
    mode = "lines+markers" if len(y) <= 30 and dash == "solid" else "lines"
    marker = {"size": 5, "color": colour}
    return elements.line(list(range(len(y))), y, hover, colour, width, dash, mode=mode, marker=marker)


def line_of(answer: Answer, which: int, context: ChartContext, meaning: str, *style: Any) -> Figure:
    """The line of a metric, by position, of an answer with one row for each unit of time."""
    metric = answer.metrics[which]
    values = answer.column(metric.name)
    hovers = [
        "" if value is None else elements.hover(answer, metric, row, context)
        for value, row in zip(values, answer.rows, strict=True)
    ]
    return _line(context, values, meaning, hovers, *style)


def _open(
    context: ChartContext, values: Sequence[Any], open_at: Sequence[int], meaning: str, hovers: Sequence[str]
) -> Figure:
    """The provisional parts of a line: thin, dotted, with hollow points."""
    colour = context.colour(meaning)
    marker = {
        "size": [8 if at in open_at else 0 for at in range(len(values))],
        "color": context.colour("surface"),
        "line": {"color": colour, "width": 2},
    }
    shown = {at + side for at in open_at for side in (-1, 0, 1)}
    y = [value if at in shown else None for at, value in enumerate(values)]
    x, mode = list(range(len(y))), "lines+markers"
    # The last point lies on the edge of the plot and would be clipped.
    return elements.line(x, y, hovers, colour, 1.5, "dot", mode=mode, marker=marker, cliponaxis=False)


def around(values: Sequence[float], target: float | None, unit: str) -> list[float]:
    """Ticks for a line that need not start at zero; a share spans at least ten points, so that noise looks small."""
    drawn = [*values, *filter(None, [target])]
    low, high = min(drawn, default=0), max(drawn, default=1)
    if unit == "share":
        padding = max(0.1 - (high - low), 0) / 2
        low, high = max(low - padding, 0), min(high + padding, 1) if high <= 1 else high
    return axes.between(low, high)


@chart(time_titles.ends)
def run_off(answer: Answer, context: ChartContext) -> Figure:
    """A share that falls on known days without further action: a step line over days, with the goal of compliance."""
    metric = answer.metrics[0]
    days: list[date] = [row[0] for row in answer.rows]
    line = line_of(answer, 0, context, "projection", 2.5, "dash")
    line["line"]["shape"] = "hv"
    numbers = [value for value in line["y"] if value is not None]
    at = list(range(0, len(days), max(1, len(days) // 4)))
    axis = axes.days_axis(context, at, [days[i] for i in at], [-0.7, len(days) - 0.3])
    return elements.figure(
        context,
        [line],
        320,
        xaxis=axis,
        yaxis=roomy(context, around(numbers, GOAL, metric.unit), metric.unit),
        margin=axes.LAST_TICK,
        **elements.target(context, GOAL, metric.unit, at_end=True),
    )


@chart(time_titles.latest, compares=True)
def heat(answer: Answer, context: ChartContext) -> Figure:
    """A heatmap of groups over months, ranked as bars are by the last one; an unknown cell stays empty."""
    t, at = _time_column(answer), answer.columns.index(answer.metrics[0].name)
    labels = list(dict.fromkeys(row[t] for row in answer.rows))
    last = {row[1 - t]: row[at] for row in answer.rows if row[t] == labels[-1]}
    sign = 1 if worse_side(answer.metrics[0]) == "lower" else -1
    groups = sorted(last, key=lambda code: (last[code] is None, sign * (last[code] or 0)))
    months = axes.time_axis(context, labels, most=6) | {"range": [-0.5, len(labels) - 0.5], "showline": False}
    height = len(groups) * 20 + 60
    return heatmap(answer, context, 1 - t, groups, labels, xaxis=months, height=height, margin=axes.LAST_TICK)


def middle(answer: Answer, context: ChartContext) -> titles.Title:
    """The share of assistants held by the half of residents with the lowest coverage: the middle of the Lorenz curve."""
    across, up = (answer.columns.index(metric.name) for metric in answer.metrics[:2])
    rows = [row for row in answer.rows if row[across] is not None and row[0] is not None]
    if not rows:
        return titles.nothing(answer.metrics[0], context)
    # Between two points the curve is straight.
    half = np.interp(0.5, [0, *(row[across] for row in rows)], [0, *(row[up] for row in rows)])
    return titles.Title(context.word("finding.half_of_residents", value=text.percent(float(half), context.lang, 0)))


@chart(middle)
def lorenz(answer: Answer, context: ChartContext) -> Figure:
    """Cumulative share of assistants over cumulative share of residents, with the line of equality.

    Rows are in order of coverage and start at the origin: a group, cumulative shares of residents and of assistants. A
    dimension before the groups has a curve for each of its members; members whose curves coincide share one.
    """
    along, up = answer.metrics[:2]
    curves: dict[str, list[tuple[Any, ...]]] = {}
    for row in answer.rows:
        curves.setdefault(row[0] if len(answer.by) > 1 else "", []).append(row)
    even = elements.silent_line([0, 1], [0, 1], {"color": context.colour("quiet"), "width": 1.5, "dash": "dash"})
    data, keys = [even], [elements.key(context, context.word("figure.equality"), "quiet", "dash")]
    place, at = len(answer.by) - 1, [answer.columns.index(metric.name) for metric in (along, up)]
    names: dict[str, list[str]] = {}
    for member, rows in curves.items():
        alike = next((other for other in names if _coincide(curves[other], rows, at)), member)
        name = context.member(answer.by[0], member) if member else context.word("figure.actual")
        names.setdefault(alike, []).append(name)
    for (member, shared), meaning in zip(names.items(), cycle(elements.SERIES), strict=False):
        name, rows = text.listed(shared, context.lang), curves[member]
        hovers = []
        for row in rows:
            shares = [elements.labelled(answer.metrics[i], row[at[i]], context) for i in (0, 1)]
            where = context.named(answer.by[place], row[place]) + (f" · {name}" if member else "")
            hovers.append("" if row[place] is None else elements.hover_lines(context, where, *shares))
        across, up_there = ([row[i] for row in rows] for i in at)
        width = 2.5 if not member else 1.8 if keys[1:] else 5
        curve = _line(context, up_there, meaning, hovers, width) | {"x": across, "mode": "lines+markers"}
        curve["customdata"] = [row[place] for row in rows]
        if not member:
            curve |= {"fill": "tonexty", "fillcolor": elements.faded(context.colour(meaning), 0.15)}
        data.append(curve)
        keys.append(elements.key(context, name, meaning, "line"))
    reach: Figure = {"range": [0, 1.01], **axes.ground(context)}
    # Curves beside each other are compared in the words of their page.
    credit = context.word("figure.gini") if len(answer.by) == 1 else ""
    corner: Figure = {"x": 0.01, "xanchor": "left", "y": 1, "yanchor": "top", "xref": "paper", "yref": "paper"}
    return elements.figure(
        context,
        data,
        510,
        keys,
        clicks=answer.by[place],
        credit=credit,
        xaxis=axes.axis(context, axes.SHARES, "share", along.short[context.lang], **reach),
        yaxis=axes.axis(context, axes.SHARES, "share", **reach),
        margin=axes.LAST_TICK,
        annotations=[elements.note(context, up.short[context.lang], **corner)],
    )


def _coincide(first: Sequence[Sequence[Any]], second: Sequence[Sequence[Any]], at: Sequence[int]) -> bool:
    """Whether two curves lie within the width of a line."""
    pairs = zip(first, second, strict=False)
    return len(first) == len(second) and all(abs(one[i] - other[i]) < _LINE for one, other in pairs for i in at)
