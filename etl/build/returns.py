"""What goes back to the provinces: one workbook in Persian for each source file with rejected or warned rows, or refused.

It holds places, columns, what was expected and what to do; never a value of the file.
"""

from collections.abc import Iterator
from contextlib import suppress
from heapq import merge
from itertools import chain, groupby, islice
from operator import attrgetter, itemgetter
from pathlib import Path

import duckdb

from etl.build.load_report import Report
from etl.core.spreadsheet import text_sheet
from etl.extract import expected
from etl.extract.causes import in_language, persian_digits
from etl.extract.contract import contract
from etl.warehouse import build_database

# The beginning of the names of returned files, by which those of the last build are removed.
_PREFIX = "برگشت "
_LONGEST_NAME = 90
_MOST_ROWS = 1_000_000
_COLUMNS = ("place", "column", "outcome", "expected", "remedy")
_WIDTHS = (30, 24, 24, 56, 72)
_ROWS_IN_MEMORY = 10_000
# A file, and the cells of one line of its workbook.
_Line = tuple[str, tuple[str, ...]]


def write(folder: Path | None, report: Report, con: duckdb.DuckDBPyConnection | None = None) -> None:
    """Write the returned files in place of those before, and note their number in the report; without a folder, nothing.

    `con` has the tables `quarantine` and `warned`, unless no file could be read. Files that cannot be written do not stop a
    build: the report then has no number.
    """
    if not folder:
        return
    from xlsxwriter.exceptions import XlsxWriterException

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob(f"{_PREFIX}*.xlsx"):
            old.unlink()
        names: set[str] = set()
        of_file = itemgetter(0)
        rows = _rows(con, with_orphans=not report.refused) if con else iter(())
        for file, lines in groupby(merge(_refused(report), rows, key=of_file), of_file):
            _write_file(_path(folder, file, names), lines)
        report.returned = len(names)
    except (OSError, XlsxWriterException):
        report.returned = None
    report.returns = str(folder)


def _refused(report: Report) -> Iterator[_Line]:
    """A line for each refused file."""
    words = expected.returned()
    for missing in sorted(report.refused, key=attrgetter("file")):
        yield missing.file, (words["whole_file"], "", words["refused"], "", in_language(missing.reason, "fa"))


def _rows(con: duckdb.DuckDBPyConnection, with_orphans: bool) -> Iterator[_Line]:
    """A line for each fault, file by file. Without `with_orphans`, they may refer to rows of a file that is refused."""
    words = expected.returned()
    with build_database.new_cursor(con) as cursor:
        cursor.execute(
            "select file, source_table, sheet, line, column_name, reason, expected, outcome from ("
            "select *, 'rejected' as outcome from quarantine union all select *, 'warned' from warned"
            ") where $with_orphans or reason not like 'orphan_%' "
            "order by file, source_table, sheet nulls first, line, column_name, reason",
            {"with_orphans": with_orphans},
        )
        while rows := cursor.fetchmany(_ROWS_IN_MEMORY):
            for file, table, sheet, line, name, reason, form, outcome in rows:
                column = contract(table).by_name.get(name)
                place = expected.place(sheet, line)
                title = column.headers[0] if column else ""
                yield file, (place, title, words[outcome], in_language(form or "", "fa"), expected.remedy(name, reason))


def _path(folder: Path, file: str, names: set[str]) -> Path:
    """The path of the workbook for a file; names that are too long or alike get a number."""
    stem = file.replace("/", "_")
    name = stem[:_LONGEST_NAME]
    if name in names or name != stem:
        name = f"{name} {len(names) + 1}"
    names.add(name)
    return folder / f"{_PREFIX}{name}.xlsx"


def _write_file(path: Path, lines: Iterator[_Line]) -> None:
    import xlsxwriter

    words = expected.returned()
    first = list(islice(lines, _ROWS_IN_MEMORY))
    # The temporary files of a small workbook take longer than its rows.
    options = {
        "in_memory": len(first) < _ROWS_IN_MEMORY,
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
    }
    try:
        with xlsxwriter.Workbook(str(path), options) as book:
            write = text_sheet(book, words["sheet"], [words[name] for name in _COLUMNS], _WIDTHS)
            for number, (_, cells) in enumerate(chain(first, islice(lines, _MOST_ROWS - len(first))), 1):
                write(number, cells)
            if more := sum(1 for _ in lines):
                write(number + 1, [persian_digits(words["more"].format(count=more))])
    except BaseException:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        raise
