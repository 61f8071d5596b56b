"""Spellings of clerks with one meaning load like the plain value, and are counted in the notes of their file."""

from __future__ import annotations

# ruff: noqa: E501
import csv
import gzip
import io
import re
import struct
import tomllib
import zipfile
from collections import Counter
from collections.abc import Callable
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from etl.extract import read_file, workbook
from etl.extract.contract import contract
from tests.core.test_text_folding import national_ids, parsed, parsed_day, value
from tests.loading import DAY, HEADERS, ROOT, StreamedRows, csv_text, load, national_id, put, put_good, read, row
from tests.oracle.read import read_folder

PERSIAN = {
    "personnel": {one.name: one.headers[0] for one in contract("personnel").columns},
    "training": {one.name: one.headers[0] for one in contract("training").columns},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return put_good(tmp_path / "incoming")


# ------------------------------------------------------------------ values


@pytest.mark.parametrize(
    ("text", "day", "habits"),
    [
        ("1403/06/31 00:00:00", date(2024, 9, 21), {"date_with_time"}),
        ("2024-09-21T00:00:00", date(2024, 9, 21), {"date_with_time"}),
        ("2024-09-21 0:00:00", date(2024, 9, 21), {"date_with_time"}),
        ("1403/06/31 00:00", date(2024, 9, 21), {"date_with_time"}),
        ("۱۴۰۳/۰۶/۳۱ ۰:۰۰:۰۰", date(2024, 9, 21), {"date_with_time"}),
        ("2024-09-21 12:00:00 AM", date(2024, 9, 21), {"date_with_time"}),
        ("2024-09-21 00:00:00.000", date(2024, 9, 21), {"date_with_time"}),
        ("1403.06.31", date(2024, 9, 21), {"date_with_dots"}),
        ("1403.6.31", date(2024, 9, 21), {"date_with_dots"}),
        ("2024.9.21", date(2024, 9, 21), {"date_with_dots"}),
        ("1403 / 06 / 31", date(2024, 9, 21), {"date_with_spaces"}),
        ("1403- 6 -31", date(2024, 9, 21), {"date_with_spaces"}),
        ("31/06/1403", date(2024, 9, 21), {"date_day_first"}),
        ("31-6-1403", date(2024, 9, 21), {"date_day_first"}),
        ("۳۱.۰۶.۱۴۰۳", date(2024, 9, 21), {"date_day_first", "date_with_dots"}),
        ("۳۱ شهریور ۱۴۰۳", date(2024, 9, 21), {"date_month_name"}),
        ("31  شهريور‌1403", date(2024, 9, 21), {"date_month_name"}),
        ("۱ آبان ۱۴۰۳", date(2024, 10, 22), {"date_month_name"}),
        ("1403/06/31", date(2024, 9, 21), set()),
        ("2024/9/21", date(2024, 9, 21), set()),
        ("20240921", date(2024, 9, 21), set()),
        ("-", None, {"empty_mark"}),
        ("ـ", None, {"empty_mark"}),
    ],
)
def test_a_day_as_clerks_write_it(text, day, habits):
    read, reason, noted = parsed_day(text, DAY, future=True)
    assert (read, reason, set(noted)) == (day, None, habits)


@pytest.mark.parametrize(
    "text",
    [
        "1403/06/31 10:30:00", "2024-09-21 10:00:00", "2024-09-21 0:30", "2024-09-21 12:00:00 PM", "31/12/1403", "۳۲ شهریور ۱۴۰۳", "31 سپتامبر 1403",
        "۳۰ شهریور", "1403 06 31", "1403.06/31", "31/06/03", "45556", "1403/06/31/", "۳۱ شهریور ۲۰۲۴",
    ],
)  # fmt: skip
def test_an_ambiguous_or_meaningless_day_is_a_bad_date(text):
    assert parsed_day(text, DAY, future=True) == (None, "bad_date", ())


@pytest.mark.parametrize("text", ["31/06/2024", "21/09/2024", "03/04/2024", "5/6/1990 0:00:00", "5.6.1990", "5-6-1990"])
def test_a_gregorian_day_with_the_year_last_is_a_bad_date_and_named(text):
    assert parsed_day(text, DAY, future=True) == (None, "bad_date", ("date_year_last",))


@pytest.mark.slow
def test_american_days_are_counted_and_the_sentences_say_how_to_write_them(folder):
    put(folder, "personnel_2.csv", [row("personnel", national_id=national_id(7), birth_date="5/6/1990 0:00:00")])
    built = load(folder)
    assert "days with the Gregorian year last refused: 1" in built.file("personnel_2.csv")["notes"]
    ((form,),) = built.sql("select expected from quarantine where column_name = 'birth_date'")
    assert "not month/day/year" in form
    assert "نه ماه/روز/سال" in form


@pytest.mark.parametrize(
    ("table", "name", "words"),
    [
        ("personnel", "left_on", ["تاکنون", "تا‌کنون", "شاغل", "ندارد", "null", "NULL", "در حال خدمت", "ادامه دارد"]),
        ("personnel", "leave_reason", ["شاغل", "ندارد", "null"]),
        ("personnel", "judicial_officer_from", ["ندارد", "Null"]),
        ("personnel", "judicial_officer_until", ["تاكنون", "ندارد"]),
        ("personnel", "county", ["null", "ندارد"]),
        ("personnel", "education", ["null", "ندارد"]),
        ("personnel", "veteran", ["null"]),
        ("licences", "outcome", ["در حال بررسی", "ندارد"]),
        ("licences", "decided_on", ["در دست بررسی", "null"]),
        ("licences", "licence_no", ["ندارد"]),
        ("training", "score", ["ندارد", "null"]),
    ],
)
def test_a_word_for_no_value_is_read_as_empty(table, name, words):
    assert [parsed(table, name, word) for word in words] == [(None, None, ("empty_word",))] * len(words)


def test_a_word_for_no_value_is_no_value_where_one_is_required_or_where_it_means_another_thing():
    assert parsed("personnel", "hired_on", "null") == (None, "missing_value", ("empty_word",))
    assert value("personnel", "hired_on", "تاکنون") == (None, "bad_date")
    assert value("licences", "valid_until", "شاغل") == (None, "bad_date")
    assert value("personnel", "left_on", "نامعلوم") == (None, "bad_date")
    assert value("personnel", "province", "شاغل") == (None, "unknown_province")
    assert parsed("personnel", "veteran", "ندارد") == (False, None, ())
    assert parsed("personnel", "education", "تاکنون")[:2] == (None, "unknown_value")


@pytest.mark.slow
def test_nobody_whose_last_day_is_a_word_is_lost(folder):
    words = ["تاکنون", "شاغل", "ندارد", "null", "1404/01/01 0:00:00"]
    people = [row("personnel", national_id=national_id(at), left_on=word) for at, word in enumerate(words, 7)]
    put(folder, "personnel_2.csv", people)
    others = [{**person, "national_id": national_id(at)} for at, person in enumerate(people, 90)]
    xlsx(folder / "personnel_3.xlsx", {"یک": cells_of("personnel", others)})
    built = load(folder)
    for name in ("personnel_2.csv", "personnel_3.xlsx"):
        assert built.counts(name) == (5, 5, 0, 0)
        assert "words for no value read as empty: 4" in built.file(name)["notes"]
        assert "days with a time of midnight read: 1" in built.file(name)["notes"]


@pytest.mark.slow
def test_a_day_outside_the_years_of_the_register_is_a_bad_date(folder):
    """DAY is 1405/04/09."""
    days = {
        "left_on": ["3403/06/30", "9999-12-31", "1425/04/10", "1425/04/09"],
        "hired_on": ["1356/12/29", "1357/01/01", "3403/06/30"],
        "birth_date": ["1280/12/29"],
    }
    rows = [{"left_on": day} for day in days["left_on"]]
    rows += [{"hired_on": day, "birth_date": "1320/01/01"} for day in days["hired_on"]]
    rows += [{"birth_date": day, "hired_on": "1357/01/01"} for day in days["birth_date"]]
    ids = map(national_id, range(7, 7 + len(rows)))
    put(
        folder,
        "personnel_2.csv",
        [row("personnel", **cells, national_id=one) for cells, one in zip(rows, ids, strict=True)],
    )
    put(folder, "institutes_2.csv", [
        row("institutes", institute_code=f"1{at}", founded_on=day) for at, day in enumerate(("1299/12/29", "1300/01/01"))
    ])  # fmt: skip
    built = load(folder)
    assert built.rejected_rows() == [
        ("personnel_2.csv", 2, "left_on", "bad_date"),
        ("personnel_2.csv", 3, "left_on", "bad_date"),
        ("personnel_2.csv", 4, "left_on", "bad_date"),
        ("personnel_2.csv", 6, "hired_on", "bad_date"),
        ("personnel_2.csv", 8, "hired_on", "future_date"),
        ("personnel_2.csv", 9, "birth_date", "bad_date"),
    ]
    assert built.sql("select file, line, column_name, reason, expected from warned") == [
        ("institutes_2.csv", 2, "founded_on", "bad_date",
         "a day that exists, from 1300/01/01 on, year first, such as 1403/06/31 or 2024-09-21 (not month/day/year)"
         " · تاریخ درست، از ۱۳۰۰/۰۱/۰۱ به بعد، مانند ۱۴۰۳/۰۶/۳۱؛ نخست سال، نه ماه/روز/سال"),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["049-937089-9", "049 937089 9", "۰۴۹‌۹۳۷۰۸۹ ۹", "0499370-899", "049–937–0899"])
def test_an_id_with_marks_between_its_digits_is_the_id(text):
    ids = national_ids(text, "0499370899")
    assert ids.typed[0] == ids.typed[1]
    assert ids.habits == [("id_with_marks", 0)]


@pytest.mark.parametrize("text", ["499-370899", "-", "049_937089_9", "04/99370899"])
def test_an_invalid_id_stays_invalid(text):
    ids = national_ids(text)
    if text == "499-370899":
        assert ids.habits == [("id_with_marks", 0), ("padded", 0)]
    else:
        assert ids.faults == {0: "missing_value" if text == "-" else "bad_national_id"}


@pytest.mark.parametrize(
    ("table", "name", "text", "meant", "habits"),
    [
        ("personnel", "gender", "آقا", "male", ("synonym",)),
        ("personnel", "gender", "مذکر", "male", ("synonym",)),
        ("personnel", "gender", "m", "male", ("synonym",)),
        ("personnel", "gender", "خانم", "female", ("synonym",)),
        ("personnel", "gender", "مؤنث", "female", ("hamza", "synonym")),
        ("personnel", "gender", "F", "female", ("synonym",)),
        ("personnel", "gender", "زن", "female", ()),
        ("personnel", "education", "سیکل", "below_diploma", ("synonym",)),
        ("personnel", "education", "زیردیپلم", "below_diploma", ("synonym",)),
        ("personnel", "education", "ابتدايي", "below_diploma", ("synonym",)),
        ("personnel", "education", "فوق‌دیپلم", "associate", ("synonym",)),
        ("personnel", "education", "ليسانس", "bachelor", ("synonym",)),
        ("personnel", "education", "فوق لیسانس", "master", ("synonym",)),
        ("personnel", "education", "دکترا", "doctorate", ("synonym",)),
        ("personnel", "education", "–", None, ("empty_mark",)),
        ("personnel", "post", "سر تیم", "team_leader", ("synonym",)),
        ("personnel", "veteran", "آری", True, ("synonym",)),
        ("personnel", "veteran", "نه", False, ("synonym",)),
        ("training", "hours", "1", 1.0, ()),
        ("training", "hours", "۵۰۰", 500.0, ()),
        ("training", "score", "0", 0.0, ()),
        ("training", "score", ".", None, ("empty_mark",)),
        ("training", "score", "17.5", 17.5, ()),
    ],
)
def test_a_word_or_number_as_clerks_write_it(table, name, text, meant, habits):
    assert parsed(table, name, text) == (meant, None, habits)


@pytest.mark.parametrize("text", ["17,5", "17/5", "85%", "۸۵٪", "12٬00", "٬200", "1٬200", "1,200"])
def test_an_ambiguous_number_is_a_bad_number(text):
    assert value("training", "hours", text) == (None, "bad_number")


# A salary of 206 million in the column of hours went to readers as hours a person.
@pytest.mark.parametrize(
    ("name", "text"),
    [("hours", "206743849"), ("hours", "500.5"), ("hours", "0.5"), ("hours", "0"), ("score", "100.5"), ("score", "-1")],
)
def test_a_number_outside_its_bounds_is_a_bad_number(name, text):
    assert value("training", name, text) == (None, "bad_number")


def test_every_counted_habit_has_its_words_on_the_page():
    words = tomllib.loads((ROOT / "pages" / "text.toml").read_text(encoding="utf-8"))["note"]
    for habit in read_file._COUNTED.values():
        assert set(words[habit.replace(" ", "_")]) == {"fa", "en"}


# ------------------------------------------------------------------ headers


@pytest.mark.parametrize(
    "title",
    [
        "کد مؤسسه",
        "کد موسسه *",
        "کد موسسه:",
        "کد موسسه (اجباری)",
        "کد موسسه [۵ رقم] *",
        "كد مؤسسه (5 رقم):",
        "institute_code*",
    ],
)
def test_a_decorated_header_is_recognised_and_noted(title):
    match = contract("licences").match([title])
    assert match.positions == {"institute_code": 0}
    assert match.decorated == [title]


def test_a_plain_header_goes_before_a_decorated_one():
    match = contract("personnel").match(["استان (محل تولد)", "استان", "کد ملی *", "شماره ملی (سرپرست)"])
    assert match.positions == {"province": 1, "national_id": 2}
    assert match.extra == ["استان (محل تولد)"]
    assert match.repeated == ["national_id"]


@pytest.mark.slow
def test_a_header_near_an_optional_one_is_noted(folder):
    text = csv_text("personnel", [row("personnel", national_id=national_id(7))]).replace("left_on", "تاریخ پایان کار")
    put(folder, "personnel_2.csv", text)
    notes = load(folder).file("personnel_2.csv")["notes"]
    assert "headers ignored that look like a column: «تاریخ پایان کار» ~ left_on (تاریخ پایان)" in notes


# ------------------------------------------------------------------ files


def persian(table: str, rows: StreamedRows) -> str:
    """Rows as CSV under Persian headers."""
    head, *body = csv_text(table, rows).splitlines()
    return "\n".join([",".join(PERSIAN[table][name] for name in head.split(",")), *body]) + "\n"


@pytest.mark.slow
def test_files_are_known_by_their_headers_and_by_persian_names(folder):
    others = [row("personnel", national_id=national_id(at)) for at in (7, 8)]
    put(folder, "پرسنل تهران.csv", persian("personnel", others[:1]))
    put(folder, "کاركنان یزد.csv", persian("personnel", others[1:]))
    built = load(folder)
    assert [(entry["file"], entry["table"], entry["rows_loaded"]) for entry in built.report["files"][-2:]] == [
        ("پرسنل تهران.csv", "personnel", 1),
        ("کاركنان یزد.csv", "personnel", 1),
    ]
    assert built.report["ignored"] == []


@pytest.mark.slow
def test_a_file_without_a_table_is_refused(folder):
    files = {
        "budget.csv": ("a,b\n1,2\n", "neither its name nor its headers say which table it is"),
        "all.csv": (",".join(dict.fromkeys(" ".join(HEADERS.values()).split())) + "\n", "its headers fit several tables ("),
        "پرسنل.csv": (
            "کد ملی,کد موسسه,استان,جنسیت,تاریخ تولد,سمت\n", "line 1: missing required column hired_on; headers found: کد ملی"
        ),
        "training.docx": ("x", "its name says training, but a file with the ending .docx cannot be read"),
        "کارکنان.zip": ("x", "a packed file (.zip); unzip it and submit the file inside"),
    }  # fmt: skip
    for name, (text, _) in files.items():
        put(folder, name, text.encode())
    refusals = read(folder).refusals
    assert len(refusals) == len(files)
    for name, (_, message) in files.items():
        assert any(line.startswith(f"{name}: {message}") for line in refusals), name


@pytest.mark.slow
def test_titles_may_stand_above_the_headers_of_a_csv(folder):
    spellings = [*product((0, 1, 5, 20), (False, True), ("utf-8-sig", "utf-16", "cp1256"))]
    lines = {}
    for number, (above, sep, encoding) in enumerate(spellings):
        titles = ['گزارش "دوره ها;;;\n\n' if at == 2 else "گزارش;;;;;\n" for at in range(above)]
        course = row("training", completed_on=f"1402/05/{1 + number:02}")
        body = csv_text("training", [course, row("training", result="?")], ";")
        text = ("sep=;\n" if sep else "") + "".join(titles) + body
        if encoding == "cp1256":
            text = text.replace("ی", "ي")
        put(folder, f"training_{number:02}.csv", text.encode(encoding))
        lines[f"training_{number:02}.csv"] = text.count("\n")
    built = load(folder)
    assert built.rejected_rows() == [(name, line, "result", "unknown_value") for name, line in lines.items()]
    for name, (above, *_) in zip(lines, spellings, strict=True):
        assert built.counts(name) == (2, 1, 1, 0)
        assert built.file(name)["notes"] == ([f"lines above the headers skipped: {above}"] if above else [])


@pytest.mark.slow
def test_twenty_one_titles_are_too_many(folder):
    put(folder, "training_2.csv", "گزارش\n" * 21 + csv_text("training", [row("training")]))
    refusal = read(folder).refusal
    assert refusal.startswith("training_2.csv: line 1: missing required column")
    assert "no header of the table was found in the first 21 rows; put the headers above the rows" in refusal


@pytest.mark.slow
def test_headers_far_below_are_refused_with_the_number_of_rows_looked_at(folder):
    above = [["گزارش"]] * 39
    xlsx(folder / "training_2.xlsx", {"یک": [*above, *rows_of_cells()]})
    xlsx(folder / "training_3.xlsx", {"یک": rows_of_cells(), "دو": [*above, *rows_of_cells()]})
    put(folder, "گزارش.csv", "گزارش,x\n" * 39 + csv_text("training", [row("training")]))
    refusals = read(folder).refusals
    assert "no header of the table was found in the first 20 rows; put" in refusals[0]
    assert "which table it is (the first 20 rows are looked at); begin" in refusals[1]
    assert len(refusals) == 2
    (folder / "training_2.xlsx").unlink()
    (folder / "گزارش.csv").unlink()
    notes = load(folder).file("training_3.xlsx")["notes"]
    assert "sheets without the headers in their first 20 rows skipped: دو" in notes


@pytest.mark.slow
@pytest.mark.parametrize("quoted", [False, True])
def test_a_second_table_below_the_first_one_is_refused_with_its_place(folder, quoted):
    people = cells_of("personnel", [row("personnel", national_id=national_id(at)) for at in range(40, 70)])
    courses = rows_of_cells()
    persian = [[PERSIAN["training"][name] for name in courses[0]], *courses[1:]]
    persian[0][0] = persian[0][0].replace("ک", "ك").replace("ی", "ي")
    for number, below in enumerate((courses, persian), 2):
        xlsx(folder / f"personnel_{number}.xlsx", {"یک": [*people, [""], *below]})
    lines = [",".join(map(str, cells)) for cells in [*people, [""] * 16, *courses]]
    # A quote inside of quotes takes the other way of splitting.
    put(folder, "personnel_4.csv", "\n".join([*lines, '"a ""b"""' if quoted else ""]) + "\n")
    mixed = [*people[:3], people[0][::-1], *people[3:]]
    xlsx(folder / "personnel_5.xlsx", {"یک": mixed})
    places = ["2.xlsx: sheet یک, row 33", "3.xlsx: sheet یک, row 33", "4.csv: line 33", "5.xlsx: sheet یک, row 4"]
    tables = ["training", "training", "training", "personnel"]
    assert [line.partition("; ")[0] for line in read(folder).refusals] == [
        f"personnel_{place}: a second table ({table}) begins below the first one"
        for place, table in zip(places, tables, strict=True)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("word", ["جمع کل", "جمع كل:", "Total"])
@pytest.mark.parametrize("quoted", [False, True])
@pytest.mark.parametrize("column", ["national_id", "last_name", None])
def test_a_row_of_totals_is_passed_over_and_counted(folder, word, quoted, column):
    """In the column of the key, in another one, or in one that is no column of the contract."""
    head, *people = cells_of("personnel", [row("personnel", national_id=national_id(at)) for at in range(40, 44)])
    rows = [[*head, "ملاحظات"], *([*cells, ""] for cells in people)]
    total = [word if name == column else "" for name in HEADERS["personnel"].split()] + ["" if column else word]
    total[-2] = total[-2] or "4"
    if quoted:
        rows[1][1] = 'a "b"'
    xlsx(folder / "personnel_2.xlsx", {"یک": [*rows, total]})
    out = io.StringIO()
    csv.writer(out).writerows(
        [rows[0], *([national_id(60 + at), *cells[1:]] for at, cells in enumerate(rows[1:])), total]
    )
    put(folder, "personnel_3.csv", out.getvalue())
    named = row("personnel", national_id=national_id(70), last_name=word)
    put(folder, "personnel_4.csv", [named])
    built = load(folder)
    for name in ("personnel_2.xlsx", "personnel_3.csv"):
        assert built.counts(name) == (4, 4, 0, 0)
        assert "rows of totals passed over: 1" in built.file(name)["notes"]
    assert built.counts("personnel_4.csv") == (1, 1, 0, 0), "a person with that name is one"
    for name, count in read_folder(folder, DAY).files.items():
        assert built.counts(name) == (count.read, count.loaded, count.quarantined, count.duplicates)


@pytest.mark.slow
@pytest.mark.parametrize("quoted", [False, True])
def test_headers_that_stand_again_among_the_rows_are_passed_over_and_counted(folder, quoted):
    """As in files copied below one another, or printed with the headers on each page."""
    head, *people = cells_of("personnel", [row("personnel", national_id=national_id(at)) for at in range(40, 44)])
    if quoted:
        people[0][1] = 'a "b"'
    xlsx(folder / "personnel_2.xlsx", {"یک": [head, *people[:2], head, head, *people[2:]]})
    out = io.StringIO()
    csv.writer(out).writerows([head, *([national_id(60 + at), *cells[1:]] for at, cells in enumerate(people)), head])
    put(folder, "personnel_3.csv", out.getvalue())
    built = load(folder)
    for name, times in (("personnel_2.xlsx", 2), ("personnel_3.csv", 1)):
        assert built.counts(name) == (4, 4, 0, 0)
        assert f"headers that stand again among the rows passed over: {times}" in built.file(name)["notes"]
    for name, count in read_folder(folder, DAY).files.items():
        assert built.counts(name) == (count.read, count.loaded, count.quarantined, count.duplicates)


MISREAD = {
    "cp720": lambda text: text.replace("ی", "ي").replace("ک", "ك").encode("cp720", "replace"),
    "mac_farsi": lambda text: text.encode("mac_farsi", "replace"),
    "iso8859_6": lambda text: text.replace("ی", "ي").replace("ک", "ك").encode("iso8859_6", "replace"),
    "utf8_as_cp1252": lambda text: misread(text.encode(), "cp1252").encode(),
    "utf8_as_cp1256": lambda text: misread(text.encode(), "cp1256").encode("utf-8-sig"),
    "cp1256_as_cp1252": lambda text: misread(text.replace("ی", "ي").encode("cp1256"), "cp1252").encode(),
    "utf16": lambda text: misread(text.encode(), "cp1252").encode("utf-16"),
    "lost": lambda text: text.encode("ascii", "replace"),
    "replaced": lambda text: text.encode("cp1256", "replace").decode("utf-8", "replace").encode(),
    # Letters of IranSystem, an encoding of DOS.
    "unknown": lambda text: bytes(ord(char) if char.isascii() else 0x80 + ord(char) % 0x50 for char in text),
}


def misread(content: bytes, encoding: str) -> str:
    """What a program shows that takes bytes for those of an encoding; bytes without a letter are control characters."""
    return "".join(
        bytes([byte]).decode(
            "latin-1" if encoding == "cp1252" and 0x80 <= byte <= 0x9F and byte in UNDEFINED else encoding
        )
        for byte in content
    )


UNDEFINED = (0x81, 0x8D, 0x8F, 0x90, 0x9D)
UNREADABLE = (
    "the text cannot be read: its letters are of another encoding or were lost; open the file in the program that"
)


@pytest.mark.slow
@pytest.mark.parametrize("titles", [0, 2])
def test_a_text_in_an_encoding_that_is_not_read_is_refused_as_unreadable(folder, titles):
    text = "گزارش ماهانه\n" * titles + persian("training", [row("training")])
    for name, write in MISREAD.items():
        put(folder, f"training_{name}.csv", write(text))
        put(folder, f"{name}.csv", write(text))
    refusals = read(folder).refusals
    assert len(refusals) == 2 * len(MISREAD)
    assert [line for line in refusals if UNREADABLE not in line or "save it as CSV UTF-8" not in line] == []


@pytest.mark.slow
def test_a_text_below_english_headers_in_an_encoding_that_is_not_read_is_refused_as_unreadable(folder):
    people = [row("institutes", institute_code=f"7{at}", name="مؤسسهٔ حفاظتی", province="تهران") for at in range(5)]
    header, *body = csv_text("institutes", people).splitlines(keepends=True)
    old = ("cp720", "mac_farsi", "iso8859_6", "unknown")
    for name in old:
        put(folder, f"institutes_{name}.csv", header.encode() + MISREAD[name]("".join(body)))
    put(folder, "institutes_cp1256.csv", header.encode() + "".join(body).replace("ی", "ي").encode("cp1256", "replace"))
    built = load(folder)
    assert len(built.refusals) == len(old)
    assert [line for line in built.refusals if f": line 2: {UNREADABLE}" not in line] == []


@pytest.mark.slow
def test_misread_headers_of_a_workbook_or_of_parquet_are_refused_as_unreadable(folder):
    import pyarrow as pa
    import pyarrow.parquet as pq

    head, *rows = rows_of_cells()
    head = [PERSIAN["training"][name] for name in head]
    for encoding in ("cp1252", "cp1256"):
        wrong = [misread(title.encode(), encoding) for title in head]
        xlsx(folder / f"training_{encoding}.xlsx", {"راهنما": [["x"]], "یک": [["گزارش"], wrong, *rows]})
        pq.write_table(pa.table({title: ["x"] for title in wrong}), folder / f"training_{encoding}.parquet")
    xlsx(folder / "training_lost.xlsx", {"یک": [["?" * len(title) for title in head], *rows]})
    refusals = read(folder).refusals
    assert len(refusals) == 5
    assert [line for line in refusals if UNREADABLE not in line] == []


@pytest.mark.slow
def test_a_readable_file_with_other_headers_is_not_called_unreadable(folder):
    for encoding in ("utf-8", "cp1256", "utf-16"):
        put(folder, f"training_{encoding}.csv", "رديف,نام و فاميل,مبلغ فيش,توضيحات\n1,علي,5,ندارد\n".encode(encoding))
    refusals = read(folder).refusals
    assert [("no header of the table was found" in line, UNREADABLE in line) for line in refusals] == [
        (True, False)
    ] * 3


@pytest.mark.slow
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_rows_of_nothing_but_separators_are_passed_over_and_counted(folder, separator):
    """A sheet that was once longer, saved as CSV."""
    course, bad = row("training", completed_on="1402/05/01"), row("training", result="?")
    text = csv_text("training", [course, bad], separator)
    nothing = [separator * 5, separator * 9, separator, " ", f'""{separator}{separator * 4}', f" {separator} "]
    ending = "tsv" if separator == "\t" else "csv"
    head, first, *rest = text.splitlines()
    put(folder, f"training_2.{ending}", "\n".join([head, first, *nothing * 50, *rest, "", *nothing * 50]) + "\n")
    # A quote inside of quotes takes the other way of splitting.
    spread = f'"a ""b"""{separator * 5}'
    put(folder, f"training_3.{ending}", "\n".join([head, *nothing, spread, *nothing]) + "\n")
    built = load(folder)
    assert built.counts(f"training_2.{ending}") == (2, 1, 1, 0)
    assert built.file(f"training_2.{ending}")["notes"] == ["empty rows passed over: 600"]
    assert (f"training_2.{ending}", 303, "result", "unknown_value") in built.rejected_rows()
    assert built.counts(f"training_3.{ending}") == (1, 0, 1, 0)
    assert built.file(f"training_3.{ending}")["notes"] == ["empty rows passed over: 12"]


@pytest.mark.slow
def test_empty_rows_are_passed_over_and_counted_in_every_kind_of_file(folder):
    import pyarrow as pa
    import pyarrow.parquet as pq

    head, first, second = rows_of_cells()
    rows = [["" if cell is None else str(cell) for cell in cells] for cells in (first, ["", " ", *[""] * 4], second)]
    table = pa.table({name: pa.array([cells[at] for cells in rows]) for at, name in enumerate(head)})
    pq.write_table(table, folder / "training_2.parquet")
    for number, (ending, write) in enumerate(WRITERS.items(), 1):
        one = [*first[:2], f"1402/07/{number:02}", *first[3:]]
        write(folder / f"training_3{ending}", {"یک": [head, one, [""] * 6, [" ", *[""] * 5], second]})
    built = load(folder)
    assert built.counts("training_2.parquet") == (2, 1, 1, 0)
    assert built.file("training_2.parquet")["notes"] == ["empty rows passed over: 1"]
    assert ("training_2.parquet", 3, "result", "unknown_value") in built.rejected_rows()
    for ending in WRITERS:
        assert built.counts(f"training_3{ending}") == (2, 1, 1, 0)
        assert built.file(f"training_3{ending}")["notes"] == ["empty rows passed over: 2"]


@pytest.mark.slow
def test_the_second_reading_agrees_on_empty_rows_words_and_times_of_zero(folder):
    import pyarrow as pa
    import pyarrow.parquet as pq

    words = ["تاکنون", "ندارد", "null", "نامعلوم", "1404/01/01 0:00:00", "5/6/1990 0:00:00", "1404/01/01 0:30"]
    people = [
        row("personnel", national_id=national_id(at), left_on=word, veteran="ندارد", county="null", leave_reason=word)
        for at, word in enumerate(words, 7)
    ]
    put(folder, "personnel_2.csv", csv_text("personnel", people) + "," * 15 + "\n" + ",,\n" * 40)
    other = [{**person, "national_id": national_id(at)} for at, person in enumerate(people, 90)]
    xlsx(folder / "personnel_3.xlsx", {"یک": [*cells_of("personnel", other), [""] * 16, [" "], ["x"]]})
    head, *cells = cells_of(
        "personnel", [{**person, "national_id": national_id(at)} for at, person in enumerate(people, 200)]
    )
    cells.insert(2, [" "] * len(head))
    pq.write_table(
        pa.table(dict(zip(head, map(pa.array, zip(*cells, strict=True)), strict=True))), folder / "personnel_4.parquet"
    )
    file = row(
        "licences", application_no="L2", decided_on="در حال بررسی", outcome="ندارد", valid_from="", valid_until="null"
    )
    granted = row("licences", application_no="L3", valid_until="ندارد")
    put(folder, "licences_2.csv", [file, granted])
    put(folder, "institutes_2.csv", [row("institutes", institute_code="2", status="closed", status_since="ندارد")])
    built, second = load(folder), read_folder(folder, DAY)
    for name, count in second.files.items():
        assert built.counts(name) == (count.read, count.loaded, count.quarantined, count.duplicates)
        assert count.read == count.loaded + count.quarantined + count.duplicates
    assert Counter(built.rejected_rows()) == Counter(second.faults)
    assert Counter(built.sql("select file, line, column_name, reason from warned")) == Counter(second.warned)


# ------------------------------------------------------------------ workbooks of every kind


# A cell with #N/A.
NOT_AVAILABLE = object()
# A number cell of 0.85, shown as 85 %.
PERCENTAGE = object()


def cells_of(table: str, rows: StreamedRows) -> list[list[Any]]:
    """The headers and the cells of rows, as a sheet holds them."""
    head = HEADERS[table].split()
    return [list(head), *([cells.get(name, "") for name in head] for cells in rows)]


def rows_of_cells() -> list[list[Any]]:
    return [
        HEADERS["training"].split(),
        ["0000000027", "PY-101", "1402/05/01", 72, 80, "passed"],
        ["0000000027", "PY-101", "1402/05/02", 72, 80, "?"],
    ]


def xls(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    import xlwt

    book = xlwt.Workbook(encoding="utf-8")
    for title, rows in sheets.items():
        sheet = book.add_sheet(title)
        for at, cells in enumerate(rows):
            for place, cell in enumerate(cells):
                if cell is NOT_AVAILABLE:
                    sheet.row(at).set_cell_error(place, 0x2A)
                elif cell is PERCENTAGE:
                    sheet.write(at, place, 0.85, xlwt.easyxf(num_format_str="0.0%"))
                else:
                    sheet.write(at, place, cell)
    book.save(str(path))
    return path


def ods(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    def cell(value: Any) -> str:
        if value is NOT_AVAILABLE:
            return (
                '<table:table-cell table:formula="of:=NA()" office:value-type="string" office:string-value="" '
                'calcext:value-type="error"><text:p>#N/A</text:p></table:table-cell>'
            )
        if value is PERCENTAGE:
            return '<table:table-cell office:value-type="percentage" office:value="0.85"><text:p>85%</text:p></table:table-cell>'
        if isinstance(value, str):
            return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'
        return f'<table:table-cell office:value-type="float" office:value="{value}"/>'

    tables = "".join(
        f'<table:table table:name="{title}">'
        + "".join(f"<table:table-row>{''.join(map(cell, cells))}</table:table-row>" for cells in rows)
        + "</table:table>"
        for title, rows in sheets.items()
    )
    space = "urn:oasis:names:tc:opendocument:xmlns"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "content.xml",
            f'<office:document-content xmlns:office="{space}:office:1.0" xmlns:table="{space}:table:1.0" '
            f'xmlns:text="{space}:text:1.0" xmlns:calcext="urn:x:calcext"><office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>'
            "</office:document-content>",
        )
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
    return path


def xlsx(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    import xlsxwriter

    with xlsxwriter.Workbook(str(path)) as book:
        for title, rows in sheets.items():
            sheet = book.add_worksheet(title)
            for at, cells in enumerate(rows):
                for place, cell in enumerate(cells):
                    if cell is NOT_AVAILABLE:
                        sheet.write_formula(at, place, "=NA()", None, "#N/A")
                    elif cell is PERCENTAGE:
                        sheet.write(at, place, 0.85, book.add_format({"num_format": "0.00%"}))
                    else:
                        sheet.write(at, place, cell)
    return path


def record(kind: int, content: bytes = b"") -> bytes:
    head = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size, length = len(content), b""
    while True:
        length += bytes([size & 0x7F | (0x80 if size > 0x7F else 0)])
        size >>= 7
        if not size:
            return head + length + content


def xlsb(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    """The smallest binary workbook."""

    def wide(text: str) -> bytes:
        return len(text).to_bytes(4, "little") + text.encode("utf-16-le")

    def sheet(rows: list[list[Any]]) -> bytes:
        width = max(map(len, rows))
        out = record(129) + record(148, struct.pack("<4I", 0, len(rows) - 1, 0, width - 1)) + record(145)
        for at, cells in enumerate(rows):
            out += record(0, struct.pack("<I", at) + bytes(13))
            for place, cell in enumerate(cells):
                where = struct.pack("<II", place, 0)
                if cell is NOT_AVAILABLE:
                    out += record(3, where + b"\x2a")
                    continue
                if cell is PERCENTAGE:
                    out += record(5, struct.pack("<IId", place, 1, 0.85))
                    continue
                out += (
                    record(6, where + wide(cell))
                    if isinstance(cell, str)
                    else record(5, where + struct.pack("<d", cell))
                )
        return out + record(146) + record(130)

    kinds = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    bundle = b"".join(
        record(156, bytes(4) + at.to_bytes(4, "little") + wide(f"rId{at}") + wide(title))
        for at, title in enumerate(sheets, 1)
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.bin", record(131) + record(143) + bundle + record(144) + record(132))
        archive.writestr(
            "xl/_rels/workbook.bin.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            + "".join(
                f'<Relationship Id="rId{at}" Type="{kinds}/worksheet" Target="worksheets/sheet{at}.bin"/>'
                for at in range(1, len(sheets) + 1)
            )
            + "</Relationships>",
        )
        styles = [number.to_bytes(2, "little") for number in (0, 164)]
        cell_styles = b"".join(record(47, bytes(2) + style + bytes(12)) for style in styles)
        archive.writestr(
            "xl/styles.bin",
            record(278)
            + record(615, (1).to_bytes(4, "little"))
            + record(44, styles[1] + wide("0.0%"))
            + record(616)
            + record(626, (1).to_bytes(4, "little"))
            + record(47, bytes(2) + styles[1] + bytes(12))
            + record(627)
            + record(617, (2).to_bytes(4, "little"))
            + cell_styles
            + record(618)
            + record(279),
        )
        for at, rows in enumerate(sheets.values(), 1):
            archive.writestr(f"xl/worksheets/sheet{at}.bin", sheet(rows))
    return path


WRITERS = {".xls": xls, ".ods": ods, ".xlsx": xlsx, ".xlsm": xlsx, ".xlsb": xlsb}


@pytest.mark.slow
def test_a_workbook_of_every_kind_is_read_from_all_its_sheets(folder):
    head, *rows = rows_of_cells()
    for number, (ending, write) in enumerate(WRITERS.items()):
        # Each workbook has a course of its own.
        year = f"{1398 + number}"
        first, bad = [[*cells[:2], cells[2].replace("1402", year), *cells[3:]] for cells in rows]
        more = [head, first, bad, ["0000000027", "PY-101", int(f"{year}0503"), 72, 101, "passed"]]
        write(folder / f"training_2{ending}", {"یک": [["گزارش"], head, first, bad], "راهنما": [["x"]], "دو": more})
    built = load(folder)
    rejected = built.sql("select file, sheet, line, column_name from quarantine order by all")
    warned = built.sql("select file, sheet, line, column_name from warned order by all")
    for ending in WRITERS:
        name = f"training_2{ending}"
        assert built.counts(name) == (5, 2, 2, 1)
        assert [place for file, *place in rejected if file == name] == [["دو", 3, "result"], ["یک", 4, "result"]]
        assert [place for file, *place in warned if file == name] == [["دو", 4, "score"]]


@pytest.mark.slow
def test_a_cell_with_an_error_is_not_read_as_empty(folder):
    """If it were read as empty, a person who left would count as in service."""
    head = HEADERS["personnel"].split()
    for number, (ending, write) in enumerate(WRITERS.items()):
        ids = map(national_id, range(60 + 4 * number, 64 + 4 * number))
        people = [row("personnel", national_id=one, left_on="1403/05/01", education="") for one in ids]
        cells: list[list[Any]] = [[person.get(name, "") for name in head] for person in people]
        cells[1][head.index("left_on")] = cells[3][head.index("education")] = NOT_AVAILABLE
        write(folder / f"personnel_2{ending}", {"الف": [["x"]], "ب": [["گزارش"], head, *cells]})
    built = load(folder)
    assert [built.counts(f"personnel_2{ending}") for ending in WRITERS] == [(4, 3, 1, 0)] * len(WRITERS)
    for table, place in (("quarantine", (4, "left_on")), ("warned", (6, "education"))):
        assert built.sql(f"select file, sheet, line, column_name, reason from {table} order by all") == [
            (f"personnel_2{ending}", "ب", *place, "missing_value") for ending in sorted(WRITERS)
        ]


@pytest.mark.slow
def test_a_number_shown_as_a_percentage_is_a_bad_number(folder):
    head, first, _ = rows_of_cells()
    for number, (ending, write) in enumerate(WRITERS.items(), 1):
        shown = [*first[:2], f"1402/05/{number:02}", 72, PERCENTAGE, "passed"]
        plain = [*first[:2], f"1402/06/{number:02}", 72, 0.85, "passed"]
        write(folder / f"training_2{ending}", {"الف": [head, shown, plain]})
    built = load(folder)
    assert [built.counts(f"training_2{ending}") for ending in WRITERS] == [(2, 2, 0, 0)] * len(WRITERS)
    assert built.sql("select file, line, column_name, reason from warned order by all") == [
        (f"training_2{ending}", 2, "score", "bad_number") for ending in sorted(WRITERS)
    ]


@pytest.mark.slow
def test_an_empty_cell_beside_the_table_that_would_show_a_percentage_changes_nothing(folder):
    import xlsxwriter

    head, course, _ = rows_of_cells()
    for number, (first_column, empty) in enumerate([(0, "T2"), (1, "A2")], 2):
        with xlsxwriter.Workbook(str(folder / f"training_{number}.xlsx")) as book:
            sheet = book.add_worksheet()
            for at, cells in enumerate((head, [*course[:2], f"1402/05/{number:02}", *course[3:]])):
                # The last column is one of numbers.
                sheet.write_row(at, first_column, [*cells[:3], *cells[:3:-1], cells[3]])
            sheet.write_blank(empty, None, book.add_format({"num_format": "0%"}))
    built = load(folder, "--skip-refused")
    assert [built.counts(f"training_{number}.xlsx") for number in (2, 3)] == [(1, 1, 0, 0)] * 2
    assert built.sql("select count(*) from warned") == [(0,)]


def rewritten(path: Path, part: str, change: Callable[[bytes], bytes]) -> None:
    """Change one part of a workbook."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, change(content) if name == part else content)


def last_row_again(path: Path) -> None:
    """Give the third row of a sheet the number of the second."""
    if path.suffix == ".xlsb":
        rows = [record(0, struct.pack("<I", at) + bytes(13)) for at in (1, 2)]
        rewritten(path, "xl/worksheets/sheet1.bin", lambda content: content.replace(rows[1], rows[0]))
    elif path.suffix == ".xls":
        cells = rb"((?:\xfd\x00|\x03\x02|\x7e\x02|\xbd\x00).\x00)\x02\x00"
        path.write_bytes(re.sub(cells, b"\\1\x01\x00", path.read_bytes(), flags=re.DOTALL))
    else:
        third = re.compile(rb'r="([A-Z]?)3"')
        rewritten(path, "xl/worksheets/sheet1.xml", lambda content: third.sub(rb"r='\g<1>2'", content))


@pytest.mark.slow
def test_a_row_number_that_stands_twice_refuses_the_workbook(folder):
    """One of both would be lost. Rows of .ods have no numbers."""
    endings = sorted(kind for kind in WRITERS if kind != ".ods")
    for ending in endings:
        last_row_again(WRITERS[ending](folder / f"training_2{ending}", {"یک": rows_of_cells()}))
    # Each cell of the row has the number of the row before.
    path = xlsx(folder / "training_3.xlsx", {"یک": rows_of_cells()})
    rewritten(path, "xl/worksheets/sheet1.xml", lambda content: re.sub(rb'r="([A-Z])3"', rb'r="\g<1>2"', content))
    # Only the row has it; its cells have the right one.
    path = xlsx(folder / "training_4.xlsx", {"یک": rows_of_cells()})
    rewritten(path, "xl/worksheets/sheet1.xml", lambda content: content.replace(b'<row r="3"', b'<row r="2"'))
    names = [*(f"training_2{ending}" for ending in endings), "training_3.xlsx", "training_4.xlsx"]
    assert [line.partition("; ")[0] for line in read(folder).refusals] == [
        f"{name}: sheet یک: row 2 appears twice: the file is damaged" for name in names
    ]


def test_a_workbook_known_by_its_headers_is_opened_once(tmp_path, monkeypatch):
    path = xlsx(tmp_path / "فایل.xlsx", {"راهنما": [["x"]], "داده": rows_of_cells()})
    names = []
    calamine = workbook.CalamineWorkbook

    class Counted:
        @staticmethod
        def from_path(name: str) -> Any:
            names.append(name)
            return calamine.from_path(name)

    monkeypatch.setattr(workbook, "CalamineWorkbook", Counted)
    table = read_file.recognised(path)
    source = read_file.open_source(path, contract(table))
    assert (table, sum(len(batch.lines) for batch in source.batches)) == ("training", 2)
    assert names == [str(path)]


# ------------------------------------------------------------------ plain causes


def locked(path: Path) -> bytes:
    """A workbook under a password."""
    from msoffcrypto.format.ooxml import OOXMLFile

    out = io.BytesIO()
    with xlsx(path, {"داده": rows_of_cells()}).open("rb") as file:
        OOXMLFile(file).encrypt("1234", out)
    path.unlink()
    return out.getvalue()


def locked_xls(path: Path) -> bytes:
    """An XLS workbook marked as protected by a password: its record of the author becomes that of a password."""
    content = xls(path, {"داده": rows_of_cells()}).read_bytes()
    path.unlink()
    head = b"\x5c\x00\x70\x00"
    assert content.count(head) == 1
    return content.replace(head, b"\x2f\x00\x70\x00")


WRONG_SUFFIX: list[tuple[str, Callable[[Path], bytes], str, str]] = [
    ("training_01.xlsx", locked, "the workbook is protected by a password; remove the password", "کارپوشه رمز دارد؛ رمز را بردارید"),
    ("training_02.csv", locked, "the workbook is protected by a password", "کارپوشه رمز دارد"),
    ("training_03.xls", locked_xls, "the workbook is protected by a password", "کارپوشه رمز دارد"),
    ("training_04.xlsx", lambda path: xls(path, {"a": rows_of_cells()}).read_bytes(),
     "an old Excel workbook (.xls) under the ending .xlsx; save it as .xlsx", "کارپوشهٔ قدیمی اکسل"),
    ("training_05.csv", lambda path: gzip.compress(b"x,y"), "a packed file (gzip); unzip it", "فایل فشرده (gzip) است؛ آن را باز کنید"),
    ("training_06.csv", lambda path: xlsx(path, {"a": rows_of_cells()}).read_bytes(),
     "a workbook under the ending .csv; save it as .xlsx", "کارپوشه با پسوند .csv"),
    ("training_07.csv", lambda path: xls(path, {"a": rows_of_cells()}).read_bytes(), "a workbook under the ending .csv", "کارپوشه با پسوند .csv"),
    ("training_08.csv", lambda path: b"\xef\xbb\xbf", "the file is empty; submit the file that holds the rows", "فایل خالی است؛ فایلی را که ردیف دارد ارسال کنید"),
    ("training_09.csv", lambda path: b"PAR1" + bytes(50), "a Parquet file under the ending .csv", "فایل Parquet"),
    ("training_10.xls", lambda path: b"<html><table><tr><td>1</td></tr></table></html>", "a document (HTML) under the ending .xls", "صفحهٔ وب با پسوند .xls است"),
    ("training_11.ods", lambda path: ods(path, {"a": rows_of_cells()}).read_bytes()[:300], "not a readable ODS workbook (broken ZIP)", "فایل آسیب دیده یا کامل کپی نشده است؛ "),
    ("training_12.xlsb", lambda path: b"x", "not a readable XLSB workbook (no workbook inside)", "کارپوشه نیست؛ آن را در اکسل باز"),
]  # fmt: skip


@pytest.mark.slow
def test_a_file_with_the_wrong_suffix_gets_a_clear_error(folder):
    for name, make, *_ in WRONG_SUFFIX:
        content = make(folder / name)
        put(folder, name, content)
    built = load(folder)
    lines = zip(built.refusals, built.err.splitlines(), strict=True)
    for (refusal, whole), (name, _, english, persian) in zip(lines, WRONG_SUFFIX, strict=True):
        assert refusal.startswith(f"{name}: {english}")
        assert re.sub("[\u2068\u2069]", "", whole.partition(" · ")[2]).startswith(persian)


@pytest.mark.slow
def test_a_province_merged_over_its_rows_is_reported(folder):
    import xlsxwriter

    people = [row("personnel", national_id=national_id(at)) for at in range(30, 36)]
    # The last row of a sheet is merged, too.
    for last, whole in ((6, True), (2, False)):
        with xlsxwriter.Workbook(str(folder / "personnel_2.xlsx")) as book:
            sheet = book.add_worksheet("داده")
            head = HEADERS["personnel"].split()
            sheet.write_row(0, 0, head)
            for at, person in enumerate(people, 1):
                sheet.write_row(at, 0, [person.get(name, "") for name in head])
            at = head.index("province")
            sheet.merge_range(1, at, last, at, "تهران")
        built = load(folder)
        if whole:
            assert built.refusal.startswith(
                "personnel_2.xlsx: sheet داده: cells of column province are merged over rows (2–7); unmerge them"
            )
        else:
            assert "merged cells: province داده!2–3" in built.file("personnel_2.xlsx")["notes"]
            assert built.sql("select line, column_name, reason from quarantine") == [(3, "province", "missing_value")]
