"""The XML of a sheet of .xlsx: cells with an error or a formula without a stored result, which calamine returns as empty."""

import posixpath
import re
import zipfile
from pathlib import Path
from typing import Any
from xml.parsers import expat

from etl.core.text_folding import display_text
from etl.extract.causes import because

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


def unreadable_cells(path: Path, title: str) -> set[Cell]:
    """The cells (row from 1, column from 0) that hold an error or a formula without a result.

    Raises Refused if a stray cell makes the sheet too large to be held in memory.
    """
    with zipfile.ZipFile(path) as archive:
        part = _part_of(archive, title)
        if not part:
            return set()
        with archive.open(part) as content:
            may_hold_unreadable, cells, farthest = _scan(content)
        if cells > _MOST_CELLS:
            raise because("stray_cell", sheet=display_text(title), cell=farthest)
        return _unreadable_in(archive, part) if may_hold_unreadable else set()


def _scan(content: Any) -> tuple[bool, int, str]:
    """A quick scan of a sheet's XML, chunk by chunk, which spares most sheets the slow parse.

    Returns whether it may hold an unreadable cell, how many cells it has up to the farthest, and the farthest.
    """
    may_hold_unreadable, farthest = False, ""
    columns, rows, before = _USUAL_COLUMNS, 1, b""
    while chunk := content.read(_CHUNK_BYTES):
        window = before + chunk
        before = chunk[-_LONGEST_TAG:]
        may_hold_unreadable = may_hold_unreadable or any(sign in window for sign in _UNREADABLE)
        for match in _FAR_CELL.finditer(window):
            if (column := _column(match[1].decode()) + 1) > columns:
                columns, farthest = column, (match[1] + match[2]).decode()
        last = window.rfind(b'<row r="')
        if last >= 0 and (number := _ROW.match(window, last)):
            rows = max(rows, int(number[1]))
    return may_hold_unreadable, columns * rows, farthest


def _part_of(archive: zipfile.ZipFile, title: str) -> str:
    """The name of the part of the archive that holds the sheet called `title`; empty if there is none."""
    parts = related_parts(archive, "workbook.xml")
    for sheet in _attributes(archive, "xl/workbook.xml", "sheet"):
        if sheet.get("name") == title:
            ids = (value for key, value in sheet.items() if key.endswith("id") and key != "sheetId")
            return parts.get(next(ids, ""), "")
    return ""


def related_parts(archive: zipfile.ZipFile, book: str) -> dict[str, str]:
    """The parts of the archive that the workbook `book` refers to, by the id of their relation."""
    relations = _attributes(archive, f"xl/_rels/{book}.rels", "Relationship")
    return {
        item.get("Id", ""): posixpath.join("xl", item["Target"]).lstrip("/") for item in relations if item.get("Target")
    }


def _attributes(archive: zipfile.ZipFile, part: str, sought: str) -> list[dict[str, str]]:
    """The attributes of each element of this name."""
    elements: list[dict[str, str]] = []
    with archive.open(part) as content:
        parse_xml(content, lambda name, attributes: elements.append(attributes) if name == sought else None)
    return elements


def _unreadable_in(archive: zipfile.ZipFile, part: str) -> set[Cell]:
    cells: set[Cell] = set()
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
            cells.add((row, column))

    with archive.open(part) as content:
        parse_xml(content, start, end, text)
    return cells


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def parse_xml(content: Any, start: Any, end: Any = None, text: Any = None) -> None:
    """Parse an open file; handlers receive names without prefixes.

    Raises ValueError for a document type: it may declare entities.
    """

    def refuse(*_: Any) -> None:
        raise ValueError("a document type")

    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: start(name.rpartition(":")[2], attributes)
    if end:
        parser.EndElementHandler = lambda name: end(name.rpartition(":")[2])
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = refuse
    while chunk := content.read(_CHUNK_BYTES):
        parser.Parse(chunk, False)
    parser.Parse(b"", True)
