"""The people of the tests: of two provinces, of one of them, of the whole country, and without rights."""

import re
from collections.abc import Callable

import pytest

from etl.semantic.rights import WHOLE_COUNTRY, AccessScope, Grant
from ui.data import page_run

TEHRAN, ISFAHAN, FARS = "IR-23", "IR-10", "IR-14"
OF_TEHRAN = AccessScope("tehran.officer", frozenset({Grant("province", frozenset({TEHRAN}), True, False)}))
OF_ISFAHAN = AccessScope("isfahan.officer", frozenset({Grant("province", frozenset({ISFAHAN}), True, True)}))
OF_TWO = AccessScope("two.officer", frozenset({Grant("province", frozenset({ISFAHAN, FARS}), False, True)}))
NATIONAL = AccessScope("national.analyst", frozenset({Grant("national", WHOLE_COUNTRY, True, True)}))
NONE = AccessScope("stranger", frozenset())


def sign_in(
    monkeypatch: pytest.MonkeyPatch, scope: AccessScope, record: Callable[..., None] = lambda *_, **__: None
) -> None:
    """Let a person make the page runs of a test."""
    services = page_run.SignIn(lambda: scope, lambda *_: "", record, lambda: ([], None))
    monkeypatch.setattr(page_run, "_sign_in", services)


def names_of(province: str, guarded: dict[str, dict[str, bytes]], received: bytes) -> list[str]:
    """A code counts as a whole word only, not as part of another number."""
    return [
        name
        for name, pattern in guarded[province].items()
        if pattern in received and (not name.isdigit() or re.search(rb"(?<![\d.])" + pattern + rb"(?![\d.])", received))
    ]
