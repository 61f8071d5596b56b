"""The find address: `/find?q=…&lang=&publication=` gives the lines that a few words lead to as JSON, under the asker's rights.

It answers the shell's field (static/find.js) and nobody else: signed-in people, or without sign-in this machine alone.
What was typed is in no log and no error.
"""

import threading
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from etl.core.errors import Refused
from ui.data import page_run
from ui.find import reading, results
from ui.i18n import text
from ui.shell import asking, threads
from ui.shell.asking import Asker, Refusal
from ui.shell.requests import PRIVATE, base_path, language

PATH = "/find"


def routes() -> list[Route]:
    return [Route(base_path() + PATH, _respond, methods=["GET"])]


async def _respond(request: Request) -> Response:
    async def work(who: Asker) -> Response:
        found = partial(_found, request, who)
        return JSONResponse(await threads.while_wanted(request.receive, threads.QUESTIONS, found), headers=PRIVATE)

    return await asking.answered(request, asking.SEARCH, work)


def _found(request: Request, who: Asker, gone: threading.Event) -> dict[str, Any]:
    """What was typed leads to for who asks. Raises Refusal, AccessDenied, Unpublished."""
    lang, written = language(request.scope), request.query_params.get("q", "")
    if len(written) > reading.MOST_LETTERS:
        raise Refusal(400, text.word("find.too_long", lang, most=text.number(reading.MOST_LETTERS, lang)))
    try:
        with (
            page_run.acting_as(who.scope, who.teams),
            page_run.while_wanted(gone),
            page_run.pinned_as(request.query_params.get(page_run.PINNED, "")),
            page_run.reading(page_run.current_file()),
        ):
            return results.find(written, lang).as_json()
    except Refused:
        raise page_run.Unpublished from None
