"""A number is followed, its news read and the follow removed, with the keyboard alone."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser import app as front
from ui.i18n import text

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AXE = (Path(__file__).parents[1] / "axe.min.js").read_text(encoding="utf-8")
# So many stops of Tab a reader goes through at most, from one part of a dialog to the next or from the head of a page.
MOST_STOPS = 25


def go_to(reader: front.Visit, wanted: Locator) -> None:
    """Press Tab until something has the focus."""
    for _ in range(MOST_STOPS):
        reader.page.keyboard.press("Tab")
        if wanted.evaluate("one => one === document.activeElement"):
            return
    pytest.fail(f"not reached by {MOST_STOPS} stops: {wanted}")


def press(reader: front.Visit, wanted: Locator) -> None:
    go_to(reader, wanted)
    reader.page.keyboard.press("Enter")
    reader.settle()


def faults(reader: front.Visit) -> list[tuple[str, str]]:
    """What axe finds wrong with the open dialog."""
    reader.page.evaluate(AXE)
    found = reader.page.evaluate("axe.run('[role=dialog]', {resultTypes: ['violations']})")
    return [(one["id"], one["nodes"][0]["html"][:200]) for one in found["violations"]]


@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_a_number_is_followed_and_its_news_is_reached_by_keyboard(lang: str, address: str, chromium: Browser) -> None:
    with front.visit(chromium, address) as reader:
        page = reader.go("training", anew=True, lang=lang).page
        bell, dialog = page.locator(".st-key-news button"), page.locator("[role=dialog]").last
        press(reader, bell)
        dialog.get_by_text(text.word("follow.nothing", lang)).wait_for()
        assert faults(reader) == []
        page.keyboard.press("Escape")
        expect(page.locator("[role=dialog]")).to_have_count(0)
        expect(bell).to_be_focused()

        page.locator("[class*=st-key-what-] button").first.focus()
        page.keyboard.press("Enter")
        reader.settle()
        press(reader, page.locator("[class*=st-key-follow-] button").first)
        go_to(reader, dialog.locator(".st-key-follow-number input"))
        page.keyboard.type(text.percent(0.4, lang))
        page.keyboard.press("Enter")
        page.locator(".st-key-follow-start button").wait_for()
        press(reader, page.locator(".st-key-follow-start button"))
        dialog.get_by_text(text.word("follow.started", lang)).wait_for()
        assert faults(reader) == []
        page.keyboard.press("Escape")

        reader.go("training", anew=True, lang=lang)
        press(reader, bell)
        press(reader, dialog.locator("[class*=st-key-follow-remove-] button").first)
        dialog.get_by_text(text.word("follow.nothing", lang)).wait_for()
        assert reader.failures == []
