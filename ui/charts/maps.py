"""The map of the 31 provinces, each with its value. Charts link to the boundaries, so that a browser downloads them once.

Where a rate can be better or worse, the test of etl/analysis/different.py decides the hue (orange behind, blue ahead, neutral
for all others), and the distance from the nation the depth. Counts have one hue, from few to many.
"""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from etl.core import declarations
from etl.core.paths import REFERENCE
from etl.semantic.answers import Answer, Metric
from etl.semantic.ranking import worse_side
from ui.charts import elements, titles
from ui.charts.chart import Same, chart
from ui.charts.classes import classes, stepped
from ui.charts.elements import ChartContext, Figure
from ui.i18n import text

_BOUNDARIES = "./app/static/iran_provinces.geojson"
# Degrees between the lines of a hatched province.
_HATCH_GAP = 0.28
_CLEAR = "rgba(0,0,0,0)"
_LABELS = declarations.read(Path(__file__).with_name("map_labels.toml"))
# English names are longer.
_LABEL_SIZE = {"fa": 12, "en": 11}
# The areas of a tested rate, from far behind to far ahead.
AREAS = ("far_behind", "behind", "alike", "ahead", "far_ahead")
_ALIKE = AREAS.index("alike")
# The least distance from the nation that is far: of a share in points, of a rate per residents as a part of the nation's.
_FAR_POINTS, _FAR_PART = 0.05, 0.5


@dataclass(frozen=True)
class Areas:
    """The class of each area, the colour of each class, the legend keys, and how to read the colours."""

    steps: list[int]
    colours: Sequence[str]
    keys: list[Figure]
    note: str = ""

    @property
    def is_tested(self) -> bool:
        """Whether the colours are those of a tested rate, which a note explains."""
        return bool(self.note)


@chart(titles.extreme, whole_country=True, compares=True)
def provinces(answer: Answer, context: ChartContext, chosen: Iterable[str] = (), height: int = 430) -> Figure:
    """The 31 provinces coloured by the first metric, with their values; unknown ones are hatched, `chosen` ones outlined."""
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    with_value = [row for row in answer.rows if row[at] is not None]
    without_value = [row for row in answer.rows if row[at] is None]
    areas = areas_of(answer, with_value, context)
    # Too small a group to be compared is not one that does not differ.
    untested = [row[0] for row in with_value if areas.is_tested and row[answer.columns.index("side")] == "untested"]
    border = context.colour("outline")

    hover_of = _hovers(Same(answer), context)

    def hovers(rows: Iterable[tuple[Any, ...]]) -> Figure:
        return {"hovertext": [hover_of[row[0]] for row in rows], "hovertemplate": elements.HOVER}

    codes = [row[0] for row in with_value]
    class_range = {"zmin": -0.5, "zmax": len(areas.colours) - 0.5}
    data = [_areas(codes, areas.steps, stepped(areas.colours), border, **class_range, **hovers(with_value))]
    keys = list(areas.keys)
    if without_value:
        missing, grey = [row[0] for row in without_value], context.colour("grid")
        data.append(_areas(missing, [0] * len(missing), [[0, grey], [1, grey]], border, **hovers(without_value)))
        data.append(_hatching(context, missing))
        keys.append(elements.key(context, context.word("figure.missing"), "missing", "hatch"))
    if untested:
        data.append(_hatching(context, untested))
        keys.append(elements.key(context, context.word("figure.small"), "missing", "hatch"))
    if outlined := list(chosen):
        scale = [[0, _CLEAR], [1, _CLEAR]]
        data.append(_areas(outlined, [0] * len(outlined), scale, context.colour("chosen"), 3, hoverinfo="skip"))
    data += _labels([(row[0], row[at]) for row in with_value], metric, areas, context)
    return elements.figure(
        context, data, height, keys, clicks=answer.by[0],
        credit=areas.note, boundaries=context.word("figure.osm"),
        geo={
            "projection": {"type": "mercator"},
            "lonaxis": {"range": [43.5, 63.6]}, "lataxis": {"range": [24.9, 40.3]},
            "visible": False, "bgcolor": _CLEAR, "showframe": False,
        },
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
    )  # fmt: skip


@lru_cache(maxsize=100)
def _hovers(same: Same, context: ChartContext) -> dict[Any, str]:
    """The hover text of each province: they stay while the reader outlines one province after the other."""
    answer = same.answer
    return {row[0]: elements.hover(answer, answer.metrics[0], row, context) for row in answer.rows}


