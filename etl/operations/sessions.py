"""Sessions of signed-in users, and files offered to them, shared by all processes of a host.

A session ends when the token expires, after eight hours, after thirty idle minutes, or at sign-out. It cannot be resumed, so
a copied cookie is worthless.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path

from etl.operations.store import Execute, SqliteStore, opened

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
_WRITTEN_EVERY_SECONDS = 30


@dataclass(frozen=True)
class Offer:
    """A file that one person may fetch once."""

    sub: str
    path: Path
    name: str
    audit_details: str


class Sessions:
    """The sessions of a host, or of several that share the PostgreSQL at `address`. Times are seconds since 1970.

    Offers are local, because their files are on this host. Raises OSError if the database cannot be reached.
    """

    def __init__(self, path: Path, address: str = "") -> None:
        self._sessions = opened(address, path, _SESSIONS)
        self._offers = SqliteStore(path, _OFFERS)

    def admit(self, key: str, sub: str, began: float, expires: float, now: float) -> str:
        """Empty if the session is valid, `new` if it begins; else the reason: `early`, `expired`, `idle` or `ended`."""
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
        """As `admit`, for sessions that the site's proxy ends: `new` if the key was not seen for thirty minutes."""
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
        """End a session for all processes, even one that was never seen."""
        with self._sessions.transaction() as execute:
            execute(
                "insert into sessions (id, sub, began, expires, seen, ended) values ($1, '', 0.0, 0.0, 0.0, $2) "
                "on conflict (id) do update set ended = excluded.ended",
                *(key, now),
            )
            execute("delete from sessions where ended < $1 and expires < $1", now - 2 * LONGEST_SECONDS)

    def offer(self, offer: Offer, now: float) -> str:
        """Store an offer; returns the random token to fetch the file with."""
        token = secrets.token_urlsafe(24)
        with self._offers.transaction() as execute:
            values = (token, offer.sub, str(offer.path), offer.name, offer.audit_details, now + OFFER_SECONDS)
            execute("insert into offers values ($1, $2, $3, $4, $5, $6)", *values)
            stale = execute("delete from offers where until < $1 returning path", now)
        for (path,) in stale:
            Path(path).unlink(missing_ok=True)
        return token

    def take(self, token: str, sub: str, now: float) -> Offer | str:
        """The offer, once; else the reason: `gone` or `foreign`. An attempt by another person does not consume it."""
        with self._offers.transaction() as execute:
            rows = execute("select sub, path, name, told from offers where token = $1 and until >= $2", token, now)
            if not rows:
                return "gone"
            owner, path, name, details = rows[0]
            if owner != sub:
                return "foreign"
            execute("delete from offers where token = $1", token)
        return Offer(owner, Path(path), name, details)
