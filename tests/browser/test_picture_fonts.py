"""The fonts that a picture of a chart carries."""

import pytest
from playwright.sync_api import Browser, Route

from etl.core.paths import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.slow]
_PAGE = """<!doctype html><style>@font-face { font-family: "Vazirmatn"; src: url("/font.woff2"); }</style>
<script>
    globalThis.allDrawn = async () => {};
    globalThis.Plotly = { toImage: async () => "data:image/svg+xml,<svg></svg>" };
</script><script src="/picture.js"></script>"""
_PICTURE = """() => picture({ data: [], layout: { width: 10, height: 10 } }, "svg").then((blob) => blob.text(), () => "failed")"""


def test_a_font_that_was_not_fetched_once_is_in_the_next_picture(chromium: Browser) -> None:
    asked: list[Route] = []

    def font(route: Route) -> None:
        asked.append(route)
        if len(asked) == 1:
            route.abort()
        else:
            route.fulfill(body=b"font", content_type="font/woff2")

    page = chromium.new_page()
    page.route("http://policeyar.test/", lambda route: route.fulfill(body=_PAGE, content_type="text/html"))
    page.route("**/font.woff2", font)
    page.route("**/picture.js", lambda route: route.fulfill(path=ROOT / "static" / "picture.js"))
    page.goto("http://policeyar.test/")
    assert page.evaluate(_PICTURE) == "failed"
    assert "data:font/woff2;base64," in page.evaluate(_PICTURE)
    page.close()
