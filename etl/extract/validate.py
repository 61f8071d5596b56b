"""Reading one submitted file: every value is validated, and the typed rows are written as Arrow. Runs in a worker process.

The results are typed rows without names or national ids, the faults, and counts.
"""

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.core import text_folding
from etl.core.errors import Refused
from etl.extract import parse_values
from etl.extract.contract import Column, Contract, contract
from etl.extract.limits import DEFAULT, Limits, unpacked_size
from etl.extract.open_source import open_source, recognised
from etl.extract.postgresql import Origin, digest_of, opened
from etl.extract.source_file import Batch, SourceFile
from etl.extract.text_columns import Texts

_ARROW = {
    "date": pa.date32(),
    "number": pa.float64(),
    "yes_no": pa.bool_(),
    "national_id": pa.uint64(),
}
FAULTS = pa.schema(
    [("file_number", pa.int32()), ("line", pa.int64()), ("column_name", pa.string()), ("reason", pa.string())]
)
# The report names this many extra columns.
_EXTRAS_NAMED = 50
_LONGEST_TITLE = 60

# The note of each habit that is counted. Data quality shows them in both languages.
_COUNTED = {
    "padded": "national ids padded with leading zeros",
    "id_with_marks": "national ids with dashes or spaces read",
    "date_with_time": "days with a time of midnight read",
    "date_with_spaces": "days with spaces in them read",
    "date_with_dots": "days written with dots read",
    "date_day_first": "days written day first read",
    "date_month_name": "days with the name of the month read",
    "empty_mark": "dashes and dots read as empty",
    "synonym": "other words read as those of the contract",
    "hamza": "words with another hamza read",
    "grouped_number": "numbers with thousands separators read",
    "county": "unknown counties loaded as unknown",
    "invisible": "invisible characters stripped",
}

Fault = tuple[int, str, str]


class BuildDiskFull(Exception):
    """The folder of the build cannot be written; the file is not at fault."""


@dataclass(frozen=True)
class Job:
    """One file to read: its path, its table, its number within the build, and the folder for its rows.

    `origin` describes a table of a database; `path` is then the file that names it.
    """

    path: Path
    table: str
    number: int
    folder: Path
    origin: Origin | None = None

    @property
    def label(self) -> str:
        """The file's name for display, with unprintable characters escaped."""
        if self.origin:
            return self.origin.label
        return text_folding.printable(os.fsencode(self.path.name).decode("utf-8", "backslashreplace"))

    @property
    def rows_file(self) -> Path:
        """The file of the typed rows."""
        return self.folder / f"{self.number}.rows.arrow"

    @property
    def faults_file(self) -> Path:
        """The file of the faults."""
        return self.folder / f"{self.number}.faults.arrow"

    @property
    def warned_file(self) -> Path:
        """The file of the faults in columns whose bad values load as unknown."""
        return self.folder / f"{self.number}.warned.arrow"


@dataclass(frozen=True)
class Read:
    """The outcome of reading one file; `bytes` and `sha256` are those of the file."""

    rows_read: int
    sha256: str
    bytes: int
    notes: tuple[str, ...]
    table: str = ""
    sheets: tuple[str, ...] = ()


def recognised_table(path: Path, limits: Limits = DEFAULT) -> str:
    """The table that the headers of a file match. Raises Refused if they match none or several."""
    limits.refuse_unpacked(_regular_file(path).st_size)
    limits.refuse_unpacked(unpacked_size(path))
    return recognised(path, limits)


def row_schema(of: Contract) -> pa.Schema:
    """The schema of the typed rows of a table."""
    fields = [("file_number", pa.int32()), ("line", pa.int64())]
    for column in of.entering:
        fields.append((column.stored, _ARROW.get(column.type, pa.string())))
        if column.shown:
            fields.append((f"{column.name}_shown", pa.string()))
    return pa.schema(fields)


def read(job: Job, validator: "Validator", progress: Callable[[int, float], None], limits: Limits = DEFAULT) -> Read:
    """Read one file; `progress` is called with the rows and the share of bytes read (0 to 1).

    Raises Refused if the file as a whole is not accepted, BuildDiskFull if its rows cannot be written.
    """
    if job.origin:
        return _read_database(job, job.origin, validator, progress, limits)
    before = _regular_file(job.path)
    # Checked before reading: a sparse file can claim terabytes and take no disk.
    limits.refuse_unpacked(before.st_size)
    limits.refuse_unpacked(unpacked_size(job.path))
    digest = _sha256(job.path)
    source = open_source(job.path, contract(job.table), limits)
    _write(job, source, validator, progress, limits)
    after = _regular_file(job.path)
    if _identity(before) != _identity(after):
        raise Refused("the file changed while it was read")
    return _outcome(job, source, validator, digest, before.st_size)


