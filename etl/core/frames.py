"""pandas: the rows of an Answer as a DataFrame and back, and processes that start without it.

In rows an unknown value is None. In a frame it is None in a column of text or days, and NaN in a column of numbers.
pandas is imported when the first frame is made: most commands need none, and it is half of a worker's start-up time.
"""

import sys
from collections.abc import Sequence
from numbers import Number
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def leave_out_pandas() -> None:
    """From here on this process does not import pandas until `allow_pandas`: pyarrow would, to convert its first list."""
    sys.meta_path.insert(0, _NoPandas())


def allow_pandas() -> None:
    """From here on this process may import pandas: analyses are written in it."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _NoPandas)]


class _NoPandas:
    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        if fullname == "pandas":
            raise ImportError("this process does without pandas")


def frame_of(columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> "pd.DataFrame":
    """A DataFrame of rows: numbers as numbers, text and days as Python objects."""
    allow_pandas()
    import pandas as pd

    by_column = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    frame = pd.DataFrame({at: _series(values) for at, values in enumerate(by_column)}, index=range(len(rows)))
    frame.columns = pd.Index(columns, dtype=object)
    return frame


def rows_of(frame: "pd.DataFrame") -> list[tuple[Any, ...]]:
    """The rows of a DataFrame as tuples of plain Python values; NaN, NaT and NA become None."""
    columns = (_values(frame.iloc[:, at]) for at in range(frame.shape[1]))
    return list(zip(*columns, strict=True))


def _series(values: Sequence[Any]) -> "pd.Series":
    import pandas as pd

    kinds = set(map(type, values))
    known = kinds - {type(None)}
    if known and all(issubclass(kind, Number) and kind is not bool for kind in known):
        return pd.Series(pd.to_numeric(pd.Series(values, dtype=object)))
    if kinds == {bool}:
        return pd.Series(values, dtype=bool)
    return pd.Series(values, dtype=object)


def _values(column: "pd.Series") -> list[Any]:
    values = column.tolist()
    if column.dtype == object:
        values = [value.item() if hasattr(value, "item") else value for value in values]
    known = column.notna().tolist()
    return (
        values if all(known) else [value if is_known else None for value, is_known in zip(values, known, strict=True)]
    )
