"""Excel workbooks: every row of an answer, codes beside names, in constant memory."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import IO, Any

import pyarrow as pa
import xlsxwriter

from etl.core.spreadsheet import safe
from etl.semantic import exportable
from etl.semantic.answers import Answer
from etl.semantic.catalog import described
from ui.charts.elements import ChartContext, unit_of
from ui.data.worker_process import Report
from ui.exports import sheet_rows, signed, status
from ui.exports.about import cover, progress
from ui.exports.file_content import Exportable, Sheet, is_for_circulation, sheet, status_column
from ui.exports.sheet_rows import Cells
from ui.i18n import text

# The most rows of an XLSX sheet below its header.
SHEET_ROWS = 1_048_575
_NAME, _JALALI = "_name", "_jalali"


def write_xlsx(
    out: IO[bytes],
    source: Exportable,
    context: ChartContext,
    scope: str = "",
    tell: Report | None = None,
    nation: Answer | None = None,
    facts: status.Facts = status.NONE,
    limit: str = "",
    no_effect: str = "",
) -> None:
    """Sheets of codes, names and numbers with headings in the user's language, and a cover.

    Rows are streamed to disk; rows beyond the limit of a sheet continue in the next. The row of the `nation` is below the
    data, outside the filter. Text beyond the limit of a cell is cut.
    """
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    answer = exportable.of(source).answer
    named = partial(title, context=context, answer=answer)
    with xlsxwriter.Workbook(out, options) as book, sheet(source, context, facts, named) as contents:
        titles = [heading(name, context, answer, contents.schema.names) for name in contents.schema.names]
        formats = [format_of(field, answer) for field in contents.schema]
        head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        batches = _cells(contents, _styles(book, formats), progress(source, tell))
        data, last = _write_data(book, context, titles, head, (1, 1 + _coded(contents.schema.names)), batches)
        if nation and last < SHEET_ROWS:
            bold = [book.add_format({"bold": True, "top": 1, "num_format": form}) for form in formats]
            _fill(data, [_national(nation, contents.schema, context)], bold, last + 1)
        _write_cover(book, context, cover(source, context, scope, limit, no_effect), head)
        if facts.notes:
            _write_notes(book, context, signed.rows(facts.notes, context, not is_for_circulation(source)), head)


def heading(name: str, context: ChartContext, answer: Answer, names: Sequence[str]) -> str:
    """The heading of a column in the user's language: codes are marked as such beside names, numbers have their unit."""
    label, metric = title(name, context, answer), described(name, answer.metrics)
    if name + _NAME in names:
        return f"{label} ({context.word('dimension.code')})"
    return text.with_unit(label, metric.unit, context.lang) if metric else label


