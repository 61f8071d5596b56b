"""Access control for every request: without a session only the sign-in page, without rights a page that says whom to ask.

Sockets, files, uploads, component files and counters are refused before Streamlit sees them. In the mode `open`, which
serves this machine only, every request passes.
"""

import json
import time
from collections.abc import Iterable, MutableMapping
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config
from streamlit.user_info import generate_login_redirect_url

from etl.operations import audit
from etl.operations.sessions import LONGEST_SECONDS, Offer
from ui.data import user
from ui.shell import people, sign_in_page
from ui.shell.people import Person
from ui.shell.requests import CLOSE_SOCKET, base_path

# Served without a session: what the sign-in page needs, and the health checks. None shows data of the register.
_OPEN = ("/auth/login", "/auth/logout", "/oauth2callback", "/sign-in", "/healthz", "/readyz", "/_stcore/health")
_OPEN_FOLDERS = ("/static/", "/app/static/")
# Never answered with a page.
_CLOSED_FOLDERS = ("/_stcore/", "/media/", "/files/", "/component/", "/metrics")
_PRIVATE = {"Cache-Control": "private, no-store"}
_STREAMLIT_COOKIES = (b"_streamlit_user",)
# How often an open socket checks that its session is still valid.
_ASK_AGAIN_SECONDS = 5.0
_PROVIDER_SECONDS = 5.0


class Gate:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or people.mode() == "open":
            await self.app(scope, receive, send)
            return
        path = _path(scope)
        connection = HTTPConnection(scope)
        person = people.who(connection)
        _clear(scope)
        try:
            refusal = await run_in_threadpool(_refusal, person)
            if path == "/auth/logout" and person:
                await run_in_threadpool(_end, person)
        except OSError:
            # The shared sessions cannot be read: nobody is let in without knowing whether they signed out.
            refusal = "unknown"
        is_open = (
            path in _OPEN or path.startswith(_OPEN_FOLDERS) or (path == "/metrics" and _is_this_machine(connection))
        )
        if refusal == "unknown" and (path == "/auth/logout" or not is_open):
            page = sign_in_page.with_link("sessions_unknown", "/", "again")
            await _refuse(scope, receive, send, page, 503)
        elif is_open:
            await self.app(scope, receive, _short_lived(send))
        elif refusal or person is None:
            await _refuse(scope, receive, send, sign_in_page.signed_out(refusal), 401)
        elif people.scope_of(person).role == "none":
            page = sign_in_page.without_rights(person, people.table())
            await _refuse(scope, receive, send, page, 403)
        else:
            people.remember(person)
            scope["headers"] = [*scope["headers"], (people.SESSION_HEADER.encode(), person.key.encode())]
            scope["person"] = person
            guarded = _while_open(person, receive, send) if scope["type"] == "websocket" else receive
            await self.app(scope, guarded, send)


def _is_this_machine(connection: HTTPConnection) -> bool:
    """Whether a request comes directly from this machine, like that of Prometheus, and not through the proxy.

    The proxy passes on the name of the site: with a local name no socket would open (allowed_hosts). One of several hosts
    listens on an address of its own, which no other machine can send from.
    """
    client = connection.client.host if connection.client else ""
    local = {*people.LOCAL, config.get_option("server.address")}
    forwarded = {"forwarded", "x-forwarded-for", "x-real-ip"} & set(connection.headers)
    return client in local and connection.url.hostname in local and not forwarded


def routes() -> list[Route]:
    """The routes to the identity provider and to offered files."""
    base = base_path()
    return [Route(f"{base}/sign-in", _sign_in), Route(f"{base}/files/{{token}}", _file)]


def offer(path: Path, name: str, details: dict[str, str | int]) -> str:
    """The address, relative to a page, at which the user can fetch the file `path` once, within five minutes."""
    scope = user.scope()
    token = people.sessions().offer(
        Offer(scope.sub, path, name, json.dumps(details | audit.rights(scope))), time.time()
    )
    return f"{base_path()}/files/{token}"


def begin() -> dict[str, Any]:
    """Start sign-in, once per process: from then on pages resolve the scope of the signed-in user. Raises Faulty."""
    secrets = people.begin()
    record = partial(audit.record, people.audit_folder())
    user.begin(None if people.mode() == "open" else user.SignIn(people.scope_of_run, offer, record, _events))
    return secrets


def _events() -> tuple[list[audit.Event], list[str]]:
    return audit.events(people.audit_folder()), audit.verify(people.audit_folder())


