"""The content of a file in any format: codes followed by names, numbers, and days followed by their Jalali form.

Works on columns instead of cells: names, escaping and day conversion happen once per distinct value of a batch.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from etl.core.spreadsheet import SUSPECT, safe
from etl.semantic import disclosure, exportable
from etl.semantic.answers import Answer
from etl.semantic.catalog import TIME
from ui.charts.elements import ChartContext
from ui.charts.titles import COUNTS
from ui.exports import signed, status
from ui.i18n import text

_STATUS, _STATUS_OF_ROW = "status", "row_status"
# The units of whole numbers.
_COUNTED = (*COUNTS, "files", "rows")
Exportable = Answer | exportable.StreamedRows | exportable.StoredRows


@dataclass(frozen=True)
class Coded:
    """Dictionary-encoded neighbouring columns: row r of column c is `members[c][indices[r]]`."""

    indices: pa.Array
    members: tuple[pa.Array, ...]

    def __len__(self) -> int:
        return len(self.indices)


Column: TypeAlias = Coded | pa.Array


@dataclass(frozen=True)
class Sheet:
    """The columns of a file, and its rows in batches that can be read once."""

    schema: pa.Schema
    batches: Iterator[list[Column]]


# The column or neighbouring columns that a file derives from one source column, and the function that makes them.
_Part = tuple[tuple[pa.Field, ...], Callable[[pa.RecordBatch], Column]]


@contextmanager
def sheet(
    source: Exportable, context: ChartContext, facts: status.Facts = status.NONE, named: Callable[[str], str] = str
) -> Iterator[Sheet]:
    """The content of a file with all rows of `source`.

    Answers to questions have a column with the status of each row, and one with its signed notes if there are any; `named`
    writes the columns that a status names.
    """
    rows = exportable.of(source)
    with rows.read() as reader:
        parts = [_part(rows.answer, field, context) for field in reader.schema]
        if status.has(rows.answer):
            parts.append(((pa.field(status_column(rows.answer), pa.string()),), status.of(rows.answer, facts, named)))
        if facts.notes:
            of_row = signed.of(rows.answer, facts.notes, context, not is_for_circulation(source))
            parts.append(((pa.field(signed.NOTES, pa.string()),), of_row))
        schema = pa.schema([field for fields, _ in parts for field in fields])
        yield Sheet(schema, ([make(batch) for _, make in parts] for batch in reader))


def status_column(answer: Answer) -> str:
    """The column with the status of each row; its name is another where the status of institutes is one of the dimensions."""
    return _STATUS_OF_ROW if _STATUS in answer.by else _STATUS


def _part(answer: Answer, field: pa.Field, context: ChartContext) -> _Part:
    name = field.name
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    metric = next((metric for metric in answer.metrics if metric.name == name), None)
    if pa.types.is_null(kind):
        unit = metric.unit if metric else ""
        whole = pa.int64() if unit in _COUNTED else pa.float64()
        kind = pa.string() if name in answer.by else pa.date32() if unit == "date" else whole
    field, is_string, is_day = pa.field(name, kind), pa.types.is_string(kind), pa.types.is_date32(kind)
    # A numeric dimension, such as a count of months, has no name.
    if name in answer.by and (is_string or is_day):
        fields = (field, pa.field(f"{name}_name", pa.string()))
        name_of = partial(context.member, name)
        if is_day or name in TIME:
            return fields, lambda batch: _coded(batch[name], kind, lambda code: text.spaced(name_of(code)))
        return fields, lambda batch: _coded(batch[name], kind, name_of)
    if is_day:
        fields = (field, pa.field(f"{name}_jalali", pa.string()))
        return fields, lambda batch: _coded(batch[name], kind, lambda day: day and text.iso_jalali(day))
    if is_string:
        return (field,), lambda batch: _coded(batch[name], kind)
    return (field,), lambda batch: batch[name].cast(kind)


def _coded(values: pa.Array, kind: pa.DataType, name_of: Callable[[Any], str | None] | None = None) -> Coded:
    """Values as `kind`, followed by a column of their names if there is a `name_of`."""
    if pa.types.is_dictionary(values.type):
        encoded = values.indices.dictionary_encode(null_encoding="encode")
        distinct = values.dictionary.take(encoded.dictionary).cast(kind)
    else:
        encoded = values.cast(kind).dictionary_encode(null_encoding="encode")
        distinct = encoded.dictionary
    names = [pa.array(map(name_of, distinct.to_pylist()), pa.string())] if name_of else []
    return Coded(encoded.indices, (distinct, *names))


def decoded(batch: list[Column]) -> list[pa.Array]:
    """The columns of a batch, none of them encoded."""
    arrays: list[pa.Array] = []
    for column in batch:
        arrays += [names.take(column.indices) for names in column.members] if isinstance(column, Coded) else [column]
    return arrays


def is_for_circulation(source: Exportable) -> bool:
    """Whether the numbers are rounded by `etl.semantic.disclosure`, which files then say."""
    return isinstance(source, disclosure.Circulated)


def all_safe(values: pa.Array) -> pa.Array:
    """A column with `safe` applied to its strings; columns of other types unchanged."""
    return replaced(values, SUSPECT, safe) if pa.types.is_string(values.type) else values


def replaced(values: pa.Array, pattern: str, replace: Callable[[str], str]) -> pa.Array:
    """A column of strings with `replace` applied to those that match `pattern` (RE2)."""
    matches = pc.match_substring_regex(values, pattern)
    if not pc.any(matches).as_py():
        return values
    made = [replace(value) for value in values.filter(matches).to_pylist()]
    return pc.replace_with_mask(values, matches, pa.array(made, pa.string()))
