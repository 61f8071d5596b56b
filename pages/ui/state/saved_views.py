"""Views saved under a name: what an address holds, kept in one small file that this host alone writes. Knows no Streamlit.

A view belongs to who saved it, without sign-in to the one person of this machine. A file that cannot be read, whole or in
part, is renamed before another is written in its place: what somebody saved is never overwritten.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from itertools import chain, count
from pathlib import Path
from typing import Any

from etl.core.paths import ROOT
from etl.core.text_folding import fold, shown
from etl.semantic.access import ADMINISTRATOR
from pages.ui.data import user

_FOLDER = ROOT / "data" / "views"
LONGEST_NAME, MOST_VIEWS, _MOST_LETTERS = 60, 200, 4000
# More than all views together can hold: a letter is six bytes at most.
_MOST_BYTES = 2 * 6 * MOST_VIEWS * _MOST_LETTERS
_BROKEN = ".broken-"


class Unnamed(ValueError):
    """A name that cannot be given; its text is a word of text.toml under `views`."""


@dataclass(frozen=True)
class Saved:
    """One view: its name as written, its page, the parameters of its address, and the day it was saved."""

    name: str
    page: str
    parameters: dict[str, list[str]]
    saved_on: str
    # Whose it is: nobody else sees it or can delete it.
    owner: str = ADMINISTRATOR.sub


@dataclass(frozen=True)
class Shelf:
    """The views by name, and whether all that was ever saved could be read."""

    views: list[Saved]
    is_whole: bool


def folder() -> Path:
    """Where views are kept: VIEWS names another folder."""
    return Path(os.environ.get("VIEWS") or _FOLDER)


def checked(name: str) -> str:
    """`name` as it is kept: one line, nothing invisible in it. Raises Unnamed."""
    kept = shown(name)
    if not kept or not any(letter.isalnum() for letter in kept):
        raise Unnamed("empty")
    if len(kept) > LONGEST_NAME:
        raise Unnamed("long")
    return kept


def shelf() -> Shelf:
    """Every view that can be read. Raises nothing, whatever the file holds."""
    found = _read()
    return Shelf(_own(found.views), found.is_whole and not _set_aside())


def listed() -> list[Saved]:
    """Every own view that can be read, by name."""
    return _own(_read().views)


def _own(views: Sequence[Saved]) -> list[Saved]:
    owner = user.scope().sub
    return [one for one in views if one.owner == owner]


def save(name: str, page: str, parameters: Mapping[str, Sequence[str]], day: date) -> Saved:
    """Keep a view. Raises Unnamed for a name that is taken or cannot be given, OSError where nothing can be written."""
    one = Saved(checked(name), page, {key: list(values) for key, values in parameters.items()}, day.isoformat())
    one = replace(one, owner=user.scope().sub)
    if len(json.dumps(one.parameters)) > _MOST_LETTERS:
        raise Unnamed("large")
    with _writing() as views:
        if any(fold(known.name) == fold(one.name) for known in _own(views)):
            raise Unnamed("taken")
        if len(views) >= MOST_VIEWS:
            raise Unnamed("full")
        views.append(one)
    user.record("view_saved", page=page)
    return one


def delete(name: str) -> None:
    """Forget an own view; one that is not there is no fault."""
    with _writing() as views:
        gone = [one for one in _own(views) if one.name == name]
        views[:] = [one for one in views if one not in gone]
    if gone:
        user.record("view_deleted", page=gone[0].page)


def _file() -> Path:
    return folder() / "views.json"


def _read() -> Shelf:
    path = _file()
    try:
        if not path.is_file() and not os.path.lexists(path):
            return Shelf([], True)
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return Shelf([], False)
        found = json.loads(path.read_text(encoding="utf-8"))
    # JSON nested too deep ends the recursion of its reader.
    except (OSError, ValueError, RecursionError):
        return Shelf([], False)
    written = found if isinstance(found, list) else []
    views = [one for one in map(_view, written) if one]
    return Shelf(sorted(views, key=lambda one: fold(one.name)), isinstance(found, list) and len(views) == len(written))


def _view(written: Any) -> Saved | None:
    """One view as it was written; None for what this module does not write."""
    if not isinstance(written, dict):
        return None
    # Views from before people signed in name no owner.
    written = {"owner": ADMINISTRATOR.sub} | written
    if set(written) != {one.name for one in fields(Saved)}:
        return None
    parameters = written["parameters"]
    if not isinstance(parameters, dict) or not all(isinstance(values, list) for values in parameters.values()):
        return None
    texts = [
        written["name"],
        written["page"],
        written["saved_on"],
        written["owner"],
        *parameters,
        *chain(*parameters.values()),
    ]
    return Saved(**written) if all(map(_is_text, texts)) else None


def _is_text(value: Any) -> bool:
    """Whether a value is text that can be encoded: half a surrogate pair cannot."""
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:
        return False


def _set_aside() -> list[Path]:
    try:
        return list(folder().glob(f"{_file().name}{_BROKEN}*"))
    except OSError:
        return []


def _free_name() -> Path:
    """A name that no file set aside has yet. Called by the one writer."""
    return next(
        path
        for number in count(1)
        if not os.path.lexists(path := _file().with_name(f"{_file().name}{_BROKEN}{number}"))
    )


@contextmanager
def _writing() -> Iterator[list[Saved]]:
    """The views, to be changed by one writer at a time; what is written is whole or absent."""
    folder().mkdir(parents=True, exist_ok=True)
    with (folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = _read()
        views = found.views
        yield views
        if not found.is_whole:
            os.rename(_file(), _free_name())
        waiting = _file().with_suffix(".next")
        content: list[dict[str, Any]] = [asdict(one) for one in views]
        with waiting.open("w", encoding="utf-8") as out:
            json.dump(content, out, ensure_ascii=False, indent=1)
            out.flush()
            os.fsync(out.fileno())
        os.replace(waiting, _file())
