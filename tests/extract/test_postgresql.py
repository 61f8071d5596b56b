"""PostgreSQL as a source: it loads what files of the same moment load, while others write."""

# ruff: noqa: E501
from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from etl.core.errors import Refused
from etl.extract import postgresql
from etl.extract.contract import contract
from etl.warehouse import publications
from tests.loading import (
    DAY,
    HEADERS,
    Built,
    build_tables,
    called,
    csv_text,
    digest,
    load,
    national_id,
    put,
    put_good,
    read,
    row,
    without_models,
)
from tests.postgres import Server, programs, server
from tests.serving import until

pytestmark = pytest.mark.slow

# Tables with file names, which differ between a database and its files.
OF_FILES = ("reference_files", "load_files", "quarantine", "warned")
TYPES = {
    "applied_on": "date", "hired_on": "timestamp", "completed_on": "date", "hours": "numeric(6,2)", "veteran": "boolean",
    "birth_date": "date",
}  # fmt: skip


def register() -> dict[str, list[dict[str, str]]]:
    """A small register with a fault of each kind that a typed table can hold."""
    ids = [national_id(number) for number in range(100, 300)]
    people = [row("personnel", national_id=person_id, hired_on=f"2023-{1 + at % 12:02}-15", birth_date="1990-05-05", veteran="true" if at % 3 else "")
              for at, person_id in enumerate(ids)]  # fmt: skip
    courses = [row("training", national_id=person_id, completed_on=f"2024-0{1 + at}-11", hours="72.5", score=str(60 + at))
               for person_id in ids for at in range(5)]  # fmt: skip
    return {
        "institutes": [row("institutes", institute_code=f"{at:04}", smart_services="دارد") for at in range(5)],
        "licences": [row("licences", application_no=f"L{at}", institute_code=f"{at:04}", applied_on="2023-03-25") for at in range(6)],
        "personnel": [*people, row("personnel", national_id="0000000028", hired_on="2023-01-01", birth_date="1990-01-01"),
                      row("personnel", national_id=national_id(5), hired_on="2023-01-01", birth_date="1990-01-01", education="?")],
        "training": [*courses, row("training", national_id=ids[0], completed_on="2024-07-01", score="85%"),
                     row("training", national_id=ids[0], course_code="XX", completed_on="2024-07-01")],
    }  # fmt: skip


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if not programs():
        pytest.fail("PostgreSQL is missing: make test installs it")
    folder = tmp_path_factory.mktemp("register")
    with server() as database:
        for table, rows in register().items():
            columns = ", ".join(f"{name} {TYPES.get(name, 'text')}" for name in HEADERS[table].split())
            database.run(f"create table {table} ({columns}, noticed_at timestamptz); grant select on {table} to reader")
            path = put(folder, f"{table}.csv", csv_text(table, rows))
            database.copy_in(table, path)
        yield database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "incoming").mkdir()
    return tmp_path / "incoming"


def export(postgres: Server, to: Path, snapshot: str = "") -> None:
    """The tables as CSV files, in one snapshot, in the order of their keys."""
    to.mkdir()
    for table in HEADERS:
        key = ", ".join(contract(table).key)
        columns = ", ".join(
            f"{name}{'::date' if TYPES.get(name) == 'timestamp' else ''}::text as {name}_"
            for name in HEADERS[table].split()
        )
        begin = f"begin isolation level repeatable read; set transaction snapshot '{snapshot}';" if snapshot else ""
        text = postgres.run(
            f"{begin} copy (select {columns} from {table} order by {key}) to stdout (format csv, header)"
        )
        head, _, body = text.partition("\n")
        put(to, f"{table}.csv", head.replace("_,", ",").removesuffix("_") + "\n" + body)


def models(built: Built) -> str:
    assert built.code == 0, built.err
    with publications.connect(built.to) as con:
        return digest(con, OF_FILES)


def faults(built: Built) -> list[tuple[Any, ...]]:
    return built.sql(
        "select source_table, column_name, reason, expected from (from quarantine union all from warned) order by all"
    )