def areas_of(answer: Answer, rows: Sequence[tuple[Any, ...]], context: ChartContext) -> Areas:
    """The classes of the rows with a value: by the side of the nation that they are clearly on, else from few to many."""
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    if "side" not in answer.columns or not worse_side(metric):
        by_value = classes([row[at] for row in rows], metric, context)
        return Areas([by_value.of(row[at]) for row in rows], by_value.colours, by_value.keys(context))
    side, nation = answer.columns.index("side"), answer.columns.index("whole_value")
    whole = next((row[nation] for row in rows if row[nation] is not None), 0)
    far = _FAR_POINTS if metric.unit == "share" else _FAR_PART * whole
    worse = worse_side(metric)
    better = "higher" if worse == "lower" else "lower"
    sign = {worse: -1, better: 1}
    steps = [_ALIKE + sign.get(row[side], 0) * (2 if abs(row[at] - whole) > far else 1) for row in rows]
    colours = [context.colour(area) for area in AREAS]
    words = [
        context.word(f"figure.clearly_{worse}"),
        context.word("figure.not_clear"),
        context.word(f"figure.clearly_{better}"),
    ]
    limit = (
        text.amount(100 * far, "points", context.lang)
        if metric.unit == "share"
        else text.percent(_FAR_PART, context.lang, 0)
    )
    short = (
        context.word("figure.few_points", count=text.number(100 * far, context.lang))
        if metric.unit == "share"
        else limit
    )
    keys, has_pair = [], False
    for label, group in zip(words, ((0, 1), (2,), (4, 3)), strict=True):
        # Classes without a province have no key; both depths of a side share its words.
        met = [step for step in group if step in steps]
        has_pair |= len(met) > 1
        if len(met) == 1 and AREAS[met[0]].startswith("far_"):
            label = context.word("figure.all_far", side=label, far=short)
        keys += [{"label": label if step == met[-1] else "", "colour": colours[step], "kind": "fill"} for step in met]
    key = "figure.depth" if has_pair else "figure.no_depth"
    note = context.word(key, nation=text.plain(whole, metric.unit, context.lang), far=limit)
    return Areas(steps, colours, keys, note)


def _labels(values: Sequence[tuple[str, float]], metric: Metric, areas: Areas, context: ChartContext) -> list[Figure]:
    """The value of each province, its name where it fits and where it is behind, and lines to labels outside of it.

    A narrow chart shows the values alone (static/plot.js).
    """
    words, only_values, inks, halos = [], [], [], []
    points: list[tuple[float, float]] = []
    alone: list[tuple[float, float]] = []
    # Lines on every map, and those to labels that a map without names has elsewhere.
    lines: dict[bool, list[tuple[Any, Any]]] = {False: [], True: []}
    for (code, value), step in zip(values, areas.steps, strict=True):
        label = _LABELS[code]
        is_outside = "line" in label or label.get("outside", False)
        name = label.get(context.lang) or context.member("province", code)
        written = text.plain(value, metric.unit, context.lang).replace("٪", "").replace("%", "")
        is_named = label.get("named") or (areas.is_tested and step < _ALIKE)
        below = " " if label.get("inline") else "<br>"
        words.append(f"<b>{name}</b>{below}{written}" if is_named else written)
        only_values.append(written)
        points.append(tuple(label["at"]))
        alone.append(tuple(label.get("alone", label["at"])))
        # Words in the colours of the page are legible across the edges of areas that have the same ink.
        page, area = context.colour("surface"), areas.colours[step]
        is_alike = areas.is_tested and context.on(area) == context.on(page)
        ground = page if is_outside or is_alike else area
        inks.append(context.on(ground))
        # Where words stick out of an area with the other ink, its colour goes with them.
        is_wide = is_outside or context.on(ground) != context.on(page)
        # Words at the end of a line lie over another province.
        halos.append(", ".join([f"0 0 {4 if is_wide else 2}px {ground}"] * (12 if "line" in label else 6)))
        if "line" in label:
            lines["alone" in label] += [*map(tuple, label["line"]), (None, None)]
    shared = {
        "type": "scattergeo", "mode": "text", "hoverinfo": "skip",
        "textfont": {"size": _LABEL_SIZE[context.lang], "color": inks, "shadow": halos},
    }  # fmt: skip
    return [
        *(_leaders(ends, context) | ({"meta": "wide"} if is_wide else {}) for is_wide, ends in lines.items() if ends),
        {**shared, **_placed(points), "text": words, "meta": "wide"},
        {**shared, **_placed(alone), "text": only_values, "meta": "narrow", "visible": False},
    ]


def _placed(points: Sequence[tuple[Any, Any]]) -> Figure:
    return {"lon": [longitude for longitude, _ in points], "lat": [latitude for _, latitude in points]}


def _leaders(ends: Sequence[tuple[Any, Any]], context: ChartContext) -> Figure:
    """Lines from provinces to labels outside of them, with a dot in the province."""
    return {
        "type": "scattergeo", "mode": "lines+markers", "hoverinfo": "skip", **_placed(ends),
        "line": {"color": context.colour("text"), "width": 1},
        "marker": {"size": [4, 0, 0] * (len(ends) // 3), "color": context.colour("text"), "opacity": 1},
    }  # fmt: skip


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
