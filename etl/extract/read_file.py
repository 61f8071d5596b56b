"""Reading one submitted file: its rows are validated and written as Arrow. Runs in a worker process.

The results are typed rows without names or national ids, the faults, and counts.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from etl.core import text_folding
from etl.core.errors import Refused
from etl.core.files import sha256
from etl.extract.causes import because
from etl.extract.contract import TABLES, Contract, contract
from etl.extract.file_kinds import refuse_other_kinds
from etl.extract.limits import DEFAULT, Limits, unpacked_size
from etl.extract.postgresql import Origin, digest_of, opened
from etl.extract.source_file import Batch, SourceFile, without_examples
from etl.extract.source_folder import PERSIAN_NAMES, WORKBOOKS, ending_of, named_tables
from etl.extract.validate import FAULTS, Fault, Validator, row_schema

# A note names this many columns.
_TITLES_NAMED = 50
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
    "date_year_last": "days with the Gregorian year last refused",
    "empty_mark": "dashes and dots read as empty",
    "empty_word": "words for no value read as empty",
    "synonym": "other words read as those of the contract",
    "hamza": "words with another hamza read",
    "county": "counties not of their province loaded as unknown",
    "invisible": "invisible characters stripped",
}


class BuildDiskFull(Exception):
    """The folder of the build cannot be written; the file is not at fault."""


@dataclass(frozen=True)
class Job:
    """One file to read: its path, its table, its number within the build, and the folder for its rows.

    `origin` describes a table of a database; `path` is then the file that names it. `named`: the table in the file's name.
    """

    path: Path
    table: str
    number: int
    folder: Path
    origin: Origin | None = None
    named: str = ""

    @property
    def label(self) -> str:
        """The file's name for display, with unprintable characters escaped."""
        if self.origin:
            return self.origin.label
        return text_folding.printable(os.fsencode(self.path.name).decode("utf-8", "backslashreplace"))

    @property
    def written(self) -> int:
        """The bytes of disk that its rows and faults take so far."""
        return sum(self.file(kind).stat().st_size for kind in ("rows", "faults", "warned"))

    def file(self, kind: str) -> Path:
        """The file of its typed `rows`, its `faults`, or those `warned` of: bad values that load as unknown."""
        return self.folder / f"{self.number}.{kind}.arrow"


@dataclass(frozen=True)
class Read:
    """The outcome of reading one file; `bytes` and `sha256` are those of the file.

    `rows_read` is without `example`, the number of example lines of a template.
    """

    rows_read: int
    example: int
    sha256: str
    bytes: int
    notes: list[str]
    table: str
    sheets: list[str]
    other_tables: list[str]


def recognised(path: Path, limits: Limits = DEFAULT) -> str:
    """The table that the headers of a file match, the first one of a workbook. Raises Refused if they match none, or several."""
    _checked(path, limits)
    fitting, refusals = [], []
    for table in TABLES:
        try:
            open_source(path, contract(table), limits)
        except Refused as error:
            refusals.append((error.resembles, str(error)))
        else:
            fitting.append(table)
    if len(fitting) == 1 or (fitting and ending_of(path.name) in WORKBOOKS):
        return fitting[0]
    if fitting:
        raise because("several_tables", **named_tables(fitting))
    likely = [message for resembles, message in refusals if resembles]
    if len(likely) == 1:
        raise Refused(likely[0])
    messages = {message for _, message in refusals}
    if len(messages) == 1:
        # A damaged file is refused with the same message for every table.
        raise Refused(messages.pop())
    required = {table: [column for column in contract(table).columns if column.required] for table in TABLES}
    raise because(
        "no_table",
        expected="; ".join(f"{table}: {', '.join(column.name for column in of)}" for table, of in required.items()),
        expected_fa="؛ ".join(
            f"{PERSIAN_NAMES[table]}: {'، '.join(column.headers[0] for column in of)}" for table, of in required.items()
        ),
    )


def open_source(path: Path, contract: Contract, limits: Limits = DEFAULT, named: str = "") -> SourceFile:
    """The rows of `path`, whose name says `named`. Raises Refused, with place and reason, if it cannot be read as the table."""
    refuse_other_kinds(path, contract.table)
    ending = ending_of(path.name)
    if ending in WORKBOOKS:
        from etl.extract.workbook import open_workbook

        return open_workbook(path, contract, named)
    if ending == ".parquet":
        from etl.extract.parquet import open_parquet

        return open_parquet(path, contract, limits)
    from etl.extract.delimited import open_csv

    return open_csv(path, contract)


def read(job: Job, validator: Validator, progress: Callable[[int, float], None], limits: Limits = DEFAULT) -> Read:
    """Read one file; `progress` is called with the rows and the share of bytes read (0 to 1).

    Raises Refused if the file as a whole is not accepted, BuildDiskFull if its rows cannot be written.
    """
    if job.origin:
        return _read_database(job, job.origin, validator, progress, limits)
    before = _checked(job.path, limits)
    digest = sha256(job.path)
    source = open_source(job.path, contract(job.table), limits, job.named)
    _write(job, source, validator, progress, limits)
    after = _regular_file(job.path)
    if _identity(before) != _identity(after):
        raise because("changed")
    return _outcome(job, source, validator, digest, before.st_size)


