"""Rows for files, in Arrow record batches: of an Answer in memory, or streamed from a query or a file of rows.

Columns have the names of the Answer's columns and one of five types: text, integer, float, date, boolean; a column in
memory with nothing but None has the type null.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer

BATCH = 25_000


@dataclass(frozen=True)
class InMemoryRows:
    """The rows of an Answer."""

    answer: Answer

    def count(self) -> int:
        """How many rows there are."""
        return len(self.answer.rows)

    @contextmanager
    def read(self) -> Iterator[pa.RecordBatchReader]:
        """All rows, in their order."""
        arrays = [_array([row[i] for row in self.answer.rows]) for i in range(len(self.answer.columns))]
        yield pa.table(arrays, names=self.answer.columns).to_reader(BATCH)


@dataclass(frozen=True)
class StreamedRows:
    """Rows too many for memory: their query, and `answer`, their Answer without rows.

    `counting` is the query of their number, without sorting. `connect` opens a connection, which is closed after each use.
    """

    answer: Answer
    sql: str
    counting: str
    parameters: Mapping[str, Any]
    connect: Callable[[], ScopedCursor]

    def count(self) -> int:
        """How many rows there are."""
        with self.connect() as con:
            ((count,),) = con.execute(self.counting, dict(self.parameters)).fetchall()
        return int(count)

    def first(self, most: int) -> Answer:
        """The Answer with its first rows, at most `most`."""
        with self.connect() as con:
            rows = con.execute(f"from ({self.sql}) limit {most:d}", dict(self.parameters)).fetchall()
        return replace(self.answer, rows=rows)

    @contextmanager
    def read(self) -> Iterator[pa.RecordBatchReader]:
        """All rows, in order; only a few batches are in memory at a time."""
        with self.connect() as con:
            reader = con.sql(self.sql, params=dict(self.parameters)).to_arrow_reader(BATCH)
            kinds = [_exported_type(kind) for kind in reader.schema.types]
            schema = pa.schema(zip(self.answer.columns, kinds, strict=True))
            batches = (batch.rename_columns(schema.names).cast(schema) for batch in reader)
            yield pa.RecordBatchReader.from_batches(schema, batches)


@dataclass(frozen=True)
class StoredRows:
    """Rows too many for the memory of a web process: those of an Answer in a Parquet file; `answer` is without rows.

    The file is read a batch at a time. `owner` removes it when nothing refers to these rows any more.
    """

    answer: Answer
    path: Path
    rows: int
    owner: Any = field(default=None, compare=False, repr=False)

    def __reduce__(self) -> Any:
        # Another process reads the file and does not own it.
        return StoredRows, (self.answer, self.path, self.rows)

    @staticmethod
    def write(answer: Answer, path: Path) -> "StoredRows":
        """The rows of an Answer, written to `path`."""
        with InMemoryRows(answer).read() as batches, pq.ParquetWriter(path, batches.schema, compression="zstd") as file:
            for batch in batches:
                file.write_batch(batch)
        return StoredRows(replace(answer, rows=[]), path, len(answer.rows))

    def count(self) -> int:
        """How many rows there are."""
        return self.rows

    @contextmanager
    def read(self) -> Iterator[pa.RecordBatchReader]:
        """All rows, in their order; only a batch is in memory at a time."""
        with pq.ParquetFile(self.path) as file:
            yield pa.RecordBatchReader.from_batches(file.schema_arrow, file.iter_batches(BATCH))

    def in_memory(self) -> Answer:
        """The Answer with its rows."""
        rows: list[tuple[Any, ...]] = []
        with self.read() as batches:
            for batch in batches:
                rows += zip(*(column.to_pylist() for column in batch.columns), strict=True)
        return replace(self.answer, rows=rows)

    def first(self, most: int, sort: str) -> Answer:
        """The Answer with its first rows, at most `most`, in the order of a column (`-name` for descending); None comes last."""
        way = "descending" if sort.startswith("-") else "ascending"
        table = pq.read_table(self.path).sort_by([(sort.removeprefix("-"), way)]).slice(0, most)
        return replace(self.answer, rows=list(zip(*(column.to_pylist() for column in table.columns), strict=True)))


def of(source: Answer | StreamedRows | StoredRows) -> InMemoryRows | StreamedRows | StoredRows:
    """The batches of an Answer, of streamed or of stored rows."""
    return InMemoryRows(source) if isinstance(source, Answer) else source


def _array(values: list[Any]) -> pa.Array:
    """A column of an Answer; other types than the exported ones, and several together, become texts."""
    with suppress(pa.ArrowException):
        array = pa.array(values)
        if array.type == _exported_type(array.type):
            return array
    return pa.array([None if value is None else str(value) for value in values])


def _exported_type(kind: pa.DataType) -> pa.DataType:
    """The exported type of an Arrow type; dictionaries of texts stay dictionaries."""
    if pa.types.is_integer(kind):
        return pa.int64()
    if pa.types.is_floating(kind):
        return pa.float64()
    is_exported = (pa.types.is_dictionary, pa.types.is_date32, pa.types.is_boolean, pa.types.is_null)
    return kind if any(test(kind) for test in is_exported) else pa.string()
