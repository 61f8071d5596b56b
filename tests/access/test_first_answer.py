"""A page in plain HTML: as one file at its address, and in the first response before any script."""

# ruff: noqa: F811 - `site` is a fixture
import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from etl.operations import programs
from etl.semantic.rights import ADMINISTRATOR, AccessScope
from tests.access.scopes import OF_ISFAHAN
from tests.access.test_data_address import Site, app, of_workers, site  # noqa: F401 - fixtures
from ui.exhibits import register
from ui.i18n import text
from ui.shell import first_answer, middleware, people

pytestmark = pytest.mark.slow
PAGES = sorted(register.pages())
# An address is words of a source, and nothing that a browser fetches: fonts and parts of pictures are in the file.
OUTSIDE = re.compile(r"""<script|\bsrc=|\bhref=(?!"#)|@import|url\((?!"data:|'?#|&quot;#)""")


@pytest.fixture
def no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server without Chromium: its pages are files without pictures."""
    monkeypatch.setattr(programs, "browser", lambda: "")


def first(part: str, query: dict[str, list[str]], asker: AccessScope = ADMINISTRATOR, lang: str = "en") -> str:
    first_answer._kept.clear()
    return first_answer._of(asker, part, query, lang)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_one_file_that_says_what_the_page_says(page: str, site: Site, no_browser: None) -> None:
    params = {"lang": "en", "province": "IR-10"}
    file = site.get(f"/data/{page}.html", site.isfahan, params=params)
    claims = site.get(f"/data/{page}/claims.json", site.isfahan, params=params)
    assert (file.status_code, claims.status_code) == (200, 200)
    assert file.headers["content-type"].startswith("text/html")
    assert not OUTSIDE.findall(file.text)
    said = {entry["sentence"] for entry in claims.json() if entry["sentence"]}
    plain = re.sub("</?(strong|bdi)>", "", file.text)
    listed = {sentence for sentence in said if all(text.escape(part) in plain for part in sentence.split(" · "))}
    assert said == listed


@pytest.mark.skipif(not programs.browser(), reason="needs Chromium")
@pytest.mark.parametrize("circulation", ["", "1"])
def test_a_file_draws_each_chart_of_its_page_above_its_table(circulation: str, site: Site) -> None:
    params = {"lang": "fa", "province": "IR-10"} | ({"circulation": circulation} if circulation else {})
    file = site.get("/data/overview.html", site.isfahan, params=params).text
    drawn = re.findall(r"<h2>([^<]*)</h2>(?:<p[^>]*>[^<]*</p>)*<figure><svg role=\"img\" aria-label=\"([^\"]*)\"", file)
    assert len(drawn) == file.count("<figure>") == file.count("</svg></figure><details>") > 1
    assert [title for title, label in drawn if title != label] == []
    assert "OpenStreetMap" in file
    assert not OUTSIDE.findall(file)
    assert "@font-face" in file


def test_a_file_of_a_page_holds_nothing_of_another_province(
    site: Site, guarded: dict[str, dict[str, bytes]], no_browser: None
) -> None:
    others = {pattern for province, named in guarded.items() if province != "IR-10" for pattern in named.values()}
    for page in PAGES:
        for query in ({}, {"province": "IR-23"}):
            file = site.get(f"/data/{page}.html", site.isfahan, params={"lang": "en", **query}).content
            answer = first(page, {name: [value] for name, value in query.items()}, OF_ISFAHAN).encode()
            assert [pattern for pattern in others if pattern in file + answer] == [], page


@pytest.mark.parametrize("page", PAGES)
def test_the_first_answer_says_the_sentences_of_the_file(page: str, site: Site, no_browser: None) -> None:
    answer = first(page, {"province": ["IR-10"]}, OF_ISFAHAN)
    file = site.get(f"/data/{page}.html", site.isfahan, params={"lang": "en", "province": "IR-10"}).text
    sentences = re.findall("<(?:p|dd)>(.*?)</(?:p|dd)>", file)
    assert [sentence for sentence in sentences if sentence not in answer] == []
    assert answer.startswith('<main id="first-answer">')
    assert "<script" not in answer
    assert answer.count("<form") == answer.count("<nav") == 1


def test_an_address_of_nonsense_gets_the_page_without_it(site: Site) -> None:
    plain = first("overview", {})
    for query in ({"province": ["nowhere"]}, {"on": ["1500/01/01"]}, {"gender": ["<b>"]}):
        assert first("overview", query) == plain, query


async def page(_: Request) -> Response:
    return HTMLResponse("<title>Streamlit</title><noscript>Scripts!</noscript><div id='root'></div>")


def test_the_first_response_holds_it_before_what_is_drawn_and_only_for_who_may_see_it(
    site: Site, small_register: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = Starlette(routes=[Route("/{path:path}", page)], middleware=[Middleware(middleware.Shell)])
    monkeypatch.setattr(first_answer, "_SECONDS", 600)
    assert "first-answer" not in TestClient(shell).get("/?lang=en").text, "nobody has signed in"
    monkeypatch.setattr(people, "mode", lambda: "open")
    client = TestClient(shell)
    for path, part in (("/?lang=en", "overview"), ("/workforce?tab=legal&lang=en", "legal")):
        body = client.get(path).text
        assert body.index('<main id="first-answer">') < body.index("id='root'")
        assert "Scripts!" not in body
        assert first(part, {"lang": ["en"]} | ({"tab": ["legal"]} if part == "legal" else {})) in body
    assert "first-answer" not in client.get("/handin").text


def test_who_waits_too_long_gets_the_page_without_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "mode", lambda: "open")
    monkeypatch.setattr(first_answer, "_SECONDS", 0)
    request: dict[str, Any] = {"path": "/", "query_string": b""}
    assert asyncio.run(first_answer.found(request, "fa")) == ""
