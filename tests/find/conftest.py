"""What is found in the small register by an administrator, or by another person."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from etl.semantic.rights import ADMINISTRATOR, AccessScope
from ui.data import page_run
from ui.find import results
from ui.find.results import Found
from ui.state import saved_views

Find = Callable[..., Found]


@contextmanager
def reading_as(pointer: Path, scope: AccessScope) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WAREHOUSE", str(pointer))
        with page_run.acting_as(scope):
            yield


@pytest.fixture
def find(small_register: Path, monkeypatch: pytest.MonkeyPatch) -> Find:
    # Nobody saved a view: reading them takes longer than finding all else.
    monkeypatch.setattr(saved_views, "shelf", lambda: saved_views.Shelf([], is_whole=True))

    def found(written: str, scope: AccessScope = ADMINISTRATOR, lang: str = "fa") -> Found:
        with reading_as(small_register, scope):
            return results.find(written, lang)

    return found
