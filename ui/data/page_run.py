"""A page run: whose questions are asked, and of which publication.

The access scope of the user is resolved again for every run, fragment and callback.

Each publication is an immutable file; a pointer names the latest. DuckDB keeps serving the old file under a renamed path, so
each page run resolves the pointer and opens the file by its own name: everything in one run comes from one publication.
"""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import duckdb
import streamlit as st

from etl.core.errors import AccessDenied, Refused
from etl.core.paths import warehouse_pointer
from etl.operations.audit import Event, Verified
from etl.semantic.rights import ADMINISTRATOR, AccessScope
from etl.warehouse import publications, version_files
from ui import streamlit_internals

# The parameter of the address, and the key of the session, that pins a publication.
PINNED = "publication"
_T = TypeVar("_T")
_run = threading.local()
# Makes the parts of pages; more threads than cores would not answer sooner.
_askers = ThreadPoolExecutor(os.cpu_count(), "asker")


class Unpublished(Exception):
    """Nothing has been published yet."""


def begin() -> None:
    """Begin a page run: it shows the publication that the session has pinned, else the latest one now."""
    _run.path = _current()


def end() -> None:
    """End a page run: a fragment that later runs in this thread resolves the latest publication again."""
    _run.path = ""


def resume(file: str) -> bool:
    """Rerun a fragment drawn from `file`: use that publication if it is still current; returns whether it is."""
    if current_file() != file:
        return False
    _run.path = file
    return True


def kept_file(ident: str) -> str:
    """The file of a publication that was published and is kept; empty if there is none."""
    pointer = warehouse_pointer()
    newest = version_files.newest_published(pointer)
    found = (path for path in version_files.versions(pointer) if path.stem == ident)
    return next((str(path) for path in found if version_files.number_of(path) <= newest), "")


def file_before() -> str:
    """The file of the kept publication before the one this page shows; empty if there is none."""
    earlier = version_files.before(warehouse_pointer(), version_files.number_of(Path(current_file())))
    return str(earlier[-1]) if earlier else ""


def pinned() -> str:
    """The publication that the session of this page, or the page that asks this thread, has pinned; empty for the latest."""
    if streamlit_internals.is_script_run():
        return str(st.session_state.get(PINNED, ""))
    return getattr(_run, "pinned", "")


def _current() -> str:
    """The file of the pinned publication as long as it is kept, else of the latest; empty without any."""
    if (pin := pinned()) and (kept := kept_file(pin)):
        return kept
    try:
        return str(publications.current(warehouse_pointer()))
    except Refused:
        return ""


def current_file() -> str:
    """The file of the publication this page shows. Raises Unpublished."""
    file = getattr(_run, "path", "") or _current()
    if not file:
        raise Unpublished
    return file


def latest() -> str:
    """The id of the publication that is shown now; empty without one."""
    with suppress(Refused):
        return publications.current(warehouse_pointer()).stem
    return ""


def in_pool(make: Callable[[], _T]) -> Future[_T]:
    """Run `make` in a thread of the pool, of the publication and under the rights of this thread."""
    file, scope = current_file(), access_scope()

    def task() -> _T:
        with reading(file), acting_as(scope):
            return make()

    return _askers.submit(task)


@contextmanager
def reading(file: str) -> Iterator[None]:
    """Within the context, questions of this thread go to the publication `file`."""
    before, _run.path = getattr(_run, "path", ""), file
    try:
        yield
    finally:
        _run.path = before


@contextmanager
def pinned_as(pin: str) -> Iterator[None]:
    """Within the context, this thread answers a page that has pinned the publication `pin`; empty: none."""
    _run.pinned = pin
    try:
        yield
    finally:
        _run.pinned = ""


@contextmanager
def while_wanted(gone: threading.Event | None, is_of_program: bool = False) -> Iterator[None]:
    """Within the context, questions of this thread are given up when `gone` is set: nobody waits for their answer.

    `is_of_program`: no reader waits for them either.
    """
    _run.gone, _run.is_of_program = gone, is_of_program
    try:
        yield
    finally:
        _run.gone, _run.is_of_program = None, False


def gone() -> threading.Event | None:
    """The event by which the questions of this thread are given up; None if they never are."""
    return getattr(_run, "gone", None)


