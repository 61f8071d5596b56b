"""Results kept by their arguments, bounded by bytes: a few large ones would fill a process long before many small ones do."""

import pickle
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from etl.semantic.answers import Answer
from etl.semantic.exportable import StoredRows

# What an object takes besides its values, a row of an Answer, and a cell of it.
_OBJECT, _ROW, _CELL = 1000, 64, 40

_Given = ParamSpec("_Given")
_Found = TypeVar("_Found")


class Kept:
    """Results by their arguments, the latest used ones up to so many bytes."""

    def __init__(self, most: int, size: Callable[[Any], int]) -> None:
        self.most, self.size = most, size
        self.held = self.hits = self.misses = 0
        self._kept: OrderedDict[Any, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, work: Callable[_Given, _Found]) -> Callable[_Given, _Found]:
        """`work`, with its results kept. What it raises is not."""

        @wraps(work)
        def kept(*given: _Given.args, **named: _Given.kwargs) -> _Found:
            key = (given, *named.items()) if named else given
            with self._lock:
                if key in self._kept:
                    self.hits += 1
                    self._kept.move_to_end(key)
                    return self._kept[key][0]
                self.misses += 1
            found = work(*given, **named)
            self._keep(key, found)
            return found

        return kept

    def _keep(self, key: Any, found: Any) -> None:
        size = self.size(found)
        if size > self.most:
            return
        with self._lock:
            self.held += size - self._kept.pop(key, (None, 0))[1]
            self._kept[key] = (found, size)
            while self.held > self.most:
                self.held -= self._kept.popitem(last=False)[1][1]

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
            self.held = 0


def size_of(found: Any) -> int:
    """About how many bytes an answer takes: measuring each of its values would take longer than to ask again."""
    if isinstance(found, Answer):
        return _OBJECT + len(found.rows) * (_ROW + _CELL * len(found.columns))
    if isinstance(found, StoredRows):
        return _OBJECT + found.path.stat().st_size
    if isinstance(found, dict) and found and all(isinstance(one, Answer) for one in found.values()):
        return sum(map(size_of, found.values()))
    try:
        return _OBJECT + 2 * len(pickle.dumps(found))
    except Exception:
        return _OBJECT
