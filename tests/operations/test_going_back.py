"""Back to an earlier version: what a later one added to a record or a table is passed over, in each store."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import fields, make_dataclass, replace
from datetime import date
from pathlib import Path

import pytest

from etl.operations import audit, readiness
from etl.semantic.rights import ADMINISTRATOR
from etl.submissions import notes, orders
from etl.submissions.desk import Person
from etl.submissions.orders import Order
from etl.submissions.records import File, Records, Submission
from ui.access.saved_views import Saved, SavedViews
from ui.access.sessions import Sessions
from ui.access.tokens import Tokens
from ui.access.turns import Turns

LATER = {"of_a_later_version": {"x": 1}}


def write_to_stores(folder: Path) -> list[object]:
    """An act on each table; what is read of it then."""
    person = Person("steward", ADMINISTRATOR)
    file = File(1, "a.csv", "0" * 64, 1, 1.0)

    def made(ident: str, _: list[Submission]) -> Submission:
        return Submission(ident, "IR-07", "1405-07", hands=("x",), files=(file,))

    text = "".join("abcdefghij"[int(digit)] for digit in f"{time.time_ns()}") + " is why it moved"
    note = notes.written("training_compliance", "IR-07", "1405-07", text, "", date.today())
    records, shelf, views = Records(folder), notes.Notes(folder), SavedViews(folder)
    added, signed = records.add("IR-07", "1405-07", made), notes.Notes(folder).sign(person, note)
    view = Saved(text, "overview", {}, "2026-12-03", "x")
    views.add(view)
    views.share("x", view.name, "team")
    Tokens(folder).make("x", (), text, 1, time.time(), lambda: None)
    Turns(folder / "turns.sqlite").count(text, time.time())
    Sessions(folder / "sessions.sqlite").end(text, time.time())
    assert added in records.all()
    assert records.change(added.id, ("draft",), lambda one: replace(one, why="changed")).why == "changed"
    assert signed in shelf.all()
    assert view.name in [one.name for one in views.of("x")[0]]
    return [sorted(one.id for one in records.all()), len(shelf.all()), len(Tokens(folder).of("x"))]


def add_to_rows(path: Path) -> int:
    """A further field in each record of a database, and a further column in each table; returns how many tables."""
    with closing(sqlite3.connect(path)) as database, database:
        tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        for table in tables:
            columns = {row[1] for row in database.execute(f"pragma table_info({table})")}
            if "body" in columns:
                for key, body in database.execute(f"select rowid, body from {table}").fetchall():
                    later = json.loads(body) | LATER
                    later |= {"files": [one | LATER for one in later["files"]]} if "files" in later else {}
                    database.execute(f"update {table} set body = ? where rowid = ?", (json.dumps(later), key))
            database.execute(f"alter table {table} add column of_a_later_version text")
    return len(tables)


def test_every_store_goes_on_with_what_a_later_version_wrote(tmp_path: Path) -> None:
    before = write_to_stores(tmp_path)
    databases = [*tmp_path.glob("*.sqlite")]
    assert len(databases) == 6
    assert sum(map(add_to_rows, databases)) == 8
    after = write_to_stores(tmp_path)
    assert [*before[0]] == after[0][:1]  # type: ignore[index, misc]
    assert after[1:] == [2, 2]


def earlier(name: str) -> type:
    """The submission of a version that does not know a field."""
    known = [(one.name, one.type, one) for one in fields(Submission) if one.name != name]
    return make_dataclass("Earlier", known, frozen=True)


@pytest.mark.parametrize(
    "name", [one.name for one in fields(Submission) if one.name not in ("id", "province", "month", "state")]
)
def test_an_old_submission_that_was_published_is_read_after_a_downgrade(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opened before a field was known, published by the version that has it, and read by the one without it again."""
    records, database = Records(tmp_path), tmp_path / "submissions.sqlite"
    old = records.add("IR-07", "1405-07", lambda ident, _: Submission(ident, "IR-07", "1405-07", "approved"))
    with closing(sqlite3.connect(database)) as file, file:
        ((body,),) = file.execute("select body from submissions").fetchall()
        without = {key: value for key, value in json.loads(body).items() if key != name}
        assert len(without) == len(fields(Submission)) - 1
        file.execute("update submissions set body = ?", (json.dumps(without),))
    assert records.get(old.id) == old
    done = records.change(old.id, ("approved",), lambda one: one.but(state="published", publication="000003"))
    monkeypatch.setattr("etl.submissions.records.Submission", earlier(name))
    back = records.get(old.id)
    assert vars(back) == {key: value for key, value in vars(done).items() if key != name}


def of_order(folder: Path) -> tuple[Path, Callable[[], object]]:
    orders.place(folder, Order("x", ("y",)))
    (path,) = orders.folder(folder).glob("*.json")
    return path, lambda: orders.waiting(folder)


def of_build(folder: Path) -> tuple[Path, Callable[[], object]]:
    pointer = folder / "w.duckdb"
    with readiness.outcome_noted(pointer):
        pass
    return readiness._note(pointer), lambda: readiness.last_build(pointer)


def of_audit(folder: Path) -> tuple[Path, Callable[[], object]]:
    audit.record(folder, "x", "sign_in")
    return folder / audit.HEAD, lambda: audit._read_head(folder)


def of_verification(folder: Path) -> tuple[Path, Callable[[], object]]:
    audit.note_verified(folder, "")
    return folder / audit._VERIFIED, lambda: audit.last_verified(folder)


@pytest.mark.parametrize("made", [of_order, of_build, of_audit, of_verification])
def test_every_file_of_a_record_is_read_with_what_a_later_version_wrote(
    made: Callable[[Path], tuple[Path, Callable[[], object]]], tmp_path: Path
) -> None:
    path, read = made(tmp_path)
    before = read()
    assert before
    path.write_text(json.dumps(json.loads(path.read_text()) | LATER))
    assert read() == before
