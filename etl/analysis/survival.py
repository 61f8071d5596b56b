"""Survival curves that a build computes with statsmodels: of the nation and of each member, as of the publication's day.

Questions with several filters or past days are computed in SQL by etl/analysis/retention.py, with the same definitions; a
test compares the two.

For weighted rows statsmodels returns the variance of Tsiatis (1981); it returns Greenwood's only for one row per person,
which would grow with the country. Greenwood's sum is therefore computed here, from the numbers at risk and leaving.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from types import ModuleType
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from etl.analysis.retention import ALL, LEAST, MOST_MONTHS, careers
from etl.core.jalali import DAYS_A_MONTH
from etl.semantic.catalog import tables
from etl.warehouse.build_database import create_from
from etl.warehouse.dimensions import CELL

DIMENSIONS = CELL
_CURVES = pa.schema(
    [
        *((name, pa.string()) for name in ("dimension", "member")),
        *(("served", pa.int64()), ("survival", pa.float64()), ("at_risk", pa.int64())),
        *((name, pa.float64()) for name in ("survival_low", "survival_high")),
    ]
)
_SERVED = np.arange(MOST_MONTHS + 1)
_DAYS = np.floor(_SERVED * DAYS_A_MONTH).astype(np.int64)
_QUANTILE = 1.96
# statsmodels uses it for significance tests only, which no curve needs; importing scipy.stats takes longer than the library.
_UNNEEDED, _IMPORTED_NAMES = "scipy.stats.distributions", ("chi2", "norm")


def import_library(con: duckdb.DuckDBPyConnection) -> None:
    """Import statsmodels in a thread while the models run: it takes as long as two of the largest models."""
    ((people,),) = con.execute("select count(*) from person_numbers").fetchall()
    if people >= LEAST:
        threading.Thread(target=_load).start()


def build(con: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Create `survival_curves`: one row for each dimension, member and whole month after joining with LEAST people followed.

    The nation is the one member of the dimension `all`. Columns: dimension, member, served (months), survival (share),
    at_risk (people), survival_low and survival_high (95 %).
    """
    parts = [_CURVES.empty_table()]
    columns = tables()["joiners"].columns
    for dimension in (ALL, *DIMENSIONS):
        sql = careers(f"joiners.{columns[dimension]}" if dimension != ALL else f"'{ALL}'", ["joiners.day <= $on_day"])
        counted = con.execute(
            f"select member, days, has_left, count(*) as people from ({sql}) as careers "
            "where member is not null group by all order by member, days, has_left",
            {"on_day": as_of},
        ).fetchnumpy()
        parts += [_table(dimension, member, *followed) for member, *followed in _by_member(counted)]
    create_from(con, "create table survival_curves as from arriving", pa.concat_tables(parts))


def curve(days: np.ndarray, has_left: np.ndarray, people: np.ndarray) -> tuple[np.ndarray, ...]:
    """The Kaplan-Meier curve at the beginning of each month served: survival, at risk, lower and upper bound.

    Each row stands for `people` followed for `days`, who then left or are censored; rows are sorted by days. The bounds are
    95 % limits by Greenwood's variance on the log-log scale, and equal the curve where it is 1 or 0.
    """
    steps = _library()(days, has_left, freq_weights=people)
    staying = steps.n_risk - steps.n_events
    added = np.divide(steps.n_events, steps.n_risk * staying, out=np.zeros(len(staying)), where=staying > 0)
    last = np.searchsorted(steps.surv_times, _DAYS, side="right")
    survival = np.concatenate(([1.0], steps.surv_prob))[last]
    variance = np.concatenate(([0.0], np.cumsum(added)))[last]
    followed = np.concatenate((np.cumsum(people[::-1])[::-1], [0]))[np.searchsorted(days, _DAYS)]
    low, high = survival.copy(), survival.copy()
    bent = (survival > 0) & (survival < 1)
    spread = _QUANTILE * np.sqrt(variance[bent]) / np.abs(np.log(survival[bent]))
    low[bent] = survival[bent] ** np.exp(spread)
    high[bent] = survival[bent] ** np.exp(-spread)
    return survival, followed, low, high


def _by_member(counted: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """The days, has_left and people of each member."""
    members, first = np.unique(np.asarray(counted["member"], dtype=object), return_index=True)
    columns = [np.asarray(counted[name]) for name in ("days", "has_left", "people")]
    for number, member in enumerate(members):
        end = first[number + 1] if number + 1 < len(first) else None
        yield (member, *(column[first[number] : end] for column in columns))


def _table(dimension: str, member: str, days: np.ndarray, has_left: np.ndarray, people: np.ndarray) -> pa.Table:
    """One curve, while at least LEAST people are followed; empty if there never are."""
    if people.sum() < LEAST:
        return _CURVES.empty_table()
    survival, followed, low, high = curve(days, has_left, people)
    length = int((followed >= LEAST).sum())
    names = ([dimension] * length, [member] * length)
    numbers = (_SERVED, survival, followed, low, high)
    arrays = [*names, *(column[:length] for column in numbers)]
    return pa.table(
        [pa.array(column, kind) for column, kind in zip(arrays, _CURVES.types, strict=True)], schema=_CURVES
    )


def _load() -> None:
    placeholder = ModuleType(_UNNEEDED)
    vars(placeholder).update(dict.fromkeys(_IMPORTED_NAMES))
    if sys.modules.setdefault(_UNNEEDED, placeholder) is placeholder:
        # A later version may need the module when it is imported: then the next call imports all of it.
        with suppress(ImportError):
            _library()
        del sys.modules[_UNNEEDED]


def _library() -> Any:
    from statsmodels.duration.survfunc import SurvfuncRight

    return SurvfuncRight
