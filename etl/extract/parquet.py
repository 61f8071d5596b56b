"""Parquet files: typed columns become the text that a person would have typed. Rows are numbered from 1."""

import functools
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from etl.extract.causes import because
from etl.extract.contract import Contract
from etl.extract.limits import DEFAULT, Limits
from etl.extract.source_file import BATCH_ROWS, LONGEST_FIELD, Batch, SourceFile, as_text, long_field

_READABLE = (
    pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_binary, pa.types.is_large_binary,
    pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean,
    pa.types.is_date, pa.types.is_timestamp, pa.types.is_null,
)  # fmt: skip


def open_parquet(path: Path, contract: Contract, limits: Limits = DEFAULT) -> SourceFile:
    """The rows of a Parquet file. Raises Refused if it is damaged or its schema does not match the contract."""
    try:
        file = pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20, page_checksum_verification=True)
        names = file.schema_arrow.names
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise because("broken_parquet", error=type(error).__name__) from None
    match = contract.match(names)
    if not match.complete:
        raise match.refusal("schema", "ساختار فایل")
    for name, position in match.positions.items():
        kind = file.schema_arrow.field(position).type
        value_type = kind.value_type if pa.types.is_dictionary(kind) else kind
        if not any(is_of_kind(value_type) for is_of_kind in _READABLE):
            raise because("parquet_type", column=name, column_fa=contract.by_name[name].headers[0], kind=kind)
    titles = [names[position] for position in match.positions.values()]
    _refuse_bomb(file.metadata, titles, limits)
    source = SourceFile(match)
    source.batches = _batches(file, titles, source)
    return source


def _refuse_bomb(footer: pq.FileMetaData, titles: list[str], limits: Limits) -> None:
    """Check the rows and the sizes of the columns to read, as the footer states them, before a page is unpacked.

    A false footer is noticed while reading, where rows, memory and disk are counted.
    """
    groups = [footer.row_group(at) for at in range(footer.num_row_groups)]
    limits.refuse_rows(max(footer.num_rows, sum(group.num_rows for group in groups)))
    limits.refuse_unpacked(
        sum(
            column.total_uncompressed_size
            for group in groups
            for column in map(group.column, range(group.num_columns))
            if column.path_in_schema.partition(".")[0] in titles
        )
    )


def _batches(file: pq.ParquetFile, titles: list[str], source: SourceFile) -> Iterator[Batch]:
    try:
        for block in file.iter_batches(batch_size=BATCH_ROWS, columns=titles):
            block.validate(full=True)
            yield batch_of(source, block, [block.column(title) for title in titles], file.metadata.num_rows)
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise because(
            "broken_parquet_row", row=source.rows_read + source.empty_rows + 1, error=type(error).__name__
        ) from None


def batch_of(source: SourceFile, block: pa.RecordBatch, values: Iterable[pa.Array], total: int) -> Batch:
    """A block as the next rows of a source of `total` rows; `values` are its columns in the order of the match.

    Raises Refused for a field that is too long.
    """
    columns = dict(zip(source.match.positions, map(texts_of, values), strict=True))
    first = source.rows_read + source.empty_rows + 1
    if any((pc.max(pc.binary_length(texts)).as_py() or 0) > LONGEST_FIELD for texts in columns.values()):
        raise long_field(f"row {first} or one after it", f"ردیف {first} یا پس از آن")
    lines = np.arange(first, first + block.num_rows, dtype=np.int64)
    filled = functools.reduce(pc.or_, (pc.not_equal(pc.utf8_trim_whitespace(texts), "") for texts in columns.values()))
    if empty := block.num_rows - (pc.sum(filled).as_py() or 0):
        source.empty_rows += empty
        lines = lines[filled.to_numpy(zero_copy_only=False)]
        columns = {name: texts.filter(filled) for name, texts in columns.items()}
    source.rows_read += len(lines)
    source.share_read = (source.rows_read + source.empty_rows) / max(1, total)
    return Batch(lines, columns)


def texts_of(column: pa.Array) -> pa.Array:
    """The values of a column as text; null becomes empty."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return texts_of(column.dictionary_decode())
    if pa.types.is_floating(kind):
        return _numbers(column.cast(pa.float64()))
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pa.array([(value or b"").decode("utf-8", "replace") for value in column.to_pylist()], pa.string())
    if pa.types.is_timestamp(kind):
        # The local day; the time is dropped.
        column = pc.local_timestamp(column) if kind.tz else column
        column = pc.floor_temporal(column, unit="day").cast(pa.date32(), safe=False)
    return pc.fill_null(column.cast(pa.string()), "")


def _numbers(column: pa.Array) -> pa.Array:
    """Whole numbers without a point, as text."""
    plain = pc.and_(pc.equal(column, pc.floor(column)), pc.less(pc.abs(column), 1e15))
    if pc.all(plain).as_py() is not False:
        return pc.fill_null(column.cast(pa.int64()).cast(pa.string()), "")
    return pa.array(["" if value is None else as_text(value) for value in column.to_pylist()], pa.string())
