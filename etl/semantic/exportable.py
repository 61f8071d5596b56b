"""Rows for files, in Arrow record batches: of an Answer in memory, or streamed from a query while the file is written.

Columns have the names of the Answer's columns and one of five types: text, integer, float, date, boolean; a column in
memory with nothing but None has the type null.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from typing import Any

import pyarrow as pa

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
        kinds = [_type({type(row[i]) for row in self.answer.rows}) for i in range(len(self.answer.columns))]
        schema = pa.schema(zip(self.answer.columns, kinds, strict=True))
        yield pa.RecordBatchReader.from_batches(schema, self._batches(schema))

    def _batches(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        rows = iter(self.answer.rows)
        while some := list(islice(rows, BATCH)):
            arrays = [
                pa.array(_plain(column, field.type), field.type)
                for column, field in zip(zip(*some, strict=True), schema, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)


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
            row = con.execute(self.counting, dict(self.parameters)).fetchone()
        return row[0] if row else 0

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
            batches = (_cast(batch, schema) for batch in reader)
            yield pa.RecordBatchReader.from_batches(schema, batches)


def of(source: Answer | StreamedRows) -> InMemoryRows | StreamedRows:
    """The batches of an Answer or of streamed rows."""
    return InMemoryRows(source) if isinstance(source, Answer) else source


def _type(kinds: set[type]) -> pa.DataType:
    """The Arrow type of a column with values of these Python types."""
    kinds = kinds - {type(None)}
    if not kinds:
        return pa.null()
    if kinds == {date}:
        return pa.date32()
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {int}:
        return pa.int64()
    if kinds <= {int, float}:
        return pa.float64()
    return pa.string()


def _plain(values: tuple[Any, ...], kind: pa.DataType) -> list[Any]:
    if pa.types.is_string(kind):
        return [None if value is None else str(value) for value in values]
    return list(values)


def _exported_type(kind: pa.DataType) -> pa.DataType:
    """The exported type of a DuckDB type; dictionaries of texts stay dictionaries."""
    if pa.types.is_dictionary(kind):
        return kind
    if pa.types.is_integer(kind):
        return pa.int64()
    if pa.types.is_floating(kind):
        return pa.float64()
    return kind if pa.types.is_date32(kind) or pa.types.is_boolean(kind) else pa.string()


def _cast(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    columns = [column.cast(field.type) for column, field in zip(batch.columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
