"""A file against the one before: an office's real faults are told with their column, and honest months with nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import product

import duckdb
import pytest

from etl import synthetic
from etl.extract.contract import TABLES, contract
from etl.submissions import comparison
from etl.submissions import desk as steps
from etl.submissions.refusals import Declined
from tests.conftest import BUILD_DAY
from tests.effort import draws
from tests.loading import csv_text, row
from tests.submissions.conftest import FARS, LAST, Office, person, province_files, with_rows
from tests.submissions.honest_files import Months, read_all

pytestmark = pytest.mark.slow
BUSY = "IR-23"
HISTORY = 12
# The tables that change from month to month.
CHANGING = ("personnel", "training")
# Table, column, and what happens to its rows: one fault an office has made or may make.
FAULTS = [
    ("personnel", "birth_date", "update ROWS set birth_date = date '1991-03-21' where hash(line) % 10 = 0"),
    (
        "personnel",
        "institute_code",
        "create or replace table largest as "
        "select institute_code as code, row_number() over (order by count(*) desc, 1) as place from ROWS group by all; "
        "update ROWS set institute_code = (select code from largest where place = 1) "
        "where institute_code = (select code from largest where place = 2)",
    ),
    ("personnel", "post", "update ROWS set post = 'guard'"),
    (
        "personnel",
        "province",
        "update ROWS set province = 'IR-10' "
        "where line in (select line from ROWS where left_on is null order by hash(line) limit 40)",
    ),
    ("personnel", "left_on", "update ROWS set left_on = null, leave_reason = null"),
    ("personnel", "gender", "update ROWS set gender = 'male'"),
    ("personnel", "hired_on", "update ROWS set hired_on = date '2022-03-21' where hash(line) % 8 = 0"),
    ("personnel", "county", "update ROWS set county = (select mode(county) from ROWS)"),
    ("personnel", "education", "update ROWS set education = null"),
    (
        "personnel",
        "judicial_officer_from",
        "update ROWS set judicial_officer_from = null, judicial_officer_until = null",
    ),
    ("personnel", "rows", "delete from ROWS where hash(line) % 3 = 0"),
    ("personnel", "hired_on", "delete from ROWS where hired_on > date '2025-05-01'"),
    ("training", "hours", "update ROWS set hours = null"),
    ("training", "completed_on", "update ROWS set completed_on = date '2026-05-04' where hash(line) % 4 = 0"),
    ("training", "score", "update ROWS set score = score / 5"),
    ("training", "course_code", "update ROWS set course_code = 'PY-101' where hash(line) % 3 = 0"),
    ("training", "result", "update ROWS set result = 'passed'"),
    ("licences", "valid_until", "update ROWS set valid_until = valid_from where valid_from is not null"),
    ("licences", "institute_code", "update ROWS set institute_code = (select min(institute_code) from ROWS)"),
    ("institutes", "activity", "update ROWS set activity = 'guarding'"),
    ("institutes", "name", "update ROWS set name_shown = '=1+1' where hash(line) % 3 = 0"),
    ("institutes", "name", "update ROWS set name_shown = 'a<b onclick=x>' where line = (select min(line) from ROWS)"),
]


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The typed rows of a sample: of one province, or of all with THOROUGH."""
    folder = tmp_path_factory.mktemp("register")
    synthetic.make(folder, scale=draws(10, 100) / 100, seed=7, day=BUILD_DAY)
    with duckdb.connect() as con:
        read_all(con, folder, BUILD_DAY, () if draws(0, 1) else (BUSY,))
        yield con


def months(con: duckdb.DuckDBPyConnection, table: str, province: str, count: int) -> Months:
    ends = [BUILD_DAY - timedelta(days=30 * ago) for ago in reversed(range(count + 1))]
    return Months(con, contract(table), province, ends)


@pytest.fixture(scope="module")
def histories(register) -> dict[tuple[str, str], list[comparison.Shares]]:
    """What a year of honest files changed, by table and province."""
    found = {}
    for table, province in product(TABLES, (BUSY, "IR-07")[: draws(1, 2)]):
        of = months(register, table, province, HISTORY + 1)
        is_asked = table in CHANGING or draws(0, 1)
        found[table, province] = [of.compared(at, ()).shares if is_asked else [] for at in range(1, HISTORY + 1)]
    return found


