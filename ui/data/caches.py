"""A cache of results, bounded by bytes and not by count: a few large results fill a process before many small ones do."""

import pickle
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from etl.semantic.answers import Answer
from etl.semantic.exportable import StoredRows

# Estimated bytes of an object, of a row of an Answer, and of a cell.
_OBJECT, _ROW, _CELL = 1000, 64, 40


class ResultCache:
    """`work` with its results cached by its arguments: the last used ones, up to `most` bytes. Exceptions are not cached."""

    def __init__(self, work: Callable[..., Any], most: int) -> None:
        self.work, self.most = work, most
        self.bytes_held = self.hits = self.misses = 0
        self._results: OrderedDict[Any, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, *args: Hashable) -> Any:
        with self._lock:
            if args in self._results:
                self.hits += 1
                self._results.move_to_end(args)
                return self._results[args][0]
            self.misses += 1
        result = self.work(*args)
        size = size_of(result)
        if size <= self.most:
            with self._lock:
                self.bytes_held += size - self._results.pop(args, (None, 0))[1]
                self._results[args] = (result, size)
                while self.bytes_held > self.most:
                    self.bytes_held -= self._results.popitem(last=False)[1][1]
        return result

    def clear(self) -> None:
        with self._lock:
            self._results.clear()
            self.bytes_held = 0


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
