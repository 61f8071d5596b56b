"""Two web processes under a path share sessions, and programs fetch answers from them, past the sign-in of browsers.

npm's oidc-provider requires PKCE and ends its own session at sign-out.
"""

import io
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import duckdb
import fsspec
import httpx
import pandas as pd
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Browser

from etl import open_publication
from tests.access import site as running
from tests.access.site import Site, events, status
from tests.serving import PATIENCE
from ui.access.tokens import Tokens
from ui.components import connect
from ui.i18n import text

pytestmark = pytest.mark.slow
_PACKAGES = Path(__file__).parent / "provider" / "node_modules"
QUERY = urlencode({"m": "coverage_per_10k", "by": "province", "on": "1404/05/31", "lang": "en"})

VISITS = [{"name": "reader", "value": f"{place:032x}"} for place in range(8)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, small_register: Path) -> Iterator[Site]:
    provider = "npm" if _PACKAGES.is_dir() else "mock"
    with running.served(tmp_path_factory.mktemp("data"), small_register, provider, 2, "/dash") as site:
        yield site


@pytest.fixture(scope="module")
def token(site: Site) -> str:
    (site.folder / "views").mkdir(exist_ok=True)
    store = Tokens(site.folder / "views")
    return store.make("national.analyst", ["national"], "Excel", 90, time.time(), lambda: None)


@pytest.fixture(scope="module")
def expected(small_register: Path) -> list[float]:
    with open_publication(small_register) as register:
        return register.ask("coverage_per_10k", by="province", on="1404/05/31").column("coverage_per_10k")


def test_a_program_with_a_token_gets_what_ask_gives(site: Site, token: str, expected: list[float]) -> None:
    """As Parquet and as a workbook; as CSV in the texts to copy."""
    address = f"{site.address}/data/answer.{{}}?{QUERY}"
    bearer = {"Authorization": f"Bearer {token}"}
    frame = pd.read_parquet(address.format("parquet"), storage_options=bearer)
    assert frame["coverage_per_10k"].tolist() == expected
    request = urllib.request.Request(address.format("xlsx"), headers=bearer)
    with urllib.request.urlopen(request) as sent:
        assert sent.headers["Cache-Control"] == "private, no-store"
        book = pd.read_excel(io.BytesIO(sent.read()), sheet_name="Data", engine="openpyxl")
    assert book.iloc[: len(expected), 2].tolist() == expected


def test_a_program_keeps_the_process_that_made_its_file(site: Site, token: str) -> None:
    def get(part: str = "") -> tuple[int, bytes, str]:
        headers = {"Authorization": f"Bearer {token}"} | ({"Range": part} if part else {})
        request = urllib.request.Request(f"{site.address}/data/answer.parquet?{QUERY}", headers=headers)
        with urllib.request.urlopen(request) as sent:
            return sent.status, sent.read(), sent.headers["ETag"]

    _, whole, tag = get()
    for begin in range(0, len(whole), 1000):
        end = min(begin + 999, len(whole) - 1)
        assert get(f"bytes={begin}-{end}") == (206, whole[begin : end + 1], tag)


def test_without_a_token_a_program_is_asked_for_one(site: Site) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{site.address}/data/")
    assert refused.value.code == 401
    assert refused.value.headers["WWW-Authenticate"].startswith("Basic")


