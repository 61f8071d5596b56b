"""The rows of a sheet as its XML, made a column at a time: XlsxWriter takes a call of Python for each cell, ten times as long.

They go into the file in which XlsxWriter's mode `constant_memory` collects the rows of a sheet; the rest of the workbook
stays XlsxWriter's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.xmlwriter import XMLwriter

from pages.ui.exports.file_content import Coded, Column

# What a cell holds; what is longer is cut.
_LONGEST = 32_767
# The day that Excel counts from lies so many before 1970.
_EPOCH = 25_569


@dataclass(frozen=True)
class Cells:
    """What follows the address of the cells of a column, the same for many; null where there is no cell."""

    parts: pa.Array
    places: pa.Array | None = None

    def slice(self, start: int, length: int) -> pa.Array:
        """That of at most so many rows from one on, written out."""
        if self.places is None:
            return self.parts.slice(start, length)
        return self.parts.take(self.places.slice(start, length))


def cells_of(column: Column, styles: Sequence[int]) -> list[Cells]:
    """The cells of a column, or of some side by side, each with the number of its style."""
    if isinstance(column, Coded):
        return [
            Cells(_parts(members, style), column.places) for members, style in zip(column.members, styles, strict=False)
        ]
    return [Cells(_parts(column, styles[0]))]


def append(data: Any, first: int, columns: Sequence[Cells], start: int, length: int) -> None:
    """Write at most so many rows from `start` on to the sheet `data`, the first as its row `first` (the heading is 0)."""
    if not length:
        return
    # What was written by XlsxWriter's own methods comes before it.
    data._write_single_row(first)
    data.row_data_fh.flush()
    numbers = pa.array(np.arange(first + 1, first + 1 + length)).cast(pa.string())
    rows: list[Any] = ['<row r="', numbers, '">']
    for place, column in enumerate(columns):
        # Null, like its part, where there is no cell.
        address = f'<c r="{xl_col_to_name(place)}'
        rows.append(pc.binary_join_element_wise(address, numbers, column.slice(start, length), ""))
    lines = pc.binary_join_element_wise(*rows, "</row>", "", null_handling="replace", null_replacement="")
    data.row_data_fh.buffer.write(memoryview(lines.buffers()[2])[: pc.sum(pc.binary_length(lines)).as_py()])
    data.previous_row = first + length
    data.dim_rowmax = first + length - 1


def _parts(values: pa.Array, style: int) -> pa.Array:
    styled = f'" s="{style}"' if style else '"'
    if pa.types.is_string(values.type):
        texts = [None if value is None else _text(value) for value in values.to_pylist()]
        return _joined(f'{styled} t="inlineStr"><is><t', pa.array(texts, pa.string()), "</t></is></c>")
    if pa.types.is_boolean(values.type):
        return _joined(f'{styled} t="b"><v>', values.cast(pa.int8()).cast(pa.string()), "</v></c>")
    if pa.types.is_date32(values.type):
        values = pc.add(values.cast(pa.int32()), _EPOCH)
    elif pa.types.is_floating(values.type):
        # A sheet knows no infinity.
        values = pc.if_else(pc.is_finite(values), values, None)
    return _joined(f"{styled}><v>", values.cast(pa.string()), "</v></c>")


def _joined(before: str, values: pa.Array, after: str) -> pa.Array:
    return pc.binary_join_element_wise(before, values, after, "")


def _text(value: str) -> str:
    """A text as it stands in the tag `t`, with the rest of that tag's head."""
    cut = value[:_LONGEST]
    space_attribute = ' xml:space="preserve"' if cut != cut.strip() else ""
    written = XMLwriter._escape_control_characters(cut)
    return f"{space_attribute}>" + written.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
