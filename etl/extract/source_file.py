"""A file becomes raw rows: all text, each with the line (or sheet row) it stood in.

Nothing is judged here but what cannot be read as a row at all.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np

from etl.extract.contract import Match

BATCH_ROWS = 20_000
# A field longer than this is a broken quote or an attack, not a name.
LONGEST_FIELD = 1_000_000
# The line of a row of a workbook holds the number of its sheet above these bits.
SHEET_BITS = 32


@dataclass
class Batch:
    """Some rows of a file: the line of each (int64), the text of each contract column that it has (Arrow strings)."""

    lines: np.ndarray
    columns: dict[str, Any]


@dataclass
class SourceFile:
    """One readable file: its batches, and what was met on the way.

    `rows_read` and `rejects` are complete when the batches are used up. A reject is (line, column, reason) of a record
    that is no row of the table.
    """

    match: Match
    batches: Iterator[Batch] = field(default_factory=lambda: iter(()))
    rows_read: int = 0
    share_read: float = 0.0
    rejects: list[tuple[int, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    # (line, column, reason) of values that load as unknown though they are not empty.
    warned: list[tuple[int, str, str]] = field(default_factory=list)
    # The sheets of a workbook that are read, in the order of their numbers.
    sheets: list[str] = field(default_factory=list)


def as_text(value: Any) -> str:
    """A cell as the text a person would have typed: whole numbers without a point, days without their time."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
