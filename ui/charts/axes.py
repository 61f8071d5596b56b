"""Axes: round ticks, their labels in the digits and the calendar of the language, and the direction of bars."""

import math
import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from ui.charts.elements import ChartContext, Figure, decimals, level, note
from ui.i18n import text

# The ticks of an axis of shares.
SHARES = (0, 0.25, 0.5, 0.75, 1)
# Longer names below a column wrap to two lines, because columns are narrow on a phone.
_LONGEST_BELOW = 10
# No axis zooms; margins grow with their labels, so Plotly need not look for labels that overflow.
_FIXED = {"automargin": True, "fixedrange": True, "zeroline": False, "ticks": "", "ticklabeloverflow": "allow"}
# Margins of a chart over time, with room for the label of the last tick: Plotly leaves out a label that would be cut.
LAST_TICK = {"l": 8, "r": 28, "t": 8, "b": 8, "pad": 0}


def nice(top: float) -> list[float]:
    """Four or five round steps from zero to at least `top`."""
    if top <= 0:
        return [0.0]
    raw = top / 4
    scale = 10 ** math.floor(math.log10(raw))
    step = next(s * scale for s in (1, 2, 2.5, 5, 10) if s * scale >= raw)
    return [i * step for i in range(math.ceil(top / step - 1e-9) + 1)]


def between(low: float, high: float) -> list[float]:
    """Evenly spaced round ticks around a range; they include zero if the range does."""
    steps = nice(max(high - low, abs(high) * 0.02, 1e-6))
    size = steps[1] - steps[0]
    first = math.floor(low / size + 1e-9) * size
    ticks = [first + i * size for i in range(math.ceil((high - first) / size - 1e-9) + 1)]
    return [round(tick, 10) for tick in ticks]


def axis(context: ChartContext, ticks: Sequence[float], unit: str, title: str = "", **more: Any) -> Figure:
    """A numeric axis in the digits of the language, with horizontal labels and no unneeded decimals."""
    if unit != "share" and text.decimals_of(unit) == 0:
        # Counts have no fractional ticks: there is no half person.
        ticks = [value for value in ticks if value == round(value)]
    return {
        **_FIXED,
        "tickvals": list(ticks),
        "ticktext": [tick(v, unit, ticks, context.lang) for v in ticks],
        "tickangle": 0,
        "showgrid": True,
        "gridcolor": context.colour("grid"),
        "tickfont": {"color": context.colour("quiet"), "size": 12},
        "ticklabelstandoff": 4,
        **({"title": titled(context, title)} if title else {}),
        **more,
    }


def upright(context: ChartContext, ticks: Sequence[float], unit: str, **more: Any) -> Figure:
    """The numeric axis of columns and lines, with a visible zero line."""
    reach = {"range": [min(ticks), max(ticks) * 1.04 or 1]} if ticks else {}
    return axis(context, ticks, unit, side="left", **(ground(context) | reach | more))


def ground(context: ChartContext) -> Figure:
    """Axis options for a visible zero line below columns."""
    return {"zeroline": True, "zerolinecolor": context.colour("quiet"), "zerolinewidth": 1}


def tick(value: float, unit: str, ticks: Sequence[float], lang: str) -> str:
    scale = 100 if unit == "share" else 1
    step = abs(ticks[1] - ticks[0]) * scale if len(ticks) > 1 else 1
    write = text.percent if unit == "share" else text.number
    return write(value, lang, decimals([step]))


def across(
    context: ChartContext, ticks: Sequence[float], unit: str, high: float, low: float = 0, **more: Any
) -> Figure:
    """The numeric axis of horizontal bars, which start on the side where reading starts."""
    return axis(context, ticks, unit, range=[high, low] if context.rtl else [low, high], side="bottom", **more)


def named_bars(
    context: ChartContext,
    names: Sequence[str],
    values: Sequence[str],
    line: tuple[float, str] | None = None,
    positions: Sequence[float] | None = None,
) -> Figure:
    """Layout of horizontal bars: their names where reading starts, their values as a column beyond them, and a named line."""
    side = {"x": 0 if context.rtl else 1, "xref": "paper", "xanchor": "right" if context.rtl else "left"}
    notes = [note(context, line[1], x=line[0], y=1, yref="paper", yanchor="bottom")] if line else []
    at = positions or range(len(names))
    notes += [note(context, value, y=y, **side) for y, value in zip(at, values, strict=True)]
    # Digits are 7 px wide, brackets and spaces narrower.
    width = 16 + 6 * max((len(re.sub("<.*?>", "", value)) for value in values), default=4)
    return {
        "yaxis": categories(context, names),
        "shapes": [level(context, line[0], vertical=True)] if line else [],
        "annotations": notes,
        "margin": margins(context, width, 26 if line else 8),
    }


