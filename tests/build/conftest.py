"""Fixtures of the tests of builds."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.loading import copy_publication, load, put_good


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The smallest folder with every table."""
    return put_good(tmp_path / "incoming")


@pytest.fixture(scope="module")
def sound_publication(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A publication that must not change."""
    return load(put_good(tmp_path_factory.mktemp("before") / "incoming")).to


@pytest.fixture
def build_refusals(folder: Path, sound_publication: Path, tmp_path: Path) -> Callable[[], list[str]]:
    """Build the folder and return the lines of its refusal; the last publication is unchanged."""

    def refuse() -> list[str]:
        to = copy_publication(sound_publication, tmp_path / "shown")
        content = to.resolve().read_bytes()
        built = load(folder, to=to)
        refusals = built.refusals
        assert (to.resolve().name, to.resolve().read_bytes()) == ("000001.duckdb", content)
        assert sorted(os.listdir(to.parent / "warehouse.duckdb.publications")) == ["000001.duckdb", "lock"]
        return refusals

    return refuse


@pytest.fixture
def build_refusal(build_refusals: Callable[[], list[str]]) -> Callable[[], str]:
    """Build the folder and return the one line of its refusal; the last publication is unchanged."""

    def refuse() -> str:
        (line,) = build_refusals()
        return line

    return refuse
