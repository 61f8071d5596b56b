"""Answer in, Plotly figure out. Knows no Streamlit: a chart can be drawn, tested and printed without a server.

Figures are plain dictionaries (a tenth of the time of graph objects). Plotly itself stays left to right; what is Persian
here is the words, the digits and the Jalali ticks, and the direction of bars. `layout.meta` carries what HTML says better
than SVG does in two directions: the keys of the colours and the attribution.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from etl.metrics import Answer, Metric
from pages.parts import text

Figure = dict[str, Any]

# One colour has one meaning in the whole house: (on light, on dark). Each is at least 3:1 against its page, no two that
# meet in one chart differ by red and green alone, and lines and patterns tell them apart where colour cannot.
COLOURS: dict[str, tuple[str, str]] = {
    "actual": ("#1b5e8c", "#6db3e8"),
    "focus": ("#b4540a", "#f0a35c"),
    "before": ("#6f93ae", "#5b7f99"),
    "target": ("#17212b", "#e8eef4"),
    "projection": ("#1b5e8c", "#6db3e8"),
    "nation": ("#17212b", "#e8eef4"),
    "joiners": ("#1b5e8c", "#6db3e8"),
    "leavers": ("#b4540a", "#f0a35c"),
    "gain": ("#1b5e8c", "#6db3e8"),
    "loss": ("#b4540a", "#f0a35c"),
    "total": ("#4c5b68", "#a5b4c1"),
    "in_date": ("#1b5e8c", "#6db3e8"),
    "pending": ("#7b8894", "#8796a3"),
    "expired": ("#c07a00", "#e3b341"),
    "overdue": ("#8a2a5b", "#e58ab8"),
    "second": ("#8a2a5b", "#e58ab8"),
    "third": ("#c07a00", "#e3b341"),
    "fourth": ("#4c5b68", "#a5b4c1"),
    "missing": ("#7b8894", "#8796a3"),
    "men": ("#1b5e8c", "#6db3e8"),
    "women": ("#c07a00", "#e3b341"),
    # the page's own
    "text": ("#17212b", "#e8eef4"),
    "quiet": ("#52616e", "#a9b7c3"),
    "grid": ("#e1e7ed", "#293743"),
    "surface": ("#ffffff", "#101820"),
}
# Low to high on a map, from quiet to loud; five steps that stay apart in grey.
STEPS: tuple[tuple[str, ...], tuple[str, ...]] = (
    ("#d6e6f2", "#a3c8e1", "#649fc8", "#2f76a8", "#123f61"),
    ("#1f3d54", "#2f6288", "#4a8ab8", "#82b9e0", "#cfe8fb"),
)
SERIES = ("actual", "focus", "second", "third", "fourth")

_BOUNDARIES = "/app/static/iran_provinces.geojson"
_BOUNDARY_FILE = (
    Path(__file__).resolve().parents[2] / "data" / "reference" / "iran_provinces.geojson"
)
# Given to every chart: where Plotly finds an (empty) base map, and no buttons of its own, whose words are English.
CONFIG = {
    "displayModeBar": False,
    "scrollZoom": False,
    "doubleClick": False,
    "showTips": False,
    "topojsonURL": "/app/static/map/",
}
_FONT = "Vazirmatn, Tahoma, sans-serif"
_BAR = 25  # px a bar of a ranking takes


@dataclass(frozen=True)
class Look:
    """How the reader sees: language, dark or light, and names of members that only the warehouse knows."""

    lang: str = "fa"
    dark: bool = False
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict, hash=False, compare=False)

    def colour(self, meaning: str) -> str:
        return COLOURS[meaning][self.dark]

    def member(self, dimension: str, code: object) -> str:
        return text.member(dimension, code, self.lang, self.names.get(dimension))

    def word(self, key: str, **values: object) -> str:
        return text.word(key, self.lang, **values)

    def line(self, written: str) -> str:
        return text.line(written, self.lang)

    @property
    def rtl(self) -> bool:
        return self.lang == "fa"


# ---------------------------------------------------------------- rows and words


def _metric(answer: Answer, name: str | None = None) -> Metric:
    return next((m for m in answer.metrics if m.name == name), answer.metrics[0])


def _parts(answer: Answer, metric: Metric, row: Sequence[Any], look: Look) -> str:
    """Numerator and denominator of a rate, in words; nothing for a count."""
    names = (metric.numerator, metric.denominator)
    if not all(names) or not set(names) <= set(answer.columns):
        return ""
    part, whole = (row[answer.columns.index(name)] for name in names if name)
    return look.word(
        "figure.of_total",
        part=text.number(part, look.lang),
        whole=text.number(whole, look.lang),
    )


def _hover(answer: Answer, metric: Metric, row: Sequence[Any], name: str, look: Look) -> str:
    value = row[answer.columns.index(metric.name)]
    written = (
        look.word("figure.missing") if value is None else text.amount(value, metric.unit, look.lang)
    )
    lines = [f"<b>{text.escape(name)}</b>", f"{text.escape(metric.label[look.lang])}: {written}"]
    if parts := _parts(answer, metric, row, look):
        lines.append(parts)
    if answer.by and row[answer.columns.index(answer.by[-1])] in answer.provisional:
        lines.append(look.word("figure.provisional"))
    return look.line("<br>".join(lines))


def _name(answer: Answer, row: Sequence[Any], look: Look) -> str:
    """What a row is called: its dimensions by their names."""
    return text.listed([look.member(axis, row[i]) for i, axis in enumerate(answer.by)], look.lang)


def _nice(top: float) -> list[float]:
    """Four or five round steps from zero to at least `top`."""
    if top <= 0:
        return [0.0]
    raw = top / 4
    scale = 10 ** math.floor(math.log10(raw))
    step = next(s * scale for s in (1, 2, 2.5, 5, 10) if s * scale >= raw)
    return [i * step for i in range(math.ceil(top / step - 1e-9) + 1)]


def _axis(look: Look, ticks: Sequence[float] = (), unit: str = "persons", **more: Any) -> Figure:
    """An axis of numbers in the reader's digits: labels lie level, and a tick has only the digits it needs."""
    return {
        "tickvals": list(ticks),
        "ticktext": [_tick(v, unit, ticks, look.lang) for v in ticks],
        "tickangle": 0,
        "automargin": True,
        "showgrid": True,
        "gridcolor": look.colour("grid"),
        "zeroline": False,
        "fixedrange": True,
        "tickfont": {"color": look.colour("quiet"), "size": 12},
        "ticks": "",
        **more,
    }


