"""The rows of CSV and TSV files, in the dialect that etl/extract/dialect.py finds.

Arrow splits a piece of the file in which every line is a record. Python's strict csv reader, which keeps line numbers and
drops no record, splits any other piece: one with line breaks or quotes inside quotes. Both give the same rows.
"""

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from etl.extract.causes import because
from etl.extract.contract import Contract, known_titles
from etl.extract.dialect import MOST_COLUMNS, Dialect, dialect
from etl.extract.source_file import LONGEST_FIELD, TOTALS, Batch, SourceFile, is_header_again, is_totals, long_field

_PIECE_BYTES = 4 << 20
# A piece that Arrow cannot split is tried again in pieces of this size.
_SMALL_PIECE_BYTES = 1 << 16
_LONGEST_LINE_BYTES = 32 << 20
_LONGEST_AT_ONCE = 2 * _PIECE_BYTES
_SPACES = " \t\r\n"
_BROKEN = "\ufffd"
_WORDS_OF_TOTALS = [word.encode() for word in ("جمع", "مجموع", "otal", "OTAL")]
_TOTAL = re.compile(b"|".join(_WORDS_OF_TOTALS))
_SPOILT = re.compile(b"\x00|" + _BROKEN.encode())
_LINE_END = re.compile(r"\r\n|\r|\n")


def open_csv(path: Path, contract: Contract) -> SourceFile:
    """The rows of a delimited file. Raises Refused if its header does not match the contract."""
    how = dialect(path, contract)
    source = SourceFile(how.match)
    if how.titles:
        source.notes.append(f"lines above the headers skipped: {how.titles}")
    source.batches = _Delimited(path, how, source).batches()
    return source


