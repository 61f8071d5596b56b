"""The find address: `/find?q=…&lang=&publication=` gives the lines that a few words lead to as JSON, under the asker's rights.

It answers the shell's field (static/find.js) and nobody else: signed-in people, or without sign-in this machine alone.
What was typed is in no log and no error.
"""

import threading
import time
from collections import deque
from typing import Any

from cachetools import LRUCache
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from etl.core.errors import AccessDenied, Refused
from etl.semantic.rights import ADMINISTRATOR, AccessScope
from ui.data import page_run
from ui.find import reading, results
from ui.i18n import text
from ui.shell import people, threads
from ui.shell.requests import PRIVATE, base_path, is_of_other_site, is_of_this_machine, language

PATH = "/find"
MOST_A_SECOND = 10
_MOST_PEOPLE = 10_000
# When each person last asked, the latest last.
_asked: LRUCache[str, deque[float]] = LRUCache(_MOST_PEOPLE)
_lock = threading.Lock()


class _Refused(Exception):
    """A request that is not answered: its status, and the key of its sentence."""

    def __init__(self, status: int, key: str) -> None:
        super().__init__(key)
        self.status, self.key = status, key


def routes() -> list[Route]:
    return [Route(base_path() + PATH, _respond, methods=["GET"])]


async def _respond(request: Request) -> Response:
    lang = language(request.scope)
    try:
        written = _written(request)
        found = await threads.while_wanted(
            request.receive, threads.QUESTIONS, lambda gone: _found(request, written, lang, gone)
        )
        return JSONResponse(found, headers=PRIVATE)
    except threads.Gone:
        # Nobody reads it.
        return Response(status_code=499, headers=PRIVATE)
    except _Refused as refused:
        sentence = text.word(refused.key, lang, most=text.number(reading.MOST_LETTERS, lang))
        wait = {"Retry-After": "1"} if refused.status == 429 else {}
        return PlainTextResponse(f"{sentence}\n", refused.status, PRIVATE | wait)


def _written(request: Request) -> str:
    """What was typed. Raises _Refused where it is too long, or another site asks."""
    if is_of_other_site(request.headers):
        raise _Refused(403, "data.other_site")
    written = request.query_params.get("q", "")
    if len(written) > reading.MOST_LETTERS:
        raise _Refused(400, "find.too_long")
    return written


def _found(request: Request, written: str, lang: str, gone: threading.Event) -> dict[str, Any]:
    """What the text leads to for the person of a request. Raises _Refused."""
    scope, teams = _asker(request)
    _count(scope.sub)
    try:
        with (
            page_run.acting_as(scope, teams),
            page_run.while_wanted(gone),
            page_run.pinned_as(request.query_params.get(page_run.PINNED, "")),
            page_run.reading(page_run.current_file()),
        ):
            return results.find(written, lang).as_json()
    except AccessDenied:
        raise _Refused(403, "data.denied") from None
    except (page_run.Unpublished, Refused):
        raise _Refused(503, "data.unpublished") from None


def _asker(request: Request) -> tuple[AccessScope, tuple[str, ...]]:
    """The scope and the teams of who asks. Raises _Refused."""
    if people.mode() == "open":
        if not is_of_this_machine(request):
            raise _Refused(403, "data.this_machine")
        return ADMINISTRATOR, ()
    person = request.scope.get("person")
    if person is None:
        raise _Refused(401, "sign_in.needed")
    return people.scope_of(person), people.teams_of(person)


def _count(who: str) -> None:
    """Count a request of a person. Raises _Refused where there were too many in this second."""
    now = time.monotonic()
    with _lock:
        times = _asked.setdefault(who, deque(maxlen=MOST_A_SECOND))
        if len(times) == MOST_A_SECOND and now - times[0] < 1:
            raise _Refused(429, "find.too_many")
        times.append(now)
