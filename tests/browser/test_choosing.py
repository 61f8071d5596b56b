"""Boxes offer the best fit first, small boxes open where there is room, and print waits for every chart."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.browser import app as front
from tests.effort import draws
from ui.i18n import text

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_OPTIONS = "[role=option]"
_INVISIBLE = re.compile("[\u2063\u2066-\u2069]")


def offered(reader: front.Visit, box: str, typed: str) -> list[str]:
    """What a box offers for what is typed into it."""
    field = reader.page.locator(f"{box} input[role=combobox]").first
    field.click()
    field.fill(typed)
    reader.settle()
    return [_INVISIBLE.sub("", name).strip() for name in reader.page.locator(_OPTIONS).all_inner_texts()]


MEASURES = (
    ("پایبندی آموزشی ضابطان", 1),
    ("پایبندی آموزشی", 0),
    ("سهم پایبندی آموزشی", 2),
    ("ناپایبندی آموزشی", 3),
    ("آموزشی که پایبندی است", 4),
)


def test_the_name_itself_comes_first_then_beginnings_then_words_then_what_holds_it(
    address: str, chromium: Browser
) -> None:
    with front.visit(chromium, address) as reader:
        reader.go(front.BETWEEN)

        def fits(typed: str, labels: list[str]) -> list[str]:
            options = json.dumps([{"label": label} for label in labels], ensure_ascii=False)
            found: list[dict[str, str]] = reader.page.evaluate(f"readerOffered({options}, {json.dumps(typed)})")
            return [option["label"] for option in found]

        labels = [label for label, _ in MEASURES]
        best_first = [label for label, _ in sorted(MEASURES, key=lambda pair: pair[1])]
        assert fits("پایبندی آموزشی", labels) == best_first
        # In letters of an Arabic keyboard, with a half space, with marks.
        assert fits("پايبندى\u200cآموزشي", labels) == best_first
        # Beside its count a name is still the name itself, and a digit is a digit.
        assert fits("قم", ["قم نو (۱)", "قمصر (۹)", "قم (۱٬۲۰۳)"])[0] == "قم (۱٬۲۰۳)"
        assert fits("۱۲", ["سال 12", "12"]) == ["12", "سال 12"]
        assert fits("kashan", ["Ardakan", "New Kashan", "Kashan County"]) == ["Kashan County", "New Kashan"]
        assert fits("ناکجاآباد", labels) == []
        # Those that only somebody who types is offered.
        assert fits("", ["الف", "\u2063ب"]) == ["الف"]
        assert fits("ب", ["الف", "\u2063ب"]) == ["\u2063ب"]


def test_enter_takes_the_measure_whose_name_was_typed(address: str, chromium: Browser) -> None:
    with front.visit(chromium, address) as reader:
        reader.go("explore")
        page = reader.page
        assert offered(reader, ".st-key-explore-bar", "پایبندی آموزشی")[0] == "پایبندی آموزشی"
        page.locator(".st-key-explore-bar input[role=combobox]").first.press("Enter")
        reader.settle()
        assert "m=training_compliance" in page.url


def test_small_boxes_open_where_there_is_room(address: str, chromium: Browser) -> None:
    with front.visit(chromium, address) as reader:
        reader.page.set_viewport_size({"width": 1440, "height": 900})
        reader.go("")
        page = reader.page
        opened = 0
        for button in page.locator('.st-key-panels [data-testid="stPopoverButton"]').all():
            place = button.bounding_box()
            if not place or place["y"] > 880:
                continue
            button.click()
            box = page.locator('[data-testid="stPopoverBody"]')
            box.wait_for()
            reader.settle()
            size, needed = box.bounding_box(), box.evaluate("(box) => box.scrollHeight")
            assert size
            assert size["height"] >= min(320, needed - 2), "free below or above"
            assert size["y"] >= 0
            assert size["y"] + size["height"] <= 900
            page.keyboard.press("Escape")
            box.wait_for(state="detached")
            opened += 1
        assert opened >= 6


@contextmanager
def base_map_held(page: Page) -> Iterator[list[Route]]:
    """Base maps are not answered until the routes in the list go on."""
    held: list[Route] = []
    page.route("**/static/map/*.json", lambda route: held.append(route))
    yield held
    page.unroute_all()


@pytest.mark.parametrize(
    ("lang", "typed", "county"),
    [("fa", "كاشان", "شهرستان کاشان"), ("en", "kashan", "Kashan County")][: draws(1, 2)],
)
def test_a_county_typed_among_the_provinces_is_offered_as_a_county(
    lang: str, typed: str, county: str, address: str, chromium: Browser
) -> None:
    with front.visit(chromium, address, lang=lang) as reader:
        reader.go("register", **({"lang": "en"} if lang == "en" else {}))
        page, bar = reader.page, ".st-key-scope-bar"
        page.locator(f"{bar} input[role=combobox]").first.click()
        page.locator(_OPTIONS).first.wait_for()
        unasked = page.locator(_OPTIONS).all_inner_texts()
        assert unasked
        assert not [name for name in unasked if "\u2063" in name]
        page.keyboard.press("Escape")
        first = offered(reader, bar, typed)[0]
        assert first.startswith(county)
        page.locator(f"{bar} input[role=combobox]").first.press("Enter")
        reader.settle()
        assert "county=1010" in page.url
        assert "province=" not in page.url
        assert county.removesuffix(" County").split()[-1] in reader.said


def test_print_waits_until_every_chart_is_drawn_and_the_menu_of_the_browser_says_what_is_missing(
    address: str, chromium: Browser
) -> None:
    def printed() -> str:
        paper = page.pdf(format="A4")
        return subprocess.run(["pdftotext", "-", "-"], input=paper, capture_output=True, check=True).stdout.decode()

    with front.visit(chromium, address, lang="en") as reader:
        page = reader.page
        with base_map_held(page) as held:
            with page.expect_request("**/static/map/*.json"):
                page.goto(f"{address}/?lang=en")
            reader.settle()
            page.evaluate("() => { window.printed = 0; window.print = () => { window.printed += 1; }; }")
            waiting = page.locator(".pd-plot[aria-busy=true]:not([data-drawn])")
            waiting.first.wait_for(state="attached")
            assert held
            colour = waiting.first.evaluate("(plot) => getComputedStyle(plot).backgroundColor")
            assert colour not in ("rgba(0, 0, 0, 0)", "transparent"), "a pale box, no empty frame"
            page.keyboard.press("Control+p")
            reader.open_tools().page.locator(".pd-print").click()
            # Print looks ten times a second whether all is drawn.
            page.wait_for_timeout(300)
            assert page.evaluate("window.printed") == 0
            assert text.word("state.undrawn", "en") in printed()
            for route in held.copy():
                route.continue_()
            page.wait_for_function("window.printed == 2")
        assert page.locator(".pd-plot[aria-busy=true]").count() == 0
        assert reader.drawn_charts()[0], "the map has its areas"
        assert text.word("state.undrawn", "en") not in printed()
        reader.open_tools().page.locator(".pd-print").click()
        page.wait_for_function("window.printed == 3")
