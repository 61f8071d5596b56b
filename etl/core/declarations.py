"""Declarations in TOML: the catalogue, dimensions, words. A key that nothing reads is an error, not silence."""

import difflib
import tomllib
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from etl.core.errors import Refused
from etl.core.paths import ROOT

LANGUAGES = frozenset({"fa", "en"})


@cache
def read(path: Path) -> dict[str, Any]:
    """A TOML file. Raises Refused with one line that names file and place: a key that stands twice is among the faults."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise fault(path, str(error)) from None


def check_keys(
    path: Path, entry: str, given: Iterable[str], known: Collection[str], needed: Iterable[str] = ()
) -> None:
    """Raise Refused for a key of an entry that is not known, naming the nearest one that is, and for a missing key."""
    given = tuple(given)
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1, 0)
            raise fault(path, f"[{entry}] has no key `{key}`{f'; the nearest is `{near[0]}`' if near else ''}")
    for key in needed:
        if key not in given:
            raise fault(path, f"[{entry}] lacks the key `{key}`")


def fault(path: Path, text: str) -> Refused:
    """The error of a declaration: one line that begins with its file."""
    return Refused(f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path.name}: {text}")
