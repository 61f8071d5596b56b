"""The current user: the access scope of the session, resolved again for every run, fragment and callback."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from etl.core.errors import AccessDenied
from etl.operations.audit import Event, Verified
from etl.semantic.rights import ADMINISTRATOR, AccessScope

_thread = threading.local()


@dataclass(frozen=True)
class SignIn:
    """The services of a sign-in mode: `resolve` the scope of a run, `offer` a file, `record` and list audit `events`,
    the `groups` of the person, and those of them that access.toml knows: `teams`."""

    resolve: Callable[[], AccessScope]
    offer: Callable[[Path, str, dict[str, str | int]], str]
    record: Callable[..., None]
    events: Callable[[], tuple[list[Event], Verified | None]]
    groups: Callable[[], tuple[str, ...]] = tuple
    teams: Callable[[], tuple[str, ...]] = tuple


_sign_in: SignIn | None = None


def begin(sign_in: SignIn | None) -> None:
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


def events() -> tuple[list[Event], Verified | None]:
    """The latest events of the audit log, and the outcome of its last verification. Raises AccessDenied unless a steward asks."""
    if _sign_in is None or scope().role != "steward":
        raise AccessDenied
    return _sign_in.events()


def groups() -> tuple[str, ...]:
    """The groups of the user at sign-in."""
    return _sign_in.groups() if _sign_in else ()


def teams() -> tuple[str, ...]:
    """The groups of the user that access.toml knows."""
    return _sign_in.teams() if _sign_in else ()


def record(event: str, **more: str | int) -> None:
    """Record an event of the user in the audit log; the mode `open` has no users to record."""
    if _sign_in is not None:
        _sign_in.record(scope().sub, event, **more)


def scope() -> AccessScope:
    """The access scope of the user this thread works for. Raises AccessDenied if nobody is signed in."""
    fixed: AccessScope | None = getattr(_thread, "scope", None)
    # In the mode `open` the one user of this machine may see everything.
    return fixed or (_sign_in.resolve() if _sign_in else ADMINISTRATOR)


@contextmanager
def acting_as(scope: AccessScope) -> Iterator[None]:
    """Use a scope in this thread: threads that we start have no session to resolve it from."""
    before = getattr(_thread, "scope", None)
    _thread.scope = scope
    try:
        yield
    finally:
        _thread.scope = before
