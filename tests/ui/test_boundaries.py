"""Every province and county has a shape at its place, and a browser downloads the shapes once."""

from itertools import pairwise

import brotli
import pytest
from starlette.requests import Request

from etl.core.paths import REFERENCE
from etl.core.places import reference_rows
from ui.charts import boundaries
from ui.shell import middleware

COUNTIES = {row["sci_code"]: row["province_iso"] for row in reference_rows(REFERENCE / "counties.csv")}
PROVINCES = {row["iso_3166_2"] for row in reference_rows(REFERENCE / "provinces.csv")}


def is_in(point: boundaries.Point, code: str, dimension: str) -> bool:
    return any(boundaries.is_within(*point, ring) for ring in boundaries.rings_of(code, dimension))


def box(code: str) -> tuple[float, float, float, float]:
    """The western, eastern, southern and northern end of a county."""
    xs, ys = zip(*(point for ring in boundaries.rings_of(code, "county") for point in ring), strict=True)
    return min(xs), max(xs), min(ys), max(ys)


def test_each_of_the_429_counties_has_a_shape_in_its_province_and_a_point_inside_it() -> None:
    points = boundaries.label_points("county")
    assert len(COUNTIES) == 429
    assert set(boundaries.codes("county")) == set(points) == set(COUNTIES)
    boxes = {code: box(code) for code in COUNTIES}
    for code, province in COUNTIES.items():
        assert code in boundaries.counties_of(province), code
        assert is_in(points[code], code, "county"), code
        assert is_in(points[code], province, "province"), code
        x, y = points[code]
        near = [one for one, (west, east, south, north) in boxes.items() if west <= x <= east and south <= y <= north]
        assert [one for one in near if is_in((x, y), one, "county")] == [code]


def test_each_province_has_a_shape_and_a_label_in_it() -> None:
    assert set(boundaries.codes("province")) == set(boundaries.label_points()) == PROVINCES
    assert all(is_in(point, code, "province") for code, point in boundaries.label_points().items())


def test_borders_of_provinces_are_those_of_their_counties() -> None:
    def edges(code: str, dimension: str) -> set[frozenset[boundaries.Point]]:
        rings = boundaries.rings_of(code, dimension)
        return {frozenset(pair) for ring in rings for pair in pairwise(ring)}

    for province in PROVINCES:
        counties = set().union(*(edges(code, "county") for code in boundaries.counties_of(province)))
        assert edges(province, "province") <= counties, province


@pytest.mark.parametrize("dimension", boundaries.DIMENSIONS)
def test_boundaries_travel_once_and_compressed(dimension: str) -> None:
    address = boundaries.address(dimension).removeprefix(".")
    (route,) = [one for one in middleware.routes() if one.path.endswith(address)]
    packed = route.endpoint(
        Request({"type": "http", "method": "GET", "path": address, "headers": [(b"accept-encoding", b"gzip, br")]})
    )
    assert "immutable" in packed.headers["cache-control"], "the address changes with the boundaries"
    assert brotli.decompress(packed.body) == boundaries.content(dimension).encode("utf-8")
    assert len(packed.body) < 170_000
