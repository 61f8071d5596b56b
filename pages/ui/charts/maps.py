"""The map of the 31 provinces. Charts link to the boundaries, so that a browser downloads them once."""

import json
import math
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from etl.core.paths import REFERENCE
from etl.semantic.answers import Answer
from pages.ui.charts import bars, elements, titles, traces
from pages.ui.charts.chart import chart
from pages.ui.charts.classes import classes
from pages.ui.charts.elements import ChartContext, Figure

_BOUNDARIES = "./app/static/iran_provinces.geojson"
# Degrees between the lines of a hatched province.
_HATCH_GAP = 0.28


@chart(titles.extreme, whole_country=True, compares=True, where_noise=bars.ranking)
def provinces(answer: Answer, context: ChartContext, chosen: Iterable[str] = ()) -> Figure:
    """The 31 provinces coloured by class of the first metric; unknown ones are hatched, `chosen` ones outlined."""
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    with_value = [row for row in answer.rows if row[at] is not None]
    without_value = [row for row in answer.rows if row[at] is None]
    colour_classes = classes([row[at] for row in with_value], metric, context)
    border = context.colour("surface")

    def area(rows: list[tuple], z: Sequence[float], scale: list[list[Any]], top: float) -> Figure:
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
            "hovertext": [elements.hover_of_row(answer, metric, row, context) for row in rows],
            "hovertemplate": traces.HOVER,
        }

    data = [
        area(with_value, [colour_classes.of(row[at]) for row in with_value], colour_classes.scale, colour_classes.top)
    ]
    keys = colour_classes.keys(context)
    if without_value:
        grey = context.colour("grid")
        data.append(area(without_value, [0.0] * len(without_value), [[0, grey], [1, grey]], 1))
        lines = [hatch(row[0]) for row in without_value]
        data.append(_lines(context, lines, "missing"))
        keys.append(elements.key(context, context.word("figure.missing"), "missing", "hatch"))
    if outlined := list(chosen):
        data.append(_outlines(context, outlined))
    return elements.figure(
        context, data, 430, keys, clicks=answer.by[0], credit=context.word("figure.osm"),
        geo={
            "projection": {"type": "mercator"},
            "lonaxis": {"range": [43.9, 63.6]}, "lataxis": {"range": [24.8, 40.1]},
            "visible": False, "bgcolor": "rgba(0,0,0,0)", "showframe": False,
        },
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
    )  # fmt: skip


def _outlines(context: ChartContext, codes: Sequence[str]) -> Figure:
    """Outlines of provinces on top of the map, without a fill."""
    return {
        "type": "choropleth",
        "geojson": _BOUNDARIES,
        "locations": codes,
        "z": [0.0] * len(codes),
        "colorscale": [[0, "rgba(0,0,0,0)"], [1, "rgba(0,0,0,0)"]],
        "showscale": False,
        "marker": {"line": {"color": context.colour("chosen"), "width": 3}},
        "hoverinfo": "skip",
    }


def _lines(context: ChartContext, lines: Sequence[list[tuple[float, float] | None]], meaning: str) -> Figure:
    """Several lines on the map as one trace; None separates them."""
    points = [point for line in lines for point in [*line, None]]
    return {
        "type": "scattergeo",
        "mode": "lines",
        "lon": [p[0] if p else None for p in points],
        "lat": [p[1] if p else None for p in points],
        "line": {"color": context.colour(meaning), "width": 1},
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
