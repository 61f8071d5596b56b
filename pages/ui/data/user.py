"""Who is looking: the access scope of the running session, asked for again by every run, fragment and callback."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from etl.core.errors import AccessDenied
from etl.semantic.access import ADMINISTRATOR, AccessScope

__all__ = ["AccessDenied", "AccessScope", "acting_as", "resolve_with", "scope"]

_thread = threading.local()


def _local() -> AccessScope:
    """In the mode `open` the one person on this machine may see everything."""
    return ADMINISTRATOR


_resolve: Callable[[], AccessScope] = _local


def resolve_with(resolve: Callable[[], AccessScope]) -> None:
    """Let `resolve` tell the scope of a session; called once a process, where people sign in."""
    global _resolve
    _resolve = resolve


def scope() -> AccessScope:
    """The scope of whoever this thread works for. Raises AccessDenied where nobody is signed in."""
    fixed: AccessScope | None = getattr(_thread, "scope", None)
    return fixed or _resolve()


@contextmanager
def acting_as(scope: AccessScope) -> Iterator[None]:
    """Work in this thread for somebody: a thread of its own knows no session."""
    before = getattr(_thread, "scope", None)
    _thread.scope = scope
    try:
        yield
    finally:
        _thread.scope = before
