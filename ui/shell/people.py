"""Identifies the sender of a request: by the signed cookie of Streamlit's sign-in, or the headers of the site's proxy.

The gate identifies every request; a script run finds its person by the header that the gate adds to the socket's handshake.
"""

import hashlib
import hmac
import ipaddress
import json
import os
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.requests import HTTPConnection

from etl.core import settings
from etl.core.errors import AccessDenied
from etl.operations import audit, roles, sign_in
from etl.semantic.rights import AccessScope
from ui import streamlit_internals
from ui.access.follows import Subscriber
from ui.access.sessions import LONGEST_SECONDS, Session, Sessions
from ui.access.turns import Turns
from ui.data import stores
from ui.follow import store as follow_store
from ui.shell.requests import settings_at_start
from ui.state import personal_tokens

# Set by the gate, never taken from a client.
SESSION_HEADER = "x-policeyar-session"
# Set by the site's proxy in the mode `proxy`; ignored without its secret.
USER_HEADER, GROUPS_HEADER, SECRET_HEADER = "x-remote-user", "x-remote-groups", "x-proxy-secret"
# Optional: names one session of the person at the proxy.
PROXY_SESSION_HEADER = "x-remote-session"
OUR_HEADERS = frozenset({SESSION_HEADER, USER_HEADER, GROUPS_HEADER, SECRET_HEADER, PROXY_SESSION_HEADER})
LOCAL = settings.LOCAL_NAMES
# How long a resolved scope is reused for the questions of a page.
_FRESH_SECONDS = 2.0
# Where the proxy names no sessions, each request is a sign-in.
_NOTED_EVERY_SECONDS = 3600.0
# Above this number of people, those with expired sessions are dropped.
_MOST_KNOWN = 1000


@dataclass(frozen=True)
class Person:
    """A signed-in person: the session, the claims of the token, and the client's address where it is logged."""

    session: Session
    name: str
    groups: tuple[str, ...]
    client: Mapping[str, str] = field(default_factory=dict)
    # As the provider says it; empty where none does.
    mail: str = ""

    @property
    def key(self) -> str:
        return self.session.key

    @property
    def sub(self) -> str:
        return self.session.sub


def mode() -> str:
    return settings_at_start().sign_in.mode


@cache
def sessions() -> Sessions:
    return Sessions(settings_at_start().folders.run / "web" / "sessions.sqlite", settings_at_start().sign_in.database)


@cache
def turns() -> Turns:
    """The turns of the people of this host, or in the mode `open` of this machine, which is one person to each process."""
    if mode() == "open":
        return Turns(Path(tempfile.gettempdir(), f"turns-{os.getpid()}.sqlite"))
    return Turns(settings_at_start().folders.run / "web" / "turns.sqlite", settings_at_start().sign_in.database)


@cache
def secrets() -> dict[str, Any]:
    """The secrets file: [auth] as Streamlit reads it, or [proxy]. Raises Faulty with every fault of the files of sign-in."""
    return sign_in.check(settings_at_start())


def begin() -> dict[str, Any]:
    """Check the sign-in mode and its files at start; returns Streamlit's secrets. Raises Faulty."""
    if mode() == "open":
        address = st.get_option("server.address")
        if address not in LOCAL:
            raise settings.Faulty(
                [f"sign_in.mode: open serves this machine only, and server.address is {address or 'every address'}"]
            )
        turns()
        return {}
    secrets_file = secrets()
    _roles_at(_access_file(), _access_file().stat().st_mtime_ns)
    sessions()
    turns()
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
    found = _of_proxy(connection) if mode() == "proxy" else _of_cookie(connection)
    return found if found and not _is_of_the_log(found.sub) else None


def _is_of_the_log(sub: str) -> bool:
    """Whether an account is called what the audit log calls commands of the server, and nobody known."""
    return sub.startswith(roles.SERVER) or sub in (roles.SERVER.rstrip(":"), "unknown")


def forgery(connection: HTTPConnection) -> str:
    """What a request without a valid person pretends to be; empty if it pretends nothing."""
    if mode() == "proxy":
        pretends = {USER_HEADER, GROUPS_HEADER, SECRET_HEADER} & set(connection.headers)
        return "wrong proxy secret" if pretends and not _has_secret(connection) else ""
    has_cookie, content = streamlit_internals.sign_in_cookie(connection)
    return ("unusable cookie" if content else "forged cookie") if has_cookie else ""


def client(connection: HTTPConnection) -> dict[str, str]:
    """The field of the client's address for an event, where the settings ask for it."""
    return {"client": client_address(connection)} if settings_at_start().sign_in.log_client else {}


def client_address(connection: HTTPConnection) -> str:
    """The client's address, as our nginx tells it."""
    forwarded = connection.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    try:
        return str(ipaddress.ip_address(forwarded or (connection.client.host if connection.client else "")))
    except ValueError:
        return "unknown"


def hand_in_token(person: Person) -> str:
    """The token of the pages of a session for the address of submissions: another site that sends a form does not know it."""
    known = secrets()
    secret = known["proxy"]["secret"] if mode() == "proxy" else known["auth"]["cookie_secret"]
    return hmac.new(str(secret).encode(), f"hand-in {person.key}".encode(), hashlib.sha256).hexdigest()


def hand_in_token_of_run() -> str:
    """The token of the person of this script run; empty if nobody is signed in."""
    person = of_run()
    return hand_in_token(person) if person else ""


def scope_of(person: Person) -> AccessScope:
    return table().scope_of(person.sub, person.groups)


def rights_of(scope: AccessScope) -> str:
    """The rights of a scope, written alike by every process."""
    return repr(sorted((one.role, *sorted(one.codes), one.may_see_detail, one.may_export) for one in scope.grants))


