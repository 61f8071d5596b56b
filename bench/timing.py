"""Timing, and quantiles of times."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """The result of `work`, and the milliseconds it took."""
    start = time.perf_counter()
    result = work()
    return result, (time.perf_counter() - start) * 1000


def quantile(values: Sequence[float], share: float) -> float:
    """The quantile of `values` at `share` (0 to 1), interpolated. Raises ValueError for no values."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no times were taken")
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


@dataclass(frozen=True)
class Times:
    """The median and the 95th percentile of a number of times in milliseconds."""

    p50: float
    p95: float
    times: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Times":
        """From a list of milliseconds."""
        return cls(round(quantile(values, 0.5), 3), round(quantile(values, 0.95), 3), len(values))
