"""In a browser: how much stands on a page."""

import pytest
from playwright.sync_api import Browser

from tests.browser import app as front
from tests.parts import PARTS
from ui.i18n import text

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SCREEN = 900
# The height of what the page scrolls.
HEIGHT = "() => document.querySelector('[data-testid=stMain]').scrollHeight"
# What can be pressed or typed into above the first sentence; a box and its button are one.
BEFORE = """() => {
    const first = document.querySelector('.pd-verdict p').getBoundingClientRect().top;
    const kinds = 'a[href], button, input:not([type=hidden]), select, textarea, summary';
    const boxes = [...document.querySelectorAll(`[data-testid=stMain] :is(${kinds})`)].filter((at) => {
        const box = at.getBoundingClientRect();
        return box.width > 1 && box.height > 1 && box.top < first && getComputedStyle(at).visibility !== 'hidden';
    }).map((at) => at.closest('[data-testid=stMultiSelect], [data-testid=stSelectbox], [class*=st-key-day-]') ?? at);
    return [...new Set(boxes)].map((at) => at.innerText || at.getAttribute('aria-label') || at.outerHTML.slice(0, 80));
}"""


@pytest.mark.parametrize("part", [part for part in PARTS if part not in ("methods", "register")])
def test_no_page_is_longer_than_six_screens_and_the_first_one_than_three(
    part: str, address: str, chromium: Browser
) -> None:
    with front.visit(chromium, address) as reader:
        reader.page.set_viewport_size({"width": 1440, "height": SCREEN})
        reader.go(part).drawn_charts()
        assert reader.page.evaluate(HEIGHT) <= (3 if part == "overview" else 6) * SCREEN


def test_few_controls_stand_before_the_first_number(address: str, chromium: Browser) -> None:
    with front.visit(chromium, address) as reader:
        reader.page.set_viewport_size({"width": 1440, "height": SCREEN})
        reader.go("").drawn_charts()
        # Tools, PDF, find, look, language; place, day, more.
        assert len(before := reader.page.evaluate(BEFORE)) <= 8, before


def test_two_words_stand_below_a_figure(address: str, chromium: Browser) -> None:
    with front.visit(chromium, address) as reader:
        reader.go("coverage").drawn_charts()
        for below in reader.page.locator(
            ".st-key-figure-provinces--coverage_per_10k-province [class*=st-key-footer-]"
        ).all():
            words = [button.inner_text().partition("\n")[0] for button in below.get_by_role("button").all()]
            assert words == [text.word("figure.what", "fa"), text.word("figure.files", "fa")]
