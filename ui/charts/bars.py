"""Bar charts. Bars start at zero; rankings are sorted."""

from collections.abc import Iterable, Sequence
from typing import Any

from etl.semantic.answers import Answer, Metric
from etl.semantic.catalog import TIME, provisional_days, size_of
from etl.semantic.ranking import named_side, named_sides, worse_side
from etl.semantic.resolve import cut_at_start, provisional_units
from ui.charts import axes, elements, time_titles, titles
from ui.charts.chart import chart
from ui.charts.elements import ChartContext, Figure
from ui.i18n import member_names, text
from ui.summary import claims, different

# Longer names wrap to two lines, to leave room for the bar on a phone.
_LONGEST_NAME = 26
_SECOND_LINE = 12
_PALE = 0.3
# The parts of one bar, dark to light; those of so much of the whole have their number.
_SPANS = (1.0, 0.55, 0.2)
_WIDE = 0.12
# The outlines of the paler colours of the map.
_EDGE = {"behind": "problem", "ahead": "actual"}
# The height of an axis, in that of its highest column, whose value stands above it.
_VALUE_ABOVE = 1.08


def _meaning(answer: Answer, row: Sequence[Any]) -> str:
    """The colour of a bar, as that of the same group on the map. A rate that is not compared is neither good nor bad: grey."""
    metric = answer.metrics[0]
    if "side" not in answer.columns:
        return "pending" if metric.denominator and worse_side(metric) else "actual"
    side = row[answer.columns.index("side")]
    if side == named_side(metric):
        return "problem"
    if side in named_sides(metric):
        return "actual"
    # Of a full count the places between near and far.
    return {worse_side(metric): "behind"}.get(side, "ahead") if side in ("lower", "higher") else "pending"


def in_order(answer: Answer) -> list[tuple[Any, ...]]:
    """Rows in the order of their value, with nothing before it; those without a value last.

    The highest come first; of rates and of signed numbers the lowest, where these are worse.
    """
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    is_count = not metric.denominator and all((row[at] or 0) >= 0 for row in answer.rows)
    sign = 1 if worse_side(metric) == "lower" and not is_count else -1
    # An unknown place has no residents: it is no place without data.
    shown = [row for row in answer.rows if not (row[at] is None and row[0] is None)]
    return sorted(
        shown,
        key=lambda row: (
            row[at] is None,
            sign * (row[at] or 0),
            str(row[0]),
        ),
    )


@chart(titles.extreme, names_groups=True, compares=True, order=in_order)
def ranking(
    answer: Answer,
    context: ChartContext,
    nation: float | None = None,
    focus: Iterable[Any] = (),
    most: int | None = None,
) -> Figure:
    """Horizontal bars of the first metric in the order of `in_order`; the line is the nation, or of counties the province.

    A compared rate has the colours of the map: orange are the groups named as worse than the whole, blue as better, paler those
    of a full count that are not far from it, grey all others; where nothing is better or worse, blue are those that differ.
    Groups too small to be compared are paler and labelled with their size; those without a value have no bar; who is low without
    being told from chance has a question mark. `focus` are the codes named in the title.
    """
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    rows = in_order(answer)[:most]
    line = "figure.nation_line"
    if "whole_value" in answer.columns and different.whole_of(answer) == "province":
        # Counties are compared with their province, so the line is that of the province.
        line, wholes = "dimension.province", filter(None, answer.column("whole_value"))
        nation = next(wholes, None)
    sizes = [elements.size_below(answer, metric, row) for row in rows]
    values = [row[at] for row in rows]
    numbers = [value for value in values if value is not None]
    low, top = min([0, *numbers]), max([0, *numbers, nation or 0])
    signed, focused = low < 0, set(focus)
    written = [
        elements.marked(answer, row, _written(value, metric, size, context, signed), context)
        for row, value, size in zip(rows, values, sizes, strict=True)
    ]
    value_texts = [f"<b>{value}</b>" if row[0] in focused else value for row, value in zip(rows, written, strict=True)]
    meanings = [_meaning(answer, row) for row in rows]
    colours = [context.colour(meaning) for meaning in meanings]
    marker = {
        "color": [
            colour if size is None else elements.faded(colour, _PALE)
            for colour, size in zip(colours, sizes, strict=True)
        ],
        # The outline gives a pale bar enough contrast with the page.
        "line": {
            "color": [context.colour(_EDGE.get(meaning, meaning)) for meaning in meanings],
            "width": [
                0 if size is None and meaning not in _EDGE else 1 for meaning, size in zip(meanings, sizes, strict=True)
            ],
        },
    }
    hovers = [elements.hover(answer, metric, row, context) for row in rows]
    keys = []
    # Where no group differs the colour says nothing.
    if "side" in answer.columns and {*meanings} != {"pending"}:
        low_side, high_side = named_sides(metric)
        worse, better = (high_side, low_side) if worse_side(metric) == "higher" else (low_side, high_side)
        meant = {"problem": worse, "behind": "lower", "pending": "others", "ahead": "higher", "actual": better}
        if not worse_side(metric):
            meant["actual"] = "unlike"
        keys = [
            elements.key(context, side_words(answer, side, context), meaning, "fill")
            for meaning, side in meant.items()
            if meaning in meanings
        ]
    if elements.is_unclear(answer, rows):
        keys.append(elements.key(context, context.word("different.short_unclear"), "text", "sign"))
    if any(size is not None for size in sizes):
        keys.append(elements.key(context, context.word("figure.small"), meanings[-1], "light"))
    ticks = axes.between(low, top) if signed else axes.nice(top)
    names = [elements.name_of(answer, row, context) for row in rows]
    folded = [axes.folded(text.escape(name), _LONGEST_NAME) for name in names]
    words = f"{context.word(line)} {text.plain(nation, metric.unit, context.lang)}"
    layout = axes.named_bars(context, names, value_texts, line=None if nation is None else (nation, words))
    layout["yaxis"]["ticktext"] = [context.line(name) for name in folded]
    return elements.figure(
        context,
        [elements.bar(values, hovers, marker=marker, customdata=[row[0] for row in rows])],
        height=len(rows) * (elements.BAR + _SECOND_LINE * any("<br>" in name for name in folded)) + 44,
        keys=keys,
        clicks=answer.by[0] if answer.by else "",
        credit=_first_of(answer, sum(row[at] is not None for row in answer.rows), len(rows), context),
        xaxis=axes.across(context, ticks, metric.unit, top * 1.01, low, showticklabels=False),
        **layout,
    )


