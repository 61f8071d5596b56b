"""In a browser: buttons and list offer the books, and the events of a trend can be reached by keyboard."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import app as front
from ui.briefing import command, writing
from ui.i18n import member_names, text

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# More steps of the Tab key than a page has.
MOST_STEPS = 200


def test_books_are_fetched_by_button_and_from_the_list_and_events_by_keyboard(
    pointer: Path, press: writing.Press, chromium: Browser, tmp_path: Path
) -> None:
    books = {place: press.pdf(press.writer(place, "fa")) for place in ("IR", "IR-11")}
    to = tmp_path / "written.pdf"
    assert command.main(["brief", "--from", str(pointer), "--province", "IR-11", "--lang", "en", "--to", str(to)]) == 0
    with front.served(pointer) as address, front.visit(chromium, address) as reader:

        def download(button: str, within: str = "body") -> bytes:
            with reader.page.expect_download(timeout=180_000) as waiting:
                reader.page.locator(within).get_by_role("button", name=button, exact=True).click()
            return Path(waiting.value.path()).read_bytes()

        make, take = (text.word(f"briefing.{key}", "fa") for key in ("make", "take"))
        for place, scope in (("IR", {}), ("IR-11", {"province": "IR-11"})):
            reader.go("", **scope).page.locator(".st-key-briefing button").first.click()
            reader.settle()
            assert download(make) == books[place]
            reader.page.keyboard.press("Escape")
            # A dialog that still closes would bring its page back.
            reader.page.get_by_role("dialog").wait_for(state="detached")
            reader.settle()
        reader.go("approve")
        assert member_names.of("province", "IR-11", "fa") in reader.page.locator(".st-key-briefing-0").inner_text()
        assert download(take, ".st-key-briefing-0") == to.read_bytes()

        reader.go("growth").drawn_charts()
        event_list = reader.page.locator("ol.pd-note").first
        assert "طرح آموزش استان" in event_list.inner_text()
        labels = reader.page.locator(".js-plotly-plot .annotation-text").all_text_contents()
        assert {"۱", "۲", "۳"} <= {number.strip("\u2066\u2067\u2069") for number in labels}
        for _ in range(MOST_STEPS):
            reader.page.keyboard.press("Tab")
            if reader.page.evaluate("document.activeElement.matches('ol.pd-note')"):
                break
        else:
            pytest.fail("the events of a trend are not reached by keyboard")
        assert reader.failures == []
        assert reader.strangers() == []
