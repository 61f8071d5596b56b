"""The drop zone of a submission: where each file is sent, with which number, and what is said of one that cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route

from etl.core.paths import ROOT
from etl.submissions.records import File, Submission
from tests.submissions.conftest import LAST
from ui.i18n import text
from ui.sections import hand_in
from ui.state.page_context import PageContext
from ui.state.scope import Scope

pytestmark = [pytest.mark.browser, pytest.mark.slow]
_MOUNT = """async (told) => {
    const { default: mount } = await import("/handin.js");
    mount({ parentElement: document.body, data: told, setTriggerValue: () => {} });
}"""
# A file as the browser gives what is dropped, read when `read` is called, or refused with a word of the browser.
_DROP = """([name, isReadable]) => {
    const file = (done, fail) => {
        globalThis.read = () => (isReadable ? done(new File(["a"], name)) : fail(new DOMException("NotFoundError")));
    };
    const dataTransfer = { items: [{ webkitGetAsEntry: () => ({ isFile: true, file }) }], files: [] };
    document.querySelector(".pd-drop").ondrop({ preventDefault: () => {}, dataTransfer });
}"""
_FREE = "[aria-disabled=false] ~ ul:has(li)"


def told(monkeypatch: pytest.MonkeyPatch, files: dict[int, str] | None, province: str = "IR-07") -> str:
    """What the page tells the script of the zone about a draft with these files, or about a province without a draft."""
    given: list[bytes] = []
    monkeypatch.setattr(hand_in, "component", lambda _: lambda data, **_more: given.append(data))
    kept = tuple(File(number, name, "", 1, 0.0) for number, name in (files or {}).items())
    draft = Submission(f"{province}-1405-08-1", province, LAST, files=kept) if files is not None else None
    clerk: Any = SimpleNamespace(provinces=("IR-07", "IR-10"))
    hand_in._drop(PageContext(Scope(date(2026, 11, 21), lang="en"), has_period=False), clerk, draft, province, LAST)
    return given[0].decode()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page that has the script of the zone; each test answers what the script asks."""
    page = chromium.new_page()
    page.route(
        "**/handin.js", lambda route: route.fulfill(path=ROOT / "static" / "handin.js", content_type="text/javascript")
    )
    page.route("http://policeyar.test/", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
    page.goto("http://policeyar.test/")
    yield page
    page.close()


def test_a_file_is_sent_in_place_of_that_of_its_name_alone(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, str]] = []

    def answer(route: Route) -> None:
        url = urlsplit(route.request.url)
        sent.append((url.path.rpartition("/")[2], parse_qs(url.query)["name"][0]))
        # The first is lost on its way.
        route.fulfill(status=204 if len(sent) > 1 else 500)

    page.route("**/hand-in/**", answer)
    page.evaluate(_MOUNT, told(monkeypatch, {1: "institutes.csv", 3: "personnel.csv"}))
    for names in (["institutes.csv", "licences.csv", "training.csv"], ["institutes.csv"]):
        files: Any = [{"name": name, "mimeType": "text/csv", "buffer": b"a"} for name in names]
        page.locator("input").set_input_files(files)
        page.locator(f"{_FREE}:has(li:nth-child({len(names)}))").wait_for()
    expected = [("1", "institutes.csv"), ("2", "licences.csv"), ("4", "training.csv"), ("1", "institutes.csv")]
    assert sent == expected


def test_nothing_is_taken_while_a_folder_is_read(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []

    def answer(route: Route) -> None:
        sent.append(parse_qs(urlsplit(route.request.url).query)["name"][0])
        route.fulfill(status=204)

    page.route("**/hand-in/**", answer)
    page.evaluate(_MOUNT, told(monkeypatch, {}))
    page.evaluate(_DROP, ["first.csv", True])
    page.evaluate("void (globalThis.first = globalThis.read)")
    page.evaluate(_DROP, ["second.csv", True])
    assert page.evaluate("globalThis.read === globalThis.first"), "the second is not read"
    page.evaluate("globalThis.read()")
    page.locator(_FREE).wait_for()
    assert sent == ["first.csv"]


def test_what_cannot_be_read_or_reached_is_said_in_the_words_of_the_page(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.route("**/hand-in?*", lambda route: route.abort())
    page.evaluate(_MOUNT, told(monkeypatch, None))
    for is_readable in (False, True):
        page.evaluate(_DROP, ["first.csv", is_readable])
        page.evaluate("globalThis.read()")
        page.locator(_FREE).wait_for()
        assert page.locator("li").all_inner_texts() == [text.word("hand_in.drop_failed", "en")]


def test_files_on_their_way_leave_no_trace_on_the_province_that_is_chosen_meanwhile(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[str, Route]] = []
    sent: list[str] = []

    def put(route: Route) -> None:
        sent.append(urlsplit(route.request.url).path)
        route.fulfill(status=500)

    def open_draft() -> None:
        province, route = opened[-1]
        route.fulfill(json={"draft": f"{province}-1405-08-1"})
        page.locator(_FREE).wait_for()

    page.route("**/hand-in?*", lambda route: opened.append((route.request.post_data_json["province"], route)))
    page.route("**/hand-in/**", put)
    page.evaluate(_MOUNT, told(monkeypatch, None))
    for _ in ("IR-07", "IR-10"):
        with page.expect_request("**/hand-in?*"):
            page.evaluate(_DROP, ["first.csv", True])
            page.evaluate("globalThis.read()")
        page.evaluate(_MOUNT, told(monkeypatch, None, "IR-10"))
        open_draft()
    assert [province for province, _ in opened] == ["IR-07", "IR-10"]
    assert sent == ["/hand-in/IR-07-1405-08-1/1", "/hand-in/IR-10-1405-08-1/1"]
