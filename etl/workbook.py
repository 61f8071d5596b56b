"""XLSX: the first sheet that holds the headers, cell by cell as what a person sees in it.

The rows are read by calamine. What it cannot tell from an empty cell is looked up in the sheet's own XML: an error
(#N/A), a formula whose result was never stored, a cell covered by a merge. Its row is kept back.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from xml.parsers import expat

import numpy as np
import pyarrow as pa
from python_calamine import CalamineSheet, CalamineWorkbook, SheetTypeEnum

from etl.contract import Contract, Match, Refused
from etl.normalize import shown
from etl.sources import BATCH_ROWS, Batch, Source, as_text

_BIGGEST_UNPACKED = 2 << 30
# Titles and blank rows may stand above the header.
_HEADER_SEARCH_ROWS = 20
_CHUNK_BYTES = 1 << 20
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")

Cell = tuple[int, int]


def open_xlsx(path: Path, contract: Contract) -> Source:
    """The rows of a workbook. Raises Refused where it cannot be opened or no sheet answers to the contract."""
    _refuse_bomb(path)
    try:
        book = CalamineWorkbook.from_path(str(path))
    except Exception as error:
        raise Refused(f"not a readable XLSX workbook ({type(error).__name__})") from None
    best: tuple[str, Match] | None = None
    for number, meta in enumerate(book.sheets_metadata):
        if meta.typ != SheetTypeEnum.WorkSheet:
            continue
        name = shown(meta.name)
        try:
            sheet = book.get_sheet_by_index(number)
        except Exception as error:
            raise Refused(f"sheet {name}: not readable ({type(error).__name__})") from None
        for row, header in enumerate(islice(sheet.iter_rows(), _HEADER_SEARCH_ROWS), 1):
            match = contract.match(map(as_text, header))
            if match.complete:
                source = Source(match)
                source.batches = _batches(sheet, row, _unreadable(path, meta.name, sheet), source)
                if len(book.sheet_names) > 1:
                    source.notes.append(f"read from sheet {name}")
                return source
            if best is None or len(match.positions) > len(best[1].positions):
                best = (name, match)
    if best is None:
        raise Refused("the workbook has no sheet with a row")
    raise Refused(f"sheet {best[0]}: {best[1].complaint()}")


def _refuse_bomb(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise Refused("not a readable XLSX workbook (broken ZIP)") from None
    if unpacked > _BIGGEST_UNPACKED:
        raise Refused(f"the workbook unpacks to more than {_BIGGEST_UNPACKED >> 30} GiB")


def _batches(sheet: CalamineSheet, header_row: int, unreadable: set[Cell], source: Source) -> Iterator[Batch]:
    """Rows below the header; rows are numbered as the sheet numbers them, wholly empty ones are none."""
    first_column = sheet.start[1] if sheet.start else 0
    columns = {first_column + position: name for name, position in source.match.positions.items()}
    spoilt = {cell for cell in unreadable if cell[1] in columns}
    spoilt_rows = {row for row, _ in spoilt}
    lines: list[int] = []
    records: list[list[Any]] = []
    for row, cells in enumerate(sheet.iter_rows(), 1):
        if row <= header_row:
            continue
        if row in spoilt_rows:
            source.rows_read += 1
            source.rejects += [(row, name, "missing_value") for at, name in columns.items() if (row, at) in spoilt]
        elif cells.count("") < len(cells):
            source.rows_read += 1
            lines.append(row)
            records.append(cells)
        if len(records) == BATCH_ROWS:
            source.share_read = row / max(1, sheet.total_height)
            yield _batch(lines, records, source.match)
            lines, records = [], []
    if records:
        yield _batch(lines, records, source.match)


def _batch(lines: list[int], records: list[list[Any]], match: Match) -> Batch:
    cells = list(zip(*records, strict=True))
    columns = {
        name: pa.array([value if type(value) is str else as_text(value) for value in cells[position]], pa.string())
        for name, position in match.positions.items()
    }
    return Batch(np.array(lines, dtype=np.int64), columns)


# ---- cells without a value to load


def _unreadable(path: Path, title: str, sheet: CalamineSheet) -> set[Cell]:
    """The cells (row from 1, column from 0) that hold an error or a formula without a result, or lie under a merge."""
    found: set[Cell] = set()
    for first, last in sheet.merged_cell_ranges or ():
        rows = range(first[0], min(last[0], sheet.total_height - 1) + 1)
        columns = range(first[1], min(last[1], sheet.total_width - 1) + 1)
        found |= {(row + 1, column) for row in rows for column in columns} - {(first[0] + 1, first[1])}
    try:
        with zipfile.ZipFile(path) as archive:
            part = _part_of(archive, title)
            if part and _may_hold_unreadable(archive, part):
                found |= _unreadable_in(archive, part)
    except (zipfile.BadZipFile, zlib.error, expat.ExpatError, LookupError, ValueError, EOFError, RuntimeError) as error:
        raise Refused(f"sheet {shown(title)}: not readable ({type(error).__name__})") from None
    return found


def _part_of(archive: zipfile.ZipFile, title: str) -> str:
    """The name of the archive's part that holds the sheet called `title`."""
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


def _may_hold_unreadable(archive: zipfile.ZipFile, part: str) -> bool:
    """A quick look that spares most sheets the slow one."""
    before = b""
    with archive.open(part) as content:
        while chunk := content.read(_CHUNK_BYTES):
            both = before + chunk
            if b"f>" in both or b"<f " in both or b":f " in both or b'"e"' in both or b"'e'" in both:
                return True
            before = chunk[-8:]
    return False


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
    """Hear the elements of a part by their names without a prefix. A part that declares entities is refused."""

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
