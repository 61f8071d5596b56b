"""Every row is loaded, rejected or a duplicate, with reason, line and column; conflicts and orphans."""

from __future__ import annotations

import csv
import io
import json
import random
from collections import Counter

import pytest

from etl.extract.contract import contract
from etl.extract.source_folder import HANDED_IN
from tests.loading import DAY, GOOD, HEADERS, StreamedRows, build, csv_text, load, national_id, put, row, with_rows

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
    ("personnel", "unknown_value", "gender"): {"gender": "نامعلوم"},
    ("personnel", "missing_value", "post"): {"post": ""},
    ("personnel", "future_date", "hired_on"): {"hired_on": "1405/04/10"},
    ("personnel", "bad_date", "birth_date"): {"birth_date": "70/05/05"},
    ("training", "unknown_course", "course_code"): {"course_code": "PY-999"},
    ("training", "orphan_person", "national_id"): {"national_id": "0790419904"},
    ("training", "bad_date", "completed_on"): {"completed_on": "45123"},
    ("training", "future_date", "completed_on"): {"completed_on": "2026-07-01"},
    ("training", "missing_value", "result"): {"result": ""},
}  # fmt: skip


# What loads as unknown with a warning.
WARNED = {
    ("institutes", "unknown_value", "smart_services"): {"smart_services": "شاید"},
    ("institutes", "unknown_value", "veteran_led"): {"veteran_led": "2"},
    ("institutes", "unknown_value", "county"): {"county": "ناکجا"},
    ("institutes", "bad_date", "founded_on"): {"founded_on": "1402/12/30"},
    ("institutes", "future_date", "founded_on"): {"founded_on": "2026-07-01"},
    ("personnel", "unknown_value", "county"): {"county": "ناکجا"},
    ("personnel", "county_elsewhere", "county"): {"county": "کاشان"},
    ("institutes", "county_elsewhere", "county"): {"county": "1004"},
    ("personnel", "unknown_value", "veteran"): {"veteran": "شاید"},
    ("training", "bad_number", "score"): {"score": "100.5"},
    ("training", "bad_number", "hours"): {"hours": "-3"},
} | {
    (table, "unknown_value", column.name): {column.name: "حوزوی"}
    for table in HEADERS
    for column in contract(table).columns
    if column.bad == "unknown" and column.type == "choice"
}


def keyed(table: str, number: int) -> dict[str, str]:
    """A good row with a unique key."""
    return {
        "institutes": row("institutes", institute_code=f"k{number}"),
        "licences": row("licences", application_no=f"k{number}"),
        "personnel": row("personnel", national_id=national_id(500_000 + number)),
        "training": row("training", completed_on=f"1402/05/{number + 1:02}"),
    }[table]


def test_every_reason_is_given_with_its_line_and_column_and_only_once(folder):
    expected: list[tuple[str, int, str, str]] = []
    for table in HEADERS:
        cases = [(key[1:3], changes) for key, changes in REASONS.items() if key[0] == table]
        rows = []
        for number, (fault, changes) in enumerate(cases):
            rows += [
                keyed(table, 2 * number),
                {**keyed(table, 2 * number + 1 if table != "training" else 20 + number), **changes},
            ]
            expected.append((f"{table}_bad.csv", len(rows) + 1, fault[1], fault[0]))
        put(folder, f"{table}_bad.csv", rows)
    built = load(folder)
    assert built.rejected_rows() == sorted(expected)
    assert built.report["reasons"] == dict(Counter(reason for *_, reason in expected))
    for table in HEADERS:
        bad = sum(name == f"{table}_bad.csv" for name, *_ in expected)
        assert built.counts(f"{table}_bad.csv") == (2 * bad, bad, bad, 0)


def test_a_bad_value_that_no_headline_needs_loads_as_unknown_with_a_warning(folder):
    expected: list[tuple[str, int, str, str]] = []
    for table in HEADERS:
        rows: StreamedRows = []
        for number, ((of, reason, column), changes) in enumerate(WARNED.items()):
            if of == table:
                rows += [keyed(table, 2 * number), {**keyed(table, 2 * number + 1), **changes}]
                expected.append((f"{table}_odd.csv", len(rows) + 1, column, reason))
        if rows:
            # A rejected row has no warnings besides.
            rows.append({**rows[-1], HEADERS[table].split()[0]: ""})
            put(folder, f"{table}_odd.csv", rows)
    built = load(folder)
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
    reasons = {key[1] for key in (*REASONS, *WARNED)} | {"ragged_row", "bad_encoding", "conflicting_key"}
    # `not_yours` is given to rows of files that a province submits (tests/submissions).
    assert reasons == {
        "missing_value", "bad_date", "future_date", "bad_number", "unknown_value", "unknown_province", "unknown_course",
        "bad_national_id", "spoilt_number", "age_out_of_range", "left_before_hired", "decided_before_complete",
        "ends_before_starts", "missing_status_since", "orphan_institute", "orphan_person", "conflicting_key", "ragged_row",
        "bad_encoding", "county_elsewhere",
    }  # fmt: skip


