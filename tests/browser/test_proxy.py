"""Chromium through nginx under a path: charts, links, files and pictures, copying and presenting.

tests/browser/test_every_part.py opens every part through nginx at the root, tests/access/test_sign_in.py fetches files there.
"""

import base64
import csv
import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Browser, expect

from tests.browser import app as front
from tests.serving import Served
from ui.i18n import text

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(
        not (shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/sbin")),
        reason="nginx is not installed (apt-get install nginx-light)",
    ),
]


@pytest.fixture(scope="module")
def served(small_register: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    run = tmp_path_factory.mktemp("proxy")
    base = {"POLICEYAR_WEB_BASE_PATH": "/statistics/assistants", "POLICEYAR_PUBLICATION_CITATION": "Register"}
    with Served(run, WAREHOUSE=str(small_register), **base) as running:
        yield running


def _address(served: Served) -> str:
    return served.origin + served.base


def test_find_opens_by_its_key_and_leads_to_a_page_under_the_same_path(served: Served, chromium: Browser) -> None:
    address = _address(served)
    with front.visit(chromium, address) as reader:
        reader.watch_console()
        reader.go(front.BETWEEN)
        page = reader.page
        field, options = (
            page.locator("dialog.pd-finder[open] input"),
            page.locator("dialog.pd-finder[open] [role=option]"),
        )
        page.keyboard.press("Control+k")
        expect(field).to_be_focused()
        page.keyboard.type("آموزش تهران")
        expect(field).not_to_have_attribute("aria-busy", "true")
        expect(options.first).to_contain_text("تهران")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        reader.settle()
        assert page.url == address + "/training?province=IR-23"
        assert page.locator(".pd-value").first.inner_text().strip()
        assert page.locator(".pd-error, [data-testid=stException]").count() == 0
        assert reader.strangers() == []
        assert reader.failures == []


def test_under_a_path_the_menu_and_links_work_and_figures_are_drawn_presented_copied_and_leave_as_files_and_pictures(
    served: Served, chromium: Browser, tmp_path: Path
) -> None:
    """One walk in both languages, through nginx."""
    with front.visit(chromium, _address(served)) as reader:
        page = reader.watch_console().page
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        # Without a slash at the end.
        page.goto(_address(served) + "?lang=en")
        reader.settle()
        assert page.url.startswith(_address(served) + "/?lang=en")
        page.locator('[data-testid="stSidebarNavLink"]', has_text="Coverage").first.click()
        page.wait_for_url("**/coverage?**")
        assert max(reader.settle().drawn_charts()) >= 31
        present(reader, "ArrowRight", "ArrowLeft")
        copy_picture_link_and_citation(reader)
        page_leaves_with_its_pictures(reader, tmp_path / "page.xlsx")

        page.locator(".pd-switch a[hreflang=fa]").click()
        page.wait_for_selector("html[lang=fa]", state="attached")
        assert reader.settle().drawn_charts()
        assert page.url.startswith(_address(served) + "/coverage")
        present(reader, "ArrowLeft", "ArrowRight")
        figure_leaves_as_file_and_picture(reader)
        assert page.locator(".pd-error, [data-testid=stException]").count() == 0
        assert reader.strangers() == []
        assert reader.failures == []


def figure_leaves_as_file_and_picture(reader: front.Visit) -> None:
    ident = "chart_of-ranking-active_assistants-province"
    assert reader.go("explore", m="active_assistants").drawn_charts()
    reader.page.locator(f".st-key-files-{ident} button").click()
    reader.settle()
    with reader.page.expect_download() as waiting:
        reader.page.get_by_role("link", name="CSV").first.click()
    written = Path(waiting.value.path()).read_bytes().decode("utf-8-sig")
    assert len(list(csv.DictReader(io.StringIO(written)))) == 31
    reader.page.locator(f".st-key-picture-button-{ident} button").click()
    save = reader.page.locator("[role=dialog]").get_by_role("button", name="دریافت تصویر نمودار").last
    save.wait_for(state="attached")
    reader.page.wait_for_timeout(1500)
    with reader.page.expect_download() as waiting:
        save.focus()
        reader.page.keyboard.press("Enter")
    assert Path(waiting.value.path()).read_bytes().startswith(b"\x89PNG")


def present(reader: front.Visit, ahead: str, back: str) -> None:
    """Present the figures of the open page one by one, with these keys for the next and the one before."""
    shown = reader.page.locator("[data-presented]")
    reader.open_tools().page.locator(".pd-switch .pd-present").click()
    first = shown.get_attribute("class")
    assert shown.locator(".pd-plot .main-svg").first.is_visible()
    for key, is_first in ((ahead, False), (back, True), (back, True)):
        reader.page.keyboard.press(key)
        assert shown.count() == 1
        assert (shown.get_attribute("class") == first) == is_first, key
    reader.page.keyboard.press("Escape")
    reader.page.wait_for_selector("[data-presented]", state="detached")
    assert reader.page.locator(".pd-presented-note").count() == 0


def page_leaves_with_its_pictures(reader: front.Visit, to: Path) -> None:
    reader.open_tools("page-files")
    reader.page.get_by_text(text.word("book.pictures", "en"), exact=True).click()
    # The button stands there until the pictures are asked for.
    reader.settle()
    make = reader.page.locator(".st-key-make-xlsx-book button")
    make.wait_for(timeout=180_000)
    make.click()
    button = reader.page.locator(".st-key-xlsx-book button")
    button.wait_for(timeout=front.FILE_PATIENCE)
    reader.settle()
    with reader.page.expect_download(timeout=180_000) as waiting:
        button.click()
    waiting.value.save_as(to)
    assert any(sheet._images for sheet in openpyxl.load_workbook(to).worksheets)
    reader.page.keyboard.press("Escape")


def copy_picture_link_and_citation(reader: front.Visit) -> None:
    """Copy each by its button, in English, and read the clipboard."""
    reader.page.locator("[class*=st-key-files-] button").first.click()
    reader.settle()
    copy = reader.page.locator(".pd-copy-picture").first
    copy.click()
    copy.locator("xpath=following-sibling::*[1]").filter(has_text=text.word("more.copied_picture", "en")).wait_for()
    picture = reader.page.evaluate(
        """async () => {
            const [item] = await navigator.clipboard.read(), blob = await item.getType("image/png");
            return btoa(String.fromCharCode(...new Uint8Array(await blob.slice(0, 24).arrayBuffer())));
        }"""
    )
    head = base64.b64decode(picture)
    assert head.startswith(b"\x89PNG")
    assert int.from_bytes(head[16:20]) >= 1000
    reader.page.keyboard.press("Escape")
    reader.open_tools().page.locator(".st-key-copy-link .pd-copy").click()
    reader.page.locator(".st-key-copy-link .pd-copy + *").filter(has_text=re.compile(r"\S")).wait_for()
    assert reader.page.evaluate("navigator.clipboard.readText()") == reader.page.url
    reader.page.keyboard.press("Escape")
    reader.page.locator(".pd-trust .pd-copy").click()
    reader.page.locator(".pd-trust .pd-copy + *").filter(has_text=re.compile(r"\S")).wait_for()
    told = reader.page.evaluate("navigator.clipboard.readText()")
    assert "Register" in told
    assert told in reader.page.locator(".pd-trust").inner_text()
