"""From files to a publication: every row ends in one place, with its reason, its line and its column."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etl.analysis.announcements import announced
from etl.build import pipeline
from etl.core.paths import CHECKS
from etl.core.places import places
from etl.extract.contract import contract
from etl.semantic import access, answers
from etl.warehouse import build_database, code_version, population, publications, run_models
from pages.ui.i18n import text
from tests.loading import (
    DAY,
    GOOD,
    HEADERS,
    ROOT,
    Built,
    StreamedRows,
    build,
    csv_text,
    digest,
    english,
    national_id,
    put,
    put_good,
    row,
    run,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return put_good(tmp_path / "incoming")


def with_rows(folder: Path, table: str, *rows: dict[str, str]) -> Built:
    """Build the good folder with further rows in a second file of `table`."""
    put(folder, f"{table}_2.csv", list(rows))
    return build(folder)


# ------------------------------------------------------------------ what is good loads


def test_the_smallest_register_loads_whole(folder):
    built = build(folder)
    assert built.code == 0
    assert [built.counts(f"{table}.csv") for table in HEADERS] == [(1, 1, 0, 0)] * 4
    assert built.report["published"] is True
    assert built.report["reasons"] == {}
    assert built.rejected_rows() == []
    with access.connect(built.to, access.ADMINISTRATOR) as con:
        assert answers.ask(con, "active_assistants").value() == 1


def test_the_report_is_the_json_of_the_contract(folder):
    put(folder, "training_bad.csv", [row("training", result="?")])
    load_report = build(folder).report
    assert set(load_report) >= {"published", "as_of", "files", "reasons"}
    assert load_report["as_of"] == "2023-06-22"
    for one in load_report["files"]:
        assert set(one) == {
            "file",
            "table",
            "rows_read",
            "rows_loaded",
            "rows_quarantined",
            "exact_duplicates",
            "rows_warned",
            "notes",
        }
        assert one["rows_read"] == one["rows_loaded"] + one["rows_quarantined"] + one["exact_duplicates"]
    assert [(one["file"], one["table"]) for one in load_report["files"]] == [
        ("institutes.csv", "institutes"),
        ("licences.csv", "licences"),
        ("personnel.csv", "personnel"),
        ("training.csv", "training"),
        ("training_bad.csv", "training"),
    ]
    assert load_report["reasons"] == {"unknown_value": 1}


def test_the_printed_report_tells_every_file_and_reason(folder):
    put(folder, "training_bad.csv", [row("training", result="?", national_id="0000000043")])
    out = build(folder).out
    for words in ("institutes.csv", "training_bad.csv", "unknown_value: 1", "orphan_person: 1", "as of 2023-06-22"):
        assert words in out


def test_the_same_rows_in_any_format_are_the_same_register(folder, tmp_path):
    plain = build(folder)
    other = tmp_path / "other" / "incoming"
    put(other, "institutes.csv", csv_text("institutes", [row("institutes")], ";").replace("ی", "ي").encode("cp1256"))
    put(other, "licences.tsv", csv_text("licences", [row("licences")], "|").encode("utf-16"))
    book = openpyxl.Workbook()
    book.active.append(list(GOOD["personnel"]))
    book.active.append(list(GOOD["personnel"].values()))
    book.save(other / "personnel.xlsx")
    pq.write_table(pa.Table.from_pylist([row("training")]), other / "training.parquet")
    mixed = build(other)
    assert mixed.code == 0
    with access.connect(plain.to, access.ADMINISTRATOR) as one, access.connect(mixed.to, access.ADMINISTRATOR) as two:
        but = ("load_files", "publication", "row_marks", "institutes")
        assert digest(one, but) == digest(two, but)
        assert one.execute("select name from institutes").fetchall() == [("نگهبان شرق",)]
        assert two.execute("select name from institutes").fetchall() == [("نگهبان شرق",)]


def test_names_and_national_ids_never_enter(folder):
    built = build(folder)
    with access.connect(built.to, access.ADMINISTRATOR) as con:
        for (table,) in con.execute("select table_name from duckdb_tables()").fetchall():
            text = str(con.execute(f"select * from {table}").fetchall())
            assert "0000000027" not in text, table
            assert "خانوادگی" not in text, table
    raw = built.to.resolve().read_bytes()
    assert b"0000000027" not in raw
    assert "خانوادگی".encode() not in raw


def test_what_was_written_is_kept_for_showing_and_the_unseen_is_counted(folder):
    built = with_rows(folder, "institutes", row("institutes", institute_code="۰۰۰٢", name="شركت\u200cهاي \u202eشرق"))
    shown = built.sql("select name from institutes where institute_code = '0002'")
    assert shown == [("شركت\u200cهاي شرق",)]
    assert built.file("institutes_2.csv")["notes"] == ["invisible characters stripped: 1"]


def test_padded_ids_unknown_counties_and_extra_columns_are_noted(folder):
    short = national_id(1234567).lstrip("0")
    text = csv_text("personnel", [row("personnel", national_id=short, county="ناکجا")]).splitlines()
    put(folder, "personnel_2.csv", f"{text[0]},ردیف,رنگ\n{text[1]},1,سبز\n")
    built = build(folder)
    assert built.file("personnel_2.csv")["notes"] == [
        "extra columns ignored: ردیف, رنگ",
        "national ids padded with leading zeros: 1",
        "unknown counties loaded as unknown: 1",
    ]
    assert built.counts("personnel_2.csv") == (1, 1, 0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("table", HEADERS)
def test_a_missing_optional_column_is_named_with_what_follows(folder, table):
    optional = [one.name for one in contract(table).entering if not one.required]
    assert optional
    complete = row(table)
    for name in optional:
        titles = [title for title in HEADERS[table].split() if title != name]
        put(
            folder,
            f"{table}_2.csv",
            "\n".join(",".join(line) for line in (titles, [complete.get(one, "") for one in titles])),
        )
        (note,) = build(folder).file(f"{table}_2.csv")["notes"]
        assert note.startswith(f"{name} is missing: ")
        key = note.partition(":")[0].replace(" ", "_")
        assert text.word(f"note.{key}", "en") == note
        assert contract_header(table, name) in text.word(f"note.{key}", "fa")
    assert build(folder).file(f"{table}.csv")["notes"] == []
    assert contract("personnel").absent["left_on"] == "everyone counts as in service"


def contract_header(table: str, name: str) -> str:
    """The first Persian header of a column."""
    return next(one.headers[0] for one in contract(table).columns if one.name == name)


def test_a_county_is_one_of_its_own_province(folder):
    name, code, province = "اراک", "0001", "IR-00"
    built = with_rows(
        folder,
        "personnel",
        row("personnel", national_id=national_id(11), province=province, county=name.replace("ک", "ك")),
        row("personnel", national_id=national_id(12), province=province, county=code),
        row("personnel", national_id=national_id(13), province="IR-23", county=name),
    )
    assert (
        built.sql(f"select province, county from spells where province = '{province}' or county is not null")
        == [(province, code)] * 2
    )
    assert "unknown counties loaded as unknown: 1" in built.file("personnel_2.csv")["notes"]


# ------------------------------------------------------------------ every reason


REASONS = {
    ("institutes", "missing_value", "institute_code"): {"institute_code": ""},
    ("institutes", "missing_value", "name"): {"name": " \u200f "},
    ("institutes", "unknown_province", "province"): {"province": "فارسستان"},
    ("institutes", "unknown_value", "activity"): {"activity": "other"},
    ("institutes", "missing_status_since", "status_since"): {"status": "suspended"},
    ("institutes", "bad_date", "status_since"): {"status_since": "1402/12/30"},
    ("institutes", "future_date", "status_since"): {"status_since": "2026-07-01"},
    ("institutes", "spoilt_number", "institute_code"): {"institute_code": "1.23E+09"},
    ("licences", "orphan_institute", "institute_code"): {"institute_code": "0404"},
    ("licences", "unknown_value", "kind"): {"kind": "؟"},
    ("licences", "missing_value", "decided_on"): {"decided_on": ""},
    ("licences", "missing_value", "valid_until"): {"valid_until": ""},
    ("licences", "ends_before_starts", "valid_until"): {"valid_until": "1402/02/09"},
    ("licences", "ends_before_starts", "file_complete_on"): {"file_complete_on": "1402/01/04"},
    ("licences", "decided_before_complete", "decided_on"): {"decided_on": "1402/01/19"},
    ("licences", "future_date", "decided_on"): {"decided_on": "1499/01/01"},
    ("personnel", "bad_national_id", "national_id"): {"national_id": "0000000028"},
    ("personnel", "bad_national_id", "national_id", 2): {"national_id": "4444444444"},
    ("personnel", "spoilt_number", "national_id"): {"national_id": "2.7E+01"},
    ("personnel", "orphan_institute", "institute_code"): {"institute_code": "9"},
    ("personnel", "age_out_of_range", "birth_date"): {"birth_date": "1384/03/02"},
    ("personnel", "age_out_of_range", "birth_date", 2): {"birth_date": "1325/12/01"},
    ("personnel", "left_before_hired", "left_on"): {"left_on": "1402/02/31"},
    ("personnel", "ends_before_starts", "judicial_officer_until"): {
        "judicial_officer_from": "1402/05/02",
        "judicial_officer_until": "1402/05/01",
    },
    ("personnel", "unknown_value", "gender"): {"gender": ""} | {"gender": "نامعلوم"},
    ("personnel", "missing_value", "post"): {"post": ""},
    ("personnel", "future_date", "hired_on"): {"hired_on": "1405/04/10"},
    ("personnel", "bad_date", "birth_date"): {"birth_date": "70/05/05"},
    ("training", "unknown_course", "course_code"): {"course_code": "PY-999"},
    ("training", "orphan_person", "national_id"): {"national_id": "0790419904"},
    ("training", "bad_date", "completed_on"): {"completed_on": "45123"},
    ("training", "future_date", "completed_on"): {"completed_on": "2026-07-01"},
    ("training", "missing_value", "result"): {"result": ""},
}  # fmt: skip


# What loads as unknown, and is told.
WARNED = {
    ("institutes", "unknown_value", "smart_services"): {"smart_services": "شاید"},
    ("institutes", "unknown_value", "veteran_led"): {"veteran_led": "2"},
    ("institutes", "unknown_value", "county"): {"county": "ناکجا"},
    ("institutes", "bad_date", "founded_on"): {"founded_on": "1402/12/30"},
    ("institutes", "future_date", "founded_on"): {"founded_on": "2026-07-01"},
    ("personnel", "unknown_value", "county"): {"county": "ناکجا"},
    ("personnel", "unknown_value", "education"): {"education": "حوزوی"},
    ("personnel", "unknown_value", "leave_reason"): {"leave_reason": "?"},
    ("personnel", "unknown_value", "veteran"): {"veteran": "شاید"},
    ("training", "bad_number", "score"): {"score": "100.5"},
    ("training", "bad_number", "hours"): {"hours": "-3"},
}


def keyed(table: str, number: int) -> dict[str, str]:
    """A good row with a key of its own."""
    return {
        "institutes": row("institutes", institute_code=f"k{number}"),
        "licences": row("licences", application_no=f"k{number}"),
        "personnel": row("personnel", national_id=national_id(500_000 + number)),
        "training": row("training", completed_on=f"1402/05/{number + 1:02}"),
    }[table]


def test_every_reason_is_given_with_its_line_and_column_and_only_once(folder):
    expected: list[tuple[str, int, str, str]] = []
    for table in HEADERS:
        cases = [(key[1:3], changed) for key, changed in REASONS.items() if key[0] == table]
        rows = []
        for number, (fault, changed) in enumerate(cases):
            rows += [
                keyed(table, 2 * number),
                {**keyed(table, 2 * number + 1 if table != "training" else 20 + number), **changed},
            ]
            expected.append((f"{table}_bad.csv", len(rows) + 1, fault[1], fault[0]))
        put(folder, f"{table}_bad.csv", rows)
    built = build(folder)
    assert built.rejected_rows() == sorted(expected)
    assert built.report["reasons"] == dict(Counter(reason for *_, reason in expected))
    for table in HEADERS:
        bad = sum(name == f"{table}_bad.csv" for name, *_ in expected)
        assert built.counts(f"{table}_bad.csv") == (2 * bad, bad, bad, 0)


def test_a_bad_value_that_no_headline_needs_loads_as_unknown_with_a_warning(folder):
    expected: list[tuple[str, int, str, str]] = []
    for table in HEADERS:
        rows: StreamedRows = []
        for number, ((of, reason, column), changed) in enumerate(WARNED.items()):
            if of == table:
                rows += [keyed(table, 2 * number), {**keyed(table, 2 * number + 1), **changed}]
                expected.append((f"{table}_odd.csv", len(rows) + 1, column, reason))
        if rows:
            # A row that is rejected tells of that alone.
            rows.append({**rows[-1], HEADERS[table].split()[0]: ""})
            put(folder, f"{table}_odd.csv", rows)
    built = build(folder)
    assert built.sql("select file, line, column_name, reason from warned order by all") == sorted(expected)
    assert len(built.rejected_rows()) == 3
    for table in ("institutes", "personnel", "training"):
        odd = sum(name == f"{table}_odd.csv" for name, *_ in expected)
        assert built.file(f"{table}_odd.csv")["rows_warned"] == odd
        assert built.counts(f"{table}_odd.csv") == (2 * odd + 1, 2 * odd, 1, 0)
    assert {column for _, _, column in WARNED} == {
        column.name for table in HEADERS for column in contract(table).columns if column.bad == "unknown"
    }
    assert built.sql("select count(*) from warned where expected = '' or expected is null") == [(0,)]


def test_the_reasons_tried_are_those_of_the_contract():
    tried = {key[1] for key in (*REASONS, *WARNED)} | {"ragged_row", "bad_encoding", "conflicting_key"}
    assert tried == {
        "missing_value", "bad_date", "future_date", "bad_number", "unknown_value", "unknown_province", "unknown_course",
        "bad_national_id", "spoilt_number", "age_out_of_range", "left_before_hired", "decided_before_complete",
        "ends_before_starts", "missing_status_since", "orphan_institute", "orphan_person", "conflicting_key", "ragged_row",
        "bad_encoding",
    }  # fmt: skip


def test_lines_behind_quoted_line_breaks_are_true(folder):
    rows = [row("institutes", institute_code=f"c{at}", name="نام\nدر\nسه خط" if at % 2 else "نام") for at in range(6)]
    rows[3]["activity"] = "?"
    rows[5]["province"] = "?"
    text = csv_text("institutes", rows)
    put(folder, "institutes_2.csv", text)
    lines = text.splitlines()
    built = build(folder)
    assert built.rejected_rows() == [
        (
            "institutes_2.csv",
            lines.index(next(line for line in lines if line.startswith("c3"))) + 1,
            "activity",
            "unknown_value",
        ),
        (
            "institutes_2.csv",
            lines.index(next(line for line in lines if line.startswith("c5"))) + 1,
            "province",
            "unknown_province",
        ),
    ]
    assert built.sql("select name from institutes where institute_code = 'c1'") == [("نام در سه خط",)]


def test_a_row_with_several_faults_has_a_line_for_each_and_counts_once(folder):
    built = with_rows(
        folder, "personnel", row("personnel", national_id="123", gender="?", birth_date="", hired_on="1402/02/31")
    )
    built = with_rows(
        folder, "personnel", row("personnel", national_id="123", gender="?", birth_date="", institute_code="x")
    )
    assert built.rejected_rows() == [
        ("personnel_2.csv", 2, "birth_date", "missing_value"),
        ("personnel_2.csv", 2, "gender", "unknown_value"),
        ("personnel_2.csv", 2, "institute_code", "orphan_institute"),
        ("personnel_2.csv", 2, "national_id", "bad_national_id"),
    ]
    assert built.counts("personnel_2.csv") == (1, 0, 1, 0)


def test_a_value_that_is_there_but_bad_is_not_missing_too(folder):
    rows = [
        row("licences", application_no="a", decided_on="1499/01/01"),
        row("licences", application_no="b", valid_until="1402/13/01"),
    ]
    assert with_rows(folder, "licences", *rows).rejected_rows() == [
        ("licences_2.csv", 2, "decided_on", "future_date"),
        ("licences_2.csv", 3, "valid_until", "bad_date"),
    ]


def test_only_four_days_may_lie_ahead(folder):
    good = [
        row("licences", application_no="a", valid_from="1410/01/01", valid_until="1420/01/01"),
    ]
    built = with_rows(folder, "licences", *good)
    put(
        folder,
        "personnel_2.csv",
        [
            row(
                "personnel",
                national_id=national_id(9),
                left_on="1410/01/01",
                judicial_officer_from="1402/05/01",
                judicial_officer_until="1410/01/01",
            )
        ],
    )
    built = build(folder)
    assert (built.counts("licences_2.csv"), built.counts("personnel_2.csv")) == ((1, 1, 0, 0), (1, 1, 0, 0))
    on_the_day = [
        row("institutes", institute_code="d", status_since=DAY.isoformat()),
        row("institutes", institute_code="e", status_since="2026-07-01"),
    ]
    assert with_rows(folder, "institutes", *on_the_day).counts("institutes_2.csv") == (2, 1, 1, 0)


@pytest.mark.parametrize(
    ("birth", "loads"),
    [("1384/03/01", True), ("1384/03/02", False), ("1326/03/02", True), ("1326/03/01", False)],
)
def test_age_at_hiring_is_18_to_75_completed_years(folder, birth, loads):
    # Hired on 1402/03/01 = 2023-05-22; the same Gregorian day 18 and 76 years before.
    days = {
        "1384/03/01": "2005-05-22",
        "1384/03/02": "2005-05-23",
        "1326/03/02": "1947-05-23",
        "1326/03/01": "1947-05-22",
    }
    built = with_rows(folder, "personnel", row("personnel", national_id=national_id(7), birth_date=days[birth]))
    assert built.counts("personnel_2.csv") == (1, int(loads), int(not loads), 0)


def test_a_granted_licence_without_a_complete_file_loads(folder):
    assert with_rows(folder, "licences", row("licences", application_no="z", file_complete_on="")).counts(
        "licences_2.csv"
    ) == (1, 1, 0, 0)


# ------------------------------------------------------------------ duplicates, conflicts, orphans


def test_the_same_row_in_other_words_is_a_duplicate_counted_in_the_later_file(folder):
    again = row(
        "personnel", national_id="۲۷".rjust(10, "٠"), institute_code=" ۰۰۰۱ ", province="تهران", gender="زن",
        birth_date="1991-07-27", post="نگهبان", hired_on="1402-3-1", first_name="دیگر", last_name="کسی",
    )  # fmt: skip
    put(folder, "personnel_0.csv", [again, again])
    built = build(folder)
    assert built.counts("personnel.csv") == (1, 1, 0, 0)
    assert built.counts("personnel_0.csv") == (2, 0, 0, 2)
    assert built.rejected_rows() == []


def test_the_later_file_is_the_later_by_name_whatever_the_lines(folder):
    one, other = row("training", completed_on="1402/06/01"), row("training", completed_on="1402/06/02")
    put(folder, "training_b.csv", [one])
    put(folder, "training_a.csv", [other, one])
    built = build(folder)
    assert (built.counts("training_a.csv"), built.counts("training_b.csv")) == ((2, 2, 0, 0), (1, 0, 0, 1))


def test_of_one_file_the_later_row_is_the_duplicate(folder):
    built = with_rows(folder, "training", *[row("training", completed_on="1402/06/01")] * 3)
    assert built.counts("training_2.csv") == (3, 1, 0, 2)


@pytest.mark.parametrize(
    ("table", "changed"),
    [
        ("institutes", {"name": "نامی دیگر"}),
        ("licences", {"licence_no": "78"}),
        ("personnel", {"post": "operator"}),
        ("personnel", {"education": "diploma"}),
        ("training", {"score": ""}),
    ],
)
def test_one_key_with_two_contents_keeps_back_every_row_of_it(folder, table, changed):
    built = with_rows(folder, table, row(table), row(table, **changed))
    key = next(iter(GOOD[table]))
    mine = [fault for fault in built.rejected_rows() if fault[3] == "conflicting_key"]
    assert mine == [
        (f"{table}.csv", 2, key, "conflicting_key"),
        (f"{table}_2.csv", 2, key, "conflicting_key"),
        (f"{table}_2.csv", 3, key, "conflicting_key"),
    ]
    assert built.counts(f"{table}_2.csv") == (2, 0, 2, 0)


def test_another_result_of_the_same_course_and_day_is_another_row(folder):
    assert with_rows(folder, "training", row("training", result="failed")).counts("training_2.csv") == (1, 1, 0, 0)


def test_a_faulty_row_takes_no_part_in_a_conflict(folder):
    built = with_rows(folder, "personnel", row("personnel", post="?"))
    assert built.rejected_rows() == [("personnel_2.csv", 2, "post", "unknown_value")]
    assert built.counts("personnel.csv") == (1, 1, 0, 0)


def test_rows_that_refer_to_a_rejected_row_are_rejected(folder):
    put(folder, "institutes.csv", [row("institutes", status="closed")])
    built = build(folder)
    assert built.rejected_rows() == [
        ("institutes.csv", 2, "status_since", "missing_status_since"),
        ("licences.csv", 2, "institute_code", "orphan_institute"),
        ("personnel.csv", 2, "institute_code", "orphan_institute"),
        ("training.csv", 2, "national_id", "orphan_person"),
    ]


def test_a_reference_is_found_in_any_spelling_and_file(folder):
    put(folder, "institutes_9.csv", [row("institutes", institute_code="Ab-۱")])
    built = with_rows(folder, "licences", row("licences", application_no="q", institute_code="aB-1"))
    assert built.counts("licences_2.csv") == (1, 1, 0, 0)


def test_no_row_is_lost_in_a_wild_mixture(folder):
    """Counted a second time by a plain reader of the files."""
    chance = random.Random(5)
    rows = []
    for number in range(400):
        one = keyed("personnel", number % 150)
        for name in chance.sample(list(one), chance.choice([0, 0, 1, 2])):
            one[name] = chance.choice(["", "?", "۱۲", one[name], "1402/02/30", "a,b", 'x"y', "line\nbreak"])
        rows.append(one)
    for part in range(3):
        put(folder, f"personnel_{part}.csv", rows[part::3])
    built = build(folder)
    for one in built.report["files"]:
        text = (folder / one["file"]).read_text(encoding="utf-8")
        records = sum(bool(record) for record in csv.reader(io.StringIO(text, newline=""))) - 1
        assert one["rows_read"] == records
        assert records == one["rows_loaded"] + one["rows_quarantined"] + one["exact_duplicates"]
        lines = {line for name, line, *_ in built.rejected_rows() if name == one["file"]}
        assert len(lines) == one["rows_quarantined"]
    loaded = built.sql("select count(*) from spells")[0][0]
    assert loaded == sum(one["rows_loaded"] for one in built.report["files"] if one["table"] == "personnel")


# ------------------------------------------------------------------ refusals, and what is let through


def test_a_refused_file_refuses_the_build_and_leaves_the_last_publication(folder):
    before = build(folder)
    shown = before.to.resolve()
    put(folder, "training_گیلان.csv", "a,b\n1,2\n")
    after = build(folder)
    assert after.refusal.startswith(
        "training_گیلان.csv: line 1: missing required column national_id, course_code, completed_on, result; headers found: –"
    )
    assert after.report["published"] is False
    assert after.report["refused"][0]["province"] == "IR-01"
    assert before.to.resolve() == shown
    assert not list(before.to.with_name("warehouse.duckdb.publications").glob("building-*"))


def test_with_skip_refused_the_others_are_published_and_the_missing_is_named(folder):
    put(folder, "training_IR-01_gilan.csv", "a,b\n1,2\n")
    put(folder, "personnel_x.xlsx", b"no workbook")
    built = build(folder, "--skip-refused")
    assert built.code == 0
    assert built.report["published"] is True
    assert [(one["file"], one["table"], one["province"]) for one in built.report["refused"]] == [
        ("personnel_x.xlsx", "personnel", ""),
        ("training_IR-01_gilan.csv", "training", "IR-01"),
    ]
    assert "training_IR-01_gilan.csv (IR-01): line 1: missing required column" in built.out
    assert built.sql("select missing from publication") == [(["personnel_x.xlsx", "training_IR-01_gilan.csv"],)]
    assert built.sql("select file, province, refusal is not null from load_files where source_table = 'training'") == [
        ("training.csv", "IR-23", False),
        ("training_IR-01_gilan.csv", "IR-01", True),
    ]


def test_a_folder_of_which_every_file_is_refused_is_refused_even_so(tmp_path):
    put(tmp_path / "incoming", "training.csv", "a,b\n")
    assert build(tmp_path / "incoming", "--skip-refused").refusal.startswith("training.csv: line 1: missing")


def test_every_other_file_is_reported_also_in_sub_folders(folder):
    others = [
        "notes.txt",
        "~$personnel.xlsx",
        ".hidden.csv",
        "old/personnel.csv",
        "old/older/a.csv",
        "training_old/x.pdf",
    ]
    for name in others:
        put((folder / name).parent, (folder / name).name, b"x")
    (folder / "nothing").mkdir()
    built = build(folder)
    assert sorted(built.report["ignored"]) == sorted([*others, "nothing/"])
    assert "ignored: old/older/a.csv" in built.out
    assert built.sql("select file from ignored_files order by file") == [
        (name,) for name in sorted([*others, "nothing/"])
    ]


def unusable(folder: Path) -> str:
    """What is wrong with the reference table of a folder, without the remedy. `build` refuses with the same line."""
    (line,) = english("\n".join(pipeline._references(folder).unusable))
    return line.partition("; ")[0]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("courses.csv", "course_code,posts\nPY-101,guard|cook\n", "courses.csv, line 2, posts: unknown post"),
        (
            "courses.csv",
            "course_code,posts\nPY-101,*\npy-101,guard\n",
            "courses.csv, line 3, course_code: the same as in line 2",
        ),
        ("courses.csv", "course_code,valid_months\nPY-101,3\n", "courses.csv, line 1: missing required column posts"),
        (
            "courses.csv",
            "course_code,posts,valid_months\nPY-101,*,-3\n",
            "courses.csv, line 2, valid_months: bad_number",
        ),
        ("courses.csv", "course_code,posts,due_days\nPY-101,*,nan\n", "courses.csv, line 2, due_days: bad_number"),
        ("courses.csv", "course_code,posts,hours\nPY-101,*\n", "courses.csv, line 2: ragged_row"),
        ("courses.csv", "course_code,posts\n,*\n", "courses.csv, line 2, course_code: missing_value"),
        ("targets.csv", "metric,province,date,value\nx,,1400/13/01,5\n", "targets.csv, line 2, date: bad_date"),
        (
            "targets.csv",
            "metric,province,date,value\nx,مریخ,1400/01/01,5\n",
            "targets.csv, line 2, province: unknown_province",
        ),
        ("targets.csv", "metric,province,date,value\nx,,1400/01/01,\n", "targets.csv, line 2, value: missing_value"),
        ("targets.csv", "metric,province,date,value\nx,,1400/01/01,-5\n", "targets.csv, line 2, value: bad_number"),
        (
            "targets.csv",
            "metric,date,value\nx,1400/01/01,1\nx,2021-03-21,2\n",
            "targets.csv, line 3, date: the same as in line 2",
        ),
        ("targets.csv", "", "targets.csv, line 1: missing required column metric, date, value"),
    ],
)
def test_a_reference_table_that_cannot_be_used_refuses_the_build(folder, name, text, message):
    put(folder, name, text)
    assert unusable(folder) == message


def test_courses_and_targets_of_the_folder_are_taken(folder):
    put(folder, "courses.csv", "course_code,posts\nx-1,*\n")
    put(folder, "targets.csv", "metric,province,date,value\nactive_assistants,,1400/01/01,10\n")
    built = build(folder)
    assert built.rejected_rows() == [("training.csv", 2, "course_code", "unknown_course")]
    with access.connect(built.to, access.ADMINISTRATOR) as con:
        assert answers.ask(con, "target_progress").value() == pytest.approx(0.1)


def _population(change: str = "", line: int = 2) -> str:
    """The shipped population.csv with one line changed (dropped for "-")."""
    lines = (ROOT / "data" / "reference" / "population.csv").read_text(encoding="utf-8").splitlines()
    if change:
        lines[line - 1 : line] = [] if change == "-" else change.splitlines()
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("IR-99,1395/08/01,5,census,x", "line 2, province: unknown_province"),
        (",1395/08/01,5,census,x", "line 2, province: missing_value"),
        ("IR-00,1395/08/31,5,census,x", "line 2, date: bad_date"),
        ("IR-00,,5,census,x", "line 2, date: bad_date"),
        ("IR-00,1395/08/01,-5,census,x", "line 2, residents: bad_number"),
        ("IR-00,1395/08/01,0,census,x", "line 2, residents: bad_number"),
        ("IR-00,1395/08/01,5.5,census,x", "line 2, residents: bad_number"),
        ("IR-00,1395/08/01,,census,x", "line 2, residents: missing_value"),
        ("IR-00,1395/08/01,5,guess,x", "line 2, kind: unknown_value"),
        ("IR-00,1395/08/01,5,census,", "line 2, source: missing_value"),
        ("IR-00,1395/08/01,5,census", "line 2: ragged_row"),
        ("IR-00,2016-10-22,5,census,x\nIR-00,1395/08/01,5,census,x", "line 3, date: the same as in line 2"),
    ],
)
def test_residents_that_cannot_be_used_refuse_the_build(folder, change, message):
    put(folder, "population.csv", _population(change))
    assert unusable(folder) == f"population.csv, {message}"


def test_residents_are_of_all_provinces_or_the_build_is_refused(folder):
    rows = [one for one in _population().splitlines() if not one.startswith(("IR-07", "IR-30"))]
    put(folder, "population.csv", "\n".join(rows))
    assert unusable(folder) == "population.csv, province: no row for IR-07, IR-30"


def test_residents_of_the_folder_replace_the_shipped_ones_as_a_whole(folder):
    rows = [
        f"{iso},1400/01/01,{1000 + at},سرشماری,count" for at, iso in enumerate(sorted(set(places().provinces.values())))
    ]
    put(folder, "population.csv", "\n".join(["province,date,residents,kind,source", *rows]))
    built = build(folder)
    with access.connect(built.to, access.ADMINISTRATOR) as con:
        assert answers.ask(con, "residents").value() == pytest.approx(31 * 1000 + 15 * 31)
        basis = publications.describe(con).provinces.basis(DAY)
    assert basis == population.Basis(1400, "census", ("count",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1400/07/18,no_such,5,x,y", "line 2, metric: unknown_value"),
        ("1400/07/18,joiners,5,x,y", "line 2, metric: unknown_value"),
        ("1400/07/18,,5,x,y", "line 2, metric: missing_value"),
        ("1400/13/18,active_assistants,5,x,y", "line 2, date: bad_date"),
        ("1400/07/18,active_assistants,-5,x,y", "line 2, value: bad_number"),
        ("1400/07/18,active_assistants,,x,y", "line 2, value: missing_value"),
        ("1400/07/18,active_assistants,5,,y", "line 2, words: missing_value"),
        ("1400/07/18,active_assistants,5,x,", "line 2, source: missing_value"),
        (
            "1400/07/18,active_assistants,5,x,y\n2021-10-10,active_assistants,6,x,y",
            "line 3, date: the same as in line 2",
        ),
    ],
)
def test_announcements_that_cannot_be_used_refuse_the_build(folder, text, message):
    put(folder, "announcements.csv", f"date,metric,value,words,source\n{text}\n")
    assert unusable(folder) == f"announcements.csv, {message}"


@pytest.mark.parametrize(
    ("province", "message"),
    [("مریخ", "unknown_province"), ("تهران", "an announcement is of the nation")],
)
def test_an_announcement_of_a_province_refuses_the_build(folder, province, message):
    head = "date,province,metric,value,words,source"
    put(folder, "announcements.csv", f"{head}\n1400/07/18,{province},active_assistants,5,x,y\n")
    assert unusable(folder) == f"announcements.csv, line 2, province: {message}"


def test_announcements_are_compared_with_the_register_of_their_day(folder):
    text = "1402/03/01,active_assistants,5,گفت,gazette\n1402/01/01,in_service,7,x,y\n1409/01/01,in_service,9,x,y\n"
    put(folder, "announcements.csv", "date,metric,value,words,source\n" + text)
    built = build(folder)
    with access.connect(built.to, access.ADMINISTRATOR) as con:
        rows = announced(con).rows
    assert rows == [
        ("in_service", date(2023, 3, 21), 7.0, 0, -7.0, "x", "y"),
        ("active_assistants", date(2023, 5, 22), 5.0, 1, -4.0, "گفت", "gazette"),
    ]


def test_no_announcement_is_none(folder):
    put(folder, "announcements.csv", "date,metric,value,words,source\n")
    with access.connect(build(folder).to, access.ADMINISTRATOR) as con:
        assert announced(con).rows == []


def test_a_reference_table_that_is_a_folder_is_not_passed_over(folder):
    (folder / "courses.csv").mkdir()
    assert unusable(folder) == "courses.csv: not a regular file"


# ------------------------------------------------------------------ checks


def checks() -> list[Path]:
    return sorted(CHECKS.glob("*.sql"))


# For each rule, what must be done to a sound publication to break it.
BREAK = {
    "census_is_whole": "update counties set population_2016 = population_2016 + 1 where sci_code = '0001'",
    "everyone_active_has_a_readiness": "delete from readiness",
    "kept_back_rows_have_a_place_and_a_reason": "update quarantine set reason = 'who knows'",
    "keys_are_unique": "insert into spells from spells limit 1",
    "lapses_follow_the_due_day": "update requirements set lapses_on = due_on - 1",
    "licensed_days_do_not_overlap": "insert into licensed_days from licensed_days",
    "loaded_rows_reach_the_models": "delete from spells where person_id = 1",
    "moves_add_up_to_the_stock": "delete from nation_moves where move = 'left'",
    "nothing_lies_ahead": "update completions set completed_on = date '2030-01-01'",
    "one_joining_per_person_and_day": "insert into joiners from joiners limit 1",
    "one_leaving_per_person_and_day": "insert into leavers from leavers limit 1",
    "outcomes_have_their_days": "update applications set decided_on = null",
    "places_are_known": "update spells set county = '0001' where person_id = 1",
    "required_stretches_do_not_overlap": "insert into requirements select * replace (due_on + 1 as due_on) from requirements",
    "residents_are_of_every_province": "delete from residents where county = '0001'",
    "running_totals_match_the_count": "update stock set in_service = in_service + 1",
    "spells_end_after_they_begin": "update spells set left_on = hired_on - 1",
    "survival_curves_are_curves": "insert into survival_curves values ('all', 'all', 0, 1, 999, 1, 1)",
    "stretches_do_not_overlap": "update service set valid_until = valid_until - 1 where person_id = 1",
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A publication in which every rule has something to look at."""
    folder = put_good(tmp_path_factory.mktemp("sound") / "incoming")
    put(
        folder,
        "personnel_2.csv",
        [
            row(
                "personnel", national_id=national_id(at), hired_on="1402/03/01", left_on="1402/03/20" if at < 13 else ""
            )
            for at in range(11, 16)
        ],
    )
    put(folder, "training_2.csv", [row("training", completed_on="x")])
    return build(folder)


