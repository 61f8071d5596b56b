"""Institutes as clusters: people of one institute are alike, so institutes are the sampled units of a share."""

from typing import Any

import numpy as np

from etl.semantic.access import ADMINISTRATOR, BELOW_PROVINCE, ScopedCursor

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
    """A cursor for numbers by institute that are only summed to province and nation, which are open to every role."""
    if BELOW_PROVINCE & {*involved}:
        return con
    return ScopedCursor(con.numbers, ADMINISTRATOR, con.publication, con.most_rows)