def is_of_program() -> bool:
    """Whether a program asks the questions of this thread, and no reader waits for them."""
    return getattr(_run, "is_of_program", False)


@st.cache_resource(max_entries=3, show_spinner=False)
def connection(file: str) -> duckdb.DuckDBPyConnection:
    """The shared read-only connection to a publication; use cursors of it. Raises OtherVersion if other code built it."""
    return publications.connect(Path(file))


def publication() -> publications.Publication:
    """The publication this page shows. Raises Unpublished."""
    return publication_in(current_file())


@lru_cache(maxsize=8)
def publication_in(file: str) -> publications.Publication:
    with connection(file).cursor() as cursor:
        return publications.describe(cursor)


# ---------------------------------------------------------------- the user


@dataclass(frozen=True)
class SignIn:
    """The services of a sign-in mode: `resolve` the scope of a run, `offer` a file, `record` and list audit `events`,
    the `groups` of the person, and those of them that access.toml knows: `teams`.

    `ask_anew`: the next scope is not one that was resolved a moment ago. `refused`: record that an act was refused.
    """

    resolve: Callable[[], AccessScope]
    offer: Callable[[Path, str, dict[str, str | int]], str]
    record: Callable[..., None]
    events: Callable[[], tuple[list[Event], Verified | None]]
    groups: Callable[[], tuple[str, ...]] = tuple
    teams: Callable[[], tuple[str, ...]] = tuple
    hand_in_token: Callable[[], str] = str
    ask_anew: Callable[[], None] = lambda: None
    refused: Callable[[str], None] = lambda page: None


_sign_in: SignIn | None = None


def sign_in_with(sign_in: SignIn | None) -> None:
    """Set the sign-in services once per process; None in the mode `open`."""
    global _sign_in
    _sign_in = sign_in


def signs_in() -> bool:
    """Whether users sign in; False in the mode `open`."""
    return _sign_in is not None


def offer(path: Path, name: str, details: dict[str, str | int]) -> str:
    """The address at which the user can fetch the file `path` once, within five minutes. Only if users sign in."""
    if _sign_in is None:
        raise RuntimeError("files are offered where people sign in")
    return _sign_in.offer(path, name, details)


def audit_events() -> tuple[list[Event], Verified | None]:
    """The latest events of the audit log, and the outcome of its last verification. Raises AccessDenied unless a steward asks."""
    if _sign_in is None or access_scope().role != "steward":
        raise AccessDenied
    return _sign_in.events()


def groups() -> tuple[str, ...]:
    """The groups of the user at sign-in."""
    return _sign_in.groups() if _sign_in else ()


def hand_in_token() -> str:
    """The token of the page for the address of submissions; empty in the mode `open`."""
    return _sign_in.hand_in_token() if _sign_in else ""


def teams() -> tuple[str, ...]:
    """The groups of the user that access.toml knows."""
    fixed: tuple[str, ...] | None = getattr(_run, "teams", None)
    return fixed if fixed is not None else _sign_in.teams() if _sign_in else ()


def record(event: str, **more: str | int) -> None:
    """Record an event of the user in the audit log; the mode `open` has no users to record."""
    if _sign_in is not None:
        _sign_in.record(access_scope().sub, event, **more)


def access_scope() -> AccessScope:
    """The access scope of the user this thread works for. Raises AccessDenied if nobody is signed in."""
    fixed: AccessScope | None = getattr(_run, "scope", None)
    # In the mode `open` the one user of this machine may see everything.
    return fixed or (_sign_in.resolve() if _sign_in else ADMINISTRATOR)


def access_scope_now() -> AccessScope:
    """The access scope of the user at this moment, for an act. Raises AccessDenied."""
    if _sign_in is not None:
        _sign_in.ask_anew()
    return access_scope()


def record_refused(page: str) -> None:
    """Record that an act of the user on a page was refused for lack of rights."""
    if _sign_in is not None:
        _sign_in.refused(page)


@contextmanager
def acting_as(scope: AccessScope, teams: tuple[str, ...] | None = None) -> Iterator[None]:
    """Use a scope, and teams, in this thread: threads that we start have no session to resolve them from."""
    before = getattr(_run, "scope", None), getattr(_run, "teams", None)
    _run.scope, _run.teams = scope, teams
    try:
        yield
    finally:
        _run.scope, _run.teams = before