def _read_database(
    job: Job, origin: Origin, validator: Validator, progress: Callable[[int, float], None], limits: Limits
) -> Read:
    digest, size = hashlib.sha256(), 0

    def digested(batches: Iterator[Batch]) -> Iterator[Batch]:
        nonlocal size
        for batch in batches:
            size += digest_of(batch, digest)
            limits.refuse_unpacked(size)
            yield batch

    with opened(origin, contract(job.table)) as source:
        source.batches = digested(source.batches)
        _write(job, source, validator, progress, limits)
    return _outcome(job, source, validator, digest.hexdigest(), size)


def _write(
    job: Job, source: SourceFile, validator: Validator, progress: Callable[[int, float], None], limits: Limits
) -> None:
    """Write the rows, the faults, and the faults whose value loads as unknown."""
    validator.counts.clear()
    validator.newer_counties.clear()
    schemas = {"rows": row_schema(contract(job.table)), "faults": FAULTS, "warned": FAULTS}
    with _build_disk():
        sinks = [pa.OSFile(str(job.file(kind)), "wb") for kind in schemas]
        streams = [pa.ipc.new_stream(sink, schema) for sink, schema in zip(sinks, schemas.values(), strict=True)]

    def write(stream: Any, batch: pa.RecordBatch) -> None:
        if batch.num_rows:
            with _build_disk():
                stream.write_batch(batch)

    rows, faults, warned = streams
    try:
        for batch in source.batches:
            limits.refuse_rows(source.rows_read + source.empty_rows)
            batch = without_examples(batch, source)
            if len(batch.lines):
                typed, rejected, unknown = validator.validate(batch, job.number)
                limits.refuse_disk(typed.nbytes + sum(sink.tell() for sink in sinks))
                write(rows, typed)
                write(faults, _fault_batch(job, rejected))
                write(warned, _fault_batch(job, unknown))
            progress(source.rows_read, source.share_read)
        limits.refuse_rows(source.rows_read + source.empty_rows)
        write(faults, _fault_batch(job, source.rejects))
        write(warned, _fault_batch(job, source.warned))
    finally:
        with _build_disk():
            for opened_file in (*streams, *sinks):
                opened_file.close()


def _fault_batch(job: Job, faults: Sequence[Fault]) -> pa.RecordBatch:
    lines, columns, reasons = zip(*faults, strict=True) if faults else ((), (), ())
    return pa.record_batch([[job.number] * len(faults), lines, columns, reasons], schema=FAULTS)


@contextmanager
def _build_disk() -> Iterator[None]:
    """Raises BuildDiskFull for an error of the disk: the file that is read is not at fault."""
    try:
        yield
    except OSError as error:
        raise BuildDiskFull(os.strerror(error.errno) if error.errno else type(error).__name__) from None


def _outcome(job: Job, source: SourceFile, validator: Validator, digest: str, size: int) -> Read:
    absent, counts = contract(job.table).absent, validator.counts
    notes = list(source.notes)
    notes += [
        f"{words}: {count}"
        for count, words in (
            (source.empty_rows, "empty rows passed over"),
            (source.examples, "example lines not loaded"),
            (source.headers_again, "headers that stand again among the rows passed over"),
            (source.totals, "rows of totals passed over"),
        )
        if count
    ]
    notes += [f"{name} is missing: {what}" for name, what in absent.items() if name not in source.match.positions]
    for titles, words in (
        (source.match.extra, "extra columns ignored"),
        (source.match.decorated, "headers read despite signs or hamza"),
        (source.match.near(), "headers ignored that look like a column"),
    ):
        if titles:
            named = [text_folding.display_text(title)[:_LONGEST_TITLE] for title in titles[:_TITLES_NAMED]]
            more = f" and {len(titles) - _TITLES_NAMED} more" if len(titles) > _TITLES_NAMED else ""
            notes.append(f"{words}: {', '.join(named)}{more}")
    notes += [f"{words}: {counts[name]}" for name, words in _COUNTED.items() if counts[name]]
    if newer := validator.newer_counties:
        by_name = ", ".join(f"{name} ({newer[name]})" for name in sorted(newer))
        notes.append(f"rows of counties created since 1395 counted in their parent: {by_name}")
    return Read(
        source.rows_read - source.examples,
        source.examples,
        digest,
        size,
        notes,
        job.table,
        source.sheets,
        sorted(source.other_tables, key=TABLES.index),
    )


def _regular_file(path: Path) -> os.stat_result:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise because("not_a_file")
    return status


def _checked(path: Path, limits: Limits) -> os.stat_result:
    """The status of a file of permitted size, checked before reading: a sparse file can claim terabytes and take no disk."""
    status = _regular_file(path)
    limits.refuse_unpacked(unpacked_size(path))
    return status


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev
