"""In a browser: how much stands on a page."""

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


@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_the_first_screen_shows_little_and_what_needs_action_on_it(lang: str, address: str, chromium: Browser) -> None:
    with front.visit(chromium, address, lang=lang) as reader:
        reader.page.set_viewport_size({"width": 1440, "height": SCREEN})
        reader.go("", **({"lang": lang} if lang == "en" else {})).drawn_charts()
        found = reader.page.evaluate(COUNTED)
        # Tools, PDF, find, language; place, day, more.
        assert len(found["before"]) <= 7, found["before"]
        assert len(found["controls"]) <= 45, found["controls"]
        # As if all kinds of items had come up, each with as much to say as the longest of these.
        said = [len(item["words"].split()) for item in found["items"]]
        assert len(found["words"]) - sum(said) + needs_action.MOST * max(said) <= MOST_WORDS, " ".join(found["words"])
        assert found["action"] < 700
        assert found["items"]
        assert all(item["lines"] == 1 and not item["isCut"] for item in found["items"]), found["items"]
        # What is to be done, who and by when; a clause that says both stands alone.
        assert all(item["said"] in (["", "pd-who", "pd-when"], ["", "pd-who"]) for item in found["items"]), found[
            "items"
        ]
        assert found["items"][-1]["bottom"] <= SCREEN


def test_two_words_stand_below_a_figure(address: str, chromium: Browser) -> None:
    with front.visit(chromium, address) as reader:
        reader.go("coverage").drawn_charts()
        for below in reader.page.locator(".st-key-figure-by_province [class*=st-key-footer-]").all():
            words = [button.inner_text().partition("\n")[0] for button in below.get_by_role("button").all()]
            assert words == [text.word("figure.what", "fa"), text.word("figure.files", "fa")]
