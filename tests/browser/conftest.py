"""One server for all tests in Chromium that only read."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import app as front


@pytest.fixture(scope="session")
def address(small_register: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with front.served(small_register, VIEWS=str(tmp_path_factory.mktemp("views"))) as url:
        yield url
