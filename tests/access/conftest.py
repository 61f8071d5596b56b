"""A publication under all rights, and clients of an application behind the gate, in the modes with sign-in."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Browser
from starlette.testclient import TestClient

from etl.semantic.access import ADMINISTRATOR, ScopedCursor, cursor_for
from etl.warehouse import publications
from pages.ui.shell import people
from tests.access.gated import application, configured
from tests.browser import app as front


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with front.chromium() as running:
        yield running


@pytest.fixture
def oidc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    configured(tmp_path, monkeypatch, "oidc")
    yield TestClient(application(), follow_redirects=False)
    people.secrets.cache_clear()
    people.sessions.cache_clear()


@pytest.fixture
def proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    configured(tmp_path, monkeypatch, "proxy", '[proxy]\nsecret = "the secret of the proxy"\n')
    return TestClient(application())


@pytest.fixture(scope="module")
def con(small_register: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with publications.connect(small_register) as opened:
        yield opened


@pytest.fixture(scope="module")
def all_seeing(con: duckdb.DuckDBPyConnection) -> Iterator[ScopedCursor]:
    with cursor_for(con, ADMINISTRATOR) as cursor:
        yield cursor
