"""Sessions of people who signed in, and files offered to them, in one SQLite file that all processes of a host share.

A session ends at the token's end, after eight hours, after thirty idle minutes, and at sign-out; what has ended stays
ended, so that a copied cookie is worth nothing.
"""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

LONGEST_SECONDS, IDLE_SECONDS, OFFER_SECONDS = 8 * 3600, 30 * 60, 5 * 60
# Clocks of two machines differ by so much at most; a token from further ahead is refused.
LEEWAY_SECONDS = 120
_TABLES = """
create table if not exists sessions (
    id text primary key, sub text not null, began real not null, expires real not null, seen real not null, ended real
);
create table if not exists offers (
    token text primary key, sub text not null, path text not null, name text not null, told text not null, until real not null
);
"""


@dataclass(frozen=True)
class Offer:
    """A file that one person may fetch once."""

    sub: str
    path: Path
    name: str
    told: str


class Sessions:
    """The sessions of a host. Times are seconds since 1970."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._open() as database:
            database.executescript(f"pragma journal_mode = wal; {_TABLES}")
        path.chmod(0o600)

    def admit(self, key: str, sub: str, began: float, expires: float, now: float) -> str:
        """Empty where the session goes on, `new` where it begins; else why not: `early`, `expired`, `idle` or `ended`."""
        if began > now + LEEWAY_SECONDS:
            return "early"
        if now >= min(expires, began + LONGEST_SECONDS):
            return "expired"
        with self._open() as database:
            row = database.execute("select seen, ended from sessions where id = ?", (key,)).fetchone()
            if row and row[1] is not None:
                return "ended"
            if row and now - row[0] > IDLE_SECONDS:
                return "idle"
            if not row or now - row[0] > 30:
                database.execute(
                    "insert into sessions values (?, ?, ?, ?, ?, null) on conflict (id) do update set seen = excluded.seen",
                    (key, sub, began, expires, now),
                )
        return "" if row else "new"

    def end(self, key: str, now: float) -> None:
        """End a session for all processes; one that was never seen is noted too."""
        with self._open() as database:
            database.execute(
                "insert into sessions values (?, '', 0, 0, 0, ?) on conflict (id) do update set ended = excluded.ended",
                (key, now),
            )
            database.execute("delete from sessions where ended is null and expires < ?", (now - 2 * LONGEST_SECONDS,))

    def offer(self, offer: Offer, now: float) -> str:
        """The random token by which the file can be fetched."""
        token = secrets.token_urlsafe(24)
        with self._open() as database:
            values = (token, offer.sub, str(offer.path), offer.name, offer.told, now + OFFER_SECONDS)
            database.execute("insert into offers values (?, ?, ?, ?, ?, ?)", values)
            stale = database.execute("delete from offers where until < ? returning path", (now,)).fetchall()
        for (path,) in stale:
            Path(path).unlink(missing_ok=True)
        return token

    def take(self, token: str, sub: str, now: float) -> Offer | str:
        """The offer, once; else why not: `gone` or `foreign`. Somebody else's try does not use it up."""
        with self._open() as database:
            row = database.execute("select sub, until from offers where token = ?", (token,)).fetchone()
            if not row or row[1] < now:
                return "gone"
            if row[0] != sub:
                return "foreign"
            taken = database.execute(
                "delete from offers where token = ? returning sub, path, name, told", (token,)
            ).fetchone()
        return Offer(taken[0], Path(taken[1]), taken[2], taken[3]) if taken else "gone"

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=5)) as database, database:
            yield database
