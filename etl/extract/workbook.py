"""Workbooks (.xlsx, .xlsm, .xlsb, .xls, .ods): every visible sheet with the headers, each cell as a person sees it.

Calamine reads the rows. It returns an empty cell for an error (#N/A), a formula without a stored result and a cell covered
by a merge; in .xlsx the XML of the sheet tells them apart, and their rows are rejected.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any
from xml.parsers import expat

import numpy as np
import pyarrow as pa
from python_calamine import CalamineSheet, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from etl.core.errors import Refused
from etl.core.text_folding import shown
from etl.extract.causes import because
from etl.extract.contract import Contract, Match
from etl.extract.file_kinds import workbook_kind
from etl.extract.source_file import BATCH_ROWS, SHEET_BITS, Batch, SourceFile, as_text
from etl.extract.source_folder import ending_of

_BIGGEST_UNPACKED = 2 << 30
# Titles and blank rows may stand above the header.
_HEADER_SEARCH_ROWS = 20
_CHUNK_BYTES = 1 << 20
# A sheet is held whole, at some 30 bytes a cell.
_MOST_CELLS = 60_000_000
_USUAL_COLUMNS = 52
_FAR_CELL = re.compile(rb' r="([B-Z][A-Z]|[A-Z]{3})([0-9]{1,7})"')
_ROW = re.compile(rb'<row r="([0-9]{1,7})"')
_LONGEST_TAG = 32
_UNREADABLE = (b"f>", b"<f ", b":f ", b'"e"', b"'e'")
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")

Cell = tuple[int, int]


def open_workbook(path: Path, contract: Contract) -> SourceFile:
    """The rows of a workbook. Raises Refused if it cannot be opened or no visible sheet matches the contract."""
    kind = workbook_kind(path)
    if kind != "xls":
        _refuse_bomb(path)
    book = _Book(path, kind, contract)
    sheets = book.sheets()
    first = next(sheets, None)
    if first is None:
        raise book.refusal()
    source = SourceFile(replace(first.match))
    source.batches = _all_batches(book, first, sheets, source)
    return source


@dataclass
class _Sheet:
    """A visible sheet with the headers: its index in the book, and the row of its headers (from 1)."""

    number: int
    name: str
    sheet: CalamineSheet
    header_row: int
    match: Match
    unreadable: set[Cell]


class _Book:
    """The sheets of a workbook that are read, and the names of those that are skipped."""

    def __init__(self, path: Path, kind: str, of: Contract) -> None:
        self._path = path
        self._kind = kind
        self._of = of
        self._best: tuple[str, Match] | None = None
        self.without: list[str] = []
        try:
            if ending_of(path.name) == f".{kind}" or (kind, ending_of(path.name)) == ("xlsx", ".xlsm"):
                self._book = CalamineWorkbook.from_path(str(path))
            else:
                self._book = CalamineWorkbook.from_filelike(path.open("rb"))
        except PasswordError:
            raise because("password") from None
        except Exception as error:
            raise because("broken_workbook", kind=kind.upper(), error=type(error).__name__) from None
        visible = [meta for meta in self._book.sheets_metadata if meta.visible == SheetVisibleEnum.Visible]
        self.hidden = [shown(meta.name) for meta in self._book.sheets_metadata if meta not in visible]
        self.count = max(1, len(visible))

    def sheets(self) -> Iterator[_Sheet]:
        """The visible sheets with all headers. Raises Refused for a sheet with most of them only."""
        for number, meta in enumerate(self._book.sheets_metadata):
            if meta.typ != SheetTypeEnum.WorkSheet or meta.visible != SheetVisibleEnum.Visible:
                continue
            name = shown(meta.name)
            unreadable: set[Cell] = set()
            if self._kind == "xlsx":
                with _refusing(name):
                    unreadable = _unreadable_cells(self._path, meta.name)
            try:
                sheet = self._book.get_sheet_by_index(number)
            except PasswordError:
                raise because("password") from None
            except Exception as error:
                raise _not_readable(name, error) from None
            if header := self._header(name, sheet):
                yield _Sheet(number, name, sheet, *header, unreadable)
            else:
                self.without.append(name)

    def _header(self, name: str, sheet: CalamineSheet) -> tuple[int, Match] | None:
        """The row of the headers (from 1), and how they match the contract; None if the sheet has none."""
        best: Match | None = None
        for row, header in enumerate(islice(sheet.iter_rows(), _HEADER_SEARCH_ROWS), 1):
            match = self._of.match(map(as_text, header))
            if match.complete:
                return row, match
            if best is None or len(match.positions) > len(best.positions):
                best = match
        if best and (self._best is None or len(best.positions) > len(self._best[1].positions)):
            self._best = name, best
        if best and best.resembles:
            raise self.refusal()
        return None

    def refusal(self) -> Refused:
        """The error if no sheet can be read; it names the sheet that is most like the table."""
        if self._best is None:
            return because("no_sheet")
        name, match = self._best
        return match.refusal(f"sheet {name}", f"برگهٔ {name}")


def _not_readable(name: str, error: BaseException) -> Refused:
    return because("broken_sheet", sheet=name, error=type(error).__name__)


def _refuse_bomb(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > _BIGGEST_UNPACKED:
        raise Refused(f"the workbook unpacks to more than {_BIGGEST_UNPACKED >> 30} GiB")


def _all_batches(book: _Book, first: _Sheet, others: Iterator[_Sheet], source: SourceFile) -> Iterator[Batch]:
    """The rows of all sheets, one sheet after the other; adds the notes about the sheets to `source`."""
    sheets: Iterator[_Sheet] = chain((first,), others)
    del first
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
        (source.sheets if len(source.sheets) > 1 or book.hidden or book.without else [], "sheets read"),
        (book.hidden, "hidden sheets skipped"),
        (book.without, "sheets without the headers skipped"),
    ):
        if names:
            source.notes.append(f"{words_before}: {', '.join(names)}")


def _batches(of: _Sheet, source: SourceFile, base: int, place: tuple[int, int]) -> Iterator[Batch]:
    """The rows below the header, numbered as in the sheet; empty rows are skipped."""
    sheet, match = of.sheet, of.match
    first_column = sheet.start[1] if sheet.start else 0
    columns = {first_column + position: name for name, position in match.positions.items()}
    bad = {column.name: column.bad for column in match.of.columns}
    spoilt: dict[int, list[str]] = {}
    for row, column in of.unreadable | _merged(of, columns, source):
        if column in columns and row > of.header_row:
            spoilt.setdefault(row, []).append(columns[column])
    lines: list[int] = []
    records: list[list[Any]] = []
    for row, cells in enumerate(sheet.iter_rows(), 1):
        if row <= of.header_row:
            continue
        names = sorted(spoilt.get(row, ()))
        rejects = [(base | row, name, "missing_value") for name in names if bad[name] == "reject"]
        if rejects:
            source.rows_read += 1
            source.rejects += rejects
        elif cells.count("") < len(cells):
            source.rows_read += 1
            source.warned += [(base | row, name, "missing_value") for name in names]
            lines.append(base | row)
            records.append(cells)
        if len(records) == BATCH_ROWS:
            source.share_read = (place[0] + row / max(1, sheet.total_height)) / place[1]
            yield _batch(lines, records, match)
            lines, records = [], []
    if records:
        yield _batch(lines, records, match)


def _batch(lines: list[int], records: list[list[Any]], match: Match) -> Batch:
    cells = list(zip(*records, strict=True))
    columns = {
        name: pa.array([value if type(value) is str else as_text(value) for value in cells[position]], pa.string())
        for name, position in match.positions.items()
    }
    return Batch(np.array(lines, dtype=np.int64), columns)


# ---- cells without a value to load


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
                    raise because("merged", sheet=of.name, column=columns[column], place=place)
                source.notes.append(f"merged cells: {columns[column]} {of.name}!{rows[0] + 1}–{rows[-1] + 1}")
    return covered


@contextmanager
def _refusing(name: str) -> Iterator[None]:
    """Turns errors in the parts of a workbook into a refusal that names the sheet."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, expat.ExpatError, LookupError, ValueError, EOFError, RuntimeError) as error:
        raise _not_readable(name, error) from None


