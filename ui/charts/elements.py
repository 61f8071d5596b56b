"""Shared parts of all charts: colours, names, hover texts, traces, notes, layout. Independent of Streamlit.

Figures are plain dictionaries: building them takes a tenth of the time of graph objects. Plotly itself stays left to right;
only words, digits, Jalali ticks and the direction of bars follow the language. `layout.meta` carries the colour keys and the
attribution, which are rendered as HTML because SVG handles mixed text direction poorly.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from etl.semantic.answers import Answer, Metric
from etl.semantic.catalog import catalogue, described, size_of
from etl.semantic.combine import ratio
from etl.semantic.ranking import has_small_groups, least
from etl.semantic.units import like
from ui import palette
from ui.i18n import member_names, text

Figure = dict[str, Any]

# No line is orange: orange means a problem.
SERIES = ("actual", "second", "third", "fourth")

# Plotly's configuration for every chart: an empty base map, and no mode bar because its labels are English.
CONFIG = {
    "displayModeBar": False,
    "scrollZoom": False,
    "doubleClick": False,
    "showTips": False,
    # Relative, because the site may be served under a path.
    "topojsonURL": "./app/static/map/",
}
_FONT = "Vazirmatn, Tahoma, sans-serif"
BAR = 25  # px a bar of a ranking takes
# The most decimals that a part of a rate gets in addition to those of its unit.
_MOST_DECIMALS = 12


@dataclass(frozen=True)
class ChartContext:
    """Language, colour mode, and the names of members that only the warehouse knows."""

    lang: str = "fa"
    dark: bool = False
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict, hash=False, compare=False)

    def colour(self, meaning: str) -> str:
        return palette.colour(meaning, self.dark)

    def on(self, ground: str) -> str:
        """The colour of words on a ground: that of the look which contrasts more (WCAG 2.2)."""
        inks = (palette.colour("text", dark) for dark in (False, True))
        return max(inks, key=lambda ink: abs(math.log(_lightness(ink) / _lightness(ground))))

    def member(self, dimension: str, code: object) -> str:
        return member_names.of(dimension, code, self.lang, self.names.get(dimension))

    def named(self, dimension: str, code: object) -> str:
        """The name of a member for use in a sentence or a list: text of the other direction is isolated."""
        return text.isolated(self.member(dimension, code), self.lang)

    def word(self, key: str, **values: object) -> str:
        return text.word(key, self.lang, **values)

    def line(self, written: str) -> str:
        return text.line(written, self.lang)

    @property
    def rtl(self) -> bool:
        return self.lang == "fa"


@cache
def _lightness(colour: str) -> float:
    """The relative luminance of a colour and of reflected light: the contrast of two colours is the ratio of theirs."""
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels)
    return 0.05 + sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def metric_of(answer: Answer, name: str | None) -> Metric:
    """The metric of this name, else the first one."""
    return next((m for m in answer.metrics if m.name == name), answer.metrics[0])


# Units of a part, other than people, that the words of a rate name.
_NAMED_PARTS = ("residents", "km2", "institutes", "mean_persons", "hours")
# Half a person is more than a decimal of a rate of fewer.
_FEW_PEOPLE = 100


def parts_of(answer: Answer, metric: Metric, row: Sequence[Any], context: ChartContext) -> str:
    """Numerator and denominator of a rate, in words; empty for a count and of nothing. "Of" is used only for a part of a whole.

    Parts get enough decimals beyond those of their unit for the displayed rate to be recomputed from them. People stay
    whole, but for a mean of few: where the rate cannot be recomputed from them, the denominator is said to be rounded.
    """
    if not (written := _written_parts(answer, metric, row, context)):
        return ""
    part, whole, is_exact = written
    units = [unit_of(answer, str(name)) for name in (metric.numerator, metric.denominator)]
    if not is_exact and {*units} <= text.PEOPLE:
        whole = context.word("figure.about", whole=whole)
    if metric.unit == "share" and units[0] == units[1]:
        return context.word("figure.of_total", part=part, whole=whole)
    noun = "hours" if units[0] == "hours" else units[1]
    key = f"per_{noun}" if noun in _NAMED_PARTS else "quotient"
    return context.word(f"figure.{key}", numerator=part, denominator=whole, count=whole)


def sum_of(answer: Answer, metric: Metric, row: Sequence[Any], context: ChartContext) -> str:
    """How the number shown is worked out of its parts: "54,241 ÷ 87,623,616 × 10,000 = 6.19"; empty where it has none."""
    if not (written := _written_parts(answer, metric, row, context)) or row[answer.columns.index(metric.name)] is None:
        return ""
    part, whole, is_exact = written
    times = ratio(metric, 1, 1)
    by = f" × {text.number(times, context.lang)}" if times != 1 else ""
    shown = text.plain(row[answer.columns.index(metric.name)], metric.unit, context.lang)
    return f"{part} ÷ {whole}{by} {'=' if is_exact else '≈'} {shown}"


def _written_parts(
    answer: Answer, metric: Metric, row: Sequence[Any], context: ChartContext
) -> tuple[str, str, bool] | None:
    """Numerator and denominator as numbers, and whether the rate shown is that of both as written; None for a count."""
    names = (str(metric.numerator), str(metric.denominator))
    if not set(names) <= set(answer.columns):
        return None
    *parts, rate = (row[answer.columns.index(name)] for name in (*names, metric.name))
    if parts[1] == 0:
        return None
    units = [unit_of(answer, name) for name in names]

    def decimals(part: float | None, unit: str, more: int) -> int:
        """The decimals of a part: whole numbers get none, and of people only a mean of few."""
        if part is None or part == int(part):
            return 0
        if unit in text.PEOPLE:
            return int(unit == "mean_persons" and part < _FEW_PEOPLE)
        return text.decimals_of(unit) + more

    def each(more: int) -> list[tuple[Any, int]]:
        return [(part, decimals(part, unit, more)) for part, unit in zip(parts, units, strict=True)]

    def is_recomputed(more: int) -> bool:
        rounded = (text.rounded_half_up(*pair) for pair in each(more))
        return text.plain(like(ratio(metric, *rounded), rate), metric.unit, context.lang) == rate_text

    rate_text = text.plain(rate, metric.unit, context.lang)
    most = 0 if {*units} <= text.PEOPLE else _MOST_DECIMALS
    more = 0 if None in parts else next(filter(is_recomputed, range(most + 1)), None)
    part, whole = (text.number(value, context.lang, n) for value, n in each(more or 0))
    return part, whole, more is not None


def unit_of(answer: Answer, name: str) -> str:
    """The unit of a column; empty if nothing describes it."""
    metric = described(name, answer.metrics)
    return metric.unit if metric else ""


def hover(answer: Answer, metric: Metric, row: Sequence[Any], context: ChartContext, name: str = "") -> str:
    """The hover text of a row under `name`, or under the names of its members."""
    value = row[answer.columns.index(metric.name)]
    small = size_below(answer, metric, row)
    lines = [labelled(metric, value, context), parts_of(answer, metric, row, context)]
    if small is not None:
        lines.append(context.word("figure.few", count=text.number(small, context.lang)))
    if answer.by and row[answer.columns.index(answer.by[-1])] in answer.provisional:
        lines.append(context.word("figure.provisional"))
    return hover_lines(context, name or name_of(answer, row, context), *lines)


def hover_lines(context: ChartContext, name: str, *lines: str) -> str:
    """A hover text: a name in bold, and the lines below it that are not empty."""
    return context.line("<br>".join([f"<b>{text.escape(name)}</b>", *filter(None, lines)]))


def labelled(metric: Metric, value: Any, context: ChartContext) -> str:
    """A value with its unit, after the name of its measure."""
    written = context.word("figure.missing") if value is None else text.amount(value, metric.unit, context.lang)
    return f"{text.escape(metric.label[context.lang])}: {written}"


def size_below(answer: Answer, metric: Metric, row: Sequence[Any]) -> float | None:
    """The size of a row's group if it is too small to be compared; else None."""
    counted = size_of(metric)
    if "side" in answer.columns and row[answer.columns.index("side")] not in (None, "untested"):
        return None
    if counted not in answer.columns or counted not in catalogue() or not answer.by or not has_small_groups(metric):
        return None
    value, size = (row[answer.columns.index(name)] for name in (metric.name, counted))
    is_small = None not in (value, size) and size < least(catalogue()[counted].unit)
    return size if is_small else None


