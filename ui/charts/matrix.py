"""Heatmaps of an answer by two dimensions."""

from collections.abc import Sequence
from typing import Any

from etl.semantic.answers import Answer
from etl.semantic.catalog import TIME
from etl.warehouse import dimensions
from ui.charts import axes, elements, titles
from ui.charts.chart import chart
from ui.charts.elements import ChartContext, Figure
from ui.charts.maps import classes, stepped

# Dimensions whose members have an order of their own, and such columns of analyses.
ORDERED = (*dimensions.ORDERED, "span", "size")
MOST_ROWS, MOST_COLUMNS = 40, 16


@chart(titles.highest)
def matrix(answer: Answer, context: ChartContext) -> Figure:
    """Groups of the first dimension down and of the second across, coloured by the first metric; an unknown cell is empty.

    Groups with the largest values come first; a note says if not all cells fit.
    """
    at = answer.columns.index(answer.metrics[0].name)
    sides = [in_order(answer, i, at) for i in (0, 1)]
    down, across = (1, 0) if len(sides[1]) > len(sides[0]) else (0, 1)
    groups, columns = sides[down][:MOST_ROWS], sides[across][:MOST_COLUMNS]
    top = axes.names_below(context, [context.member(answer.by[across], column) for column in columns])
    # Where columns are too narrow for their names, on a phone, the names are upright.
    top |= {"side": "top", "tickangle": "auto", "autotickangles": [0, 90]}
    top |= {"tickfont": {"color": context.colour("text"), "size": 12}}
    figure = heatmap(answer, context, down, groups, columns, xaxis=top, height=len(groups) * 24 + 90)
    if len(groups) < len(sides[down]) or len(columns) < len(sides[across]):
        figure["layout"]["meta"]["credit"] = context.word("more.not_all_cells")
    return figure


def heatmap(
    answer: Answer,
    context: ChartContext,
    down: int,
    groups: Sequence[Any],
    columns: Sequence[Any],
    **layout: Any,
) -> Figure:
    """The first metric in classes of colour: members of dimension `down` (0 or 1) by those of the other one."""
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    cell = {(row[down], row[1 - down]): row for row in answer.rows}
    lines = [[cell.get((group, column)) for column in columns] for group in groups]
    values = [row[at] for line in lines for row in line if row and row[at] is not None]
    scheme = classes(values, metric, context, "cells")
    names = [context.member(answer.by[down], group) for group in groups]
    trace = {
        "type": "heatmap",
        "x": list(range(len(columns))),
        "y": list(range(len(groups))),
        "z": [[None if row is None or row[at] is None else scheme.of(row[at]) for row in line] for line in lines],
        **stepped(scheme.colours),
        "showscale": False,
        "xgap": 1,
        "ygap": 1,
        "hovertext": [[elements.hover(answer, metric, row, context) if row else "" for row in line] for line in lines],
        "hovertemplate": elements.HOVER,
        "hoverongaps": False,
    }
    yaxis = axes.categories(context, names, range=[len(groups) - 0.5, -0.5])
    return elements.figure(context, [trace], keys=scheme.keys(context), yaxis=yaxis, **layout)


def in_order(answer: Answer, dimension: int, at: int) -> list[Any]:
    """Members of a dimension in the order of heatmaps and pivots: time and bands in their natural order, others largest first.

    Over time the last unit decides, as in `lines.heat`; an unknown member comes last.
    """
    codes = {row[dimension] for row in answer.rows}
    if answer.by[dimension] in (*TIME, *ORDERED):
        return sorted(codes, key=lambda code: (code is None, str(code)))
    timed = next((i for i, name in enumerate(answer.by) if name in TIME), None)
    last = None if timed is None else max(row[timed] for row in answer.rows)
    largest: dict[Any, float] = {}
    for row in answer.rows:
        if timed is None or row[timed] == last:
            largest[row[dimension]] = max(largest.get(row[dimension], float("-inf")), row[at] or 0)
    return sorted(codes, key=lambda code: (code is None, -largest.get(code, float("-inf")), str(code)))
