"""The drop zone of a submission: the number that each file is sent with."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Route

from etl.core.paths import ROOT
from etl.submissions.records import File, Submission
from tests.submissions.conftest import LAST
from ui.sections import hand_in
from ui.state.page_context import PageContext
from ui.state.scope import Scope

pytestmark = [pytest.mark.browser, pytest.mark.slow]
_MOUNT = """async (told) => {
    const { default: mount } = await import("/handin.js");
    mount({ parentElement: document.body, data: told, setTriggerValue: () => {} });
}"""


def told(monkeypatch: pytest.MonkeyPatch, files: dict[int, str]) -> str:
    """What the page tells the script of the zone about a draft with these files."""
    given: list[bytes] = []
    monkeypatch.setattr(hand_in, "component", lambda _: lambda data, **_more: given.append(data))
    kept = tuple(File(number, name, "", 1, 0.0) for number, name in files.items())
    draft = Submission("IR-07-1405-08-1", "IR-07", LAST, files=kept)
    clerk: Any = SimpleNamespace(provinces=("IR-07",))
    hand_in._drop(PageContext(Scope(date(2026, 11, 21), lang="en"), has_period=False), clerk, draft, "IR-07", LAST)
    return given[0].decode()


def test_a_file_is_sent_in_place_of_that_of_its_name_alone(chromium: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, str]] = []

    def answer(route: Route) -> None:
        url = urlsplit(route.request.url)
        if route.request.method == "PUT":
            sent.append((url.path.rpartition("/")[2], parse_qs(url.query)["name"][0]))
            # The first is lost on its way.
            route.fulfill(status=204 if len(sent) > 1 else 500)
        elif url.path == "/handin.js":
            route.fulfill(path=ROOT / "static" / "handin.js", content_type="text/javascript")
        else:
            route.fulfill(body="<!doctype html>", content_type="text/html")

    page = chromium.new_page()
    page.route("**", answer)
    page.goto("http://policeyar.test/")
    page.evaluate(_MOUNT, told(monkeypatch, {1: "institutes.csv", 3: "personnel.csv"}))
    for names in (["institutes.csv", "licences.csv", "training.csv"], ["institutes.csv"]):
        files: Any = [{"name": name, "mimeType": "text/csv", "buffer": b"a"} for name in names]
        page.locator("input").set_input_files(files)
        page.locator(f"[aria-disabled=false] ~ ul:has(li:nth-child({len(names)}))").wait_for()
    page.close()
    expected = [("1", "institutes.csv"), ("2", "licences.csv"), ("4", "training.csv"), ("1", "institutes.csv")]
    assert sent == expected
