"""Saved views, their owners and teams, in a SQLite file of this host or in a PostgreSQL shared by several hosts.

Views of an earlier version in `views.json` are imported once. A file that cannot be read completely is renamed and kept.
"""

import errno
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any

from etl.core.files import locked
from etl.core.store import SqliteStore, Store, StoreFault, known, opened
from etl.core.text_folding import fold
from etl.semantic.rights import ADMINISTRATOR

MOST_VIEWS, MOST_LETTERS = 200, 4000
# More than all views of the earlier version together, at six bytes per letter.
_MOST_BYTES = 2 * 6 * MOST_VIEWS * MOST_LETTERS
_BROKEN = ".broken-"
_STORE = "views"
_TABLE = """create table if not exists saved_views (
    owner text not null, folded text not null, name text not null, page text not null, parameters text not null,
    saved_on text not null, primary key (owner, folded)
);
create table if not exists shared_views (
    owner text not null, folded text not null, team text not null, primary key (owner, folded)
)"""


@dataclass(frozen=True)
class Saved:
    """One view: its name as written, its page, the parameters of its address, and the day it was saved."""

    name: str
    page: str
    parameters: dict[str, list[str]]
    saved_on: str
    # Only the owner can share or delete a view. Views saved before sign-in existed have none.
    owner: str = ADMINISTRATOR.sub
    # The group of access.toml that sees it too; empty: nobody.
    team: str = ""


class SavedViews:
    """The views of an installation, in the PostgreSQL at `address` if there is one, else in `folder`."""

    def __init__(self, folder: Path, address: str = "") -> None:
        self._folder = folder
        self._address = address

    def of(self, owner: str) -> tuple[list[Saved], bool]:
        """The views of a person by name, and whether all stored views could be read. Raises OSError."""
        views, is_whole = self._where("saved_views.owner = $1", owner)
        return views, is_whole and not any(self._folder.glob(f"*{_BROKEN}*"))

    def shared(self, owner: str, teams: Sequence[str]) -> list[Saved]:
        """The readable views of others that are shared with one of these teams. Raises OSError."""
        found = [self._where("saved_views.owner <> $1 and team = $2", owner, team)[0] for team in dict.fromkeys(teams)]
        return list(chain(*found))

    def _where(self, condition: str, *values: str) -> tuple[list[Saved], bool]:
        with self._store().transaction() as execute:
            rows = execute(
                "select name, page, parameters, saved_on, saved_views.owner, coalesce(team, '') from saved_views "
                "left join shared_views on shared_views.owner = saved_views.owner "
                f"and shared_views.folded = saved_views.folded where {condition} order by saved_views.folded",
                *values,
            )
        views = [view for row in rows if (view := _of_row(*row))]
        return views, len(views) == len(rows)

    def share(self, owner: str, name: str, team: str, announce: Callable[[str], None] = lambda _: None) -> None:
        """Share a view of this owner with a team, or with nobody if that is empty; `announce` gets its page. Raises OSError."""
        with self._store().transaction() as execute:
            for folded, page in execute(
                "select folded, page from saved_views where owner = $1 and name = $2", owner, name
            ):
                announce(str(page))
                execute("delete from shared_views where owner = $1 and folded = $2", owner, folded)
                if team:
                    execute("insert into shared_views (owner, folded, team) values ($1, $2, $3)", owner, folded, team)

    def add(self, view: Saved, announce: Callable[[], None] = lambda: None) -> str:
        """Store a view; returns empty, or the reason why not: `taken` or `full`. Raises OSError, and what `announce` raises."""
        with self._store().transaction() as execute:
            ((stored,),) = execute("select count(*) from saved_views where owner = $1", view.owner)
            if stored >= MOST_VIEWS:
                return "full"
            if not _insert(execute, view):
                return "taken"
            announce()
        return ""

    def delete(self, owner: str, name: str, announce: Callable[[str], None] = lambda _: None) -> None:
        """Delete a view of this owner, if there is one; `announce` gets its page. Raises OSError, and what that raises."""
        with self._store().transaction() as execute:
            for page, folded in execute(
                "delete from saved_views where owner = $1 and name = $2 returning page, folded", owner, name
            ):
                announce(str(page))
                execute("delete from shared_views where owner = $1 and folded = $2", owner, folded)

    def _store(self) -> Store:
        store = opened(_STORE, self._address, self._folder, _TABLE) if self._address else self._sqlite()
        if os.path.lexists(self._folder / "views.json"):
            self._import_json(store)
        return store

    def _sqlite(self) -> SqliteStore:
        path = self._folder / "views.sqlite"
        if opened_store := _unless_damaged(path):
            return opened_store
        with locked(self._folder):
            if not (opened_store := _unless_damaged(path)):
                self._rename_broken(path)
        return opened_store or SqliteStore(_STORE, path, _TABLE)

    def _import_json(self, store: Store) -> None:
        path = self._folder / "views.json"
        with locked(self._folder):
            if not os.path.lexists(path):
                return
            views, is_whole = _of_json(path)
            with store.transaction() as execute:
                for view in views:
                    _insert(execute, view)
            if is_whole:
                os.rename(path, path.with_name("views.json.taken-over"))
            else:
                self._rename_broken(path)

    def _rename_broken(self, path: Path) -> None:
        free = (path.with_name(f"{path.name}{_BROKEN}{number}") for number in count(1))
        os.rename(path, next(name for name in free if not os.path.lexists(name)))
        for beside in ("-wal", "-shm"):
            path.with_name(path.name + beside).unlink(missing_ok=True)


def _unless_damaged(path: Path) -> SqliteStore | None:
    """The store of a file; None if it is no SQLite database. Raises StoreFault for any other cause."""
    try:
        if os.path.lexists(path) and not path.is_file():
            return None
        return SqliteStore(_STORE, path, _TABLE)
    except StoreFault as fault:
        if fault.errno != errno.EBADMSG:
            raise
    return None


def _insert(execute: Any, view: Saved) -> bool:
    """Insert a view; returns whether the owner had none of this name."""
    return bool(
        execute(
            "insert into saved_views (owner, folded, name, page, parameters, saved_on) values ($1, $2, $3, $4, $5, $6) "
            "on conflict (owner, folded) do nothing returning 1",
            *(view.owner, fold(view.name), view.name, view.page, json.dumps(view.parameters), view.saved_on),
        )
    )


def _of_row(name: str, page: str, parameters: str, saved_on: str, owner: str, team: str) -> Saved | None:
    try:
        stored = {"name": name, "page": page, "saved_on": saved_on, "owner": owner, "team": team}
        return _view(stored | {"parameters": json.loads(parameters)})
    except (ValueError, RecursionError):
        return None


def _of_json(path: Path) -> tuple[list[Saved], bool]:
    """The readable views of an earlier version's file, and whether all are readable."""
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return [], False
        stored = json.loads(path.read_text(encoding="utf-8"))
    # Deeply nested JSON exceeds the recursion limit.
    except (OSError, ValueError, RecursionError):
        return [], False
    written = stored if isinstance(stored, list) else []
    views = [view for view in map(_view, written) if view]
    return views, isinstance(stored, list) and len(views) == len(written)


def _view(written: Any) -> Saved | None:
    """One view from its stored form; None if it is invalid."""
    try:
        view = Saved(**known(Saved, written))
        lists = view.parameters.values()
        # Fails for what is no text, and for a lone surrogate, which cannot be encoded.
        "".join((view.name, view.page, view.saved_on, view.owner, *view.parameters, *chain(*lists))).encode()
    except (TypeError, ValueError, AttributeError):
        return None
    return view if all(isinstance(values, list) for values in lists) else None
