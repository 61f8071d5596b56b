"""Files of many rows: every row of the answer comes back from CSV, XLSX and Parquet as `ask` gave it, in bounded memory."""

import io
import math
import tracemalloc
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from etl.semantic import access, answers, exportable, rights
from etl.semantic.answers import Answer
from tests import made
from tests.effort import draws
from tests.files import to_csv, to_parquet, to_xlsx
from ui.charts.elements import ChartContext
from ui.exports import file_content, workbook

ROWS = draws(5_000, 20_000)
LAST = date(2026, 6, 30)
OVER = (LAST - timedelta(draws(101, 466)), LAST)
AXES = ("institute", "month", "post", "education", "gender", "course")
MEASURES = ("training_compliance", "compliant_assistants", "trainable_assistants")


@pytest.fixture(scope="module")
def large(small_register: Path) -> Answer:
    """More than ROWS groups, as `ask` answers."""
    with access.connect(small_register, rights.ADMINISTRATOR) as con:
        answer = answers.ask(con, "training_compliance", by=AXES, over=OVER)
    assert len(answer.rows) >= ROWS
    assert answer.columns == (*AXES, *MEASURES)
    return answer


@pytest.fixture
def in_many_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty-five times what is in memory at once."""
    monkeypatch.setattr(exportable, "BATCH", ROWS // 25)


def read_csv(content: bytes) -> list[tuple[Any, ...]]:
    frame = pd.read_csv(
        io.BytesIO(content),
        dtype=dict.fromkeys(AXES, str),
        encoding="utf-8-sig",
        keep_default_na=False,
    )
    return list(frame[[*AXES, *MEASURES]].itertuples(index=False, name=None))


def read_xlsx(path: Path, answer: Answer) -> Iterator[tuple[Any, ...]]:
    book = openpyxl.load_workbook(path, read_only=True)
    *data, _cover = book.worksheets
    for sheet in data:
        rows = sheet.iter_rows(values_only=True)
        titles = next(rows)
        named = [f"{name}_name" for name in AXES]
        of = [workbook.heading(name, ChartContext("fa"), answer, named) for name in (*AXES, *MEASURES)]
        plain = [workbook.heading(name, ChartContext("fa"), answer, ()) for name in (*AXES, *MEASURES)]
        at = [titles.index(one if one in titles else other) for one, other in zip(of, plain, strict=True)]
        yield from (tuple(row[i] for i in at) for row in rows)


@pytest.mark.slow
@pytest.mark.usefixtures("in_many_batches")
def test_many_rows_come_back_from_csv_and_parquet_with_pandas(large: Answer) -> None:
    expected = [tuple("" if cell is None else cell for cell in row) for row in large.rows]
    assert read_csv(to_csv(large, ChartContext("fa"))) == expected
    frame = pd.read_parquet(io.BytesIO(to_parquet(large, ChartContext("fa"))))
    columns = [frame[name].astype(object).where(frame[name].notna(), "") for name in (*AXES, *MEASURES)]
    assert list(zip(*columns, strict=True)) == expected


@pytest.mark.slow
@pytest.mark.usefixtures("in_many_batches")
def test_many_rows_come_back_from_xlsx_with_openpyxl_and_progress_is_told(large: Answer, tmp_path: Path) -> None:
    heard: list[float] = []
    with (tmp_path / "file.xlsx").open("wb") as out:
        workbook.write_xlsx(out, large, ChartContext("fa"), tell=heard.append)
    assert heard == sorted(heard)
    assert len(heard) > 20
    assert heard[-1] <= 1
    count = 0
    for row, expected in zip(read_xlsx(tmp_path / "file.xlsx", large), large.rows, strict=True):
        share = len(AXES)
        assert row[:share] + row[share + 1 :] == expected[:share] + expected[share + 1 :]
        # a cell holds sixteen digits of a fraction
        assert math.isclose(row[share], expected[share], rel_tol=1e-15)
        count += 1
    assert count >= ROWS


def test_a_sheet_that_is_full_goes_on_in_the_next(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(workbook, "SHEET_ROWS", 10)
    monkeypatch.setattr(exportable, "BATCH", 7)
    answer = made.answer("active_assistants", by=("institute",), rows=[(f"{i:07}", i) for i in range(25)])
    (tmp_path / "file.xlsx").write_bytes(to_xlsx(answer, ChartContext("en")))
    book = openpyxl.load_workbook(tmp_path / "file.xlsx")
    assert [sheet.max_row - 1 for sheet in book.worksheets[:-1]] == [10, 10, 5]
    codes = [row[0].value for sheet in book.worksheets[:-1] for row in sheet.iter_rows(min_row=2)]
    assert codes == [row[0] for row in answer.rows]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows_of_a_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exportable, "BATCH", 1000)

    def peak(count: int) -> int:
        answer = made.answer("active_assistants", by=("institute",), rows=[(f"{i:07}", i) for i in range(count)])
        tracemalloc.start()
        to_xlsx(answer, ChartContext("fa"))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(1000)  # imports and caches of the first use
    small, big = peak(1000), peak(20_000)
    assert big - small < 20_000 * 40, "the file itself, neither its cells nor the names in it"


def test_parquet_has_types_a_machine_can_use_and_says_what_it_is() -> None:
    answer = made.by_province()
    frame = pd.read_parquet(io.BytesIO(to_parquet(answer, ChartContext("fa"), scope="کل کشور")))
    with file_content.sheet(answer, ChartContext("fa")) as contents:
        assert list(frame.columns) == contents.schema.names
    assert frame["training_compliance"].dtype == float
    assert str(frame["compliant_assistants"].dtype) in ("int64", "Int64")
    assert list(frame["province"]) == [row[0] for row in answer.rows]
    assert math.isnan(frame["training_compliance"].iloc[3])
    import pyarrow.parquet as pq

    about = pq.read_schema(io.BytesIO(to_parquet(answer, ChartContext("fa"), scope="کل کشور"))).metadata
    assert "کل کشور" in about[b"about"].decode("utf-8")


def test_parquet_for_circulation_is_rounded_as_the_other_files_are() -> None:
    answer = made.by_province()
    parquet = pd.read_parquet(io.BytesIO(to_parquet(answer, ChartContext("fa"), circulation=True)))
    csv = pd.read_csv(io.BytesIO(to_csv(answer, ChartContext("fa"), circulation=True)), encoding="utf-8-sig")
    assert list(parquet["compliant_assistants"]) == list(csv["compliant_assistants"]) == [75, 100, 900]


def test_a_text_that_begins_like_a_formula_is_data_to_a_machine_and_safe_to_a_spreadsheet() -> None:
    answer = made.answer("active_assistants", by=("institute",), rows=[("=1+1", -5)])
    frame = pd.read_parquet(io.BytesIO(to_parquet(answer, ChartContext("en"))))
    assert frame["institute"].iloc[0] == "=1+1"
    assert b"\r\n'=1+1," in to_csv(answer, ChartContext("en"))
    assert frame["active_assistants"].iloc[0] == -5
