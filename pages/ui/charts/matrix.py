"""A heatmap of an answer by two dimensions, and the first bars of a long ranking."""

from collections.abc import Iterable
from typing import Any

from etl.semantic.answers import Answer
from etl.semantic.catalog import TIME
from pages.ui.charts import axes, bars, elements, titles
from pages.ui.charts.chart import chart
from pages.ui.charts.classes import classes
from pages.ui.charts.elements import ChartContext, Figure
from pages.ui.i18n import text

# Dimensions whose members have a natural order.
ORDERED = ("age_band", "tenure_band", "span", "size")
MOST_ROWS, MOST_COLUMNS, MOST_BARS = 40, 16, 30


@chart(titles.highest)
def matrix(answer: Answer, context: ChartContext) -> Figure:
    """Groups of the first dimension down and of the second across, coloured by the first metric; an unknown cell is empty.

    Groups with the largest values come first; a note says if not all cells fit.
    """
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    sides = [in_order(answer, i, at) for i in (0, 1)]
    down, across = (1, 0) if len(sides[1]) > len(sides[0]) else (0, 1)
    groups, columns = sides[down][:MOST_ROWS], sides[across][:MOST_COLUMNS]
    cell = {(row[down], row[across]): row for row in answer.rows}
    lines = [[cell.get((group, column)) for column in columns] for group in groups]
    values = [row[at] for line in lines for row in line if row and row[at] is not None]
    colour_classes = classes(values, metric, context)
    top = axes.names_below(context, [context.member(answer.by[across], column) for column in columns])
    # Where columns are too narrow for their names, on a phone, the names are upright.
    top |= {"side": "top", "tickangle": "auto", "autotickangles": [0, 90]}
    top |= {"tickfont": {"color": context.colour("text"), "size": 12}}
    omits_cells = len(groups) < len(sides[down]) or len(columns) < len(sides[across])
    return elements.figure(
        context,
        [colour_classes.heatmap(lines, at, lambda row: elements.hover_of_row(answer, metric, row, context))],
        len(groups) * 24 + 90,
        colour_classes.keys(context),
        credit=context.word("more.not_all_cells") if omits_cells else "",
        xaxis=top,
        yaxis=axes.categories(context, [context.member(answer.by[down], group) for group in groups])
        | {"range": [len(groups) - 0.5, -0.5]},
    )


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


@chart(titles.extreme, names_groups=True, compares=True)
def first_bars(answer: Answer, context: ChartContext, focus: Iterable[Any] = (), is_problem: bool = False) -> Figure:
    """The longest bars of a long ranking, with the total number of groups."""
    figure = bars.ranking(answer, context, focus=focus, is_problem=is_problem, most=MOST_BARS)
    bar_count, count = (
        text.number(number, context.lang) for number in (min(MOST_BARS, len(answer.rows)), len(answer.rows))
    )
    figure["layout"]["meta"]["credit"] = context.word("more.first_of", shown=bar_count, count=count)
    return figure