def _refusal(person: Person | None) -> str:
    if person is None:
        return "nobody"
    refusal = people.refusal(person, time.time())
    if refusal == "new":
        scope = people.scope_of(person)
        event = "refused" if scope.role == "none" else "sign_in"
        audit.record(people.audit_folder(), person.sub, event, **audit.rights(scope))
        return ""
    return refusal


def _end(person: Person) -> None:
    people.sessions().end(person.key, time.time())
    people.forget(person.key)
    audit.record(people.audit_folder(), person.sub, "sign_out")


async def _sign_in(_: Request) -> Response:
    """Redirect to the identity provider; an error page if it does not answer."""
    if people.mode() != "oidc":
        return RedirectResponse(f"{base_path()}/")
    address = people.secrets()["auth"].get("server_metadata_url", "")
    try:
        async with httpx.AsyncClient(timeout=_PROVIDER_SECONDS) as client:
            (await client.get(address)).raise_for_status()
    except httpx.HTTPError:
        return HTMLResponse(sign_in_page.with_link("provider_down", "/sign-in", "again"), 504, _PRIVATE)
    return RedirectResponse(generate_login_redirect_url("default"), headers=_PRIVATE)


async def _file(request: Request) -> Response:
    person: Person | None = request.scope.get("person")
    if person is None:
        return PlainTextResponse("", 404)
    offered = await run_in_threadpool(people.sessions().take, request.path_params["token"], person.sub, time.time())
    if not isinstance(offered, Offer):
        status = 403 if offered == "foreign" else 404
        if status == 403:
            audit.record(people.audit_folder(), person.sub, "refused", why="file of another person", status=status)
        return PlainTextResponse(sign_in_page.gone(), status, _PRIVATE)
    audit.record(people.audit_folder(), person.sub, "export", **json.loads(offered.audit_details))
    return FileResponse(
        offered.path,
        filename=offered.name,
        headers=_PRIVATE | {"X-Content-Type-Options": "nosniff"},
        background=BackgroundTask(offered.path.unlink, missing_ok=True),
    )


async def _refuse(scope: Scope, receive: Receive, send: Send, page: str, status: int) -> None:
    if scope["type"] == "websocket":
        await send(CLOSE_SOCKET)
        return
    wants_page = "text/html" in Headers(scope=scope).get("accept", "") and not _path(scope).startswith(_CLOSED_FOLDERS)
    answer: Response = HTMLResponse(page, status, _PRIVATE) if wants_page else PlainTextResponse("", status, _PRIVATE)
    await answer(scope, receive, send)


def _clear(scope: MutableMapping[str, Any]) -> None:
    """Remove headers that only the gate or the proxy may set: a client could forge them."""
    ours = {people.SESSION_HEADER, people.USER_HEADER, people.GROUPS_HEADER, people.SECRET_HEADER}
    scope["headers"] = [(name, value) for name, value in scope["headers"] if name.decode("latin-1").lower() not in ours]


def _while_open(person: Person, receive: Receive, send: Send) -> Receive:
    """A `receive` that closes the socket when the session ends."""
    checked_at = time.monotonic()

    async def guarded() -> Message:
        nonlocal checked_at
        message = await receive()
        if message["type"] == "websocket.receive" and time.monotonic() - checked_at > _ASK_AGAIN_SECONDS:
            checked_at = time.monotonic()
            try:
                refusal = await run_in_threadpool(_refusal, person)
            except OSError:
                refusal = "unknown"
            if refusal:
                people.forget(person.key)
                await send(CLOSE_SOCKET)
                return {"type": "websocket.disconnect", "code": 1008}
        return message

    return guarded


def _short_lived(send: Send) -> Send:
    """Shorten Streamlit's sign-in cookies to the longest session (from thirty days) and mark them Secure."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = list(_cookies(message.get("headers", ())))
        await send(message)

    return sent


def _cookies(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[bytes, bytes]]:
    for name, value in headers:
        if name.lower() == b"set-cookie" and value.startswith(_STREAMLIT_COOKIES):
            parts = [part for part in value.split(b"; ") if not part.lower().startswith(b"expires=")]
            parts = [
                b"Max-Age=%d" % LONGEST_SECONDS
                if part.lower().startswith(b"max-age=") and part.lower() != b"max-age=0"
                else part
                for part in parts
            ]
            value = b"; ".join([*parts, b"Secure"])
        yield name, value


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(base_path()) or "/"
