"""The raw rows of a file: text columns, and the line (or sheet row) of each row.

Values are not validated here; a record that is no row at all is rejected.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.core.errors import Refused
from etl.extract.causes import because
from etl.extract.contract import EXAMPLE, Match, known_titles, tables_like
from etl.extract.source_folder import named_tables

BATCH_ROWS = 20_000
# A longer field is an unclosed quote or an attack, not a name.
LONGEST_FIELD = 1_000_000
# The cells by which a row of totals is known, as they are mostly written.
_TOTAL = (
    "جمع",
    "جمع کل",
    "جمع كل",
    "مجموع",
    "مجموع کل",
    "مجموع كل",
    "total",
    "Total",
    "TOTAL",
    "Grand Total",
    "Grand total",
)
TOTALS = frozenset(f"{word}{sign}" for word in _TOTAL for sign in ("", ":", " :"))
# The line of a workbook's row is (sheet number << SHEET_BITS) | row.
SHEET_BITS = 32


@dataclass
class Batch:
    """Some rows of a file: their lines (int64), and the text of each contract column present (Arrow strings)."""

    lines: np.ndarray
    columns: dict[str, Any]


@dataclass
class SourceFile:
    """One readable file: its batches, and counts and rejects that accumulate while they are read.

    `rows_read` and `rejects` are complete once the batches are exhausted. A reject is (line, column, reason).
    """

    match: Match
    batches: Iterator[Batch] = field(default_factory=lambda: iter(()))
    rows_read: int = 0
    # Rows of empty cells, and headers that stand again among the rows: they are passed over, and the notes count them.
    empty_rows: int = 0
    headers_again: int = 0
    # Rows of totals below a table are passed over too.
    totals: int = 0
    # Example lines of a template among `rows_read`, which are not loaded.
    examples: int = 0
    share_read: float = 0.0
    rejects: list[tuple[int, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    # (line, column, reason) of values that load as unknown although they are not empty.
    warned: list[tuple[int, str, str]] = field(default_factory=list)
    # The sheets of a workbook that are read, in order, and the tables that its other sheets hold.
    sheets: list[str] = field(default_factory=list)
    other_tables: set[str] = field(default_factory=set)


def without_examples(batch: Batch, source: SourceFile) -> Batch:
    """The rows of a batch but for example lines, which are counted; what was found in them is dropped."""
    texts = batch.columns[source.match.of.key[0]]
    if not pc.any(pc.equal(getattr(texts, "dictionary", texts), EXAMPLE)).as_py():
        return batch
    is_example = pc.fill_null(pc.equal(texts.cast(pa.string()), EXAMPLE), False).to_numpy(zero_copy_only=False)
    lines = set(batch.lines[is_example].tolist())
    source.examples += len(lines)
    source.rejects = [fault for fault in source.rejects if fault[0] not in lines]
    source.warned = [fault for fault in source.warned if fault[0] not in lines]
    keep = pa.array(~is_example)
    return Batch(batch.lines[~is_example], {name: column.filter(keep) for name, column in batch.columns.items()})


def is_header_again(cells: Sequence[Any], match: Match, place: str, place_fa: str) -> bool:
    """Whether a row below the headers repeats them. Raises Refused for the headers of another table."""
    if known_titles().isdisjoint(cells):
        return False
    titles = list(map(as_text, cells))
    if match.of.match(titles).positions == match.positions:
        return True
    if tables := tables_like(titles):
        named = named_tables(tables)
        raise because(
            "second_table", place=place, place_fa=place_fa, table=named["tables"], table_fa=named["tables_fa"]
        )
    return False


def is_totals(cells: Sequence[Any], match: Match) -> bool:
    """Whether a row sums the rows above it: a cell says so, and none of the key has another value."""
    if TOTALS.isdisjoint(cells):
        return False
    at = [match.positions[name] for name in match.of.key if name in match.positions]
    keys = [cells[place] for place in at if place < len(cells)]
    return all(not as_text(key or "").strip() or key in TOTALS for key in keys)


def long_field(place: str, place_fa: str) -> Refused:
    """The refusal of a field longer than LONGEST_FIELD."""
    return because("long_field", place=place, place_fa=place_fa, most=f"{LONGEST_FIELD:,}")


def as_text(value: Any) -> str:
    """A cell as the text that a person would have typed: whole numbers without a point, days without time.

    A cell keeps 15 digits of a number; a longer one is written as a spreadsheet shows it (1.23e+16), which is rejected.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value) if not value.is_integer() else str(int(value)) if abs(value) < 1e15 else f"{value:e}"
    return str(value.date() if isinstance(value, datetime) else value)