class _Delimited:
    """The records of one delimited file after its header."""

    def __init__(self, path: Path, how: Dialect, source: SourceFile) -> None:
        self._path = path
        self._how = how
        self._source = source
        self._positions = source.match.positions
        checked = {self._positions.get(column.name) for column in source.match.of.entering}
        # The columns that are not validated, each with its name in the contract, else empty.
        names = {at: name for name, at in self._positions.items()}
        self._others = {at: names.get(at, "") for at in range(len(source.match.titles)) if at not in checked}
        self._width = 0
        # The line number at which the next piece begins.
        self._line = 1
        self._pending: deque[bytes] = deque()
        self._more = self._pieces()

    def batches(self) -> Iterator[Batch]:
        """The rows, piece by piece; records that are no rows go to the source's rejects."""
        csv.field_size_limit(LONGEST_FIELD)
        self._read_header()
        while piece := self._next_piece():
            if batch := self._split_at_once(piece):
                yield batch
            elif len(smaller := _in_small_pieces(piece)) > 1:
                self._pending.extendleft(reversed(smaller))
            else:
                yield self._split_by_record(piece)

    def _next_piece(self) -> bytes:
        return self._pending.popleft() if self._pending else next(self._more, b"")

    def _pieces(self) -> Iterator[bytes]:
        """The file as UTF-8, in pieces that end at line ends."""
        is_utf8 = self._how.encoding in ("utf-8", "utf-8-sig")
        decoder = None if is_utf8 else codecs.getincrementaldecoder(self._how.encoding)("replace")
        size = self._path.stat().st_size or 1
        remainder = b""
        with self._path.open("rb") as file:
            if self._how.encoding == "utf-8-sig":
                file.seek(len(codecs.BOM_UTF8))
            while raw := file.read(_PIECE_BYTES):
                self._source.share_read = file.tell() / size
                text = remainder + (decoder.decode(raw).encode() if decoder else raw)
                # Files of old Macintoshes end lines with a lone carriage return.
                end = text.rfind(b"\n") + 1 or text.rfind(b"\r", 0, -1) + 1
                if end:
                    yield text[:end]
                remainder = text[end:]
                if len(remainder) > _LONGEST_LINE_BYTES:
                    raise because("long_line", line=self._line, most=_LONGEST_LINE_BYTES >> 20)
        if decoder:
            remainder += decoder.decode(b"", final=True).encode()
        if remainder:
            yield remainder

    def _lines(self, waiting: deque[str]) -> Iterator[str]:
        """The waiting lines, with their line ends; fetches the next piece only if a record reaches into it."""
        while waiting or (piece := self._next_piece()):
            if not waiting:
                waiting.extend(_split_lines(piece))
            yield waiting.popleft()

    def _read_header(self) -> None:
        piece = self._next_piece()
        # Only a header that spans lines, or follows titles, reaches beyond the first line.
        end = len(piece) if self._how.above else piece.find(b"\n") + 1 or len(piece)
        if end < len(piece):
            self._pending.appendleft(piece[end:])
        waiting = deque(_split_lines(piece[:end]))
        lines = self._lines(waiting)
        for _ in range(self._how.above):
            next(lines)
        reader = csv.reader(lines, delimiter=self._how.separator, strict=True)
        try:
            header = next((record for record in reader if record), [])
        except csv.Error:
            raise because("header_not_split", line=self._how.above + 1) from None
        self._width = len(header)
        if self._width > MOST_COLUMNS:
            raise because("too_many_columns", line=self._how.above + 1, most=f"{MOST_COLUMNS:,}")
        self._line += self._how.above + reader.line_num
        if waiting:
            self._pending.appendleft("".join(waiting).encode())

    def _split_at_once(self, piece: bytes) -> Batch | None:
        """The rows of a piece in which every line is a record; None for any other piece."""
        # Arrow drops a byte order mark at the beginning of any piece, as if it began the file.
        if len(piece) > _LONGEST_AT_ONCE or piece.startswith(codecs.BOM_UTF8):
            return None
        try:
            piece.decode()
        except UnicodeDecodeError:
            piece = piece.decode("utf-8", "replace").encode()
        ends = _line_ends(piece)
        quoted = b'"' in piece
        if _returns_alone(piece, ends) or (quoted and not _quotes_are_plain(piece, ends, self._how.separator)):
            return None
        table, ragged = self._parse(piece, quoted)
        is_row = np.ones(len(ends), bool)
        is_row[ragged] = False
        if table.num_rows != is_row.sum():
            return None
        try:
            (blank, separators), spoilt = self._empty_lines(piece, ends), self._spoilt_lines(piece, ends)
            again, totals = self._no_rows(piece, ends, table, np.flatnonzero(is_row), ragged)
        except csv.Error:
            # A field is too long; record by record, its line is named.
            return None
        passed_over = [*blank, *separators, *again, *totals]
        self._source.empty_rows += len(separators)
        self._source.headers_again += len(again)
        self._source.totals += len(totals)
        ragged = sorted({*ragged}.difference(passed_over))
        self._source.rejects += [(self._line + at, "", "ragged_row") for at in ragged]
        self._source.rejects += [(self._line + at, name, "bad_encoding") for at, name in spoilt]
        is_sound = is_row.copy()
        is_sound[passed_over] = False
        table = table if is_sound.sum() == table.num_rows else table.filter(pa.array(is_sound[is_row]))
        lines = self._line + np.flatnonzero(is_sound)
        columns = {name: table.column(str(position)).combine_chunks() for name, position in self._positions.items()}
        self._line += len(ends)
        self._source.rows_read += len(ends) - len(passed_over)
        return Batch(lines, columns)

    def _parse(self, piece: bytes, quoted: bool) -> tuple[pa.Table, list[int]]:
        """The fields of a piece, and its lines (from 0) with another number of fields than the header."""
        ragged: list[int] = []

        def skip(row: arrow_csv.InvalidRow) -> str:
            ragged.append(row.number - 1)
            return "skip"

        column_names = [str(position) for position in self._positions.values()]
        table = arrow_csv.read_csv(
            pa.py_buffer(piece),
            read_options=arrow_csv.ReadOptions(
                use_threads=False,
                block_size=len(piece) + 1,
                column_names=[str(position) for position in range(self._width)],
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self._how.separator,
                quote_char='"' if quoted else False,
                double_quote=False,
                ignore_empty_lines=False,
                invalid_row_handler=skip,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(column_names, pa.dictionary(pa.int32(), pa.string())),
                include_columns=column_names,
                null_values=[],
                strings_can_be_null=False,
            ),
        )
        return table, ragged

    def _empty_lines(self, piece: bytes, ends: np.ndarray) -> tuple[list[int], list[int]]:
        """The lines, from 0, that hold nothing, and those that hold nothing but separators."""
        fillers = f'{self._how.separator}"{_SPACES}'.encode()
        starts = np.concatenate(([0], ends[:-1] + 1))
        first = np.frombuffer(piece, np.uint8)[np.minimum(starts, len(piece) - 1)]
        likely = np.flatnonzero(np.isin(first, list(fillers)) | (starts == ends)).tolist()
        empty = [
            at
            for at in likely
            if not (line := piece[starts[at] : ends[at]]).strip(fillers)
            and not (b'"' in line and self._has_value(line))
        ]
        blank = [at for at in empty if piece[starts[at] : ends[at]] in (b"", b"\r")]
        return blank, sorted({*empty} - {*blank})

    def _has_value(self, line: bytes) -> bool:
        """Whether a line of separators, quotes and spaces has a value: a separator in quotes is one."""
        record = next(csv.reader([line.decode()], delimiter=self._how.separator, strict=True), [])
        return any(cell.strip(_SPACES) for cell in record)

    def _no_rows(
        self, piece: bytes, ends: np.ndarray, table: pa.Table, rows: np.ndarray, ragged: list[int]
    ) -> tuple[list[int], list[int]]:
        """The lines, from 0, that hold the headers again, and those of totals. Raises Refused for headers of another table."""
        likely = {*ragged}
        for column in table.columns:
            encoded = column.combine_chunks()
            is_title = pc.is_in(encoded.dictionary, _telling()).to_numpy(zero_copy_only=False)
            if len(codes := np.flatnonzero(is_title)):
                likely |= {*rows[np.isin(encoded.indices.to_numpy(), codes)].tolist()}
        # The cell of a sum may be in a column that is not read.
        if any(word in piece for word in _WORDS_OF_TOTALS):
            places = [match.start() for match in _TOTAL.finditer(piece)]
            likely |= {*np.searchsorted(ends, places).tolist()}
        again, totals = [], []
        for at in sorted(likely):
            line = piece[ends[at - 1] + 1 if at else 0 : ends[at]].decode()
            record = next(csv.reader([line], delimiter=self._how.separator, strict=True), [])
            if self._is_header_again(record, self._line + at):
                again.append(at)
            elif is_totals(record, self._source.match):
                totals.append(at)
        return again, totals

    def _is_header_again(self, record: list[str], line: int) -> bool:
        return is_header_again(record, self._source.match, f"line {line}", f"سطر {line}")

    def _spoilt_lines(self, piece: bytes, ends: np.ndarray) -> list[tuple[int, str]]:
        """The lines, from 0, and columns of `_spoilt` cells."""
        # The pattern is slow, and few files have such bytes.
        if b"\x00" not in piece and _BROKEN.encode() not in piece:
            return []
        found = np.unique(np.searchsorted(ends, [match.start() for match in _SPOILT.finditer(piece)])).tolist()
        lines = [piece[ends[at - 1] + 1 if at else 0 : ends[at]].decode() for at in found]
        records = csv.reader(lines, delimiter=self._how.separator, strict=True)
        return [
            (at, name)
            for at, record in zip(found, records, strict=True)
            if len(record) == self._width
            for name in self._spoilt(record)
        ]

    def _spoilt(self, record: list[str]) -> list[str]:
        """The columns that hold an invalid or NUL byte and are not validated."""
        return [name for at, name in self._others.items() if _BROKEN in record[at] or "\x00" in record[at]]

    def _split_by_record(self, piece: bytes) -> Batch:
        """The rows of a piece, and of following pieces if a record reaches into them."""
        waiting = deque(_split_lines(piece))
        reader = csv.reader(self._lines(waiting), delimiter=self._how.separator, strict=True)
        rows: list[tuple[int, list[str]]] = []
        while waiting:
            line = self._line + reader.line_num
            record = self._record(reader, line)
            if record == []:
                continue
            if record and not any(cell.strip(_SPACES) for cell in record):
                self._source.empty_rows += 1
                continue
            if record and self._is_header_again(record, line):
                self._source.headers_again += 1
                continue
            if record and is_totals(record, self._source.match):
                self._source.totals += 1
                continue
            self._source.rows_read += 1
            if record is None or len(record) != self._width:
                self._source.rejects.append((line, "", "ragged_row"))
                continue
            self._source.rejects += [(line, name, "bad_encoding") for name in self._spoilt(record)]
            rows.append((line, record))
        self._line += reader.line_num
        cells = list(zip(*(record for _, record in rows), strict=True)) or [()] * self._width
        columns = {name: pa.array(cells[position], pa.string()) for name, position in self._positions.items()}
        return Batch(np.array([line for line, _ in rows], dtype=np.int64), columns)

    def _record(self, reader: "csv._reader", line: int) -> list[str] | None:  # type: ignore[name-defined]
        """The next record; empty for a blank line, None for a line that cannot be split.

        Raises Refused for a quote that is never closed: it would swallow the rows after it.
        """
        before = reader.line_num
        try:
            record: list[str] = next(reader, [])
        except csv.Error as error:
            if "field larger" in str(error):
                raise long_field(f"line {line}", f"سطر {line}") from None
            if reader.line_num > before + 1 or "end of data" in str(error):
                raise because("open_quote", line=line) from None
            return None
        if reader.line_num > before + 1 and _swallows_rows(record, self._width, self._how.separator):
            raise because("swallowing_quote", line=line)
        return record


