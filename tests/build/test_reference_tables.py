"""The reference tables of a folder: those that are used, and those that refuse a build."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from etl.analysis import data_quality
from etl.analysis.announcements import announced
from etl.build import reference_data
from etl.core.places import places
from etl.extract.causes import BETWEEN
from etl.semantic import access, answers, rights
from etl.warehouse import population, publications
from tests.loading import DAY, ROOT, build_tables, english, load, put


def unusable(folder: Path) -> str:
    """The fault of a folder's reference table, without the remedy. `build` refuses with the same line."""
    (line,) = english("\n".join(reference_data.read(folder)[1].values()))
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
        (
            "targets.csv",
            "metric,province,date,value\nin_service,,1400/13/01,5\n",
            "targets.csv, line 2, date: bad_date",
        ),
        (
            "targets.csv",
            "metric,province,date,value\nin_service,مریخ,1400/01/01,5\n",
            "targets.csv, line 2, province: unknown_province",
        ),
        (
            "targets.csv",
            "metric,province,date,value\nin_service,,1400/01/01,\n",
            "targets.csv, line 2, value: missing_value",
        ),
        (
            "targets.csv",
            "metric,province,date,value\nin_service,,1400/01/01,-5\n",
            "targets.csv, line 2, value: bad_number",
        ),
        (
            "targets.csv",
            "metric,date,value\nin_service,1400/01/01,1\nin_service,2021-03-21,2\n",
            "targets.csv, line 3, date: the same as in line 2",
        ),
        (
            "targets.csv",
            "metric,date,value\nactive_asistants,1400/01/01,1\n",
            "targets.csv, line 2, metric: unknown_value",
        ),
        ("targets.csv", "metric,date,value\n,1400/01/01,1\n", "targets.csv, line 2, metric: missing_value"),
        ("targets.csv", "", "targets.csv, line 1: missing required column metric, date, value"),
    ],
)
def test_a_reference_table_that_cannot_be_used_refuses_the_build(folder, name, text, message):
    put(folder, name, text)
    assert unusable(folder) == message


def test_courses_and_targets_of_the_folder_are_taken_and_its_announcements_compared_with_their_day(folder):
    put(folder, "courses.csv", "course_code,posts\nx-1,*\n")
    put(folder, "targets.csv", "metric,province,date,value\nactive_assistants,,1400/01/01,10\n")
    text = "1402/03/01,active_assistants,5,گفت,gazette\n1402/01/01,in_service,7,x,y\n1409/01/01,in_service,9,x,y\n"
    put(folder, "announcements.csv", "date,metric,value,words,source\n" + text)
    built = build_tables(folder)
    assert built.rejected_rows() == [("training.csv", 2, "course_code", "unknown_course")]
    with access.connect(built.to, rights.ADMINISTRATOR) as con:
        assert answers.ask(con, "target_progress").value() == pytest.approx(0.1)
        rows = announced(con).rows
    assert rows == [
        ("in_service", date(2023, 3, 21), 7.0, 0, -7.0, "x", "y"),
        ("active_assistants", date(2023, 5, 22), 5.0, 1, -4.0, "گفت", "gazette"),
    ]


def test_every_reference_file_of_the_folder_is_listed_with_what_it_replaces(folder):
    shipped = ROOT / "data" / "reference"
    for name in ("targets.csv", "population.csv", "announcements.csv", "events.csv"):
        put(folder, name, (shipped / name).read_bytes())
    put(folder, "courses.csv", "course_code,posts\nPY-101,*\n")
    header = "date,province,kind,name_fa,name_en,confidence,source"
    put(folder, "calendar.csv", f"{header}\n1405/04/20,IR-23,closure,آلودگی,Smog,confirmed,s\n")
    put(folder, "SAMPLE.txt", "made up")
    put(folder / "old", "population.csv", "province,date\n")
    built = load(folder)
    listed = {entry["file"]: (entry["replaces"], entry["rows"]) for entry in built.report["reference"]}
    assert listed["courses.csv"] == ("data/reference/courses.csv", 1)
    added = {"SAMPLE.txt": ("", 0), "calendar.csv": ("", 1)}
    assert {name: listed[name] for name in added} == added
    assert listed.keys() == {
        "calendar.csv",
        "targets.csv",
        "population.csv",
        "announcements.csv",
        "events.csv",
        "courses.csv",
        "SAMPLE.txt",
    }
    assert all(replaces == f"data/reference/{name}" for name, (replaces, _) in listed.items() if name not in added)
    rows = len((shipped / "population.csv").read_text(encoding="utf-8").splitlines()) - 1
    assert f"reference: population.csv: {rows} rows, in place of data/reference/population.csv\n" in built.out
    assert "reference: calendar.csv: 1 rows, added to that of data/reference\n" in built.out
    assert "reference: SAMPLE.txt: sets up the build\n" in built.out
    reason = "not read: such a file counts in the folder itself only"
    (ignored,) = built.report["ignored"]
    assert ignored.startswith(f"old/population.csv: {reason} · old/population.csv: ")
    with access.connect(built.to, rights.ADMINISTRATOR) as con:
        assert data_quality.references(con) == sorted((name, *entry) for name, entry in listed.items())


