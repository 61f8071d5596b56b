"""Each model is run once, after the models it reads, two at a time; an error in one ends the other."""

import threading
import time
from datetime import date

import duckdb
import pytest

from etl.warehouse import build_database, run_models

NEEDED = {"spells": set(), "service": {"spells"}, "joiners": {"spells"}, "preaggregate": {"service", "joiners"}}
ENDLESS = "select max(hash(range)) from range(1000000000000)"


@pytest.fixture
def con(tmp_path):
    with build_database.opened(tmp_path / "built.duckdb") as connection:
        build_database.attach_scratch(connection, tmp_path, 0)
        yield connection


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_each_model_is_made_once_after_its_dependencies(con, at_once):
    models: list[str] = []

    def make(own, name):
        assert NEEDED[name] <= set(models)
        time.sleep(0.01)
        models.append(name)

    run_models._make_all(con, NEEDED, make, lambda _: None, at_once)
    assert sorted(models) == sorted(NEEDED)


def test_independent_models_are_made_concurrently_on_their_own_connections(con):
    both = threading.Barrier(2, timeout=180)
    used = set()

    def make(own, name):
        if name in ("service", "joiners"):
            both.wait()
        used.add(id(own))

    run_models._make_all(con, NEEDED, make, lambda _: None, 2)
    assert len(used) == 2
    assert id(con) not in used


def test_an_error_in_one_model_stops_the_others(con):
    begun: list[str] = []
    both = threading.Barrier(2, timeout=180)

    def make(own, name):
        begun.append(name)
        if name in ("service", "joiners"):
            both.wait()
            own.execute("select error('broken')" if name == "service" else ENDLESS)

    with pytest.raises(duckdb.Error, match="broken"):
        run_models._make_all(con, NEEDED, make, lambda _: None, 2)
    assert sorted(begun) == ["joiners", "service", "spells"]


def test_models_that_are_ready_are_made_in_the_order_named(con):
    models: list[str] = []
    dependencies = {
        "compliance_intervals": {"spells"},
        "joiners": {"spells"},
        "spells": set(),
        "row_fingerprints": set(),
    }
    run_models._make_all(con, dependencies, lambda _, name: models.append(name), lambda _: None, 1)
    assert models == ["spells", "compliance_intervals", "joiners", "row_fingerprints"]


def test_the_model_with_the_most_dependents_comes_first():
    assert list(run_models._by_urgency(NEEDED)) == ["spells", "service", "joiners", "preaggregate"]
    assert {name: run_models._waiting_for(name, NEEDED) for name in NEEDED} == {
        "spells": 3,
        "service": 1,
        "joiners": 1,
        "preaggregate": 0,
    }


def test_a_concurrent_task_waits_for_the_models_it_reads(con, monkeypatch):
    con.execute("create table person_numbers as select 1 as person_id")
    monkeypatch.setattr(run_models, "_MEMBERS", {})
    sql = {"spells": "select 1 as person_id", "joiners": "select person_id from spells"}
    monkeypatch.setattr(run_models, "models", lambda: sql)
    curves = run_models.ConcurrentTask(
        lambda own: own.execute("create table survival_curves as from joiners"), {"joiners"}
    )
    run_models.build(con, lambda _: None, {"survival_curves": curves})
    assert con.execute("from survival_curves").fetchall() == [(1,)]


HIRED, LAST = date(2024, 1, 10), date(2024, 7, 1)


@pytest.mark.parametrize(
    ("passed_on", "expected"),
    [
        ([], [(HIRED, LAST, None)]),
        # A pass on the first day is held from then on, and an earlier one not at all.
        ([date(2024, 1, 10)], [(HIRED, LAST, date(2025, 1, 10))]),
        ([date(2023, 5, 1), date(2024, 1, 10)], [(HIRED, LAST, date(2025, 1, 10))]),
        ([date(2023, 5, 1)], [(HIRED, LAST, date(2024, 5, 1))]),
        (
            [date(2024, 1, 11), date(2024, 6, 30)],
            [
                (HIRED, date(2024, 1, 11), None),
                (date(2024, 1, 11), date(2024, 6, 30), date(2025, 1, 11)),
                (date(2024, 6, 30), LAST, date(2025, 6, 30)),
            ],
        ),
        # The first day out is no day of service.
        ([date(2024, 7, 1), date(2024, 9, 1)], [(HIRED, LAST, None)]),
    ],
)
def test_a_qualification_begins_and_ends_on_the_day_of_a_passed_course(con, passed_on, expected):
    con.execute("create type course as enum ('PY-101'); create type post as enum ('guard')")
    con.execute("create table course_posts as select 'PY-101' as course_code, 'guard' as post, 30 as due_days")
    con.execute("create table courses as select 'PY-101' as course_code, 12 as valid_months")
    con.execute(
        "create table spells as select 1 as person_id, 'guard'::post as post, $hired::date as hired_on, "
        "$last::date as end_day, true as is_only",
        {"hired": HIRED, "last": LAST},
    )
    con.execute(
        "create table completions as select 1 as person_id, 'PY-101'::course as course_code, "
        "unnest($days::date[]) as completed_on",
        {"days": passed_on},
    )
    sql = run_models.models()["requirements"]
    rows = con.execute(f"select valid_from, valid_until, expires_on from ({sql}) order by valid_from").fetchall()
    assert rows == expected