def margins(context: ChartContext, after: float = 26, top: float = 8) -> Figure:
    """Margins with `after` pixels where reading ends; the default holds the last tick label at the edge of the plot."""
    left, right = (after, 8) if context.rtl else (8, after)
    return {"l": left, "r": right, "t": top, "b": 8, "pad": 0}


def categories(context: ChartContext, names: Sequence[str], **more: Any) -> Figure:
    """An axis of names for horizontal bars, on the side where reading starts; the first is at the top."""
    return {
        **_FIXED,
        "tickvals": list(range(len(names))),
        "ticktext": [context.line(text.escape(name)) for name in names],
        "range": [len(names) - 0.4, -0.6],
        "side": "right" if context.rtl else "left",
        "showgrid": False,
        "ticklabelstandoff": 6,
        "tickfont": {"color": context.colour("text"), "size": 13},
        **more,
    }


def names_below(context: ChartContext, names: Sequence[str]) -> Figure:
    ends = [-0.6, len(names) - 0.4]
    labels = [context.line(folded(text.escape(name), _LONGEST_BELOW)) for name in names]
    span = ends[::-1] if context.rtl else ends
    return categories(context, names, side="bottom", range=span, ticktext=labels, tickangle=0)


def folded(name: str, most: int) -> str:
    """The name, broken into two lines of similar length if it is longer than `most` letters."""
    words = name.split(" ")
    if len(name) <= most or len(words) < 2:
        return name
    middle = min(range(1, len(words)), key=lambda i: abs(len(" ".join(words[:i])) - len(name) / 2))
    return f"{' '.join(words[:middle])}<br>{' '.join(words[middle:])}"


def over_time(context: ChartContext, labels: Sequence[str], values: Figure) -> Figure:
    """Layout of a chart over time with the axis of its `values`."""
    return {"xaxis": time_axis(context, labels), "yaxis": values, "margin": LAST_TICK}


def time_axis(context: ChartContext, labels: Sequence[str], most: int = 5) -> Figure:
    """At most seven Jalali ticks: whole years for many months, else Farvardin and Mehr; `most` evenly spaced other units."""
    count = len(labels)
    years = [i for i, label in enumerate(labels) if label.endswith("-01")]
    halves = [i for i, label in enumerate(labels) if label.endswith(("-01", "-07"))]
    if len(years) >= 4:
        at = years[:: math.ceil(len(years) / 7)]
        written = [_unit_label(labels[i][:4], context) for i in at]
    elif len(halves) >= 2:
        at = halves
        written = [_unit_label(labels[i], context) for i in at]
    else:
        at = list(range(count - 1, -1, -max(1, math.ceil(count / most))))[::-1]
        written = [_unit_label(labels[i], context) for i in at]
    return _timeline(context, at, written, [-0.7, count - 0.3])


def days_axis(context: ChartContext, at: Sequence[float], days: Sequence[date], reach: Sequence[float]) -> Figure:
    """Ticks at days on two lines: day and month, year; in English the Gregorian day on a third."""
    written = []
    for day in days:
        lines = text.jalali_day(day, context.lang).rsplit(maxsplit=1)
        written.append(context.line("<br>".join(lines if context.rtl else [*lines, text.gregorian_day(day)])))
    return _timeline(context, at, written, reach)


def _timeline(context: ChartContext, at: Sequence[float], written: Sequence[str], reach: Sequence[float]) -> Figure:
    return {
        **_FIXED,
        "tickvals": at,
        "ticktext": written,
        "range": reach,
        "tickangle": 0,
        "showgrid": False,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": context.colour("quiet"),
        "linecolor": context.colour("quiet"),
        "showline": True,
        "tickfont": {"color": context.colour("quiet"), "size": 12},
    }


def _unit_label(label: str, context: ChartContext) -> str:
    """A unit with its year below its name; in English its Gregorian months or years on a further line."""
    lines = dict.fromkeys((text.unit_label(label, context.lang, short=True), text.digits(label[:4], context.lang)))
    return context.line("<br>".join([*lines] if context.rtl else [*lines, text.gregorian_unit(label, short=True)]))


def titled(context: ChartContext, title: str) -> Figure:
    return {"text": context.line(title), "font": {"size": 12, "color": context.colour("quiet")}, "standoff": 8}
