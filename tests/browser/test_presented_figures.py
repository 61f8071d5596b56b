"""The figures that are presented in turn."""

import pytest
from playwright.sync_api import Browser

from etl.core.paths import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.slow]
_FIGURE = '<div class="st-key-figure-{0}"><div class="pd-plot js-plotly-plot">{0}</div></div>'
_PAGE = f"""<!doctype html><html lang="en" dir="ltr"><meta charset="utf-8"><script>
    const readerLocale = "en-US", readerWords = {{}};
</script><script src="/shell.js"></script><body>
<nav class="pd-switch"><a class="pd-present" href="#">present</a></nav>
{_FIGURE.format("first")}<details><summary>more</summary>{_FIGURE.format("folded")}</details>{_FIGURE.format("last")}"""


def test_a_figure_that_is_folded_away_is_not_presented(chromium: Browser) -> None:
    page = chromium.new_page()
    page.route("http://policeyar.test/", lambda route: route.fulfill(body=_PAGE, content_type="text/html"))
    page.route("**/shell.js", lambda route: route.fulfill(path=ROOT / "static" / "shell.js"))
    page.goto("http://policeyar.test/")
    # Presenting begins with the first figure that the header does not cover.
    page.evaluate("document.body.style.paddingTop = '200px'")
    page.locator(".pd-present").click()
    presented = page.locator("[data-presented]")
    assert presented.text_content() == "first"
    page.keyboard.press("ArrowRight")
    assert presented.text_content() == "last"
    assert (page.locator(".pd-presented-note").text_content() or "").endswith("2 / 2")
    page.close()