def test_a_browser_without_a_session_is_told_so_by_find_in_a_sentence(site: Site) -> None:
    request = urllib.request.Request(f"{site.address}/find?q=x&lang=en", headers={"Accept": "text/html"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 401
    assert refused.value.read().decode() == text.word("sign_in.needed", "en") + "\n"


def texts(site: Site) -> dict[str, str]:
    """What "Connect" gives to copy, for the question of these tests."""
    addresses = {form: f"{site.address}/data/answer.{form}?{QUERY}" for form in ("csv", "xlsx", "parquet")}
    return {
        name: written.format(user="national.analyst", **addresses)
        for name, written in (connect._PROGRAMS | connect._WITH_TOKEN).items()
    }


def test_the_text_for_pandas_runs(
    site: Site, token: str, expected: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLICEYAR_TOKEN", token)
    names: dict[str, Any] = {}
    exec(texts(site)["pandas"], names)
    assert names["frame"]["coverage_per_10k"].tolist() == expected


def test_the_text_for_curl_runs_with_basic(site: Site, token: str, expected: list[float], tmp_path: Path) -> None:
    # curl asks for the password of the user on the terminal.
    command = texts(site)["curl"].replace('"national.analyst"', f'"national.analyst:{token}"')
    subprocess.run(["sh", "-c", f"{command} --silent"], check=True, cwd=tmp_path)
    assert pd.read_csv(tmp_path / "answer.csv")["coverage_per_10k"].tolist() == expected


def test_the_text_for_excel_is_a_workbook_of_its_user(site: Site, token: str, expected: list[float]) -> None:
    """Power Query asks without a password first, and sends user and token as Basic when it gets 401."""
    address = texts(site)["excel"]
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(address)
    assert refused.value.headers["WWW-Authenticate"].startswith("Basic")
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    passwords.add_password(None, site.address, "national.analyst", token)
    opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(passwords))
    with opener.open(address) as sent:
        book = pd.read_excel(io.BytesIO(sent.read()), engine="openpyxl")
    assert book.iloc[: len(expected), 2].tolist() == expected
    assert address in texts(site)["power_bi"]


class ByRanges(io.RawIOBase):
    """A file that fetches what is read of it, as DuckDB and pandas do over http."""

    def __init__(self, address: str, token: str) -> None:
        self.address, self.headers, self.fetched, self.at = address, {"Authorization": f"Bearer {token}"}, 0, 0
        request = urllib.request.Request(address, headers=self.headers, method="HEAD")
        with urllib.request.urlopen(request) as head:
            self.length = int(head.headers["Content-Length"])

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.at

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = offset + (0, self.at, self.length)[whence]
        return self.at

    def readinto(self, buffer: Any) -> int:
        count = min(len(buffer), self.length - self.at)
        if count <= 0:
            return 0
        part = {"Range": f"bytes={self.at}-{self.at + count - 1}"}
        with urllib.request.urlopen(urllib.request.Request(self.address, headers=self.headers | part)) as sent:
            assert sent.status == 206
            buffer[:count] = sent.read()
        self.at += count
        self.fetched += count
        return count


def test_a_column_of_parquet_is_read_by_ranges(site: Site, token: str, expected: list[float]) -> None:
    source = ByRanges(f"{site.address}/data/answer.parquet?{QUERY}", token)
    table = pq.ParquetFile(source).read(columns=["coverage_per_10k"])
    assert table["coverage_per_10k"].to_pylist() == expected
    assert source.fetched > 0


class OverHttp(fsspec.AbstractFileSystem):  # type: ignore[misc]
    """Gives DuckDB files over http, by ranges or whole. DuckDB's own extension, httpfs, comes from the internet."""

    protocol = "http"
    cachable = False

    def __init__(self, token: str, by_ranges: bool) -> None:
        super().__init__()
        self.token, self.by_ranges = token, by_ranges

    def glob(self, path: str, **_: Any) -> list[str]:
        return [path]

    def modified(self, path: str) -> datetime:
        return datetime(2026, 1, 1)

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        return {"name": path, "type": "file", "size": ByRanges(path, self.token).length}

    def open(self, path: str, mode: str = "rb", **_: Any) -> io.RawIOBase | io.BytesIO:
        if self.by_ranges:
            return ByRanges(path, self.token)
        request = urllib.request.Request(path, headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request) as sent:
            return io.BytesIO(sent.read())


@pytest.mark.parametrize("by_ranges", [True, False])
def test_duckdb_reads_the_file_over_http(site: Site, token: str, expected: list[float], by_ranges: bool) -> None:
    with duckdb.connect() as con:
        con.register_filesystem(OverHttp(token, by_ranges))
        rows = con.execute(
            "select coverage_per_10k from read_parquet(?)", [f"{site.address}/data/answer.parquet?{QUERY}"]
        )
        assert [value for (value,) in rows.fetchall()] == expected


def test_the_text_for_duckdb_is_sql(site: Site, token: str) -> None:
    secret, query = texts(site)["duckdb"].replace("POLICEYAR_TOKEN", token).split(";\n")
    assert [kind.name for kind in (one.type for one in duckdb.extract_statements(f"{secret};{query}"))] == [
        "CREATE",
        "SELECT",
    ]


@pytest.mark.browser
@pytest.mark.skipif(not _PACKAGES.is_dir(), reason="make browser could not fetch oidc-provider from npm's registry")
def test_sign_in_and_sign_out_with_pkce_work_in_every_process_under_a_path(site: Site, chromium: Browser) -> None:
    context = chromium.new_context(locale="en")
    context.set_default_timeout(1000 * PATIENCE)
    page = context.new_page()
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    page.goto(f"{site.address}/?lang=en")
    page.get_by_role("link", name="Sign in").click()
    page.fill("input[name=login]", "isfahan.officer")
    page.fill("input[name=password]", "any")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{site.address}/**")
    page.wait_for_selector(".pd-trust", timeout=180_000)
    assert "Account isfahan.officer" in page.locator(".pd-brand").inner_text()

    authorize = next(url for url in urls if urlsplit(url).path == "/auth")
    query = parse_qs(urlsplit(authorize).query)
    assert query["code_challenge_method"] == ["S256"]
    without = httpx.get(authorize.replace("code_challenge", "no_challenge"))
    assert "error=invalid_request" in without.headers["location"], "the provider takes nobody without it"

    cookies = context.cookies()
    assert {cookie["path"] for cookie in cookies if cookie["name"].startswith("_streamlit_user")} == {"/dash"}
    # nginx chooses the process by the cookie of the visit.
    visits = [[cookie for cookie in cookies if cookie["name"] != "reader"] + [visit] for visit in VISITS]
    assert {status(f"{site.address}/overview", visit) for visit in visits} == {200}
    page.locator(".pd-brand button").click()
    page.get_by_role("button", name="Yes, sign me out").click()
    page.wait_for_url(f"{site.address}/**")
    page.get_by_role("link", name="Sign in").wait_for()
    assert {status(f"{site.address}/overview", visit) for visit in visits} == {401}
    assert [event.event for event in events(site, "isfahan.officer")] == ["sign_out", "sign_in"]
    # The provider ended its session as well: it asks for the name again.
    page.get_by_role("link", name="Sign in").click()
    page.wait_for_selector("input[name=login]")
    context.close()
