"""The map of the 31 provinces, each with its value. Charts link to the boundaries, so that a browser downloads them once.

Where a rate can be better or worse, the test of etl/analysis/different.py decides the hue (orange behind, blue ahead, neutral
for all others), and the distance from the nation the depth. Counts have one hue, from few to many.
"""

import json
import math
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from etl.analysis.different import FAR_POINTS, FAR_RELATIVE
from etl.core import declarations
from etl.core.paths import REFERENCE
from etl.semantic.answers import Answer, Metric
from ui.charts import elements, titles, traces
from ui.charts.chart import chart
from ui.charts.classes import by_side, classes, is_by_side
from ui.charts.elements import ChartContext, Figure
from ui.i18n import text

_BOUNDARIES = "./app/static/iran_provinces.geojson"
# Degrees between the lines of a hatched province.
_HATCH_GAP = 0.28
_CLEAR = "rgba(0,0,0,0)"
_LABELS = declarations.read(Path(__file__).with_name("map_labels.toml"))
# English names are longer.
_LABEL_SIZE = {"fa": 12, "en": 11}


@chart(titles.extreme, whole_country=True, compares=True)
def provinces(answer: Answer, context: ChartContext, chosen: Iterable[str] = (), height: int = 430) -> Figure:
    """The 31 provinces coloured by the first metric, with their values; unknown ones are hatched, `chosen` ones outlined."""
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    with_value = [row for row in answer.rows if row[at] is not None]
    without_value = [row for row in answer.rows if row[at] is None]
    if is_by_side(answer):
        colour_classes, step_of = by_side(answer, context)
    else:
        colour_classes = classes([row[at] for row in with_value], metric, context)
        step_of = {row[0]: colour_classes.of(row[at]) for row in with_value}
    border = context.colour("outline")

    def hovers(rows: Iterable[tuple[Any, ...]]) -> Figure:
        hovertext = [elements.hover(answer, metric, row, context) for row in rows]
        return {"hovertext": hovertext, "hovertemplate": traces.HOVER}

    codes = [row[0] for row in with_value]
    steps = [step_of[code] for code in codes]
    class_range = {"zmin": -0.5, "zmax": colour_classes.top}
    data = [_areas(codes, steps, colour_classes.scale, border, **class_range, **hovers(with_value))]
    keys = colour_classes.keys(context)
    if without_value:
        missing, grey = [row[0] for row in without_value], context.colour("grid")
        data.append(_areas(missing, [0] * len(missing), [[0, grey], [1, grey]], border, **hovers(without_value)))
        data.append(_hatching(context, missing))
        keys.append(elements.key(context, context.word("figure.missing"), "missing", "hatch"))
    if outlined := list(chosen):
        scale = [[0, _CLEAR], [1, _CLEAR]]
        data.append(_areas(outlined, [0] * len(outlined), scale, context.colour("chosen"), 3, hoverinfo="skip"))
    grounds = [colour_classes.colours[step] for step in steps]
    data += _labels([(row[0], row[at]) for row in with_value], metric, grounds, context)
    return elements.figure(
        context, data, height, keys, clicks=answer.by[0],
        credit=" · ".join((*_depth(answer, context), context.word("figure.osm"))),
        geo={
            "projection": {"type": "mercator"},
            "lonaxis": {"range": [43.5, 63.6]}, "lataxis": {"range": [24.8, 40.4]},
            "visible": False, "bgcolor": _CLEAR, "showframe": False,
        },
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
    )  # fmt: skip


def _depth(answer: Answer, context: ChartContext) -> list[str]:
    """The nation's value and what a strong colour means, for a map by side."""
    if not is_by_side(answer) or not answer.rows:
        return []
    metric, whole = answer.metrics[0], next(filter(None, answer.column("whole_value")), None)
    if whole is None:
        return []
    is_share = metric.unit == "share"
    far = (
        text.amount(100 * FAR_POINTS, "points", context.lang)
        if is_share
        else text.percent(FAR_RELATIVE, context.lang, 0)
    )
    return [context.word("figure.depth", nation=text.amount(whole, metric.unit, context.lang), far=far)]


