"""The record of each submission, in a SQLite file beside the originals or in the PostgreSQL that several hosts share.

A step reads a record and writes it in one transaction, from the states that allow it: of two at once one wins, and the other
is told.
"""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from etl.core.store import Execute, Store, known, opened
from etl.extract.causes import because
from etl.extract.contract import TABLES
from etl.submissions.refusals import CONFLICT, NOT_THERE, Declined, declined

# Its name where it cannot be used.
STORE = "submissions"
# In the order in which a submission goes through them; the last two end it.
STATES = (
    "draft", "checking", "to_correct", "ready", "submitted", "returned", "approved", "published", "superseded", "withdrawn",
)  # fmt: skip
# The states in which files may still be added.
OPEN = ("draft", "checking", "to_correct", "ready", "returned")
_IN_PERSIAN = dict(
    zip(
        STATES,
        (
            "پیش‌نویس", "در حال بررسی", "نیازمند اصلاح", "آمادهٔ ارسال", "ارسال‌شده", "برگشت‌خورده", "تأییدشده", "منتشرشده",
            "جایگزین‌شده", "پس‌گرفته‌شده",
        ),
        strict=True,
    )
)  # fmt: skip
_TABLE = """create table if not exists submissions (
    id text not null primary key, province text not null, month text not null, number integer not null,
    state text not null, version integer not null, body text not null
)"""


@dataclass(frozen=True)
class File:
    """A file as it came: its name is data and never a path. `table`: that in its name, or of its headers once checked."""

    number: int
    name: str
    sha256: str
    bytes: int
    at: float
    table: str = ""


@dataclass(frozen=True)
class Submission:
    """One submission. `hands`: everybody who opened it, gave a file or submitted it; none of them approves it.

    `unchanged`: the tables declared without change, with who said so and when. `let_pass`: the steward who lets it move numbers
    of other provinces, or hold other keys than the file before. `confirmed`: what who submits says of each unusual line.
    `check`: names the check that was asked for at `asked_at`.
    `result`: what the check found; `before`: what came back in the one before, by table, and `returned_with` when a steward
    returned it, because of `why`. `wanted`: who submits it as soon as
    the check has found nothing in the way. Times are seconds since 1970.
    """

    id: str
    province: str
    month: str
    state: str = "draft"
    opened_at: float = 0.0
    changed_at: float = 0.0
    hands: tuple[str, ...] = ()
    for_province: bool = False
    files: tuple[File, ...] = ()
    unchanged: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    check: str = ""
    asked_at: float = 0.0
    groups: tuple[str, ...] = ()
    wanted: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    submitted_by: str = ""
    submitted_at: float = 0.0
    decided_by: str = ""
    decided_groups: tuple[str, ...] = ()
    decided_at: float = 0.0
    alone: bool = False
    why: str = ""
    returned_with: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    let_pass: str = ""
    confirmed: Mapping[str, str] = field(default_factory=dict)
    publication: str = ""

    @property
    def number(self) -> int:
        """Its number among those of its province and month."""
        return int(self.id.rpartition("-")[2])

    @property
    def tables(self) -> set[str]:
        """The tables that its files hold, as far as that is known."""
        return {table for file in self.files for table in file.table.split() if table in TABLES}

    @property
    def came_back(self) -> dict[str, dict[str, Any]]:
        """What came back in the whole check, by table: how many rows, of which files, and how many were `loaded`."""
        found: dict[str, dict[str, Any]] = {}
        for entry in self.result.get("files", ()):
            if "rows_quarantined" in entry:
                files = sorted(file.sha256 for file in self.files if entry["table"] in file.table.split())
                of = found.setdefault(entry["table"], {"rows": 0, "loaded": 0, "files": files})
                of["rows"] += entry["rows_quarantined"]
                of["loaded"] += entry["rows_loaded"]
        return found

    def but(self, **changes: Any) -> "Submission":
        """The same with changes, and its time."""
        return replace(self, changed_at=time.time(), **changes)


