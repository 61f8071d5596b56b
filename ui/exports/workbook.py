"""Excel workbooks: every row of an answer, with names instead of codes, in constant memory."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import IO, Any

import pyarrow as pa
import xlsxwriter

from etl.core.spreadsheet import safe
from etl.operations.worker_process import Report
from etl.semantic import exportable
from etl.semantic.answers import Answer
from etl.semantic.catalog import TIME
from ui.charts.elements import ChartContext, unit_of
from ui.data import warehouse
from ui.exports import sheet_rows
from ui.exports.about import cover, progress
from ui.exports.file_content import Coded, Column, Exportable, Sheet, all_safe, sheet
from ui.exports.sheet_rows import Cells
from ui.i18n import text

# The most rows of an XLSX sheet below its header.
SHEET_ROWS = 1_048_575
# Names by code, by dimension.
Codes = dict[str, dict[str, str]]
_NAME, _JALALI = "_name", "_jalali"
# Codes that stay visible: rows are sorted by the codes of time, and institutes may share a name.
_CODED = (*TIME, "institute")


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
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book, sheet(source, context, circulation) as contents:
        answer = exportable.of(source).answer
        layout = _layout(answer, contents.schema, context)
        formats = [_format(field, answer) for field in contents.schema]
        head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        codes: Codes = {}
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
            _fill(data, [_national(nation, layout, contents.schema, context)], bold, last + 1)
        if codes:
            _write_codes(book, context, codes, head)
        _write_cover(book, context, cover(source, context, scope, circulation), head)


def write_order_form(out: IO[bytes], answer: Answer, context: ChartContext, place: str) -> None:
    """The seats to order as a form that a province can sign: a sheet for each, courses down, months across, and a cover.

    `answer`: rows of province, course, month and seats.
    """
    seats: dict[str, dict[str, dict[str, int]]] = {}
    for province, course, month, count, *_ in answer.rows:
        seats.setdefault(province, {}).setdefault(course, {})[month] = count
    months = list(dict.fromkeys(row[2] for row in answer.rows))
    with xlsxwriter.Workbook(out, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        cell, bold = book.add_format({"border": 4}), book.add_format({"bold": True, "top": 1})
        formats = [("write_string", cell), *[("write_number", cell)] * len(months), ("write_number", bold)]
        for province, courses in seats.items():
            name = context.member("province", province)
            form = _add(book, context, name[:31], (2, 1))
            form.set_landscape()
            form.set_paper(9)
            form.fit_to_pages(1, 1)
            form.set_column(0, 0, 38)
            form.set_column(1, len(months) + 1, 9)
            form.write_string(0, 0, safe(f"{context.word('ahead.order')} · {name}"), book.add_format({"bold": True}))
            names = [context.member("month", month) for month in months]
            heads = (context.word("dimension.course"), *names, context.word("member.part.total"))
            form.write_row(1, 0, [safe(word) for word in heads], head)
            needed = {course: counts for course, counts in courses.items() if any(counts.values())}
            rows = [
                (safe(context.member("course", course)), *counts.values(), sum(counts.values()))
                for course, counts in needed.items()
            ]
            _fill(form, rows, formats, 2)
            sums = [sum(column) for column in zip(*(row[1:] for row in rows), strict=True)]
            total = (context.word("member.part.total"), *sums)
            _fill(form, [total], [("write_string", bold), *[("write_number", bold)] * len(sums)], 2 + len(rows))
            form.write_string(4 + len(rows), 0, context.word("ahead.plan_note"))
        _write_cover(book, context, cover(answer, context, place, False), head)


@dataclass(frozen=True)
class Layout:
    """The columns of a file that are shown, in order, their headings, and the dimensions whose codes are left out."""

    shown: tuple[int, ...]
    titles: tuple[str, ...]
    left_out: tuple[str | None, ...]

    def gather(self, columns: Sequence[Column], codes: Codes) -> None:
        """Add the hidden codes of a batch, with their names, to `codes`."""
        for name, column in zip(self.left_out, columns, strict=True):
            if name and isinstance(column, Coded):
                pairs = zip(*(members.to_pylist() for members in column.members), strict=True)
                codes.setdefault(name, {}).update((code, label) for code, label in pairs if code is not None)


def _layout(answer: Answer, schema: pa.Schema, context: ChartContext) -> Layout:
    """Leave out codes that have a name next to them, except those of time and institutes."""
    names = schema.names
    hidden = {
        name
        for name, following, kind in zip(names, names[1:], schema.types, strict=False)
        if name in answer.by and name not in _CODED and following == name + _NAME and pa.types.is_string(kind)
    }
    shown = tuple(i for i, name in enumerate(names) if name not in hidden)
    # A batch holds a code and its name, or a day and its Jalali form, as one encoded column.
    paired = {before + suffix for before in names for suffix in (_NAME, _JALALI)}
    left_out = tuple(name if name in hidden else None for name in names if name not in paired)
    return Layout(shown, tuple(title(names[i], context, answer) for i in shown), left_out)


def title(name: str, context: ChartContext, answer: Answer | None = None) -> str:
    """The heading of a column in the user's language."""
    if name.endswith(_JALALI):
        return f"{title(name.removesuffix(_JALALI), context, answer)} ({context.word('dimension.jalali')})"
    if metric := warehouse.metric(name, answer):
        return metric.label[context.lang]
    bare = name.removesuffix(_NAME)
    label = text.word_or(bare, f"dimension.{bare}", context.lang)
    return f"{label} ({context.word('dimension.code')})" if bare == name and bare in _CODED else label