def test_line_numbers_after_quoted_line_breaks_are_right(folder):
    rows = [row("institutes", institute_code=f"c{at}", name="نام\nدر\nسه خط" if at % 2 else "نام") for at in range(6)]
    rows[3]["activity"] = "?"
    rows[5]["province"] = "?"
    text = csv_text("institutes", rows)
    put(folder, "institutes_2.csv", text)
    lines = text.splitlines()
    built = build(folder)
    third, fifth = (next(n for n, line in enumerate(lines, 1) if line.startswith(code)) for code in ("c3", "c5"))
    assert built.rejected_rows() == [
        ("institutes_2.csv", third, "activity", "unknown_value"),
        ("institutes_2.csv", fifth, "province", "unknown_province"),
    ]
    assert built.sql("select name from institutes where institute_code = 'c1'") == [("نام در سه خط",)]


def test_a_row_has_a_line_for_each_of_its_faults_and_counts_once(folder):
    """A bad value is not reported as missing too."""
    put(
        folder,
        "licences_2.csv",
        [
            row("licences", application_no="a", decided_on="1499/01/01"),
            row("licences", application_no="b", valid_until="1402/13/01"),
        ],
    )
    built = with_rows(
        folder, "personnel", row("personnel", national_id="123", gender="?", birth_date="", institute_code="x")
    )
    assert built.rejected_rows() == [
        ("licences_2.csv", 2, "decided_on", "future_date"),
        ("licences_2.csv", 3, "valid_until", "bad_date"),
        ("personnel_2.csv", 2, "birth_date", "missing_value"),
        ("personnel_2.csv", 2, "gender", "unknown_value"),
        ("personnel_2.csv", 2, "institute_code", "orphan_institute"),
        ("personnel_2.csv", 2, "national_id", "bad_national_id"),
    ]
    assert built.counts("personnel_2.csv") == (1, 0, 1, 0)


def test_only_four_days_may_lie_ahead(folder):
    licence = row("licences", application_no="a", valid_from="1410/01/01", valid_until="1420/01/01")
    put(folder, "licences_2.csv", [licence])
    officer = {"judicial_officer_from": "1402/05/01", "judicial_officer_until": "1410/01/01"}
    put(folder, "personnel_2.csv", [row("personnel", national_id=national_id(9), left_on="1410/01/01", **officer)])
    on_the_day = [
        row("institutes", institute_code="d", status_since=DAY.isoformat()),
        row("institutes", institute_code="e", status_since="2026-07-01"),
    ]
    # Nor does a granted licence need a complete file.
    put(folder, "licences_3.csv", [row("licences", application_no="z", file_complete_on="")])
    built = with_rows(folder, "institutes", *on_the_day)
    assert {built.counts(f"{name}.csv") for name in ("licences_2", "licences_3", "personnel_2")} == {(1, 1, 0, 0)}
    assert built.counts("institutes_2.csv") == (2, 1, 1, 0)


def test_age_at_hiring_is_18_to_75_completed_years(folder):
    """Hired on 1402/03/01 = 2023-05-22; the same Gregorian day 18 and 76 years before."""
    births = ("2005-05-22", "2005-05-23", "1947-05-23", "1947-05-22")
    people = [row("personnel", national_id=national_id(at), birth_date=birth) for at, birth in enumerate(births, 7)]
    built = with_rows(folder, "personnel", *people)
    too_young, too_old = 3, 5
    assert built.rejected_rows() == [
        ("personnel_2.csv", line, "birth_date", "age_out_of_range") for line in (too_young, too_old)
    ]
    assert built.counts("personnel_2.csv") == (4, 2, 2, 0)


@pytest.mark.parametrize(("rows", "is_refused"), [(4, False), (5, True)])
def test_more_rows_after_the_day_of_the_build_than_before_it_are_blamed_on_that_day(folder, rows, is_refused):
    """The folder has four other rows."""
    built = with_rows(folder, "training", *[row("training", completed_on="1500/01/01")] * rows)
    day_is_wrong = "the day of the build: 5 of 9 rows lie after 2026-06-30; check the clock of this machine"
    assert (built.refusals if built.code else []) == [day_is_wrong] * is_refused


