"""Backtesting: the projections made at the end of each past month, compared with what happened."""

from datetime import date
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd

from etl.analysis.analyses import analysis
from etl.analysis.projection import PACE_MONTHS, History, history_of
from etl.core import jalali
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer
from etl.semantic.composed_answers import Where, compose

HORIZONS = (1, 3, 6, 12)
# Planted breaks: how many times as many are recruited, and for how many months.
_RECRUITED: dict[str, tuple[float, int]] = {
    "none": (1, 0),
    "recruiting_stops": (0, 99),
    "recruits_halved": (0.5, 99),
    "eighth_struck_off": (1, 0),
    "boom": (2, 99),
    "boom_of_a_year": (2, 12),
    "end_of_boom": (2, 12),
}
PLANTED = tuple(_RECRUITED)
_SERIES, _HISTORY, _FIRST_BREAK = 25, 150, 100
# The chart compares the outcome with the projection of half a year before.
_SHOWN_HORIZON = 6


def runs_of(history: History) -> pd.DataFrame:
    """The projections at the end of every past month with three years of history, for the distances of HORIZONS.

    One row a run and distance: ahead, month, projected, low, high, flat, actual. The bounds are NaN for the first runs, before
    which fewer than 24 runs had ended. `flat` is a simpler projection: the mean of the paces of 6 and of 12 months.
    """
    starts, paths = history.runs
    rows: list[tuple[Any, ...]] = []
    for start, path in zip(starts, paths, strict=True):
        ahead = np.array([months for months in HORIZONS if start + months < len(history.active)], dtype=int)
        ranges, known = history.ranges(start, HORIZONS[-1]), history.vintages[start]
        low, high = np.pad(ranges, ((0, HORIZONS[-1]), (0, 0)), constant_values=np.nan)[ahead].T
        pace = sum((known[start] - known[start - months]) / months for months in (6, PACE_MONTHS)) / 2
        away = [(history.ends[start + months] - history.ends[start]).days / jalali.DAYS_A_MONTH for months in ahead]
        labels = [history.labels[start + months] for months in ahead]
        flat, projected, actual = known[start] + pace * np.array(away), path[ahead], history.active[start + ahead]
        rows += zip(ahead, labels, projected, projected * (1 + low), projected * (1 + high), flat, actual, strict=True)
    runs = pd.DataFrame(rows, columns=["ahead", "month", "projected", "low", "high", "flat", "actual"])
    return runs.assign(flat=runs["flat"].clip(0), held=runs["actual"].between(runs["low"] - 1e-9, runs["high"] + 1e-9))


@analysis(asks=("active_assistants", "net_change"), open_by=("",))
def backtest(con: ScopedCursor, on: date, where: Where) -> Answer:
    """How often the projection's range contained the outcome 1, 3, 6 and 12 months later, and the mean relative error.

    Rows: (ahead, share of ranges that held, mean miss, mean miss of a flat pace, then ranges that held, ranges, runs). Every
    month's end with three years of history is one run, made from the data known then; a range needs 24 runs that had ended.
    Shares are None without a range or a run.
    """
    history = history_of(con, on, where)
    runs = runs_of(history)
    for name in ("projected", "flat"):
        runs[f"{name}_miss"] = (runs["actual"] - runs[name]).abs() / runs[name].clip(1)
    table = runs.groupby("ahead").agg(
        backtest_miss=("projected_miss", "mean"),
        backtest_miss_flat=("flat_miss", "mean"),
        backtest_months_inside=("held", "sum"),
        backtest_months=("low", "count"),
        backtest_runs=("actual", "size"),
    )
    table = table.reindex(HORIZONS).rename_axis("ahead").reset_index()
    counts = ("backtest_months_inside", "backtest_months", "backtest_runs")
    table[[*counts]] = table[[*counts]].fillna(0).astype(int)
    table["backtest_inside"] = table["backtest_months_inside"] / table["backtest_months"]
    names = ("backtest_inside", "backtest_miss", "backtest_miss_flat")
    return compose(history.answers[0], ("ahead",), (*names, *counts), table, also=history.answers)


@analysis(asks=("active_assistants", "net_change"), open_by=("",))
def backtest_months(con: ScopedCursor, on: date, where: Where) -> Answer:
    """The outcome and the range projected for it six months before, None where there was none: (month, active, low, high)."""
    history = history_of(con, on, where)
    runs = runs_of(history)
    runs = runs[runs["ahead"] == _SHOWN_HORIZON]
    has_range = runs["low"].notna()
    # From the first range to the last.
    shown = runs[has_range.cummax() & has_range[::-1].cummax()]
    names = {"actual": "active_assistants", "low": "projected_low", "high": "projected_high"}
    by = ("month",)
    return compose(history.answers[0], by, tuple(names.values()), shown.rename(columns=names), also=history.answers)


def planted_series(kind: str, seed: int) -> tuple[History, int]:
    """A made-up history and the month of its break: recruits a month Poisson (900), leavers 0.8 %, Farvardin loses 1,000 more.

    From the break on `_RECRUITED` times as many are recruited, or an eighth is struck off in its month; the break of
    `end_of_boom` is the end.
    """
    chance, broken = np.random.default_rng([35, seed]), _FIRST_BREAK + seed % 12
    times, lasting = _RECRUITED[kind]
    units = list(islice(jalali.units_between(date(2012, 3, 25), date.max, "month"), _HISTORY))
    active = [8000]
    for month in range(1, _HISTORY):
        recruits = 900 * chance.lognormal(0, 0.1) * (times if 0 <= month - broken < lasting else 1)
        lost = chance.poisson(active[-1] * 0.008) + (chance.poisson(1000) if units[month].label.endswith("-01") else 0)
        struck_off = active[-1] // 8 if kind == "eighth_struck_off" and month == broken else 0
        active.append(max(active[-1] + chance.poisson(recruits) - lost - struck_off, 0))
    history = History([unit.label for unit in units], [unit.last for unit in units], np.array(active))
    return history, broken + (lasting if kind == "end_of_boom" else 0)


def planted() -> pd.DataFrame:
    """How often ranges held that were made in the year after a planted break, 25 series of each kind.

    Rows: (break, ahead, inside, ranges, unnoticed, made): the share of ranges that held (None: no range), the ranges shown, those
    of them shown before the break was noticed, and the projections made, some of which show no range. Without a break it is every
    projection.
    """
    rows = []
    for kind in PLANTED:
        for seed in range(_SERIES):
            history, broken = planted_series(kind, seed)
            runs = runs_of(history)
            made = runs["month"].map({label: at for at, label in enumerate(history.labels)}) - runs["ahead"]
            if kind != "none":
                runs = runs[made.between(broken, broken + PACE_MONTHS - 1)]
            noticed = [history.breaks[month, :month][-PACE_MONTHS:].any() for month in made[runs.index]]
            rows.append(runs.assign(**{"break": kind}, unnoticed=runs["low"].notna() & ~np.array(noticed, dtype=bool)))
    groups = pd.concat(rows).groupby(["break", "ahead"], sort=False)
    totals = {"inside": ("held", "sum"), "ranges": ("low", "count"), "unnoticed": ("unnoticed", "sum")}
    table = groups.agg(**totals, made=("actual", "size"))
    return table.assign(inside=table["inside"] / table["ranges"]).reset_index()
