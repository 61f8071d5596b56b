"""Every page in Chromium through nginx, at the root of the host, draws the charts of a direct visit; under a path some do.

The proxy knows nothing of languages: the pages are compared in Persian.
"""

import csv
import io
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage

from pages.ui.i18n import text
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

PAGES = [entry["page"] for entry in text.menu()]
PATH = "/statistics/assistants"
# For every chart drawn: its text alternative, and the number of areas of a map.
_DRAWN = """() => [...document.querySelectorAll('.pd-plot')]
    .filter((plot) => plot.querySelector('.main-svg'))
    .map((plot) => `${plot.getAttribute('aria-label')} ${plot.querySelectorAll('.choroplethlayer path').length}`)"""
# A map gets its provinces some time after the rest of its chart.
_ALL_DRAWN = """() => [...document.querySelectorAll('.pd-plot')].every((plot) => {
    const graphs = [plot, ...plot.querySelectorAll('.js-plotly-plot')];
    const isMap = graphs.some((graph) => (graph.data || []).some((trace) => trace.type === 'choropleth'));
    return !plot.clientWidth || plot.querySelector(isMap ? '.choroplethlayer path' : '.main-svg');
})"""


@pytest.fixture(scope="module", params=["", PATH], ids=["root", "path"])
def served(
    request: pytest.FixtureRequest, small_register: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    run = tmp_path_factory.mktemp("proxy")
    with Served(run, WAREHOUSE=str(small_register), POLICEYAR_WEB_BASE_PATH=request.param) as running:
        yield running


@pytest.fixture(scope="module")
def directly(address: str, chromium: Browser) -> Iterator[Callable[[str], list[str]]]:
    """The charts of a page as they are drawn without a proxy."""
    with front.visit(chromium, address) as reader:
        yield cache(lambda name: _drawn(reader.go(name)))


@pytest.fixture(scope="module")
def behind(served: Served, chromium: Browser) -> Iterator[front.Visit]:
    """A reader who goes from page to page through the proxy."""
    with front.visit(chromium, _address(served)) as reader:
        _watch(reader)
        yield reader


def _drawn(reader: front.Visit) -> list[str]:
    reader.page.wait_for_function(_ALL_DRAWN, timeout=40_000)
    return reader.page.evaluate(_DRAWN)


def _address(served: Served) -> str:
    return served.origin + served.base


def _watch(reader: front.Visit) -> None:
    """Add errors of the browser's console to the failures of a visit, above all violations of the content security policy."""

    def note(message: ConsoleMessage) -> None:
        # A preloaded library that is used some seconds later shows a slow machine only.
        told = message.type in ("error", "warning") and "link preload" not in message.text
        if told and not message.location["url"].endswith(front.PROBES):
            reader.failures.append(f"{message.type}: {message.text}")

    reader.page.on("console", note)


@pytest.mark.parametrize(
    ("served", "name"),
    [("", name) for name in PAGES] + [(PATH, name) for name in ("overview", "explore")],
    indirect=["served"],
)
def test_a_page_draws_through_the_proxy_what_it_draws_directly(
    name: str, behind: front.Visit, directly: Callable[[str], list[str]]
) -> None:
    behind.forget().go(name)
    assert _drawn(behind) == directly(name)
    behind.page.wait_for_load_state("networkidle")
    assert behind.page.locator(".pd-error, [data-testid=stException]").count() == 0
    assert behind.strangers() == []
    assert behind.failures == []


def test_the_comparison_is_of_charts_and_of_a_map(directly: Callable[[str], list[str]]) -> None:
    drawn = {name: directly(name) for name in PAGES}
    assert sum(map(len, drawn.values())) > 2 * len(PAGES)
    assert any(int(chart.rsplit(" ", 1)[1]) >= 31 for chart in drawn["coverage"])


def test_the_host_alone_and_the_path_without_a_slash_lead_to_the_dashboard(served: Served, chromium: Browser) -> None:
    with front.visit(chromium, _address(served)) as reader:
        _watch(reader)
        reader.page.goto(_address(served) + "?lang=en")
        reader.settle()
        assert reader.page.url.startswith(_address(served) + "/?lang=en")
        assert reader.failures == []


def test_the_menu_and_the_links_stay_under_the_path(served: Served, chromium: Browser) -> None:
    with front.visit(chromium, _address(served)) as reader:
        _watch(reader)
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
        _watch(reader)
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
