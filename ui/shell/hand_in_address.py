"""The address of submissions: drafts, files streamed to the disk in pieces, and having them checked and submitted, as JSON.

Every change needs the site's own Origin, and where people sign in the token of the page. Without sign-in it serves this
machine alone. Faults are a status and one sentence.
"""

import hmac
import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from etl.core.errors import Refused
from etl.extract.causes import in_language
from etl.extract.contract import TABLES
from etl.operations import audit
from etl.semantic.rights import ADMINISTRATOR
from etl.submissions import desk as steps
from etl.submissions import rows_file
from etl.submissions.desk import Desk, Person
from etl.submissions.originals import PIECE, Receiving
from etl.submissions.records import Submission
from etl.submissions.refusals import Declined
from ui.data import stores, submissions
from ui.exports.job import FORMS
from ui.i18n import text
from ui.shell import people, threads
from ui.shell.requests import PRIVATE, authority, base_path, is_of_other_site, is_of_this_machine, language

PATH = "/hand-in"
TOKEN = "x-hand-in"
_MOST_JSON = 64 << 10


class _Refused(Exception):
    """A request that is not answered: its status and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


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
    lang = language(request.scope)
    try:
        person = _person(request, lang)
        return await handler(request, person, submissions.desk(), lang)
    except ClientDisconnect:
        return Response(status_code=499, headers=PRIVATE)
    except Declined as declined:
        refusal = _Refused(declined.status, in_language(str(declined), lang))
    except Refused as refused:
        refusal = _Refused(409, in_language(str(refused).splitlines()[0], lang))
    except OSError as error:
        # Nothing is done unlogged.
        refusal = _Refused(503, stores.sentence(error, lang))
    except _Refused as error:
        refusal = error
    return PlainTextResponse(f"{refusal}\n", refusal.status, PRIVATE)


def _person(request: Request, lang: str) -> Person:
    """Who asks, and that a change comes from a page of this site. Raises _Refused."""
    is_change = request.method not in ("GET", "HEAD")
    if is_of_other_site(request.headers):
        raise _Refused(403, text.word("data.other_site", lang))
    if is_change and authority(request.headers.get("origin", "")) != request.headers.get("host"):
        raise _Refused(403, text.word("state.foreign_origin", lang))
    if people.mode() == "open":
        if not is_of_this_machine(request):
            raise _Refused(403, text.word("data.this_machine", lang))
        return Person(ADMINISTRATOR.sub, ADMINISTRATOR, is_alone=True)
    person: people.Person | None = request.scope.get("person")
    if person is None:
        raise _Refused(401, text.word("data.who", lang))
    if is_change and not hmac.compare_digest(
        request.headers.get(TOKEN, "").encode(), people.hand_in_token(person).encode()
    ):
        raise _Refused(403, text.word("data.other_site", lang))

    def note(event: str, **more: str | int) -> None:
        audit.record(people.audit_folder(), person.sub, event, **more, **person.client)

    return Person(person.sub, people.scope_of(person), note, person.groups, name=person.name)


async def _json(request: Request, lang: str) -> dict[str, Any]:
    """The body of a request. Raises _Refused."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST_JSON:
            raise _Refused(413, text.word("data.too_large", lang))
    try:
        content = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise _Refused(400, text.word("hand_in.no_json", lang))
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
        await _run(lambda: desk.keep(person, ident, number, received))
    finally:
        received.close()
    return Response(status_code=204, headers=PRIVATE)


def _number(request: Request, lang: str) -> int:
    written = request.path_params["file"]
    if not (written.isascii() and written.isdecimal() and len(written) < 6):
        raise _Refused(404, text.word("hand_in.unknown", lang))
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
        raise _Refused(404, text.word("hand_in.unknown", lang)) from None


async def _template(request: Request, person: Person, desk: Desk, lang: str) -> Response:
    table, province = request.path_params["table"], request.query_params.get("province", "")
    if table not in TABLES or province not in person.provinces:
        raise _Refused(404, text.word("hand_in.unknown", lang))

    disposition = {"Content-Disposition": f'attachment; filename="{table}_{province}.xlsx"'}
    content = await _run(lambda: submissions.template_of(table, province, person.scope))
    return Response(content, media_type=FORMS["xlsx"], headers=PRIVATE | disposition)


# ---------------------------------------------------------------- steps


async def _step(request: Request, person: Person, desk: Desk, lang: str) -> Response:
    ident, given = request.path_params["id"], await _json(request, lang)
    reasons = given.get("reasons") or {}
    taken: dict[str, Callable[[], Submission]] = {
        "submit": lambda: desk.submit(person, ident, reasons if isinstance(reasons, dict) else {}),
        "stop": lambda: desk.stop(person, ident),
        "check": lambda: desk.check(person, ident),
    }
    if request.path_params["step"] not in taken:
        raise _Refused(404, text.word("hand_in.unknown", lang))
    done: Submission = await _run(taken[request.path_params["step"]])
    return JSONResponse({"state": done.state}, 202 if done.state == "checking" else 200, PRIVATE)


async def _nothing(_request: Request, _person: Person, _desk: Desk, lang: str) -> Response:
    raise _Refused(404, text.word("hand_in.unknown", lang))


def _plain(name: str) -> str:
    return "".join(sign for sign in name if sign.isascii() and (sign.isalnum() or sign in "-_"))
