"""The page that a browser gets before anything is drawn, stored nowhere and in words for who has no JavaScript; and its files."""

import asyncio
import gzip
import re
from typing import Any

import brotli
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from ui.i18n import text
from ui.shell import first_answer, kept_files, middleware


@pytest.fixture(autouse=True)
def without_data(monkeypatch: pytest.MonkeyPatch) -> None:
    async def none(*_: Any) -> str:
        return ""

    monkeypatch.setattr(first_answer, "found", none)


async def page(_: Request) -> Response:
    shell = "<title>Streamlit</title><noscript>You need to enable JavaScript.</noscript>"
    return HTMLResponse(shell, headers={"Cache-Control": "no-cache", "ETag": '"1"'})


def test_the_page_shell_is_stored_nowhere() -> None:
    app = Starlette(routes=[Route("/{path:path}", page)], middleware=[Middleware(middleware.Shell)])
    for path in ("/", "/growth"):
        answer = TestClient(app).get(path)
        assert (answer.headers["cache-control"], answer.headers.get("etag")) == ("no-store", None)


def test_a_file_is_passed_on_as_it_comes() -> None:
    pieces = [
        {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/csv")]},
        {"type": "http.response.body", "body": b"1", "more_body": True},
        {"type": "http.response.body", "body": b"2", "more_body": False},
    ]
    passed_on = list[Any]()

    async def file(_scope: Any, _receive: Any, send: Any) -> None:
        for at, piece in enumerate(pieces, start=1):
            await send(piece)
            assert passed_on == pieces[:at]

    async def keep(piece: Any) -> None:
        passed_on.append(piece)

    request = {"type": "http", "method": "GET", "path": "/files/token", "query_string": b"", "headers": []}
    asyncio.run(middleware.Shell(file)(request, None, keep))  # type: ignore[arg-type]
    assert passed_on == pieces


@pytest.mark.parametrize("languages", [("fa", "en"), ("en", "fa")])
def test_without_javascript_both_languages_say_what_is_needed_the_own_one_first(languages: tuple[str, str]) -> None:
    app = Starlette(routes=[Route("/{path:path}", page)], middleware=[Middleware(middleware.Shell)])
    answer = TestClient(app).get("/", params={"lang": languages[0]})
    (said,) = re.findall("<noscript>(.*?)</noscript>", answer.text)
    assert re.findall('lang="(..)" dir="(...)">(.*?)</p>', said) == [
        (lang, text.direction(lang), text.escaped("app.no_script", lang)) for lang in languages
    ]


@pytest.mark.parametrize(
    ("accepted", "coding", "decoded"),
    [("gzip, deflate, br", "br", brotli.decompress), ("gzip", "gzip", gzip.decompress), ("identity", "", bytes)],
)
def test_what_the_shell_links_and_streamlits_own_scripts_are_kept_and_compressed(
    accepted: str, coding: str, decoded: Any
) -> None:
    app = Starlette(
        routes=[*middleware.routes(), Route("/{path:path}", page)], middleware=[Middleware(middleware.Shell)]
    )
    with TestClient(app) as client:
        linked = re.findall('"[.](/app/static/shell-[^"]+)"', client.get("/").text)
        assert len(linked) == 2
        largest = max(kept_files.of_streamlit().items(), key=lambda entry: len(entry[1][0]()))
        for address, written in ((linked[0], None), (linked[1], None), (f"/static/{largest[0]}", largest[1][0]())):
            with client.stream("GET", address, headers={"Accept-Encoding": accepted}) as answer:
                content = b"".join(answer.iter_raw())
            assert answer.headers.get("content-encoding", "") == coding
            assert "immutable" in answer.headers["cache-control"]
            assert decoded(content).decode("utf-8") == written or (written is None and address in linked)


def test_a_path_out_of_streamlits_folder_is_none_of_its_scripts() -> None:
    for path in ("/static/../index.html", "/static/js/../../index.html", "/static/js/none.js", "/static/"):
        assert middleware._of_streamlit(path) is None
