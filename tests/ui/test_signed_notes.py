"""A signed note stands with its number in figures and files, for who may see it."""

import csv
import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etl.semantic import answers, disclosure
from etl.semantic.access import cursor_for
from etl.semantic.answers import Answer
from etl.semantic.rights import ADMINISTRATOR, AccessScope
from etl.submissions.notes import Note, Notes, written
from etl.warehouse import publications
from tests.access.scopes import NATIONAL, OF_ISFAHAN, OF_TEHRAN
from tests.submissions.test_notes import EN, FA, person
from ui.charts.elements import ChartContext
from ui.components.downloads import Picture, paper
from ui.data import page_run, signed_notes, warehouse
from ui.data.ask import Ask, On, Question, Rounded
from ui.exhibits import training
from ui.exports import signed as signed_rows
from ui.exports.file_content import is_for_circulation
from ui.exports.job import ExportJob
from ui.exports.page_workbook import PageJob, Part
from ui.i18n import member_names, text
from ui.state import wording
from ui.state.scope import Scope

RATE, TEHRAN, LAST = "training_compliance", "IR-23", date(2026, 6, 30)
SIGNED = date(2026, 7, 1)
# As a spreadsheet would run it, and a browser would show it.
SHARP = "=HYPERLINK(1) <b>دوره‌های خرداد با تأخیر برگزار شد</b>"


def note(place: str = TEHRAN, over: str = "1405-03", fa: str = FA, en: str = EN, number: int = 1, **more: Any) -> Note:
    made = written(RATE, place, over, fa, en, SIGNED, date(2099, 1, 1), "000001", **more)
    return replace(made, author="a.steward", signed_by="a.steward", number=number)


