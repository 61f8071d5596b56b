"""A file becomes raw rows: all text, each with the line (or sheet row) it stood in.

Nothing is judged here but what cannot be read as a row at all.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from etl.causes import because
from etl.contract import TABLES, Contract, Match, contract
from etl.errors import Refused
from etl.folder import ending_of
from etl.kinds import refuse_other_kinds
from etl.limits import DEFAULT, Limits

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
    # (line, column, reason) of values that load as unknown though they are not empty.
    warned: list[tuple[int, str, str]] = field(default_factory=list)
    # The sheets of a workbook that are read, in the order of their numbers.
    sheets: list[str] = field(default_factory=list)


def recognised(path: Path, limits: Limits = DEFAULT) -> str:
    """The table that the headers of a file fit. Raises Refused where they fit none, or several."""
    refuse_other_kinds(path)
    fitting, refusals = [], []
    for table in TABLES:
        try:
            open_source(path, contract(table), limits)
        except Refused as error:
            refusals.append((error.resembles, str(error)))
        else:
            fitting.append(table)
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise because("several_tables", tables=", ".join(fitting))
    likely = [said for resembles, said in refusals if resembles]
    said = {said for _, said in refusals}
    # A file that is damaged is refused alike for every table.
    raise Refused(likely[0]) if len(likely) == 1 else Refused(said.pop()) if len(said) == 1 else because("no_table")


def open_source(path: Path, contract: Contract, limits: Limits = DEFAULT) -> Source:
    """The rows of `path`. Raises Refused, with the place and the reason, where it cannot be read as the table."""
    refuse_other_kinds(path, contract.table)
    ending = ending_of(path.name)
    if ending in (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"):
        from etl.workbook import open_workbook

        return open_workbook(path, contract)
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
