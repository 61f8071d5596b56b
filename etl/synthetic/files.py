"""Writes a province's rows as its office would submit them: CSV, TSV, XLSX or Parquet."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import xlsxwriter

from etl.synthetic.habits import COLUMNS, Habit, Sheet
from etl.synthetic.spelling import Speller

#: above this an office would not use a spreadsheet, and writing one would be slow
XLSX_CELLS = 90_000


def write(path: Path, table: str, sheets: Iterable[Sheet], speller: Speller) -> None:
    """Write one province's file in the habit of its office, part by part."""
    habit = speller.habit
    headers = [speller.header(table, c) for c in COLUMNS[table]]
    if habit.extra:
        headers.insert(0, speller.letters("ردیف") if habit.headers == "fa" else "row")
        sheets = _counted(sheets)
    if habit.kind == "xlsx":
        _write_xlsx(path, table, sheets, headers, habit)
    elif habit.kind == "parquet":
        _write_parquet(path, table, sheets, headers, habit)
    else:
        _write_text(path, sheets, headers, habit)


def _counted(sheets: Iterable[Sheet]) -> Iterator[Sheet]:
    """Sheets with a row number as the first column."""
    before = 0
    for sheet in sheets:
        numbers = np.arange(before + 1, before + len(sheet.rows) + 1)
        before += len(sheet.rows)
        yield replace(sheet, rows=sheet.rows.add_column(0, "row", pa.array(numbers).cast(pa.string())))


def _write_text(path: Path, sheets: Iterable[Sheet], headers: list[str], habit: Habit) -> None:
    end = "\r\n" if habit.crlf else "\n"
    options = pacsv.WriteOptions(
        include_header=False, delimiter=habit.separator, eol=end, batch_size=65_536,
        quoting_style="all_valid" if habit.quoted else "none",
    )  # fmt: skip
    with path.open("wb") as out:
        out.write((habit.separator.join(headers) + end).encode(habit.encoding))
        for sheet in sheets:
            lines = sorted(sheet.lines, key=lambda line: line[0])
            start = 0
            for after, line in [*lines, (len(sheet.rows), None)]:
                if after > start:
                    buffer = io.BytesIO()
                    pacsv.write_csv(sheet.rows.slice(start, after - start), buffer, options)
                    out.write(buffer.getvalue().decode().encode(habit.line_encoding))
                    start = after
                if line is not None:
                    out.write(line + end.encode(habit.line_encoding))


_TYPES = {"date": pa.date32(), "hours": pa.int32(), "score": pa.float64()}


def _write_parquet(path: Path, table: str, sheets: Iterable[Sheet], headers: list[str], habit: Habit) -> None:
    types = [_TYPES.get(kind, pa.string()) if habit.typed else pa.string() for kind, _ in COLUMNS[table].values()]
    schema = pa.schema(list(zip(headers, types, strict=True)))
    with pq.ParquetWriter(path, schema, compression="zstd") as out:
        for sheet in sheets:
            out.write_table(sheet.rows.rename_columns(headers).cast(schema))


def _write_xlsx(path: Path, table: str, sheets: Iterable[Sheet], headers: list[str], habit: Habit) -> None:
    options = {"constant_memory": True, "default_date_format": "yyyy-mm-dd", "strings_to_formulas": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        # a fixed creation date, so that the same sample is the same file
        book.set_properties({"created": datetime(2020, 1, 1), "comments": "ساختگی / made up"})
        if habit.cover:
            cover = book.add_worksheet("راهنما")
            cover.write_string(0, 0, "این فایل ساختگی است")
            cover.write_string(1, 0, "This file is made up")
        page = book.add_worksheet("داده")
        page.right_to_left()
        page.write_row(0, 0, headers)
        kinds = [kind for kind, _ in COLUMNS[table].values()]
        if habit.extra:
            kinds.insert(0, "hours")
        line = 0
        for sheet in sheets:
            columns = [_cells(column, kind, habit) for column, kind in zip(sheet.rows.columns, kinds, strict=True)]
            for values in zip(*columns, strict=True):
                line += 1
                page.write_row(line, 0, values)


def _cells(column: pa.ChunkedArray, kind: str, habit: Habit) -> list[Any]:
    """The cells of a column: dates and numbers for the texts that are some, and the other texts."""
    texts = column.to_pylist()
    if kind == "date" and habit.dates == "cell":
        return [datetime.fromisoformat(text) if text and "-" in text else text for text in texts]
    is_number = kind in ("hours", "score") or (kind == "id" and habit.numbers)
    if is_number and habit.digits == "latin":
        return [float(text) if text and text.replace(".", "", 1).isdigit() else text for text in texts]
    return texts
