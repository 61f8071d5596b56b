"""Follows, the states of their conditions by publication, news, and the outbox; kept where saved views are.

Of a person it keeps the account, and of the last sign-in the groups and the address of mail that the provider gave: what a follow
may tell is worked out from access.toml when it is told.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from etl.analysis.transitions import Evaluated, State, Told
from etl.core.paths import FOLLOWS
from etl.core.store import opened

MOST_OF_PERSON, MOST_OF_ALL = 50, 2000
# States of so many publications are kept: more than publications are, so that a rollback tells nothing again.
_PUBLICATIONS = 8
_STORE = "follows"
_TABLE = """create table if not exists follow_people (
    sub text primary key, member_of text not null, mail text not null, lang text not null, signed_in double precision not null
);
create table if not exists follows (
    id text primary key, owner text not null, team text not null, content text not null, made double precision not null,
    is_on integer not null
);
create table if not exists follow_states (
    follow text not null, sub text not null, member text not null, publication text not null, at double precision not null,
    state text not null, definition text not null, value double precision, on_day text not null, mark text not null,
    primary key (follow, sub, member, publication)
);
create table if not exists follow_told (
    sub text not null, publication text not null, follow text not null, member text not null, at double precision not null,
    told text not null, by_revision integer not null, before_value double precision, before_day text not null,
    now_value double precision, now_day text not null, distance double precision not null, provinces text not null,
    was_read double precision not null, primary key (follow, sub, member, publication)
);
create table if not exists follow_mail (
    message_id text primary key, sub text not null, publication text not null, content text not null,
    made double precision not null, sent double precision not null
)"""


@dataclass(frozen=True)
class Subscriber:
    """A person at the last sign-in: groups, the address of mail (empty: none), the language, seconds since 1970."""

    sub: str
    groups: tuple[str, ...] = ()
    mail: str = ""
    lang: str = "fa"
    signed_in: float = 0.0


@dataclass(frozen=True)
class Kept:
    """A follow as it is kept, of a person or of the members of a team; `content` is its record."""

    ident: str
    owner: str
    team: str
    content: Mapping[str, Any]
    made: float
    is_on: bool = True


@dataclass(frozen=True)
class StateKept:
    """How the condition of a follow stood for a member in a publication, with its number and the day of it."""

    follow: str
    sub: str
    member: str
    publication: str
    at: float
    state: str
    definition: str
    value: float | None
    on_day: str
    mark: str

    @property
    def evaluated(self) -> Evaluated:
        return Evaluated(self.publication, State(self.state), self.definition)

    @property
    def on(self) -> date | None:
        return date.fromisoformat(self.on_day) if self.on_day else None


@dataclass(frozen=True)
class News:
    """What a publication tells a person of one member of a follow; `was_read` is 0 before it was.

    `provinces`: the codes of the provinces whose rows the person could see then, separated by spaces.
    """

    sub: str
    publication: str
    follow: str
    member: str
    at: float
    told: str
    by_revision: int
    before_value: float | None
    before_day: str
    now_value: float | None
    now_day: str
    distance: float
    provinces: str = ""
    was_read: float = 0.0

    @property
    def is_beginning(self) -> bool:
        return self.told == Told.BEGAN

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.follow, self.sub, self.member, self.publication


@dataclass(frozen=True)
class Mail:
    """A message in the outbox, as it is sent; `sent` is 0 until a server has taken it."""

    message_id: str
    sub: str
    publication: str
    content: str
    made: float
    sent: float = 0.0


class Follows:
    """The follows of an installation. Its methods raise OSError if the database cannot be reached."""

    def __init__(self, folder: Path, address: str = "") -> None:
        self._store = opened(_STORE, address, folder / FOLLOWS, _TABLE)

    # ---------------------------------------------------------------- people

    def note_person(self, person: Subscriber) -> None:
        """Note a sign-in, unless a later one was noted; the language stays."""
        with self._store.transaction() as execute:
            execute(
                "insert into follow_people (sub, member_of, mail, lang, signed_in) values ($1, $2, $3, $4, $5) "
                "on conflict (sub) do update set member_of = excluded.member_of, mail = excluded.mail, "
                "signed_in = excluded.signed_in where follow_people.signed_in <= excluded.signed_in",
                *(person.sub, json.dumps(person.groups), person.mail, person.lang, person.signed_in),
            )

    def speak(self, sub: str, lang: str) -> None:
        """Write to a person in this language."""
        with self._store.transaction() as execute:
            execute("update follow_people set lang = $2 where sub = $1", sub, lang)

    def people(self) -> list[Subscriber]:
        with self._store.transaction() as execute:
            rows = execute("select sub, member_of, mail, lang, signed_in from follow_people order by sub")
        return [Subscriber(sub, tuple(json.loads(groups)), *more) for sub, groups, *more in rows]

    # ---------------------------------------------------------------- follows

    def add(self, kept: Kept, announce: Callable[[], None] = lambda: None, instead_of: str = "") -> str:
        """Keep a follow, instead of another one of its owner; returns empty, or why not: `full` or `taken`.

        What `announce` raises leaves all as it was.
        """
        with self._store.transaction() as execute:
            others = "from follows where not (id = $1 and owner = $2)"
            ((of_all,),) = execute(f"select count(*) {others}", instead_of, kept.owner)
            ((of_owner,),) = execute(f"select count(*) {others} and owner = $2 and team = ''", instead_of, kept.owner)
            if of_all >= MOST_OF_ALL or (of_owner >= MOST_OF_PERSON and not kept.team):
                return "full"
            if execute("select 1 from follows where id = $1", kept.ident):
                return "taken"
            announce()
            for _ in execute("select 1 from follows where id = $1 and owner = $2", instead_of, kept.owner):
                _forget(execute, instead_of)
            execute(
                "insert into follows (id, owner, team, content, made, is_on) values ($1, $2, $3, $4, $5, $6)",
                *(kept.ident, kept.owner, kept.team, _written(kept.content), kept.made, int(kept.is_on)),
            )
        return ""

    def of(self, owner: str) -> list[Kept]:
        """The follows of a person, the latest first; not those of teams."""
        return self._where("owner = $1 and team = '' order by made desc, id", owner)

    def all(self) -> list[Kept]:
        return self._where("1 = 1 order by id")

    def turn(self, owner: str, ident: str, is_on: bool, announce: Callable[[], None] = lambda: None) -> None:
        """Stop a follow of this owner, or let it go on."""
        with self._store.transaction() as execute:
            for _ in execute("select 1 from follows where id = $1 and owner = $2", ident, owner):
                announce()
                execute("update follows set is_on = $2 where id = $1", ident, int(is_on))

    def remove(self, owner: str, ident: str, announce: Callable[[], None] = lambda: None) -> None:
        """Remove a follow of this owner with all that was kept of it."""
        with self._store.transaction() as execute:
            for _ in execute("select 1 from follows where id = $1 and owner = $2", ident, owner):
                announce()
                _forget(execute, ident)

    def of_teams(self, wanted: Iterable[Kept]) -> None:
        """Make the follows of the settings these, and no others; those that stewards made for teams stay."""
        by_ident = {kept.ident: kept for kept in wanted}
        with self._store.transaction() as execute:
            known = {
                ident for (ident,) in execute("select id from follows where team <> '' and owner = 'team:' || team")
            }
            for ident in known - by_ident.keys():
                _forget(execute, ident)
            for ident in sorted(by_ident.keys() - known):
                kept = by_ident[ident]
                execute(
                    "insert into follows (id, owner, team, content, made, is_on) values ($1, $2, $3, $4, $5, 1)",
                    *(ident, kept.owner, kept.team, _written(kept.content), kept.made),
                )

    def _where(self, condition: str, *values: str) -> list[Kept]:
        with self._store.transaction() as execute:
            rows = execute(f"select id, owner, team, content, made, is_on from follows where {condition}", *values)
        return [
            Kept(ident, owner, team, json.loads(content), made, bool(is_on))
            for ident, owner, team, content, made, is_on in rows
        ]

    # ---------------------------------------------------------------- what is told

    def states(self, sub: str) -> dict[tuple[str, str], list[StateKept]]:
        """The states kept for a person, by follow and member, the oldest first."""
        columns = ", ".join(StateKept.__dataclass_fields__)
        with self._store.transaction() as execute:
            rows = execute(f"select {columns} from follow_states where sub = $1 order by at, publication", sub)
        found: dict[tuple[str, str], list[StateKept]] = {}
        for row in rows:
            one = StateKept(*row)
            found.setdefault((one.follow, one.member), []).append(one)
        return found

    def tell(self, states: Sequence[StateKept], news: Sequence[News], mail: Mail | None, oldest: str) -> None:
        """Keep the states of a person in a publication, and what they tell, at once: whoever evaluates it again tells nothing.

        News of publications before `oldest` go, and states but for the last that is known of each member.
        """
        told = {one.key: one for one in news}
        with self._store.transaction() as execute:
            for state in states:
                is_new = _insert(execute, "follow_states", state, "follow, sub, member, publication")
                if is_new and (one := told.get((state.follow, state.sub, state.member, state.publication))):
                    _insert(execute, "follow_told", one, "follow, sub, member, publication")
            if mail:
                _insert(execute, "follow_mail", mail, "message_id")
            for sub in {state.sub for state in states}:
                execute("delete from follow_told where sub = $1 and publication < $2", sub, oldest)
                execute(
                    "delete from follow_states where sub = $1 and publication < $2 and exists (select 1 from follow_states as "
                    "later where later.follow = follow_states.follow and later.sub = follow_states.sub and later.member = "
                    "follow_states.member and later.at > follow_states.at and later.state in ('holds', 'does_not_hold'))",
                    *(sub, oldest),
                )

    def news(self, sub: str) -> list[News]:
        """What a person was told: the unread first, then the latest, then the worst."""
        columns = ", ".join(News.__dataclass_fields__)
        with self._store.transaction() as execute:
            rows = execute(f"select {columns} from follow_told where sub = $1", sub)
        return in_order(News(*row) for row in rows)

    def unread(self, sub: str) -> int:
        with self._store.transaction() as execute:
            ((count,),) = execute("select count(*) from follow_told where sub = $1 and was_read = 0", sub)
        return int(count)

    def note_read(self, sub: str, now: float) -> None:
        with self._store.transaction() as execute:
            execute("update follow_told set was_read = $2 where sub = $1 and was_read = 0", sub, now)

    def evaluated_in(self, sub: str, publication: str) -> set[str]:
        """The follows that were evaluated for a person in a publication."""
        with self._store.transaction() as execute:
            rows = execute("select follow from follow_states where sub = $1 and publication = $2", sub, publication)
        return {follow for (follow,) in rows}

    # ---------------------------------------------------------------- the outbox

    def unsent(self) -> list[Mail]:
        columns = ", ".join(Mail.__dataclass_fields__)
        with self._store.transaction() as execute:
            rows = execute(f"select {columns} from follow_mail where sent = 0 order by made, message_id")
        return [Mail(*row) for row in rows]

    def note_sent(self, message_id: str, now: float) -> None:
        with self._store.transaction() as execute:
            # What it said is no longer needed.
            execute("update follow_mail set sent = $2, content = '' where message_id = $1", message_id, now)


def in_order(news: Iterable[News]) -> list[News]:
    """The unread first, of these what was told last, what begins before what ends, the worst first."""
    ordered = sorted(news, key=lambda one: (-one.at, not one.is_beginning, -one.distance, one.follow, one.member))
    return sorted(ordered, key=lambda one: one.was_read > 0)


def oldest_kept(publication: str) -> str:
    """The publication before which states are forgotten."""
    return f"{max(int(publication) - _PUBLICATIONS, 0):0{len(publication)}}" if publication.isdecimal() else ""


def _written(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True)


def _forget(execute: Callable[..., Any], ident: str) -> None:
    execute("delete from follows where id = $1", ident)
    for table in ("follow_states", "follow_told"):
        execute(f"delete from {table} where follow = $1", ident)


def _insert(execute: Callable[..., Any], table: str, row: Any, key: str) -> bool:
    """Insert a row, a dataclass with the names of the columns; whether there was none of its key."""
    names = [*type(row).__dataclass_fields__]
    values = ", ".join(f"${number}" for number in range(1, len(names) + 1))
    sql = f"insert into {table} ({', '.join(names)}) values ({values}) on conflict ({key}) do nothing returning 1"
    return bool(execute(sql, *astuple(row)))
