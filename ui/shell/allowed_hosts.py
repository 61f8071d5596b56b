"""Refuses requests with a foreign Host or Origin before Streamlit sees them.

To check a foreign Origin, Streamlit asks an external service for this machine's public address, which blocks all other
users. The allowed names are Streamlit's own setting `server.allowedHosts`.
"""

import streamlit as st
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ui.i18n import text
from ui.shell.requests import CLOSE_SOCKET, authority, language
from ui.streamlit_internals import is_host_allowed


class AllowedHosts:
    """ASGI middleware: 421 for a foreign Host, 403 for an Origin that differs from the Host; sockets are closed."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = _refusal(Headers(scope=scope)) if scope["type"] in ("http", "websocket") else None
        if refusal is None:
            await self.app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await send(CLOSE_SOCKET)
            return
        status, key = refusal
        await PlainTextResponse(text.word(key, language(scope)), status)(scope, receive, send)


def _refusal(headers: Headers) -> tuple[int, str] | None:
    """Status and text key of a refusal. X-Forwarded-Host is ignored: a page after DNS rebinding can set it, but not Host."""
    hosts = headers.getlist("host")
    # Streamlit takes an empty list for "any name".
    if len(hosts) != 1 or not st.get_option("server.allowedHosts") or not is_host_allowed(hosts[0]):
        return 421, "state.foreign_host"
    # Compared exactly, as Streamlit does: what passes here is same-origin for Streamlit too.
    if any(authority(origin) != hosts[0] for origin in headers.getlist("origin")):
        return 403, "state.foreign_origin"
    return None
