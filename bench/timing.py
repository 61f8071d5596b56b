"""Timing, and quantiles of times."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """The result of `work`, and the milliseconds it took."""
    start = time.perf_counter()
    result = work()
    return result, (time.perf_counter() - start) * 1000


def quantile(values: Sequence[float], share: float) -> float:
    """The quantile of `values` at `share` (0 to 1), interpolated."""
    return float(np.quantile(values, share))


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
