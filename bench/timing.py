"""Times of many, and what they come to."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What `work` returns, and the milliseconds it took."""
    start = time.perf_counter()
    found = work()
    return found, (time.perf_counter() - start) * 1000


def quantile(values: Sequence[float], share: float) -> float:
    """The value that so large a share of `values` does not exceed; linear between two. Raises ValueError for none."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no times were taken")
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


@dataclass(frozen=True)
class Times:
    """Milliseconds of a number of goes: the median and the 95th percentile."""

    p50: float
    p95: float
    times: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Times":
        """Of a list of milliseconds."""
        return cls(round(quantile(values, 0.5), 3), round(quantile(values, 0.95), 3), len(values))
