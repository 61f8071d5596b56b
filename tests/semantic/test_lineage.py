"""Which rejected rows could change a number: the lineage, compared with DuckDB's own binder and with builds."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from etl.analysis import analyses
from etl.extract.contract import TABLES
from etl.semantic import access, answers, catalog, rights
from etl.warehouse import adoption_history, run_models
from tests.access.test_scopes import arguments
from tests.loading import Built, build_tables, national_id, put, row
from ui.components import footer
from ui.data import page_run, warehouse
from ui.data.ask import Question

pytestmark = pytest.mark.slow

SAMPLE = Path(__file__).parents[1] / "sample"
# The number of rejected rows of each table: the sum of any of them says which tables are in it.
REJECTED = {"institutes": 1, "licences": 2, "personnel": 4, "training": 8}
# Questions that determine the day and show no number.
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
    tables_of: dict[str, set[str]] = {}
    carry = adoption_history.carry

    def bind(con: duckdb.DuckDBPyConnection, pointer: Path) -> None:
        con.execute("pragma disable_optimizer")
        for name, sql in run_models.models().items():
            ((_, plan),) = con.execute(f"explain (format json) {sql}").fetchall()
            tables_of[name] = {table.split(".")[-1] for table in re.findall(r'"Table": "([^"]+)"', plan)}
        con.execute("pragma enable_optimizer")
        carry(con, pointer)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adoption_history, "carry", bind)
        built = build_tables(folder)
    assert built.code == 0, built.err
    return built, tables_of


def through(name: str, bound: dict[str, set[str]]) -> set[str]:
    """The source tables behind a table, according to DuckDB's binder."""
    if name.startswith("loaded_"):
        return {name.removeprefix("loaded_")}
    return set().union(*(through(table, bound) for table in bound.get(name, ())))


def expected(name: str, bound: dict[str, set[str]]) -> set[str]:
    measures = catalog.expand(name, frozenset()).values()
    return set().union(*(through(catalog.tables()[measure.table].model, bound) for measure in measures))


def test_the_lineage_of_every_metric_is_what_duckdb_binds(bound):
    _, tables = bound
    for name in catalog.catalogue():
        assert catalog.sources_of(name) & set(TABLES) == expected(name, tables), name


def test_the_rejected_rows_of_every_metric_are_those_of_its_sources(bound, monkeypatch):
    built, tables = bound
    for table, count in REJECTED.items():
        sql = f"select count(distinct (file, line)) from quarantine where source_table = '{table}' and file like '%_9.csv'"
        assert built.sql(sql) == [(count,)], table
    of_table = dict(built.sql("select source_table, count(distinct (file, line)) from quarantine group by all"))
    monkeypatch.setenv("WAREHOUSE", str(built.to))
    # No page of this thread holds a publication, neither in this test nor after it.
    page_run.end()
    for name in catalog.catalogue():
        answer = warehouse.ask(name)
        assert footer.rejected_rows(answer) == sum(of_table[source] for source in expected(name, tables)), name
    assert footer.rejected_rows(
        warehouse.of_page().each(Question(("joiners", "training_compliance")))["joiners"]
    ) == footer.rejected_rows(warehouse.ask("joiners"))


@pytest.fixture(scope="module")
def numbers_of_sample(publish_sample):
    """The day of the hand-made register, and the rows of every metric."""
    with access.connect(publish_sample().pointer, rights.ADMINISTRATOR) as con:
        return con.publication.as_of, {name: answers.ask(con, name).rows for name in catalog.catalogue()}


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES)
def test_a_number_that_moves_with_a_source_names_it(table, numbers_of_sample, tmp_path):
    """Every third row of one source is left out; each number that changes must have the source in its lineage."""
    folder = sample(tmp_path / "part")
    lines = (SAMPLE / f"{table}.csv").read_bytes().splitlines(keepends=True)
    put(folder, f"{table}.csv", b"".join(line for number, line in enumerate(lines) if number % 3 or not number))
    part = build_tables(folder)
    assert part.code == 0, part.err
    day, numbers = numbers_of_sample
    with access.connect(part.to, rights.ADMINISTRATOR) as con:
        names = {
            name
            for name, metric in catalog.catalogue().items()
            if answers.ask(con, name, **({"on": day} if metric.kind == "snapshot" else {})).rows != numbers[name]
        }
    assert names, table
    assert not {name for name in names if table not in catalog.sources_of(name)}


@pytest.mark.parametrize("name", analyses.by_name())
def test_an_analysis_of_several_questions_names_the_sources_of_all(name, bound, monkeypatch):
    built, tables = bound
    metric_names: set[str] = set()
    resolve = answers.resolve

    def noted(con, publication, names, *question):
        metric_names.update(names)
        return resolve(con, publication, names, *question)

    monkeypatch.setattr(answers, "resolve", noted)
    with access.connect(built.to, rights.ADMINISTRATOR) as con:
        answer = analyses.by_name()[name].run(con, **arguments(name, con))
    metric_names -= ONLY_FOR_THE_DAY.get(name, set())
    expected_sources = set().union(*(expected(metric, tables) for metric in metric_names))
    assert answer.sources & set(TABLES) == expected_sources
    # Both are reference tables.
    assert expected_sources or name in ("claim", "similar_provinces")


def test_a_dimension_that_is_counted_from_another_table_has_its_sources(bound):
    built, tables = bound
    with access.connect(built.to, rights.ADMINISTRATOR) as con:
        for name, entry in catalog.entries()["metric"].items():
            for dimension, change in entry.get("alternate_sources", {}).items():
                (measure,) = catalog.expand(name, frozenset({dimension})).values()
                assert measure.table == change.get("table", measure.table)
                expected_sources = through(catalog.tables()[measure.table].model, tables)
                assert answers.ask(con, name, by=(dimension,)).sources & set(TABLES) == expected_sources, (
                    name,
                    dimension,
                )


def test_neither_a_comment_nor_a_cte_is_a_table():
    sql = "-- from a comment\nwith spells as (from service) select * from spells, joiners where x in (select y from moves)"
    assert run_models.tables_in(sql) == {"service", "joiners", "moves"}
    assert run_models.tables_in("with service as (from service) from service") == {"service"}
    with pytest.raises(ValueError, match="parsed"):
        run_models.tables_in("selec 1")
