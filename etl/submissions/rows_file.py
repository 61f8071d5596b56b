"""The rows to correct of a submission as a workbook: where each is, what to do, its column, what was expected, and the row."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from etl.core.spreadsheet import text_sheet
from etl.core.text_folding import display_text, fold
from etl.extract import expected, limits
from etl.extract.causes import in_language
from etl.extract.contract import TABLES, Column, contract
from etl.extract.read_file import open_source
from etl.extract.source_file import SHEET_BITS
from etl.extract.source_folder import PERSIAN_NAMES
from etl.submissions import originals
from etl.submissions.records import Submission

_COLUMNS = ("file", "place", "remedy", "column", "expected", "outcome")
_WIDTHS = (30, 24, 72, 24, 56, 30)
_CELL_WIDTH = 18
_LONGEST_HEADING = 60
# From the sixteenth equal fault on, the page shows only a summary.
MOST_EQUAL = 15


def add_cells(rows: Sequence[dict[str, Any]], submission: Submission, named: Path) -> dict[str, dict[str, list[str]]]:
    """Add to each row to correct what its file has: its cells, and the heading of its column.

    Returns the headings in the files by table and column. `named`: a folder with the files by number and name.
    """
    wanted: dict[tuple[int, str], dict[tuple[str | None, int], list[dict[str, Any]]]] = {}
    for row in rows:
        sheet, line = row["at"]
        wanted.setdefault((row["number"], row["table"]), {}).setdefault((sheet, line), []).append(row)
    headings: dict[str, dict[str, list[str]]] = {}
    for file in submission.files:
        for (number, table), places in wanted.items():
            if number == file.number:
                for column, heading in _read_cells(named / str(number) / file.name, table, places).items():
                    known = headings.setdefault(table, {}).setdefault(column, [])
                    known += [heading] * (heading not in known)
    return headings


def _read_cells(path: Path, table: str, places: dict[tuple[str | None, int], list[dict[str, Any]]]) -> dict[str, str]:
    """Add to these rows what the file has; returns its headings by column."""
    source = open_source(path, contract(table), limits.from_environment())
    headings = {
        name: display_text(source.match.titles[at])[:_LONGEST_HEADING] for name, at in source.match.positions.items()
    }
    for batch in source.batches:
        for at, number in enumerate(batch.lines.tolist()):
            sheet = source.sheets[number >> SHEET_BITS] if source.sheets else None
            for row in places.get((sheet, number & ((1 << SHEET_BITS) - 1)), ()):
                row["cells"] = {name: _text(column[at]) for name, column in batch.columns.items()}
                row["heading"] = headings.get(row["column"], "")
    return headings


def _text(cell: pa.Scalar) -> str:
    value = cell.as_py()
    return "" if value is None else str(value)


def in_file(name: str, heading: str, lang: str) -> str:
    """What a column is called, with its heading in the file where that is another."""
    written, called = (fold(words).replace("_", "").replace(" ", "") for words in (heading, name))
    if written in ("", called):
        return name
    return expected.returned(lang)["in_file"].format(name=name, heading=heading)


def listed(root: Path, submission: Submission) -> Sequence[dict[str, Any]]:
    """The rows to correct, without their cells and without faults that more than fifteen rows share; none if nothing was
    checked.
    """
    try:
        rows = _rows(root, submission)
    except OSError:
        return []
    counts = {
        (line["table"], line["column"], line["reason"]): line["rows"]
        for kind in ("returned", "warned")
        for line in submission.result.get(kind, ())
    }
    return [
        {name: value for name, value in row.items() if name != "cells"}
        for row in rows
        if counts.get((row["table"], row["column"], row["reason"]), 0) <= MOST_EQUAL
    ]


def workbook(root: Path, submission: Submission, with_cells: bool, lang: str) -> bytes:
    """The workbook, a sheet a table. `with_cells`: with the row as it was submitted. Raises OSError where it was not checked."""
    import xlsxwriter

    def title(column: Column) -> str:
        return column.headers[0] if lang == "fa" else column.name

    every, words = _rows(root, submission), expected.returned(lang)
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        for table in TABLES:
            rows = [row for row in every if row["table"] == table]
            if not rows and (every or table != TABLES[0]):
                continue
            own = [
                column
                for column in contract(table).columns
                if with_cells and any(column.name in row.get("cells", ()) for row in rows)
            ]
            titles = (*(words[name] for name in _COLUMNS), *map(title, own))
            widths = (*_WIDTHS, *(_CELL_WIDTH for _ in own))
            named = PERSIAN_NAMES[table] if lang == "fa" else table
            write = text_sheet(book, named if rows else words["sheet"], titles, widths, lang)
            for number, row in enumerate(rows, 1):
                faulty = contract(table).by_name.get(row["column"])
                cells = (
                    row["file"],
                    expected.place(row["at"][0], row["at"][1], lang),
                    expected.remedy(row["column"], row["reason"], lang),
                    in_file(title(faulty), row.get("heading", ""), lang) if faulty else "",
                    in_language(row["expected"], lang),
                    words["warned" if row["warned"] else "rejected"],
                    *(row.get("cells", {}).get(column.name, "") for column in own),
                )
                write(number, cells)
    return out.getvalue()


def _rows(root: Path, submission: Submission) -> Sequence[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(
        (originals.folder_of(root, submission) / "rows.json").read_text(encoding="utf-8")
    )
    return rows
