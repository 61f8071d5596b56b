"""Charts of what is projected or planned, the accuracy of past projections, and the rules of their titles.

Known values are solid, projected ones dashed within their range; words above the plot name the months that they are about.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from typing import Any

from etl.semantic.answers import Answer
from ui.charts import axes, elements, lines, marks, time_titles
from ui.charts.chart import chart
from ui.charts.elements import ChartContext, Figure
from ui.charts.titles import Title
from ui.i18n import text
from ui.summary import changes, claims

# The words about breaks stand above the plot: neighbours in two rows, each so many pixels high.
_ROWS, _ROW = 2, 17
# A break is named from this part of the height of the chart on.
_VISIBLE = 0.04
# How far a range is drawn beyond the lines, as a part of their height.
_RANGE_SHOWN = 0.25
# A census share beyond so many times the largest number would squeeze the facts.
_SHARE_SHOWN = 2
# The points of a range that is no area yet: the current month and the next one.
_LEAST_RANGE = 2
# The least fall of a share below both ends of its plan that the title states.
_FALL = 0.01
# The distance that the title of the trials states.
STATED_MONTHS = 6


def _between(answer: Answer, low: int, high: int, context: ChartContext, opacity: float) -> tuple[Figure, Figure]:
    """The area between two metrics, by position, within dotted lines."""
    lower, upper = (lines.line_of(answer, at, context, "projection", 1, "dot") for at in (low, high))
    return lower, upper | {"fill": "tonexty", "fillcolor": elements.faded(context.colour("projection"), opacity)}


def _without_gaps(lower: Figure, upper: Figure) -> list[Figure]:
    """An area in as many pieces as it has: Plotly fills gaps."""
    known = [at for at, value in enumerate(lower["y"]) if value is not None]
    pieces = []
    for _, run in groupby(enumerate(known), key=lambda pair: pair[1] - pair[0]):
        piece = [at for _, at in run]
        for edge in (lower, upper):
            pieces.append(edge | {name: [edge[name][at] for at in piece] for name in ("x", "y", "hovertext")})
    return pieces


def _axis_ahead(
    context: ChartContext, held: Sequence[float | None], ranges: Sequence[float | None], unit: str
) -> tuple[Figure, str]:
    """The vertical axis of a projection, and a note where its range runs off the chart."""
    axis = lines.roomy(context, ticks_ahead(held, ranges, unit), unit)
    low, high = axis["range"]
    is_cut = any(value is not None and not low <= value <= high for value in ranges)
    return axis, context.word("figure.range_cut") if is_cut else ""


def ticks_ahead(held: Sequence[float | None], ranges: Sequence[float | None], unit: str) -> list[float]:
    """The ticks of a projection: they hold the numbers `held` and the near part of the range."""
    known = [value for value in held if value is not None]
    least, most = min(known, default=0), max(known, default=0)
    room = _RANGE_SHOWN * (most - least)
    near = [min(max(value, least - room), most + room) for value in ranges if value is not None]
    return lines.around([*known, *near], None, unit)


def has_range(answer: Answer) -> bool:
    """Whether a projection is drawn: without a range the least certain line would look the surest."""
    # A range begins in a single point, the current month; of one month more it is a line upright.
    return sum(row[2] is not None for row in answer.rows) > _LEAST_RANGE


def _now_and_ahead(answer: Answer) -> list[tuple[Any, ...]]:
    """The last known number, and the months of the year ahead that have a range; without any, all known months."""
    known, ahead = [row for row in answer.rows if row[1] is not None], time_titles.projected(answer)[:12]
    now = [(*row[:2], *(None for _ in row[2:])) for row in known[-1:]]
    return [*now, *ahead] if ahead else known


@chart(time_titles.ahead, has_events=True, order=_now_and_ahead)
def projection(
    answer: Answer,
    context: ChartContext,
    target: float | None = None,
    events: Sequence[marks.Event] = (),
    height: int = 340,
    target_word: str = "figure.target",
) -> Figure:
    """Known values solid, the projection dashed with its range, which the axis may cut off; breaks named.

    Metrics in order: actual, low, high, projected, the size of a break.
    """
    is_drawn = has_range(answer)
    if not is_drawn:
        answer = replace(answer, rows=[row for row in answer.rows if row[1] is not None])
    largest = max((value for row in answer.rows for value in (row[1], row[4]) if value), default=0)
    if target_word != "figure.target" and (target or 0) > _SHARE_SHOWN * largest:
        target = None
    labels = [row[0] for row in answer.rows]
    actual = lines.line_of(answer, 0, context, "actual")
    projected = lines.line_of(answer, 3, context, "projection", 2.5, "dash")
    low, high = _between(answer, 1, 2, context, 0.16)
    unit = answer.metrics[0].unit
    axis, cut = _axis_ahead(context, [*actual["y"], *projected["y"], target], [*low["y"], *high["y"]], unit)
    keys = [elements.key(context, context.word("figure.actual"), "actual", "line")]
    if is_drawn:
        keys.append(elements.key(context, answer.metrics[3].short[context.lang], "projection", "dash"))
        keys.append(elements.key(context, context.word("figure.range"), "projection", "light"))
    is_missing = any(value is not None and end is None for value, end in zip(projected["y"], low["y"], strict=True))
    missing = "figure.no_range" if is_missing else "" if is_drawn else "figure.no_projection"
    points = _turning_points(actual["y"], projected["y"], target, context)
    named = _named(answer, target, context, axis["range"])
    pointed = [note["x"] for note, _ in named if note["x"] < len(labels) / 3]
    figure = elements.figure(
        context,
        [*((low, high) if is_drawn else ()), projected, actual, points],
        height,
        keys,
        **axes.over_time(context, labels, axis),
        credit=" ".join(filter(None, (cut, missing and context.word(missing)))),
        **elements.target(context, target, unit, word=target_word, after=max(pointed, default=None)),
    )
    layout = figure["layout"]
    rows = len(named[:_ROWS]) + bool(marks.of(events, labels))
    notes = [note | {"yshift": _ROW * (rows - 1 - i % _ROWS)} for i, (note, _) in enumerate(named)]
    layout.setdefault("annotations", []).extend(notes)
    bottom, top = axis["range"]
    # The month that reaches the target is read off the axis too.
    pointers = [_pointer(note["x"], bottom if value == target else value, top, context) for note, value in named]
    layout.setdefault("shapes", []).extend(pointers)
    layout["margin"] = layout["margin"] | {"t": 8 + _ROW * rows}
    return marks.drawn(figure, events, context, labels)


def _turning_points(
    actual: Sequence[float | None], projected: Sequence[float | None], target: float | None, context: ChartContext
) -> Figure:
    """A point at today, with its word, and one where the projection reaches the target."""
    now = max((at for at, value in enumerate(actual) if value is not None), default=None)
    met = month_met(actual, projected, target)
    points = [(now, actual[now], context.word("figure.now"))] if now is not None else []
    points += [(met, target, "")] if met is not None else []
    at, values, words = (list(column) for column in zip(*points, strict=True)) if points else ([], [], [])
    # On the side of the line that it leaves; at the edge of the chart, before it.
    ahead = next((value for value in projected[(now or 0) + 1 :] if value is not None), None)
    side = "top" if now is not None and ahead is not None and ahead < (actual[now] or 0) else "bottom"
    across = "left" if now == len(actual) - 1 else "center"
    return {
        "type": "scatter", "mode": "markers+text", "x": at, "y": values, "text": [context.line(word) for word in words],
        "textposition": f"{side} {across}", "textfont": {"size": 12, "color": context.colour("text")},
        "marker": {"size": 8, "color": context.colour("text")}, "hoverinfo": "skip", "showlegend": False,
    }  # fmt: skip


def month_met(actual: Sequence[float | None], projected: Sequence[float | None], target: float | None) -> int | None:
    """The position of the first month ahead in which the projection reaches a target that is not reached yet."""
    months = enumerate(zip(actual, projected, strict=True))
    if target and next((known for known in reversed(actual) if known is not None), 0) >= target:
        return None
    return next((at for at, (known, value) in months if target and known is None and (value or 0) >= target), None)


def _named(
    answer: Answer, target: float | None, context: ChartContext, axis: Sequence[float]
) -> list[tuple[Figure, float]]:
    """Months in words above the plot, clear of its lines, and the values that they are about.

    They are the largest of consecutive breaks to one side, as the verdict names it, and the month in which the projection
    reaches the target. An earlier one whose words would cover those of a later one is left out, and a break too small to see.
    """
    months: list[tuple[int, str, float]] = []
    for at in breaks(answer):
        if abs(answer.rows[at][5]) >= _VISIBLE * (axis[1] - axis[0]):
            words = changes.broken(answer.rows[at][0], answer.rows[at][5], context.lang)
            months.append((at, words, answer.rows[at][1]))
    actual, projected = ([row[column] for row in answer.rows] for column in (1, 4))
    met = month_met(actual, projected, target)
    if target and met is not None:
        months.append((met, text.unit_label(answer.rows[met][0], context.lang), target))
    clear: list[tuple[Figure, float]] = []
    for at, words, value in reversed(months):
        # Words of one row are half the chart apart.
        if len(clear) < _ROWS or clear[-_ROWS][0]["x"] - at >= len(answer.rows) / 2:
            # Near an edge the words would be cut off.
            place = {"xanchor": ("left", "center", "right")[3 * at // len(answer.rows)], "yanchor": "bottom"}
            clear.append((elements.note(context, words, x=at, y=1, yref="paper", **place), value))
    return clear[::-1]


def breaks(answer: Answer) -> list[int]:
    """The rows of the largest of consecutive breaks to one side."""
    sizes = [row[5] or 0 for row in answer.rows]
    runs = groupby(range(len(sizes)), key=lambda at: (sizes[at] > 0) - (sizes[at] < 0))
    return [max(group, key=lambda month: abs(sizes[month])) for sign, group in runs if sign]


def _pointer(at: int, value: float, top: float, context: ChartContext) -> Figure:
    """A line from the value of a month up to the words about it."""
    ends = {"x0": at, "x1": at, "y0": value, "y1": top}
    return {"type": "line", **ends, "line": {"color": context.colour("quiet"), "width": 1}}


# ---------------------------------------------------------------- scenarios and trials


def reached(answer: Answer, context: ChartContext) -> Title:
    """When the plan reaches the goal; where only its range does, the earliest month. Of a share that falls first, how far.

    Without a goal, or with one that is reached already, it says what a projection says: an unchanged plan is one.
    """
    if title := time_titles.reached(answer, context):
        return title
    plan, low, high, *goals = (answer.columns.index(metric.name) for metric in answer.metrics[1:5])
    unit, planned = answer.metrics[0].unit, [row for row in answer.rows if row[plan] is not None]
    last, bottom = planned[-1], min(planned, key=itemgetter(plan))
    placeholders = {"measure": answer.metrics[0].short[context.lang], "when": context.member("month", last[0])}
    shown = [text.rounded(row[plan], unit) or 0 for row in (planned[0], last, bottom)]
    if unit == "share" and (text.rounded(min(shown) - min(shown[:2]), unit) or 0) <= -_FALL:
        placeholders |= {
            "month": context.member("month", bottom[0]),
            "value": text.plain(last[plan], unit, context.lang),
        }
        fallen = text.plain(bottom[plan], unit, context.lang)
        return Title(context.word("finding.falls_first", lowest=fallen, **placeholders))
    if last[low] is None:
        end = text.amount(last[plan], unit, context.lang)
        return Title(context.word("finding.path_ends", value=end, **placeholders))
    if not goals or planned[0][plan] >= planned[0][goals[0]]:
        known, projected, *ends = answer.metrics[:4]
        return time_titles.ahead(replace(answer, metrics=(known, *ends, projected)), context)
    (goal,) = goals
    placeholders["target"] = text.plain(last[goal], unit, context.lang)
    months = [next((row[0] for row in planned if row[at] >= row[goal]), None) for at in (high, plan)]
    first, central = (text.unit_in_both(month, context.lang) if month else None for month in months)
    if first is None:
        lowest, highest = (text.plain(last[at], unit, context.lang) for at in (low, high))
        placeholders["value"] = text.plain(last[plan], unit, context.lang)
        key = "finding.short_of" if lowest != highest else "finding.short_of_once"
        return Title(context.word(key, low=lowest, high=highest, **placeholders))
    if central is None:
        return Title(context.word("finding.reached_earliest", first=first, **placeholders))
    return Title(context.word("finding.reached", month=central, **placeholders))


def how_often(answer: Answer, context: ChartContext) -> Title:
    """How often the projected range contained the actual value half a year later."""
    row = next(row for row in answer.rows if row[0] == STATED_MONTHS)
    if row[1] is None:
        return Title(context.word("finding.untried"))
    said = claims.claim("value", answer, **claims.rows(answer, [row]))
    return Title(context.word("finding.held_once", value=text.percent(row[1], context.lang, 0)), claims=(said,))


def last_trial(answer: Answer, context: ChartContext) -> Title:
    """The latest month projected half a year ahead, with its range and its actual value."""
    if not answer.rows:
        return Title(context.word("finding.untried_months"))
    row, metric = answer.rows[-1], answer.metrics[0]
    value, low, high = (text.plain(number, metric.unit, context.lang) for number in row[1:4])
    words = {"measure": metric.short[context.lang], "when": context.member("month", row[0])}
    said = tuple(
        claims.claim("value", answer, of.name, **claims.rows(answer, [row], of.name)) for of in answer.metrics[:3]
    )
    return Title(context.word("finding.trial", value=value, low=low, high=high, **words), claims=said)


@chart(reached, order=_now_and_ahead)
def path(answer: Answer, context: ChartContext) -> Figure:
    """Known values solid, planned ones dashed with their range, a line for the goal.

    Metrics in order: actual, plan, low, high, and the goal if there is one.
    """
    actual, plan, low, high, *goals = (answer.column(metric.name) for metric in answer.metrics[:5])
    unit, value = (
        answer.metrics[0].unit,
        next((number for goal in goals for number in goal if number is not None), None),
    )
    # The range of a share ends at 100 %.
    held = (*actual, *plan, value, *((*low, *high) if unit == "share" else ()))
    axis, cut = _axis_ahead(context, held, (*low, *high), unit)
    data = [
        *_between(answer, 2, 3, context, 0.16),
        lines.line_of(answer, 1, context, "projection", 2.5, "dash"),
        lines.line_of(answer, 0, context, "actual") | {"mode": "lines"},
        _turning_points(actual, plan, value, context),
    ]
    keys = [
        elements.key(context, context.word("figure.actual"), "actual", "line"),
        elements.key(context, answer.metrics[1].short[context.lang], "projection", "dash"),
        elements.key(context, context.word("figure.range"), "projection", "light"),
    ]
    return elements.figure(
        context,
        data,
        350,
        keys,
        **axes.over_time(context, answer.column("month"), axis),
        credit=cut,
        **elements.target(context, value, unit),
    )


def with_seats(answer: Answer, context: ChartContext, is_changed: bool = False) -> Title:
    """Where the drawn scenario of `futures` ends; without one, where compliance does if nobody trains.

    `is_changed`: the scenario has other seats or people than now.
    """
    metric, at = answer.metrics[0], {name: answer.columns.index(name) for name in ("plan_compliance", "run_off")}
    name = next((name for name in at if answer.rows[-1][at[name]] is not None), "run_off")
    row = [row for row in answer.rows if row[at[name]] is not None][-1]
    words = {
        "when": context.member("month", row[0]),
        "value": text.plain(row[at[name]], metric.unit, context.lang),
        "measure": metric.short[context.lang],
    }
    key = "in_scenario" if is_changed and name == "plan_compliance" else name
    said = claims.claim("value", answer, name, members=(row[0],), values=(row[at[name]],))
    return Title(context.word(f"futures.{key}", **words), claims=(said,))


@chart(with_seats)
def futures(answer: Answer, context: ChartContext, is_changed: bool = False) -> Figure:
    """Known values solid; ahead up to three lines from today, each with its key, and the range of the scenario.

    Metrics in order: actual, without training, scenario, its worst and best case, under the seat plan, goal; `is_changed` as for
    the title.
    """
    columns = [answer.column(metric.name) for metric in answer.metrics[:7]]
    actual, goal, unit = columns[0], columns[6][0], answer.metrics[0].unit
    drawn = [(1, "quiet", "dot", "without"), (2, "projection", "dash", "scenario" if is_changed else "now")]
    drawn.append((5, "second", "longdash", "plan"))
    drawn = [line for line in drawn if any(value is not None for value in columns[line[0]])]
    has_range = any(value is not None for value in columns[3])
    known = [value for column in (*columns[:6], [goal]) for value in column if value is not None]
    axis = lines.roomy(context, lines.around(known, None, unit), unit)
    data = [*(_between(answer, 3, 4, context, 0.16) if has_range else ())]
    keys = [elements.key(context, context.word("figure.actual"), "actual", "line")]
    for at, meaning, dash, name in drawn:
        data.append(lines.line_of(answer, at, context, meaning, 2.5, dash))
        keys.append(
            elements.key(context, context.word(f"futures.{name}"), meaning, "dotted" if dash == "dot" else "dash")
        )
    if has_range:
        keys.append(elements.key(context, context.word("futures.range"), "projection", "light"))
    data += [
        lines.line_of(answer, 0, context, "actual") | {"mode": "lines"},
        _turning_points(actual, columns[1], None, context),
    ]
    return elements.figure(
        context,
        data,
        350,
        keys,
        **axes.over_time(context, answer.column("month"), axis),
        **elements.target(context, goal, unit),
    )


@chart(last_trial)
def history(answer: Answer, context: ChartContext) -> Figure:
    """Actual values, and the range projected for them, with a gap where there was none."""
    actual, _, high = (answer.column(metric.name) for metric in answer.metrics[:3])
    area = _without_gaps(*_between(answer, 1, 2, context, 0.3))
    data = [*area, lines.line_of(answer, 0, context, "actual") | {"mode": "lines"}]
    keys = [
        elements.key(context, context.word("figure.actual"), "actual", "line"),
        elements.key(context, context.word("figure.projected_before"), "projection", "light"),
    ]
    ticks = axes.nice(max([0, *actual, *(value for value in high if value is not None)]))
    return elements.figure(
        context,
        data,
        330,
        keys,
        **axes.over_time(context, answer.column("month"), axes.upright(context, ticks, answer.metrics[0].unit)),
    )


@chart(how_often)
def held(answer: Answer, context: ChartContext) -> Figure:
    """How often the projected range contained the actual value, by months ahead."""
    rows, metric = answer.rows, answer.metrics[0]
    names = [context.word("figure.months_ahead", count=text.number(row[0], context.lang)) for row in rows]
    shares = answer.column(metric.name)
    hovers = [elements.hover(answer, metric, row, context, name) for row, name in zip(rows, names, strict=True)]
    marker, lengths = {"color": context.colour("actual")}, [share or 0 for share in shares]
    value_texts = [
        context.word("figure.missing") if share is None else text.percent(share, context.lang, 0) for share in shares
    ]
    return elements.figure(
        context,
        [elements.bar(lengths, hovers, width=0.36, marker=marker)],
        len(rows) * 72 + 50,
        [elements.key(context, metric.short[context.lang], "actual")],
        xaxis=axes.across(context, axes.SHARES, "share", 1.08),
        yaxis=axes.categories(context, names),
        annotations=[
            elements.value_at_end(context, value, x, y)
            for y, (value, x) in enumerate(zip(value_texts, lengths, strict=True))
        ],
        barmode="overlay",
    )
