"""Who is looking: the access scope of the running session, asked for again by every run, fragment and callback."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from etl.core.errors import AccessDenied
from etl.operations.audit import Event
from etl.semantic.access import ADMINISTRATOR, AccessScope

__all__ = ["AccessDenied", "AccessScope", "acting_as", "scope"]

_thread = threading.local()


def _local() -> AccessScope:
    """In the mode `open` the one person on this machine may see everything."""
    return ADMINISTRATOR


@dataclass(frozen=True)
class SignIn:
    """What is done where people sign in: `resolve` a run's scope, `offer` a file, `record` and read `events` of the audit log."""

    resolve: Callable[[], AccessScope]
    offer: Callable[[Path, str, dict[str, str | int]], str]
    record: Callable[..., None]
    events: Callable[[], tuple[list[Event], list[str]]]


_sign_in: SignIn | None = None


def begin(sign_in: SignIn | None) -> None:
    """Called once a process, where people sign in; None is the mode `open`."""
    global _sign_in
    _sign_in = sign_in


def signs_in() -> bool:
    """Whether people sign in; else this is the mode `open`."""
    return _sign_in is not None


def offer(path: Path, name: str, details: dict[str, str | int]) -> str:
    """The address at which whoever looks can fetch the file `path` once, within five minutes; only where people sign in."""
    if _sign_in is None:
        raise RuntimeError("files are offered where people sign in")
    return _sign_in.offer(path, name, details)


def events() -> tuple[list[Event], list[str]]:
    """The latest events of the audit log, and what is wrong with its chain. Raises AccessDenied for all but stewards."""
    if _sign_in is None or scope().role != "steward":
        raise AccessDenied
    return _sign_in.events()


def record(event: str, **more: str | int) -> None:
    """Note what whoever looks does in the audit log; in the mode `open` there is nobody to note."""
    if _sign_in is not None:
        _sign_in.record(scope().sub, event, **more)


def scope() -> AccessScope:
    """The scope of whoever this thread works for. Raises AccessDenied where nobody is signed in."""
    fixed: AccessScope | None = getattr(_thread, "scope", None)
    return fixed or (_sign_in.resolve() if _sign_in else _local())


@contextmanager
def acting_as(scope: AccessScope) -> Iterator[None]:
    """Work in this thread for somebody: a thread of its own knows no session."""
    before = getattr(_thread, "scope", None)
    _thread.scope = scope
    try:
        yield
    finally:
        _thread.scope = before