def test_who_leaves_two_places_on_a_day_and_comes_back_to_one_has_returned_there(con):
    for name in ("place_kind", "place", "move"):
        con.execute(f"create type {name} as varchar")
    con.execute(
        "create table spells (province varchar, institute_code varchar, hired_on date, end_day date, "
        "person_id integer default 1, is_only boolean default false)"
    )
    con.executemany(
        "insert into spells (province, institute_code, hired_on, end_day) values (?, ?, ?, ?)",
        [
            ("IR-23", "01", "2023-01-01", "2024-01-01"),
            ("IR-07", "02", "2023-06-01", "2024-01-01"),
            ("IR-07", "02", "2024-02-15", "9999-12-31"),
        ],
    )
    con.execute(
        "create table joiners as select person_id, province, institute_code, hired_on as day from spells order by day limit 1"
    )
    con.execute("create table leavers as from joiners limit 0")
    sql = run_models.models()["moves"]
    moves = con.execute(
        f"select place, day, move from ({sql}) where place_kind = 'province' order by day, place"
    ).fetchall()
    assert moves == [
        ("IR-23", date(2023, 1, 1), "joined"),
        ("IR-07", date(2023, 6, 1), "transferred_in"),
        ("IR-07", date(2024, 1, 1), "gone"),
        ("IR-23", date(2024, 1, 1), "transferred_out"),
        ("IR-07", date(2024, 2, 15), "returned"),
    ]


@pytest.mark.parametrize("model", ["moves", "requirements", "licensed_days"])
def test_rows_of_the_same_days_are_of_one_island_in_either_order(con, model):
    """One sort may hand on equal rows in another order than the one before it: here the other way round."""
    for name in ("place_kind", "place", "move", "course", "post"):
        con.execute(f"create type {name} as varchar")
    con.execute(
        "create table spells as select 1 as person_id, 'IR-23' as province, '01' as institute_code, 'guard' as post, "
        "unnest([date '2022-01-01', '2024-01-01', '2024-01-01']) as hired_on, hired_on + 31 as end_day, false as is_only"
    )
    con.execute("create table joiners (person_id integer, province varchar, institute_code varchar, day date)")
    con.execute("create table leavers as from joiners")
    con.execute("create table course_posts as select 'PY-101' as course_code, 'guard' as post, 30 as due_days")
    con.execute("create table courses as select 'PY-101' as course_code, 12 as valid_months")
    con.execute("create table completions (person_id integer, course_code varchar, completed_on date)")
    con.execute(
        "create table applications as select '01' as institute_code, 'granted' as outcome, hired_on as valid_from, "
        "end_day as valid_until from spells"
    )
    con.execute(
        "create table institutes as select '01' as institute_code, date '9999-12-31' as stopped_on, "
        "null as province, null as county, null as activity, null as smart_services, null as smart, null as veteran_led, "
        "null as founded_on"
    )
    sql = run_models.models()[model]
    other_way = sql.replace("from reached\n", "from (from reached order by reach desc)\n")
    assert other_way != sql
    first, second = (con.execute(f"from ({way}) order by all").fetchall() for way in (sql, other_way))
    assert first == second != []


def test_scratch_tables_are_seen_by_every_connection_and_not_published(con, tmp_path):
    con.execute(f"create table {build_database.SCRATCH}.read_personnel as select 1 as person_key")
    con.execute("create table spells as select 2 as person_id")
    with build_database.new_cursor(con) as cursor:
        assert cursor.execute("select person_key, person_id from read_personnel, spells").fetchall() == [(1, 2)]
    con.execute("checkpoint")
    con.close()
    with duckdb.connect(str(tmp_path / "built.duckdb"), read_only=True) as built:
        assert built.execute("select table_name from duckdb_tables()").fetchall() == [("spells",)]
