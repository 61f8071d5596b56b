"""Cells of .xls, .xlsb and .ods with an error (#N/A), which calamine returns as empty or as text, numbers shown as
percentages, and rows with the same number, of which it returns one. For .xlsx see sheet_xml.py. Calamine reads everything else.
"""

import io
import struct
import zipfile
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from etl.core.errors import Refused
from etl.core.text_folding import display_text
from etl.extract.causes import because
from etl.extract.sheet_xml import OddCells, parse_xml, percent_styles, related_parts

_CHUNK_BYTES = 1 << 20
_LONGEST_SIGN = 64
# A sheet that repeats an error cell more often than this is padded, not filled in.
_MOST_REPEATED = 1 << 16
_USUAL_COLUMNS = 64


def odd_cells(path: Path, kind: str, titles: Sequence[str]) -> list[OddCells]:
    """The odd cells, sheet by sheet in the order of the workbook; empty if none has one.

    Raises Refused if a row number occurs twice: calamine returns one of the rows.
    """
    if kind == "ods":
        return _in_ods(path)
    return {"xls": _in_xls, "xlsb": _in_xlsb}[kind](path, titles)


def _row_twice(title: str, row: int) -> Refused:
    return because("row_twice", sheet=display_text(title), row=row)


# ---- .xls: records of kind, size, content

_BOUNDSHEET, _BOOLERR, _FORMULA, _EOF = 0x85, 0x205, 0x06, 0x0A
_XF, _FORMAT, _NUMBER, _RK, _MULRK = 0xE0, 0x41E, 0x203, 0x27E, 0xBD
_BEGINNINGS, _WORKSHEET = (0x809, 0x409), 0x10
_TEXTS = (0xFD, 0x204, 0xD6)
_XLS_CELLS = 1 << 24
_XLS_HEAD = struct.Struct("<HH")


def _in_xls(path: Path, titles: Sequence[str]) -> list[OddCells]:
    import olefile

    try:
        with olefile.OleFileIO(str(path)) as file:
            name = next((name for name in ("Workbook", "Book") if file.exists(name)), None)
            content = file.openstream(name).read() if name else b""
    except OSError as error:
        raise ValueError(type(error).__name__) from None
    of_book = list(_xls_records(content, 0))
    codes = {_number(record[:2]): record[2:].decode("latin-1") for kind, record in of_book if kind == _FORMAT}
    percents = percent_styles((_number(record[2:4]) for kind, record in of_book if kind == _XF), codes)
    starts = [_number(record[:4]) for kind, record in of_book if kind == _BOUNDSHEET]
    return [_xls_odd(content, start, title, percents) for start, title in zip(starts, titles, strict=False)]


def _xls_odd(content: bytes, start: int, title: str, percents: set[int]) -> OddCells:
    cells = OddCells()
    seen = bytearray(_XLS_CELLS)
    for at, (kind, record) in enumerate(_xls_records(content, start)):
        if kind in _BEGINNINGS and (at or _number(record[2:4]) != _WORKSHEET):
            # A chart repeats the cells that it draws.
            break
        if kind not in (_NUMBER, _RK, _FORMULA, _MULRK, _BOOLERR, *_TEXTS):
            continue
        row, column = _number(record[:2]) + 1, _number(record[2:4])
        if seen[place := (row - 1) << 8 | column & 0xFF]:
            raise _row_twice(title, row)
        seen[place] = 1
        if _is_xls_error(kind, record):
            cells.unreadable.add((row, column))
        elif kind in (_NUMBER, _RK, _FORMULA, _MULRK):
            # One style, or in a run of numbers one for each.
            styles = range(4, len(record) - 2, 6) if kind == _MULRK else (4,)
            cells.percentages |= {
                (row, column + at) for at, style in enumerate(styles) if _number(record[style : style + 2]) in percents
            }
    return cells


