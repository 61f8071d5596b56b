"""In a browser: where the first screen says we stand, and how much stands on it."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser import app as front
from ui.exhibits import needs_action
from ui.i18n import text

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SCREEN, MOST_WORDS = 900, 650
# What a reader of the page has before them: what can be pressed or typed into (a box and its button are one), words, and
# where what needs action begins and how high its items are.
COUNTED = """() => {
    const main = document.querySelector('[data-testid=stMain]');
    const isShown = (at) => {
        const box = at.getBoundingClientRect();
        return box.width > 1 && box.height > 1 && at.checkVisibility({ visibilityProperty: true });
    };
    const kinds = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]';
    const box = '[data-testid=stMultiSelect], [data-testid=stSelectbox], [class*=st-key-day-]';
    const controls = [...new Set([...main.querySelectorAll(kinds)].filter(isShown).map((at) => at.closest(box) ?? at))];
    const first = document.querySelector('.pd-verdict p').getBoundingClientRect().top;
    const name = (at) => at.innerText || at.getAttribute('aria-label') || at.outerHTML.slice(0, 80);
    const words = [], walk = document.createTreeWalker(main, NodeFilter.SHOW_TEXT), range = document.createRange();
    while (walk.nextNode()) {
        const at = walk.currentNode, isMark = at.parentElement.closest('style, script, [data-testid=stIconMaterial]');
        range.selectNodeContents(at);
        const { width, height } = range.getBoundingClientRect();
        if (!isMark && width > 1 && height > 1 && isShown(at.parentElement))
            words.push(...at.nodeValue.split(/\\s+/).filter(Boolean));
    }
    return {
        before: controls.filter((at) => at.getBoundingClientRect().top < first).map(name),
        controls: controls.map(name),
        words,
        action: document.querySelector('.st-key-needs-action').getBoundingClientRect().top,
        items: [...document.querySelectorAll('.pd-actions li')].map((item) => ({
            lines: Math.floor(item.clientHeight / parseFloat(getComputedStyle(item.querySelector('a')).lineHeight)),
            isCut: [...item.querySelectorAll('*')].some((at) => at.scrollWidth > at.clientWidth + 1),
            said: [...item.children].filter(isShown).map((at) => at.className),
            bottom: item.getBoundingClientRect().bottom,
            words: item.innerText,
        })),
    };
}"""


@pytest.fixture(scope="module", params=text.LANGUAGES)
def first(request: pytest.FixtureRequest, address: str, chromium: Browser) -> Iterator[front.Visit]:
    """The first page of a language, opened once for all tests of it."""
    lang = {"lang": request.param} if request.param == "en" else {}
    with front.visit(chromium, address, lang=request.param) as reader:
        reader.page.set_viewport_size({"width": 1440, "height": SCREEN})
        reader.go("", **lang).drawn_charts()
        yield reader


def sized(reader: front.Visit, width: int, height: int) -> front.Visit:
    """The open page in a window of this size."""
    reader.page.set_viewport_size({"width": width, "height": height})
    reader.settle().drawn_charts()
    return reader


def test_the_first_screen_shows_little_and_what_needs_action_on_it(first: front.Visit) -> None:
    found = sized(first, 1440, SCREEN).page.evaluate(COUNTED)
    # Tools, PDF, news, find, language; place, day, more.
    assert len(found["before"]) <= 8, found["before"]
    assert len(found["controls"]) <= 45, found["controls"]
    # As if all kinds of items had come up, each with as much to say as the longest of these.
    said = [len(item["words"].split()) for item in found["items"]]
    assert len(found["words"]) - sum(said) + needs_action.MOST * max(said) <= MOST_WORDS, " ".join(found["words"])
    assert found["action"] < 700
    assert found["items"]
    assert all(item["lines"] == 1 and not item["isCut"] for item in found["items"]), found["items"]
    # What is to be done, who and by when; a clause that says both stands alone.
    assert all(item["said"] in (["", "pd-who", "pd-when"], ["", "pd-who"]) for item in found["items"]), found["items"]
    assert found["items"][-1]["bottom"] <= SCREEN


def test_the_first_screen_says_where_we_stand_without_scrolling(first: front.Visit) -> None:
    def box(part: str, at: int = 0) -> dict[str, float]:
        found: dict[str, float] = (
            first.page.locator(part).nth(at).evaluate("(one) => one.getBoundingClientRect().toJSON()")
        )
        return found

    sized(first, 1440, SCREEN)
    for part in (".pd-verdict", ".pd-progress", ".st-key-panels"):
        assert box(part)["bottom"] <= SCREEN, part
    sized(first, 390, 844)
    assert box(".pd-verdict p")["y"] + 24 <= 400, "the first number within 400 px"
    assert box(".pd-progress")["bottom"] <= 844
    assert box(".pd-sentence", -1)["bottom"] <= 2 * 844, "each sentence on the first two screens"


def test_the_panels_of_the_first_screen_are_level_and_name_provinces_but_on_a_phone(first: front.Visit) -> None:
    for width in (390, 1280, 1440):
        page = sized(first, width, SCREEN).page
        # Without enough institutes nothing is said of training; Growth has a sentence more below its picture.
        for part, least in ((".pd-number-row", 3), (".pd-sentence", 2)):
            tops = page.locator(f".pd-panel {part}").evaluate_all(
                "(all) => all.map((one) => Math.round(one.getBoundingClientRect().top))"
            )
            assert len(tops) >= least
            assert len({*tops}) == (len(tops) if width == 390 else 1), width
        files = page.locator(".st-key-panels [class*=st-key-files-] [data-testid=stPopoverButton]")
        assert [each.is_visible() for each in files.all()] == [True] * 3, width
        words = page.locator(".st-key-panel-coverage .geolayer text").all_text_contents()
        assert any(re.search("[A-Za-zآ-ی]{2}", word) for word in words) == (width > 390), width
