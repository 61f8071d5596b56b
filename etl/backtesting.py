"""The past as a test: what the projection of the stock said at the end of each past month, and what came.

Functions that pages ask for take a connection, a day and filters, and return an Answer like `ask` does; their words stand in
etl/metrics.toml under [derived.X].
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import duckdb

from etl import days
from etl.derived import Where, answered
from etl.metrics import Answer, ask

HORIZONS = (1, 3, 6, 12)
# Drawn beside what happened: what was said half a year before.
_SHOWN_HORIZON = 6
_MOST_ORIGINS = 120
# The range of a path holds so many of the misses that the projection made in the past.
_HELD = 0.8
_FEWEST_TRIALS = 12


@dataclass(frozen=True)
class Month:
    label: str
    last: date
    active: int
    net: int


@dataclass(frozen=True)
class History:
    months: list[Month]
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class _Trial:
    """What was projected at the end of one month for the end of a later one, and what came."""

    ahead: int
    month: str
    low: float
    high: float
    actual: int

    @property
    def is_inside(self) -> bool:
        return self.low <= self.actual <= self.high

    @property
    def miss(self) -> float:
        """The distance of what came from the middle of the range, over that middle."""
        middle = (self.low + self.high) / 2
        return abs(self.actual - middle) / max(middle, 1.0)


def backtest(con: duckdb.DuckDBPyConnection, on: date | None = None, where: Where = None) -> Answer:
    """How often the ranges held what came, 1, 3, 6 and 12 months later, over the past ten years.

    Rows: (ahead, share inside the projection's range, share inside the plan's, mean miss, and the counts both shares
    are made of). Every month's end with a year of history before it is one trial; the plan's range is made at each of
    what had been missed until then. Both see the rows loaded today, as every past day does.
    """
    history = history_of(con, on, where)
    rows: list[tuple[Any, ...]] = []
    for ahead in HORIZONS:
        trials = _trials(history, ahead)
        inside = sum(trial.is_inside for trial in trials)
        miss = sum(trial.miss for trial in trials) / len(trials) if trials else None
        planned = _planned(trials)
        held = sum(planned)
        shares = (inside / len(trials) if trials else None, held / len(planned) if planned else None)
        rows.append((ahead, *shares, miss, inside, len(trials), held, len(planned)))
    names = ("backtest_inside", "backtest_plan_inside", "backtest_miss")
    counts = ("backtest_months_inside", "backtest_months", "backtest_plan_months_inside", "backtest_plan_months")
    return answered(history.answers[0], ("ahead",), (*names, *counts), rows, also=history.answers)


def backtest_months(con: duckdb.DuckDBPyConnection, on: date | None = None, where: Where = None) -> Answer:
    """What came beside what was projected for it six months before: (month, active, low, high)."""
    history = history_of(con, on, where)
    rows = [(trial.month, trial.actual, trial.low, trial.high) for trial in _trials(history, _SHOWN_HORIZON)]
    names = ("active_assistants", "projected_low", "projected_high")
    return answered(history.answers[0], ("month",), names, rows, also=history.answers)


def history_of(con: duckdb.DuckDBPyConnection, on: date | None, where: Where) -> History:
    """The complete months up to the day: stock at the end of each, and net change in it."""
    now = ask(con, "in_service", on=on, where=where)
    day = now.on or now.publication.as_of
    over = days.last_complete_months(day, _MOST_ORIGINS + 12)
    stocks = ask(con, "active_assistants", by=("month",), over=over, where=where)
    nets = ask(con, "net_change", by=("month",), over=over, where=where)
    net = dict(nets.rows)
    units = {unit.label: unit for unit in days.units_between(*over, "month")}
    months = [Month(label, units[label].last, active, net[label]) for label, active in stocks.rows]
    return History(months, (_dated(stocks, day), nets))


def _trials(history: History, ahead: int) -> list[_Trial]:
    """Every month's end projected as `analysis.projection` does: at the pace of 6 and of 12 complete months."""
    months = history.months
    found = []
    for now in range(12, len(months) - ahead):
        if not months[now - 12].active:
            continue
        start, end = months[now], months[now + ahead]
        paces = [sum(one.net for one in months[now - count + 1 : now + 1]) / count for count in (6, 12)]
        away = (end.last - start.last).days / days.DAYS_A_MONTH
        low, high = (max(0.0, start.active + pace * away) for pace in sorted(paces))
        found.append(_Trial(ahead, end.label, low, high, end.active))
    return found


def _planned(trials: Sequence[_Trial]) -> list[bool]:
    """Whether each trial lay inside the plan's range as it would have been drawn then; the first ones have none."""
    found = []
    for place, trial in enumerate(trials):
        known = trials[: max(0, place - trial.ahead + 1)]
        if len(known) >= _FEWEST_TRIALS:
            found.append(trial.miss <= _held(known))
    return found


def _held(trials: Sequence[_Trial]) -> float:
    """The miss that 80 % of the trials did not exceed."""
    misses = sorted(trial.miss for trial in trials)
    return misses[math.ceil(_HELD * len(misses)) - 1]


def misses_of(history: History) -> list[float]:
    """The miss that 80 % of the trials did not exceed, 0 to 12 months ahead; it never shrinks with distance."""
    found = [0.0]
    for ahead in range(1, 13):
        trials = _trials(history, ahead)
        if len(trials) < _FEWEST_TRIALS:
            break
        found.append(max(found[-1], _held(trials)))
    return found


def miss(misses: Sequence[float], ahead: int) -> float:
    """Beyond what could be tried the range goes on growing in proportion."""
    tried = len(misses) - 1
    if not tried:
        return 0.0
    return misses[ahead] if ahead <= tried else misses[tried] * ahead / tried


def _dated(answer: Answer, day: date) -> Answer:
    return replace(answer, on=day, over=None)