def _tick(value: float, unit: str, ticks: Sequence[float], lang: str) -> str:
    scale = 100 if unit == "share" else 1
    step = abs(ticks[1] - ticks[0]) * scale if len(ticks) > 1 else 1
    decimals = next((d for d in range(4) if abs(step * 10**d - round(step * 10**d)) < 1e-6), 2)
    if unit == "share":
        return text.percent(value, lang, decimals)
    return text.number(value, lang, decimals)


def _categories(look: Look, names: Sequence[str], **more: Any) -> Figure:
    """An axis of names at the reading side of a horizontal bar chart, first at the top."""
    return {
        "tickvals": list(range(len(names))),
        "ticktext": [look.line(text.escape(name)) for name in names],
        "range": [len(names) - 0.4, -0.6],
        "side": "right" if look.rtl else "left",
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "automargin": True,
        "ticks": "",
        "ticklabelstandoff": 6,
        "tickfont": {"color": look.colour("text"), "size": 13},
        **more,
    }


def _figure(
    look: Look, data: Iterable[Figure], height: int, keys: Sequence[Figure] = (), **layout: Any
) -> Figure:
    return {
        "data": list(data),
        "layout": {
            "height": height,
            "autosize": True,
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8, "pad": 0},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": _FONT, "size": 13, "color": look.colour("text")},
            "showlegend": False,
            "hoverlabel": {
                "bgcolor": look.colour("surface"),
                "bordercolor": look.colour("quiet"),
                "font": {"family": _FONT, "size": 13, "color": look.colour("text")},
                "align": "right" if look.rtl else "left",
                "namelength": 0,
            },
            "dragmode": False,
            "bargap": 0.28,
            "meta": {"keys": list(keys)},
            **layout,
        },
    }


def key(look: Look, label: str, meaning: str, kind: str = "fill") -> Figure:
    """One key of a chart: its words, its colour, and how it is drawn (fill, line, dash, outline, hatch, light)."""
    return {"label": label, "colour": look.colour(meaning), "kind": kind}


def _note(look: Look, written: str, **place: Any) -> Figure:
    return {
        "text": look.line(written),
        "showarrow": False,
        "font": {"family": _FONT, "size": 12, "color": look.colour("text")},
        **place,
    }


def _across(look: Look, ticks: Sequence[float], low: float, high: float) -> Figure:
    """The axis along which horizontal bars grow: from the side where reading starts."""
    return {
        "range": [high, low] if look.rtl else [low, high],
        "side": "bottom",
    }


# ---------------------------------------------------------------- bars


def ranking(
    answer: Answer,
    look: Look,
    nation: float | None = None,
    focus: Iterable[Any] = (),
    most: int | None = None,
) -> Figure:
    """Horizontal bars of the first metric, longest first, from zero, with a line for the nation.

    Groups without a value come last and have no bar. `focus` are the codes the title speaks of.
    """
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    rows = sorted(answer.rows, key=lambda row: (row[at] is None, -(row[at] or 0), str(row[0])))
    rows = rows[:most] if most else rows
    values = [row[at] for row in rows]
    known = [value for value in values if value is not None]
    low, top = min([0, *known]), max([0, *known, nation or 0])
    ticks = [-v for v in reversed(_nice(-low)) if v] + _nice(top) if low < 0 else _nice(top)
    focused = set(focus)
    signed = low < 0
    written = [
        look.word("figure.missing") if v is None else text.plain(v, metric.unit, look.lang, signed)
        for v in values
    ]
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "x": [value or 0 for value in values],
            "y": list(range(len(rows))),
            "marker": {
                "color": [
                    look.colour(
                        "loss"
                        if signed and (row[at] or 0) < 0
                        else "focus"
                        if row[0] in focused
                        else "actual"
                    )
                    for row in rows
                ]
            },
            "customdata": [row[0] for row in rows],
            "hovertext": [
                _hover(answer, metric, row, _name(answer, row, look), look) for row in rows
            ],
            "hovertemplate": "%{hovertext}<extra></extra>",
        },
    ]
    keys = []
    shapes, notes = [], []
    if signed:
        keys = [
            key(look, look.word("figure.more_than_average"), "gain"),
            key(look, look.word("figure.less_than_average"), "loss"),
        ]
    if nation is not None:
        shapes.append(_level(look, nation, vertical=True))
        named = f"{look.word('figure.nation_line')} {text.plain(nation, metric.unit, look.lang)}"
        notes.append(_note(look, named, x=nation, y=1, yref="paper", yanchor="bottom"))
    # the values stand in a column of their own beyond the bars, clear of the nation's line
    for place, (row, value) in enumerate(zip(rows, written, strict=True)):
        shown = f"<b>{value}</b>" if row[0] in focused else value
        notes.append(
            _note(
                look,
                shown,
                x=0 if look.rtl else 1,
                xref="paper",
                y=place,
                xanchor="right" if look.rtl else "left",
            )
        )
    across = _axis(look, ticks, metric.unit, **_across(look, ticks, low, top * 1.01))
    across["showticklabels"] = False
    beyond = 18 + 7 * max((len(value) for value in written), default=4)
    return _figure(
        look,
        data,
        height=len(rows) * _BAR + 44,
        keys=keys,
        xaxis=across,
        yaxis=_categories(look, [_name(answer, row, look) for row in rows]),
        shapes=shapes,
        annotations=notes,
        margin={
            "l": beyond if look.rtl else 8,
            "r": 8 if look.rtl else beyond,
            "t": 26 if nation is not None else 8,
            "b": 8,
            "pad": 0,
        },
    )


