"""How much a test does: what keeps a run short in every run, and all that the project promises with THOROUGH=1."""

import os

import pytest

_IS_THOROUGH = bool(os.environ.get("THOROUGH"))
thorough = pytest.mark.skipif(not _IS_THOROUGH, reason="takes a minute: run with THOROUGH=1")


def draws(few: int, promised: int) -> int:
    """The number of random cases of a test."""
    return promised if _IS_THOROUGH else few
