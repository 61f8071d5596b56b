"""The files of a figure are links: by click, by keyboard and on a phone; its picture by address is that of the page."""

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Download, Locator

from etl.operations import programs
from tests.browser import app as front
from tests.effort import draws
from ui.i18n import text

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def opened(reader: front.Visit, ident: str) -> Locator:
    """The files of a figure, opened."""
    reader.page.locator(f".st-key-files-{ident} button").click()
    reader.settle()
    return reader.page.get_by_test_id("stPopoverBody")


@contextmanager
def fetched(reader: front.Visit) -> Iterator[list[Download]]:
    found: list[Download] = []
    with reader.page.expect_download(timeout=front.FILE_PATIENCE) as waiting:
        yield found
    found.append(waiting.value)


def rows(file: Download) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(Path(file.path()).read_bytes().decode("utf-8-sig"))))


@pytest.mark.skipif(not programs.browser(), reason="Chromium is not installed (apt-get install chromium)")
def test_the_picture_by_address_is_that_of_the_page(address: str, chromium: Browser) -> None:
    ident = "by_province"
    with front.visit(chromium, address) as reader:
        reader.go("training").drawn_charts()
        reader.page.locator(f".st-key-figure-{ident} .pd-plot .main-svg").first.wait_for()
        opened(reader, ident)
        reader.page.locator(f".st-key-picture-button-{ident} button").click()
        dialog = reader.page.locator("[role=dialog]")
        dialog.get_by_text("SVG", exact=True).click()
        shown = dialog.locator(f".st-key-picture-{ident}-svg")
        shown.locator(".main-svg").first.wait_for()
        button = shown.get_by_role("button", name=re.compile("^دریافت تصویر نمودار"))
        with fetched(reader) as found:
            button.focus()
            reader.page.keyboard.press("Enter")
        by_address = reader.page.request.get(f"{address}/data/training/{ident}.svg", timeout=front.FILE_PATIENCE)
        assert by_address.ok, by_address.text()
        of_page = Path(found[0].path()).read_text(encoding="utf-8")
        assert _plain(by_address.text()) == _plain(of_page)


def _plain(svg: str) -> str:
    """A picture without the names that Plotly draws by lot."""
    names = dict.fromkeys(re.findall(r"(?:topdefs-|defs-|clip|clips|id=\"g|trace)([0-9a-f]{6})", svg))
    for at, name in enumerate(names):
        svg = svg.replace(name, f"name{at}")
    return svg


@pytest.mark.parametrize(("lang", "width"), [("en", 390), ("fa", 1440)][: draws(1, 2)])
def test_a_file_is_fetched_by_keyboard_and_the_page_stays(
    lang: str, width: int, address: str, chromium: Browser
) -> None:
    with front.visit(chromium, address, width=width, lang=lang) as reader:
        view = {"province": "IR-10"} | ({"lang": "en"} if lang == "en" else {})
        reader.go("training", **view).watch_console()
        files, shown, tabs = opened(reader, "by_place"), reader.page.url, len(reader.page.context.pages)
        links = files.get_by_role("link")
        labels = [text.word(f"more.{form}", lang) for form in ("csv", "xlsx", "parquet")]
        assert [name.strip() for name in links.all_inner_texts()[:3]] == labels
        # From one link to the next by keyboard, in the order of reading.
        links.first.focus()
        reader.page.keyboard.press("Tab")
        assert reader.page.evaluate("document.activeElement.innerText.trim()") == labels[1]
        reader.page.keyboard.press("Shift+Tab")
        with fetched(reader) as found:
            reader.page.keyboard.press("Enter")
        assert rows(found[0])
        assert found[0].suggested_filename.endswith("_000001.csv")
        files.get_by_text(text.word("figure.circulation", lang)).first.click()
        reader.settle()
        with fetched(reader) as rounded:
            files.get_by_role("link", name=labels[0], exact=True).click()
        assert text.word("file.rounded", lang) in rounded[0].suggested_filename
        counts = [int(row["trainable_assistants"]) for row in rows(rounded[0]) if row["trainable_assistants"]]
        assert counts
        assert all(count % 5 == 0 for count in counts)
        assert reader.page.url == shown
        assert len(reader.page.context.pages) == tabs, "no tab is left"
        assert reader.failures == []