def _read_database(
    job: Job, origin: Origin, validator: "Validator", progress: Callable[[int, float], None], limits: Limits
) -> Read:
    digest, size = hashlib.sha256(), 0

    def digested(batches: Iterator[Batch]) -> Iterator[Batch]:
        nonlocal size
        for batch in batches:
            size += digest_of(batch, digest)
            yield batch

    with opened(origin, contract(job.table)) as source:
        source.batches = digested(source.batches)
        _write(job, source, validator, progress, limits)
    return _outcome(job, source, validator, digest.hexdigest(), size)


def _write(
    job: Job, source: SourceFile, validator: "Validator", progress: Callable[[int, float], None], limits: Limits
) -> None:
    validator.counts.clear()
    with _writers(job, limits) as (write_rows, write_faults, write_warned):
        for batch in source.batches:
            limits.refuse_rows(source.rows_read)
            if len(batch.lines):
                rows, faults, warned = validator.validate(batch, job.number)
                write_rows(rows)
                write_faults(faults)
                write_warned(warned)
            progress(source.rows_read, source.share_read)
        limits.refuse_rows(source.rows_read)
        write_faults(source.rejects)
        write_warned(source.warned)


def _outcome(job: Job, source: SourceFile, validator: "Validator", digest: str, size: int) -> Read:
    notes = tuple(_notes(contract(job.table), source, validator.counts))
    return Read(source.rows_read, digest, size, notes, job.table, tuple(source.sheets))


