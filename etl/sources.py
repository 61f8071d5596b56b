"""A file becomes raw rows: all text, each with the line (or sheet row) it stood in. Nothing is judged here but what cannot
be read as a row at all.

The dialect is never sniffed from the body: the encoding and the separator are the ones under which the header answers to
the contract. CSV is split by Python's own strict reader, which says where a record begins and never drops one.
"""

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from etl.contract import Contract, Match, Refused

BATCH_ROWS = 20_000
# A field longer than this is a broken quote or an attack, not a name.
LONGEST_FIELD = 1_000_000
BIGGEST_UNPACKED = 2 << 30
# A batch holds at most so many characters, so that long fields cannot add up.
_BATCH_CHARACTERS = 32_000_000
_SEPARATORS = (",", ";", "\t", "|")
_HEADER_BYTES = 1 << 16
# Titles and blank rows may stand above the header of a sheet.
_HEADER_SEARCH_ROWS = 20


@dataclass
class Batch:
    """Some rows of a file: the line of each, and the text of each contract column that the file has."""

    lines: list[int]
    columns: dict[str, list[str]]


@dataclass
class Source:
    """One readable file: its batches, and what was met on the way. `rows_read` and `rejects` are complete when the batches are used up.

    A reject is (line, column, reason) of a record that is no row of the table.
    """

    match: Match
    batches: Iterator[Batch]
    rows_read: int = 0
    share_read: float = 0.0
    rejects: list[tuple[int, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def open_source(path: Path, contract: Contract) -> Source:
    """The rows of `path`. Raises Refused, with the place and the reason, where it cannot be read as the contract's table."""
    readers = {".xlsx": _open_xlsx, ".parquet": _open_parquet}
    return readers.get(path.suffix.lower(), _open_csv)(path, contract)


# ---- CSV


def _open_csv(path: Path, contract: Contract) -> Source:
    if not path.stat().st_size:
        raise Refused("the file is empty")
    encoding, separator, match = _dialect(path, contract)
    source = Source(match, iter(()))
    source.batches = _csv_batches(path, encoding, separator, source)
    return source


def _dialect(path: Path, contract: Contract) -> tuple[str, str, Match]:
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
    best: Match | None = None
    for encoding in _encodings(head):
        text = head.decode(encoding, errors="replace")
        for separator in _SEPARATORS:
            header = _first_record(text, separator)
            match = contract.match(header)
            if match.complete:
                return _confirmed(path, encoding), separator, match
            if best is None or len(match.positions) > len(best.positions):
                best = match
    assert best is not None
    raise Refused(f"line 1: {best.complaint()}")


def _encodings(head: bytes) -> tuple[str, ...]:
    if head.startswith(b"\xef\xbb\xbf"):
        return ("utf-8-sig",)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ("utf-16",)
    if b"\x00" in head[:200]:
        return ("utf-16-le", "utf-16-be", "utf-8")
    return ("utf-8", "cp1256")


def _first_record(text: str, separator: str) -> list[str]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        return next((record for record in reader if record), [])
    except csv.Error:
        return []


def _confirmed(path: Path, encoding: str) -> str:
    """An English header says nothing between UTF-8 and Windows-1256: the bytes of the body do.

    A file with some broken bytes among valid Persian UTF-8 stays UTF-8, and its broken rows are kept back.
    """
    if encoding != "utf-8":
        return encoding
    valid = broken = 0
    with path.open("rb") as file:
        for line in file:
            if line.isascii():
                continue
            try:
                line.decode("utf-8")
                valid += 1
            except UnicodeDecodeError:
                broken += 1
    return "cp1256" if broken > valid else "utf-8"


def _csv_batches(path: Path, encoding: str, separator: str, source: Source) -> Iterator[Batch]:
    width, size = None, path.stat().st_size
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        records = _records(file, separator)
        pending: list[tuple[int, list[str]]] = []
        characters = 0
        for line, record in records:
            if width is None:
                width = len(record or ())
                continue
            source.rows_read += 1
            if record is None or len(record) != width:
                source.rejects.append((line, "", "ragged_row"))
            elif spoilt := _undecoded(record, source.match):
                source.rejects.append((line, spoilt, "bad_encoding"))
            else:
                pending.append((line, record))
                characters += sum(map(len, record))
                if len(pending) >= BATCH_ROWS or characters > _BATCH_CHARACTERS:
                    source.share_read = file.buffer.raw.tell() / size  # type: ignore[attr-defined]
                    yield _batch(pending, source.match)
                    pending, characters = [], 0
        if pending:
            yield _batch(pending, source.match)


def _records(file: Any, separator: str) -> Iterator[tuple[int, list[str] | None]]:
    """Each record with the line it begins in; None for a line that cannot be split.

    A quote that opens and never closes would swallow every row after it, so the file is refused.
    """
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.reader(file, delimiter=separator, strict=True)
    line = 1
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "field larger" in str(error):
                raise Refused(f"line {line}: a field is longer than {LONGEST_FIELD:,} characters") from None
            if reader.line_num > line or "end of data" in str(error):
                raise Refused(f"line {line}: a quote opens and does not close properly") from None
            yield line, None
        else:
            if record:
                yield line, record
        line = reader.line_num + 1


def _undecoded(record: list[str], match: Match) -> str:
    """The column that holds a broken or a NUL byte; the first column's name where it is an extra one; empty if none."""
    text = "".join(record)
    if text.isascii() and "\x00" not in text:
        return ""
    if "\ufffd" not in text and "\x00" not in text:
        return ""
    for name, position in match.positions.items():
        if "\ufffd" in record[position] or "\x00" in record[position]:
            return name
    return next(iter(match.positions))


def _batch(records: list[tuple[int, list[str]]], match: Match) -> Batch:
    lines = [line for line, _ in records]
    columns = list(zip(*(record for _, record in records), strict=True))
    return Batch(lines, {name: list(columns[position]) for name, position in match.positions.items()})


# ---- XLSX


def _open_xlsx(path: Path, contract: Contract) -> Source:
    from python_calamine import CalamineWorkbook, SheetTypeEnum

    _refuse_bomb(path)
    try:
        book = CalamineWorkbook.from_path(str(path))
    except Exception as error:
        raise Refused(f"not a readable XLSX workbook ({type(error).__name__})") from None
    best: tuple[str, Match] | None = None
    for meta in book.sheets_metadata:
        if meta.typ != SheetTypeEnum.WorkSheet:
            continue
        try:
            sheet = book.get_sheet_by_name(meta.name)
        except Exception as error:
            raise Refused(f"sheet {meta.name}: not readable ({type(error).__name__})") from None
        top = [[_cell(value) for value in row] for row in islice(sheet.iter_rows(), _HEADER_SEARCH_ROWS)]
        first_row = sheet.start[0] if sheet.start else 0
        for offset, header in enumerate(top):
            match = contract.match(header)
            if match.complete:
                source = Source(match, iter(()))
                source.batches = _sheet_batches(sheet, offset, first_row, source)
                if len(book.sheet_names) > 1:
                    source.notes.append(f"read from sheet {meta.name}")
                return source
            if best is None or len(match.positions) > len(best[1].positions):
                best = (meta.name, match)
    if best is None:
        raise Refused("the workbook has no sheet with a row")
    raise Refused(f"sheet {best[0]}: {best[1].complaint()}")


def _refuse_bomb(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise Refused("not a readable XLSX workbook (broken ZIP)") from None
    if unpacked > BIGGEST_UNPACKED:
        raise Refused(f"the workbook unpacks to more than {BIGGEST_UNPACKED >> 30} GiB")


def _sheet_batches(sheet: Any, header_offset: int, first_row: int, source: Source) -> Iterator[Batch]:
    pending: list[tuple[int, list[str]]] = []
    for offset, cells in enumerate(sheet.iter_rows()):
        if offset <= header_offset:
            continue
        record = [_cell(value) for value in cells]
        if not any(record):
            continue
        source.rows_read += 1
        pending.append((first_row + offset + 1, record))
        if len(pending) >= BATCH_ROWS:
            yield _batch(pending, source.match)
            pending = []
    if pending:
        yield _batch(pending, source.match)


def _cell(value: Any) -> str:
    """A cell as the text a person would have typed: whole numbers without a point, days without their time."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


# ---- Parquet


def _open_parquet(path: Path, contract: Contract) -> Source:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise Refused(f"not a readable Parquet file ({type(error).__name__})") from None
    match = contract.match(file.schema_arrow.names)
    if not match.complete:
        raise Refused(f"schema: {match.complaint()}")
    titles = {name: file.schema_arrow.names[position] for name, position in match.positions.items()}
    for name, title in titles.items():
        kind = file.schema_arrow.field(title).type
        if pa.types.is_nested(kind):
            raise Refused(f"column {name}: a value is of type {kind}, not text, a number or a day")
    source = Source(match, iter(()))
    source.batches = _parquet_batches(file, titles, source)
    return source


def _parquet_batches(file: Any, titles: dict[str, str], source: Source) -> Iterator[Batch]:
    import pyarrow as pa

    try:
        for block in file.iter_batches(batch_size=BATCH_ROWS, columns=list(titles.values())):
            first = source.rows_read + 1
            source.rows_read += block.num_rows
            lines = list(range(first, first + block.num_rows))
            columns = {name: _texts(block.column(title)) for name, title in titles.items()}
            yield Batch(lines, columns)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise Refused(f"row {source.rows_read + 1}: the Parquet file is damaged ({type(error).__name__})") from None


def _texts(column: Any) -> list[str]:
    import pyarrow as pa

    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return ["" if value is None else value.decode("utf-8", "replace") for value in column.to_pylist()]
    return [_cell(value) for value in column.to_pylist()]