@pytest.mark.parametrize(("table", "column", "fault"), FAULTS)
def test_a_fault_is_told_with_its_column_in_the_first_four_lines(register, histories, table, column, fault):
    for (of, province), history in histories.items():
        if of == table:
            found = months(register, table, province, HISTORY + 1).compared(HISTORY + 1, history, fault)
            told = [line["column"] for line in found.unusual[:4]]
            assert column in told, (province, found.unusual)


def test_an_honest_month_is_told_with_nothing(register):
    """At most one file of twenty has a line; 372 months of 31 provinces with THOROUGH."""
    places = [place for (place,) in register.execute("select distinct province from files order by 1").fetchall()]
    tested, of_tables = draws(1, 12), TABLES if draws(0, 1) else CHANGING
    files = with_lines = 0
    for place in places:
        is_told = [False] * tested
        for table in of_tables:
            of = months(register, table, place, HISTORY + tested)
            shares: list[comparison.Shares] = []
            for at in range(1, HISTORY + tested + 1):
                found = of.compared(at, shares)
                shares.append(found.shares)
                if at > HISTORY and found.unusual:
                    is_told[at - HISTORY - 1] = True
        files += tested
        with_lines += sum(is_told)
    assert files == len(places) * tested
    assert 20 * with_lines <= files, f"{with_lines} of {files} submissions of four tables have a line"


def test_ids_that_are_shifted_by_a_row_are_of_others(register):
    of = months(register, "personnel", BUSY, 1)
    shifted = (
        "create or replace table shifted as select * replace "
        "(lag(person_key, 1, (select max(person_key) from ROWS)) over (order by line) as person_key) from ROWS; "
        "create or replace table ROWS as from shifted"
    )
    assert of.compared(1, (), shifted).is_of_others
    assert not of.compared(1, ()).is_of_others


def test_what_was_usual_within_a_year_is_not_unusual(register):
    of = months(register, "personnel", BUSY, 1)
    fault = "update ROWS set education = 'bachelor' where hash(line) % 10 = 0"
    first = of.compared(1, [[]] * HISTORY, fault)
    assert [line["column"] for line in first.unusual if line["what"] == "code"] == ["education"]
    history = [*[[]] * (HISTORY - 1), first.shares]
    assert "education" not in [line["column"] for line in of.compared(1, history, fault).unusual]
    assert of.compared(1, [first.shares, *[[]] * HISTORY], fault).unusual, "it was thirteen files ago"


def test_no_value_of_an_id_or_a_name_is_told(register):
    of = months(register, "institutes", BUSY, 1)
    lines = of.compared(1, [[]] * HISTORY, "update ROWS set name = 'الف', name_shown = 'الف'").unusual
    assert [(line["column"], line["what"], line["value"]) for line in lines if line["column"] == "name"] == [
        ("name", "commonest", None)
    ]


# ------------------------------------------------------------------ in an office


def with_posts(post: str, count: int) -> dict[str, str]:
    name = f"personnel_{FARS[0]}.csv"
    return {name: province_files(FARS)[name].replace(",guard,", f",{post},", count)}


def test_an_unusual_line_is_confirmed_before_it_is_submitted(office: Office):
    office.only_rows = True
    one = office.hand_in(office.clerk, "IR-07", with_posts("manager", 25))
    (line,) = one.result["unusual"]
    assert line == {
        "table": "personnel", "column": "post", "what": "code", "value": "manager", "rows": 25, "before": 0,
    }  # fmt: skip
    assert one.state == "ready"
    with pytest.raises(Exception, match="not confirmed yet"):
        office.desk.submit(office.clerk, one.id)
    done = office.desk.submit(office.clerk, one.id, confirmed={steps.ident(line): "همه مدیر شدند"})
    assert (done.state, done.confirmed) == ("submitted", {steps.ident(line): "همه مدیر شدند"})


