"""One handed-in file is read, judged value by value and laid down as typed Arrow, in a process of its own.

A file is a stranger's: the process that parses it has a bound on memory and time, and dies alone. It hands back typed rows
without names or national ids, the faults it found, and its counts.
"""

import hashlib
import os
import resource
import stat
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pyarrow as pa

from etl import normalize, values
from etl.contract import Column, Contract, Refused, contract
from etl.sources import Batch, Source, open_source

# The bound on what one file's parser may take. XLSX needs the most: its sheet is held whole.
MEMORY_BYTES = 3 << 30

_ARROW = {
    "date": pa.date32(),
    "number": pa.float64(),
    "yes_no": pa.bool_(),
    "national_id": pa.uint64(),
}
_FAULTS = pa.schema([("line", pa.int64()), ("column", pa.string()), ("reason", pa.string())])


@dataclass(frozen=True)
class Job:
    """One file to read: its place, its table, its number among the files of the build, and where the rows go."""

    path: Path
    table: str
    number: int
    folder: Path
    setting: values.Setting

    @property
    def rows_file(self) -> Path:
        """Where the typed rows are laid down."""
        return self.folder / f"{self.number}.rows.arrow"

    @property
    def faults_file(self) -> Path:
        """Where the faults are laid down."""
        return self.folder / f"{self.number}.faults.arrow"


@dataclass(frozen=True)
class Read:
    """What reading one file came to."""

    rows_read: int
    sha256: str
    bytes: int
    notes: tuple[str, ...]


def row_schema(of: Contract) -> pa.Schema:
    """The columns of the typed rows of a table, in order."""
    fields = [("line", pa.int64())]
    for column in of.entering:
        fields.append((column.stored, _ARROW.get(column.type, pa.string())))
        if column.shown:
            fields.append((f"{column.name}_shown", pa.string()))
    return pa.schema(fields)


