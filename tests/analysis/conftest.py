"""The publications that the tests of analyses read, and the oracle's copy of their rows."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from etl.semantic import access
from etl.semantic.access import ScopedCursor
from etl.semantic.rights import ADMINISTRATOR
from tests.conftest import BUILD_DAY, Sample
from tests.oracle import oracle


@pytest.fixture(scope="session")
def con(small_register: Path) -> Iterator[ScopedCursor]:
    """The publication of a sample of some 1,000 persons."""
    with access.connect(small_register, ADMINISTRATOR) as connection:
        yield connection


@pytest.fixture(scope="session")
def source(small_register: Path) -> tuple[oracle.Load, oracle.Data]:
    """The files behind `con`, as the oracle reads them."""
    return oracle.read(small_register.parent / "in", BUILD_DAY)


@pytest.fixture(scope="session")
def data(source: tuple[oracle.Load, oracle.Data]) -> oracle.Data:
    """The rows behind `con`, as the oracle reads them."""
    return source[1]


@pytest.fixture(scope="session")
def by_hand(publish_sample: Callable[..., Sample]) -> Iterator[ScopedCursor]:
    """The publication of the hand-made sample."""
    with access.connect(publish_sample().pointer, ADMINISTRATOR) as connection:
        yield connection