def test_there_is_a_fault_for_every_rule_and_every_rule_says_what_it_holds():
    assert {path.stem for path in checks()} == set(BREAK)
    for path in checks():
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first.startswith("-- "), path
        assert first.endswith("."), path


@pytest.mark.parametrize("rule", list(BREAK))
def test_a_broken_rule_refuses_the_publication(sound, tmp_path, rule):
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(sound.to.resolve().read_bytes())
    with duckdb.connect(str(copy)) as con:
        # No reader needs them, so they are not published.
        con.execute(f"create temp table requirements as {run_models.models()['requirements']}")
        pipeline._check(con, pipeline.Report())
        con.execute(BREAK[rule])
        sql = next(path for path in checks() if path.stem == rule).read_text(encoding="utf-8")
        assert con.execute(f"select count(*) from ({sql})").fetchall()[0][0] > 0
        with pytest.raises(pipeline.BuildRefused) as refused:
            pipeline._check(con, pipeline.Report())
        assert all(
            re.fullmatch(r"check \w+ is broken by \d+ rows; .* · .*؛ .*", line)
            for line in refused.value.report.refusals
        )
        assert rule in {line.split()[1] for line in refused.value.report.refusals}


def test_a_rule_broken_during_a_build_leaves_the_last_publication(folder, monkeypatch):
    before = build(folder)
    carry = pipeline.adoption_history.carry

    def plant(con: duckdb.DuckDBPyConnection, pointer: Path) -> None:
        carry(con, pointer)
        con.execute(BREAK["keys_are_unique"])

    monkeypatch.setattr(pipeline.adoption_history, "carry", plant)
    after = build(folder)
    assert [line.split()[1] for line in after.refusals] == ["keys_are_unique", "loaded_rows_reach_the_models"]
    assert [path.name for path in publications.versions(before.to)] == ["000001.duckdb"]


