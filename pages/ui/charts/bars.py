"""Bar charts. Bars start at zero; rankings are sorted."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from etl.semantic.answers import Answer, Metric
from etl.semantic.ranking import size_of
from pages.ui.charts import axes, elements, time_titles, titles
from pages.ui.charts.chart import chart
from pages.ui.charts.elements import ChartContext, Figure
from pages.ui.i18n import text

# Longer names wrap to two lines, to leave room for the bar on a phone.
_LONGEST_NAME = 26
_SECOND_LINE = 12
_PALE = 0.3


@chart(titles.extreme, names_groups=True, compares=True)
def ranking(
    answer: Answer,
    context: ChartContext,
    nation: float | None = None,
    focus: Iterable[Any] = (),
    is_problem: bool = False,
    most: int | None = None,
) -> Figure:
    """Horizontal bars of the first metric, longest first, with a line for the nation.

    Groups too small to be ranked are paler, placed below the others and labelled with their size. Groups without a value come
    last and have no bar. `focus` are the codes named in the title; they are orange if they are a problem.
    """
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    rows = in_order(answer)
    rows = rows[:most] if most else rows
    sizes = [elements.size_below(answer, metric, row) for row in rows]
    values = [row[at] for row in rows]
    known = [value for value in values if value is not None]
    low, top = min([0, *known]), max([0, *known, nation or 0])
    ticks = axes.between(low, top) if low < 0 else axes.nice(top)
    focused = set(focus)
    signed = low < 0
    written = [
        context.word("figure.missing") if v is None else text.plain(v, metric.unit, context.lang, signed)
        for v in values
    ]
    # A count is its own group size, so only other measures state it.
    if size_of(metric) != metric.name:
        written = [
            value
            if size is None
            else f"{value} ({context.word('figure.cases', count=text.number(size, context.lang))})"
            for value, size in zip(written, sizes, strict=True)
        ]
    colours = [
        context.colour(
            "loss" if signed and (row[at] or 0) < 0 else "problem" if is_problem and row[0] in focused else "actual"
        )
        for row in rows
    ]
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "x": values,
            "y": list(range(len(rows))),
            "marker": {
                "color": [
                    colour if size is None else elements.faded(colour, _PALE)
                    for colour, size in zip(colours, sizes, strict=True)
                ],
                # The outline gives a pale bar enough contrast with the page.
                "line": {"color": colours, "width": [0 if size is None else 1 for size in sizes]},
            },
            "customdata": [row[0] for row in rows],
            "hovertext": [elements.hover_of_row(answer, metric, row, context) for row in rows],
            "hovertemplate": "%{hovertext}<extra></extra>",
        },
    ]
    keys = []
    shapes, notes = [], []
    if signed:
        keys = [
            elements.key(context, context.word("figure.more_than_average"), "gain"),
            elements.key(context, context.word("figure.less_than_average"), "loss"),
        ]
    if any(size is not None for size in sizes):
        keys.append(elements.key(context, context.word("figure.small"), "actual", "light"))
    if nation is not None:
        shapes.append(elements.level(context, nation, vertical=True))
        named = f"{context.word('figure.nation_line')} {text.plain(nation, metric.unit, context.lang)}"
        notes.append(elements.note(context, named, x=nation, y=1, yref="paper", yanchor="bottom"))
    # Values form a column beyond the bars, clear of the nation's line.
    for place, (row, value) in enumerate(zip(rows, written, strict=True)):
        value_text = f"<b>{value}</b>" if row[0] in focused else value
        notes.append(
            elements.note(
                context,
                value_text,
                x=0 if context.rtl else 1,
                xref="paper",
                y=place,
                xanchor="right" if context.rtl else "left",
            )
        )
    x_axis = axes.axis(context, ticks, metric.unit, **axes.across(context, ticks, low, top * 1.01))
    x_axis["showticklabels"] = False
    # Digits are 7 px wide, the brackets and spaces around a size are narrower.
    beyond = 16 + 6 * max((len(value) for value in written), default=4)
    names = [elements.name_of(answer, row, context) for row in rows]
    folded = [axes.folded(text.escape(name), _LONGEST_NAME) for name in names]
    return elements.figure(
        context,
        data,
        height=len(rows) * (elements.BAR + _SECOND_LINE * any("<br>" in name for name in folded)) + 44,
        keys=keys,
        clicks=answer.by[0] if answer.by else "",
        xaxis=x_axis,
        yaxis=axes.categories(context, names, ticktext=[context.line(name) for name in folded]),
        shapes=shapes,
        annotations=notes,
        margin={
            "l": beyond if context.rtl else 8,
            "r": 8 if context.rtl else beyond,
            "t": 26 if nation is not None else 8,
            "b": 8,
            "pad": 0,
        },
    )


def in_order(answer: Answer) -> list[tuple[Any, ...]]:
    """Rows in ranking order: by the first metric, then groups too small to be ranked, then groups without a value."""
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    return sorted(
        answer.rows,
        key=lambda row: (
            row[at] is None,
            elements.size_below(answer, metric, row) is not None,
            -(row[at] or 0),
            str(row[0]),
        ),
    )


@chart(titles.worst_part)
def stacked(
    answer: Answer,
    context: ChartContext,
    parts: Mapping[str, str],
    share: bool = True,
) -> Figure:
    """Stacked horizontal bars of `parts` (metric: meaning of its colour), as shares of the total (`share`) or as counts."""
    return _stacked(answer, context, [elements.metric_of(answer, name) for name in parts], list(parts.values()), share)


def _stacked(
    answer: Answer, context: ChartContext, parts: Sequence[Metric], meanings: Sequence[str], share: bool
) -> Figure:
    at = [answer.columns.index(part.name) for part in parts]
    totals = [sum(row[i] or 0 for i in at) for row in answer.rows]
    order = sorted(
        range(len(answer.rows)),
        key=lambda r: -(answer.rows[r][at[0]] or 0) / (totals[r] or 1) if share else -totals[r],
    )
    # As in `ranking`, groups too small to be ranked come last.
    order.sort(key=lambda r: elements.size_below(answer, answer.metrics[0], answer.rows[r]) is not None)
    rows = [answer.rows[r] for r in order]
    whole = [totals[r] or 1 if share else 1 for r in order]
    data = []
    for part, meaning, i in zip(parts, meanings, at, strict=True):
        sizes = [(row[i] or 0) / w for row, w in zip(rows, whole, strict=True)]
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "x": sizes,
                "y": list(range(len(rows))),
                "marker": {
                    "color": context.colour(meaning),
                    "line": {"color": context.colour("surface"), "width": 1},
                    "pattern": elements.pattern(context, meaning),
                },
                "customdata": [row[0] if answer.by else None for row in rows],
                "hovertext": [
                    context.line(
                        f"<b>{text.escape(elements.name_of(answer, row, context))}</b><br>"
                        f"{text.escape(part.label[context.lang])}: {text.amount(row[i], part.unit, context.lang)}<br>"
                        + (f"{text.percent(size, context.lang)}" if share else "")
                    )
                    for row, size in zip(rows, sizes, strict=True)
                ],
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        )
    top = 1 if share else max([*totals, 1])
    ticks = [0, 0.25, 0.5, 0.75, 1] if share else axes.nice(top)
    return elements.figure(
        context,
        data,
        height=len(rows) * elements.BAR + 48,
        barmode="stack",
        keys=[
            elements.key(context, part.short[context.lang], meaning, elements.filled(meaning))
            for part, meaning in zip(parts, meanings, strict=True)
        ],
        clicks=answer.by[0] if answer.by else "",
        xaxis=axes.axis(
            context,
            ticks,
            "share" if share else parts[0].unit,
            **axes.across(context, ticks, 0, max(top, ticks[-1]) * 1.002),
        ),
        yaxis=axes.categories(context, [elements.name_of(answer, row, context) for row in rows]),
        margin=elements.spare(context),
    )


@chart(time_titles.pair)
def paired(answer: Answer, context: ChartContext, meanings: Sequence[str] = ("joiners", "leavers")) -> Figure:
    """Two flows side by side over time; a provisional unit is lighter."""
    time = answer.by[0]
    labels = [row[0] for row in answer.rows]
    data = []
    top = 0.0
    for metric, meaning in zip(answer.metrics[:2], meanings, strict=True):
        at = answer.columns.index(metric.name)
        values = [row[at] for row in answer.rows]
        top = max([top, *(v for v in values if v is not None)])
        data.append(
            {
                "type": "bar",
                "x": list(range(len(labels))),
                "y": values,
                "marker": {
                    "color": context.colour(meaning),
                    "opacity": [0.45 if label in answer.provisional else 1 for label in labels],
                    "pattern": elements.pattern(context, meaning),
                },
                "hovertext": [
                    elements.hover(answer, metric, row, context.member(time, row[0]), context) for row in answer.rows
                ],
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        )
    ticks = axes.nice(top)
    keys = [
        elements.key(context, metric.short[context.lang], meaning, elements.filled(meaning))
        for metric, meaning in zip(answer.metrics[:2], meanings, strict=True)
    ]
    if answer.provisional & set(labels):
        keys.append(elements.key(context, context.word("figure.provisional"), "actual", "light"))
    return elements.figure(
        context,
        data,
        320,
        keys,
        xaxis=axes.time_axis(context, labels),
        yaxis=axes.upright(context, ticks, answer.metrics[0].unit),
        margin=elements.LAST_TICK,
        bargap=0.25,
        bargroupgap=0.05,
    )


@chart(titles.extreme)
def columns(answer: Answer, context: ChartContext, meaning: str = "actual") -> Figure:
    """Vertical bars of the first metric in the order of the answer: a histogram, or a flow over time."""
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    values = [row[at] for row in answer.rows]
    labels = [row[0] for row in answer.rows]
    timed = answer.by[0] in ("month", "quarter", "year", "founded_year")
    ticks = axes.nice(max([0, *(v for v in values if v is not None)]))
    data = [
        {
            "type": "bar",
            "x": list(range(len(values))),
            "y": values,
            "marker": {
                "color": context.colour(meaning),
                "opacity": [0.45 if label in answer.provisional else 1 for label in labels],
            },
            "customdata": labels,
            "hovertext": [elements.hover_of_row(answer, metric, row, context) for row in answer.rows],
            "hovertemplate": "%{hovertext}<extra></extra>",
        }
    ]
    along = (
        axes.time_axis(context, labels)
        if timed
        else axes.names_below(context, [elements.name_of(answer, r, context) for r in answer.rows])
    )
    if not timed or answer.by[0] == "founded_year":
        along["title"] = axes.titled(context, f"dimension.{answer.by[0]}")
    upright = axes.upright(context, ticks, metric.unit)
    drawn = elements.figure(context, data, 300, xaxis=along, yaxis=upright)
    if timed:
        drawn["layout"]["margin"] = elements.LAST_TICK
    return drawn
