"""The boundaries of provinces and counties: files that a browser downloads once, outlines, and the points of labels.

The address of a file holds its digest, so a browser keeps it until the boundaries change.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Sequence, Set
from functools import cache
from itertools import pairwise
from typing import Any

from etl.core.paths import REFERENCE
from etl.core.places import reference_rows

DIMENSIONS = ("province", "county")
_FILES = {"province": "iran_provinces", "county": "iran_counties"}
# Degrees between the lines of a hatched province.
_HATCH_GAP = 0.28
# The end of a line within a trace.
GAP = (None, None)

# Plotly's geographic axes load a base map before they draw; a map of provinces needs only an empty one.
EMPTY_MAP = {
    "type": "Topology",
    "objects": {
        layer: {"type": "GeometryCollection", "geometries": []}
        for layer in ("coastlines", "land", "ocean", "lakes", "rivers", "countries", "subunits")
    },
    "arcs": [],
}

Point = tuple[float, float]


@cache
def content(dimension: str) -> str:
    """The GeoJSON of all members of a dimension of places."""
    return (REFERENCE / f"{_FILES[dimension]}.geojson").read_text(encoding="utf-8")


@cache
def address(dimension: str) -> str:
    """Where a browser finds the boundaries, relative to the site."""
    digest = hashlib.sha256(content(dimension).encode("utf-8")).hexdigest()[:16]
    return f"./app/static/{_FILES[dimension]}-{digest}.geojson"


@cache
def _shapes(dimension: str) -> dict[str, Any]:
    """The GeoJSON feature of every member."""
    return {feature["id"]: feature for feature in json.loads(content(dimension))["features"]}


def codes(dimension: str) -> Set[str]:
    """The members that have a shape."""
    return _shapes(dimension).keys()


@cache
def counties_of(province: str) -> tuple[str, ...]:
    """The counties of a province that have a shape."""
    return tuple(code for code, shape in _shapes("county").items() if shape["properties"]["province"] == province)


@cache
def label_points(dimension: str = "province") -> dict[str, Point]:
    """Longitude and latitude of the label of each member."""
    if dimension == "county":
        rows = reference_rows(REFERENCE / "county_points.csv")
        return {row["county_code"]: (float(row["longitude"]), float(row["latitude"])) for row in rows}
    properties = {code: shape["properties"] for code, shape in _shapes(dimension).items()}
    return {code: (values["label_lon"], values["label_lat"]) for code, values in properties.items()}


@cache
def rings_of(code: str, dimension: str = "province") -> list[list[Point]]:
    """The outer rings of a place."""
    geometry = _shapes(dimension)[code]["geometry"]
    parts = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    return [[(x, y) for x, y in part[0]] for part in parts]


def is_within(x: float, y: float, ring: Sequence[Point]) -> bool:
    """Whether a ray from the point crosses the ring an odd number of times."""
    crossed = 0
    for (x1, y1), (x2, y2) in pairwise(ring):
        crossed += (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1)
    return crossed % 2 == 1


@cache
def hatch(code: str, dimension: str = "province", gap: float = _HATCH_GAP) -> list[tuple[Any, Any]]:
    """Slanted lines x − y = k clipped to a place: Plotly's maps have no fill patterns."""
    rings = rings_of(code, dimension)
    offsets = [x - y for ring in rings for x, y in ring]
    lines: list[tuple[Any, Any]] = []
    k = math.ceil(min(offsets) / gap) * gap
    while k <= max(offsets):
        cuts = sorted(cut for ring in rings for cut in _cuts(ring, k))
        for start, end in zip(cuts[::2], cuts[1::2], strict=False):
            lines += [start, end, GAP]
        k += gap
    return lines


def _cuts(ring: Sequence[Point], k: float) -> Iterable[Point]:
    for (x1, y1), (x2, y2) in pairwise(ring):
        a, b = x1 - y1 - k, x2 - y2 - k
        if (a < 0) != (b < 0):
            share = a / (a - b)
            yield (x1 + (x2 - x1) * share, y1 + (y2 - y1) * share)
