"""Sessions of signed-in users, and files offered to them, shared by all processes of a host.

A session ends when the token expires, after eight hours, after thirty idle minutes, at sign-out, or when an operator ends all
sessions of a person. It cannot be resumed, so a copied cookie is worthless.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from etl.core.store import SHORT_PATIENCE_SECONDS, SqliteStore, opened

LONGEST_SECONDS, IDLE_SECONDS, OFFER_SECONDS = 8 * 3600, 30 * 60, 5 * 60
# The accepted difference between two clocks; a token from further in the future is refused.
LEEWAY_SECONDS = 120
_SESSIONS = """create table if not exists sessions (
    id text primary key, sub text not null, began double precision not null, expires double precision not null,
    seen double precision not null, ended double precision not null
)"""
_OFFERS = """create table if not exists offers (
    token text primary key, sub text not null, path text not null, name text not null, told text not null,
    until double precision not null
)"""
# Also for a session that was never seen, and for the key of a person.
_END = """insert into sessions (id, sub, began, expires, seen, ended) values ($1, '', 0.0, 0.0, 0.0, $2)
    on conflict (id) do update set ended = excluded.ended"""
_WRITTEN_EVERY_SECONDS = 30


@dataclass(frozen=True)
class Offer:
    """A file that one person may fetch once; `told` is what the gate keeps with it."""

    sub: str
    path: Path
    name: str
    told: str


@dataclass(frozen=True)
class Session:
    """A session as a token or the site's proxy describes it; `recurs`: the proxy names people, not their sessions."""

    key: str
    sub: str
    began: float
    expires: float
    recurs: bool = False


class Sessions:
    """The sessions of a host, or of several that share the PostgreSQL at `address`. Times are seconds since 1970.

    Offers are local, because their files are on this host. Raises OSError if the database cannot be reached.
    """

    def __init__(self, path: Path, address: str = "") -> None:
        self._sessions = opened("sessions", address, path, _SESSIONS, SHORT_PATIENCE_SECONDS)
        self._offers = SqliteStore("sessions", path, _OFFERS, SHORT_PATIENCE_SECONDS)

    def admit(self, session: Session, now: float, announce: Callable[[], None]) -> str:
        """Empty if the session is valid; else the reason: `early`, `expired`, `idle` or `ended`.

        `announce` is called before a session that begins is stored; what it raises leaves it unstored.
        """
        key, sub, began, expires = session.key, session.sub, session.began, session.expires
        if began > now + LEEWAY_SECONDS:
            return "early"
        with self._sessions.transaction() as execute:
            (ended_all,) = next(iter(execute("select ended from sessions where id = $1", _of_person(sub))), (0.0,))
            row = next(iter(execute("select began, seen, ended from sessions where id = $1", key)), None)
            if row and session.recurs and (now - row[1] > IDLE_SECONDS or now >= row[0] + LONGEST_SECONDS):
                row = None
            if row and row[2]:
                return "ended"
            began, seen = row[:2] if row else (began, now)
            # Of a session that recurs it is unknown whether it was begun since.
            if ended_all and (began <= ended_all or (session.recurs and now < ended_all + LONGEST_SECONDS)):
                return "ended"
            if now >= min(expires, began + LONGEST_SECONDS):
                return "expired"
            if now - seen > IDLE_SECONDS:
                return "idle"
            if not row:
                announce()
            if not row or now - seen > _WRITTEN_EVERY_SECONDS:
                execute(
                    "insert into sessions (id, sub, began, expires, seen, ended) values ($1, $2, $3, $4, $5, 0.0) "
                    "on conflict (id) do update set began = excluded.began, seen = excluded.seen, ended = excluded.ended",
                    *(key, sub, began, expires, now),
                )
        return ""

    def of(self, sub: str, now: float) -> list[tuple[float, float]]:
        """Beginning and last sight of each session of a person that goes on, the latest first."""
        with self._sessions.transaction() as execute:
            rows = execute(
                "select began, seen from sessions where sub = $1 and ended = 0.0 and seen > $2 and expires > $3 "
                "order by seen desc",
                *(sub, now - IDLE_SECONDS, now),
            )
        return [(began, seen) for began, seen in rows]

    def end_all(self, sub: str, now: float) -> int:
        """End every session of a person that began until now, also those not seen yet; returns how many went on."""
        with self._sessions.transaction() as execute:
            ended = execute("update sessions set ended = $2 where sub = $1 and ended = 0.0 returning id", sub, now)
            execute(_END, _of_person(sub), now)
        return len(ended)

    def end(self, key: str, now: float) -> None:
        """End a session for all processes, even one that was never seen."""
        with self._sessions.transaction() as execute:
            execute(_END, key, now)
            execute("delete from sessions where ended < $1 and expires < $1", now - 2 * LONGEST_SECONDS)

    def offer(self, offer: Offer, now: float) -> str:
        """Store an offer; returns the random token to fetch the file with."""
        token = secrets.token_urlsafe(24)
        with self._offers.transaction() as execute:
            values = (token, offer.sub, str(offer.path), offer.name, offer.told, now + OFFER_SECONDS)
            execute("insert into offers (token, sub, path, name, told, until) values ($1, $2, $3, $4, $5, $6)", *values)
            stale = execute("delete from offers where until < $1 returning path", now)
        for (path,) in stale:
            Path(path).unlink(missing_ok=True)
        return token

    def take(self, token: str, sub: str, now: float, announce: Callable[[Offer], None]) -> Offer | str:
        """The offer, once; else the reason: `gone` or `foreign`. An attempt by another person does not consume it.

        `announce` is called before; what it raises does not consume it either.
        """
        with self._offers.transaction() as execute:
            rows = execute("select sub, path, name, told from offers where token = $1 and until >= $2", token, now)
            if not rows:
                return "gone"
            owner, path, name, told = rows[0]
            if owner != sub:
                return "foreign"
            offer = Offer(owner, Path(path), name, told)
            announce(offer)
            execute("delete from offers where token = $1", token)
        return offer


def _of_person(sub: str) -> str:
    """The key of the row that says when all sessions of a person were ended."""
    return hashlib.sha256(f"person {sub}".encode()).hexdigest()