def _level(look: Look, value: float, vertical: bool = False, meaning: str = "nation") -> Figure:
    """A thin line across the whole plot at `value`."""
    along, across = ("x", "y") if vertical else ("y", "x")
    return {
        "type": "line",
        f"{along}0": value,
        f"{along}1": value,
        f"{across}0": 0,
        f"{across}1": 1,
        f"{across}ref": "paper",
        "line": {"color": look.colour(meaning), "width": 1.5, "dash": "4px,3px"},
        "layer": "above",
    }


def stacked(
    answer: Answer,
    look: Look,
    parts: Mapping[str, str],
    share: bool = True,
) -> Figure:
    """Horizontal bars cut into `parts` (metric: meaning of its colour), as parts of a whole (`share`) or as counts."""
    return _stacked(
        answer, look, [_metric(answer, name) for name in parts], list(parts.values()), share
    )


def _stacked(
    answer: Answer, look: Look, parts: Sequence[Metric], meanings: Sequence[str], share: bool
) -> Figure:
    at = [answer.columns.index(part.name) for part in parts]
    totals = [sum(row[i] or 0 for i in at) for row in answer.rows]
    order = sorted(
        range(len(answer.rows)),
        key=lambda r: -(answer.rows[r][at[0]] or 0) / (totals[r] or 1) if share else -totals[r],
    )
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
                    "color": look.colour(meaning),
                    "line": {"color": look.colour("surface"), "width": 1},
                    "pattern": _pattern(look, meaning),
                },
                "customdata": [row[0] if answer.by else None for row in rows],
                "hovertext": [
                    look.line(
                        f"<b>{text.escape(_name(answer, row, look))}</b><br>{text.escape(part.label[look.lang])}: "
                        f"{text.amount(row[i], part.unit, look.lang)}<br>"
                        + (f"{text.percent(size, look.lang)}" if share else "")
                    )
                    for row, size in zip(rows, sizes, strict=True)
                ],
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        )
    top = 1 if share else max([*totals, 1])
    ticks = [0, 0.25, 0.5, 0.75, 1] if share else _nice(top)
    return _figure(
        look,
        data,
        height=len(rows) * _BAR + 48,
        barmode="stack",
        keys=[
            key(look, part.short[look.lang], meaning, "hatch" if meaning in _PATTERNS else "fill")
            for part, meaning in zip(parts, meanings, strict=True)
        ],
        xaxis=_axis(
            look,
            ticks,
            "share" if share else parts[0].unit,
            **_across(look, ticks, 0, max(top, ticks[-1]) * 1.002),
        ),
        yaxis=_categories(look, [_name(answer, row, look) for row in rows]),
    )


# Parts that meet in one bar and would be near in grey are told apart by a pattern as well.
_PATTERNS: dict[str, Figure] = {
    "leavers": {"shape": "/", "size": 6, "solidity": 0.2},
    "loss": {"shape": "/", "size": 6, "solidity": 0.2},
    "expired": {"shape": "/", "size": 6, "solidity": 0.2},
    "overdue": {"shape": ".", "size": 6, "solidity": 0.25},
}


def _pattern(look: Look, meaning: str) -> Figure:
    """The pattern that goes with a colour, drawn over it in the colour of the page."""
    return {
        "fillmode": "overlay",
        "fgcolor": look.colour("surface"),
        **_PATTERNS.get(meaning, {"shape": ""}),
    }


def paired(answer: Answer, look: Look, meanings: Sequence[str] = ("joiners", "leavers")) -> Figure:
    """Two flows side by side over time, as bars from zero; a unit that is not over is drawn lighter."""
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
                    "color": look.colour(meaning),
                    "opacity": [0.45 if label in answer.provisional else 1 for label in labels],
                    "pattern": _pattern(look, meaning),
                },
                "hovertext": [
                    _hover(answer, metric, row, look.member(time, row[0]), look)
                    for row in answer.rows
                ],
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        )
    ticks = _nice(top)
    keys = [
        key(look, metric.short[look.lang], meaning, "hatch" if meaning == "leavers" else "fill")
        for metric, meaning in zip(answer.metrics[:2], meanings, strict=True)
    ]
    if answer.provisional & set(labels):
        keys.append(key(look, look.word("figure.provisional"), "actual", "light"))
    return _figure(
        look, data, 320, keys,
        xaxis=_time_axis(look, labels), yaxis=_upright(look, ticks, answer.metrics[0].unit), bargap=0.25, bargroupgap=0.05,
    )  # fmt: skip