def _unreadable_cells(path: Path, title: str) -> set[Cell]:
    """The cells (row from 1, column from 0) that hold an error or a formula without a result.

    Raises Refused if a stray cell makes the sheet too large to be held in memory.
    """
    with zipfile.ZipFile(path) as archive:
        part = _part_of(archive, title)
        if not part:
            return set()
        scan = _Scan()
        with archive.open(part) as content:
            while chunk := content.read(_CHUNK_BYTES):
                scan.feed(chunk)
        if scan.cells > _MOST_CELLS:
            raise because("stray_cell", sheet=shown(title), cell=scan.farthest)
        return _unreadable_in(archive, part) if scan.may_hold_unreadable else set()


class _Scan:
    """A quick scan of a sheet's XML, chunk by chunk, which spares most sheets the slow parse."""

    def __init__(self) -> None:
        self.may_hold_unreadable = False
        self.farthest = ""
        self._column, self._row = _USUAL_COLUMNS, 1
        self._before = b""

    def feed(self, chunk: bytes) -> None:
        """Scan the next chunk."""
        both = self._before + chunk
        self._before = chunk[-_LONGEST_TAG:]
        self.may_hold_unreadable = self.may_hold_unreadable or any(sign in both for sign in _UNREADABLE)
        for found in _FAR_CELL.finditer(both):
            if (column := _column(found[1].decode()) + 1) > self._column:
                self._column, self.farthest = column, (found[1] + found[2]).decode()
        last = both.rfind(b'<row r="')
        if last >= 0 and (number := _ROW.match(both, last)) and int(number[1]) > self._row:
            self._row = int(number[1])

    @property
    def cells(self) -> int:
        """The number of cells from the first to the farthest."""
        return self._column * self._row