def _labels(
    values: Sequence[tuple[str, float]], metric: Metric, grounds: Sequence[str], context: ChartContext
) -> list[Figure]:
    """The value of each province, its name where it fits and where it is behind, and lines to labels outside of it.

    A narrow chart shows the values alone (static/plot.js).
    """
    words, only_values, lines, inks, halos = [], [], [], [], []
    points: list[tuple[float, float]] = []
    orange = {context.colour("far_behind"), context.colour("behind")}
    for (code, value), area in zip(values, grounds, strict=True):
        label = _LABELS[code]
        is_outside = "line" in label
        name = label.get(context.lang) or context.member("province", code)
        written = text.plain(value, metric.unit, context.lang).replace("٪", "").replace("%", "")
        is_named = label.get("named") or area in orange
        words.append(f"<b>{name}</b><br>{written}" if is_named else written)
        only_values.append(written)
        points.append(tuple(label["at"]))
        ground = context.colour("surface") if is_outside else area
        inks.append(context.on(ground))
        halos.append(f"0 0 2px {ground}, 0 0 2px {ground}, 0 0 1px {ground}")
        if is_outside:
            lines += [*map(tuple, label["line"]), (None, None)]
    shared = {
        "type": "scattergeo", "mode": "text", "hoverinfo": "skip",
        "lon": [longitude for longitude, _ in points], "lat": [latitude for _, latitude in points],
        "textfont": {"size": _LABEL_SIZE[context.lang], "color": inks, "shadow": halos},
    }  # fmt: skip
    return [
        {
            "type": "scattergeo", "mode": "lines", "hoverinfo": "skip",
            "lon": [longitude for longitude, _ in lines], "lat": [latitude for _, latitude in lines],
            "line": {"color": context.colour("text"), "width": 1},
        },
        {**shared, "text": words, "meta": "wide"},
        {**shared, "text": only_values, "meta": "narrow", "visible": False},
    ]  # fmt: skip


def _areas(
    codes: Sequence[str], z: Sequence[float], scale: Sequence[Any], border: str, width: float = 1, **more: Any
) -> Figure:
    """Provinces filled by a colour scale, within borders."""
    return {
        "type": "choropleth",
        "geojson": _BOUNDARIES,
        "locations": codes,
        "z": z,
        "colorscale": scale,
        "showscale": False,
        "marker": {"line": {"color": border, "width": width}},
        **more,
    }


def _hatching(context: ChartContext, codes: Iterable[str]) -> Figure:
    """The hatch of several provinces as one trace."""
    points = [point or (None, None) for code in codes for point in hatch(code)]
    return {
        "type": "scattergeo",
        "mode": "lines",
        "lon": [longitude for longitude, _ in points],
        "lat": [latitude for _, latitude in points],
        "line": {"color": context.colour("missing"), "width": 1},
        "hoverinfo": "skip",
    }


@cache
def _shapes() -> dict[str, Any]:
    """The GeoJSON feature of every province."""
    features = json.loads((REFERENCE / "iran_provinces.geojson").read_text(encoding="utf-8"))["features"]
    return {feature["id"]: feature for feature in features}


def label_points() -> dict[str, tuple[float, float]]:
    """Longitude and latitude of the label of each province."""
    properties = {code: shape["properties"] for code, shape in _shapes().items()}
    return {code: (values["label_lon"], values["label_lat"]) for code, values in properties.items()}


@cache
def rings_of(code: str) -> list[list[tuple[float, float]]]:
    """The outer rings of a province."""
    geometry = _shapes()[code]["geometry"]
    parts = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    return [[(x, y) for x, y in part[0]] for part in parts]


@cache
def hatch(code: str) -> list[tuple[float, float] | None]:
    """Slanted lines x − y = k clipped to a province: Plotly's maps have no fill patterns."""
    rings = rings_of(code)
    offsets = [x - y for ring in rings for x, y in ring]
    lines: list[tuple[float, float] | None] = []
    k = math.ceil(min(offsets) / _HATCH_GAP) * _HATCH_GAP
    while k <= max(offsets):
        cuts = sorted(cut for ring in rings for cut in _cuts(ring, k))
        for start, end in zip(cuts[::2], cuts[1::2], strict=False):
            lines += [start, end, None]
        k += _HATCH_GAP
    return lines


def _cuts(ring: Sequence[tuple[float, float]], k: float) -> Iterable[tuple[float, float]]:
    for (x1, y1), (x2, y2) in pairwise(ring):
        a, b = x1 - y1 - k, x2 - y2 - k
        if (a < 0) != (b < 0):
            share = a / (a - b)
            yield (x1 + (x2 - x1) * share, y1 + (y2 - y1) * share)
