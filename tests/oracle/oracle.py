"""The oracle: an independent computation of the numbers from a folder of source files.

Two halves, `read` (files to loaded rows) and `measures` (rows to numbers).
"""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

from tests.oracle.measures import FLOWS, STATES, Data, ask, last_twelve_months, members
from tests.oracle.read import Load, read_folder

__all__ = [
    "FLOWS",
    "STATES",
    "Data",
    "Load",
    "ask",
    "last_twelve_months",
    "members",
    "read",
    "read_folder",
]


@cache
def read(folder: Path, today: date) -> tuple[Load, Data]:
    """A folder read on the day `today`: the counts of the load, and the rows to count from. Read once, for tests that only
    read the result."""
    load = read_folder(folder, today)
    return load, Data(load)
