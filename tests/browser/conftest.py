"""One Chromium for each module of browser tests."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser import app as front


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with front.chromium() as running:
        yield running
