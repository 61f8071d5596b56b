"""The publication of the pages: the sample made by hand, or one made up of the size and seed that a module names in MADE_UP."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import dashboard  # noqa: F401 - outside of a run it is the server, inside it would be a page
from tests.conftest import Sample


@pytest.fixture(scope="module")
def published(publish_sample: Callable[..., Sample], request: pytest.FixtureRequest) -> Iterator[Path]:
    pointer = publish_sample(*getattr(request.module, "MADE_UP", ())).pointer
    with pytest.MonkeyPatch.context() as setting:
        setting.setenv("WAREHOUSE", str(pointer))
        yield pointer