@cache
def _telling() -> pa.Array:
    """The cells of a line that may be no row."""
    return pa.array(sorted(known_titles() | TOTALS), pa.string())


def _split_lines(piece: bytes) -> list[str]:
    return list(io.StringIO(piece.decode("utf-8", "replace"), newline=""))


def _in_small_pieces(piece: bytes) -> list[bytes]:
    """`piece` cut at line ends."""
    cut: list[bytes] = []
    start = 0
    while start < len(piece):
        end = piece.find(b"\n", start + _SMALL_PIECE_BYTES) + 1 or len(piece)
        cut.append(piece[start:end])
        start = end
    return cut


def _line_ends(piece: bytes) -> np.ndarray:
    """The offset at which each line of `piece` ends: its line feed, or the end of the piece."""
    ends = np.flatnonzero(np.frombuffer(piece, np.uint8) == ord("\n"))
    return ends if piece.endswith(b"\n") else np.append(ends, len(piece))


def _returns_alone(piece: bytes, ends: np.ndarray) -> bool:
    """Whether a carriage return occurs anywhere but before a line feed."""
    content = np.frombuffer(piece, np.uint8)
    before_feeds = content[ends[(ends > 0) & (ends < len(piece))] - 1]
    return np.count_nonzero(content == ord("\r")) != np.count_nonzero(before_feeds == ord("\r"))


def _quotes_are_plain(piece: bytes, ends: np.ndarray, separator: str) -> bool:
    """Whether quotes enclose whole fields only, without quotes or line ends inside."""
    content = np.frombuffer(piece, np.uint8)
    quotes = np.flatnonzero(content == ord('"'))
    if len(quotes) % 2:
        return False
    opening, closing = quotes[::2], quotes[1::2]
    before = content[opening[opening > 0] - 1]
    after = content[closing[closing < len(content) - 1] + 1]
    borders = (ord(separator), ord("\n"))
    if not np.isin(before, borders).all() or not np.isin(after, (*borders, ord("\r"))).all():
        return False
    return bool((np.searchsorted(ends, opening) == np.searchsorted(ends, closing)).all())


def _swallows_rows(record: list[str], width: int, separator: str) -> bool:
    """Whether a quoted field contains rows: lines with as many separators as a row of the table."""
    for position, text in enumerate(record):
        first, *others = [line.count(separator) for line in _LINE_END.split(text)]
        if others and (width - 1 in others[:-1] or (first, others[-1]) == (width - 1 - position, position)):
            return True
    return False