def columns(answer: Answer, look: Look, meaning: str = "actual") -> Figure:
    """Upright bars of the first metric in the order of the answer: a histogram, or a flow over time."""
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    values = [row[at] for row in answer.rows]
    labels = [row[0] for row in answer.rows]
    timed = answer.by[0] in ("month", "quarter", "year")
    ticks = _nice(max([0, *(v for v in values if v is not None)]))
    data = [
        {
            "type": "bar",
            "x": list(range(len(values))),
            "y": values,
            "marker": {
                "color": look.colour(meaning),
                "opacity": [0.45 if label in answer.provisional else 1 for label in labels],
            },
            "customdata": labels,
            "hovertext": [
                _hover(answer, metric, row, _name(answer, row, look), look) for row in answer.rows
            ],
            "hovertemplate": "%{hovertext}<extra></extra>",
        }
    ]
    along = (
        _time_axis(look, labels)
        if timed
        else _names_below(look, [_name(answer, r, look) for r in answer.rows])
    )
    return _figure(look, data, 300, xaxis=along, yaxis=_upright(look, ticks, metric.unit))


def pyramid(answer: Answer, look: Look, dimension: str = "gender") -> Figure:
    """Two groups back to back by a second dimension (age, service), bars from the middle."""
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    split, other = answer.by.index(dimension), 1 - answer.by.index(dimension)
    bands = list(dict.fromkeys(row[other] for row in answer.rows))
    cell = {(row[other], row[split]): row for row in answer.rows}
    top = max([1, *(row[at] or 0 for row in answer.rows)])
    data = []
    for code, side, meaning in (("male", -1, "men"), ("female", 1, "women")):
        rows = [cell.get((band, code)) for band in bands]
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "y": list(range(len(bands))),
                "x": [side * (row[at] or 0) if row else 0 for row in rows],
                "marker": {"color": look.colour(meaning)},
                "hovertext": [
                    _hover(answer, metric, row, _name(answer, row, look), look) if row else ""
                    for row in rows
                ],
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        )
    ticks = _nice(top)
    both = [-v for v in reversed(ticks) if v] + ticks
    across = _axis(look, both, metric.unit, range=[-ticks[-1], ticks[-1]])
    across["ticktext"] = [_tick(abs(v), metric.unit, ticks, look.lang) for v in both]
    return _figure(
        look, data, len(bands) * _BAR + 60,
        [key(look, look.member(dimension, c), m) for c, m in (("male", "men"), ("female", "women"))],
        barmode="overlay", xaxis=across, yaxis=_categories(look, [look.member(answer.by[other], b) for b in bands]),
    )  # fmt: skip


def funnel(answer: Answer, look: Look) -> Figure:
    """One bar a stage (the answer's metrics of one row), each with its share of the first."""
    row = answer.rows[0]
    values = [row[answer.columns.index(metric.name)] or 0 for metric in answer.metrics]
    first = values[0] or 1
    labels = [metric.short[look.lang] for metric in answer.metrics]
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "y": list(range(len(values))),
            "x": values,
            "marker": {"color": look.colour("actual")},
            "text": [
                look.line(
                    f"{text.plain(v, m.unit, look.lang)} · {text.percent(v / first, look.lang, 0)}"
                )
                for v, m in zip(values, answer.metrics, strict=True)
            ],
            "textposition": "outside",
            "cliponaxis": False,
            "hovertext": [
                look.line(
                    f"<b>{text.escape(m.label[look.lang])}</b><br>{text.amount(v, m.unit, look.lang)}"
                )
                for v, m in zip(values, answer.metrics, strict=True)
            ],
            "hovertemplate": "%{hovertext}<extra></extra>",
        }
    ]
    top = max([*values, 1])
    across = _axis(look, _nice(top), answer.metrics[0].unit, **_across(look, (), 0, top * 1.25))
    across["showticklabels"] = False
    return _figure(look, data, len(values) * 44 + 24, xaxis=across, yaxis=_categories(look, labels))