def test_rows_that_do_not_add_up_are_never_published(folder, monkeypatch):
    sound = pipeline.load_report.count

    def lose_one(con: duckdb.DuckDBPyConnection, outcomes: object, report: pipeline.Report) -> None:
        sound(con, outcomes, report)  # type: ignore[arg-type]
        report.files[0].rows_read += 1

    monkeypatch.setattr(pipeline.load_report, "count", lose_one)
    assert build(folder).refusal.startswith("institutes.csv: check rows_add_up is broken; ")


# ------------------------------------------------------------------ the same again


def test_a_database_that_was_not_written_to_its_end_is_not_published(tmp_path):
    """Closing a database tells of no error by itself: it is opened again and counted."""
    built = tmp_path / "built.duckdb"
    with duckdb.connect(str(built)) as con:
        con.execute("create table numbers as from range(1000)")
    pipeline._verify_file(built, {"numbers": 1000})
    for sizes in ({"numbers": 1001}, {"numbers": 1000, "more": 1}, {}):
        with pytest.raises(duckdb.IOException, match="not what was written"):
            pipeline._verify_file(built, sizes)
    built.with_name("built.duckdb.wal").write_bytes(b"left")
    with pytest.raises(duckdb.IOException, match="could not be written to its end"):
        pipeline._verify_file(built, {"numbers": 1000})


