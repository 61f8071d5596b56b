"""A file becomes raw rows: all text, each with the line (or sheet row) it stood in.

Nothing is judged here but what cannot be read as a row at all.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from etl.contract import Contract, Match, Refused
from etl.limits import DEFAULT, Limits

BATCH_ROWS = 20_000
# A field longer than this is a broken quote or an attack, not a name.
LONGEST_FIELD = 1_000_000


@dataclass
class Batch:
    """Some rows of a file: the line of each (int64), the text of each contract column that it has (Arrow strings)."""

    lines: np.ndarray
    columns: dict[str, Any]


@dataclass
class Source:
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


def open_source(path: Path, contract: Contract, limits: Limits = DEFAULT) -> Source:
    """The rows of `path`. Raises Refused, with the place and the reason, where it cannot be read as the table."""
    if not path.stat().st_size:
        raise Refused("the file is empty")
    ending = path.suffix.lower()
    if ending == ".xlsx":
        from etl.workbook import open_xlsx

        return open_xlsx(path, contract)
    if ending == ".parquet":
        from etl.columnar import open_parquet

        return open_parquet(path, contract, limits)
    from etl.delimited import open_csv

    return open_csv(path, contract)


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
