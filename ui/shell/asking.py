"""Who asks, from where and with which right: the one guard of /data/, /find and /hand-in, and the way in which they refuse.

    answered(request, FILE, lambda who: …)

Without sign-in they serve this machine alone. What is refused for lack of rights leaves its line in the audit log.
"""

import base64
import binascii
import hmac
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from math import ceil

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from etl.core.errors import AccessDenied, Refused
from etl.extract.causes import in_language
from etl.operations import audit
from etl.semantic.rights import ADMINISTRATOR, AccessScope
from etl.submissions.desk import Person
from etl.submissions.refusals import Declined
from ui.access.turns import Pace
from ui.data import page_run, stores
from ui.i18n import text
from ui.shell import people, refusals, threads
from ui.shell.requests import PRIVATE, authority, is_of_other_site, is_of_this_machine, language
from ui.state import personal_tokens

# The header that holds the token of a page.
TOKEN_OF_PAGE = "x-hand-in"
# Why something is refused, in the audit log.
OUTSIDE, OTHER_SITE, WRONG_TOKEN, NO_TOKEN_OF_PAGE = (
    "outside of the rights", "other site", "wrong token", "no token of the page",
)  # fmt: skip
_CHALLENGE = {"WWW_Authenticate": 'Basic realm="data", charset="UTF-8"'}
# Wrong tokens of a client that are answered in a minute, and how many clients are remembered.
MOST_GUESSES, _MINUTE, _MOST_CLIENTS = 30, 60.0, 1000
_guesses: dict[str, tuple[float, int]] = {}
_lock = threading.Lock()


class Refusal(Exception):
    """A request that is not answered: its status, a sentence, more headers; `why` is noted in the audit log, of `sub`."""

    def __init__(self, status: int, sentence: str, why: str = "", sub: str = "", **headers: str) -> None:
        super().__init__(sentence)
        self.status, self.why, self.sub = status, why, sub
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass(frozen=True)
class Asker:
    """Who asks: the rights of this moment, the groups that they come from, and the client's address where it is logged.

    `is_alone`: in the mode `open` it is the one person of this machine.
    """

    scope: AccessScope
    groups: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    name: str = ""
    client: dict[str, str] = field(default_factory=dict)
    is_alone: bool = False

    @property
    def sub(self) -> str:
        return self.scope.sub

    def note(self, event: str, **more: str | int) -> None:
        """Write a line of the audit log, which the one person of this machine has none of. Raises OSError."""
        if not self.is_alone:
            audit.record(people.audit_folder(), self.sub, event, **more, **self.client)

    def person(self) -> Person:
        """Who takes the steps of a submission."""
        return Person(self.sub, self.scope, self.note, self.groups, self.name, is_alone=self.is_alone)


@dataclass(frozen=True)
class Wants:
    """What an address gives: its name in the audit log, how often a person may ask, and what it needs.

    `nobody` and `too_many`: sentences for who is not signed in, and for who asks too often. `by_program`: a personal token may
    stand for a session. `changes`: a page of this site sends it, with its token. `exports`: it needs the right to take files.
    """

    page: str
    nobody: str
    wait: Callable[[str], float]
    too_many: str = "data.too_many"
    by_program: bool = False
    changes: bool = False
    exports: bool = False


# A draft of a hundred files is handed in within a minute; a page looks each second how its check goes on.
SEARCHES, LOOKS, CHANGES = Pace(10, 1.0), Pace(600, 60.0), Pace(120, 60.0)


def _unless_alone(wait: Callable[[str], float]) -> Callable[[str], float]:
    """Whoever is alone on this machine asks as often as they like: `wait` for others."""
    return lambda sub: 0.0 if people.mode() == "open" else wait(sub)


FILE = Wants(
    "data address",
    "data.who",
    _unless_alone(lambda sub: people.turns().count(sub, time.time())),
    by_program=True,
    exports=True,
)
SEARCH = Wants("find", "sign_in.needed", SEARCHES.wait, "find.too_many")
LOOK = Wants("hand-in address", "data.who", _unless_alone(LOOKS.wait))
CHANGE = Wants("hand-in address", "data.who", _unless_alone(CHANGES.wait), changes=True)


async def answered(request: Request, wants: Wants, work: Callable[[Asker], Awaitable[Response]]) -> Response:
    """The response that `work` makes for who asks, or the status and the sentence of what refuses it."""
    lang, headers = language(request.scope), PRIVATE | ({"Vary": "Authorization"} if wants.by_program else {})
    sub, rights = refusals.UNKNOWN, dict[str, str]()
    try:
        who = await threads.run(threads.QUESTIONS, partial(asker, request, wants))
        sub, rights = who.sub, audit.rights(who.scope)
        return await work(who)
    except (threads.Gone, ClientDisconnect):
        # Nobody reads it.
        return Response(status_code=499, headers=headers)
    except (Refusal, AccessDenied, Refused, page_run.Unpublished, OSError) as error:
        refusal = _refusal(error, lang)
    if refusal.why and people.mode() != "open":
        told: dict[str, str | int] = {"status": refusal.status, "page": wants.page, **rights}
        note = partial(refusals.note, refusal.sub or sub, refusal.why, people.client(request), **told)
        try:
            await threads.run(threads.SESSIONS, note)
        except OSError as error:
            refusal = _refusal(error, lang)
    return PlainTextResponse(f"{refusal}\n", refusal.status, headers | refusal.headers)


