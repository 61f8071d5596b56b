"""The address of submissions: drafts, files streamed to the disk in pieces, and having them checked and submitted, as JSON.

Every change needs the site's own Origin, and where people sign in the token of the page. Without sign-in it serves this
machine alone. Faults are a status and one sentence.
"""

import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from etl.extract.contract import TABLES
from etl.submissions import desk as steps
from etl.submissions import rows_file
from etl.submissions.desk import Desk, Person
from etl.submissions.originals import PIECE, Receiving
from etl.submissions.records import Submission
from ui.data import submissions
from ui.exports.job import FORMS
from ui.i18n import text
from ui.shell import asking, threads
from ui.shell.asking import Asker, Refusal
from ui.shell.requests import PRIVATE, base_path, language

PATH = "/hand-in"
_MOST_JSON = 64 << 10


_Handler = Callable[[Request, Person, Desk, str], Awaitable[Response]]


def routes() -> list[Route]:
    base = base_path() + PATH
    return [
        Route(path, partial(_respond, handler), methods=methods)
        for path, handler, methods in (
            (base, _open, ["POST"]),
            (f"{base}/template/{{table}}.xlsx", _template, ["GET"]),
            (f"{base}/{{id}}", _show, ["GET"]),
            (f"{base}/{{id}}/rows.xlsx", _rows, ["GET"]),
            (f"{base}/{{id}}/{{step}}", _step, ["POST"]),
            (f"{base}/{{id}}/{{file}}", _put, ["PUT"]),
            (f"{base}/{{path:path}}", _nothing, ["GET", "POST", "PUT"]),
        )
    ]


async def _respond(handler: _Handler, request: Request) -> Response:
    wants = asking.LOOK if request.method in ("GET", "HEAD") else asking.CHANGE

    async def work(who: Asker) -> Response:
        return await handler(request, who.person(), submissions.desk(), language(request.scope))

    return await asking.answered(request, wants, work)


async def _json(request: Request, lang: str) -> dict[str, Any]:
    """The body of a request. Raises Refusal."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST_JSON:
            raise Refusal(413, text.word("hand_in.long_json", lang))
    try:
        content = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise Refusal(400, text.word("hand_in.no_json", lang))
    return content


async def _run(work: Callable[[], Any]) -> Any:
    return await threads.run(threads.FILES, work)


# ---------------------------------------------------------------- clerks


async def _open(request: Request, person: Person, desk: Desk, lang: str) -> Response:
    given = await _json(request, lang)
    made = await _run(lambda: desk.open(person, given.get("province"), given.get("month")))
    return JSONResponse({"draft": made.id}, 201, PRIVATE)


async def _put(request: Request, person: Person, desk: Desk, lang: str) -> Response:
    ident, number = request.path_params["id"], _number(request, lang)
    written = request.headers.get("content-length", "")
    length = int(written) if written.isascii() and written.isdecimal() else None
    name = request.query_params.get("name", "")
    received: Receiving = await _run(lambda: desk.receive(person, ident, number, name, length))
    try:
        piece = bytearray()
        async for part in request.stream():
            piece += part
            if len(piece) >= PIECE:
                await _run(partial(received.write, bytes(piece)))
                piece.clear()
        await _run(partial(received.write, bytes(piece)))
        who = await threads.run(threads.SESSIONS, partial(asking.again, request, asking.CHANGE))
        await _run(lambda: desk.keep(who.person(), ident, number, received))
    finally:
        received.close()
    return Response(status_code=204, headers=PRIVATE)


def _number(request: Request, lang: str) -> int:
    written = request.path_params["file"]
    if not (written.isascii() and written.isdecimal() and len(written) < 6):
        raise Refusal(404, text.word("hand_in.unknown", lang))
    return int(written)


async def _show(request: Request, person: Person, desk: Desk, lang: str) -> Response:
    def shown() -> dict[str, Any]:
        found = desk.look(person, request.path_params["id"])
        submissions.go_on(found)
        return steps.content(desk, found, lang)

    return JSONResponse(await _run(shown), headers=PRIVATE)


async def _rows(request: Request, person: Person, desk: Desk, lang: str) -> Response:
    def made() -> bytes:
        found = desk.look(person, request.path_params["id"])
        # The rows themselves go to who handed them in.
        content = rows_file.workbook(desk.root, found, person.is_alone or person.sub in found.hands, lang)
        person.note("export", form="xlsx", province=found.province, submission=found.id)
        return content

    disposition = {"Content-Disposition": f'attachment; filename="{_plain(request.path_params["id"])}.xlsx"'}
    try:
        return Response(await _run(made), media_type=FORMS["xlsx"], headers=PRIVATE | disposition)
    except FileNotFoundError:
        raise Refusal(404, text.word("hand_in.unknown", lang)) from None


async def _template(request: Request, person: Person, desk: Desk, lang: str) -> Response:
    table, province = request.path_params["table"], request.query_params.get("province", "")
    if table not in TABLES or province not in person.provinces:
        raise Refusal(404, text.word("hand_in.unknown", lang))

    disposition = {"Content-Disposition": f'attachment; filename="{table}_{province}.xlsx"'}
    content = await _run(lambda: submissions.template_of(table, province, person.scope))
    return Response(content, media_type=FORMS["xlsx"], headers=PRIVATE | disposition)


# ---------------------------------------------------------------- steps


async def _step(request: Request, person: Person, desk: Desk, lang: str) -> Response:
    ident, given = request.path_params["id"], await _json(request, lang)
    reasons, confirmed = (
        named if isinstance(named := given.get(name), dict) else {} for name in ("reasons", "confirmed")
    )
    taken: dict[str, Callable[[], Submission]] = {
        "submit": lambda: desk.submit(person, ident, reasons, confirmed),
        "stop": lambda: desk.stop(person, ident),
        "check": lambda: desk.check(person, ident),
    }
    if request.path_params["step"] not in taken:
        raise Refusal(404, text.word("hand_in.unknown", lang))
    done: Submission = await _run(taken[request.path_params["step"]])
    return JSONResponse({"state": done.state}, 202 if done.state == "checking" else 200, PRIVATE)


async def _nothing(_request: Request, _person: Person, _desk: Desk, lang: str) -> Response:
    raise Refusal(404, text.word("hand_in.unknown", lang))


def _plain(name: str) -> str:
    return "".join(sign for sign in name if sign.isascii() and (sign.isalnum() or sign in "-_"))
