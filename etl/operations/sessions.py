"""Sessions of people who signed in, and files offered to them, shared by all processes of a host.

A session ends at the token's end, after eight hours, after thirty idle minutes, and at sign-out; what has ended stays
ended, so that a copied cookie is worth nothing.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path

from etl.operations.store import Execute, SqliteStore, opened

LONGEST_SECONDS, IDLE_SECONDS, OFFER_SECONDS = 8 * 3600, 30 * 60, 5 * 60
# Clocks of two machines differ by so much at most; a token from further ahead is refused.
LEEWAY_SECONDS = 120
_SESSIONS = (
    """create table if not exists sessions (
        id text primary key, sub text not null, began double precision not null, expires double precision not null,
        seen double precision not null, ended double precision not null
    )""",
)
_OFFERS = (
    """create table if not exists offers (
        token text primary key, sub text not null, path text not null, name text not null, told text not null,
        until double precision not null
    )""",
)
_WRITTEN_EVERY_SECONDS = 30


@dataclass(frozen=True)
class Offer:
    """A file that one person may fetch once."""

    sub: str
    path: Path
    name: str
    audit_details: str


class Sessions:
    """The sessions of a host, or of several where `address` names the PostgreSQL that they share. Times are seconds since 1970.

    Offered files lie on this host, and so do their addresses. Raises OSError where the database cannot be reached.
    """

    def __init__(self, path: Path, address: str = "") -> None:
        self._sessions = opened(address, path, _SESSIONS)
        self._offers = SqliteStore(path, _OFFERS)

    def admit(self, key: str, sub: str, began: float, expires: float, now: float) -> str:
        """Empty where the session goes on, `new` where it begins; else why not: `early`, `expired`, `idle` or `ended`."""
        if began > now + LEEWAY_SECONDS:
            return "early"
        if now >= min(expires, began + LONGEST_SECONDS):
            return "expired"
        with self._sessions.transaction() as execute:
            row = next(iter(execute("select seen, ended from sessions where id = $1", key)), None)
            if row and row[1]:
                return "ended"
            if row and now - row[0] > IDLE_SECONDS:
                return "idle"
            if not row or now - row[0] > _WRITTEN_EVERY_SECONDS:
                self._see(execute, key, sub, began, expires, now)
        return "" if row else "new"

    def notice(self, key: str, sub: str, now: float) -> str:
        """As `admit`, for sessions that the site's proxy ends: `new` where nobody was seen under the key for thirty minutes."""
        with self._sessions.transaction() as execute:
            row = next(iter(execute("select seen from sessions where id = $1", key)), None)
            if not row or now - row[0] > _WRITTEN_EVERY_SECONDS:
                self._see(execute, key, sub, now, now + LONGEST_SECONDS, now)
        return "" if row and now - row[0] <= IDLE_SECONDS else "new"

    @staticmethod
    def _see(execute: Execute, *values: str | float) -> None:
        execute(
            "insert into sessions (id, sub, began, expires, seen, ended) values ($1, $2, $3, $4, $5, 0.0) "
            "on conflict (id) do update set seen = excluded.seen",
            *values,
        )

    def end(self, key: str, now: float) -> None:
        """End a session for all processes; one that was never seen is noted too."""
        with self._sessions.transaction() as execute:
            execute(
                "insert into sessions (id, sub, began, expires, seen, ended) values ($1, '', 0.0, 0.0, 0.0, $2) "
                "on conflict (id) do update set ended = excluded.ended",
                *(key, now),
            )
            execute("delete from sessions where ended < $1 and expires < $1", now - 2 * LONGEST_SECONDS)

    def offer(self, offer: Offer, now: float) -> str:
        """The random token by which the file can be fetched."""
        token = secrets.token_urlsafe(24)
        with self._offers.transaction() as execute:
            values = (token, offer.sub, str(offer.path), offer.name, offer.audit_details, now + OFFER_SECONDS)
            execute("insert into offers values ($1, $2, $3, $4, $5, $6)", *values)
            stale = execute("delete from offers where until < $1 returning path", now)
        for (path,) in stale:
            Path(path).unlink(missing_ok=True)
        return token

    def take(self, token: str, sub: str, now: float) -> Offer | str:
        """The offer, once; else why not: `gone` or `foreign`. Somebody else's try does not use it up."""
        with self._offers.transaction() as execute:
            row = next(iter(execute("select sub, until from offers where token = $1", token)), None)
            if not row or row[1] < now:
                return "gone"
            if row[0] != sub:
                return "foreign"
            ((owner, path, name, details),) = execute(
                "delete from offers where token = $1 returning sub, path, name, told", token
            )
        return Offer(owner, Path(path), name, details)
