"""The XML of a sheet of .xlsx, for what calamine does not tell: cells with an error or a formula without a stored result,
which it returns as empty, numbers shown as percentages, and rows with the same number, of which it returns one.
"""

import posixpath
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
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
# The number of a row, and that in the name of its first cell.
_ROW = re.compile(
    rb"""row\s(?:[^<>]*?\s)?r\s*=\s*["']([0-9]{1,7})["'](?:[^<>]*>\s*<(?:\w+:)?c\s[^<>]*?\br\s*=\s*["'][A-Z]{1,3}([0-9]{1,7}))?"""
)
_ROW_NUMBERS = 10_000_000
# The numbers of the built-in formats with a percent sign, and what a format shows as it is.
_PERCENT_FORMATS = (9, 10)
_LITERAL = re.compile(r'"[^"]*"|\\.')
_MOST_STYLES = 64
_UNREADABLE = (b"f>", b"<f ", b":f ", b'"e"', b"'e'")
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")

Cell = tuple[int, int]


@dataclass
class OddCells:
    """Cells (row from 1, column from 0) of a sheet: those with an error or a formula without a result, and numbers shown as
    percentages."""

    unreadable: set[Cell] = field(default_factory=set)
    percentages: set[Cell] = field(default_factory=set)


def odd_cells(path: Path, title: str) -> OddCells:
    """The odd cells of the sheet called `title`.

    Raises Refused if a row number occurs twice, or a stray cell makes the sheet too large to be held in memory.
    """
    with zipfile.ZipFile(path) as archive:
        part = _part_of(archive, title)
        if not part:
            return OddCells()
        styles = _percent_styles(archive)
        with archive.open(part) as content:
            may_hold_odd, cells, farthest = _scan(content, display_text(title), styles)
        if cells > _MOST_CELLS:
            raise because("stray_cell", sheet=display_text(title), cell=farthest)
        return _odd_in(archive, part, styles) if may_hold_odd else OddCells()


def percent_styles(formats: Iterable[int], codes: dict[int, str]) -> set[int]:
    """The cell styles, by their place in `formats`, whose number format shows a percentage; `codes` are those not built in."""
    percents = {*_PERCENT_FORMATS, *(number for number, code in codes.items() if "%" in _LITERAL.sub("", code))}
    return {style for style, number in enumerate(formats) if number in percents}


def _percent_styles(archive: zipfile.ZipFile) -> set[str]:
    """The numbers of the cell styles that show percentages."""
    codes: dict[int, str] = {}
    formats: list[int] = []
    is_cell = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal is_cell
        if name == "numFmt":
            codes[int(attributes.get("numFmtId", -1))] = attributes.get("formatCode", "")
        elif name == "xf" and is_cell:
            formats.append(int(attributes.get("numFmtId", 0)))
        is_cell = name == "cellXfs" or (is_cell and name != "cellStyles")

    if "xl/styles.xml" in archive.namelist():
        with archive.open("xl/styles.xml") as content:
            parse_xml(content, start)
    return set(map(str, percent_styles(formats, codes)))


def _scan(content: Any, sheet: str, styles: Iterable[str]) -> tuple[bool, int, str]:
    """A quick scan of a sheet's XML, chunk by chunk, which spares most sheets the slow parse.

    Returns whether it may hold an odd cell, how many cells it has up to the farthest, and the farthest. Raises Refused for a
    row number that occurs twice.
    """
    signs = (*_UNREADABLE, *(f" s={sign}{style}{sign}".encode() for style in styles for sign in "\"'"))
    may_hold_odd, farthest = len(signs) > _MOST_STYLES, ""
    columns, rows, rest = _USUAL_COLUMNS, 1, b""
    seen = bytearray(_ROW_NUMBERS)
    while chunk := content.read(_CHUNK_BYTES):
        # Whole tags only, so that none is counted twice.
        window = rest + chunk
        end = window.rfind(b"<")
        window, rest = window[:end], window[end:][:_CHUNK_BYTES]
        may_hold_odd = may_hold_odd or any(sign in window for sign in signs)
        for match in _FAR_CELL.finditer(window):
            if (column := _column(match[1].decode()) + 1) > columns:
                columns, farthest = column, (match[1] + match[2]).decode()
        for match in _ROW.finditer(window):
            if window[match.start() - 1] in b"<:":
                own = int(match[1])
                rows = max(rows, number := int(match[2] or own))
                if seen[own] & 1 or seen[number] & 2:
                    raise because("row_twice", sheet=sheet, row=own if seen[own] & 1 else number)
                seen[own] |= 1
                seen[number] |= 2
    return may_hold_odd, columns * rows, farthest


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


def _odd_in(archive: zipfile.ZipFile, part: str, styles: set[str]) -> OddCells:
    cells = OddCells()
    row = column = 0
    kind = inside = style = ""
    has_formula = has_value = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal row, column, kind, style, inside, has_formula, has_value
        if name == "row":
            row, column = int(attributes.get("r", row + 1)), -1
        elif name == "c":
            place = _CELL.fullmatch(attributes.get("r", ""))
            row, column = (int(place[2]), _column(place[1])) if place else (row, column + 1)
            kind, style = attributes.get("t", "n"), attributes.get("s", "")
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
            cells.unreadable.add((row, column))
        elif name == "c" and kind == "n" and has_value and style in styles:
            cells.percentages.add((row, column))

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