def bridge(answer: Answer, look: Look) -> Figure:
    """From the stock at the start to the stock at the end, one step a bar. Rows: a step and its signed size; both ends are stocks."""
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    steps = [row[0] for row in answer.rows]
    sizes = [row[at] or 0 for row in answer.rows]
    ends = {0, len(steps) - 1}
    level, bases, tops = 0.0, [], []
    for i, size in enumerate(sizes):
        bases.append(0 if i in ends else level)
        level = size if i in ends else level + size
        tops.append(level)
    span = [*tops, *(b for i, b in enumerate(bases) if i not in ends)]
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "y": list(range(len(steps))),
            "base": bases,
            "x": sizes,
            "marker": {
                "color": [
                    look.colour("total" if i in ends else "gain" if size >= 0 else "loss")
                    for i, size in enumerate(sizes)
                ],
                "pattern": _pattern(look, "loss")
                | {"shape": ["/" if i not in ends and size < 0 else "" for i, size in enumerate(sizes)]},
            },
            "hovertext": [
                look.line(
                    f"<b>{text.escape(look.member('step', step))}</b><br>"
                    f"{text.amount(size, metric.unit, look.lang, signed=i not in ends)}"
                )
                for i, (step, size) in enumerate(zip(steps, sizes, strict=True))
            ],
            "hovertemplate": "%{hovertext}<extra></extra>",
        }
    ]  # fmt: skip
    top = max([1, *span])
    notes = [
        _note(
            look,
            text.plain(size, metric.unit, look.lang, signed=i not in ends),
            x=max(base, base + size),
            y=i,
            xanchor="right" if look.rtl else "left",
            xshift=-5 if look.rtl else 5,
        )
        for i, (base, size) in enumerate(zip(bases, sizes, strict=True))
    ]
    joints = [
        {
            "type": "line", "x0": tops[i], "x1": tops[i], "y0": i + 0.36, "y1": i + 0.64,
            "line": {"color": look.colour("quiet"), "width": 1},
        }
        for i in range(len(steps) - 1)
    ]  # fmt: skip
    ticks = _nice(top)
    across = _axis(look, ticks, metric.unit, **_across(look, ticks, 0, top * 1.17))
    return _figure(
        look, data, len(steps) * 34 + 44,
        [key(look, look.member("step", steps[0]) + " / " + look.member("step", steps[-1]), "total"), key(look, "+", "gain"), key(look, "−", "loss", "hatch")],
        xaxis=across, yaxis=_categories(look, [look.member("step", step) for step in steps]),
        annotations=notes, shapes=joints,
    )  # fmt: skip


# ---------------------------------------------------------------- time


def _upright(look: Look, ticks: Sequence[float], unit: str, **more: Any) -> Figure:
    reach = {"range": [min(ticks), max(ticks) * 1.04 or 1]} if ticks else {}
    return _axis(look, ticks, unit, side="left", **(reach | more))


def _names_below(look: Look, names: Sequence[str]) -> Figure:
    axis = _categories(look, names, side="bottom", range=[-0.6, len(names) - 0.4])
    if look.rtl:
        axis["range"] = axis["range"][::-1]
    axis["tickangle"] = 0
    return axis


def _time_axis(look: Look, labels: Sequence[str], after: int = 0) -> Figure:
    """Jalali ticks, at most seven: whole years where there are many months, else evenly spaced units."""
    count = len(labels)
    years = [i for i, label in enumerate(labels) if label.endswith("-01")]
    if len(years) >= 4:
        step = math.ceil(len(years) / 7)
        at, written = years[::step], [text.digits(labels[i][:4], look.lang) for i in years[::step]]
    else:
        step = max(1, math.ceil(count / 5))
        at = list(range(count - 1, -1, -step))[::-1]
        written = [_two_lines(labels[i], look) for i in at]
    return {
        "tickvals": at,
        "ticktext": written,
        "range": [-0.7, count - 0.3 + after],
        "tickangle": 0,
        "automargin": True,
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": look.colour("quiet"),
        "linecolor": look.colour("quiet"),
        "showline": True,
        "tickfont": {"color": look.colour("quiet"), "size": 12},
    }


def _two_lines(label: str, look: Look) -> str:
    name, year = text.unit_label(label, look.lang, short=True), text.digits(label[:4], look.lang)
    return look.line(name if name == year else f"{name}<br>{year}")


def trend(
    answer: Answer,
    look: Look,
    target: float | None = None,
    before: Answer | None = None,
    zero: bool = True,
    meanings: Sequence[str] = (),
    goal_label: str | None = None,
) -> Figure:
    """Lines of the answer's metrics over time: actual solid, the year before lighter, the target outlined.

    With a second dimension there is one line a member. What is not over is drawn hollow; an unknown value is a gap.
    """
    time = next(axis for axis in answer.by if axis in ("month", "quarter", "year", "day"))
    t = answer.by.index(time)
    labels = list(dict.fromkeys(row[t] for row in answer.rows))
    place = {label: i for i, label in enumerate(labels)}
    groups = _lines(answer, look, t)
    meanings = meanings or SERIES
    data, keys, seen = [], [], []
    unit = answer.metrics[0].unit
    if before is not None:
        metric = before.metrics[0]
        at = before.columns.index(metric.name)
        values = [row[at] for row in before.rows][: len(labels)]
        seen += [v for v in values if v is not None]
        data.append(
            _line(
                look,
                range(len(values)),
                values,
                "before",
                [
                    _hover(before, metric, row, _name(before, row, look), look)
                    for row in before.rows
                ],
                width=2,
            )
        )
        keys.append(key(look, look.word("figure.before"), "before", "line"))
    for (name, metric, rows), meaning in zip(groups, meanings * 8, strict=False):
        at = answer.columns.index(metric.name)
        values: list[float | None] = [None] * len(labels)
        hover = [""] * len(labels)
        for row in rows:
            values[place[row[t]]] = row[at]
            hover[place[row[t]]] = _hover(answer, metric, row, _name(answer, row, look), look)
        seen += [v for v in values if v is not None]
        firm = [None if labels[i] in answer.provisional else v for i, v in enumerate(values)]
        data.append(_line(look, range(len(values)), firm, meaning, hover))
        data += _open_end(look, values, labels, answer.provisional, meaning, hover)
        keys.append(key(look, name, meaning, "line"))
    top = max([0, *seen, target or 0])
    ticks = _nice(top) if zero else _around(seen, target, unit)
    layout: Figure = {"shapes": [], "annotations": []}
    if target is not None:
        layout["shapes"].append(_level(look, target, meaning="target"))
        written = (
            goal_label or f"{look.word('figure.target')} {text.plain(target, unit, look.lang)}"
        )
        layout["annotations"].append(
            _note(look, written, x=0, xref="paper", xanchor="left", y=target, yanchor="bottom")
        )
    if any(label in answer.provisional for label in labels):
        keys.append(key(look, look.word("figure.provisional"), meanings[0], "outline"))
    shown = keys if len(keys) > 1 or before is not None else []
    return _figure(
        look, data, 320, shown, xaxis=_time_axis(look, labels), yaxis=_upright(look, ticks, unit, range=[ticks[0], ticks[-1] + (ticks[-1] - ticks[0]) * 0.06]),
        hovermode="closest", **layout,
    )  # fmt: skip