def test_a_database_loads_like_files_with_the_same_rows(postgres, folder, tmp_path):
    put(folder, "sources.toml", postgres.sources())
    export(postgres, tmp_path / "files")
    ours = build_tables(folder, to=tmp_path / "ours" / "w.duckdb")
    theirs = build_tables(tmp_path / "files", to=tmp_path / "theirs" / "w.duckdb")
    assert models(ours) == models(theirs)
    assert faults(ours) == faults(theirs)
    assert [entry["table"] for entry in ours.report["files"]] == list(HEADERS)
    of_people = ours.report["files"][2]
    assert of_people["file"] == "register:public.personnel"
    assert (of_people["rows_read"], of_people["rows_quarantined"], of_people["rows_warned"]) == (202, 1, 1)
    assert of_people["notes"] == [
        "rows are numbered in the order of: national_id, institute_code, hired_on",
        "extra columns ignored: noticed_at",
    ]
    # The line of a row is its number in key order.
    assert ours.sql("select line, column_name from quarantine where source_table = 'personnel'") == [(1, "national_id")]


def test_a_concurrent_write_is_not_read_in_part(postgres, folder, tmp_path, monkeypatch, request):
    request.addfinalizer(
        lambda: postgres.run(
            "delete from training where completed_on = '2024-02-01'; delete from personnel where hired_on = '2024-01-01'"
        )
    )
    put(folder, "sources.toml", postgres.sources())
    persons = "(array['" + "','".join(national_id(at) for at in range(1_000, 3_000)) + "'])[1 + i % 2000]"
    loop = f"""do $$ begin for i in 1..1000000 loop
        insert into personnel (national_id, institute_code, province, gender, birth_date, post, hired_on)
            values ({persons}, '0001', 'IR-23', 'زن', '1990-01-01', 'guard', '2024-01-01');
        perform pg_sleep(0.005);
        insert into training (national_id, course_code, completed_on, result) values ({persons}, 'PY-101', '2024-02-01', 'passed');
        commit;
    end loop; end $$"""
    writer = subprocess.Popen([*postgres.psql, "-c", loop])
    try:
        until(
            lambda: int(postgres.run("select count(*) from personnel where hired_on = '2024-01-01'")) > 20,
            "rows are written",
        )

        class Exported(postgresql.Snapshots):
            """The same moment as files; the writer continues before the tables are read."""

            def __init__(self, of: Path) -> None:
                super().__init__(of)
                if self.origins:
                    export(postgres, tmp_path / "files", self.origins[0].snapshot)
                    count = int(postgres.run("select count(*) from personnel"))
                    until(lambda: int(postgres.run("select count(*) from personnel")) > count + 20, "rows are written")

        with monkeypatch.context() as patch:
            patch.setattr(postgresql, "Snapshots", Exported)
            ours = build_tables(folder, to=tmp_path / "ours" / "w.duckdb")
        assert writer.poll() is None, "the writer wrote to the end"
    finally:
        postgres.run("select pg_terminate_backend(pid) from pg_stat_activity where query like 'do $$%'")
        writer.wait(180)
    theirs = build_tables(tmp_path / "files", to=tmp_path / "theirs" / "w.duckdb")
    assert models(ours) == models(theirs)
    assert "orphan_person" not in ours.report["reasons"]
    now = int(postgres.run("select count(*) from personnel"))
    assert ours.report["files"][2]["rows_read"] < now


def test_a_killed_backend_refuses_the_build_at_any_moment(postgres, folder):
    postgres.run(
        "create table many as select repeat(n::text, 40) as national_id, 'PY-101'::text as course_code, date '2024-01-01' as completed_on, "
        "'passed'::text as result from generate_series(1, 200000) as n; grant select on many to reader"
    )
    put(folder, "sources.toml", postgres.sources() + 'tables = { training = "many" }\n')
    for batches in (-1, 0, 1, 2):
        with postgresql.Snapshots(folder) as snapshots:
            (origin,) = snapshots.origins
            with pytest.raises(Refused) as raised:
                read_and_kill(postgres, origin, batches)
            # A backend killed before the first row dies while the rows are counted.
            assert "the server stopped sending rows" in str(raised.value) or "57P01" in str(raised.value)
            assert "\n" not in str(raised.value)
    postgres.run("drop table many")