def _regular_file(path: Path) -> os.stat_result:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise Refused("not a regular file")
    return status


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _writers(
    job: Job, limits: Limits
) -> Iterator[tuple[Callable[[Any], None], Callable[[list[Fault]], None], Callable[[list[Fault]], None]]]:
    """Three functions that write rows, faults, and faults whose value loads as unknown."""
    streams: list[Any] = []
    sinks: list[Any] = []

    def sink_of(path: Path, schema: pa.Schema) -> Any:
        sink = pa.OSFile(str(path), "wb")
        stream = pa.ipc.new_stream(sink, schema)
        streams.extend((stream, sink))
        sinks.append(sink)
        return stream

    def writing(action: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return action(*arguments)
        except OSError as error:
            raise BuildDiskFull(os.strerror(error.errno) if error.errno else type(error).__name__) from None

    def write_rows(batch: pa.RecordBatch) -> None:
        limits.refuse_disk(batch.nbytes + sum(sink.tell() for sink in sinks))
        writing(rows.write_batch, batch)

    def write_faults(stream: Any, batch: list[Fault]) -> None:
        if batch:
            lines, columns, reasons = zip(*batch, strict=True)
            numbers = pa.array([job.number] * len(batch), pa.int32())
            arrays = [numbers, pa.array(lines, pa.int64()), pa.array(columns), pa.array(reasons)]
            writing(stream.write_batch, pa.record_batch(arrays, schema=FAULTS))

    rows = writing(sink_of, job.rows_file, row_schema(contract(job.table)))
    faults = writing(sink_of, job.faults_file, FAULTS)
    warned = writing(sink_of, job.warned_file, FAULTS)
    try:
        yield write_rows, partial(write_faults, faults), partial(write_faults, warned)
    finally:
        for stream in streams:
            writing(stream.close)


def _notes(of: Contract, source: SourceFile, counts: Counter[str]) -> list[str]:
    notes = list(source.notes)
    notes += [f"{name} is missing: {what}" for name, what in of.absent.items() if name not in source.match.positions]
    if extra := source.match.extra:
        named = [text_folding.shown(title)[:_LONGEST_TITLE] for title in extra[:_EXTRAS_NAMED]]
        more = f" and {len(extra) - _EXTRAS_NAMED} more" if len(extra) > _EXTRAS_NAMED else ""
        notes.append(f"extra columns ignored: {', '.join(named)}{more}")
    for titles, words in (
        (source.match.decorated, "headers read despite signs or hamza"),
        (source.match.near(), "headers ignored that look like a column"),
    ):
        if titles:
            named = [text_folding.shown(title)[:_LONGEST_TITLE] for title in titles[:_EXTRAS_NAMED]]
            notes.append(f"{words}: {', '.join(named)}")
    notes += [f"{words}: {counts[name]}" for name, words in _COUNTED.items() if counts[name]]
    return notes


class Validator:
    """Turns the text of a batch into typed columns and faults; every distinct text of a batch is parsed once."""

    def __init__(self, of: Contract, setting: parse_values.Setting) -> None:
        self._contract = of
        self._schema = row_schema(of)
        self._counties = setting.places.counties
        self._columns = {column.name: _ColumnValidator(column, setting) for column in of.entering}
        self.counts: Counter[str] = Counter()

    def validate(self, batch: Batch, file_number: int) -> tuple[pa.RecordBatch, list[Fault], list[Fault]]:
        """The typed rows of a batch (null for unknown and faulty values), the faults that reject a row, and the faults
        whose value loads as unknown."""
        size = len(batch.lines)
        arrays: list[Any] = [pa.array(np.full(size, file_number, np.int32)), pa.array(batch.lines)]
        faults: list[Fault] = []
        warned: list[Fault] = []
        provinces: Any = None
        for column in self._contract.entering:
            texts = batch.columns.get(column.name)
            if texts is None:
                arrays += [pa.nulls(size, _ARROW.get(column.type, pa.string()))] * (1 + column.shown)
                continue
            if not pa.types.is_dictionary(texts.type):
                texts = texts.dictionary_encode()
            distinct, codes = Texts(texts.dictionary), texts.indices
            result = self._columns[column.name].validate(distinct)
            if column.type == "county":
                array = self._county(provinces, result.typed, codes)
                is_unknown = pc.and_(pc.is_valid(result.typed.take(codes)), pc.is_null(array))
                unknown = batch.lines[is_unknown.to_numpy(zero_copy_only=False)]
                warned += [(line, column.name, "unknown_value") for line in unknown.tolist()]
            else:
                array = result.typed.take(codes)
            arrays.append(array)
            if column.type == "province":
                provinces = array
            if column.shown:
                shown = text_folding.shown_code if column.type == "code" else text_folding.shown
                arrays.append(pa.array([shown(text) for text in distinct.written], pa.string()).take(codes))
            self._count_habits(distinct, result, codes)
            # A row with bytes that are no text is rejected even if the column's bad values load as unknown.
            for fault in _faults(column, result, codes, batch.lines):
                (faults if column.bad == "reject" or fault[2] == "bad_encoding" else warned).append(fault)
        return pa.record_batch(arrays, schema=self._schema), faults, warned

    def _count_habits(self, distinct: Texts, result: parse_values.ValidationResult, codes: Any) -> None:
        """Add the habits in a column's texts to `counts`, which the load report shows."""
        habits = [(name, code, 1) for name, with_habit in result.habits.items() for code in with_habit]
        if not distinct.is_printable:
            habits += [
                ("invisible", code, text_folding.count_invisible(text)) for code, text in enumerate(distinct.written)
            ]
        if habits:
            rows = np.bincount(codes.to_numpy(), minlength=len(distinct))
            for name, code, number in habits:
                self.counts[name] += int(rows[code]) * number

    def _county(self, provinces: pa.Array, folded: pa.Array, codes: Any) -> pa.Array:
        """The county of each row: which one a name means depends on the row's province."""
        names = folded.to_pylist()
        encoded = provinces.dictionary_encode("encode")
        known: list[str | None] = encoded.dictionary.to_pylist()
        pairs = encoded.indices.to_numpy() * len(names) + codes.to_numpy()
        distinct, position, count = np.unique(pairs, return_inverse=True, return_counts=True)
        counties = []
        for pair, times in zip(distinct.tolist(), count.tolist(), strict=True):
            province, name = known[pair // len(names)], names[pair % len(names)]
            code = self._counties.get((province or "", name)) if name else None
            self.counts["county"] += times if name and code is None else 0
            counties.append(code)
        return pa.array(counties, pa.string()).take(pa.array(position))


def _faults(column: Column, result: parse_values.ValidationResult, codes: Any, lines: np.ndarray) -> list[Fault]:
    """A fault for each row with a faulty text."""
    if not result.faults:
        return []
    is_bad = np.zeros(len(result.typed), bool)
    is_bad[list(result.faults)] = True
    places = codes.to_numpy()
    rows = np.flatnonzero(is_bad[places])
    return [
        (line, column.name, result.faults[code])
        for line, code in zip(lines[rows].tolist(), places[rows].tolist(), strict=True)
    ]


class _ColumnValidator:
    """Validates one column. Texts that are parsed one by one are cached."""

    # A column with more distinct texts holds keys; caching them costs more than parsing.
    _MOST_CACHED = 100_000
    _LONGEST_CACHED = 100

    def __init__(self, column: Column, setting: parse_values.Setting) -> None:
        self._column = column
        self._setting = setting
        self._kind = _ARROW.get(column.type, pa.string())
        self._convert = parse_values.converter(column, setting)
        self._habits = parse_values.habits(column)
        self._known: dict[str, tuple[Any, str | None, tuple[str, ...]]] = {}

    def validate(self, distinct: Texts) -> parse_values.ValidationResult:
        """The typed value of each text, the faults and the habits."""
        column, setting = self._column, self._setting
        if column.type == "national_id":
            return parse_values.parse_national_ids(distinct, column.required, setting.key)
        if column.type == "date":
            return parse_values.parse_days(distinct, column.required, column.future, setting.build_day)
        if len(self._known) > self._MOST_CACHED:
            self._known.clear()
        parsed = [self._known.get(text) or self._parse(text) for text in distinct.written]
        result = parse_values.ValidationResult(pa.array([value for value, _, _ in parsed], self._kind))
        for index, (_, reason, habits) in enumerate(parsed):
            if reason:
                result.faults[index] = reason
            if habits:
                result.note(habits, index)
        return result

    def _parse(self, text: str) -> tuple[Any, str | None, tuple[str, ...]]:
        value, reason = parse_values.parse(text, self._convert, self._column.required)
        parsed = value, reason, () if reason and reason != "missing_value" else self._habits(text)
        if len(text) <= self._LONGEST_CACHED:
            self._known[text] = parsed
        return parsed
