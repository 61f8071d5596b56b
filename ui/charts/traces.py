"""Traces, notes and margins that several charts share, as plain dictionaries for Plotly."""

from collections.abc import Sequence
from typing import Any

from ui.charts import elements
from ui.charts.elements import ChartContext, Figure
from ui.i18n import text

# Plotly's template for a hover text without the name of its trace.
HOVER = "%{hovertext}<extra></extra>"


def bar(values: Sequence[Any], hovers: Sequence[str], vertical: bool = False, **more: Any) -> Figure:
    """Bars at the positions 0, 1, 2, …"""
    positions = list(range(len(values)))
    sides = {"x": positions, "y": values} if vertical else {"orientation": "h", "x": values, "y": positions}
    return {"type": "bar", **sides, "hovertext": hovers, "hovertemplate": HOVER, **more}


def line(
    x: Sequence[Any],
    y: Sequence[Any],
    hovers: Sequence[str],
    colour: str,
    width: float = 2.5,
    dash: str = "solid",
    shape: str = "linear",
    **more: Any,
) -> Figure:
    """A line with a gap at each unknown value; `shape` is `hv` for steps."""
    style = {"color": colour, "width": width, "dash": dash, "shape": shape}
    trace = {"type": "scatter", "mode": "lines", "x": x, "y": y, "line": style, "connectgaps": False}
    return trace | {"hovertext": hovers, "hovertemplate": HOVER, **more}


def silent_line(x: Sequence[Any], y: Sequence[Any], style: Figure, **more: Any) -> Figure:
    """A line without hover texts."""
    return {"type": "scatter", "mode": "lines", "x": x, "y": y, "line": style, "hoverinfo": "skip", **more}


def value_notes(context: ChartContext, values: Sequence[str], positions: Sequence[float]) -> list[Figure]:
    """The values of horizontal bars as a column beyond them."""
    side = {"x": 0 if context.rtl else 1, "xref": "paper", "xanchor": "right" if context.rtl else "left"}
    return [elements.note(context, value, y=y, **side) for value, y in zip(values, positions, strict=True)]


def beside_values(context: ChartContext, values: Sequence[str], top: float = 8) -> Figure:
    """Margins with room for the column of values: digits are 7 px wide, brackets and spaces narrower."""
    return margins(context, 16 + 6 * max((len(value) for value in values), default=4), top)


def margins(context: ChartContext, after: float = 26, top: float = 8) -> Figure:
    """Margins with `after` pixels where reading ends; the default holds the last tick label at the edge of the plot."""
    left, right = (after, 8) if context.rtl else (8, after)
    return {"l": left, "r": right, "t": top, "b": 8, "pad": 0}


def value_at_end(context: ChartContext, value: str, x: float, y: float) -> Figure:
    """A value at the end of a horizontal bar."""
    side, shift = ("right", -5) if context.rtl else ("left", 5)
    return elements.note(context, value, x=x, y=y, xanchor=side, xshift=shift)


def target(context: ChartContext, value: float | None, unit: str, at_end: bool = False) -> Figure:
    """Layout of a labelled line at the target; empty without one."""
    if value is None:
        return {}
    side = {"x": 1, "xanchor": "right"} if at_end else {"x": 0, "xanchor": "left"}
    label = f"{context.word('figure.target')} {text.plain(value, unit, context.lang)}"
    return {
        "shapes": [elements.level(context, value, meaning="target")],
        "annotations": [elements.note(context, label, xref="paper", y=value, yanchor="bottom", **side)],
    }
