"""Signed notes: who signs and sees them, where each belongs, what is refused, and that the audit log comes first."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from etl.extract.causes import in_language
from etl.operations import backup
from etl.semantic.access import cursor_for
from etl.semantic.answers import Answer, ask
from etl.semantic.rights import ADMINISTRATOR, WHOLE_COUNTRY, AccessScope, Grant
from etl.submissions import deadline, notes
from etl.submissions.desk import Person
from etl.submissions.notes import Note, Notes, about, is_of_row, seen_by, written
from etl.submissions.refusals import Declined
from etl.warehouse import publications
from tests import postgres
from tests.loading import called
from tests.operations.test_backup import folders_in

TODAY = date(2026, 12, 1)
FA = "دورهٔ مهرماه با تأخیر برگزار شد و در آبان ثبت می‌شود"
EN = "The courses of Mehr were held late and are counted in Aban"


@pytest.fixture(scope="module")
def shared() -> Iterator[str]:
    with postgres.server() as server:
        server.run("create database shared")
        yield f"postgresql:///shared?host={server.folder}&port={server.port}&user=postgres"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Notes]:
    """Both databases that can hold notes."""
    address = request.getfixturevalue("shared") if request.param == "postgresql" else ""
    made = Notes(tmp_path / "views", address)
    yield made
    if address:
        with made._store().transaction() as execute:
            execute("delete from signed_notes")


def person(role: str, *provinces: str, noted: list[Any] | None = None) -> Person:
    grant = Grant(role, frozenset(provinces) or WHOLE_COUNTRY)
    lines = [] if noted is None else noted
    return Person(
        f"a.{role}", AccessScope(f"a.{role}", frozenset({grant})), lambda *line, **more: lines.append((*line, more))
    )


def note(place: str = "IR-07", over: str = "1405-07", measure: str = "training_compliance", **more: Any) -> Note:
    return written(measure, place, over, more.pop("fa", FA), more.pop("en", EN), more.pop("today", TODAY), **more)


def test_a_steward_signs_a_note_and_withdraws_it_and_it_stays_listed(shelf: Notes) -> None:
    lines: list[Any] = []
    steward = person("steward", noted=lines)
    assert shelf.all() == ()
    signed = shelf.sign(steward, note(publication="000004"))
    (kept,) = shelf.all()
    assert kept == signed
    assert (kept.number, kept.author, kept.signed_by, kept.role) == (1, "a.steward", "a.steward", "steward")
    assert (kept.signed_on, kept.until, kept.publication) == ("2026-12-01", "2027-12-01", "000004")
    assert kept.is_shown(date(2027, 12, 1))
    assert not kept.is_shown(date(2027, 12, 2)), "it is shown until its last day"
    shelf.withdraw(steward, 1, date(2026, 12, 5))
    (withdrawn,) = shelf.all()
    assert (withdrawn.withdrawn_by, withdrawn.withdrawn_on) == ("a.steward", "2026-12-05")
    assert not withdrawn.is_shown(TODAY)
    shelf.sign(steward, note())
    assert [one.number for one in shelf.all()] == [1, 2], "after it was withdrawn the same may be signed again"
    assert [line[0] for line in lines] == ["note_signed", "note_withdrawn", "note_signed"]
    assert lines[0][1] == {"note": 1, "metric": "training_compliance", "province": "IR-07"}


@pytest.mark.parametrize("role", ["national", "province", "submitter"])
def test_nobody_but_a_steward_signs_or_withdraws(shelf: Notes, role: str) -> None:
    shelf.sign(person("steward"), note())
    somebody = person(role, *([] if role == "national" else ["IR-07"]))
    for step in (lambda: shelf.sign(somebody, note(over="1405-06")), lambda: shelf.withdraw(somebody, 1, TODAY)):
        with pytest.raises(Declined, match="for stewards") as refused:
            step()
        assert refused.value.status == 403
    (kept,) = shelf.all()
    assert not kept.withdrawn_on


def test_what_cannot_be_logged_is_not_done(shelf: Notes) -> None:
    steward = person("steward")
    shelf.sign(steward, note())

    def fails(*_: Any, **__: Any) -> None:
        raise OSError("full")

    unlogged = replace(steward, note=fails)
    with pytest.raises(OSError, match="full"):
        shelf.sign(unlogged, note(over="1405-06"))
    with pytest.raises(OSError, match="full"):
        shelf.withdraw(unlogged, 1, TODAY)
    (kept,) = shelf.all()
    assert kept.is_shown(TODAY)


def test_of_several_at_once_each_has_its_own_number_and_the_same_is_signed_once(shelf: Notes) -> None:
    steward = person("steward")
    shelf.sign(steward, note(over="1404-01"))

    def sign(month: int) -> str:
        try:
            return str(shelf.sign(steward, note(over=f"1405-0{month % 4 + 1}")).number)
        except Declined as refused:
            return str(refused)

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(sign, range(8)))
    kept = shelf.all()
    assert sorted(one.number for one in kept) == list(range(1, len(kept) + 1))
    assert {one.first for one in kept} == {"1404-01", "1405-01", "1405-02", "1405-03", "1405-04"}
    if not shelf._address:
        assert sum(not said.isdigit() for said in done) == 4, "SQLite writes in turn"


@pytest.mark.parametrize(
    ("changes", "english", "persian"),
    [
        ({"measure": "compliance"}, "no such measure", "چنین شاخصی"),
        ({"measure": "trainable_assistants"}, "no such measure", "چنین شاخصی"),
        ({"place": "IR-99"}, "the nation or one province", "کشور یا یک استان"),
        ({"place": "2301"}, "the nation or one province", "کشور یا یک استان"),
        ({"over": "1405-13"}, "as 1405-07", "ماه شمسی"),
        ({"over": "2026-10"}, "as 1405-07", "ماه شمسی"),
        ({"over": "1405-12"}, "has begun", "آغازشده"),
        ({"over": "1405-07..1405-05"}, "up to 36", "حداکثر ۳۶"),
        ({"over": "1401-01..1405-05"}, "up to 36", "حداکثر ۳۶"),
        ({"over": "1405-05..1405-06..1405-07"}, "up to 36", "حداکثر ۳۶"),
        ({"over": ""}, "as 1405-07", "ماه شمسی"),
        ({"fa": "کوتاه"}, "20 to 300 characters", "۲۰ تا ۳۰۰ نویسه"),
        ({"fa": " \u200b\n" * 30}, "20 to 300 characters", "۲۰ تا ۳۰۰ نویسه"),
        ({"fa": "ا" * 301}, "20 to 300 characters", "۲۰ تا ۳۰۰ نویسه"),
        ({"en": "too short"}, "20 to 300 characters", "۲۰ تا ۳۰۰ نویسه"),
        ({"en": "a" * 301}, "20 to 300 characters", "۲۰ تا ۳۰۰ نویسه"),
        ({"fa": f"{FA} ۰۰۱۲۳۴۵۶۷۸"}, "nothing of a person", "کد ملی"),
        ({"fa": f"{FA} 001-234567-8"}, "nothing of a person", "کد ملی"),
        ({"fa": f"{FA} ۰۹۱۲ ۱۲۳ ۴۵۶۷"}, "nothing of a person", "کد ملی"),
        ({"en": f"{EN}; ask somebody@office.ir"}, "nothing of a person", "کد ملی"),
        ({"until": date(2026, 11, 30)}, "today or later", "امروز یا پس از آن"),
    ],
)
def test_bad_input_is_refused_with_one_sentence_in_both_languages(
    changes: dict[str, Any], english: str, persian: str
) -> None:
    with pytest.raises(Declined) as refused:
        note(**changes)
    assert english in in_language(str(refused.value), "en")
    assert persian in in_language(str(refused.value), "fa")
    assert "\n" not in str(refused.value)


def test_a_note_may_hold_days_years_and_counts() -> None:
    words = "از ۱۴۰۵/۰۷/۰۱ تا 1405-07-30 دو مؤسسه با ۱٬۲۳۴ نفر جابه‌جا شد"
    assert note(fa=words, en="").fa == words


def test_a_place_is_written_as_people_write_it_and_the_text_is_one_line() -> None:
    made = note("  فارس ", "1405/05 .. ۱۴۰۵-۰۷", fa=f"\u202e{FA}\n\n<b>=1+1</b>")
    assert (made.place, made.first, made.last) == ("IR-07", "1405-05", "1405-07")
    assert made.fa == f"{FA} <b>=1+1</b>"
    assert note("nation").place == "IR"
    assert note(en="  ").text("en") == FA, "without English the Persian text stands"


@pytest.mark.parametrize(
    ("role", "provinces", "places"),
    [
        ("steward", (), {"IR", "IR-07", "IR-10"}),
        ("national", (), {"IR", "IR-07", "IR-10"}),
        ("province", ("IR-07",), {"IR", "IR-07"}),
        ("submitter", ("IR-10",), {"IR", "IR-10"}),
    ],
)
def test_a_person_sees_the_notes_of_the_own_provinces_and_of_the_nation(
    role: str, provinces: tuple[str, ...], places: set[str]
) -> None:
    every = [note("nation"), note("IR-07"), note("IR-10")]
    assert {one.place for one in seen_by(every, person(role, *provinces).scope)} == places
    assert seen_by(every, AccessScope("x", frozenset())) == ()


EVERY = (
    note("nation", "1405-03"),
    note("IR-23", "1405-03"),
    note("IR-10", "1405-03"),
    note("IR-23", "1405-03", "joiners"),
    note("IR-23", "1404-02"),
)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ({}, {("IR", "1405-03")}),
        ({"where": {"province": ["IR-23"]}}, {("IR-23", "1405-03")}),
        ({"where": {"province": ["IR-23", "IR-10"]}}, {("IR-23", "1405-03"), ("IR-10", "1405-03")}),
        ({"by": ["province"]}, {("IR-23", "1405-03"), ("IR-10", "1405-03")}),
        ({"by": ["county"], "where": {"province": ["IR-10"]}}, {("IR-10", "1405-03")}),
        ({"where": {"province": ["IR-23"], "gender": ["female"]}}, set()),
        ({"where": {"province": ["IR-07"]}}, set()),
        ({"by": ["month"], "where": {"province": ["IR-23"]}, "over": (date(2025, 3, 21), date(2026, 6, 30))},
         {("IR-23", "1404-02"), ("IR-23", "1405-03")}),
        ({"by": ["month"], "where": {"province": ["IR-23"]}, "over": (date(2026, 3, 21), date(2026, 5, 10))}, set()),
    ],
)  # fmt: skip
def test_a_note_is_about_its_measure_place_and_months_alone(
    question: dict[str, Any], expected: set[tuple[str, str]], small_register: Path
) -> None:
    more = {"on": date(2026, 6, 30)} if "over" not in question else {}
    found = about(EVERY, answered("training_compliance", small_register, **question, **more))
    assert {(one.place, one.first) for one in found} == expected
    assert all(one.measure == "training_compliance" for one in found)


def answered(name: str, pointer: Path, **question: Any) -> Answer:
    with publications.connect(pointer) as con, cursor_for(con, ADMINISTRATOR) as cursor:
        return ask(cursor, name, **question)


def test_a_note_belongs_to_the_rows_of_its_province_and_units_of_time() -> None:
    one = note("IR-23", "1405-06..1405-07")
    of = {
        "month": {"1405-05": False, "1405-06": True, "1405-07": True, "1405-08": False},
        "quarter": {"1405-Q1": False, "1405-Q2": True, "1405-Q3": True, "1405-Q4": False},
        "year": {"1404": False, "1405": True},
    }
    for kind, labels in of.items():
        assert {label: is_of_row(one, {kind: label}) for label in labels} == labels
    assert not is_of_row(one, {"province": "IR-10", "month": "1405-06"})
    assert is_of_row(one, {"province": "IR-23"})
    assert is_of_row(one, {"course": "lead"})


def test_a_backup_brings_notes_back(tmp_path: Path) -> None:
    old, new = folders_in(tmp_path / "old"), folders_in(tmp_path / "new")
    signed = Notes(old.views).sign(person("steward"), note())
    backup.restore(backup.backup(old), new)
    assert Notes(new.views).all() == (signed,)


@pytest.mark.slow
def test_notes_are_listed_signed_and_withdrawn_by_commands(tmp_path: Path) -> None:
    places = {name: str(tmp_path / name.lower()) for name in ("VIEWS", "AUDIT")}
    nothing = called("notes", "list", **places)
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert not (tmp_path / "views").exists(), "who only looks creates nothing"
    words = ("--measure", "training_compliance", "--place", "فارس", "--over", "1405/01", "--fa", FA, "--en", EN)
    assert called("notes", "sign", *words, **places).stdout == "1\tshown\n"
    again = called("notes", "sign", *words, **places)
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)
    assert "shown already" in again.stderr
    (line,) = called("notes", **places).stdout.splitlines()
    number, place, measure, months, state, *_, text = line.split("\t")
    assert (number, place, measure, months, state, text) == (
        "1",
        "IR-07",
        "training_compliance",
        "1405-01",
        "shown",
        FA,
    )
    assert called("notes", "withdraw", "1", **places).stdout == "1\twithdrawn\n"
    assert "\twithdrawn\t" in called("notes", "list", **places).stdout
    for bad, code in (
        (("withdraw", "9"), 1),
        (("withdraw", "x"), 2),
        (("sign", "--fa", FA), 2),
        (("sign", *words, "--until", "x"), 2),
    ):
        ended = called("notes", *bad, **places)
        assert ended.returncode == code, ended.stderr


def test_notes_are_readable_by_their_account_alone(tmp_path: Path) -> None:
    Notes(tmp_path).sign(person("steward"), note())
    path = tmp_path / "notes.sqlite"
    assert oct(os.stat(path).st_mode & 0o777) == "0o600"
    with sqlite3.connect(path) as database:
        assert database.execute("select count(*) from signed_notes").fetchone() == (1,)


def test_no_more_than_a_thousand_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "MOST_SHOWN", 2)
    shelf = Notes(tmp_path)
    for over in ("1405-01", "1405-02"):
        shelf.sign(person("steward"), note(over=over))
    with pytest.raises(Declined, match="2 notes are shown"):
        shelf.sign(person("steward"), note(over="1405-03"))
    shelf.withdraw(person("steward"), 1, TODAY)
    shelf.sign(person("steward"), note(over="1405-03"))


@pytest.mark.parametrize(
    "number",
    ["0 9 1 2 3 4 5 6 7 8 9", "1234.567.890", "0912/345/6789", "0912 - 345 - 6789", "۱۲۳۴–۵۶۷–۸۹۰", "1401-23-4567 890"],
)
def test_a_number_of_a_person_is_refused_however_it_is_cut(number: str) -> None:
    with pytest.raises(Declined, match="note"):
        written("training_compliance", "IR-07", deadline.latest_month(date.today()), f"{FA} {number}", "", date.today())


@pytest.mark.parametrize(
    "number", ["1405/08/12 1405/09/01", "۱۴۰۵/۰۸/۰۱ تا ۱۴۰۵/۰۹/۳۰", "1,234 و 5,678", "از ۳۱ به ۲۸ نفر"]
)
def test_days_and_counts_stand_in_a_note(number: str) -> None:
    assert (
        number[0]
        in written(
            "training_compliance", "IR-07", deadline.latest_month(date.today()), f"{FA} {number}", "", date.today()
        ).fa
    )
