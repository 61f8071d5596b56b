"""When the parts of a page are drawn: deferred until the whole page is known, or again on their own as fragments.

The questions of deferred parts run concurrently, so that a page waits for its slowest question and not for their sum.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any

import streamlit as st

from ui.data import page_run
from ui.streamlit_internals import DeltaGenerator, messages_held

_run = threading.local()
# Seconds that finished parts wait for the answers of the next one: a group sent while the browser draws charts delays them.
_PATIENCE = 0.3


def begin() -> None:
    """Start to collect deferred parts: a page run begins."""
    _run.waiting = []


def discard() -> None:
    """Drop the parts not drawn yet: the page run ended, or an error ended it early."""
    _run.waiting = None


@dataclass(frozen=True)
class _Part:
    place: DeltaGenerator
    draw: Callable[[], Callable[[], None] | None]
    ready: Callable[[], object] | None
    first: bool


def defer(
    draw: Callable[..., Callable[[], None] | None],
    *args: Any,
    place: DeltaGenerator | None = None,
    ready: Callable[[], object] | None = None,
    first: bool = False,
) -> None:
    """Reserve the place of a part here (or use `place`) and draw it in `flush`, so that all questions run concurrently.

    `ready` asks what the part will need; only the cached answers matter, its result is ignored. Parts that take the browser
    longest are drawn `first`, wherever they are on the page. `draw` shows the part, or returns what shows it: such parts are
    shown together, so that the browser lays them out once. In a fragment that runs on its own the part is drawn at once.
    """
    part = _Part(st.container() if place is None else place, partial(draw, *args), ready, first)
    if getattr(_run, "waiting", None) is None:
        _show_all([(part, _draw(part, None))])
    else:
        _run.waiting.append(part)


def flush() -> None:
    """Draw the deferred parts: those marked `first`, then the others in order, then those that the first ones deferred."""
    waiting, _run.waiting = _run.waiting, []
    _draw_all([part for part in waiting if part.first])
    after, _run.waiting = _run.waiting, None
    # Their questions start only now, so that the first parts are sent to the browser without waiting for them.
    _draw_all([part for part in waiting if not part.first] + after)


def _draw_all(parts: list[_Part]) -> None:
    answered = [page_run.prefetch(part.ready) if part.ready else None for part in parts]
    # The browser renders the page again for every group of messages that arrives: in one group they cost a third.
    with messages_held() as send:
        drawn = []
        for part, future in zip(parts, answered, strict=True):
            # A part that asks only while it is drawn may take long.
            if not future or wait([future], _PATIENCE).not_done:
                send()
            drawn.append((part, _draw(part, future)))
        _show_all(drawn)


def _show_all(drawn: list[tuple[_Part, Callable[[], None] | None]]) -> None:
    for part, show in drawn:
        if show:
            with part.place:
                show()


def _draw(part: _Part, answered: Future[object] | None) -> Callable[[], None] | None:
    if answered:
        # Errors in prefetch are raised again when the part renders.
        wait([answered])
    with part.place:
        return part.draw()


def fragment(draw: Callable[..., None]) -> Callable[..., None]:
    """`draw` as a part that reruns on its own while the publication it was drawn from is the latest.

    After a new publication the whole page reruns: a single part would mix two publications, or read a deleted file.
    """

    @st.fragment
    def again(file: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not page_run.resume(file):
            st.rerun()
        draw(*args, **kwargs)

    @wraps(draw)
    def drawn(*args: Any, **kwargs: Any) -> None:
        again(page_run.current_file(), args, kwargs)

    return drawn
