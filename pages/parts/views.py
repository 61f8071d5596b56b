"""Views saved under a name: what an address holds, kept in one small file that this host alone writes. Knows no Streamlit.

Until readers sign in a view belongs to everybody: all see it, all can delete it.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from etl.normalize import fold, shown

_FOLDER = Path(__file__).resolve().parents[2] / "data" / "views"
LONGEST_NAME, MOST_VIEWS, _MOST_LETTERS = 60, 200, 4000


class Unnamed(ValueError):
    """A name that cannot be given; its text is a word of text.toml under `views`."""


@dataclass(frozen=True)
class Saved:
    """One view: its name as written, its page, the parameters of its address, and the day it was saved."""

    name: str
    page: str
    parameters: dict[str, list[str]]
    saved_on: str


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


def listed() -> list[Saved]:
    """Every view, by name. A file that cannot be read holds none."""
    try:
        found = json.loads(_file().read_text(encoding="utf-8"))
        views = [Saved(one["name"], one["page"], dict(one["parameters"]), one["saved_on"]) for one in found]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return sorted(views, key=lambda one: fold(one.name))


def save(name: str, page: str, parameters: Mapping[str, Sequence[str]], day: date) -> Saved:
    """Keep a view. Raises Unnamed for a name that is taken or cannot be given, OSError where nothing can be written."""
    one = Saved(checked(name), page, {key: list(values) for key, values in parameters.items()}, day.isoformat())
    if len(json.dumps(one.parameters)) > _MOST_LETTERS:
        raise Unnamed("large")
    with _writing() as views:
        if any(fold(known.name) == fold(one.name) for known in views):
            raise Unnamed("taken")
        if len(views) >= MOST_VIEWS:
            raise Unnamed("full")
        views.append(one)
    return one


def delete(name: str) -> None:
    """Forget a view; one that is not there is no fault."""
    with _writing() as views:
        views[:] = [one for one in views if one.name != name]


def _file() -> Path:
    return folder() / "views.json"


@contextmanager
def _writing() -> Iterator[list[Saved]]:
    """The views, to be changed by one writer at a time; what is written is whole or absent."""
    folder().mkdir(parents=True, exist_ok=True)
    with (folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        views = listed()
        yield views
        waiting = _file().with_suffix(".next")
        content: list[dict[str, Any]] = [asdict(one) for one in views]
        with waiting.open("w", encoding="utf-8") as out:
            json.dump(content, out, ensure_ascii=False, indent=1)
            out.flush()
            os.fsync(out.fileno())
        os.replace(waiting, _file())