def _national(nation: Answer, columns: Layout, schema: pa.Schema, context: ChartContext) -> tuple[object, ...]:
    """The row of the nation: its name in the first column, then its numbers."""
    numbers = dict(zip(nation.columns, nation.rows[0], strict=True)) if nation.rows else {}
    return (safe(context.word("scope.nation")), *(numbers.get(schema.names[i]) for i in columns.shown[1:]))


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
        self._data.write_row(0, 0, [safe(title) for title in self._titles], self._head)


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


def _cells(contents: Sheet, layout: Layout, styles: Sequence[int], codes: Codes) -> Iterator[tuple[list[Cells], int]]:
    """For each batch, the cells of the visible columns with safe text, and the number of rows.

    Hidden codes are collected in `codes` with their names.
    """
    for batch in contents.batches:
        made = [
            replace(column, members=tuple(map(all_safe, column.members))) if isinstance(column, Coded) else column
            for column in batch
        ]
        layout.gather(made, codes)
        cells: list[Cells] = []
        for column in made:
            cells += sheet_rows.cells_of(column, styles[len(cells) :])
        yield [cells[i] for i in layout.shown], len(made[0])


def _write_codes(book: Any, context: ChartContext, codes: Codes, head: Any) -> None:
    """A sheet of members and their codes, as used in CSV and Parquet."""
    code_sheet = _add(book, context, context.word("file.codes"))
    code_sheet.set_column(0, 2, 24)
    words = [context.word(key) for key in ("file.dimension", "dimension.code", "file.name")]
    code_sheet.write_row(0, 0, words, head)
    rows = [(title(name, context), code, label) for name, labels in codes.items() for code, label in labels.items()]
    _fill(code_sheet, rows, [("write_string", None)] * 3)
    code_sheet.autofilter(0, 0, len(rows), 2)


def _write_cover(book: Any, context: ChartContext, entries: Iterable[tuple[str, str]], head: Any) -> None:
    cover_sheet = _add(book, context, context.word("file.cover"), (0, 0))
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    cover_sheet.set_column(0, 0, 24)
    cover_sheet.set_column(1, 1, 90)
    rows = [(safe(name), safe(value)) for name, value in entries]
    _fill(cover_sheet, rows, [("write_string", head), ("write_string", wrapped)], first=0)
