"""Access control for every request: without a session only the sign-in page, without rights a page that says whom to ask.

Sockets, files, uploads, component files and counters are refused before Streamlit sees them. In the mode `open`, which
serves this machine only, every request passes.
"""

import json
import re
import time
from collections import Counter
from collections.abc import Iterable, MutableMapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import streamlit as st
from starlette.background import BackgroundTask
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from etl.core.errors import AccessDenied
from etl.operations import audit
from ui import streamlit_internals
from ui.access.sessions import LONGEST_SECONDS, Offer
from ui.data import page_run, stores
from ui.i18n import navigation, text
from ui.shell import people, refusals, sign_in_page, threads
from ui.shell.people import Person
from ui.shell.requests import CLOSE_SOCKET, base_path, language

# Served without a session: what the sign-in page needs, the health checks, and which publication is the latest. None shows data
# of the register.
_OPEN = (
    "/auth/login", "/oauth2callback", "/sign-in", "/sign-out", "/healthz", "/readyz", "/publication.json", "/_stcore/health",
)  # fmt: skip
_OPEN_FOLDERS = ("/static/", "/app/static/")
# Asked by the scripts of pages and by programs: answered with a sentence, never with a page.
_SCRIPTED = re.compile(r"/find|/(hand-in|data)(/.*)?")
# Never answered with a page.
_CLOSED_FOLDERS = ("/_stcore/", "/media/", "/files/", "/component/", "/metrics")
# Of Streamlit, and used by no page: uploads stay in memory, the agent runs pages, and its sign-out is a GET with the token in
# the address.
_SHUT = ("/_stcore/upload_file", "/_stcore/agent", "/auth/logout")
_PRIVATE = {"Cache-Control": "private, no-store"}
# What a browser deletes at sign-out, besides these cookies; "cookies" would be those of the whole domain, the provider's too.
_CLEARED = '"storage"'
# So many sockets a person may have open at a process: an open page has one. Behind a proxy all people have one address, so
# nginx cannot count them.
MOST_SOCKETS = 20
# How often an open socket checks that its session is still valid.
_ASK_AGAIN_SECONDS = 5.0
_PROVIDER_SECONDS = 5.0
# Why a file is refused, in the audit log.
_WHY = {"foreign": "file of another person", "changed": "file of earlier rights"}


