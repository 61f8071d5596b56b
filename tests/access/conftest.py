"""Clients of an application behind the gate, in the modes with sign-in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pages.ui.shell import people
from tests.access.gated import application, configured


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