class Records:
    """The submissions of an installation."""

    def __init__(self, folder: Path, address: str = "") -> None:
        self._folder, self._address = folder, address

    def add(self, province: str, month: str, make: Callable[[str, list[Submission]], Submission]) -> Submission:
        """Add the submission that `make` gives for an id and the others of the province and month, unless it gives one of these.

        Raises OSError.
        """
        with self._transaction() as execute:
            rows = execute(
                "select id, province, month, state, version, body from submissions where province = $1 and month = $2 "
                "order by number",
                province,
                month,
            )
            number = len(rows) + 1
            made = make(f"{province}-{month}-{number}", others := [_of_row(*row) for row in rows])
            if made in others:
                return made
            execute(
                "insert into submissions (id, province, month, number, state, version, body) values ($1, $2, $3, $4, $5, 1, $6)",
                *(made.id, province, month, number, made.state, _body(made)),
            )
        return made

    def get(self, ident: str) -> Submission:
        """A submission. Raises Declined where there is none, OSError."""
        with self._transaction() as execute:
            return _only(execute, ident)[0]

    def all(self, *states: str, since: str = "") -> list[Submission]:
        """All submissions, or those in these states, from the month `since` on: by month, province and number. Raises OSError."""
        # Who only looks creates nothing.
        if not self._address and not self._file.exists():
            return []
        chosen = ", ".join(f"${at}" for at, _ in enumerate(states, 2))
        with self._transaction() as execute:
            rows = execute(
                "select id, province, month, state, version, body from submissions where month >= $1 "
                f"{f'and state in ({chosen}) ' if chosen else ''}order by month, province, number",
                since,
                *states,
            )
        return [_of_row(*row) for row in rows]

    def newest(self, since: str) -> list[tuple[str, str, str]]:
        """Of each province and month from `since` on the last submission that is not withdrawn: id, province, state. Raises
        OSError.
        """
        if not self._address and not self._file.exists():
            return []
        with self._transaction() as execute:
            rows = execute(
                "select id, province, month, state from submissions where month >= $1 and state <> 'withdrawn' order by number",
                since,
            )
        last = {(province, month): (ident, province, state) for ident, province, month, state in rows}
        return [*last.values()]

    def change(self, ident: str, states: tuple[str, ...], how: Callable[[Submission], Submission]) -> Submission:
        """Write what `how` makes of a submission in one of these states. Raises Declined, OSError, and what `how` raises."""
        with self._transaction() as execute:
            before, version = _only(execute, ident)
            if before.state not in states:
                raise in_state(before.state)
            after = how(before)
            written = execute(
                "update submissions set state = $2, version = version + 1, body = $3 where id = $1 and version = $4 "
                "returning id",
                *(ident, after.state, _body(after), version),
            )
            if not written:
                raise in_state(_only(execute, ident)[0].state)
        return after

    def _transaction(self) -> AbstractContextManager[Execute]:
        return self._store().transaction()

    def _store(self) -> Store:
        return opened(STORE, self._address, self._file, _TABLE)

    @property
    def _file(self) -> Path:
        return self._folder / "submissions.sqlite"


def in_state(state: str) -> Declined:
    """The refusal of a step that its state does not allow."""
    return declined(CONFLICT, because("submission_state", state=state.replace("_", " "), state_fa=_IN_PERSIAN[state]))


def _only(execute: Execute, ident: str) -> tuple[Submission, int]:
    rows = execute("select id, province, month, state, version, body from submissions where id = $1", ident)
    if not rows:
        raise declined(NOT_THERE, because("submission_unknown"))
    return _of_row(*rows[0]), int(rows[0][4])


def _body(submission: Submission) -> str:
    return json.dumps(asdict(submission), ensure_ascii=False)


def _of_row(ident: str, province: str, month: str, state: str, version: int, body: str) -> Submission:
    content = json.loads(body)
    # An earlier version does not know every field.
    for name in ("hands", "groups", "decided_groups"):
        content[name] = tuple(content.get(name, ()))
    content["unchanged"] = {table: (who, at) for table, (who, at) in content.get("unchanged", {}).items()}
    content["files"] = tuple(File(**known(File, file)) for file in content.get("files", ()))
    return Submission(
        **known(Submission, content) | {"id": ident, "province": province, "month": month, "state": state}
    )