def side_words(answer: Answer, side: str, context: ChartContext) -> str:
    """A side of the whole as a key has it."""
    return context.word("different.short_others") if side == "others" else different.short(answer, side, context.lang)


def _written(value: Any, metric: Metric, size: float | None, context: ChartContext, signed: bool = False) -> str:
    """The value of a bar, with the size of its group where that is too small to be compared."""
    written = context.word("figure.missing") if value is None else text.plain(value, metric.unit, context.lang, signed)
    # A count is its own group size, so only other measures state it.
    if size is None or size_of(metric) == metric.name:
        return written
    return f"{written} ({context.word('figure.cases', count=text.number(size, context.lang))})"


def _first_of(answer: Answer, count: int, shown: int, context: ChartContext) -> str:
    """How many of the groups with a value are shown, where they are not all."""
    if shown >= count:
        return ""
    groups = member_names.counted(different.kind_of(answer.by), context.lang, count)
    numbers = {"shown": text.number(shown, context.lang), "count": text.number(count, context.lang)}
    return context.word("more.first_of", groups=groups, **numbers)


def _by_last_part(answer: Answer) -> list[tuple[Any, ...]]:
    """Rows by the share of the last part, highest first."""
    at = [answer.columns.index(metric.name) for metric in answer.metrics[1:]]
    return sorted(answer.rows, key=lambda row: -(row[at[-1]] or 0) / _total(row, at))


@chart(titles.worst_part, order=_by_last_part)
def stacked(answer: Answer, context: ChartContext, parts: Sequence[tuple[str, str]]) -> Figure:
    """Stacked bars of `parts` (metric, meaning of its colour) as shares of their total; the most of the last on top."""
    at = [answer.columns.index(name) for name, _ in parts]
    rows = _by_last_part(answer)
    data, keys = [], []
    names = [elements.name_of(answer, row, context) for row in rows]
    codes = [row[0] if answer.by else None for row in rows]
    for (name, meaning), i in zip(parts, at, strict=True):
        metric = elements.metric_of(answer, name)
        shares = [(row[i] or 0) / _total(row, at) for row in rows]
        hovers = [
            elements.hover_lines(
                context, group, elements.labelled(metric, row[i], context), text.percent(share, context.lang)
            )
            for row, group, share in zip(rows, names, shares, strict=True)
        ]
        marker = {
            "color": context.colour(meaning),
            "line": {"color": context.colour("surface"), "width": 1},
            "pattern": elements.pattern(context, meaning),
        }
        data.append(elements.bar(shares, hovers, marker=marker, customdata=codes))
        keys.append(elements.key(context, metric.short[context.lang], meaning))
    # The values of the part that the title names.
    value_texts = [
        text.percent(answer.share(row[at[-1]] or 0, _total(row, at), answer.metrics[-1]), context.lang) for row in rows
    ]
    return elements.figure(
        context,
        data,
        height=len(rows) * elements.BAR + 48,
        barmode="stack",
        keys=keys,
        clicks=answer.by[0] if answer.by else "",
        xaxis=axes.across(context, axes.SHARES, "share", 1.002),
        **axes.named_bars(context, names, value_texts),
    )


def together(answer: Answer, context: ChartContext) -> titles.Title:
    """The sum of counts that share nobody, under the name of the last, which reaches farthest."""
    total, last = sum(value or 0 for value in answer.rows[0]), answer.metrics[-1]
    said = tuple(claims.value(answer, metric.name) for metric in answer.metrics)
    return titles.Title(
        context.word("finding.together", count=text.amount(total, last.unit, context.lang)), claims=said
    )


