"""Which rejected rows could change a number: the lineage, compared with DuckDB's own binder and with what builds show."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from etl import analysis, catalogue, history, lineage, metrics, modelling, publication, syntax
from etl.contract import TABLES
from etl.question import Question
from pages.parts import warehouse
from tests.loading import Built, build, national_id, put, row

SAMPLE = Path(__file__).parent / "sample"
# So many rows of each table are rejected: their sum says which tables are in it.
REJECTED = {"institutes": 1, "licences": 2, "personnel": 4, "training": 8}
# Questions that find the day and give no number.
ONLY_FOR_THE_DAY = {"claim": {"active_assistants"}, "seats_now": {"trainable_assistants"}}


def sample(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for path in SAMPLE.glob("*.csv"):
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.fixture(scope="module")
def bound(tmp_path_factory) -> tuple[Built, dict[str, set[str]]]:
    """The hand-made register with rejected rows, and the tables that DuckDB scans for each model."""
    folder = sample(tmp_path_factory.mktemp("lineage") / "incoming")
    bad = {
        "institutes": [row("institutes", institute_code="X1", activity="nonsense")],
        "licences": [row("licences", application_no=f"X{n}", applied_on="1402/13/01") for n in range(2)],
        "personnel": [row("personnel", national_id=national_id(990000 + n), birth_date="1") for n in range(4)],
        "training": [row("training", national_id=national_id(980000 + n), course_code="base") for n in range(8)],
    }
    good = {
        "institutes": [row("institutes", institute_code=f"G{n}") for n in range(9)],
        "licences": [row("licences", application_no=f"G{n}", institute_code="G1") for n in range(9)],
        "personnel": [row("personnel", national_id=national_id(970000 + n), institute_code="G1") for n in range(9)],
        "training": [row("training", national_id=national_id(970000 + n), course_code="base") for n in range(9)],
    }
    for table, rows in bad.items():
        # A file of which more than half is rejected is refused.
        put(folder, f"{table}_9.csv", rows + good[table])
    found: dict[str, set[str]] = {}
    carry = history.carry

    def bind(con: duckdb.DuckDBPyConnection, pointer: Path) -> None:
        con.execute("pragma disable_optimizer")
        for name, sql in {**modelling.models(), "adoption": history.ADOPTION}.items():
            ((_, plan),) = con.execute(f"explain (format json) {sql}").fetchall()
            found[name] = {table.split(".")[-1] for table in re.findall(r'"Table": "([^"]+)"', plan)}
        con.execute("pragma enable_optimizer")
        carry(con, pointer)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history, "carry", bind)
        built = build(folder)
    assert built.code == 0, built.err
    return built, found


def through(name: str, bound: dict[str, set[str]]) -> set[str]:
    """The source tables behind a table, by what DuckDB binds."""
    if name.startswith("loaded_"):
        return {name.removeprefix("loaded_")}
    return set().union(*(through(one, bound) for one in bound.get(name, ())))


def expected(name: str, bound: dict[str, set[str]]) -> set[str]:
    bases = catalogue.expand(name, frozenset()).values()
    return set().union(*(through(catalogue.tables()[base.table].model, bound) for base in bases))


def test_the_lineage_of_every_metric_is_what_duckdb_binds(bound):
    _, tables = bound
    for name in catalogue.catalogue():
        assert lineage.sources_of(name) & set(TABLES) == expected(name, tables), name


def test_the_rejected_rows_of_every_metric_are_those_of_its_sources(bound, monkeypatch):
    built, tables = bound
    for table, count in REJECTED.items():
        sql = f"select count(distinct (file, line)) from quarantine where source_table = '{table}' and file like '%_9.csv'"
        assert built.sql(sql) == [(count,)], table
    of_table = dict(built.sql("select source_table, count(distinct (file, line)) from quarantine group by all"))
    monkeypatch.setenv("WAREHOUSE", str(built.to))
    warehouse.turn()
    for name in catalogue.catalogue():
        answer = warehouse.ask(name)
        assert warehouse.kept_back(answer) == sum(of_table[one] for one in expected(name, tables)), name
    assert warehouse.kept_back(warehouse.ask_each("joiners", "training_compliance")["joiners"]) == warehouse.kept_back(
        warehouse.ask("joiners")
    )


@pytest.mark.parametrize("table", TABLES)
def test_a_number_that_moves_with_a_source_names_it(table, tmp_path):
    """Every third row of one source is left out; whatever number moves must have the source in its lineage."""
    whole = build(sample(tmp_path / "whole"), to=tmp_path / "a" / "w.duckdb")
    folder = sample(tmp_path / "part")
    lines = (SAMPLE / f"{table}.csv").read_bytes().splitlines(keepends=True)
    put(folder, f"{table}.csv", b"".join(one for number, one in enumerate(lines) if number % 3 or not number))
    part = build(folder, "--accept-loss", to=tmp_path / "b" / "w.duckdb")
    assert part.code == 0, part.err
    moved = set()
    with publication.connect(whole.to) as one, publication.connect(part.to) as other:
        day = publication.describe(one).as_of
        for name, metric in catalogue.catalogue().items():
            when = {"on": day} if metric.kind == "state" else {}
            if metrics.ask(one, name, **when).rows != metrics.ask(other, name, **when).rows:
                moved.add(name)
    assert moved, table
    assert not {name for name in moved if table not in lineage.sources_of(name)}


@pytest.mark.parametrize("name", sorted(analysis.ASKED))
def test_what_is_worked_out_of_several_questions_names_the_sources_of_all(name, bound, monkeypatch):
    built, tables = bound
    asked: set[str] = set()
    begin = Question.__init__

    def noted(self, con, read, names, *more):
        asked.update(names)
        begin(self, con, read, names, *more)

    monkeypatch.setattr(Question, "__init__", noted)
    with publication.connect(built.to) as con:
        answer = getattr(analysis, name)(con)
    asked -= ONLY_FOR_THE_DAY.get(name, set())
    wanted = set().union(*(expected(one, tables) for one in asked))
    assert answer.sources & set(TABLES) == wanted
    assert wanted or name == "claim"


def test_a_dimension_that_is_counted_from_another_table_has_its_sources(bound):
    built, tables = bound
    with publication.connect(built.to) as con:
        for name, entry in catalogue.entries().items():
            for dimension, change in entry.get("when", {}).items():
                base = replace(next(iter(catalogue.expand(name, frozenset({dimension})).values())))
                assert base.table == change.get("table", base.table)
                wanted = through(catalogue.tables()[base.table].model, tables)
                assert metrics.ask(con, name, by=(dimension,)).sources & set(TABLES) == wanted, (name, dimension)


def test_neither_a_comment_nor_a_cte_is_a_table():
    sql = "-- from a comment\nwith spells as (from service) select * from spells, joiners where x in (select y from moves)"
    assert syntax.tables_in(sql) == {"service", "joiners", "moves"}
    assert syntax.tables_in("with service as (from service) from service") == {"service"}
    with pytest.raises(ValueError, match="parsed"):
        syntax.tables_in("selec 1")
