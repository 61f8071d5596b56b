"""Fixtures of the tests of builds."""

from pathlib import Path

import pytest

from tests.loading import put_good


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The smallest folder with every table."""
    return put_good(tmp_path / "incoming")
