"""The buttons of a table's headings: who presses one keeps the focus when the new rows arrive, unless they went on."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from etl.core.paths import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.slow]
_TABLE = '<div class="st-key-table-rows"><div id="rows"><button data-sort="name">a</button></div><i></i></div><input>'
_MOUNT = """async () => {
    const { default: mount } = await import("/table.js");
    mount({ parentElement: document.querySelector("i"), setTriggerValue: () => {} });
}"""
_NEW_ROWS = "() => { rows.innerHTML = rows.innerHTML; }"


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page with a table that sorts, and a field."""
    page = chromium.new_page()
    page.route(
        "**/table.js", lambda route: route.fulfill(path=ROOT / "static" / "table.js", content_type="text/javascript")
    )
    page.route("http://policeyar.test/", lambda route: route.fulfill(body=_TABLE, content_type="text/html"))
    page.goto("http://policeyar.test/")
    page.evaluate(_MOUNT)
    yield page
    page.close()


def test_the_pressed_button_has_the_focus_again_when_the_rows_arrive(page: Page) -> None:
    page.locator("button").click()
    page.evaluate(_NEW_ROWS)
    assert page.locator("button:focus").count() == 1


def test_who_went_on_to_a_field_stays_there_when_the_rows_arrive(page: Page) -> None:
    page.locator("button").click()
    page.locator("input").focus()
    page.evaluate(_NEW_ROWS)
    assert page.locator("input:focus").count() == 1
