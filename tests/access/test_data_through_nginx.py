"""Programs of analysts fetch answers from a running dashboard behind nginx, past the sign-in of browsers."""

import io
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pandas as pd
import pytest

from etl import open_publication
from tests.access import site as running
from tests.access.site import Site
from ui.access.tokens import Tokens

pytestmark = pytest.mark.slow
QUERY = urlencode({"m": "coverage_per_10k", "by": "province", "on": "1404/05/31", "lang": "en"})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, small_register: Path) -> Iterator[Site]:
    with running.served(tmp_path_factory.mktemp("data"), small_register, processes=2) as site:
        yield site


@pytest.fixture(scope="module")
def token(site: Site) -> str:
    (site.folder / "views").mkdir(exist_ok=True)
    store = Tokens(site.folder / "views")
    return store.make("national.analyst", ["national"], "Excel", 90, time.time(), lambda: None)


def test_pandas_and_curl_get_what_ask_gives(site: Site, token: str, small_register: Path) -> None:
    with open_publication(small_register) as register:
        expected = register.ask("coverage_per_10k", by="province", on="1404/05/31")
    address = f"{site.address}/data/answer.{{}}?{QUERY}"
    bearer = {"Authorization": f"Bearer {token}"}
    frames = [
        pd.read_csv(address.format("csv"), storage_options=bearer),
        pd.read_parquet(address.format("parquet"), storage_options=bearer),
    ]
    user = f"national.analyst:{token}"
    curl = [shutil.which("curl") or "curl", "--fail", "--silent", "--user", user, address.format("csv")]
    frames.append(pd.read_csv(io.BytesIO(subprocess.run(curl, check=True, capture_output=True).stdout)))
    for frame in frames:
        assert frame["coverage_per_10k"].tolist() == expected.column("coverage_per_10k")
    request = urllib.request.Request(address.format("xlsx"), headers=bearer)
    with urllib.request.urlopen(request) as sent:
        assert sent.headers["Cache-Control"] == "private, no-store"
        book = pd.read_excel(io.BytesIO(sent.read()), sheet_name="Data", engine="openpyxl")
    assert book.iloc[: len(expected.rows), 1].tolist() == expected.column("coverage_per_10k")
    assert os.path.basename(sent.url).startswith("answer.xlsx")


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