def read_and_kill(postgres: Server, origin: postgresql.Origin, batches: int) -> None:
    """Read a table whose backend is killed after so many batches; -1 is before the first row."""
    with postgresql.opened(origin, contract("training")) as source:
        if batches < 0:
            _kill(postgres)
        for at, _ in enumerate(source.batches):
            if at == batches:
                _kill(postgres)


def _kill(postgres: Server) -> None:
    postgres.run("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'reader'")


def test_missing_rows_refuse_the_build(postgres, folder, monkeypatch):
    put(folder, "sources.toml", postgres.sources())
    original = postgresql._value
    monkeypatch.setattr(
        postgresql,
        "_value",
        lambda cursor, sql, *parameters: (
            original(cursor, sql, *parameters) + 1 if "count(*)" in sql else original(cursor, sql, *parameters)
        ),
    )
    with (
        postgresql.Snapshots(folder) as snapshots,
        postgresql.opened(snapshots.origins[2], contract("personnel")) as source,
        pytest.raises(Refused, match="202 of 203 rows arrived"),
    ):
        list(source.batches)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"sslrootcert": "other.crt"}, "certificate verify failed"),
        ({"sslmode": "disable"}, "no encryption"),
        ({"passfile": "/nonexistent"}, "no password supplied"),
        ({"user": "nobody"}, "pg_hba.conf rejects connection"),
        ({"port": 1}, "Connection refused"),
        ({"host": "localhost"}, "does not match host name"),
        ({"schema": "nowhere"}, "no such table, or not for this role"),
        ({"service": "unheard_of"}, 'definition of service "unheard_of" not found'),
    ],
)
def test_a_failed_connection_gets_a_one_line_error(postgres, folder, entries, message):
    if entries.get("sslrootcert"):
        entries = {"sslrootcert": str(postgres.folder / entries["sslrootcert"])}
    put(folder, "sources.toml", postgres.sources(**entries))
    built = read(folder)
    refusal = built.refusal
    assert refusal.startswith(
        f"register:{entries.get('schema', 'public')}.institutes: " if "service" not in entries else "unheard_of:public."
    )
    assert message in refusal
    assert all(f".{table}" in refusal for table in HEADERS), "one line names every table"
    assert "a password of" not in built.err


def test_a_slow_or_locked_table_gets_a_clear_error(postgres, folder):
    postgres.run("create view slow as select training.* from training, pg_sleep(60); grant select on slow to reader")
    put(folder, "sources.toml", postgres.sources(statement_timeout="2s") + 'tables = { training = "slow" }\n')
    assert read(folder).refusal.startswith(
        "register:public.slow: the statement was cancelled or took longer than statement_timeout (SQLSTATE 57014); "
    )
    lock_it = "begin; lock table licences in access exclusive mode; select pg_sleep(600)"
    holder = subprocess.Popen([*postgres.psql, "-c", lock_it], stderr=subprocess.DEVNULL)
    try:
        lock = "select mode from pg_locks where relation = 'licences'::regclass"
        until(lambda: "AccessExclusiveLock" in postgres.run(lock), "the table is locked")
        put(folder, "sources.toml", postgres.sources(lock_timeout="200ms") + 'tables = { licences = "licences" }\n')
        assert "the table was locked for longer than lock_timeout (SQLSTATE 55P03); " in read(folder).refusal
    finally:
        postgres.run(
            "select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(600)%' and pid <> pg_backend_pid()"
        )
        holder.wait(180)


@pytest.mark.parametrize(
    ("variable", "message"), [("SOURCE_ROWS", "it has more than 2 rows; "), ("SOURCE_UNPACKED", "it unpacks to more than 2 MiB; ")]
)  # fmt: skip
def test_a_table_has_the_limits_of_a_file(postgres, folder, monkeypatch, variable, message):
    postgres.run(
        "create or replace view wide as select national_id, course_code, completed_on, repeat(result, 1000) as result "
        "from training; grant select on wide to reader"
    )
    put(folder, "sources.toml", postgres.sources() + 'tables = { training = "wide" }\n')
    monkeypatch.setenv(variable, "2")
    assert read(folder).refusal.startswith(f"register:public.wide: {message}")