def remember(person: Person) -> bool:
    """Make a person available to the script runs of this process, by session key; whether the session is new to it."""
    if len(_people) > _MOST_KNOWN:
        for key in [key for key, person in list(_people.items()) if person.session.expires < time.time()]:
            forget(key)
    is_new = person.key not in _people
    _people[person.key] = person
    return is_new


def forget(key: str) -> None:
    """Drop an ended session: the next run finds nobody."""
    _people.pop(key, None)
    _fresh.pop(key, None)


_people: dict[str, Person] = {}
# The last sign-in that was noted, by account.
_noted: dict[str, Person] = {}
_fresh: dict[str, tuple[float, AccessScope]] = {}


def of_run() -> Person | None:
    """The person of the current script run."""
    return _people.get(st.context.headers.get(SESSION_HEADER) or "")


def refusal(person: Person, now: float) -> str:
    """Why a session is no longer valid; empty if it is. One that begins is logged before it is stored. Raises OSError."""
    reason = sessions().admit(person.session, now, partial(_announce, person))
    if not reason:
        _note_groups(person)
    return reason


def _note_groups(person: Person) -> None:
    """Note when a person signed in, and the groups, for the tokens and the follows of that person. Raises OSError."""
    if last := _noted.get(person.sub):
        since = person.session.began - last.session.began
        if since < 0 or (since < _NOTED_EVERY_SECONDS and person.groups == last.groups):
            return
    personal_tokens.store().signed_in(person.sub, person.groups, person.session.began)
    try:
        follows = follow_store.opened()
        follows.note_person(Subscriber(person.sub, person.groups, person.mail, signed_in=person.session.began))
    except OSError as error:
        # Nobody stays outside because news could not be told.
        stores.note(error)
    _noted[person.sub] = person


def _announce(person: Person) -> None:
    scope = scope_of(person)
    event = "refused" if scope.role == "none" else "sign_in"
    audit.record(audit_folder(), person.sub, event, **audit.rights(scope), **person.client)


def groups_of_run() -> tuple[str, ...]:
    person = of_run()
    return person.groups if person else ()


def teams_of_run() -> tuple[str, ...]:
    person = of_run()
    return teams_of(person) if person else ()


def teams_of(person: Person) -> tuple[str, ...]:
    """Those of the groups of a person that access.toml knows."""
    return tuple(name for name in person.groups if name in table().groups)


def own_sessions() -> list[tuple[float, float]]:
    """Beginning and last sight of the sessions of the person of this run, the latest first."""
    person = of_run()
    with suppress(OSError):
        return sessions().of(person.sub, time.time()) if person else []
    return []


def ask_anew() -> None:
    """The next scope of this script run is resolved anew."""
    if person := of_run():
        _fresh.pop(person.key, None)


def scope_of_run() -> AccessScope:
    """The scope of the current script run. Raises AccessDenied if its session ended or has no rights."""
    person = of_run()
    if person is None:
        raise AccessDenied
    until, scope = _fresh.get(person.key, (0.0, None))
    if scope is None or time.monotonic() > until:
        if refusal(person, time.time()):
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
    values = {
        f"{section}.{name}": repr(value)
        for section, table in asdict(settings_at_start()).items()
        for name, value in table.items()
    }
    values["access.toml"] = path.read_text(encoding="utf-8", errors="replace")
    audit.record_settings(
        audit_folder(), {name: hashlib.sha256(value.encode()).hexdigest() for name, value in values.items()}
    )
    return roles.read(path)


def _of_cookie(connection: HTTPConnection) -> Person | None:
    _, raw = streamlit_internals.sign_in_cookie(connection)
    try:
        claims: Mapping[str, Any] = json.loads(raw) if raw else {}
        sub, began, expires = claims["sub"], float(claims["iat"]), float(claims["exp"])
    except (ValueError, KeyError, TypeError):
        return None
    groups = claims.get("groups")
    names = tuple(name for name in groups if isinstance(name, str)) if isinstance(groups, list) else ()
    name = str(claims.get("name") or sub)
    if not raw or not isinstance(sub, str) or not sub or not all(map(_is_text, (sub, name, *names))):
        return None
    mail = str(claims.get("email") or "") if claims.get("email_verified", True) is True else ""
    session = Session(hashlib.sha256(raw).hexdigest(), sub, began, expires)
    return Person(session, name, names, client(connection), mail if _is_text(mail) else "")


def _is_text(value: str) -> bool:
    """Whether a log, a database and a page can hold it: half of a surrogate pair is none."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _has_secret(connection: HTTPConnection) -> bool:
    secret = str(secrets()["proxy"]["secret"]).encode()
    return hmac.compare_digest(connection.headers.get(SECRET_HEADER, "").encode("latin-1", "replace"), secret)


def _of_proxy(connection: HTTPConnection) -> Person | None:
    headers = connection.headers
    if not _has_secret(connection):
        return None
    subs, groups = headers.getlist(USER_HEADER), headers.getlist(GROUPS_HEADER)
    if len(subs) != 1 or not subs[0].strip() or len(groups) > 1:
        return None
    names = tuple(name.strip() for name in (groups[0] if groups else "").split(",") if name.strip())
    named = headers.get(PROXY_SESSION_HEADER, "")
    key = hashlib.sha256(json.dumps([subs[0], named or names]).encode()).hexdigest()
    now = time.time()
    session = Session(key, subs[0], now, now + LONGEST_SECONDS, recurs=not named)
    return Person(session, subs[0], names, client(connection))


def audit_folder() -> Path:
    return Path(os.environ.get("AUDIT") or settings_at_start().folders.audit)
