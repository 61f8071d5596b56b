"""The hand-made sample as the publication of the pages."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import dashboard  # noqa: F401 - outside of a run it is the server, inside it would be a page
from tests.conftest import Sample


@pytest.fixture(scope="module")
def published(publish_sample: Callable[..., Sample]) -> Iterator[Path]:
    pointer = publish_sample().pointer
    with pytest.MonkeyPatch.context() as setting:
        setting.setenv("WAREHOUSE", str(pointer))
        yield pointer