@pytest.mark.slow
def test_the_same_input_gives_the_same_content_with_one_thread_and_with_two(tmp_path):
    incoming = tmp_path / "incoming"
    assert run("sample", incoming, "--scale", "0.01", "--day", DAY.isoformat()).returncode == 0
    digests = set()
    for number, threads in enumerate("122"):
        to = tmp_path / str(number) / "warehouse.duckdb"
        done = run(
            "build",
            incoming,
            "--to",
            to,
            "--day",
            DAY.isoformat(),
            env={**pipeline.os.environ, "BUILD_THREADS": threads},
        )
        assert done.returncode == 0, done.stderr
        with access.connect(to, access.ADMINISTRATOR) as con:
            digests.add(digest(con))
    assert len(digests) == 1


@pytest.mark.parametrize(("memory", "threads"), [("256MB", 1), ("512MB", 1), ("1GB", 2), ("2GB", 4), ("64GB", 4)])
def test_a_build_takes_no_more_threads_than_its_memory_feeds(memory, threads, monkeypatch):
    """With two threads on 512 MB the sums by cell and day of ten times the country did not fit."""
    monkeypatch.setattr(build_database.os, "cpu_count", lambda: 4)
    monkeypatch.delenv("BUILD_THREADS", raising=False)
    with duckdb.connect(config={"memory_limit": memory}) as con:
        assert build_database.threads(con) == threads
        monkeypatch.setenv("BUILD_THREADS", "3")
        assert build_database.threads(con) == 3


