"""Writes a province's rows as its office would submit them: CSV, TSV, XLSX or Parquet."""

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from etl.synthetic.habits import COLUMNS, Habit, Sheet
from etl.synthetic.spelling import Speller

#: above this an office would not use a spreadsheet, and writing one would be slow
XLSX_CELLS = 90_000


def file_name(table: str, province: int, english: str, habit: Habit) -> str:
    """As `personnel_IR-23_tehran.csv`."""
    word = english.lower().replace(" ", "-")
    return f"{table}_IR-{province:02d}_{word}.{habit.kind}"


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
        counter = pa.array(numbers).cast(pa.string())
        yield replace(sheet, rows=sheet.rows.add_column(0, "row", counter))


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
    kinds = [kind for kind, _ in COLUMNS[table].values()]
    types = [_TYPES.get(k, pa.string()) if habit.typed else pa.string() for k in kinds]
    schema = pa.schema(list(zip(headers, types, strict=True)))
    with pq.ParquetWriter(path, schema, compression="zstd") as out:
        for sheet in sheets:
            out.write_table(sheet.rows.rename_columns(headers).cast(schema))


def _write_xlsx(path: Path, table: str, sheets: Iterable[Sheet], headers: list[str], habit: Habit) -> None:
    options = {"constant_memory": True, "default_date_format": "yyyy-mm-dd"}
    with xlsxwriter.Workbook(str(path), options) as book:
        # a fixed creation date, so that the same sample is the same file
        book.set_properties({"created": datetime(2020, 1, 1), "comments": "ساختگی / made up"})
        if habit.cover:
            cover = book.add_worksheet("راهنما")
            cover.write_string(0, 0, "این فایل ساختگی است")
            cover.write_string(1, 0, "This file is made up")
        page = book.add_worksheet("داده")
        page.right_to_left()
        for column, header in enumerate(headers):
            page.write_string(0, column, header)
        kinds = [kind for kind, _ in COLUMNS[table].values()]
        if habit.extra:
            kinds.insert(0, "hours")
        writers = [_cell_writer(page, kind, habit) for kind in kinds]
        line = 0
        for sheet in sheets:
            columns = [c.to_pylist() for c in sheet.rows.columns]
            for values in zip(*columns, strict=True):
                line += 1
                for column, value in enumerate(values):
                    if value is not None:
                        writers[column](line, column, value)


def _cell_writer(sheet: Worksheet, kind: str, habit: Habit) -> Callable[[int, int, str], object]:
    """The function that writes a cell of a kind: as a date or a number if it is one, else as text."""

    def as_date(line: int, column: int, value: str) -> None:
        try:
            sheet.write_datetime(line, column, datetime.fromisoformat(value))
        except ValueError:
            sheet.write_string(line, column, value)

    def as_number(line: int, column: int, value: str) -> None:
        if value.replace(".", "", 1).isdigit():
            sheet.write_number(line, column, float(value))
        else:
            sheet.write_string(line, column, value)

    if kind == "date" and habit.dates == "cell":
        return as_date
    numeric = kind in ("hours", "score") or (kind == "id" and habit.numbers)
    return as_number if numeric and habit.digits == "latin" else sheet.write_string