# ------------------------------------------------------------------ duplicates, conflicts, orphans


def test_the_same_row_in_other_words_is_a_duplicate_counted_in_the_later_file(folder):
    """The later file is the later by name, whatever the lines; within one file it is the later row."""
    duplicate = row(
        "personnel", national_id="۲۷".rjust(10, "٠"), institute_code=" ۰۰۰۱ ", province="تهران", gender="زن",
        birth_date="1991-07-27", post="نگهبان", hired_on="1402-3-1", first_name="دیگر", last_name="کسی",
    )  # fmt: skip
    put(folder, "personnel_0.csv", [duplicate, duplicate])
    first, second, third = (row("training", completed_on=f"1402/06/0{at}") for at in (1, 2, 3))
    put(folder, "training_b.csv", [first])
    put(folder, "training_a.csv", [second, first])
    put(folder, "training_c.csv", [third] * 3)
    # What is doubled is not warned of.
    built = with_rows(folder, "personnel", *[row("personnel", national_id="0790419904", education="?")] * 2)
    names = ("personnel", "personnel_0", "personnel_2", "training_a", "training_b", "training_c")
    assert [built.counts(f"{name}.csv") for name in names] == [
        (1, 1, 0, 0), (2, 0, 0, 2), (2, 1, 0, 1), (2, 2, 0, 0), (1, 0, 0, 1), (3, 1, 0, 2),
    ]  # fmt: skip
    assert built.rejected_rows() == []
    assert built.sql("select file, line from warned") == [("personnel_2.csv", 2)]


def test_one_key_with_two_contents_rejects_every_row_of_it(folder):
    cases = {
        "institutes": [{"name": "نامی دیگر"}],
        "licences": [{"licence_no": "78"}],
        "personnel": [{"post": "operator"}, {"education": "diploma"}],
        "training": [{"score": ""}],
    }
    for table, changes in cases.items():
        rows = [keyed(table, number) for number in range(len(changes))]
        put(folder, f"{table}_2.csv", rows)
        changed = [good | change for good, change in zip(rows, changes, strict=True)]
        put(folder, f"{table}_3.csv", [*rows, *changed])
    # Another result of the same course and day is another row.
    put(folder, "training_4.csv", [row("training", result="failed")])
    built = load(folder)
    assert built.rejected_rows() == [
        (f"{table}_{number}.csv", 2 + at, next(iter(GOOD[table])), "conflicting_key")
        for table, changes in cases.items()
        for number in (2, 3)
        for at in range(len(changes) * (number - 1))
    ]
    assert {built.counts(f"{table}.csv") for table in cases} == {built.counts("training_4.csv")} == {(1, 1, 0, 0)}
    for table, changes in cases.items():
        assert built.counts(f"{table}_3.csv") == (2 * len(changes), 0, 2 * len(changes), 0)


def test_a_rejected_row_takes_no_part_in_a_conflict_and_is_no_duplicate(folder):
    """Whether its own cells are bad, or what it refers to is missing."""
    put(folder, "licences_2.csv", [row("licences", institute_code="0404")])
    put(folder, "training_2.csv", [row("training", national_id="0790419904")] * 2)
    built = with_rows(folder, "personnel", row("personnel", post="?"))
    assert built.rejected_rows() == [
        ("licences_2.csv", 2, "institute_code", "orphan_institute"),
        ("personnel_2.csv", 2, "post", "unknown_value"),
        ("training_2.csv", 2, "national_id", "orphan_person"),
        ("training_2.csv", 3, "national_id", "orphan_person"),
    ]
    assert {built.counts(f"{table}.csv") for table in HEADERS} == {(1, 1, 0, 0)}
    assert built.counts("training_2.csv") == (2, 0, 2, 0)


def test_rows_that_refer_to_a_rejected_row_are_rejected(folder):
    put(folder, "institutes.csv", [row("institutes", status="closed")])
    built = load(folder)
    assert built.rejected_rows() == [
        ("institutes.csv", 2, "status_since", "missing_status_since"),
        ("licences.csv", 2, "institute_code", "orphan_institute"),
        ("personnel.csv", 2, "institute_code", "orphan_institute"),
        ("training.csv", 2, "national_id", "orphan_person"),
    ]