def marked(answer: Answer, row: Sequence[Any], written: str, context: ChartContext) -> str:
    """The number of a group, with a question mark where it is low, or high, without being told from chance."""
    return f"{written}{context.word('different.mark')}" if is_unclear(answer, [row]) else written


def is_unclear(answer: Answer, rows: Iterable[Sequence[Any]]) -> bool:
    """Whether one of the groups is low, or high, without being told from chance."""
    return "side" in answer.columns and any(row[answer.columns.index("side")] == "unclear" for row in rows)


def name_of(answer: Answer, row: Sequence[Any], context: ChartContext) -> str:
    """The name of a row: the names of its members."""
    return text.listed([context.named(axis, row[i]) for i, axis in enumerate(answer.by)], context.lang)


def figure(
    context: ChartContext,
    data: Iterable[Figure],
    height: int,
    keys: Sequence[Figure] = (),
    clicks: str = "",
    credit: str = "",
    boundaries: str = "",
    narrow: int = 0,
    **layout: Any,
) -> Figure:
    """A chart without Plotly's legend. `clicks` is the dimension that a click on a shape or key filters.

    `credit` is a line below the chart: its source, or how to read it. `boundaries` names the source of a map's boundaries,
    which on screen the footer of the page names. `narrow` is the width in pixels up to which a map has values alone, if it is not
    that of every map.
    """
    meta = {"keys": list(keys), "clicks": clicks, "credit": credit, "boundaries": boundaries, "narrow": narrow}
    return {
        "data": list(data),
        "layout": {
            "height": height,
            "autosize": True,
            # On a phone the names keep their room, even if little is left for the bars.
            "minreducedwidth": 40,
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8, "pad": 0},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": _FONT, "size": 13, "color": context.colour("text")},
            "showlegend": False,
            "hoverlabel": {
                "bgcolor": context.colour("surface"),
                "bordercolor": context.colour("quiet"),
                "font": {"family": _FONT, "size": 13, "color": context.colour("text")},
                "align": "right" if context.rtl else "left",
                "namelength": 0,
            },
            "dragmode": False,
            "autotypenumbers": "strict",
            "bargap": 0.28,
            "meta": {name: value for name, value in meta.items() if value or name in ("keys", "clicks")},
            **layout,
        },
    }


