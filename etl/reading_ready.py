"""Imported once by the process that forks the readers: what a first conversion loads, every fork then has."""

import pyarrow as pa
import pyarrow.parquet
import python_calamine

from etl import reading

# Arrow looks for pandas at its first list; it takes longer than reading a small file.
pa.array([""])

__all__ = ["pyarrow", "python_calamine", "reading"]
