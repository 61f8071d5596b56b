"""Workbooks (.xlsx, .xlsm, .xlsb, .xls, .ods): every visible sheet with the headers, each cell as a person sees it.

Calamine reads the rows. It returns an empty cell for an error (#N/A), a formula without a stored result and a cell covered
by a merge; the parts of the workbook tell them apart (sheet_xml.py, odd_cells.py), and their rows are rejected.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from python_calamine import CalamineSheet, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from etl.core.errors import Refused
from etl.core.text_folding import display_text
from etl.extract import odd_cells, sheet_xml
from etl.extract.causes import because
from etl.extract.contract import TABLES, Contract, Match, contract
from etl.extract.file_kinds import workbook_kind
from etl.extract.limits import unpacked_size
from etl.extract.sheet_xml import Cell, OddCells
from etl.extract.source_file import BATCH_ROWS, SHEET_BITS, Batch, SourceFile, as_text, is_header_again, is_totals
from etl.extract.source_folder import ending_of, named_tables

_BIGGEST_UNPACKED = 2 << 30
# Titles and blank rows may precede the header.
_HEADER_SEARCH_ROWS = 20
MOST_SHEETS = 60


def open_workbook(path: Path, contract: Contract, named: str = "") -> SourceFile:
    """The rows of a workbook. Raises Refused if it cannot be opened or no visible sheet matches the contract.

    A sheet that also holds the headers of `named`, the table in the file's name, is one of that table.
    """
    kind = workbook_kind(path)
    if kind != "xls" and unpacked_size(path) > _BIGGEST_UNPACKED:
        raise because("too_large", most=f"{_BIGGEST_UNPACKED >> 20:,}")
    book = _Book(path, kind, contract, named)
    sheets = book.sheets()
    first = next(sheets, None)
    if first is None:
        raise book.refusal()
    source = SourceFile(replace(first.match))
    source.batches = _all_batches(book, chain((first,), sheets), source)
    return source


@dataclass
class _Sheet:
    """A visible sheet with the headers: its index in the book, and the row of its headers (from 1)."""

    number: int
    name: str
    sheet: CalamineSheet
    header_row: int
    match: Match
    odd: OddCells


class _Opened:
    """An open workbook: its sheets, of which the last one stays in memory, and the first rows of each."""

    def __init__(self, path: Path, kind: str) -> None:
        self._path = path
        self._kind = kind
        self._heads: dict[int, list[list[str]]] = {}
        self._odd: list[OddCells] | None = None
        self._last: tuple[int, CalamineSheet, OddCells] | None = None
        try:
            if ending_of(path.name) == f".{kind}" or (kind, ending_of(path.name)) == ("xlsx", ".xlsm"):
                self._book = CalamineWorkbook.from_path(str(path))
            else:
                self._book = CalamineWorkbook.from_filelike(path.open("rb"))
        except PasswordError:
            raise because("password") from None
        except Exception as error:
            raise because("broken_workbook", kind=kind.upper(), error=type(error).__name__) from None
        self.sheets = self._book.sheets_metadata
        if len(self.sheets) > MOST_SHEETS:
            # Looking for headers in thousands of sheets takes minutes.
            raise because("too_many_sheets", most=MOST_SHEETS)

    def sheet(self, number: int) -> tuple[CalamineSheet, OddCells]:
        """A sheet, and its odd cells."""
        if self._last is None or self._last[0] != number:
            self._last = None
            title = self.sheets[number].name
            try:
                odd = self._odd_cells(number, title)
                self._last = number, self._book.get_sheet_by_index(number), odd
            except (Refused, MemoryError):
                raise
            except PasswordError:
                raise because("password") from None
            except Exception as error:
                raise because("broken_sheet", sheet=display_text(title), error=type(error).__name__) from None
        return self._last[1:]

    def head(self, number: int) -> list[list[str]]:
        """The rows of a sheet among which its headers may be."""
        if number not in self._heads:
            rows = islice(self.sheet(number)[0].iter_rows(), _HEADER_SEARCH_ROWS)
            self._heads[number] = [list(map(as_text, cells)) for cells in rows]
        return self._heads[number]

    def _odd_cells(self, number: int, title: str) -> OddCells:
        if self._kind == "xlsx":
            return sheet_xml.odd_cells(self._path, title)
        if self._odd is None:
            self._odd = odd_cells.odd_cells(self._path, self._kind, [sheet.name for sheet in self.sheets])
        return self._odd[number] if number < len(self._odd) else OddCells()


@lru_cache(maxsize=1)
def _opened(path: Path, kind: str, _: tuple[int, ...]) -> _Opened:
    """The workbook, which stays open while its headers are matched to one table after another."""
    return _Opened(path, kind)


class _Book:
    """The sheets of a workbook that are read, and the names of those that are skipped."""

    def __init__(self, path: Path, kind: str, of: Contract, named: str) -> None:
        self._of = of
        self._named = named
        self._best: tuple[str, Match] | None = None
        self.other_tables: set[str] = set()
        self.without_headers: list[str] = []
        status = path.stat()
        self._book = _opened(path, kind, (status.st_ino, status.st_size, status.st_mtime_ns))
        visible = [meta for meta in self._book.sheets if meta.visible == SheetVisibleEnum.Visible]
        self.hidden = [display_text(meta.name) for meta in self._book.sheets if meta not in visible]
        self.count = max(1, len(visible))

    def sheets(self) -> Iterator[_Sheet]:
        """The visible sheets with all headers; `other_tables` are those of the others.

        Raises Refused for a sheet with most headers of a table only, and for one that fits several other tables.
        """
        for number, meta in enumerate(self._book.sheets):
            if meta.typ != SheetTypeEnum.WorkSheet or meta.visible != SheetVisibleEnum.Visible:
                continue
            name, rows = display_text(meta.name), self._book.head(number)
            header, fitting = self._header(name, rows), tables_of(rows)
            if len(fitting) > 1 and self._named not in fitting:
                raise because("several_tables_in_sheet", sheet=name, **named_tables(fitting))
            if header and (self._named == self._of.table or self._named not in fitting):
                sheet, odd = self._book.sheet(number)
                yield _Sheet(number, name, sheet, *header, odd)
            elif fitting:
                self.other_tables |= fitting
            else:
                self._refuse_incomplete(name, rows)
                self.without_headers.append(name)

    def _header(self, name: str, rows: list[list[str]]) -> tuple[int, Match] | None:
        """The row of the headers (from 1), and how they match the contract; None if the sheet has none."""
        matches = [self._of.match(titles) for titles in rows]
        if header := next(((row, match) for row, match in enumerate(matches, 1) if match.complete), None):
            return header
        misread = (match for match in matches if match.is_misread or match.is_lost)
        best = next(misread, None) or max(matches, key=lambda match: len(match.positions), default=None)
        if best and (self._best is None or len(best.positions) > len(self._best[1].positions)):
            self._best = name, best
        return None

    def _refuse_incomplete(self, name: str, rows: list[list[str]]) -> None:
        """Raises Refused for a sheet with most headers of a table: it would be skipped for one that is missing."""
        for of in (self._of, *map(contract, TABLES)):
            for match in map(of.match, rows):
                if match.resembles or match.is_misread:
                    raise match.refusal(f"sheet {name}", f"برگهٔ {name}")

    def refusal(self) -> Refused:
        """The error if no sheet can be read; it names the sheet that is most like the table, and the hidden ones."""
        hidden = f"; hidden: {', '.join(self.hidden)}" if self.hidden else ""
        hidden_fa = f"؛ پنهان: {'، '.join(self.hidden)}" if self.hidden else ""
        if self._best is None:
            return because("no_sheet", hidden=hidden, hidden_fa=hidden_fa)
        name, match = self._best
        return match.refusal(f"sheet {name}{hidden}", f"برگهٔ {name}{hidden_fa}", _HEADER_SEARCH_ROWS)


def tables_of(rows: list[list[str]]) -> set[str]:
    """The tables whose headers are in one of these rows."""
    return {table for table in TABLES if any(contract(table).match(titles).complete for titles in rows)}


def _all_batches(book: _Book, sheets: Iterator[_Sheet], source: SourceFile) -> Iterator[Batch]:
    """The rows of all sheets, one sheet after the other; adds the notes about the sheets to `source`."""
    for sheet in sheets:
        if source.sheets:
            match = source.match
            source.match = replace(
                match,
                positions={name: at for name, at in match.positions.items() if name in sheet.match.positions},
                extra=list(dict.fromkeys((*match.extra, *sheet.match.extra))),
                decorated=list(dict.fromkeys((*match.decorated, *sheet.match.decorated))),
            )
        source.sheets.append(sheet.name)
        yield from _batches(sheet, source, (len(source.sheets) - 1) << SHEET_BITS, (sheet.number, book.count))
    for names, words_before in (
        (source.sheets if len(source.sheets) > 1 or book.hidden or book.without_headers else [], "sheets read"),
        (book.hidden, "hidden sheets skipped"),
        (book.without_headers, "sheets without the headers in their first 20 rows skipped"),
    ):
        if names:
            source.notes.append(f"{words_before}: {', '.join(names)}")
    source.other_tables = book.other_tables
    # A worker outlives its files.
    _opened.cache_clear()


def _batches(of: _Sheet, source: SourceFile, base: int, position: tuple[int, int]) -> Iterator[Batch]:
    """The rows below the header, numbered as in the sheet; empty rows are skipped."""
    sheet, match = of.sheet, of.match
    first_column = sheet.start[1] if sheet.start else 0
    columns = {first_column + position: name for name, position in match.positions.items()}
    spoilt: dict[int, list[str]] = {}
    for row, column in of.odd.unreadable | _merged(of, columns, source):
        if column in columns and row > of.header_row:
            spoilt.setdefault(row, []).append(columns[column])
    percentages: dict[int, list[int]] = {}
    for row, column in of.odd.percentages:
        percentages.setdefault(row, []).append(column - first_column)
    lines: list[int] = []
    records: list[list[Any]] = []
    for row, cells in enumerate(sheet.iter_rows(), 1):
        if row <= of.header_row:
            continue
        for at in percentages.get(row, ()):
            number = cells[at]
            if isinstance(number, int | float):
                cells[at] = f"{number * 100:g}%"
        names = sorted(spoilt.get(row, ()))
        for name in names:
            cells[match.positions[name]] = ""
        rejects = [name for name in names if match.of.by_name[name].bad == "reject"]
        if not rejects and is_empty(cells):
            source.empty_rows += 1
        elif is_header_again(cells, match, f"sheet {of.name}, row {row}", f"برگهٔ {of.name}، ردیف {row}"):
            source.headers_again += 1
        elif is_totals(cells, match):
            source.totals += 1
        else:
            source.rows_read += 1
            # In a required column an empty cell is a fault already.
            optional = [name for name in rejects if not match.of.by_name[name].required]
            source.rejects += [(base | row, name, "missing_value") for name in optional]
            source.warned += [(base | row, name, "missing_value") for name in names if name not in rejects]
            lines.append(base | row)
            records.append(cells)
        if len(records) == BATCH_ROWS:
            source.share_read = (position[0] + row / max(1, sheet.total_height)) / position[1]
            yield _batch(lines, records, match)
            lines, records = [], []
    if records:
        yield _batch(lines, records, match)


def is_empty(cells: list[Any]) -> bool:
    """Whether no cell of a row holds more than spaces."""
    return not any(cell.strip() if isinstance(cell, str) else True for cell in cells)


def _batch(lines: list[int], records: list[list[Any]], match: Match) -> Batch:
    cells = list(zip(*records, strict=True))
    columns = {
        name: pa.array([value if type(value) is str else to_text(value) for value in cells[position]], pa.string())
        for name, position in match.positions.items()
        for to_text in (_id_text if match.of.by_name[name].type == "national_id" else as_text,)
    }
    return Batch(np.array(lines, dtype=np.int64), columns)


def _id_text(value: Any) -> str:
    """A national id of a number cell: one that ends in five zeros lost its digits, as 9.51E+09 did."""
    if isinstance(value, int | float) and value and value % 100_000 == 0:
        return f"{value:e}"
    return as_text(value)


def _merged(of: _Sheet, columns: dict[int, str], source: SourceFile) -> set[Cell]:
    """The cells (row from 1, column from 0) covered by a merge. Raises Refused if most rows have such a cell."""
    sheet = of.sheet
    covered: set[Cell] = set()
    # Calamine's total height and width are the indices of the last row and column.
    height = sheet.total_height + 1
    for first, last in sheet.merged_cell_ranges or ():
        rows = range(first[0], min(last[0], height - 1) + 1)
        across = range(first[1], min(last[1], sheet.total_width) + 1)
        covered |= {(row + 1, column) for row in rows for column in across} - {(first[0] + 1, first[1])}
        for column in set(across) & columns.keys():
            if len(rows) > 1 and rows[-1] >= of.header_row:
                if 2 * sum(at == column and row > of.header_row for row, at in covered) > height - of.header_row:
                    place = f"{rows[0] + 1}–{rows[-1] + 1}"
                    header = of.match.of.by_name[columns[column]].headers[0]
                    raise because("merged", sheet=of.name, column=columns[column], column_fa=header, place=place)
                source.notes.append(f"merged cells: {columns[column]} {of.name}!{rows[0] + 1}–{rows[-1] + 1}")
    return covered
