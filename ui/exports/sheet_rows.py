"""Rows of a sheet as XML, built column by column: XlsxWriter's call per cell takes ten times as long.

The rows go into the temporary file that XlsxWriter uses with `constant_memory`; XlsxWriter writes the rest of the workbook.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.xmlwriter import XMLwriter

from ui.exports.file_content import Coded, Column, all_safe

# The longest text of a cell; longer text is cut.
_LONGEST = 32_767
# Days between Excel's epoch and 1970.
_EPOCH = 25_569


@dataclass(frozen=True)
class Cells:
    """The XML of a column's cells after their address, dictionary-encoded; null without a cell."""

    parts: pa.Array
    indices: pa.Array | None = None

    def slice(self, start: int, length: int) -> pa.Array:
        """The decoded XML of at most `length` rows from `start`."""
        if self.indices is None:
            return self.parts.slice(start, length)
        return self.parts.take(self.indices.slice(start, length))


def cells_of(column: Column, styles: Sequence[int]) -> list[Cells]:
    """The cells of a column or of neighbouring columns, with safe text, each with its style number."""
    if isinstance(column, Coded):
        return [
            Cells(_parts(members, style), column.indices)
            for members, style in zip(column.members, styles, strict=False)
        ]
    return [Cells(_parts(column, styles[0]))]


def append(data: Any, first: int, columns: Sequence[Cells], start: int, length: int) -> None:
    """Append at most `length` rows from `start` to the sheet `data`, beginning at its row `first` (the heading is 0)."""
    # Flush what XlsxWriter's own methods wrote before.
    data._write_single_row(first)
    data.row_data_fh.flush()
    numbers = pa.array(np.arange(first + 1, first + 1 + length)).cast(pa.string())
    rows: list[Any] = ['<row r="', numbers, '">']
    for i, column in enumerate(columns):
        # Null without a cell, because joining with null gives null.
        address = f'<c r="{xl_col_to_name(i)}'
        rows.append(pc.binary_join_element_wise(address, numbers, column.slice(start, length), ""))
    lines = pc.binary_join_element_wise(*rows, "</row>", "", null_handling="replace", null_replacement="")
    data.row_data_fh.buffer.write(memoryview(lines.buffers()[2])[: pc.sum(pc.binary_length(lines)).as_py()])
    data.previous_row = first + length
    data.dim_rowmax = first + length - 1


def _parts(values: pa.Array, style: int) -> pa.Array:
    styled = f'" s="{style}"' if style else '"'
    if pa.types.is_string(values.type):
        texts = [None if value is None else _text(value) for value in all_safe(values).to_pylist()]
        return _joined(f'{styled} t="inlineStr"><is><t', pa.array(texts, pa.string()), "</t></is></c>")
    if pa.types.is_boolean(values.type):
        return _joined(f'{styled} t="b"><v>', values.cast(pa.int8()).cast(pa.string()), "</v></c>")
    if pa.types.is_date32(values.type):
        values = pc.add(values.cast(pa.int32()), _EPOCH)
    elif pa.types.is_floating(values.type):
        # A sheet cannot hold infinity.
        values = pc.if_else(pc.is_finite(values), values, None)
    return _joined(f"{styled}><v>", values.cast(pa.string()), "</v></c>")


def _joined(before: str, values: pa.Array, after: str) -> pa.Array:
    return pc.binary_join_element_wise(before, values, after, "")


def _text(value: str) -> str:
    """The rest of the opening tag `t`, and the escaped text."""
    cut = value[:_LONGEST]
    space_attribute = ' xml:space="preserve"' if cut != cut.strip() else ""
    written = XMLwriter._escape_control_characters(cut)
    return f"{space_attribute}>" + written.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