def _lines(answer: Answer, look: Look, t: int) -> list[tuple[str, Metric, list[tuple]]]:
    """The lines of a trend: one a metric, or one a member of the second dimension."""
    if len(answer.by) == 1:
        return [(m.short[look.lang], m, answer.rows) for m in answer.metrics]
    other = 1 - t
    members: dict[Any, list[tuple]] = {}
    for row in answer.rows:
        members.setdefault(row[other], []).append(row)
    metric = answer.metrics[0]
    return [(look.member(answer.by[other], code), metric, rows) for code, rows in members.items()]


def _line(
    look: Look,
    x: Iterable[Any],
    y: Sequence[Any],
    meaning: str,
    hover: Sequence[str],
    width: float = 2.5,
    dash: str = "solid",
) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines+markers" if len(y) <= 30 and dash == "solid" else "lines",
        "x": list(x),
        "y": list(y),
        "line": {"color": look.colour(meaning), "width": width, "dash": dash},
        "marker": {"size": 5, "color": look.colour(meaning)},
        "connectgaps": False,
        "hovertext": list(hover),
        "hovertemplate": "%{hovertext}<extra></extra>",
    }  # fmt: skip


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
            "hovertext": [hover[i] for i in x],
            "hovertemplate": "%{hovertext}<extra></extra>",
        }
    ]  # fmt: skip


def _between(low: float, high: float) -> list[float]:
    """Round steps around a range that does not need zero (a line, never a bar)."""
    steps = _nice(max(high - low, abs(high) * 0.02, 1e-6))
    size = steps[1] - steps[0] if len(steps) > 1 else 1
    first = math.floor(low / size + 1e-9) * size
    ticks = [first + i * size for i in range(math.ceil((high - first) / size - 1e-9) + 1)]
    return [round(tick, 10) for tick in ticks]


def _around(values: Sequence[float], target: float | None, unit: str) -> list[float]:
    """Ticks for a line that does not start at zero; a share shows at least ten points, so that noise does not look like news."""
    low, high = min(values, default=0), max([*values, target or 0], default=1)
    if unit == "share":
        spare = max(0.1 - (high - low), 0) / 2
        low, high = max(low - spare, 0), min(high + spare, 1) if high <= 1 else high
    return _between(low, high)


def projection(answer: Answer, look: Look, target: float | None = None) -> Figure:
    """What is known solid, what is projected dashed with its range. Metrics in order: actual, low, high."""
    labels = [row[0] for row in answer.rows]
    actual, low, high = answer.metrics[:3]
    at = [answer.columns.index(metric.name) for metric in (actual, low, high)]
    known, floor, roof = ([row[i] for row in answer.rows] for i in at)
    hover = [
        [_hover(answer, m, row, look.member(answer.by[0], row[0]), look) for row in answer.rows]
        for m in (actual, low, high)
    ]
    x = list(range(len(labels)))
    band = {
        "type": "scatter", "mode": "lines", "x": x, "y": roof, "fill": "tonexty",
        "fillcolor": _faded(look.colour("projection"), 0.18), "line": {"color": look.colour("projection"), "width": 1.5, "dash": "dash"},
        "hovertext": hover[2], "hovertemplate": "%{hovertext}<extra></extra>",
    }  # fmt: skip
    data = [
        _line(look, x, floor, "projection", hover[1], 1.5, "dash"),
        band,
        _line(look, x, known, "actual", hover[0]),
    ]
    top = max([target or 0, *(v for v in [*known, *roof] if v is not None)])
    layout: Figure = {}
    if target is not None:
        layout = {
            "shapes": [_level(look, target, meaning="target")],
            "annotations": [
                _note(
                    look,
                    f"{look.word('figure.target')} {text.plain(target, actual.unit, look.lang)}",
                    x=0,
                    xref="paper",
                    xanchor="left",
                    y=target,
                    yanchor="bottom",
                )
            ],
        }
    keys = [
        key(look, look.word("figure.actual"), "actual", "line"),
        key(look, look.word("figure.projection"), "projection", "dash"),
        key(look, look.word("figure.target"), "target", "dash"),
    ]
    return _figure(
        look,
        data,
        340,
        keys,
        xaxis=_time_axis(look, labels),
        yaxis=_upright(look, _nice(top), actual.unit),
        **layout,
    )


