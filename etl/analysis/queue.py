"""The queue of complete licence files: how fast it grows, what the service standard needs, and when it is gone.

J. D. C. Little (1961), Operations Research 9; K. Fong and others (2022), Understanding Waiting Lists Pressures. It supposes
that files are decided in the order in which they became complete, and that waits are exponential.
"""

import math
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from etl.analysis.planning import last_year
from etl.analysis.registry import analysis
from etl.analysis.survival import SERVICE_DAYS
from etl.core import jalali
from etl.core.errors import QuestionError
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask, filter_conditions, readable
from etl.semantic.catalog import tables
from etl.semantic.derived import Where, answered

LEAST = 20
AHEAD = 6
NEVER = "never"
_MONTHS = 12
_SERVED = 0.95
_MOST_MONTHS = 600
_NUMBERS = (
    "queue_files",
    "queue_arrivals",
    "queue_decisions",
    "queue_needed",
    "queue_target",
    "queue_cleared",
    "queue_cleared_first",
    "queue_cleared_last",
    "queue_ahead",
    "queue_ahead_low",
    "queue_ahead_high",
)
_BOUNDS = ("arrivals_low", "arrivals_high", "decisions_low", "decisions_high")
_COUNTS = ("waiting", "arrived", "decided")
_BACKTEST_MONTHS = 36
Numbers = np.ndarray[Any, np.dtype[np.float64]]


@analysis(asks=("outstanding", "files_complete"), open_by_province=True)
def queue(con: ScopedCursor, on: date, where: Where, by: str = "nation", least: int = LEAST) -> Answer:
    """Complete files that wait, arrivals and decisions a month, the decisions needed, and the month in which the queue is gone.

    One row, or one a province (`by` province): `_NUMBERS`, then the 95 % Poisson intervals of both paces, which are those of
    the last 12 complete months. `queue_needed`: decisions a month so that 95 % are decided within 25 working days;
    `queue_target`: the queue at that pace. `queue_cleared` is a month or never, `queue_ahead` the queue in 6 months. None
    under `least` files.
    """
    last_year(con, on)
    if by not in ("nation", "province"):
        raise QuestionError(f"--set by={by}: write nation or province")
    axes = ("province",) if by == "province" else ()
    like = ask(con, "outstanding", by=axes, on=on, where=where)
    files, query = _files(con, like)
    if axes:
        of_province = dict([*files.groupby("province")])
        places = [place for place in like.column("province") if place is not None]
        counted = pd.concat([_counted(of_province.get(place, files[:0]), [on]) for place in places])
        counted = counted.set_axis(pd.Index(places, name="province"))
    else:
        counted = _counted(files, [on])
    rows = _forecast(counted, [on] * len(counted), least, _service_months(con, [on])).reset_index()
    return answered(like, axes, _NUMBERS, rows, on=on, query=query, more=_BOUNDS)


@analysis(asks=("outstanding", "files_complete"), open_by_province=True)
def queue_backtest(con: ScopedCursor, on: date, where: Where, least: int = LEAST) -> Answer:
    """What `queue` said 6 months before the end of each of the last 36 months, against the queue then. One row.

    (queue_held, queue_miss, queue_miss_unchanged, then runs): the share of ranges that held the queue, and the mean miss in
    files, also of a queue that stays as it is.
    """
    like = ask(con, "outstanding", on=on, where=where)
    files, query = _files(con, like)
    first = jalali.last_complete_months(on, _BACKTEST_MONTHS + AHEAD)[0] - jalali.DAY
    ends = [first, *(unit.last for unit in jalali.units_between(first + jalali.DAY, on, "month") if unit.last <= on)]
    counted = _counted(files, ends)
    said = _forecast(counted, ends, least, _service_months(con, ends))
    said, then = said.iloc[:-AHEAD].dropna(subset=["queue_ahead"]), counted["waiting"].shift(-AHEAD)
    numbers = ["queue_files", "queue_ahead", "queue_ahead_low", "queue_ahead_high"]
    runs = said[numbers].astype(float).assign(actual=then)
    held = runs["actual"].between(runs["queue_ahead_low"], runs["queue_ahead_high"])
    miss, unchanged = ((runs[name] - runs["actual"]).abs() for name in ("queue_ahead", "queue_files"))
    row = (held.mean(), miss.mean(), unchanged.mean(), len(runs))
    names = ("queue_held", "queue_miss", "queue_miss_unchanged")
    return answered(like, (), names, pd.DataFrame([row], columns=[*names, "runs"]), on=on, query=query, more=("runs",))


def _files(con: ScopedCursor, like: Answer) -> tuple[pd.DataFrame, str]:
    """The complete files under the filters of an answer: province, day of completion, day of the decision (NaT if none)."""
    conditions, parameters = filter_conditions(like.where, tables()["applications"].columns)
    sql = f"""
        select province::varchar as province, file_complete_on, case when outcome is not null then decided_on end as decided_on
        from applications
        where file_complete_on is not null and {" and ".join(conditions) or "true"}
    """
    return con.numbers.execute(sql, parameters).df(), readable(sql, parameters)