@chart(together)
def spans(answer: Answer, context: ChartContext) -> Figure:
    """Counts that share nobody as the parts of one bar, each with its number and its key; the first is the most urgent."""
    data, keys, total = [], [], sum(value or 0 for value in answer.rows[0])
    for metric, value, fade in zip(answer.metrics, answer.rows[0], _SPANS, strict=False):
        colour = elements.faded(context.colour("actual"), fade)
        written = text.plain(value, metric.unit, context.lang)
        marker = {"color": colour, "line": {"color": context.colour("actual"), "width": 1}}
        part = elements.bar([value or 0], [elements.hover(answer, metric, answer.rows[0], context)], marker=marker)
        ink = context.colour("surface" if fade > _PALE * 2 else "text")
        is_wide = (value or 0) > total * _WIDE
        data.append(
            part
            | {
                "text": [f"<b>{context.line(written)}</b>" if is_wide else ""],
                "textposition": "inside",
                "insidetextanchor": "middle",
                "textangle": 0,
                "textfont": {"size": 14, "color": ink},
            }
        )
        keys.append(elements.key(context, f"{metric.short[context.lang]}: {written}", "actual") | {"colour": colour})
    return elements.figure(
        context,
        data,
        height=96,
        barmode="stack",
        keys=keys,
        xaxis=axes.across(context, axes.nice(total), answer.metrics[0].unit, total or 1, showticklabels=False),
        yaxis=axes.categories(context, [""]),
    )


def _total(row: Sequence[Any], at: Sequence[int]) -> float:
    """The sum of a row's parts, 1 if there are none."""
    return sum(row[i] or 0 for i in at) or 1


@chart(time_titles.pair)
def paired(answer: Answer, context: ChartContext) -> Figure:
    """Two flows side by side over time; what is provisional of them is lighter."""
    labels = [row[0] for row in answer.rows]
    data, keys, top = [], [], 0.0
    for metric, meaning in zip(answer.metrics[:2], ("joiners", "leavers"), strict=True):
        values = answer.column(metric.name)
        top = max([top, *(value for value in values if value is not None)])
        hovers = [elements.hover(answer, metric, row, context) for row in answer.rows]
        marker = elements.columns_marker(_open(answer, metric, labels), context.colour(meaning))
        marker["pattern"] = elements.pattern(context, meaning)
        data.append(elements.bar(values, hovers, vertical=True, marker=marker))
        keys.append(elements.key(context, metric.short[context.lang], meaning))
    if answer.provisional & set(labels):
        keys.append(elements.key(context, context.word("figure.provisional"), "actual", "light"))
    return elements.figure(
        context,
        data,
        320,
        keys,
        **axes.over_time(context, labels, axes.upright(context, axes.nice(top), answer.metrics[0].unit)),
        bargap=0.25,
        bargroupgap=0.05,
    )


def _open(answer: Answer, metric: Metric, labels: Sequence[Any]) -> list[bool]:
    """Whether the metric is provisional: joiners beside leavers only in the unit of time that is not over."""
    if not answer.over or not answer.provisional.intersection(labels):
        return [False] * len(labels)
    wait = provisional_days(metric.name)
    open_ = provisional_units(answer.over, answer.by[0], answer.publication.as_of, wait)
    open_ |= cut_at_start(answer.over, answer.by[0]) if metric.kind == "event" else set()
    return [label in open_ for label in labels]


@chart(titles.extreme)
def columns(answer: Answer, context: ChartContext) -> Figure:
    """Vertical bars of the first metric in the order of the answer: a histogram with its values, or a flow over time."""
    metric, timed = answer.metrics[0], answer.by[0] in (*TIME, "founded_year")
    values, labels = answer.column(metric.name), [row[0] for row in answer.rows]
    top = max([0, *(value for value in values if value is not None)])
    hovers = [elements.hover(answer, metric, row, context) for row in answer.rows]
    sizes = [None if timed else elements.size_below(answer, metric, row) for row in answer.rows]
    is_light = [open_ or size is not None for open_, size in zip(_open(answer, metric, labels), sizes, strict=True)]
    marker = elements.columns_marker(is_light, context.colour("actual"))
    bars = elements.bar(values, hovers, True, marker=marker, customdata=labels)
    upright = axes.upright(context, axes.nice(top if timed else top * _VALUE_ABOVE), metric.unit)
    keys = []
    if timed:
        layout = axes.over_time(context, labels, upright)
    else:
        value_texts = [_written(value, metric, size, context) for value, size in zip(values, sizes, strict=True)]
        lines = [context.line(written.replace(" (", "<br>(")) for written in value_texts]
        bars |= {"text": lines, "textposition": "outside", "textangle": 0, "cliponaxis": False}
        if any(size is not None for size in sizes):
            keys.append(elements.key(context, context.word("figure.small"), "actual", "light"))
        names = [elements.name_of(answer, row, context) for row in answer.rows]
        layout = {"xaxis": axes.names_below(context, names), "yaxis": upright}
    if not timed or answer.by[0] == "founded_year":
        layout["xaxis"]["title"] = axes.titled(context, context.word(f"dimension.{answer.by[0]}"))
    return elements.figure(context, [bars], 300, keys, **layout)
