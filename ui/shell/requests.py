"""What the middlewares share: the settings of the process, the base path, the language of a request,
whence it comes, headers of a private answer, refused sockets."""

import ipaddress
from functools import cache
from urllib.parse import parse_qs, urlsplit

import streamlit as st
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import Message, Scope

from etl.core import settings
from ui.i18n import text

CLOSE_SOCKET: Message = {"type": "websocket.close", "code": 1008}
# Of what is answered to one person.
PRIVATE = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}


@cache
def settings_at_start() -> settings.Settings:
    return settings.read()


def base_path() -> str:
    """The path of `server.baseUrlPath`, empty at the root."""
    path = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{path}" if path else ""


def language(scope: Scope) -> str:
    """The language that the address of a request names."""
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    return text.language(query.get("lang", [""])[-1])


def authority(origin: str) -> str | None:
    """Host and port of an origin; None for `null` and for an invalid one."""
    try:
        return urlsplit(origin).netloc or None
    except ValueError:
        return None


def is_of_other_site(headers: Headers) -> bool:
    """Whether a page of another site makes the browser of a reader ask."""
    return headers.get("sec-fetch-site", "none") not in ("none", "same-origin")


def is_of_this_machine(connection: HTTPConnection) -> bool:
    """Whether a request comes from this machine, directly or through the proxy on it."""
    forwarded = connection.headers.get("x-forwarded-for", "").split(",")
    addresses = [connection.client.host if connection.client else "", *filter(None, map(str.strip, forwarded))]
    try:
        return all(ipaddress.ip_address(address).is_loopback for address in addresses)
    except ValueError:
        return False
