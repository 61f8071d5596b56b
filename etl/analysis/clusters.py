"""Institutes as clusters: people of one institute are alike, so institutes are the sampled units of a share."""

from typing import Any

import numpy as np

from etl.semantic.access import ScopedCursor
from etl.semantic.rights import BELOW_PROVINCE

_Numbers = np.ndarray[Any, np.dtype[Any]]


def spread_of(share: Any) -> Any:
    return np.clip(share * (1 - share), 0, None)


def design_effect(residual: _Numbers, spread: _Numbers, institutes: _Numbers) -> float:
    """How many times more than independent people the institutes of all groups vary; at least 1."""
    known = np.isfinite(spread) & (institutes > 0)
    freedom = institutes[known].sum() - known.sum()
    if freedom <= 0 or not spread[known].sum():
        return 1.0
    return max(1.0, float((residual**2).sum() / spread[known].sum() * institutes[known].sum() / freedom))


def behind(con: ScopedCursor, involved: Any) -> ScopedCursor:
    """A cursor for numbers by institute that are only summed to groups that `con` was answered."""
    return con if BELOW_PROVINCE & {*involved} else con.of_everybody