def _refusal(error: Exception, lang: str) -> Refusal:
    if isinstance(error, Refusal):
        return error
    if isinstance(error, AccessDenied):
        return Refusal(403, text.word("data.denied", lang), OUTSIDE)
    if isinstance(error, page_run.Unpublished):
        return Refusal(503, text.word("data.unpublished", lang), Retry_After="300")
    if isinstance(error, OSError):
        # Nothing is done or sent unlogged.
        return Refusal(503, stores.sentence(error, lang), Retry_After="60")
    if isinstance(error, Declined):
        return Refusal(error.status, in_language(str(error), lang), OUTSIDE if error.is_outside else "")
    return Refusal(409, in_language(str(error).splitlines()[0], lang))


def asker(request: Request, wants: Wants) -> Asker:
    """Who sends a request, if they may. Raises Refusal, OSError."""
    lang = language(request.scope)

    def refused(status: int, key: str, why: str = "", sub: str = "", **headers: str) -> Refusal:
        return Refusal(status, text.word(key, lang), why, sub, **headers)

    credential = _credential(request) if wants.by_program else None
    # Without a token the browser of a reader asks, and another site may not make it.
    if credential is None and is_of_other_site(request.headers):
        raise refused(403, "data.other_site", OTHER_SITE)
    if wants.changes and authority(request.headers.get("origin", "")) != request.headers.get("host"):
        raise refused(403, "state.foreign_origin", OTHER_SITE)
    if people.mode() == "open" and not is_of_this_machine(request):
        raise refused(403, "data.this_machine")
    person: people.Person | None = request.scope.get("person")
    token = ""
    if people.mode() == "open":
        who = Asker(ADMINISTRATOR, is_alone=True)
    elif wants.by_program and (credential or person is None):
        who, token = _of_token(request, credential, lang)
    elif person is None:
        raise refused(401, wants.nobody)
    else:
        teams = people.teams_of(person)
        who = Asker(people.scope_of(person), person.groups, teams, person.name, dict(person.client))
        sent = request.headers.get(TOKEN_OF_PAGE, "").encode()
        if wants.changes and not hmac.compare_digest(sent, people.hand_in_token(person).encode()):
            raise refused(403, "data.other_site", NO_TOKEN_OF_PAGE, who.sub)
    if wait := wants.wait(who.sub):
        raise refused(429, wants.too_many, Retry_After=str(ceil(wait)))
    if token:
        personal_tokens.store().note_use(token, time.time())
    if wants.exports and not any(grant.may_export for grant in who.scope.grants):
        raise refused(403, "data.denied", OUTSIDE, who.sub)
    return who


def again(request: Request, wants: Wants) -> Asker:
    """Who sends a request that took long, asked at its end: by the session and the rights of now. Raises Refusal, OSError."""
    person: people.Person | None = request.scope.get("person")
    if person and people.refusal(person, time.time()):
        raise Refusal(401, text.word(wants.nobody, language(request.scope)))
    return asker(request, replace(wants, wait=lambda sub: 0.0))


def _credential(request: Request) -> tuple[str | None, str] | None:
    """User (None: not named) and token of the header; None without one, and for one that is none of both schemes."""
    scheme, _, written = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return None, written.strip()
    if scheme.lower() != "basic":
        return None
    try:
        sub, _, secret = base64.b64decode(written.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return sub, secret


def _of_token(request: Request, credential: tuple[str | None, str] | None, lang: str) -> tuple[Asker, str]:
    """Who holds the token of a request, and its digest. Raises Refusal for none and for a wrong one."""
    if credential is None and request.headers.get("sec-fetch-site") == "same-origin":
        # A link of a page that is still open; a browser would ask for a token here.
        raise Refusal(401, f"{text.word('sign_in.lost_title', lang)}. {text.word('sign_in.lost', lang)}")
    if credential is None:
        raise Refusal(401, text.word("data.who", lang), **_CHALLENGE)
    sub, secret = credential
    token = personal_tokens.store().holder(secret, sub, time.time())
    if token is None:
        raise _wrong_token(people.client_address(request), lang)
    return Asker(
        people.table().scope_of(token.sub, token.groups), token.groups, client=people.client(request)
    ), token.digest


def _wrong_token(client: str, lang: str) -> Refusal:
    """The refusal of a wrong token; they are counted for each client."""
    with _lock:
        since, times = _guesses.pop(client, (0.0, 0))
        is_new = time.monotonic() - since > _MINUTE or not times
        _guesses[client] = (time.monotonic(), 1) if is_new else (since, times + 1)
        while len(_guesses) > _MOST_CLIENTS:
            del _guesses[next(iter(_guesses))]
    if not is_new and times >= MOST_GUESSES:
        return Refusal(
            429, text.word("data.too_many", lang), WRONG_TOKEN, refusals.UNKNOWN, Retry_After=str(int(_MINUTE))
        )
    return Refusal(401, text.word("data.who", lang), WRONG_TOKEN, refusals.UNKNOWN, **_CHALLENGE)
