"""Rows by the batch: of an Answer that is held, or of a query that is read only while it is written out.

Both are read as Arrow record batches under the names of the Answer's columns, in five types: text, whole numbers, fractions,
days, yes or no; a held column in which nothing is known has the type null.
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

    told: Answer

    def count(self) -> int:
        """How many rows there are."""
        return len(self.told.rows)

    @contextmanager
    def read(self) -> Iterator[pa.RecordBatchReader]:
        """All rows, in their order."""
        kinds = [_type({type(row[i]) for row in self.told.rows}) for i in range(len(self.told.columns))]
        schema = pa.schema(zip(self.told.columns, kinds, strict=True))
        yield pa.RecordBatchReader.from_batches(schema, self._batches(schema))

    def _batches(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        rows = iter(self.told.rows)
        while some := list(islice(rows, BATCH)):
            arrays = [
                pa.array(_plain(column, field.type), field.type)
                for column, field in zip(zip(*some, strict=True), schema, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)


@dataclass(frozen=True)
class StreamedRows:
    """Rows too many to be held: the query that finds them, and `told`, their Answer without rows.

    `counting` is a query of their number, which need not put them in order. `connect` gives a connection of their own to
    read them by, which is closed afterwards.
    """

    told: Answer
    sql: str
    counting: str
    given: Mapping[str, Any]
    connect: Callable[[], ScopedCursor]

    def count(self) -> int:
        """How many rows there are."""
        with self.connect() as con:
            found = con.execute(self.counting, dict(self.given)).fetchone()
        return found[0] if found else 0

    def first(self, most: int) -> Answer:
        """The Answer with at most so many rows, from the beginning."""
        with self.connect() as con:
            rows = con.execute(f"from ({self.sql}) limit {most:d}", dict(self.given)).fetchall()
        return replace(self.told, rows=rows)

    @contextmanager
    def read(self) -> Iterator[pa.RecordBatchReader]:
        """All rows, in their order; no more than some batches are in memory at once."""
        with self.connect() as con:
            found = con.sql(self.sql, params=dict(self.given)).to_arrow_reader(BATCH)
            kinds = [_spoken(kind) for kind in found.schema.types]
            schema = pa.schema(zip(self.told.columns, kinds, strict=True))
            batches = (_cast(batch, schema) for batch in found)
            yield pa.RecordBatchReader.from_batches(schema, batches)


def of(source: Answer | StreamedRows) -> InMemoryRows | StreamedRows:
    """What can be read by the batch."""
    return InMemoryRows(source) if isinstance(source, Answer) else source


def _type(kinds: set[type]) -> pa.DataType:
    """The type that holds every value of a column."""
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


def _spoken(kind: pa.DataType) -> pa.DataType:
    """The one of the five types that a type of the engine is told as; of texts that repeat few, each is told once."""
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
