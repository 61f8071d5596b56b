"""Limits of one source file: rows, unpacked bytes, temporary disk, time; bombs of every format are refused."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etl.core.errors import Refused
from etl.extract import limits
from etl.extract import parquet as columnar
from etl.extract.causes import in_language, words
from etl.extract.contract import contract
from etl.extract.limits import Limits
from tests.loading import GOOD, HEADERS, csv_text, load, put, put_good, read, row

pytestmark = pytest.mark.slow

MEGABYTE = 1 << 20
HEADER = HEADERS["training"].split()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return put_good(tmp_path / "incoming")


def parquet(path: Path, rows: int, **changes: str) -> None:
    """A file of equal rows: a few bytes a column, however many rows."""
    first = pa.array(np.zeros(rows, np.int32))
    columns = {
        name: pa.DictionaryArray.from_arrays(first, pa.array([text]))
        for name, text in row("training", **changes).items()
    }
    pq.write_table(pa.table(columns), path, row_group_size=rows)


def workbook(path: Path, rows: int) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for cells in (HEADER, *[list(GOOD["training"].values())] * rows):
        sheet.append(cells)
    book.save(path)


def test_a_file_of_more_rows_than_allowed_is_refused(folder, monkeypatch):
    put(folder, "training_2.csv", [row("training")] * 60)
    parquet(folder / "training_2.parquet", 60)
    workbook(folder / "training_2.xlsx", 60)
    # Records that are split singly, and invalid rows, count too.
    put(folder, "training_3.csv", "\n".join([",".join(HEADER), *['a,"b\nc"'] * 60]))
    names = ["training_2.csv", "training_2.parquet", "training_2.xlsx", "training_3.csv"]
    monkeypatch.setenv("SOURCE_ROWS", "59")
    assert read(folder).refusals == [f"{name}: it has more than 59 rows; split the file" for name in names]
    monkeypatch.setenv("SOURCE_ROWS", "60")
    built = load(folder)
    assert [built.counts(name)[0] for name in names] == [60] * 4


def test_a_parquet_of_more_rows_than_allowed_is_refused_by_its_footer(tmp_path, monkeypatch):
    parquet(tmp_path / "training.parquet", 60)
    monkeypatch.setattr(columnar, "_batches", lambda *_: pytest.fail("a page was read"))
    with pytest.raises(Refused, match="more than 59 rows"):
        columnar.open_parquet(tmp_path / "training.parquet", contract("training"), Limits(rows=59))
    assert Limits().rows == 10_000_000


def test_a_parquet_that_unpacks_to_more_than_allowed_is_refused_by_its_footer(folder, monkeypatch):
    rows = 40_000
    # Text of one repeated letter compresses to almost nothing.
    columns = {name: [text] * rows for name, text in row("training").items()}
    columns["national_id"] = [f"{at:0100}" for at in range(rows)]
    pq.write_table(pa.table(columns), folder / "training_2.parquet", compression="zstd", use_dictionary=False)
    assert (folder / "training_2.parquet").stat().st_size < MEGABYTE
    monkeypatch.setenv("SOURCE_UNPACKED", "4")
    expected = "training_2.parquet: it unpacks to more than 4 MiB; split the file"
    assert read(folder).refusal == expected


def test_columns_that_are_not_read_do_not_count_against_a_parquet(folder, monkeypatch):
    columns = {name: [text] for name, text in row("training").items()}
    columns["note"] = [os.urandom(MEGABYTE).hex() * 2]
    pq.write_table(pa.table(columns), folder / "training_2.parquet", compression="zstd", use_dictionary=False)
    monkeypatch.setenv("SOURCE_UNPACKED", "3")
    assert load(folder).counts("training_2.parquet")[0] == 1


def test_one_long_text_in_very_many_rows_does_not_fill_the_disk(folder, monkeypatch):
    text = "ن" * 1000
    rows = {name: pa.array([value]) for name, value in row("institutes", name=text).items()}
    rows["institute_code"] = pa.array([str(at) for at in range(20_000)])
    columns = {
        name: values if len(values) > 1 else pa.DictionaryArray.from_arrays(pa.array([0] * 20_000, pa.int32()), values)
        for name, values in rows.items()
    }
    pq.write_table(pa.table(columns), folder / "institutes_2.parquet")
    assert (folder / "institutes_2.parquet").stat().st_size < MEGABYTE
    monkeypatch.setenv("SOURCE_DISK", "20")
    expected = "its rows take more than 20 MiB of temporary disk; split the file"
    assert read(folder).refusal == f"institutes_2.parquet: {expected}"


def test_the_rows_of_all_files_together_are_bounded(folder, monkeypatch):
    """No single file is too large."""
    for at in range(4):
        rows = [row("institutes", institute_code=f"{at}-{number}", name="ن" * 500) for number in range(500)]
        put(folder, f"institutes_{at}.csv", rows)
    monkeypatch.setenv("SOURCE_DISK", "2")
    monkeypatch.setenv("BUILD_DISK", "2")
    for command in ("build", "check"):
        assert read(folder, command=command).refusal.startswith(
            "the rows of all files together take more than 2 MiB of temporary disk; "
        )
    monkeypatch.setenv("BUILD_DISK", "64")
    assert load(folder).code == 0


def test_a_sparse_file_is_refused_before_it_is_read(folder, monkeypatch):
    path = put(folder, "training_2.csv", [row("training")])
    os.truncate(path, 1 << 40)
    monkeypatch.setattr("etl.extract.read_file.sha256", lambda _: pytest.fail("it was read"))
    assert read(folder).refusal.startswith("training_2.csv: it unpacks to more than 4,096 MiB")


@pytest.mark.parametrize("name", ["training_2.xlsx", "training_2.csv"])
def test_a_zip_counts_by_what_its_directory_says(folder, monkeypatch, name):
    workbook(folder / name, 10)
    with zipfile.ZipFile(folder / name, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/bomb.bin", bytes(3 * MEGABYTE))
    monkeypatch.setenv("SOURCE_UNPACKED", "3")
    assert "it unpacks to more than 3 MiB" in read(folder).refusal


def test_a_file_that_takes_too_much_time_is_refused(folder, monkeypatch):
    parquet(folder / "training_2.parquet", 9_000_000)
    assert (folder / "training_2.parquet").stat().st_size < MEGABYTE
    monkeypatch.setenv("SOURCE_SECONDS", "1")
    # On a slow machine the other files may take as long.
    assert f"training_2.parquet: {in_language(words('reader_stopped'), 'en')}" in read(folder).refusals


@pytest.mark.parametrize("text", ["0.5", "-1", "many", "٣"])
def test_a_limit_that_is_no_number_is_refused(folder, monkeypatch, text):
    monkeypatch.setenv("SOURCE_ROWS", text)
    assert read(folder).refusal == "SOURCE_ROWS: not a whole number above 0; correct the setting"


def test_every_limit_has_a_variable(monkeypatch):
    for number, name in enumerate(Limits.__dataclass_fields__, 1):
        monkeypatch.setenv(f"SOURCE_{name.upper()}", str(number))
    assert limits.from_environment() == Limits(1, 2, 3, 4)


def test_a_reference_table_as_large_as_a_disk_is_refused(folder):
    path = put(folder, "targets.csv", "metric,province,date,value\n")
    os.truncate(path, 1 << 40)
    assert read(folder).refusal.startswith("targets.csv: larger than 16 MiB, too much for a reference table; ")


# ------------------------------------------------------------------ encodings


def test_utf7_is_refused_by_its_mark(folder):
    put(folder, "institutes_2.csv", b"+/v8-" + csv_text("institutes", [row("institutes")]).encode("utf-7"))
    assert read(folder).refusal == "institutes_2.csv: the file is written in UTF-7; save it as UTF-8"