def write_order_form(out: IO[bytes], answer: Answer, context: ChartContext, place: str) -> None:
    """The seats to order as a form that a province can sign: a sheet for each, courses down, months across, and a cover.

    `answer`: rows of province, course, month and seats.
    """
    seats: dict[str, dict[str, dict[str, int]]] = {}
    for province, course, month, count, *_ in answer.rows:
        seats.setdefault(province, {}).setdefault(course, {})[month] = count
    months = list(dict.fromkeys(row[2] for row in answer.rows))
    planned = answer.metrics[0]
    measured = text.with_unit(planned.label[context.lang], planned.unit, context.lang)
    stated = f"{measured} · {text.day_in_both(answer.on or answer.publication.as_of, context.lang)}"
    with xlsxwriter.Workbook(out, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        cell, bold = book.add_format({"border": 4}), book.add_format({"bold": True, "top": 1})
        formats = [*[cell] * (len(months) + 1), bold]
        for province, courses in seats.items():
            name = context.member("province", province)
            form = _add(book, context, name[:31], (3, 1))
            form.set_landscape()
            form.set_paper(9)
            form.fit_to_pages(1, 1)
            form.set_column(0, 0, 38)
            form.set_column(1, len(months) + 1, 9)
            form.write_string(0, 0, safe(f"{context.word('ahead.order')} · {name}"), book.add_format({"bold": True}))
            # A form is printed and signed without its cover.
            form.write_string(1, 0, stated)
            names = [context.member("month", month) for month in months]
            heads = (context.word("dimension.course"), *names, context.word("member.part.total"))
            form.write_row(2, 0, [safe(word) for word in heads], head)
            needed = {course: counts for course, counts in courses.items() if any(counts.values())}
            rows = [
                (safe(context.member("course", course)), *counts.values(), sum(counts.values()))
                for course, counts in needed.items()
            ]
            _fill(form, rows, formats, 3)
            sums = [sum(column) for column in zip(*(row[1:] for row in rows), strict=True)]
            total = (context.word("member.part.total"), *sums)
            _fill(form, [total], [bold] * len(total), 3 + len(rows))
            form.write_string(5 + len(rows), 0, context.word("ahead.order_note"))
        _write_cover(book, context, cover(replace(answer, metrics=(planned,)), context, place), head)


def title(name: str, context: ChartContext, answer: Answer | None = None) -> str:
    """The words of a column in the user's language."""
    if answer and name == status_column(answer):
        return context.word("file.status")
    if name == signed.NOTES:
        return context.word("signed.title")
    if name.endswith(_JALALI):
        return f"{title(name.removesuffix(_JALALI), context, answer)} ({context.word('dimension.jalali')})"
    if metric := described(name, answer.metrics if answer else ()):
        return metric.label[context.lang]
    bare = name.removesuffix(_NAME)
    return text.word_or(bare, f"dimension.{bare}", context.lang)


def _national(nation: Answer, schema: pa.Schema, context: ChartContext) -> tuple[object, ...]:
    """The row of the nation: its name beside the first code, else in its place, then its numbers."""
    numbers = dict(zip(nation.columns, nation.rows[0], strict=True)) if nation.rows else {}
    at = _coded(schema.names)
    row = [numbers.get(name) for name in schema.names]
    return (*row[:at], safe(context.word("scope.nation")), *row[at + 1 :])


def _coded(names: Sequence[str]) -> int:
    """The place of the first column that names the row: after its code, if it has one."""
    return int(len(names) > 1 and names[1] == names[0] + _NAME)


def _add(book: Any, context: ChartContext, name: str, frozen: tuple[int, int] = (1, 0)) -> Any:
    added = book.add_worksheet(name)
    # An empty text is a text, too.
    added.add_write_handler(str, type(added).write_string)
    if context.rtl:
        added.right_to_left()
    added.freeze_panes(*frozen)
    return added


def _fill(data: Any, rows: Sequence[tuple[Any, ...]], formats: Sequence[Any], first: int) -> None:
    """Write rows from row `first` (the heading is 0); `formats` has the format of each column."""
    for r, row in enumerate(rows, start=first):
        for column, (value, style) in enumerate(zip(row, formats, strict=True)):
            if value is not None:
                data.write(r, column, value, style)


def _write_data(
    book: Any,
    context: ChartContext,
    titles: Sequence[str],
    head: Any,
    frozen: tuple[int, int],
    batches: Iterable[tuple[list[Cells], int]],
) -> tuple[Any, int]:
    """Consecutive sheets with the same heading: rows beyond the limit of one continue in the next.

    Returns the last sheet and its last row.
    """
    sheets: list[Any] = []

    def begin() -> Any:
        name = context.word("file.data")
        data = _add(book, context, f"{name} {len(sheets) + 1}" if sheets else name, frozen)
        data.set_column(0, len(titles) - 1, 18)
        data.write_row(0, 0, [safe(title) for title in titles], head)
        sheets.append(data)
        return data

    data, last = begin(), 0
    for columns, length in batches:
        start = 0
        while start < length:
            if last == SHEET_ROWS:
                data.autofilter(0, 0, last, len(titles) - 1)
                data, last = begin(), 0
            count = min(length - start, SHEET_ROWS - last)
            sheet_rows.append(data, last + 1, columns, start, count)
            last, start = last + count, start + count
    data.autofilter(0, 0, last, len(titles) - 1)
    return data, last


def _styles(book: Any, formats: Sequence[str]) -> list[int]:
    numbers = {"General": 0}
    for form in formats:
        if form not in numbers:
            numbers[form] = book.add_format({"num_format": form})._get_xf_index()
    return [numbers[form] for form in formats]


def format_of(field: pa.Field, answer: Answer) -> str:
    if pa.types.is_string(field.type):
        return "@"
    if pa.types.is_date32(field.type):
        return "yyyy-mm-dd"
    return format_of_number(unit_of(answer, field.name), pa.types.is_floating(field.type), is_for_circulation(answer))


def format_of_number(unit: str, is_fraction: bool, circulation: bool = False) -> str:
    """The format of a number of `unit`; the cell keeps its fraction."""
    if unit == "share":
        return "0%" if circulation else "0.0%"
    return "0" if is_fraction and unit in text.PEOPLE else "General"


def _cells(contents: Sheet, styles: Sequence[int], advance: Callable[[int], None]) -> Iterator[tuple[list[Cells], int]]:
    """For each batch, its cells and the number of rows; `advance` counts those that are written."""
    for batch in contents.batches:
        cells: list[Cells] = []
        for column in batch:
            cells += sheet_rows.cells_of(column, styles[len(cells) :])
        yield cells, len(batch[0])
        advance(len(batch[0]))


def _write_cover(book: Any, context: ChartContext, entries: Iterable[tuple[str, str]], head: Any) -> None:
    cover_sheet = _add(book, context, context.word("file.cover"), (0, 0))
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    cover_sheet.set_column(0, 0, 24)
    cover_sheet.set_column(1, 1, 90)
    rows = [(safe(name), safe(value)) for name, value in entries]
    _fill(cover_sheet, rows, [head, wrapped], 0)


def _write_notes(book: Any, context: ChartContext, rows: Iterable[tuple[str, ...]], head: Any) -> None:
    """The sheet of signed notes."""
    notes = _add(book, context, context.word("signed.title"))
    wrapped = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
    heads = signed.heads(context)
    notes.set_column(0, len(heads) - 1, 22)
    notes.write_row(0, 0, heads, head)
    _fill(notes, [tuple(safe(cell) for cell in row) for row in rows], [wrapped] * len(heads), 1)