@pytest.fixture(autouse=True)
def published(small_register: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("WAREHOUSE", str(small_register))
    monkeypatch.setenv("VIEWS", str(tmp_path / "views"))
    signed_notes.forget()
    yield small_register
    signed_notes.forget()


@contextmanager
def asking(file: Path, scope: AccessScope, *notes: Note) -> Iterator[Ask]:
    path = publications.current(file)
    with publications.connect(path) as con, cursor_for(con, scope) as cursor:
        yield On(cursor, notes)


def signed(*notes: Note) -> list[Note]:
    """The notes in the store of this installation."""
    kept = [signed_notes.store().sign(person("steward"), one) for one in notes]
    signed_notes.forget()
    return kept


def scope(lang: str = "fa", **filters: tuple[str, ...]) -> Scope:
    return Scope(LAST, tuple(filters.items()), lang=lang)


# ---------------------------------------------------------------- figures


@pytest.mark.parametrize(("lang", "words"), [("fa", FA), ("en", EN)])
def test_a_note_stands_below_the_figures_of_its_measure_and_place(published: Path, lang: str, words: str) -> None:
    with asking(published, ADMINISTRATOR, note()) as ask:
        exhibit = training.by_place(scope(lang, province=(TEHRAN,)), ask)
        (line,) = [one for one in exhibit.notes if words in one]
        assert text.unit_label("1405-03", lang) in line
        assert text.word("signed.by_steward", lang) in line
        assert "a.steward" in line
        assert line in exhibit.all_notes()[0], "on screen"
        assert line in exhibit.all_notes()[1], "and in a picture"
        others = training.by_place(scope(lang, province=("IR-10",)), ask)
        women = training.by_place(scope(lang, province=(TEHRAN,), gender=("female",)), ask)
        assert not [one for exhibit in (others, women) for one in exhibit.notes if words in one]


@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_a_figure_of_provinces_says_which_have_notes(published: Path, lang: str) -> None:
    with asking(
        published, ADMINISTRATOR, note(), note("IR-10"), note("IR-10", "1405-02", number=3), note("nation")
    ) as ask:
        notes = training.by_province(scope(lang), ask).notes
    isfahan, tehran = (member_names.of("province", code, lang) for code in ("IR-10", TEHRAN))
    (line,) = [one for one in notes if tehran in one]
    assert f"{isfahan} ({text.number(2, lang)})" in line
    assert not [one for one in notes if FA in one or EN in one], "there is no room for thirty texts"


def test_a_note_is_a_numbered_mark_on_a_trend(published: Path) -> None:
    def marked(*notes: Note) -> list[tuple[str, str]]:
        with asking(published, ADMINISTRATOR, *notes) as ask:
            exhibit = training.over_time(scope(province=(TEHRAN,)), ask)
            meta = exhibit.drawn()[0]["layout"]["meta"]
            assert not [one for one in exhibit.notes if FA in one], "it is listed with its number"
            return list(zip(meta.get("event_units", ()), meta.get("events", ()), strict=True))

    before = marked()
    (mark,) = [one for one in marked(note(over="1404-09")) if one not in before]
    assert mark[0] == "1404-09"
    assert FA in mark[1]
    begun = [one for one in marked(note(over="1403-01..1404-09")) if one not in before]
    assert len(begun) == 1, "one that began before the trend stands at its beginning"
    assert marked(note("IR-10", over="1404-09")) == before


def test_what_circulates_names_no_account(published: Path) -> None:
    with asking(published, ADMINISTRATOR, note()) as ask:
        exhibit = training.by_place(scope(province=(TEHRAN,)), Rounded(ask))
        (line,) = [one for one in exhibit.notes if FA in one]
        assert text.word("signed.by_steward", "fa") in line
        assert "a.steward" not in line


def test_a_text_of_the_other_direction_is_isolated(published: Path) -> None:
    words = ChartContext("en")
    assert f"\u2068{FA}\u2069" in wording.note(words, note(en=""))
    assert EN in wording.note(words, note())


def test_a_long_note_is_whole_on_a_picture_and_below_the_labels_of_the_axis(published: Path) -> None:
    long = note(fa="دورهٔ بازآموزی با تأخیر برگزار شد " * 8, over="1404-09")
    with asking(published, ADMINISTRATOR, long) as ask:
        exhibit = training.over_time(scope(province=(TEHRAN,)), ask)
    picture = Picture(exhibit.drawn()[0], exhibit.title.sentence, exhibit.below, "منبع")
    drawn = paper(picture, ChartContext())
    caption = drawn["annotations"][-1]
    lines = [re.sub("[\u2066-\u2069]", "", line) for line in caption["text"].split("<br>")]
    assert " ".join(long.fa.split()) in " ".join(lines)
    assert max(map(len, lines)) <= 150, "as many letters as fit into the width"
    assert len(lines) > 3
    labels = max(label.count("<br>") + 1 for label in picture.figure["layout"]["xaxis"]["ticktext"])
    assert -caption["yshift"] >= 8 + 1.3 * 12 * labels, "it begins below them"
    assert drawn["margin"]["b"] >= -caption["yshift"] + 14 * len(lines), "and ends on the picture"
    words = [
        one["hovertext"] for one in picture.figure["layout"]["annotations"] if long.fa[:20] in one.get("hovertext", "")
    ]
    assert max(len(line) for line in words[0].split("<br>")) < 70, "a hover text is as wide as a screen"


# ---------------------------------------------------------------- files


def answered(by: tuple[str, ...] = ("province",), **filters: tuple[str, ...]) -> Answer:
    more: dict[str, Any] = {"over": (date(2026, 1, 1), LAST)} if "month" in by else {"on": LAST}
    return warehouse.of_page()(Question((RATE,), by, filters=tuple(filters.items()), **more))


def file_of(answer: Answer, form: str, lang: str = "fa", circulation: bool = False) -> bytes:
    out = io.BytesIO()
    ExportJob(form, answer, ChartContext(lang), circulation, "x").write(out)
    return out.getvalue()


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_files_without_a_note_have_no_column_for_them() -> None:
    signed(note("IR-10", over="1403-01"))
    assert "notes" not in rows_of(file_of(answered(), "csv"))[0]
    assert (
        text.word("signed.title", "fa")
        not in openpyxl.load_workbook(io.BytesIO(file_of(answered(), "xlsx"))).sheetnames
    )


@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_a_note_is_in_the_rows_of_its_province_and_months_in_every_file(lang: str) -> None:
    (kept,) = signed(note(over="1405-02..1405-03"))
    line, answer = wording.note(ChartContext(lang), kept), answered(("province", "month"))
    rows = rows_of(file_of(answer, "csv", lang))
    noted = {(row["province"], row["month"]) for row in rows if row["notes"]}
    assert noted == {(TEHRAN, "1405-02"), (TEHRAN, "1405-03")}
    assert {row["notes"] for row in rows} == {"", line}
    listed = json.loads(file_of(answer, "json", lang))
    assert {(row["province"], row["month"]) for row in listed if row["notes"]} == noted
    table = pq.read_table(io.BytesIO(file_of(answer, "parquet", lang)))
    assert {row["notes"] for row in table.to_pylist()} == {None, line}
    assert kept.text(lang) in json.dumps(json.loads(table.schema.metadata[b"about"]), ensure_ascii=False)
    book = openpyxl.load_workbook(io.BytesIO(file_of(answer, "xlsx", lang)))
    data = list(book.worksheets[0].iter_rows(values_only=True))
    at = data[0].index(text.word("signed.title", lang))
    assert {row[at] for row in data[1:]} == {None, line}
    sheet = book[text.word("signed.title", lang)]
    head, values = sheet.iter_rows(values_only=True)
    said = dict(zip(head, values, strict=True))
    assert said[text.word("signed.text", lang)] == kept.text(lang)
    assert said[text.word("signed.publication", lang)] == text.digits("000001", lang)
    assert "a.steward" in said[text.word("signed.by", lang)]


def test_a_note_on_a_place_is_in_every_row_of_groups_of_it() -> None:
    signed(note())
    rows = rows_of(file_of(answered(("county",), province=(TEHRAN,)), "csv"))
    assert rows
    assert all(FA in row["notes"] for row in rows)


def test_no_program_runs_a_note() -> None:
    signed(note(fa=SHARP, en=SHARP))
    for lang in text.LANGUAGES:
        answer = answered()
        book = openpyxl.load_workbook(io.BytesIO(file_of(answer, "xlsx", lang)))
        cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
        assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]
        assert [cell for cell in cells if isinstance(cell.value, str) and cell.value.startswith("'=HYPERLINK")]
        cells = [cell for row in rows_of(file_of(answer, "csv", lang)) for cell in row.values()]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "@", "-"))]