def key(context: ChartContext, label: str, meaning: str, kind: str = "", member: str | None = None) -> Figure:
    """One key of a chart's legend; `kind` is a class `pd-…` of the style sheet, by default filled as the meaning's bars are.

    `member` is the code of its member: a click on the key filters the page by it.
    """
    filled = {"/": "hatch", ".": "dots"}.get(PATTERNS.get(meaning, {}).get("shape", ""), "fill")
    return {"label": label, "colour": context.colour(meaning), "kind": kind or filled, "member": member}


def note(context: ChartContext, written: str, **place: Any) -> Figure:
    return {
        "text": context.line(written),
        "showarrow": False,
        "font": {"family": _FONT, "size": 12, "color": context.colour("text")},
        **place,
    }


# Patterns for neighbouring colours that look alike in greyscale.
PATTERNS: dict[str, Figure] = {
    **{meaning: {"shape": "/", "size": 6, "solidity": 0.2} for meaning in ("leavers", "loss", "expired")},
    "overdue": {"shape": ".", "size": 6, "solidity": 0.25},
}


def level(context: ChartContext, value: float, vertical: bool = False, meaning: str = "nation") -> Figure:
    """A thin line across the whole plot at `value`."""
    along, across = ("x", "y") if vertical else ("y", "x")
    return {
        "type": "line",
        f"{along}0": value,
        f"{along}1": value,
        f"{across}0": 0,
        f"{across}1": 1,
        f"{across}ref": "paper",
        "line": {"color": context.colour(meaning), "width": 1.5, "dash": "4px,3px"},
        "layer": "above",
    }


def pattern(context: ChartContext, meaning: str) -> Figure:
    """The pattern of a colour, overlaid in the colour of the page."""
    return {"fillmode": "overlay", "fgcolor": context.colour("surface"), **PATTERNS.get(meaning, {"shape": ""})}


def faded(colour: str, share: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share})"


def decimals(numbers: Sequence[float]) -> int:
    """The fewest decimals, at most three, that write all numbers exactly; two where three are too few."""
    scaled = ((count, [number * 10**count for number in numbers]) for count in range(4))
    return next((count for count, whole in scaled if all(abs(n - round(n)) < 1e-6 for n in whole)), 2)


def columns_marker(is_light: Sequence[bool], colour: str | list[str]) -> Figure:
    """The colour of columns, or of each; those that say less are lighter, within an outline that gives enough contrast."""
    colours = [colour] * len(is_light) if isinstance(colour, str) else colour
    filled = [faded(one, 0.45) if light else one for light, one in zip(is_light, colours, strict=True)]
    return {"color": filled, "line": {"color": colour, "width": [int(light) for light in is_light]}}


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


def value_at_end(context: ChartContext, value: str, x: float, y: float) -> Figure:
    side, shift = ("right", -5) if context.rtl else ("left", 5)
    return note(context, value, x=x, y=y, xanchor=side, xshift=shift)


def target(
    context: ChartContext,
    value: float | None,
    unit: str,
    at_end: bool = False,
    meaning: str = "target",
    yanchor: str = "bottom",
    word: str = "figure.target",
    after: float | None = None,
) -> Figure:
    """Layout of a line at the target, or at the nation's value, with its `word` and value; empty without one.

    The words begin at the left, or after an upright line at `after`.
    """
    if value is None:
        return {}
    side: Figure = {"x": 1, "xanchor": "right"} if at_end else {"x": 0, "xanchor": "left"}
    side |= {"xref": "paper"} if after is None else {"xref": "x", "x": after, "xshift": 4}
    label = f"{context.word(word)} {text.plain(value, unit, context.lang)}"
    # Another line may run behind the words.
    ground = {"bgcolor": context.colour("surface")}
    return {
        "shapes": [level(context, value, meaning=meaning)],
        "annotations": [note(context, label, y=value, yanchor=yanchor, **side, **ground)],
    }
