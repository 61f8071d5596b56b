"""Chromium through nginx under a path: charts, links, files and pictures.

tests/browser/test_every_part.py opens every part through nginx at the root, tests/access/test_sign_in.py fetches files there.
"""

import csv
import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import app as front
from tests.serving import Served

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
    with Served(run, WAREHOUSE=str(small_register), POLICEYAR_WEB_BASE_PATH="/statistics/assistants") as running:
        yield running


def _address(served: Served) -> str:
    return served.origin + served.base


def test_pages_under_a_path_draw_their_charts(served: Served, chromium: Browser) -> None:
    with front.visit(chromium, _address(served)) as reader:
        reader.watch_console()
        for name in ("coverage", "explore"):
            assert reader.go(name).drawn_charts(), name
            assert reader.page.locator(".pd-error, [data-testid=stException]").count() == 0
        assert reader.strangers() == []
        assert reader.failures == []


def test_the_host_alone_and_the_path_without_a_slash_lead_to_the_dashboard(served: Served, chromium: Browser) -> None:
    with front.visit(chromium, _address(served)) as reader:
        reader.watch_console()
        reader.page.goto(_address(served) + "?lang=en")
        reader.settle()
        assert reader.page.url.startswith(_address(served) + "/?lang=en")
        assert reader.failures == []


def test_the_menu_and_the_links_stay_under_the_path(served: Served, chromium: Browser) -> None:
    with front.visit(chromium, _address(served)) as reader:
        reader.watch_console()
        reader.go(lang="en")
        reader.page.locator('[data-testid="stSidebarNavLink"]', has_text="Coverage").first.click()
        reader.page.wait_for_url("**/coverage?**")
        reader.settle()
        reader.page.wait_for_selector(".pd-plot .choroplethlayer path")
        reader.page.locator(".pd-switch a[hreflang=fa]").click()
        reader.page.wait_for_selector("html[lang=fa]", state="attached")
        reader.settle()
        assert reader.page.url.startswith(_address(served) + "/coverage")
        assert reader.strangers() == []
        assert reader.failures == []


def test_files_and_pictures_leave_through_the_proxy(served: Served, chromium: Browser, tmp_path: Path) -> None:
    ident = "ranking--active_assistants-province"
    with front.visit(chromium, _address(served)) as reader:
        reader.watch_console()
        reader.go("explore")
        reader.page.locator(f".st-key-files-{ident} button").click()
        reader.settle()
        with reader.page.expect_download() as waiting:
            reader.page.get_by_role("button", name="CSV").first.click()
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
        assert reader.failures == []