def test_residents_that_moved_by_a_tenth_refuse_the_build(folder):
    """All of them, or those of the census only, in one province."""
    shipped = [line.split(",") for line in _population().splitlines()]

    def multiply(factor: float, day: str = "") -> None:
        cells = [
            [*line[:2], str(round(int(line[2]) * factor)), *line[3:]]
            if line[0] == "IR-20" and (not day or line[1] == day)
            else line
            for line in shipped
        ]
        put(folder, "population.csv", "\n".join(map(",".join, cells)) + "\n")

    assert load(folder, accept_loss=False).code == 0
    moved = "residents that differ by more than a tenth from the last publication for the same day (in brackets)"
    for day in ("1395-08-01", ""):
        multiply(2, day)
        (refusal,) = load(folder, accept_loss=False).refusals
        assert re.fullmatch(
            rf"population\.csv: {re.escape(moved)}: IR-20 Semnan [0-9,]+ \([0-9,]+\); correct the file or take it out of "
            "the folder",
            refusal,
        )
    multiply(1.09)
    assert load(folder, accept_loss=False).code == 0
    multiply(2)
    assert load(folder).code == 0
    assert load(folder, accept_loss=False).code == 0


def _population(change: str = "", line: int = 2) -> str:
    """The shipped population.csv with one line changed (dropped for "-")."""
    lines = (ROOT / "data" / "reference" / "population.csv").read_text(encoding="utf-8").splitlines()
    if change:
        lines[line - 1 : line] = [] if change == "-" else change.splitlines()
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("residents", "english_hint", "persian_hint"),
    [
        ("0", "write a whole number above 0, without a decimal point", "عددی صحیح و بزرگ‌تر از صفر، بدون ممیز، بنویسید"),
        (
            "1.5",
            "write a whole number above 0, without a decimal point",
            "عددی صحیح و بزرگ‌تر از صفر، بدون ممیز، بنویسید",
        ),
    ],
)
def test_the_hint_for_residents_does_not_ask_for_what_is_refused(folder, residents, english_hint, persian_hint):
    put(folder, "population.csv", _population(f"IR-00,1395/08/01,{residents},census,x"))
    (refusal,) = reference_data.read(folder)[1].values()
    first, _, second = refusal.partition(BETWEEN)
    assert first.endswith(f"; {english_hint}")
    assert second.endswith(persian_hint)


def test_the_hint_for_months_asks_for_a_whole_number(folder):
    put(folder, "courses.csv", "course_code,posts,valid_months\nPY-101,*,1.5\n")
    (refusal,) = reference_data.read(folder)[1].values()
    (hint,) = english(refusal)
    assert hint.endswith("; write a whole number, without a decimal point")


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
    rows = [line for line in _population().splitlines() if not line.startswith(("IR-07", "IR-30"))]
    put(folder, "population.csv", "\n".join(rows))
    assert unusable(folder) == "population.csv, province: no row for IR-07, IR-30"


def test_residents_and_announcements_of_the_folder_replace_the_shipped_ones_as_a_whole(folder):
    rows = [
        f"{iso},1400/01/01,{1000 + at},سرشماری,count" for at, iso in enumerate(sorted(set(places().provinces.values())))
    ]
    put(folder, "population.csv", "\n".join(["province,date,residents,kind,source", *rows]))
    put(folder, "announcements.csv", "date,metric,value,words,source\n")
    built = build_tables(folder)
    with access.connect(built.to, rights.ADMINISTRATOR) as con:
        assert answers.ask(con, "residents").value() == pytest.approx(31 * 1000 + 15 * 31)
        basis = publications.describe(con).provinces.basis(DAY)
        assert announced(con).rows == []
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
    ("province", "message"), [("مریخ", "unknown_province"), ("تهران", "an announcement is of the nation")]
)
def test_an_announcement_of_a_province_refuses_the_build(folder, province, message):
    head = "date,province,metric,value,words,source"
    put(folder, "announcements.csv", f"{head}\n1400/07/18,{province},active_assistants,5,x,y\n")
    assert unusable(folder) == f"announcements.csv, line 2, province: {message}"


def test_a_reference_table_that_is_a_folder_is_not_passed_over(folder):
    (folder / "courses.csv").mkdir()
    assert unusable(folder) == "courses.csv: not a regular file"


def test_a_reference_file_without_rows_is_printed_with_what_it_replaces(folder):
    put(folder, "targets.csv", "metric,province,date,value\n")
    assert "reference: targets.csv: 0 rows, in place of data/reference/targets.csv\n" in load(folder).out


def test_no_row_of_an_unusable_reference_file_is_counted(folder):
    put(folder, "population.csv", "province,date\n")
    header = "date,province,kind,name_fa,name_en,confidence,source"
    put(folder, "calendar.csv", f"{header}\n1405/04/20,IR-23,closure,آلودگی,Smog,confirmed,s\n")
    built = load(folder)
    assert built.code == 1
    assert {entry["file"]: entry["rows"] for entry in built.report["reference"]} == {
        "population.csv": 0,
        "calendar.csv": 1,
    }