def run(job: Job, answer: Connection) -> None:
    """The child process: sends ("progress", rows, share) while it works, then ("done", Read) or ("refused", text)."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    try:
        answer.send(("done", read(job, lambda rows, share: answer.send(("progress", rows, share)))))
    except Refused as error:
        answer.send(("refused", str(error)))
    except MemoryError:
        answer.send(("refused", f"reading it takes more than {MEMORY_BYTES >> 30} GiB of memory"))
    except OSError as error:
        answer.send(("refused", error.strerror or type(error).__name__))
    except Exception as error:
        # The text of an unforeseen error may hold a value of the file, so only its kind is told.
        answer.send(("refused", f"cannot be read ({type(error).__name__})"))
    finally:
        answer.close()


def read(job: Job, progress: Callable[[int, float], None]) -> Read:
    """Read one file to its end. Raises Refused where the file as a whole cannot be taken."""
    before = _regular_file(job.path)
    digest = _sha256(job.path)
    source = open_source(job.path, contract(job.table))
    judge = _Judge(contract(job.table), job.setting)
    schema = row_schema(contract(job.table))
    with (
        pa.OSFile(str(job.rows_file), "wb") as rows_sink,
        pa.OSFile(str(job.faults_file), "wb") as faults_sink,
        pa.ipc.new_file(rows_sink, schema) as rows,
        pa.ipc.new_file(faults_sink, _FAULTS) as faults,
    ):
        for batch in source.batches:
            table, found = judge.judge(batch)
            rows.write_batch(pa.record_batch(table, schema=schema))
            _write_faults(faults, found)
            progress(source.rows_read, source.share_read)
        _write_faults(faults, source.rejects)
    after = _regular_file(job.path)
    if (before.st_size, before.st_mtime_ns, before.st_ino) != (
        after.st_size,
        after.st_mtime_ns,
        after.st_ino,
    ):
        raise Refused("the file changed while it was read")
    return Read(source.rows_read, digest, before.st_size, tuple(_notes(source, judge)))


def _regular_file(path: Path) -> os.stat_result:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise Refused("not a regular file")
    return status


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_faults(sink: Any, faults: list[tuple[int, str, str]]) -> None:
    if faults:
        lines, columns, reasons = zip(*faults, strict=True)
        sink.write_batch(pa.record_batch([list(lines), list(columns), list(reasons)], schema=_FAULTS))


def _notes(source: Source, judge: "_Judge") -> list[str]:
    notes = list(source.notes)
    if source.match.extra:
        notes.append("extra columns ignored: " + ", ".join(map(normalize.shown, source.match.extra)))
    counts = judge.counts
    if counts["padded"]:
        notes.append(f"national ids padded with leading zeros: {counts['padded']}")
    if counts["county"]:
        notes.append(f"unknown counties loaded as unknown: {counts['county']}")
    if counts["invisible"]:
        notes.append(f"invisible characters stripped: {counts['invisible']}")
    return notes


class _Judge:
    """Turns the text of a batch into typed columns and faults; every distinct text is judged once and remembered."""

    # Beyond so many remembered texts a column is one of keys, and remembering costs more than judging.
    _MOST_REMEMBERED = 200_000

    def __init__(self, of: Contract, setting: values.Setting) -> None:
        self._contract = of
        self._places = setting.places
        self._columns = {column.name: _Remembered(column, setting) for column in of.entering}
        self.counts: Counter[str] = Counter()

    def judge(self, batch: Batch) -> tuple[list[Any], list[tuple[int, str, str]]]:
        arrays: list[Any] = [batch.lines]
        faults: list[tuple[int, str, str]] = []
        province: list[Any] = []
        for column in self._contract.entering:
            texts = batch.columns.get(column.name)
            if texts is None:
                typed: list[Any] = [None] * len(batch.lines)
            else:
                typed = self._columns[column.name].values(texts, batch.lines, faults, self.counts)
            if column.type == "province":
                province = typed
            if column.type == "county" and texts is not None:
                typed = self._county(province, typed)
            arrays.append(typed)
            if column.shown:
                arrays.append([_written(column, text) for text in texts] if texts else typed)
        schema = row_schema(self._contract)
        return [pa.array(array, type=field.type) for array, field in zip(arrays, schema, strict=True)], faults

    def _county(self, provinces: list[Any], names: list[Any]) -> list[Any]:
        known = self._places.counties
        codes = [known.get(pair) for pair in zip(provinces, names, strict=True)]
        self.counts["county"] += sum(name is not None and code is None for name, code in zip(names, codes, strict=True))
        return codes


def _written(column: Column, text: str) -> str:
    """A text as it is shown; a code in Latin digits, which is how a question names it."""
    text = normalize.shown(text)
    return normalize.latin_digits(text) if column.type == "code" else text


class _Remembered:
    """The judgement of one column, text by text."""

    def __init__(self, column: Column, setting: values.Setting) -> None:
        self._column = column
        self._convert = values.converter(column, setting)
        self._values: dict[str, Any] = {}
        self._faults: dict[str, str] = {}

    def values(
        self,
        texts: list[str],
        lines: list[int],
        faults: list[tuple[int, str, str]],
        counts: Counter[str],
    ) -> list[Any]:
        distinct = set(texts)
        if len(self._values) > _Judge._MOST_REMEMBERED:
            self._values.clear()
            self._faults.clear()
        for text in distinct.difference(self._values):
            self._values[text] = self._judge(text)
        if bad := self._faults.keys() & distinct:
            name = self._column.name
            faults.extend(
                (line, name, self._faults[text]) for line, text in zip(lines, texts, strict=True) if text in bad
            )
        if self._column.type == "national_id":
            short = {text for text in distinct if text not in self._faults and values.padded(text)}
            counts["padded"] += sum(text in short for text in texts) if short else 0
        unseen = {text for text in distinct if normalize.count_invisible(text)}
        if unseen:
            counts["invisible"] += sum(normalize.count_invisible(text) for text in texts if text in unseen)
        return [self._values[text] for text in texts]

    def _judge(self, text: str) -> Any:
        if not normalize.fold(text):
            if self._column.required:
                self._faults[text] = "missing_value"
            return None
        try:
            return self._convert(text)
        except values.Fault as fault:
            self._faults[text] = str(fault)
            return None