def test_an_error_does_not_repeat_values_from_the_server(postgres, folder):
    postgres.run(
        "create view spoilt as select national_id, course_code, completed_on, (national_id || 'x')::int::text as result "
        "from training; grant select on spoilt to reader"
    )
    put(folder, "sources.toml", postgres.sources() + 'tables = { training = "spoilt" }\n')
    built = read(folder)
    assert "register:public.spoilt: row 1: the server stopped sending rows (" in built.refusal
    assert not any(course["national_id"] in built.err for course in register()["training"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[postgresql]]\nhost = "x"\npassword = "secret"\n', "sources.toml: holds a password; "),
        ('[[postgresql]]\nhosts = "x"\n', "sources.toml: unknown key hosts; known are service, host"),
        (
            '[[postgresql]]\nhost = "x"\ntables = { people = "x" }\n',
            "sources.toml: tables: no mapping of tables of the contract; write { institutes",
        ),
        ("[[postgres", "sources.toml: cannot be read (TOMLDecodeError)"),
        ("", "sources.toml: names no source; "),
    ],
)
def test_an_invalid_file_of_sources_is_refused(folder, text, message):
    put(folder, "sources.toml", text)
    built = read(folder)
    refusal = built.refusal
    assert refusal.startswith(message)
    assert "secret" not in built.err


def test_alike_tables_of_two_databases_have_different_names(folder):
    entries = (f'[[postgresql]]\nhost = "{host}"\ndbname = "register"\n' for host in "ab")
    put(folder, "sources.toml", "".join(entries))
    labels = [origin.label for origin in postgresql.origins(folder)]
    assert labels == [f"{name}:public.{table}" for name in ("register", "register 2") for table in HEADERS]


def test_without_the_package_the_build_says_so(postgres, folder, monkeypatch):
    put(folder, "sources.toml", postgres.sources())
    monkeypatch.setitem(__import__("sys").modules, "adbc_driver_postgresql", None)
    monkeypatch.setitem(__import__("sys").modules, "adbc_driver_postgresql.dbapi", None)
    assert "needs the package adbc-driver-postgresql, which is not installed" in read(folder).refusal


def test_a_service_and_a_file_of_passwords_in_the_environment_are_enough(postgres, folder, tmp_path):
    service = put(tmp_path, "services", f"[register]\nhost=127.0.0.1\nport={postgres.port}\ndbname=register\nuser=reader\n"
                  f"sslrootcert={postgres.folder}/root.crt\n")  # fmt: skip
    put(folder, "sources.toml", '[[postgresql]]\nservice = "register"\n')
    words = ("build", str(folder), "--to", str(tmp_path / "w.duckdb"), "--day", DAY.isoformat())
    with without_models():
        # In readers of its own: those of other tests have another environment.
        result = called(*words, PGSERVICEFILE=str(service), PGPASSFILE=str(postgres.folder / "pgpass"))
    assert (result.returncode, result.stderr) == (0, "")
    assert "register:public.training" in result.stdout


def test_files_and_a_database_load_together_and_a_refused_table_can_be_skipped(postgres, folder):
    put_good(folder)
    put(folder, "sources.toml", postgres.sources() + 'tables = { personnel = "personnel" }\n')
    built = load(folder)
    assert built.report["files"][-1]["rows_loaded"] == 201
    put(folder, "sources.toml", postgres.sources(port=1) + 'tables = { personnel = "personnel" }\n')
    built = load(folder, "--skip-refused")
    assert built.code == 0
    assert [entry["file"] for entry in built.report["refused"]] == ["register:public.personnel"]


def test_a_role_with_write_access_is_reported(postgres, folder):
    postgres.run("grant insert on personnel to reader")
    try:
        put(folder, "sources.toml", postgres.sources())
        assert "the role may write, which a source does not need" in load(folder).report["files"][2]["notes"]
    finally:
        postgres.run("revoke insert on personnel from reader")
