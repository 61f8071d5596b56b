"""Backtesting: the projections made at the end of each past month, compared with what happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from etl.analysis.projection import PACE_MONTHS, History, history_of
from etl.analysis.registry import analysis
from etl.core import jalali
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer
from etl.semantic.derived import Where, answered

HORIZONS = (1, 3, 6, 12)
# The chart compares the outcome with the projection of half a year before.
_SHOWN_HORIZON = 6


@dataclass(frozen=True)
class Run:
    """A projection made at the end of one month for the end of a later month, and the outcome.

    `low` and `high` are None for the first runs, before which fewer than 24 runs had ended.
    """

    month: str
    projected: float
    low: float | None
    high: float | None
    flat: float
    actual: int


def runs_of(history: History, ahead: int) -> list[Run]:
    """The projection `ahead` months at the end of every past month with three years of history.

    `flat` is a simpler projection for comparison: the mean of the paces of 6 and of 12 months.
    """
    months = history.months
    runs = []
    for start, path in history.runs.items():
        if start + ahead >= len(months):
            break
        ranges = history.ranges(start, ahead)
        active = history.vintages[start]
        low, high = (path[ahead] * (1 + bound) for bound in ranges[ahead]) if ahead < len(ranges) else (None, None)
        paces = [(active[-1] - active[-1 - count]) / count for count in (6, PACE_MONTHS)]
        away = (months[start + ahead].last - months[start].last).days / jalali.DAYS_A_MONTH
        flat = max(0.0, active[-1] + sum(paces) / 2 * away)
        runs.append(Run(months[start + ahead].label, path[ahead], low, high, flat, months[start + ahead].active))
    return runs


@analysis(asks=("active_assistants", "net_change"), open_by_province=True)
def backtest(con: ScopedCursor, on: date, where: Where) -> Answer:
    """How often the projection's range contained the outcome 1, 3, 6 and 12 months later, and the mean relative error.

    Rows: (ahead, share of ranges that held, mean miss, mean miss of a flat pace, then ranges that held, ranges, runs). Every
    month's end with three years of history is one run, made from the data known then; a range needs 24 runs that had ended.
    Shares are None without a range or a run.
    """
    history = history_of(con, on, where)
    rows: list[tuple[Any, ...]] = []
    for ahead in HORIZONS:
        runs = runs_of(history, ahead)
        ranged = [(run.low, run.actual, run.high) for run in runs if run.low is not None and run.high is not None]
        inside = sum(low <= actual <= high for low, actual, high in ranged)
        misses = (_mean_miss(runs, [run.projected for run in runs]), _mean_miss(runs, [run.flat for run in runs]))
        rows.append((ahead, inside / len(ranged) if ranged else None, *misses, inside, len(ranged), len(runs)))
    names = ("backtest_inside", "backtest_miss", "backtest_miss_flat")
    counts = ("backtest_months_inside", "backtest_months", "backtest_runs")
    return answered(history.answers[0], ("ahead",), (*names, *counts), rows, also=history.answers)


@analysis(asks=("active_assistants", "net_change"), open_by_province=True)
def backtest_months(con: ScopedCursor, on: date, where: Where) -> Answer:
    """The outcome and the range projected for it six months before: (month, active, low, high)."""
    history = history_of(con, on, where)
    runs = runs_of(history, _SHOWN_HORIZON)
    rows = [(run.month, run.actual, run.low, run.high) for run in runs if run.low is not None]
    names = ("active_assistants", "projected_low", "projected_high")
    return answered(history.answers[0], ("month",), names, rows, also=history.answers)


def _mean_miss(runs: Sequence[Run], projected: Sequence[float]) -> float | None:
    misses = [abs(run.actual - value) / max(value, 1.0) for run, value in zip(runs, projected, strict=True)]
    return sum(misses) / len(misses) if misses else None
