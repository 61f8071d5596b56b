"""Declarations in TOML: the catalogue, dimensions, words. A key that nothing reads is an error, not silence."""

import difflib
import re
import tomllib
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from etl.core.errors import Refused
from etl.core.paths import ROOT

LANGUAGES = frozenset({"fa", "en"})
_LINE = re.compile(r" \(at line (\d+), column \d+\)")
_HEADER = re.compile(r"\s*\[+([\w.\"' -]+)\]+\s*(?:#.*)?$")
_KEY = re.compile(r"\s*([\w.\"'-]+)\s*=")


@cache
def read(path: Path) -> dict[str, Any]:
    """A TOML file. Raises Refused with one line that names file, entry and key: a key that appears twice is among the faults."""
    text = path.read_text(encoding="utf-8")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise fault(path, _located(text, str(error))) from None


def _located(text: str, message: str) -> str:
    """A message of the TOML parser, which knows the line alone, with the entry and the key above that line."""
    if not (found := _LINE.search(message)):
        return message
    entry = key = ""
    for line in text.splitlines()[: int(found[1])]:
        if header := _HEADER.match(line):
            entry, key = f"[{header[1]}] ", ""
        elif assigned := _KEY.match(line):
            key = assigned[1]
    where = f"(line {found[1]})"
    if not key and message.startswith("Cannot declare"):
        return f"{entry}is declared twice {where}"
    if message.startswith("Cannot overwrite"):
        return f"{entry}has the key `{key}` twice {where}"
    return f"{entry}{f'`{key}`: ' if key else ''}{message.replace(found[0], '')} {where}"


def check_keys(
    path: Path, entry: str, given: Iterable[str], known: Collection[str], needed: Iterable[str] = ()
) -> None:
    """Raise Refused for a key of an entry that is not known, naming the nearest one that is, and for a missing key."""
    given = tuple(given)
    for key in given:
        if key not in known:
            raise fault(path, f"{_titled(entry)}has no key `{key}`{nearest(key, known)}")
    for key in needed:
        if key not in given:
            raise fault(path, f"{_titled(entry)}lacks the key `{key}`")


def check_names(path: Path, entry: str, key: str, names: Iterable[str], known: Collection[str], kind: str) -> None:
    """Raise Refused for a name in the value of a key that is not known, naming the nearest one of its kind that is."""
    for name in names:
        if name not in known:
            raise fault(path, f"{_titled(entry)}`{key}` names `{name}`, which is no {kind}{nearest(name, known)}")


def nearest(name: str, known: Collection[str]) -> str:
    """The end of a sentence about an unknown name: the known one that is most like it."""
    near = difflib.get_close_matches(name, known, 1, 0)
    return f"; the nearest is `{near[0]}`" if near else ""


def _titled(entry: str) -> str:
    return f"[{entry}] " if entry else ""


def fault(path: Path, text: str) -> Refused:
    """The error of a declaration: one line that begins with its file."""
    return Refused(f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path.name}: {text}")
