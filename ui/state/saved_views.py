"""Named views: the address parameters a user saved."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from etl.core.errors import AccessDenied
from etl.core.paths import VIEWS
from etl.core.text_folding import display_text
from ui.access import saved_views
from ui.access.saved_views import Saved, SavedViews
from ui.data import page_run

LONGEST_NAME = 60


class Unnamed(ValueError):
    """An invalid name; its text is the key of a message in text.toml under `views`."""


@dataclass(frozen=True)
class Shelf:
    """The user's views by name, whether all stored views could be read, and what others share with a team of the user."""

    views: list[Saved]
    is_whole: bool
    shared: tuple[Saved, ...] = ()


def checked(name: str) -> str:
    """`name` as it is stored: one line without invisible characters. Raises Unnamed."""
    clean_name = display_text(name)
    if not clean_name or not any(letter.isalnum() for letter in clean_name):
        raise Unnamed("empty")
    if len(clean_name) > LONGEST_NAME:
        raise Unnamed("long")
    return clean_name


def shelf() -> Shelf:
    """The user's readable views. Raises only AccessDenied, whatever the database holds."""
    owner = page_run.access_scope().sub
    try:
        return Shelf(*_views().of(owner), tuple(_views().shared(owner, page_run.teams())))
    except OSError:
        return Shelf([], False)


def save(name: str, page: str, parameters: Mapping[str, Sequence[str]], day: date) -> Saved:
    """Store a view. Raises Unnamed for an invalid or existing name, OSError if it cannot be written."""
    chosen = {key: list(values) for key, values in parameters.items()}
    view = Saved(checked(name), page, chosen, day.isoformat(), page_run.access_scope().sub)
    if len(json.dumps(chosen)) > saved_views.MOST_LETTERS:
        raise Unnamed("large")
    if refusal := _views().add(view, lambda: page_run.record("view_saved", page=page)):
        raise Unnamed(refusal)
    return view


def delete(name: str) -> None:
    """Delete a view of the user; a missing one is no error."""
    _views().delete(page_run.access_scope().sub, name, lambda page: page_run.record("view_deleted", page=page))


def share(name: str, team: str) -> None:
    """Share a view of the user with one of the user's teams, or with nobody if `team` is empty. Raises AccessDenied, OSError."""
    if team and team not in page_run.teams():
        raise AccessDenied
    _views().share(page_run.access_scope().sub, name, team, lambda page: page_run.record("view_shared", page=page))


def _views() -> SavedViews:
    """The store: in the folder VIEWS, or in the database that several hosts share."""
    return SavedViews(Path(os.environ.get("VIEWS") or VIEWS), os.environ.get("SHARED_DATABASE", ""))