def _service_months(con: ScopedCursor, days: Sequence[date]) -> Numbers:
    """25 working days in months: of the 12 complete months up to each day, on average over the provinces."""
    periods = [jalali.last_complete_months(day, _MONTHS) for day in days]
    since, until = ([first - jalali.DAY for first, _ in periods], [last for _, last in periods])
    sql = "select day, avg(elapsed) from working_days where day in (select unnest($days)) group by all"
    elapsed = dict(con.numbers.execute(sql, {"days": [*since, *until]}).fetchall())
    worked = [
        elapsed[end] - elapsed[start] if start in elapsed and end in elapsed else 0
        for start, end in zip(since, until, strict=True)
    ]
    # Before the calendar begins only Fridays are known.
    return np.array([SERVICE_DAYS * _MONTHS / (days or _MONTHS * jalali.DAYS_A_MONTH * 6 / 7) for days in worked])


def _counted(files: pd.DataFrame, days: Sequence[date]) -> pd.DataFrame:
    """The files that wait on each day, and those that arrived and were decided in the 12 complete months up to it."""
    periods = [jalali.last_complete_months(day, _MONTHS) for day in days]
    moments = ([first - jalali.DAY for first, _ in periods], [last for _, last in periods], days)
    # How many files were complete, and how many decided, by each of three days.
    complete, decided = (
        [
            np.searchsorted(
                np.sort(files[name].dropna().to_numpy("datetime64[s]")), np.array(by, "datetime64[s]"), "right"
            )
            for by in moments
        ]
        for name in ("file_complete_on", "decided_on")
    )
    counts = (complete[2] - decided[2], complete[1] - complete[0], decided[1] - decided[0])
    return pd.DataFrame(dict(zip(_COUNTS, counts, strict=True)))


def _forecast(counted: pd.DataFrame, days: Sequence[date], least: int, limit: Numbers) -> pd.DataFrame:
    """The numbers of `queue` for each row of counts and its day; `limit` is 25 working days in months."""
    numbers = pd.DataFrame(index=counted.index)
    numbers["queue_files"] = waiting = counted["waiting"]
    numbers["queue_arrivals"] = arrivals = counted["arrived"] / _MONTHS
    numbers["queue_decisions"] = decisions = counted["decided"] / _MONTHS
    bounds = [*poisson_interval(counted["arrived"]), *poisson_interval(counted["decided"])]
    numbers[[*_BOUNDS]] = (pd.concat(bounds, axis=1) / _MONTHS).to_numpy()
    # Exponential waits: a share exp(-t / mean) waits longer than t.
    rate = -math.log(1 - _SERVED) / limit
    numbers["queue_needed"] = np.maximum(arrivals + rate, waiting / limit)
    numbers["queue_target"] = arrivals / rate
    # The difference of two Poisson counts.
    spread = 1.96 * np.sqrt(counted["arrived"] + counted["decided"]) / _MONTHS
    for name, shift in (("queue_cleared", 0), ("queue_cleared_first", spread), ("queue_cleared_last", -spread)):
        months = waiting / (decisions - arrivals + shift).where(lambda pace: pace > 0)
        numbers[name] = [_month(day, ahead) for day, ahead in zip(days, months, strict=True)]
    # Both the paces and the months ahead vary.
    ahead = waiting + (counted["arrived"] - counted["decided"]) * AHEAD / _MONTHS
    error = 1.96 * np.sqrt((counted["arrived"] + counted["decided"]) * ((AHEAD / _MONTHS) ** 2 + AHEAD / _MONTHS))
    numbers["queue_ahead"], numbers["queue_ahead_high"] = ahead.clip(lower=0), (ahead + error).clip(lower=0)
    numbers["queue_ahead_low"] = (ahead - error).clip(lower=0)
    numbers = numbers.astype(object)
    numbers.loc[waiting < least, numbers.columns != "queue_files"] = None
    return numbers


def poisson_interval(counts: pd.Series) -> tuple[pd.Series, pd.Series]:
    """The 95 % interval of Poisson counts by Byar's approximation (Breslow and Day 1987)."""
    low, high = (
        (n := counts + step) * (1 - 1 / (9 * n.where(n > 0, 1)) + sign * 1.96 / (3 * np.sqrt(n.where(n > 0, 1)))) ** 3
        for step, sign in ((0, -1), (1, 1))
    )
    return low.clip(lower=0), high


def _month(on: date, months: float) -> str:
    """The Jalali month a number of months after a day."""
    if not months <= _MOST_MONTHS:
        return NEVER
    return jalali.unit_of(on + jalali.DAY * math.ceil(months * jalali.DAYS_A_MONTH), "month").label
