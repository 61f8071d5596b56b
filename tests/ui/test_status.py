"""The column `status` of files says what a reader must know of a number: provisional, estimated, revised, empty and why."""

import csv
import io
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from etl.semantic import disclosure
from etl.warehouse import publications
from tests.conftest import Sample
from tests.files import to_csv, to_parquet
from tests.made import answer, by_month, by_province
from ui.charts.elements import ChartContext
from ui.data import page_run, warehouse
from ui.exports import status
from ui.exports.job import ExportJob

EN = ChartContext("en")


def statuses(content: bytes) -> list[str]:
    return [row["status"] for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig")))]


def exported(source: object, circulation: bool = False) -> list[str]:
    out = io.BytesIO()
    ExportJob("csv", source, EN, circulation, "").write(out)  # type: ignore[arg-type]
    return statuses(out.getvalue())


def test_a_unit_that_may_still_change_is_provisional() -> None:
    data = by_month()
    expected = ["p" if month in data.provisional else "x" if count is None else "" for month, count, *_ in data.rows]
    assert "p" in expected
    assert statuses(to_csv(data, EN)) == expected


def test_a_period_that_ends_with_open_events_is_provisional() -> None:
    over = (date(2025, 10, 23), date(2026, 10, 22))
    data = answer("leavers", by=("province",), rows=[("IR-23", 4)], over=over)
    assert statuses(to_csv(data, EN)) == ["p"]
    settled = replace(data, over=(date(2024, 3, 20), date(2025, 3, 20)))
    assert statuses(to_csv(settled, EN)) == [""]
    beside = answer("leaver_rate_12m", "joiners", by=("province",), rows=[("IR-23", 0.1, 4)], over=over)
    assert statuses(to_csv(replace(beside, on=date(2026, 7, 22)), EN)) == [""], (
        "a settled day beside the period of a flow"
    )
    assert statuses(to_csv(replace(beside, on=over[1]), EN)) == ["p:leaver_rate_12m"]


def test_of_several_measures_the_one_concerned_is_named() -> None:
    data = answer("active_assistants", "coverage_per_10k", by=("province",), rows=[("IR-23", 4, None)])
    assert statuses(to_csv(data, EN)) == ["x:coverage_per_10k"]
    assert statuses(to_csv(data, EN, facts=status.Facts(frozenset({"coverage_per_10k"})))) == [
        "e:coverage_per_10k x:coverage_per_10k"
    ]


def test_what_disclosure_control_left_out_is_confidential_and_the_rest_not_calculable() -> None:
    names = ("compliant_assistants", "trainable_assistants")
    rows = [("1405-01", 0.5, 11, 22), ("1405-02", 0.5, 60, 120), ("1405-03", None, None, 130)]
    data = answer("training_compliance", by=("month",), more=names, rows=rows)
    rounded = disclosure.for_circulation(data)
    assert statuses(to_csv(rounded, EN, True)) == ["c", "", "x"]
    table = pq.read_table(io.BytesIO(to_parquet(rounded, EN, True)))
    assert table["status"].to_pylist() == ["c", None, "x"]


def test_the_status_of_a_circulated_number_does_not_tell_nobody_from_few() -> None:
    names = ("compliant_assistants", "trainable_assistants")
    rows = [("1405-01", None, 0, 0), ("1405-02", 0.5, 1, 2), ("1405-03", 0.0, 0, 22)]
    shares = answer("training_compliance", by=("month",), more=names, rows=rows)
    assert statuses(to_csv(disclosure.for_circulation(shares), EN, True)) == ["c", "c", "c"]
    for cases, median in ((0, None), (1, 30.5), (5, 30.5)):
        ages = answer("age_median", rows=[(median,)])
        known = answer(str(ages.metrics[0].sample_size), rows=[(cases,)])
        rounded = disclosure.for_circulation(ages, lambda *_, known=known, **__: known)
        assert statuses(to_csv(rounded, EN, True)) == ["c"]


def test_an_answer_whose_frame_was_read_can_be_rounded() -> None:
    data = by_province()
    assert len(data.frame) == len(data.rows)
    assert disclosure.for_circulation(data).rows


def test_lists_have_no_status() -> None:
    assert not status.has(replace(by_province(), metrics=()))


def test_numbers_that_rest_on_estimated_residents_are_estimated(
    publish_sample: Callable[..., Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE", str(publish_sample().pointer))
    by_residents = warehouse.ask("coverage_per_10k", by="province")
    assert all("e" in one.split() for one in exported(by_residents))
    counted = warehouse.ask("active_assistants", by="province")
    assert not any("e" in one for one in exported(counted))
    census = by_residents.publication.provinces.population["IR-23"][0].date
    assert census.year == 2016
    assert not any("e" in one.split() for one in exported(warehouse.ask("coverage_per_10k", by="province", on=census)))


def test_a_number_that_the_publication_before_gave_otherwise_is_revised(
    publish_sample: Callable[..., Sample], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pointer = tmp_path / "warehouse.duckdb"
    for is_second in (False, True):
        with publications.building(pointer) as folder:
            built = folder / "built.duckdb"
            shutil.copyfile(publications.current(publish_sample().pointer), built)
            if is_second:
                with duckdb.connect(str(built)) as con:
                    con.execute("update population set residents = residents * 2 where province = 'IR-23'")
            publications.publish(built, pointer)
    monkeypatch.setenv("WAREHOUSE", str(pointer))

    def revised() -> set[str]:
        answer = warehouse.ask("coverage_per_10k", by="province", on=date(2024, 6, 1))
        return {row[0] for row, letters in zip(answer.rows, exported(answer), strict=True) if "r" in letters.split()}

    assert revised() == {"IR-23"}
    with page_run.reading(page_run.file_before()):
        assert revised() == set(), "the first publication revises nothing"
