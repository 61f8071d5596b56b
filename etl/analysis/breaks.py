"""Breaks of a series: months whose net change lies outside the limits of the 24 months before it (XmR chart), and as far from the
mean of the same month in these two years. The end of a break, a change back from the level since, is one too.
"""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from etl.analysis.signals import MONTHS, process_limits

# The months after a break before which its level is not known.
FEWEST_AFTER_BREAK = 3


def break_sizes(active: np.ndarray, most: int) -> np.ndarray:
    """Each of the last `most` net changes (or as many as there are): how far it is from the mean before if a break, else 0.

    The months are the last axis. A size rests on the months up to it alone.
    """
    changes = np.diff(active).astype(float)
    sizes = np.zeros(changes.shape)
    if changes.shape[-1] > MONTHS:
        before, last = sliding_window_view(changes, MONTHS + 1, axis=-1)[..., :-1], changes[..., MONTHS:]
        _, middle, high = process_limits(before)
        apart, same = last - middle, (before[..., 0] + before[..., 12]) / 2 - middle
        found = _are_breaks(apart, same, high - middle)
        if found.any():
            apart, ends = _ends(last, apart, same, high - middle, found)
            found |= ends
        sizes[..., MONTHS:] = np.where(found, apart, 0)
    return sizes[..., -most:]


def monthly_profiles(changes: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """The mean deviation of each calendar month from the level of its time, where breaks separate levels; one row each."""
    number = np.cumsum(~kept, axis=1)
    levels = number[..., None] == np.arange(number.max(initial=0) + 1)
    months = np.broadcast_to(np.resize(np.eye(12), (changes.shape[1], 12)), (*changes.shape, 12))
    design = np.concatenate([levels, months], axis=2) * kept[..., None]
    # Least squares by the normal equations, which NumPy solves for all rows at once; their numbers are counts.
    inverse = np.linalg.pinv(design.mT @ design, rcond=1e-9, hermitian=True)
    found = (inverse @ (design.mT @ changes[..., None]))[:, -12:, 0]
    return found - found.mean(axis=1, keepdims=True)


def _are_breaks(apart: np.ndarray, same: np.ndarray, wide: np.ndarray) -> np.ndarray:
    """Whether changes lie outside the limits around their level, and around what the same month is apart from it."""
    return (np.maximum(apart, apart - same) < -wide) | (np.minimum(apart, apart - same) > wide)


def _ends(
    last: np.ndarray, apart: np.ndarray, same: np.ndarray, wide: np.ndarray, found: np.ndarray
) -> tuple[Any, Any]:
    """How far changes are from the level of their time, and which of them end a break.

    For 24 months after a break, the level is the mean since it (of three months at least); a change back from it is its end.
    """
    at = np.arange(last.shape[-1])
    since = np.maximum.accumulate(np.where(found, at + 1, 0), axis=-1)
    since = np.concatenate([np.zeros_like(since[..., :1]), since[..., :-1]], axis=-1)
    total, months = np.cumsum(last, axis=-1), at - since
    is_after = (since > 0) & (months >= FEWEST_AFTER_BREAK) & (months < MONTHS)
    # A place before the first one stands for no break; it is used where there was one.
    before = np.maximum(since - 1, 0)
    level = (total - last - np.take_along_axis(total, before, -1)) / np.maximum(months, 1)
    own = np.where(is_after, last - level, apart)
    same = same.copy()
    same[..., MONTHS:] = (own[..., 12:-12] + own[..., :-MONTHS]) / 2
    is_back = np.sign(own) == -np.sign(np.take_along_axis(apart, before, -1))
    ends = is_after & is_back & _are_breaks(own, same, wide)
    return np.where(ends, own, apart), ends