def test_what_is_submitted_while_it_is_checked_waits_for_its_unusual_lines(office: Office):
    office.only_rows = True
    draft = office.desk.open(office.clerk, "IR-07", LAST)
    for number, (name, content) in enumerate(with_posts("manager", 25).items(), 1):
        office.give(office.clerk, draft.id, number, name, content)
    assert office.desk.submit(office.clerk, draft.id).state == "checking"
    office.work()
    assert office.desk.look(office.clerk, draft.id).state == "ready"


def test_a_clerk_who_will_correct_it_does_not_submit_it(office: Office):
    office.only_rows = True
    one = office.hand_in(office.clerk, "IR-07", with_posts("manager", 25))
    assert office.desk.correct(office.clerk, one.id).state == "to_correct"


def test_a_table_with_other_keys_is_refused_until_a_steward_lets_it_pass(office: Office):
    office.only_rows = True
    name = f"personnel_{FARS[0]}.csv"
    others = csv_text("personnel", [person(190_000 + at, "IR-07", "100") for at in range(30)])
    one = office.hand_in(office.clerk, "IR-07", {name: others})
    assert one.state == "to_correct"
    (stop,) = one.result["stops"]
    assert "personnel: the keys do not fit the file before: of 30 rows 30 are not there any more" in stop
    passed = office.desk.let_pass(office.steward, one.id)
    assert (passed.state, passed.result["stops"]) == ("ready", [])


def test_what_is_approved_is_what_comes_before(office: Office):
    """The second file of an approved change changes nothing more."""
    office.only_rows = True
    first = office.hand_in(office.clerk, "IR-07", with_posts("manager", 25))
    office.desk.submit(office.clerk, first.id, confirmed={steps.ident(line): "" for line in first.result["unusual"]})
    office.desk.approve(office.steward, first.id)
    second = office.hand_in(office.clerk, "IR-07", with_posts("manager", 26))
    assert second.result["unusual"] == []
    assert second.result["before"]["personnel"] == {"rows": 30, "keys_gone": 0, "new": 0, "gone": 0}


def test_a_first_file_is_compared_with_none(office: Office):
    office.only_rows = True
    for path in office.settings.folders.incoming.glob("*IR-07*"):
        path.unlink()
    one = office.hand_in(office.clerk, "IR-07", with_posts("manager", 25))
    assert (one.result["unusual"], one.result["before"]) == ([], {})


def with_two_institutes(of_second: str) -> dict[str, str]:
    """The files of Fars with two institutes; the people of the second are in one of them."""
    files, (code, name, first) = province_files(FARS), FARS
    staff = [person(first * 1000 + 500 + at, code, of_second) for at in range(30)]
    second = row("institutes", institute_code="101", province=name)
    is_there = of_second == "101"
    return {
        f"institutes_{code}.csv": with_rows(files[f"institutes_{code}.csv"], "institutes", *[second] * is_there),
        f"personnel_{code}.csv": with_rows(files[f"personnel_{code}.csv"], "personnel", *staff),
    }


def test_two_institutes_are_merged_on_purpose_by_one_tick_and_one_reason(office: Office):
    office.only_rows = True
    before = office.hand_in(office.clerk, "IR-07", with_two_institutes("101"))
    ticked = {steps.ident(line): "" for line in before.result["unusual"]}
    office.desk.submit(office.clerk, before.id, confirmed=ticked)
    office.desk.approve(office.steward, before.id)
    merged = office.hand_in(office.clerk, "IR-07", with_two_institutes("100"))
    (line,) = merged.result["unusual"]
    assert (merged.state, line["table"], line["column"], line["rows"]) == ("ready", "personnel", "institute_code", 30)
    with pytest.raises(Declined, match="not confirmed yet"):
        office.desk.submit(office.clerk, merged.id)
    why = {steps.ident(line): "ادغام دو مؤسسه با مجوز استان"}
    done = office.desk.submit(office.clerk, merged.id, confirmed=why)
    assert (done.state, done.confirmed) == ("submitted", why)
