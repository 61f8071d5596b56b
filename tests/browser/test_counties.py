"""The map of counties in a browser: each county at its place, and a click narrows the page to it."""

import pytest
from playwright.sync_api import Browser

from tests.browser import app as front
from ui.charts import boundaries

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_MAP = ".st-key-figure-by_county"
# The counties whose point lies in the area that is drawn for them, and whose area is drawn at all.
_PLACED = """([selector, points]) => {
    const plot = document.querySelector(selector + ' .pd-plot'), { projection } = plot._fullLayout.geo._subplot;
    const areas = Object.fromEntries([...plot.querySelectorAll('.choroplethlayer path')].map((at) => [at.__data__.loc, at]));
    return Object.entries(points).filter(([code, point]) => {
        const [x, y] = projection(point);
        return areas[code]?.isPointInFill(new DOMPoint(x, y));
    }).map(([code]) => code);
}"""


def test_each_of_the_429_counties_is_drawn_at_its_place(address: str, chromium: Browser) -> None:
    points = boundaries.label_points("county")
    with front.visit(chromium, address) as reader:
        reader.go("coverage", map="county")
        assert max(reader.drawn_charts()) == 429 + 31
        assert sorted(reader.page.evaluate(_PLACED, [_MAP, points])) == sorted(points)
        assert len(points) == 429


def test_a_click_on_a_county_narrows_the_page_to_it(address: str, chromium: Browser) -> None:
    with front.visit(chromium, address) as reader:
        reader.go("coverage", province="IR-10")
        reader.drawn_charts()
        longitude, latitude = boundaries.label_points("county")["1002"]
        x, y = reader.page.evaluate(
            """([selector, point]) => {
                const plot = document.querySelector(selector + ' .pd-plot');
                plot.scrollIntoView({block: 'center'});
                const box = plot.getBoundingClientRect(), [x, y] = plot._fullLayout.geo._subplot.projection(point);
                return [box.x + x, box.y + y];
            }""",
            [_MAP, [longitude, latitude]],
        )
        reader.page.mouse.click(*reader.point_at(_MAP, lambda: (x, y)))
        reader.settle()
        assert "county=1002" in reader.query
        assert reader.page.locator(f"{_MAP} .choroplethlayer path").count() == 0, "one county is no map"
