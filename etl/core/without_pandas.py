"""Processes without pandas, which pyarrow imports to convert its first list: half of a worker's start-up time."""

import sys
from typing import Any


def leave_out() -> None:
    """From here on this process does not import pandas, and pyarrow does without it, until `allow`."""
    sys.meta_path.insert(0, _NoPandas())


def allow() -> None:
    """From here on this process may import pandas: analyses are written in it."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _NoPandas)]


class _NoPandas:
    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        if fullname == "pandas":
            raise ImportError("this process does without pandas")
