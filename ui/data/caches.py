"""Keys and sizes of cached results."""

import pickle
from collections.abc import Iterable, Mapping
from typing import Any

from etl.semantic.answers import Answer
from etl.semantic.exportable import StoredRows

Where = Mapping[str, Iterable[str]]
Frozen = tuple[tuple[str, tuple[str, ...]], ...]
# Estimated bytes of an object, of a row of an Answer, and of a cell.
_OBJECT, _ROW, _CELL = 1000, 64, 40


def frozen(where: Where | None) -> Frozen:
    """Filters as a hashable cache key."""
    return tuple(sorted((name, tuple(values)) for name, values in (where or {}).items()))


def size_of(result: Any) -> int:
    """The estimated bytes of a result: measuring every value would take longer than asking again."""
    if isinstance(result, Answer):
        return _OBJECT + len(result.rows) * (_ROW + _CELL * len(result.columns))
    if isinstance(result, StoredRows):
        return _OBJECT + result.path.stat().st_size
    if isinstance(result, dict) and result and all(isinstance(answer, Answer) for answer in result.values()):
        return sum(map(size_of, result.values()))
    try:
        return _OBJECT + 2 * len(pickle.dumps(result))
    except Exception:
        return _OBJECT
