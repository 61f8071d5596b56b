"""The checks of a publication: each fails for the fault it guards against, which leaves the last publication untouched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import xlsxwriter

from etl.build import pipeline
from etl.core.paths import CHECKS
from etl.warehouse import publications, run_models
from tests.loading import GOOD, Built, build, load, national_id, put, put_good, row

pytestmark = pytest.mark.slow

# ------------------------------------------------------------------ checks


def checks() -> list[Path]:
    return sorted(CHECKS.glob("*.sql"))


# For each rule, SQL that breaks it in a valid publication.
BREAK = {
    "census_is_whole": "update counties set population_2016 = population_2016 + 1 where sci_code = '0001'",
    "everyone_active_has_a_compliance_interval": "delete from compliance_intervals",
    "rejected_rows_have_a_place_and_a_reason": "update quarantine set reason = 'who knows'",
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
    "running_totals_match_the_count": "update preaggregate set in_service = in_service + 1",
    "spells_end_after_they_begin": "update spells set left_on = hired_on - 1",
    "survival_curves_are_curves": "insert into survival_curves values ('all', 'all', 0, 1, 999, 1, 1)",
    "stretches_do_not_overlap": "update service set valid_until = valid_until - 1 where person_id = 1",
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A publication in which every rule has rows to check."""
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
    with xlsxwriter.Workbook(str(folder / "training_2.xlsx")) as book:
        for table, rejected in (("training", {"completed_on": "x"}), ("personnel", {"post": "x"})):
            sheet = book.add_worksheet(table)
            for at, cells in enumerate((GOOD[table], row(table, **rejected).values())):
                sheet.write_row(at, 0, list(cells))
    built = build(folder)
    assert built.code == 0, built.err
    return built


def test_there_is_a_fault_for_every_rule_and_every_rule_says_what_it_holds():
    assert {path.stem for path in checks()} == set(BREAK)
    for path in checks():
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first.startswith("-- "), path
        assert first.endswith("."), path


@pytest.fixture
def of_sound(sound, tmp_path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy of the sound publication that can be written."""
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(sound.to.resolve().read_bytes())
    with duckdb.connect(str(copy)) as con:
        # No question reads them, so they are not published.
        con.execute(f"create temp table requirements as {run_models.models()['requirements']}")
        yield con


def test_a_sound_publication_breaks_no_rule(of_sound):
    pipeline._check(of_sound, pipeline.Report())


@pytest.mark.parametrize("rule", list(BREAK))
def test_a_broken_rule_refuses_the_publication(of_sound, rule):
    of_sound.execute(BREAK[rule])
    with pytest.raises(pipeline.BuildRefused) as raised:
        pipeline._check(of_sound, pipeline.Report())
    refusals = raised.value.report.refusals
    assert all(re.fullmatch(r"check \w+ is broken \(rows: [1-9]\d*\); .* · .*؛ .*", line) for line in refusals)
    assert rule in {line.split()[1] for line in refusals}


def test_a_rule_broken_during_a_build_and_rows_that_do_not_add_up_leave_the_last_publication(folder, monkeypatch):
    before = load(folder)
    carry, count = pipeline.adoption_history.carry, pipeline.load_report.count

    def plant(con: duckdb.DuckDBPyConnection, pointer: Path) -> None:
        carry(con, pointer)
        con.execute(BREAK["keys_are_unique"])

    def lose_one(con: duckdb.DuckDBPyConnection, outcomes: object, report: pipeline.Report) -> None:
        count(con, outcomes, report)  # type: ignore[arg-type]
        report.files[0].rows_read += 1

    monkeypatch.setattr(pipeline.adoption_history, "carry", plant)
    monkeypatch.setattr(pipeline.load_report, "count", lose_one)
    of_file, *of_rules = build(folder).refusals
    assert of_file.startswith("institutes.csv: check rows_add_up is broken; ")
    assert [line.split()[1] for line in of_rules] == ["keys_are_unique", "loaded_rows_reach_the_models"]
    assert [path.name for path in publications.versions(before.to)] == ["000001.duckdb"]