@pytest.mark.slow
def test_persons_built_some_at_a_time_are_the_persons_built_at_once(tmp_path, monkeypatch):
    """What a build needs of memory is bounded by building for some persons at a time; the content is the same."""
    incoming = tmp_path / "incoming"
    assert run("sample", incoming, "--scale", "0.01", "--day", DAY.isoformat()).returncode == 0
    digests = set()
    for persons in ("1000000", "97"):
        monkeypatch.setenv("BUILD_SLICE", persons)
        built = build(incoming, to=tmp_path / persons / "w.duckdb")
        with access.connect(built.to, access.ADMINISTRATOR) as con:
            assert con.execute("select count(distinct person_id) > 1000 from spells").fetchall() == [(True,)]
            digests.add(digest(con))
    assert len(digests) == 1


READ = """
import re, sys
from datetime import date
from pathlib import Path
from etl.core.places import places
from etl.extract import parse_values as values, read_file, validate
from etl.extract.contract import contract
path = Path(sys.argv[1])
setting = values.Setting(date(2026, 6, 30), {"py-101": "PY-101"}, b"k", places())
validator = validate.Validator(contract("training"), setting)
read = read_file.read(read_file.Job(path, "training", 0, path.parent), validator, lambda *_: None)
print(read.rows_read, int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) >> 10)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "quoted", "parquet"])
def test_what_a_reader_needs_of_memory_does_not_grow_with_the_file(tmp_path, kind):
    peaks = []
    for name, rows in (("training_1", 60_000), ("training_2", 600_000)):
        columns = {
            "national_id": [national_id(at % 50_000) for at in range(rows)],
            "course_code": ["PY-101"] * rows,
            "completed_on": [f"14{at % 5:02}/{1 + at % 12:02}/{1 + at % 29:02}" for at in range(rows)],
            "result": ["passed" if at % 9 else '"a, ""b""\nc"' if kind == "quoted" else "failed" for at in range(rows)],
        }
        path = tmp_path / f"{name}.{'parquet' if kind == 'parquet' else 'csv'}"
        if kind == "parquet":
            pq.write_table(pa.table(columns), path, row_group_size=rows)
        else:
            lines = "\n".join([",".join(columns), *map(",".join, zip(*columns.values(), strict=True))])
            path.write_text(lines, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-c", READ, str(path)], cwd=ROOT, capture_output=True, text=True, check=True
        )
        read, peak = map(int, done.stdout.split())
        assert read == rows
        peaks.append(peak)
    assert peaks[1] < peaks[0] + 64, peaks
    assert peaks[1] < 400, peaks


def test_a_publication_tells_its_id_its_inputs_and_its_code(folder):
    import hashlib

    built = build(folder)
    for name, sha256, size in built.sql("select file, sha256, bytes from load_files"):
        content = (folder / name).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (sha256, size)
    with access.connect(built.to, access.ADMINISTRATOR) as con:
        publication = publications.describe(con)
    assert (
        publication.id,
        publication.files,
        publication.rows_read,
        publication.rows_loaded,
        publication.rows_quarantined,
    ) == ("000001", 4, 4, 4, 0)
    assert (publication.is_sample, publication.built_on, publication.missing) == (False, DAY, ())
    assert built.sql("select code_version from publication") == [(code_version.code_version(),)]
    assert json.loads((folder.parent / "report.json").read_text())["publication"] == "000001"