def run_off(answer: Answer, look: Look, goal: float | None = None) -> Figure:
    """A share that falls on known days if nothing is done: a step line over days, with the goal."""
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    days: list[date] = [row[0] for row in answer.rows]
    values = [row[at] for row in answer.rows]
    hover = [_hover(answer, metric, row, text.day(row[0], look.lang), look) for row in answer.rows]
    line = _line(look, range(len(days)), values, "actual", hover) | {"mode": "lines"}
    line["line"] = line["line"] | {"shape": "hv"}
    step = max(1, len(days) // 4)
    at_days = list(range(0, len(days), step))
    known = [v for v in values if v is not None] or [0]
    ticks = _between(min(known), max([*known, goal or 0]))
    layout: Figure = {}
    if goal is not None:
        written = f"{look.word('figure.target')} {text.plain(goal, metric.unit, look.lang)}"
        layout = {
            "shapes": [_level(look, goal, meaning="target")],
            "annotations": [
                _note(look, written, x=1, xref="paper", xanchor="right", y=goal, yanchor="bottom")
            ],
        }
    axis = _time_axis(look, [d.isoformat() for d in days])
    axis["tickvals"] = at_days
    axis["ticktext"] = [
        look.line("<br>".join(text.day(days[i], look.lang).rsplit(" ", 1))) for i in at_days
    ]
    return _figure(
        look,
        [line],
        320,
        xaxis=axis,
        yaxis=_upright(
            look, ticks, metric.unit, range=[ticks[0], ticks[-1] + (ticks[-1] - ticks[0]) * 0.06]
        ),
        **layout,
    )


def heat(answer: Answer, look: Look) -> Figure:
    """A table of colour: groups down, months across; an unknown cell stays empty."""
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    t = next(i for i, axis in enumerate(answer.by) if axis in ("month", "quarter", "year"))
    other = 1 - t
    labels = list(dict.fromkeys(row[t] for row in answer.rows))
    last = {row[other]: row[at] for row in answer.rows if row[t] == labels[-1]}
    groups = sorted(last, key=lambda code: (last[code] is None, -(last[code] or 0)))
    cell = {(row[other], row[t]): row for row in answer.rows}
    steps = STEPS[look.dark]
    z = [[_get(cell.get((g, label)), at) for label in labels] for g in groups]
    known = [v for line in z for v in line if v is not None]
    bounds = _classes(known)
    data = [
        {
            "type": "heatmap",
            "x": list(range(len(labels))),
            "y": list(range(len(groups))),
            "z": [[None if v is None else _class_of(v, bounds) for v in line] for line in z],
            "zmin": -0.5,
            "zmax": 4.5,
            "colorscale": _scale(steps),
            "showscale": False,
            "xgap": 1,
            "ygap": 1,
            "hovertext": [
                [
                    _hover(
                        answer,
                        metric,
                        cell[g, label],
                        f"{look.member(answer.by[other], g)}، {look.member(answer.by[t], label)}"
                        if look.rtl
                        else f"{look.member(answer.by[other], g)}, {look.member(answer.by[t], label)}",
                        look,
                    )
                    if (g, label) in cell
                    else ""
                    for label in labels
                ]
                for g in groups
            ],
            "hovertemplate": "%{hovertext}<extra></extra>",
            "hoverongaps": False,
        }
    ]
    axis = _time_axis(look, labels) | {"range": [-0.5, len(labels) - 0.5], "showline": False}
    return _figure(
        look, data, len(groups) * 20 + 60, _class_keys(look, bounds, metric.unit), xaxis=axis,
        yaxis=_categories(look, [look.member(answer.by[other], g) for g in groups], range=[len(groups) - 0.5, -0.5], tickfont={"size": 12, "color": look.colour("text")}),
    )  # fmt: skip


def _get(row: Sequence[Any] | None, at: int) -> Any:
    return None if row is None else row[at]


def lorenz(answer: Answer, look: Look) -> Figure:
    """Cumulative share of assistants over cumulative share of residents, beside the line of full equality.

    Rows in order of coverage: a group, its cumulative share of residents, its cumulative share of assistants.
    """
    across, up = answer.metrics[:2]
    x = [0.0, *(answer.column(across.name))]
    y = [0.0, *(answer.column(up.name))]
    hover = [
        "",
        *(
            look.line(
                f"<b>{text.escape(look.member(answer.by[0], row[0]))}</b><br>"
                f"{text.escape(across.label[look.lang])}: {text.percent(row[answer.columns.index(across.name)], look.lang)}<br>"
                f"{text.escape(up.label[look.lang])}: {text.percent(row[answer.columns.index(up.name)], look.lang)}"
            )
            for row in answer.rows
        ),
    ]
    even = {
        "type": "scatter", "mode": "lines", "x": [0, 1], "y": [0, 1], "hoverinfo": "skip",
        "line": {"color": look.colour("quiet"), "width": 1.5, "dash": "dash"},
    }  # fmt: skip
    curve = _line(look, x, y, "actual", hover) | {
        "mode": "lines+markers",
        "fill": "tonexty",
        "fillcolor": _faded(look.colour("actual"), 0.15),
    }
    ticks = [0, 0.25, 0.5, 0.75, 1]
    title = {"font": {"size": 12, "color": look.colour("quiet")}, "standoff": 8}
    return _figure(
        look, [even, curve], 360,
        [key(look, look.word("figure.equality"), "quiet", "dash"), key(look, look.word("figure.actual"), "actual", "line")],
        xaxis=_axis(look, ticks, "share", range=[0, 1.01], title=title | {"text": look.line(across.short[look.lang])}),
        yaxis=_axis(look, ticks, "share", range=[0, 1.01]),
        annotations=[_note(look, up.short[look.lang], x=0.01, xanchor="left", y=1, yanchor="top", xref="paper", yref="paper")],
    )  # fmt: skip


# ---------------------------------------------------------------- map


def province_map(answer: Answer, look: Look, focus: Iterable[str] = ()) -> Figure:
    """The 31 provinces in five steps of the first metric. A province without a value is hatched, never the lowest step."""
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    bounds = _classes([row[at] for row in answer.rows if row[at] is not None])
    known = [row for row in answer.rows if row[at] is not None]
    unknown = [row for row in answer.rows if row[at] is None]
    steps = STEPS[look.dark]
    border = look.colour("surface")

    def area(rows: list[tuple], z: list[float], scale: list[list[Any]], top: float) -> Figure:
        return {
            "type": "choropleth",
            "geojson": _BOUNDARIES,
            "locations": [row[0] for row in rows],
            "z": z,
            "zmin": -0.5,
            "zmax": top,
            "colorscale": scale,
            "showscale": False,
            "marker": {"line": {"color": border, "width": 1}},
            "hovertext": [
                _hover(answer, metric, row, _name(answer, row, look), look) for row in rows
            ],
            "hovertemplate": "%{hovertext}<extra></extra>",
        }

    data = [area(known, [_class_of(row[at], bounds) for row in known], _scale(steps), 4.5)]
    keys = _class_keys(look, bounds, metric.unit)
    if unknown:
        grey = look.colour("grid")
        data.append(area(unknown, [0.0] * len(unknown), [[0, grey], [1, grey]], 1))
        lines = [hatch(row[0]) for row in unknown]
        data.append(_paths(look, lines, "missing", 1))
        keys.append(key(look, look.word("figure.missing"), "missing", "hatch"))
    outlined = [outline(code) for code in focus]
    if outlined:
        data.append(_paths(look, outlined, "focus", 2.5))
    figure = _figure(
        look, data, 430, keys,
        geo={
            "projection": {"type": "mercator"},
            "lonaxis": {"range": [43.9, 63.6]}, "lataxis": {"range": [24.9, 39.9]},
            "visible": False, "bgcolor": "rgba(0,0,0,0)", "showframe": False,
        },
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
    )  # fmt: skip
    figure["layout"]["meta"]["credit"] = look.word("figure.osm")
    return figure


def _paths(
    look: Look, lines: Sequence[list[tuple[float, float] | None]], meaning: str, width: float
) -> Figure:
    """Several lines on the map as one trace; None lifts the pen."""
    points = [point for line in lines for point in [*line, None]]
    return {
        "type": "scattergeo",
        "mode": "lines",
        "lon": [p[0] if p else None for p in points],
        "lat": [p[1] if p else None for p in points],
        "line": {"color": look.colour(meaning), "width": width},
        "hoverinfo": "skip",
    }


@cache
def _rings(code: str) -> list[list[tuple[float, float]]]:
    """The outer rings of a province."""
    shapes = json.loads(_BOUNDARY_FILE.read_text(encoding="utf-8"))["features"]
    geometry = next(shape["geometry"] for shape in shapes if shape["id"] == code)
    parts = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    return [[(x, y) for x, y in part[0]] for part in parts]


@cache
def outline(code: str) -> list[tuple[float, float] | None]:
    """The border of a province as one line."""
    return [point for ring in _rings(code) for point in [*ring, None]]


@cache
def hatch(code: str, gap: float = 0.28) -> list[tuple[float, float] | None]:
    """Slanted lines across a province, for a map has no pattern of its own: cut where x − y = k meets the border."""
    rings = _rings(code)
    offsets = [x - y for ring in rings for x, y in ring]
    lines: list[tuple[float, float] | None] = []
    k = math.ceil(min(offsets) / gap) * gap
    while k <= max(offsets):
        cuts = sorted(cut for ring in rings for cut in _cuts(ring, k))
        for start, end in zip(cuts[::2], cuts[1::2], strict=False):
            lines += [start, end, None]
        k += gap
    return lines


def _cuts(ring: Sequence[tuple[float, float]], k: float) -> Iterable[tuple[float, float]]:
    for (x1, y1), (x2, y2) in zip(ring, ring[1:], strict=False):
        a, b = x1 - y1 - k, x2 - y2 - k
        if (a < 0) != (b < 0):
            share = a / (a - b)
            yield (x1 + (x2 - x1) * share, y1 + (y2 - y1) * share)


def _classes(values: Sequence[float]) -> list[float]:
    """Upper bounds of up to five classes of about equal size."""
    ordered = sorted(set(values))
    if len(ordered) <= 5:
        return [float(v) for v in ordered]
    ranked = sorted(values)
    return sorted({ranked[math.ceil(len(ranked) * part / 5) - 1] for part in range(1, 6)})


def _class_of(value: float, bounds: Sequence[float]) -> float:
    """The step, 0 to 4, that `value` falls into; fewer classes are spread over the steps."""
    place = next((i for i, bound in enumerate(bounds) if value <= bound), len(bounds) - 1)
    return place if len(bounds) == 5 else place * 4 / max(len(bounds) - 1, 1)


def _scale(steps: Sequence[str]) -> list[list[Any]]:
    return [[edge / 5, step] for i, step in enumerate(steps) for edge in (i, i + 1)]


def _class_keys(look: Look, bounds: Sequence[float], unit: str) -> list[Figure]:
    steps = STEPS[look.dark]
    return [
        {
            "label": look.word("figure.up_to", value=text.plain(bound, unit, look.lang)),
            "colour": steps[round(_class_of(bound, bounds))],
            "kind": "fill",
        }
        for bound in bounds
    ]


def _faded(colour: str, share: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share})"