class Gate:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        # How many are open, by account.
        self._sockets: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        path = _path(scope)
        if path.startswith(_SHUT):
            await _refuse(scope, receive, send, "", 404)
            return
        if people.mode() == "open":
            await self.app(scope, receive, send)
            return
        scope["headers"] = list(_unprefixed(scope["headers"]))
        connection = HTTPConnection(scope)
        person = people.who(connection)
        is_open = (
            path in _OPEN or path.startswith(_OPEN_FOLDERS) or (path == "/metrics" and _is_this_machine(connection))
        )
        refusal = ""
        try:
            if person is None and (pretence := people.forgery(connection)):
                await threads.run(
                    threads.SESSIONS, partial(refusals.note, refusals.UNKNOWN, pretence, people.client(connection))
                )
            # What is open waits for no check.
            if not is_open:
                refusal = await threads.run(threads.SESSIONS, partial(_refusal, person)) if person else "nobody"
        except OSError as error:
            stores.note(error)
            # Sessions or the audit log are out of reach: nobody is let in unlogged, or without knowing whether they signed out.
            refusal = "unknown"
        _clear(scope)
        # The data address looks for a token itself, and answers programs, not browsers.
        is_data = scope["type"] == "http" and path.startswith("/data/")
        scope["person"] = None if is_data and (refusal or person is None) else person
        if refusal == "unknown" and not is_open:
            page = sign_in_page.with_link("sessions_unknown", "/", "again")
            await _refuse(scope, receive, send, page, 503, "sessions_unknown")
        elif is_open or is_data:
            await self.app(scope, receive, _short_lived(send))
        elif refusal or person is None:
            reason = sign_in_page.reason(refusal)
            await _refuse(scope, receive, send, sign_in_page.with_link(reason, "/sign-in", "go"), 401, reason)
        elif people.scope_of(person).role == "none":
            page = sign_in_page.without_rights(person, people.table())
            await _refuse(scope, receive, send, page, 403, "no_rights")
        else:
            if people.remember(person) and _lands_elsewhere(scope, path, person):
                page, tab = navigation.part_address("handin")
                await RedirectResponse(f"{base_path()}/{page}?tab={tab}")(scope, receive, send)
                return
            scope["headers"] = [*scope["headers"], (people.SESSION_HEADER.encode(), person.key.encode())]
            if scope["type"] == "websocket":
                await self._socket(person, scope, receive, send)
            else:
                await self.app(scope, receive, send)

    async def _socket(self, person: Person, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a socket while the session holds; refuse one too many of a person."""
        if self._sockets[person.sub] >= MOST_SOCKETS:
            await send(CLOSE_SOCKET)
            return
        self._sockets[person.sub] += 1
        try:
            await self.app(scope, _while_open(person, receive, send), send)
        finally:
            self._sockets -= Counter([person.sub])


def _lands_elsewhere(scope: Scope, path: str, person: people.Person) -> bool:
    """Whether a session begins at the first page, of somebody who is here to submit data."""
    is_first_page = scope["type"] == "http" and path in ("", "/") and not scope["query_string"]
    return is_first_page and people.scope_of(person).role == "submitter"


def _is_this_machine(connection: HTTPConnection) -> bool:
    """Whether a request comes directly from this machine, like that of Prometheus, and not through the proxy.

    The proxy passes on the name of the site: with a local name no socket would open (allowed_hosts). One of several hosts
    listens on an address of its own, which no other machine can send from.
    """
    client = connection.client.host if connection.client else ""
    local = {*people.LOCAL, st.get_option("server.address")}
    forwarded = {"forwarded", "x-forwarded-for", "x-real-ip"} & set(connection.headers)
    return client in local and connection.url.hostname in local and not forwarded


def routes() -> list[Route]:
    """The routes to the identity provider and to offered files."""
    base = base_path()
    return [
        Route(f"{base}/sign-in", _sign_in),
        Route(f"{base}/sign-out", _sign_out, methods=["GET", "POST"]),
        Route(f"{base}/files/{{token}}", _file),
    ]


def offer(path: Path, name: str, details: dict[str, str | int]) -> str:
    """The address, relative to a page, at which the user can fetch the file `path` once, within five minutes."""
    scope = page_run.access_scope()
    told = {"logged": details | audit.rights(scope), "rights": people.rights_of(scope)}
    token = people.sessions().offer(Offer(scope.sub, path, name, json.dumps(told)), time.time())
    return f"{base_path()}/files/{token}"


def begin() -> dict[str, Any]:
    """Start sign-in, once per process: from then on pages resolve the scope of the signed-in user. Raises Faulty."""
    secrets = people.begin()
    page_run.sign_in_with(
        None
        if people.mode() == "open"
        else page_run.SignIn(
            people.scope_of_run,
            offer,
            _record,
            _events,
            people.groups_of_run,
            people.teams_of_run,
            people.hand_in_token_of_run,
            people.ask_anew,
            _refused,
        )
    )
    return secrets


def _record(sub: str, event: str, **more: str | int) -> None:
    person = people.of_run()
    audit.record(people.audit_folder(), sub, event, **more, **(person.client if person else {}))


def _refused(page: str) -> None:
    person = people.of_run()
    sub, client = (person.sub, person.client) if person else (refusals.UNKNOWN, {})
    refusals.note(sub, "outside of the rights", dict(client), page=page)


def _events() -> tuple[list[audit.Event], audit.Verified | None]:
    return audit.events(people.audit_folder()), audit.last_verified(people.audit_folder())


def _refusal(person: Person) -> str:
    return people.refusal(person, time.time())


def _end(person: Person) -> None:
    """End the session, even where that cannot be logged. Raises OSError then."""
    try:
        audit.record(people.audit_folder(), person.sub, "sign_out", **person.client)
    finally:
        people.sessions().end(person.key, time.time())
        people.forget(person.key)


async def _sign_out(request: Request) -> Response:
    """End the session here, then lead to the provider's own sign-out."""
    if request.method != "POST":
        return PlainTextResponse("", 405, _PRIVATE | {"Allow": "POST"})
    person: Person | None = request.scope["person"]
    to = f"{base_path()}/"
    try:
        if person:
            await threads.run(threads.SESSIONS, partial(_end, person))
    except OSError as error:
        stores.note(error)
        return HTMLResponse(sign_in_page.with_link("sessions_unknown", "/", "again"), 503, _PRIVATE)
    if people.mode() == "oidc":
        to = await _end_at_provider() or to
    # A page that goes on by itself: a redirect of a form to another host is what form-action forbids.
    answer = HTMLResponse(sign_in_page.leaving(to), headers=_PRIVATE | {"Clear-Site-Data": _CLEARED})
    for name in request.cookies:
        if name.encode().startswith(streamlit_internals.COOKIES):
            answer.delete_cookie(name, base_path() or "/")
    return answer


async def _end_at_provider() -> str:
    """The address at which the provider ends its own session; empty if it has none, or does not answer.

    It names this site by its id: the ID token would be in the address, and in the logs of others.
    """
    auth = people.secrets()["auth"]
    try:
        async with httpx.AsyncClient(timeout=_PROVIDER_SECONDS) as client:
            address = (await client.get(auth["server_metadata_url"])).json().get("end_session_endpoint")
    except (httpx.HTTPError, ValueError, KeyError):
        return ""
    back = {"client_id": auth["client_id"], "post_logout_redirect_uri": auth["redirect_uri"]}
    return f"{address}{'&' if '?' in address else '?'}{urlencode(back)}" if address else ""


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
    return RedirectResponse(streamlit_internals.sign_in_address(), headers=_PRIVATE)


async def _file(request: Request) -> Response:
    return await threads.run(threads.SESSIONS, partial(_offered, request))


def _offered(request: Request) -> Response:
    """Send an offered file, once."""
    person: Person | None = request.scope.get("person")
    # A HEAD, as programs that check links send it, spends nothing, nor does a request for a part.
    if person is None or request.method != "GET":
        return PlainTextResponse("", 404 if person is None else 405, _PRIVATE)
    if "range" in request.headers:
        return PlainTextResponse("", 416, _PRIVATE)

    def announce(offered: Offer) -> None:
        told = json.loads(offered.told)
        if told["rights"] != people.rights_of(people.scope_of(person)):
            raise AccessDenied
        audit.record(people.audit_folder(), person.sub, "export", **told["logged"], **person.client)

    try:
        try:
            offered = people.sessions().take(request.path_params["token"], person.sub, time.time(), announce)
        except AccessDenied:
            offered = "changed"
        if offered in ("foreign", "changed"):
            why: dict[str, str | int] = {"why": _WHY[offered], "status": 403}
            audit.record(people.audit_folder(), person.sub, "refused", **why, **person.client)
    except OSError as error:
        stores.note(error)
        return PlainTextResponse("", 503, _PRIVATE)
    # The file of a process that was killed is gone before its offer.
    if isinstance(offered, Offer) and not offered.path.exists():
        offered = "gone"
    if not isinstance(offered, Offer):
        return PlainTextResponse(sign_in_page.gone(), 404 if offered == "gone" else 403, _PRIVATE)
    return FileResponse(
        offered.path,
        filename=offered.name,
        headers=_PRIVATE | {"X-Content-Type-Options": "nosniff"},
        background=BackgroundTask(offered.path.unlink, missing_ok=True),
    )


async def _refuse(scope: Scope, receive: Receive, send: Send, page: str, status: int, said: str = "") -> None:
    """Refuse with a page, or where none is wanted with `said`, a key of a sentence under `sign_in`, or nothing."""
    if scope["type"] == "websocket":
        await send(CLOSE_SOCKET)
        return
    path = _path(scope)
    if said and _SCRIPTED.fullmatch(path):
        sentence = text.word(f"sign_in.{said}", language(scope))
        await PlainTextResponse(f"{sentence}\n", status, _PRIVATE)(scope, receive, send)
        return
    accepts_page = "text/html" in Headers(scope=scope).get("accept", "")
    is_page = page and accepts_page and not path.startswith(_CLOSED_FOLDERS)
    answer: Response = HTMLResponse(page, status, _PRIVATE) if is_page else PlainTextResponse("", status, _PRIVATE)
    await answer(scope, receive, send)


def _clear(scope: MutableMapping[str, Any]) -> None:
    """Remove headers that only the gate or the proxy may set: a client could forge them."""
    scope["headers"] = [
        (name, value) for name, value in scope["headers"] if name.decode("latin-1").lower() not in people.OUR_HEADERS
    ]


def _while_open(person: Person, receive: Receive, send: Send) -> Receive:
    """A `receive` that closes the socket when the session ends."""
    checked_at = time.monotonic()

    async def guarded() -> Message:
        nonlocal checked_at
        message = await receive()
        if message["type"] == "websocket.receive" and time.monotonic() - checked_at > _ASK_AGAIN_SECONDS:
            checked_at = time.monotonic()
            try:
                refusal = await threads.run(threads.SESSIONS, partial(_refusal, person))
            except OSError as error:
                stores.note(error)
                refusal = "unknown"
            if refusal:
                people.forget(person.key)
                await send(CLOSE_SOCKET)
                return {"type": "websocket.disconnect", "code": 1008}
        return message

    return guarded


def _short_lived(send: Send) -> Send:
    """Shorten Streamlit's sign-in cookies to the longest session (from thirty days), mark them Secure and prefix their names."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = list(_cookies(message.get("headers", ())))
        await send(message)

    return sent


def _cookies(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[bytes, bytes]]:
    for name, value in headers:
        if name.lower() == b"set-cookie" and value.startswith(streamlit_internals.COOKIES):
            parts = [part for part in value.split(b"; ") if not part.lower().startswith(b"expires=")]
            parts = [
                b"Max-Age=%d" % LONGEST_SECONDS
                if part.lower().startswith(b"max-age=") and part.lower() != b"max-age=0"
                else part
                for part in parts
            ]
            # Without TLS, on one machine, the cookie of a sign-in that has begun has to come back.
            is_secure = _prefix() or value.startswith(streamlit_internals.COOKIES[:1])
            value = _prefix() + b"; ".join([*parts, *([b"Secure"] if is_secure else [])])
        yield name, value


def _prefix() -> bytes:
    """The prefix by which a browser takes a cookie from this host over TLS alone (RFC 6265bis); none without TLS."""
    if people.mode() != "oidc" or not str(people.secrets()["auth"].get("redirect_uri")).startswith("https:"):
        return b""
    return b"__Secure-" if base_path() else b"__Host-"


def _unprefixed(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[bytes, bytes]]:
    """The headers with the cookies as Streamlit names them; those that came without the prefix count for nothing."""
    for name, value in headers:
        if name.lower() == b"cookie" and (prefix := _prefix()):
            cookies = (cookie.strip() for cookie in value.split(b";"))
            value = b"; ".join(
                cookie.removeprefix(prefix) for cookie in cookies if not cookie.startswith(streamlit_internals.COOKIES)
            )
        yield name, value


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(base_path()) or "/"
