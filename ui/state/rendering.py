"""When the parts of a page are drawn: deferred until the whole page is known, or again on their own as fragments.

A part is two functions: one makes a value and knows nothing of Streamlit, the other shows it. The pool makes the values of all
parts at once, so that a page waits for its slowest question and not for their sum; the script shows them in order. The filter
bar is such a part too, for its options are counted. The footer of a figure makes nothing: it comes after all figures, because
the browser takes longest to draw those.
"""

import threading
from collections.abc import Callable
from concurrent.futures import wait
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, cast

import streamlit as st

from etl.core.errors import AccessDenied
from etl.semantic.rights import AccessScope
from ui.data import page_run
from ui.streamlit_internals import DeltaGenerator, messages_held

_T = TypeVar("_T")
# What sends a part to the browser.
Send = Callable[[], None]
# Shows what a part has made; given a function that returns it, or raises what making it raised.
Show = Callable[[Callable[[], _T]], Send | None]

_run = threading.local()
# Seconds that finished parts wait for what the next one makes: a group sent while the browser draws charts delays them.
_PATIENCE = 0.3


def begin() -> None:
    """Start to collect deferred parts: a page run begins."""
    _run.waiting, _run.made = [], {}


def discard() -> None:
    """Drop the parts not drawn yet, and what was made: the page run ended, or an error ended it early."""
    _run.waiting, _run.made = None, {}


def made_once(value: _T) -> _T:
    """The equal value of this page run, if there is one already: it holds what is made of it."""
    if getattr(_run, "waiting", None) is None:
        # A fragment that runs on its own.
        return value
    return cast(_T, _all_made().setdefault(value, value))


def leave_out(value: object) -> None:
    """Count a value no more among what this page run has made: something else shows it."""
    _all_made().pop(value, None)


def made() -> list[Any]:
    """What this page run has made so far, or is about to make."""
    return [*_all_made()]


def _all_made() -> dict[Any, Any]:
    if not hasattr(_run, "made"):
        _run.made = {}
    return cast(dict[Any, Any], _run.made)


@dataclass(frozen=True)
class _Part:
    place: DeltaGenerator
    make: Callable[[], Any] | None
    show: Show[Any]
    first: bool = False


def defer(make: Callable[[], _T], show: Show[_T], place: DeltaGenerator | None = None, first: bool = False) -> None:
    """Reserve the place of a part here (or use `place`); in `flush` the pool makes it, and `show` shows it there.

    Parts that take the browser longest are shown `first`, wherever they are on the page. What `show` returns is called when all
    of its group are worked out, so that the browser lays them out once. In a fragment that runs on its own the part is made and
    shown at once.
    """
    _add(_Part(st.container() if place is None else place, make, show, first))


def after(show: Send, place: DeltaGenerator) -> None:
    """Show in `place` what asks nothing, as a closed footer, once the figures are sent: the browser draws those longest."""
    _add(_Part(place, None, lambda _: show()))


def flush() -> None:
    """Draw the deferred parts: those marked `first`, then the others in order, then what the first ones left for after."""
    waiting, _run.waiting = _run.waiting, []
    _draw_all([part for part in waiting if part.first])
    left, _run.waiting = _run.waiting, None
    # Their questions start only now, so that the first parts are sent to the browser without waiting for them.
    _draw_all([part for part in waiting if not part.first] + left)


def _add(part: _Part) -> None:
    if getattr(_run, "waiting", None) is None:
        _show_all([(part, _draw(part, part.make))])
    else:
        _run.waiting.append(part)


def _draw_all(parts: list[_Part]) -> None:
    made = [page_run.in_pool(part.make) if part.make else None for part in parts]
    # The browser renders the page again for every group of messages that arrives: in one group they cost a third.
    with messages_held() as send:
        drawn = []
        for part, future in zip(parts, made, strict=True):
            if future and wait([future], _PATIENCE).not_done:
                send()
            drawn.append((part, _draw(part, future.result if future else None)))
        _show_all(drawn)


def _draw(part: _Part, made: Callable[[], Any] | None) -> Send | None:
    with part.place:
        return part.show(made)  # type: ignore[arg-type]


def _show_all(drawn: list[tuple[_Part, Send | None]]) -> None:
    for part, send in drawn:
        if send:
            with part.place:
                send()


def fragment(draw: Callable[..., None]) -> Callable[..., None]:
    """`draw` as a part that reruns on its own while publication and rights are those that it was drawn under.

    Else the whole page reruns: a single part would mix two publications, read a deleted file, or show what rights that were
    withdrawn have given.
    """

    @st.fragment
    def again(file: str, rights: AccessScope | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if _rights() != rights or not page_run.resume(file):
            st.rerun()
        draw(*args, **kwargs)

    @wraps(draw)
    def drawn(*args: Any, **kwargs: Any) -> None:
        again(page_run.current_file(), _rights(), args, kwargs)

    return drawn


def _rights() -> AccessScope | None:
    """The rights of who looks now; None without any."""
    try:
        return page_run.access_scope()
    except AccessDenied:
        return None