def test_who_submits_a_file_does_not_learn_what_is_registered_in_another_province(folder):
    """Nobody else's person and institute look like ones that there are not, alone or beside another fault."""
    people = [
        row("personnel", national_id=national_id(at), province="IR-07", institute_code="f1") for at in range(3, 7)
    ]
    ids = [GOOD["personnel"]["national_id"], national_id(9)]
    codes = [GOOD["institutes"]["institute_code"], "0404"]
    files = {
        "institutes_fars.csv": [row("institutes", institute_code="f1", province="IR-07")],
        "licences_fars.csv": [
            *(row("licences", application_no=f"a{at}", institute_code=code) for at, code in enumerate(codes)),
            *(row("licences", application_no=f"b{at}", institute_code=code, kind="?") for at, code in enumerate(codes)),
            *(row("licences", application_no=f"c{at}", institute_code="f1") for at in range(4)),
        ],
        "personnel_fars.csv": people,
        "training_fars.csv": [
            *(row("training", national_id=each) for each in ids),
            *(row("training", national_id=each, completed_on="?") for each in ids),
            *(row("training", national_id=each["national_id"]) for each in people),
        ],
    }
    for name, rows in files.items():
        put(folder, name, rows)
    put(folder, HANDED_IN, json.dumps(dict.fromkeys(files, "IR-07")))
    built = load(folder)
    assert built.rejected_rows() == [
        ("licences_fars.csv", 2, "institute_code", "orphan_institute"),
        ("licences_fars.csv", 3, "institute_code", "orphan_institute"),
        ("licences_fars.csv", 4, "institute_code", "orphan_institute"),
        ("licences_fars.csv", 4, "kind", "unknown_value"),
        ("licences_fars.csv", 5, "institute_code", "orphan_institute"),
        ("licences_fars.csv", 5, "kind", "unknown_value"),
        ("training_fars.csv", 2, "national_id", "orphan_person"),
        ("training_fars.csv", 3, "national_id", "orphan_person"),
        ("training_fars.csv", 4, "completed_on", "bad_date"),
        ("training_fars.csv", 4, "national_id", "orphan_person"),
        ("training_fars.csv", 5, "completed_on", "bad_date"),
        ("training_fars.csv", 5, "national_id", "orphan_person"),
    ]


def test_a_file_is_of_the_province_that_submits_it_wherever_its_people_served_before(folder):
    put(folder, "personnel_fars.csv", [row("personnel", province="IR-07", hired_on="1403/03/01")])
    put(folder, "training_2.csv", [row("training", completed_on="1403/04/01")])
    put(folder, HANDED_IN, json.dumps({"training_2.csv": "IR-07"}))
    built = load(folder)
    assert built.sql("select province from load_files where file = 'training_2.csv'") == [("IR-07",)]


def test_a_reference_is_found_in_any_spelling_and_file(folder):
    put(folder, "institutes_9.csv", [row("institutes", institute_code="Ab-۱")])
    built = with_rows(folder, "licences", row("licences", application_no="q", institute_code="aB-1"))
    assert built.counts("licences_2.csv") == (1, 1, 0, 0)


def test_no_row_is_lost_in_a_wild_mixture(folder):
    """Counted a second time by a plain reader of the files."""
    chance = random.Random(5)
    rows = []
    for number in range(400):
        person = keyed("personnel", number % 150)
        for name in chance.sample(list(person), chance.choice([0, 0, 1, 2])):
            person[name] = chance.choice(["", "?", "۱۲", person[name], "1402/02/30", "a,b", 'x"y', "line\nbreak"])
        rows.append(person)
    for part in range(3):
        put(folder, f"personnel_{part}.csv", rows[part::3])
    built = build(folder)
    for entry in built.report["files"]:
        text = (folder / entry["file"]).read_text(encoding="utf-8")
        records = sum(bool(record) for record in csv.reader(io.StringIO(text, newline=""))) - 1
        assert entry["rows_read"] == records
        assert records == entry["rows_loaded"] + entry["rows_quarantined"] + entry["exact_duplicates"]
        lines = {line for name, line, *_ in built.rejected_rows() if name == entry["file"]}
        assert len(lines) == entry["rows_quarantined"]
    loaded = built.sql("select count(*) from spells")[0][0]
    assert loaded == sum(entry["rows_loaded"] for entry in built.report["files"] if entry["table"] == "personnel")
    # `load`, which leaves the models out, reports the same of files as a build.
    without = load(folder, to=folder.parent / "without" / "warehouse.duckdb")
    assert without.report == built.report | {"returns": f"{without.to}.returns"}
    for table in ("quarantine", "warned", "load_files", "load_rows", "ignored_files"):
        assert without.sql(f"from {table} order by all") == built.sql(f"from {table} order by all")
