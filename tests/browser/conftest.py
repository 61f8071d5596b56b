"""One Chromium for these tests, closed before tests with event loops of their own, and one server for all that only read."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import app as front


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with front.chromium() as running:
        yield running


@pytest.fixture(scope="session")
def address(small_register: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with front.served(small_register, VIEWS=str(tmp_path_factory.mktemp("views"))) as url:
        yield url