@pytest.mark.parametrize(
    ("who", "places"),
    [(NATIONAL, {"IR-10", TEHRAN}), (OF_TEHRAN, {TEHRAN}), (OF_ISFAHAN, {"IR-10"})],
)
def test_a_file_holds_the_notes_that_its_reader_may_see(who: AccessScope, places: set[str]) -> None:
    signed(note(), note("IR-10"))
    with page_run.acting_as(who):
        rows = rows_of(file_of(answered(), "csv"))
    assert len(rows) > 2, "open totals of every province"
    assert {row["province"] for row in rows if row["notes"]} == places


def test_a_file_for_circulation_holds_notes_without_accounts() -> None:
    signed(note())
    answer = answered()
    assert not is_for_circulation(answer)
    exact, rounded = (file_of(answer, "csv", circulation=way).decode() for way in (False, True))
    assert FA in exact
    assert "a.steward" in exact
    assert FA in rounded
    assert "a.steward" not in rounded
    book = openpyxl.load_workbook(io.BytesIO(file_of(answer, "xlsx", circulation=True)))
    assert "a.steward" not in [cell for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row]


@pytest.mark.parametrize("circulation", [False, True])
def test_the_workbook_of_a_page_has_the_column_and_one_sheet_of_notes(circulation: bool) -> None:
    signed(note(), note("IR-10"))
    parts = (Part("one", "", answered()), Part("two", "", answered(("county",), province=(TEHRAN,))))
    out = io.BytesIO()
    job = PageJob("page", "scope", "made", (), parts, ChartContext("en"), circulation)
    job.write(out)
    book = openpyxl.load_workbook(out)
    (name,) = [name for name in book.sheetnames if name.endswith(text.word("signed.title", "en"))]
    content = [cell for row in book[name].iter_rows(values_only=True) for cell in row]
    assert content.count(EN) == 2, "each note once"
    assert ("a.steward" in str(content)) is not circulation
    first = [cell for row in book.worksheets[2].iter_rows(values_only=True) for cell in row]
    assert text.word("signed.title", "en") in first
    assert [cell for cell in first if isinstance(cell, str) and EN in cell]


def test_a_note_signed_elsewhere_and_one_withdrawn_are_known_without_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signed_notes, "_SECONDS", -1.0)
    assert "notes" not in rows_of(file_of(answered(), "csv"))[0]
    kept = signed_notes.store().sign(person("steward"), note())
    job = ExportJob("csv", answered(), ChartContext("fa"), False, "x")
    assert [row for row in rows_of(file_of(answered(), "csv")) if row["notes"]]
    before = job.made_of()
    signed_notes.store().withdraw(person("steward"), kept.number, SIGNED)
    assert "notes" not in rows_of(file_of(answered(), "csv"))[0]
    assert job.made_of() != before, "a file that was made before is made again"


def test_an_expired_note_is_shown_nowhere() -> None:
    store: Notes = signed_notes.store()
    store.sign(person("steward"), replace(note(), until="2026-07-02"))
    signed_notes.forget()
    assert signed_notes.every()
    assert signed_notes.shown_to(ADMINISTRATOR) == ()


def test_numbers_are_shown_while_the_notes_are_out_of_reach(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    signed(note())
    assert len(signed_notes.every()) == 1
    monkeypatch.setenv("SHARED_DATABASE", f"postgresql:///shared?host={tmp_path}&user=nobody")
    signed_notes.forget()
    assert len(signed_notes.every()) == 1, "the last ones that were read"
    assert rows_of(file_of(answered(), "csv"))


def test_the_exact_answer_decides_which_notes_there_are(published: Path) -> None:
    with asking(published, ADMINISTRATOR, note()) as ask:
        exact = ask(Question((RATE,), ("province",), LAST))
        assert isinstance(Rounded(ask).shown(exact), disclosure.Circulated)
        answers.check(ask.rights, exact)
        assert Rounded(ask).notes == ask.notes == (note(),)


@pytest.mark.parametrize("by", [("institute",), ("post",), ("province",), ()])
def test_a_note_on_the_nation_about_all_rows_of_a_file_stands_once(by: tuple[str, ...], published: Path) -> None:
    with asking(published, ADMINISTRATOR) as ask:
        answer = ask(Question((RATE,), by, on=LAST))
    batch = pa.RecordBatch.from_pylist([dict(zip(answer.columns, map(str, row), strict=True)) for row in answer.rows])
    nation, of_tehran = note("IR"), note(TEHRAN)
    of_row = signed_rows.of(answer, [of_tehran if "province" in by else nation], ChartContext("fa"), True)
    written_ = [*of_row(batch).to_pylist(), *of_row(batch).to_pylist()]
    assert sum(bool(line) for line in written_) == (2 if "province" in by else 1)
    assert bool(written_[0]) == ("province" not in by) or answer.rows[0][0] == TEHRAN