def _part_of(archive: zipfile.ZipFile, title: str) -> str:
    """The name of the part of the archive that holds the sheet called `title`."""
    relation = ""

    def sheets(name: str, attributes: dict[str, str]) -> None:
        nonlocal relation
        if name == "sheet" and attributes.get("name") == title:
            relation = next((value for key, value in attributes.items() if key.endswith("id") and key != "sheetId"), "")

    target = ""

    def relations(name: str, attributes: dict[str, str]) -> None:
        nonlocal target
        if name == "Relationship" and attributes.get("Id") == relation:
            target = attributes.get("Target", "")

    _parse(archive, "xl/workbook.xml", sheets)
    _parse(archive, "xl/_rels/workbook.xml.rels", relations)
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}" if target else ""


def _unreadable_in(archive: zipfile.ZipFile, part: str) -> set[Cell]:
    found: set[Cell] = set()
    row = column = 0
    kind = inside = ""
    has_formula = has_value = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal row, column, kind, inside, has_formula, has_value
        if name == "row":
            row, column = int(attributes.get("r", row + 1)), -1
        elif name == "c":
            place = _CELL.fullmatch(attributes.get("r", ""))
            row, column = (int(place[2]), _column(place[1])) if place else (row, column + 1)
            kind = attributes.get("t", "n")
            has_formula = has_value = False
        elif name == "f":
            has_formula = True
        elif name in ("v", "is"):
            inside = name

    def text(_: str) -> None:
        nonlocal has_value
        has_value = has_value or bool(inside)

    def end(name: str) -> None:
        nonlocal inside
        if name in ("v", "is"):
            inside = ""
        elif name == "c" and (kind == "e" or (has_formula and not has_value and kind != "str")):
            found.add((row, column))

    _parse(archive, part, start, end, text)
    return found


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _parse(archive: zipfile.ZipFile, part: str, start: Any, end: Any = None, text: Any = None) -> None:
    """Parse a part; handlers receive names without prefixes. Raises ValueError for a document type: it may declare entities."""

    def refuse(*_: Any) -> None:
        raise ValueError("a document type")

    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: start(name.rpartition(":")[2], attributes)
    if end:
        parser.EndElementHandler = lambda name: end(name.rpartition(":")[2])
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = refuse
    with archive.open(part) as content:
        while chunk := content.read(_CHUNK_BYTES):
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
