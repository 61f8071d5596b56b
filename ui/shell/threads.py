"""Threads for what must not wait for each other: checks of sessions, data questions, and the answers that these ask for.

Starlette's own forty threads are left to files and pages.
"""

import threading
from collections.abc import Callable
from typing import TypeVar

import anyio
from anyio.lowlevel import RunVar
from anyio.to_thread import run_sync
from starlette.types import Receive

_T = TypeVar("_T")
SESSIONS, QUESTIONS, ANSWERS, FILES = "sessions", "questions", "answers", "files"
_MOST = {SESSIONS: 8, QUESTIONS: 4, ANSWERS: 4, FILES: 8}
# A limiter belongs to an event loop.
_limiters = {kind: RunVar[anyio.CapacityLimiter](f"threads of {kind}") for kind in _MOST}


async def run(kind: str, work: Callable[[], _T]) -> _T:
    """The result of `work` in a thread of a kind, once one is free."""
    return await run_sync(work, limiter=_limiter(kind))


def _limiter(kind: str) -> anyio.CapacityLimiter:
    try:
        return _limiters[kind].get()
    except LookupError:
        limiter = anyio.CapacityLimiter(_MOST[kind])
        _limiters[kind].set(limiter)
        return limiter


async def run_within(kind: str, seconds: float, work: Callable[[], _T]) -> _T | None:
    """As `run`, or None where it takes longer: it then goes on, and nobody waits for it."""
    with anyio.move_on_after(seconds):
        return await run_sync(work, limiter=_limiter(kind), abandon_on_cancel=True)
    return None


class Gone(Exception):
    """The client of a request hung up."""


async def while_wanted(receive: Receive, kind: str, work: Callable[[threading.Event], _T]) -> _T:
    """As `run`, while the client of a request waits. Raises Gone.

    When it hangs up, `work` does not begin, or sees the event that it is given set, and ends by itself.
    """
    gone, results, errors = threading.Event(), list[_T](), list[Exception]()
    async with anyio.create_task_group() as group:

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            gone.set()
            group.cancel_scope.cancel()

        group.start_soon(watch)
        # The group would wrap it.
        try:
            results.append(await run(kind, lambda: work(gone)))
        except Exception as error:
            errors.append(error)
        group.cancel_scope.cancel()
    if errors:
        raise errors[0]
    if not results:
        raise Gone
    return results[0]