def _xls_records(content: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    while at + 4 <= len(content):
        kind, size = _XLS_HEAD.unpack_from(content, at)
        if kind == _EOF:
            return
        yield kind, content[at + 4 : at + 4 + size]
        at += 4 + size


def _is_xls_error(kind: int, record: bytes) -> bool:
    if kind == _BOOLERR:
        return len(record) >= 8 and record[7] == 1
    # The result of a formula is a number unless its last two bytes are FF; then its first byte is its type.
    return kind == _FORMULA and len(record) >= 14 and record[12:14] == b"\xff\xff" and record[6] == 2


# ---- .xlsb: the same, with numbers of seven bits a byte

_ROW_HEADER, _CELL_ERROR, _FORMULA_ERROR, _BUNDLE_SHEET = 0, 3, 11, 156
_CELL_RK, _CELL_REAL, _FORMULA_NUMBER = 2, 5, 9
_CODE, _STYLE, _BEGIN_CELL_STYLES, _END_CELL_STYLES = 44, 47, 617, 618


def _in_xlsb(path: Path, titles: Sequence[str]) -> list[OddCells]:
    with zipfile.ZipFile(path) as archive:
        parts = related_parts(archive, "workbook.bin")
        percents = _xlsb_percents(archive)
        with archive.open("xl/workbook.bin") as content:
            records = [record for kind, record in _xlsb_records(content) if kind == _BUNDLE_SHEET]
        # Two numbers, the length of the id in characters, then the id.
        ids = [record[12 : 12 + 2 * _number(record[8:12])].decode("utf-16-le", "replace") for record in records]
        cells_by_sheet = []
        for sheet_id, title in zip(ids, titles, strict=False):
            with archive.open(parts.get(sheet_id, "xl/")) as content:
                cells_by_sheet.append(_xlsb_odd(content, title, percents))
        return cells_by_sheet


def _xlsb_percents(archive: zipfile.ZipFile) -> set[int]:
    """The numbers of the cell styles that show percentages."""
    codes: dict[int, str] = {}
    formats: list[int] = []
    is_cell = False
    if "xl/styles.bin" in archive.namelist():
        with archive.open("xl/styles.bin") as content:
            for kind, record in _xlsb_records(content):
                is_cell = kind == _BEGIN_CELL_STYLES or (is_cell and kind != _END_CELL_STYLES)
                if kind == _CODE:
                    codes[_number(record[:2])] = record[6:].decode("utf-16-le", "replace")
                elif kind == _STYLE and is_cell:
                    formats.append(_number(record[2:4]))
    return percent_styles(formats, codes)


def _xlsb_odd(content: Any, title: str, percents: set[int]) -> OddCells:
    row, cells = 0, OddCells()
    rows: set[int] = set()
    for kind, record in _xlsb_records(content):
        if kind == _ROW_HEADER:
            row = _number(record[:4]) + 1
            if row in rows:
                raise _row_twice(title, row)
            rows.add(row)
        elif kind in (_CELL_ERROR, _FORMULA_ERROR):
            cells.unreadable.add((row, _number(record[:4])))
        elif kind in (_CELL_RK, _CELL_REAL, _FORMULA_NUMBER) and _number(record[4:7]) in percents:
            cells.percentages.add((row, _number(record[:4])))
    return cells


def _xlsb_records(content: Any) -> Iterator[tuple[int, bytes]]:
    file = io.BufferedReader(content, _CHUNK_BYTES)
    while first := file.read(1):
        kind = first[0]
        if kind & 0x80:
            kind = kind & 0x7F | (file.read(1) or b"\0")[0] << 7
        size = 0
        for shift in (0, 7, 14, 21):
            part = (file.read(1) or b"\0")[0]
            size |= (part & 0x7F) << shift
            if not part & 0x80:
                break
        yield kind, file.read(size)


def _number(content: bytes) -> int:
    return int.from_bytes(content, "little")


# ---- .ods: one XML of all sheets


def _in_ods(path: Path) -> list[OddCells]:
    with zipfile.ZipFile(path) as archive:
        with archive.open("content.xml") as content:
            if not _may_hold_odd(content):
                return []
        with archive.open("content.xml") as content:
            scan = _OdsScan()
            parse_xml(content, scan.start, scan.end, scan.text)
            return scan.sheets


_ODS_SIGNS = (b'value-type="error"', b'value-type="percentage"', b">#", b">Err:")


def _may_hold_odd(content: Any) -> bool:
    """Whether an XML may hold an odd cell: it spares most files the slow parse."""
    before = b""
    while chunk := content.read(_CHUNK_BYTES):
        window = before + chunk
        if any(sign in window for sign in _ODS_SIGNS):
            return True
        before = chunk[-_LONGEST_SIGN:]
    return False


class _OdsScan:
    """The cells with an error, which are marked as such, or are formulas that show #… or Err:…, and the percentages."""

    def __init__(self) -> None:
        self.sheets: list[OddCells] = []
        # The places of a row or cell that may be repeated.
        self._rows, self._columns = range(1, 1), range(0)
        self._is_error = self._is_formula = self._is_percentage = False
        self._shown = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """A table, a row or a cell begins."""
        if name == "table":
            self.sheets.append(OddCells())
            self._rows = range(1, 1)
        elif name == "table-row":
            self._rows = _following(self._rows, attributes.get("table:number-rows-repeated", "1"))
            self._columns = range(0)
        elif name in ("table-cell", "covered-table-cell"):
            self._columns = _following(self._columns, attributes.get("table:number-columns-repeated", "1"))
            kinds = [value for key, value in attributes.items() if key.endswith(":value-type")]
            self._is_error, self._is_percentage = "error" in kinds, "percentage" in kinds
            self._is_formula = "table:formula" in attributes
            self._shown = ""

    def text(self, text: str) -> None:
        """The text of a cell, of which the beginning is enough."""
        if self._is_formula and len(self._shown) < _LONGEST_SIGN:
            self._shown += text

    def end(self, name: str) -> None:
        """A cell ends."""
        is_error = self._is_error or self._shown.lstrip().startswith(("#", "Err:"))
        if name == "table-cell" and (is_error or self._is_percentage):
            cells = self.sheets[-1].unreadable if is_error else self.sheets[-1].percentages
            cells |= set(product(self._rows[:_MOST_REPEATED], self._columns[:_USUAL_COLUMNS]))
            self._is_error, self._is_percentage, self._shown = False, False, ""


def _following(places: range, count: str) -> range:
    return range(places.stop, places.stop + int(count))
