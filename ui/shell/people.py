"""Identifies the sender of a request: by the signed cookie of Streamlit's sign-in, or the headers of the site's proxy.

The gate identifies every request; a script run finds its person by the header that the gate adds to the socket's handshake.
"""

import hashlib
import hmac
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.requests import HTTPConnection
from streamlit import config
from streamlit.web.server.starlette import starlette_auth_routes as streamlit_auth
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from etl.core import settings
from etl.core.errors import AccessDenied
from etl.operations import audit, roles, sign_in
from etl.operations.sessions import LONGEST_SECONDS, Sessions
from etl.semantic.access import AccessScope
from ui.shell.requests import settings_at_start

# Set by the gate, never taken from a client.
SESSION_HEADER = "x-policeyar-session"
# Set by the site's proxy in the mode `proxy`; ignored without its secret.
USER_HEADER, GROUPS_HEADER, SECRET_HEADER = "x-remote-user", "x-remote-groups", "x-proxy-secret"
LOCAL = ("localhost", "127.0.0.1", "::1")
# How long a resolved scope is reused for the questions of a page.
_FRESH_SECONDS = 2.0
# Above this number of people, those with expired sessions are dropped.
_MOST_KNOWN = 1000


@dataclass(frozen=True)
class Person:
    """A signed-in person: the session key, the claims of the token, and its period of validity."""

    key: str
    sub: str
    name: str
    groups: tuple[str, ...]
    began: float
    expires: float


def mode() -> str:
    return settings_at_start().sign_in.mode


@cache
def sessions() -> Sessions:
    return Sessions(settings_at_start().folders.run / "web" / "sessions.sqlite", settings_at_start().sign_in.database)


@cache
def secrets() -> dict[str, Any]:
    """The secrets file: [auth] as Streamlit reads it, or [proxy]. Raises Faulty with every fault of the files of sign-in."""
    return sign_in.check(settings_at_start())


def begin() -> dict[str, Any]:
    """Check the sign-in mode and its files at start; returns Streamlit's secrets. Raises Faulty."""
    if mode() == "open":
        address = config.get_option("server.address")
        if address not in LOCAL:
            raise settings.Faulty(
                [f"sign_in.mode: open serves this machine only, and server.address is {address or 'every address'}"]
            )
        return {}
    secrets_file = secrets()
    _roles_at(_access_file(), _access_file().stat().st_mtime_ns)
    sessions()
    return secrets_file if mode() == "oidc" else {}


def table() -> roles.Roles:
    """The current table of roles; if it cannot be read, nobody has rights."""
    path = _access_file()
    try:
        return _roles_at(path, path.stat().st_mtime_ns)
    except (settings.Faulty, OSError):
        return roles.Roles()


def who(connection: HTTPConnection) -> Person | None:
    """The authenticated person of a request, or None. Does not check whether the session is still valid."""
    return _of_proxy(connection) if mode() == "proxy" else _of_cookie(connection)


def scope_of(person: Person) -> AccessScope:
    return table().scope_of(person.sub, person.groups)


def remember(person: Person) -> None:
    """Make a person available to the script runs of this process, by session key."""
    if len(_people) > _MOST_KNOWN:
        for key in [key for key, person in list(_people.items()) if person.expires < time.time()]:
            forget(key)
    _people[person.key] = person


def forget(key: str) -> None:
    """Drop an ended session: the next run finds nobody."""
    _people.pop(key, None)
    _fresh.pop(key, None)


_people: dict[str, Person] = {}
_fresh: dict[str, tuple[float, AccessScope]] = {}


def of_run() -> Person | None:
    """The person of the current script run."""
    return _people.get(st.context.headers.get(SESSION_HEADER) or "")


def refusal(person: Person, now: float) -> str:
    """Why a session is no longer valid; empty or `new` if it is. The proxy ends its sessions itself."""
    if mode() == "proxy":
        return sessions().notice(person.key, person.sub, now)
    return sessions().admit(person.key, person.sub, person.began, person.expires, now)


def scope_of_run() -> AccessScope:
    """The scope of the current script run. Raises AccessDenied if its session ended or has no rights."""
    person = of_run()
    if person is None:
        raise AccessDenied
    until, scope = _fresh.get(person.key, (0.0, None))
    if scope is None or time.monotonic() > until:
        if refusal(person, time.time()) not in ("", "new"):
            forget(person.key)
            raise AccessDenied
        scope = scope_of(person)
        _fresh[person.key] = (time.monotonic() + _FRESH_SECONDS, scope)
    if scope.role == "none":
        raise AccessDenied
    return scope


def _access_file() -> Path:
    path = settings_at_start().sign_in.access
    if path is None:
        raise settings.Faulty([f"sign_in.access: the mode {mode()} needs the table of roles (access.toml)"])
    return path


@cache
def _roles_at(path: Path, _changed: int) -> roles.Roles:
    rights = hashlib.sha256(repr(settings_at_start()).encode() + path.read_bytes()).hexdigest()
    audit.record_settings(audit_folder(), rights)
    return roles.read(path)


def _of_cookie(connection: HTTPConnection) -> Person | None:
    try:
        raw = streamlit_auth._get_cookie_value_from_request(connection, USER_COOKIE_NAME)  # type: ignore[arg-type]
        claims: Mapping[str, Any] = json.loads(raw) if raw else {}
        sub, began, expires = claims["sub"], float(claims["iat"]), float(claims["exp"])
    except (ValueError, KeyError, TypeError):
        return None
    if not raw or not isinstance(sub, str) or not sub:
        return None
    groups = claims.get("groups")
    names = tuple(name for name in groups if isinstance(name, str)) if isinstance(groups, list) else ()
    key = hashlib.sha256(raw).hexdigest()
    return Person(key, sub, str(claims.get("name") or sub), names, began, expires)


def _of_proxy(connection: HTTPConnection) -> Person | None:
    headers = connection.headers
    secret = str(secrets()["proxy"]["secret"]).encode()
    if not hmac.compare_digest(headers.get(SECRET_HEADER, "").encode("latin-1", "replace"), secret):
        return None
    subs, groups = headers.getlist(USER_HEADER), headers.getlist(GROUPS_HEADER)
    if len(subs) != 1 or not subs[0].strip() or len(groups) > 1:
        return None
    names = tuple(name.strip() for name in (groups[0] if groups else "").split(",") if name.strip())
    key = hashlib.sha256(json.dumps([subs[0], names]).encode()).hexdigest()
    now = time.time()
    return Person(key, subs[0], subs[0], names, now, now + LONGEST_SECONDS)


def audit_folder() -> Path:
    return Path(os.environ.get("AUDIT") or settings_at_start().folders.audit)
