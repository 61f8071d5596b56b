"""Personal tokens of the data address (/data/): only their SHA-256 is kept, next to the saved views or in the shared PostgreSQL.

A token ends at its last day, when it is revoked, and 30 days after the last sign-in of its person, from which its groups are
also known. What it may ask is computed from access.toml at each request.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from etl.core.paths import TOKENS
from etl.core.store import opened

LONGEST_DAYS, IDLE_DAYS, MOST_TOKENS = 90, 30, 20
_DAY = 86400.0
# The last three columns are of earlier versions, which one may go back to.
_TABLE = """create table if not exists tokens (
    digest text primary key, sub text not null, name text not null, member_of text not null, made double precision not null,
    expires double precision not null, used double precision not null, signed_in double precision not null,
    running double precision not null, minute double precision not null, asked integer not null
)"""


@dataclass(frozen=True)
class Token:
    """A token without its secret; times are seconds since 1970, `used` is 0 before the first use."""

    digest: str
    sub: str
    name: str
    groups: tuple[str, ...]
    made: float
    expires: float
    used: float
    signed_in: float

    def is_valid(self, now: float) -> bool:
        return now < min(self.expires, self.signed_in + IDLE_DAYS * _DAY)


class Tokens:
    """The tokens of an installation. Raises OSError if the database cannot be reached, as all its methods do."""

    def __init__(self, folder: Path, address: str = "") -> None:
        self._store = opened("tokens", address, folder / TOKENS, _TABLE)

    def make(
        self, sub: str, groups: Sequence[str], name: str, days: int, now: float, announce: Callable[[], None]
    ) -> str:
        """A new token, which nothing shows again; empty if the person has as many as allowed.

        `announce` is called before it is stored; what it raises leaves it unstored.
        """
        token = secrets.token_urlsafe(32)
        expires = now + min(days, LONGEST_DAYS) * _DAY
        with self._store.transaction() as execute:
            execute("delete from tokens where sub = $1 and expires <= $2", sub, now)
            ((held,),) = execute("select count(*) from tokens where sub = $1", sub)
            if held >= MOST_TOKENS:
                return ""
            announce()
            execute(
                "insert into tokens (digest, sub, name, member_of, made, expires, used, signed_in, running, minute, asked) "
                "values ($1, $2, $3, $4, $5, $6, 0.0, $5, 0.0, 0.0, 0)",
                *(_digest(token), sub, name, json.dumps(list(groups)), now, expires),
            )
        return token

    def of(self, sub: str) -> list[Token]:
        """The tokens of a person, the latest first."""
        return self._where("sub = $1 order by made desc", sub)

    def holder(self, token: str, sub: str | None, now: float) -> Token | None:
        """The valid token, of this person if one is named. A wrong one takes the same steps, whatever is wrong about it."""
        digest = _digest(token)
        found = next(iter(self._where("digest = $1", digest)), None)
        of_person = hmac.compare_digest((found.sub if found and sub is None else sub or "").encode(), _sub(found))
        return found if found and of_person and found.is_valid(now) else None

    def note_use(self, digest: str, now: float) -> None:
        """Note that a token was used."""
        with self._store.transaction() as execute:
            execute("update tokens set used = $2 where digest = $1", digest, now)

    def revoke(self, sub: str, digest: str, announce: Callable[[], None]) -> None:
        """Revoke a token of this person, if there is one; `announce` as for `make`."""
        with self._store.transaction() as execute:
            for _ in execute("delete from tokens where sub = $1 and digest = $2 returning 1", sub, digest):
                announce()

    def revoke_all(self, sub: str) -> int:
        """Revoke every token of a person; returns how many there were."""
        with self._store.transaction() as execute:
            return len(execute("delete from tokens where sub = $1 returning 1", sub))

    def signed_in(self, sub: str, groups: Sequence[str], began: float) -> None:
        """Note when a person signed in, and the groups, unless a later sign-in was noted."""
        with self._store.transaction() as execute:
            values = (sub, json.dumps(list(groups)), began)
            execute("update tokens set member_of = $2, signed_in = $3 where sub = $1 and signed_in <= $3", *values)

    def _where(self, condition: str, *values: str) -> list[Token]:
        columns = "digest, sub, name, member_of, made, expires, used, signed_in"
        with self._store.transaction() as execute:
            rows = execute(f"select {columns} from tokens where {condition}", *values)
        return [
            Token(digest, sub, name, tuple(json.loads(groups)), *times) for digest, sub, name, groups, *times in rows
        ]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _sub(token: Token | None) -> bytes:
    return token.sub.encode() if token else b""
