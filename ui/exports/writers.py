"""Writers of CSV, JSON and Parquet files. Files contain every row. CSV and JSON hold no text that a spreadsheet could run as a
formula; programs that read Parquet know its types and run nothing, so its text is as it is.

Files use codes with names next to them, Latin digits, ISO days and a decimal point in both languages. Files for circulation
are rounded by `etl.semantic.disclosure` and say so. `file_content` provides the columns; the writers process them in batches,
so that memory does not grow with the rows.
"""

import json
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ui.charts.elements import ChartContext
from ui.data.worker_process import Report
from ui.exports import signed, status
from ui.exports.about import cover, progress
from ui.exports.file_content import Coded, Column, Exportable, all_safe, decoded, is_for_circulation, replaced, sheet
from ui.i18n import text

# The name of a file's description: a metadata key of Parquet, a column of CSV and JSON.
_ABOUT = "about"


def write_csv(
    out: IO[bytes],
    source: Exportable,
    context: ChartContext,
    tell: Report | None = None,
    facts: status.Facts = status.NONE,
    no_effect: str = "",
) -> None:
    """UTF-8 with a byte order mark, for Excel; an unknown value is an empty cell.

    An additional column says in the first row which filters have `no_effect`, and of a file for circulation its rounding.
    """
    out.write(b"\xef\xbb\xbf")
    with _with_notice(source, context, facts, no_effect) as (names, batches):
        out.write((",".join(_written(pa.array(names, pa.string())).to_pylist()) + "\r\n").encode())
        advance = progress(source, tell)
        for lines in _lines_of(batches):
            # Write the Arrow buffer of all lines without copying it.
            out.write(memoryview(lines.buffers()[2] or b"")[: pc.sum(pc.binary_length(lines)).as_py() or 0])
            advance(len(lines))


@contextmanager
def _with_notice(
    source: Exportable, context: ChartContext, facts: status.Facts, no_effect: str
) -> Iterator[tuple[list[str], Iterator[list[Column]]]]:
    """Names and batches of the columns; where something is said of the whole file, the first row of a last one says it."""
    rounded = context.word("file.circulation") if is_for_circulation(source) else ""
    said = " · ".join(filter(None, (rounded, no_effect)))

    def noticed(batches: Iterator[list[Column]]) -> Iterator[list[Column]]:
        for number, batch in enumerate(batches):
            notice = None if number else said
            yield [*batch, pa.array([notice, *[None] * (len(batch[0]) - 1)], pa.string())]

    with sheet(source, context, facts) as contents:
        if said:
            yield [*contents.schema.names, _ABOUT], noticed(contents.batches)
        else:
            yield contents.schema.names, contents.batches


def _lines_of(batches: Iterable[list[Column]]) -> Iterator[pa.Array]:
    """The lines of each batch, written in a second thread while the next batches are read; at most two wait."""
    waiting: deque[Future[pa.Array]] = deque()
    with ThreadPoolExecutor(1) as other:
        for batch in batches:
            waiting.append(other.submit(_lines, batch))
            if len(waiting) > 2:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _lines(columns: list[Column]) -> pa.Array:
    cells = [_cells(column) for column in columns]
    if sum(len(column.members) if isinstance(column, Coded) else 1 for column in columns) == 1:
        # CSV readers skip an empty line, so quote the empty cell.
        cells = [pc.if_else(pc.equal(pc.binary_length(_joined(cells, "")), 0), '""', cells[0])]
    cells[-1] = _joined([cells[-1], "\r\n"], "")
    return _joined(cells, ",")


def _cells(column: Column) -> pa.Array:
    """A column as text, with the columns next to it that are encoded with it."""
    if not isinstance(column, Coded):
        return _written(column)
    return _joined([_written(members) for members in column.members], ",").take(column.indices)


def _written(values: pa.Array) -> pa.Array:
    if not pa.types.is_string(values.type):
        return values.cast(pa.string())
    return replaced(all_safe(values), '[",\r\n]', lambda cell: '"' + cell.replace('"', '""') + '"')


def _joined(columns: list[Any], separator: str) -> pa.Array:
    return pc.binary_join_element_wise(*columns, separator, null_handling="replace", null_replacement="")


def write_json(
    out: IO[bytes],
    source: Exportable,
    context: ChartContext,
    facts: status.Facts = status.NONE,
    no_effect: str = "",
) -> None:
    """A list of objects with the columns of a CSV; days are texts, an unknown value is null."""
    with _with_notice(source, context, facts, no_effect) as (names, batches):
        separator = "["
        for batch in batches:
            for record in pa.record_batch([all_safe(array) for array in decoded(batch)], names).to_pylist():
                out.write((separator + json.dumps(record, ensure_ascii=False, default=str)).encode())
                separator = ",\n"
        out.write(b"]\n" if separator != "[" else b"[]\n")


def write_parquet(
    out: IO[bytes],
    source: Exportable,
    context: ChartContext,
    scope: str = "",
    tell: Report | None = None,
    facts: status.Facts = status.NONE,
    limit: str = "",
    no_effect: str = "",
) -> None:
    """The same columns with types: text, integers, floats, days. The metadata key `about` describes the file."""
    notes = [
        (context.word("signed.title"), text.clauses(row, context.lang))
        for row in signed.rows(facts.notes, context, not is_for_circulation(source))
    ]
    about = json.dumps([*cover(source, context, scope, limit, no_effect), *notes], ensure_ascii=False)
    advance = progress(source, tell)
    with sheet(source, context, facts) as contents:
        schema = contents.schema.with_metadata({_ABOUT: about})
        with pq.ParquetWriter(out, schema, compression="zstd") as writer:
            for batch in contents.batches:
                rows = pa.record_batch(decoded(batch), schema=schema)
                writer.write_batch(rows)
                advance(len(rows))
