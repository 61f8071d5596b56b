"""Excel workbooks: every row of an answer, with names instead of codes, in constant memory."""

from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

import pyarrow as pa
import xlsxwriter

from etl.operations.worker_process import Report
from etl.semantic import exportable
from etl.semantic.answers import Answer
from pages.ui.charts.elements import ChartContext, unit_of
from pages.ui.exports import sheet_rows, sheets
from pages.ui.exports.about import cover, progress
from pages.ui.exports.file_content import Coded, Exportable, Sheet, all_safe, safe, sheet
from pages.ui.exports.sheet_rows import Cells

# The most rows of an XLSX sheet below its header.
SHEET_ROWS = 1_048_575


def write_xlsx(
    out: IO[bytes],
    source: Exportable,
    context: ChartContext,
    circulation: bool = False,
    scope: str = "",
    tell: Report | None = None,
    nation: Answer | None = None,
) -> None:
    """Sheets of names and numbers with headings in the user's language, a sheet of codes, and a cover.

    Rows are streamed to disk; rows beyond the limit of a sheet continue in the next. The row of the `nation` is below the
    data, outside the filter. Text beyond the limit of a cell is cut.
    """
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": False,
    }
    with xlsxwriter.Workbook(out, options) as book, sheet(source, context, circulation) as contents:
        answer = exportable.of(source).answer
        layout = sheets.layout(answer, contents.schema, context)
        formats = [_format(field, answer) for field in contents.schema]
        head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        codes: sheets.Codes = {}
        data_sheets = _DataSheets(book, context, layout.titles, head)
        advance = progress(source, tell)
        for columns, length in _cells(contents, layout, _styles(book, formats), codes):
            data_sheets.append(columns, length)
            advance(length)
        data, last = data_sheets.end()
        if nation and last < SHEET_ROWS:
            bold = [
                (method, book.add_format({"bold": True, "top": 1, "num_format": form}))
                for method, form in (formats[i] for i in layout.shown)
            ]
            _fill(data, [sheets.national(nation, layout, contents.schema, context)], bold, last + 1)
        if codes:
            _write_codes(book, context, codes, head)
        _write_cover(book, context, cover(source, context, scope, circulation), head)


def _add(book: Any, context: ChartContext, name: str, frozen: tuple[int, int] = (1, 0)) -> Any:
    added = book.add_worksheet(name)
    if context.rtl:
        added.right_to_left()
    added.freeze_panes(*frozen)
    return added


def _fill(data: Any, rows: Sequence[tuple[Any, ...]], formats: Sequence[tuple[str, Any]], first: int = 1) -> None:
    """Write rows from row `first` (the heading is 0); `formats` has the worksheet method and format of each column."""
    for r, row in enumerate(rows, start=first):
        for column, (value, (method, style)) in enumerate(zip(row, formats, strict=True)):
            if value is not None:
                getattr(data, method)(r, column, value, style)


class _DataSheets:
    """Consecutive sheets with the same heading: rows beyond the limit of one continue in the next."""

    def __init__(self, book: Any, context: ChartContext, titles: Sequence[str], head: Any) -> None:
        self._book, self._context, self._titles, self._head = book, context, titles, head
        self._data: Any = None
        self._number = self._last = 0
        self._begin()

    def append(self, columns: Sequence[Cells], length: int) -> None:
        start = 0
        while start < length:
            if self._last == SHEET_ROWS:
                self.end()
                self._begin()
            count = min(length - start, SHEET_ROWS - self._last)
            sheet_rows.append(self._data, self._last + 1, columns, start, count)
            self._last, start = self._last + count, start + count

    def end(self) -> tuple[Any, int]:
        """Add the filter to the current sheet; return the sheet and its last row."""
        self._data.autofilter(0, 0, self._last, len(self._titles) - 1)
        return self._data, self._last

    def _begin(self) -> None:
        self._number, self._last = self._number + 1, 0
        name = self._context.word("file.data")
        self._data = _add(self._book, self._context, name if self._number == 1 else f"{name} {self._number}", (1, 1))
        self._data.set_column(0, len(self._titles) - 1, 18)
        for column, title in enumerate(self._titles):
            self._data.write_string(0, column, safe(title), self._head)


def _styles(book: Any, formats: Sequence[tuple[str, str]]) -> list[int]:
    """The style number of each column."""
    numbers = {"General": 0}
    for _, form in formats:
        if form not in numbers:
            numbers[form] = book.add_format({"num_format": form})._get_xf_index()
    return [numbers[form] for _, form in formats]


def _format(field: pa.Field, answer: Answer) -> tuple[str, str]:
    """The worksheet method and the number format for the cells of a column."""
    if pa.types.is_string(field.type):
        return "write_string", "@"
    if pa.types.is_date32(field.type):
        return "write_datetime", "yyyy-mm-dd"
    if pa.types.is_boolean(field.type):
        return "write_boolean", "General"
    return "write_number", "0.0%" if unit_of(answer, field.name) == "share" else "General"


def _cells(
    contents: Sheet, layout: sheets.Layout, styles: Sequence[int], codes: sheets.Codes
) -> Iterator[tuple[list[Cells], int]]:
    """For each batch, the cells of the visible columns with safe text, and the number of rows.

    Hidden codes are collected in `codes` with their names.
    """
    for batch in contents.batches:
        made = [column.mapped(all_safe) if isinstance(column, Coded) else column for column in batch]
        layout.gather(made, codes)
        cells: list[Cells] = []
        for column in made:
            cells += sheet_rows.cells_of(column, styles[len(cells) :])
        yield [cells[i] for i in layout.shown], len(made[0])


def _write_codes(book: Any, context: ChartContext, codes: sheets.Codes, head: Any) -> None:
    """A sheet of members and their codes, as used in CSV and Parquet."""
    code_sheet = _add(book, context, context.word("file.codes"))
    code_sheet.set_column(0, 2, 24)
    for column, key in enumerate(("file.dimension", "dimension.code", "file.name")):
        code_sheet.write_string(0, column, context.word(key), head)
    rows = [
        (sheets.title(name, context), code, label) for name, labels in codes.items() for code, label in labels.items()
    ]
    _fill(code_sheet, rows, [("write_string", None)] * 3)
    code_sheet.autofilter(0, 0, len(rows), 2)


def _write_cover(book: Any, context: ChartContext, entries: Iterable[tuple[str, str]], head: Any) -> None:
    cover_sheet = _add(book, context, context.word("file.cover"), (0, 0))
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    cover_sheet.set_column(0, 0, 24)
    cover_sheet.set_column(1, 1, 90)
    for r, (name, value) in enumerate(entries):
        cover_sheet.write_string(r, 0, safe(name), head)
        cover_sheet.write_string(r, 1, safe(value), wrapped)
