"""The queue of complete licence files: how fast it grows, what the service standard needs, and when it is gone.

J. D. C. Little (1961), Operations Research 9; K. Fong and others (2022), Understanding Waiting Lists Pressures. It supposes
that files are decided in the order in which they became complete, and that waits are exponential.
"""

import math
from datetime import date

import numpy as np
import pandas as pd

from etl.analysis.competing_risks import SERVICE_DAYS
from etl.analysis.registry import analysis
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
# Fridays are no working days.
_SERVICE_MONTHS = SERVICE_DAYS * 7 / 6 / jalali.DAYS_A_MONTH
_MOST_MONTHS = 600
_PACES = ("queue_arrivals", "queue_decisions")
_NUMBERS = (
    "queue_files",
    *(f"{pace}{bound}" for pace in _PACES for bound in ("", "_low", "_high")),
    "queue_needed",
    "queue_target",
    "queue_cleared",
    "queue_cleared_first",
    "queue_cleared_last",
    "queue_ahead",
    "queue_ahead_low",
    "queue_ahead_high",
)
_BACKTEST_MONTHS = 36


@analysis(asks=("outstanding", "files_complete"))
def queue(con: ScopedCursor, on: date, where: Where, by: str = "nation") -> Answer:
    """Complete files that wait, arrivals and decisions a month, the decisions needed, and the month in which the queue is gone.

    One row, or one a province (`by` province). Paces are those of the last 12 complete months, with their 95 % Poisson
    intervals. `queue_needed`: decisions a month so that 95 % are decided within 25 working days; `queue_target`: the queue at
    that pace. `queue_cleared` is a month or never; `queue_ahead` the queue in 6 months. None under 20 files.
    """
    if by not in ("nation", "province"):
        raise QuestionError(f"--set by={by}: write nation or province")
    axes = ("province",) if by == "province" else ()
    like = ask(con, "outstanding", by=axes, on=on, where=where)
    files, query = _files(con, like)
    counted = _counted(files, on).groupby("province").sum() if axes else _counted(files, on)[list(_COUNTS)].sum().to_frame().T
    if axes:
        counted = counted.reindex(like.column("province"), fill_value=0).rename_axis("province")
    rows = _forecast(counted, on).reset_index()
    return answered(like, axes, _NUMBERS, rows, on=on, query=query)


@analysis(asks=("outstanding", "files_complete"))
def queue_backtest(con: ScopedCursor, on: date, where: Where) -> Answer:
    """The queue at the end of each of the last 36 months, and what `queue` said of it 6 months before.

    Rows: (month, queue_files, queue_ahead, queue_ahead_low, queue_ahead_high, queue_held, then queue_before).
    """
    like = ask(con, "outstanding", on=on, where=where)
    files, query = _files(con, like)
    last = jalali.last_month_end(on)
    rows = []
    for back in range(_BACKTEST_MONTHS - 1, -1, -1):
        end = jalali.last_complete_months(last, back)[0] - jalali.DAY if back else last
        start = jalali.last_complete_months(end, AHEAD)[0] - jalali.DAY
        then, now = (_counted(files, day)[list(_COUNTS)].sum().to_frame().T for day in (start, end))
        said = _forecast(then, start).iloc[0]
        actual = now["waiting"].iloc[0]
        held = None if said["queue_ahead"] is None else said["queue_ahead_low"] <= actual <= said["queue_ahead_high"]
        bounds = [said[name] for name in ("queue_ahead", "queue_ahead_low", "queue_ahead_high")]
        rows.append((jalali.unit_of(end, "month").label, actual, *bounds, held, then["waiting"].iloc[0]))
    names = ("queue_files", "queue_ahead", "queue_ahead_low", "queue_ahead_high", "queue_held")
    frame = pd.DataFrame(rows, columns=["month", *names, "queue_before"], dtype=object)
    return answered(like, ("month",), names, frame, on=on, query=query, more=("queue_before",))


_COUNTS = ("waiting", "arrived", "decided")


def _files(con: ScopedCursor, like: Answer) -> tuple[pd.DataFrame, str]:
    """The complete files under the filters of an answer: province, day of completion, day of the decision (NaT if none)."""
    conditions, parameters = filter_conditions(like.where, tables()["applications"].columns)
    sql = f"""
        select province::varchar as province, file_complete_on, case when outcome is not null then decided_on end as decided_on
        from applications
        where file_complete_on is not null and {" and ".join(conditions) or "true"}
    """
    return con.numbers.execute(sql, parameters).df(), readable(sql, parameters)


def _counted(files: pd.DataFrame, on: date) -> pd.DataFrame:
    """Whether each file waits on the day, arrived, and was decided in the 12 complete months up to it."""
    first, last, day = (pd.Timestamp(day) for day in (*jalali.last_complete_months(on, _MONTHS), on))
    complete, decided = files["file_complete_on"], files["decided_on"]
    waiting = (complete <= day) & ~(decided <= day)
    columns = {"waiting": waiting, "arrived": complete.between(first, last), "decided": decided.between(first, last)}
    return files[["province"]].assign(**{name: flags.astype(int) for name, flags in columns.items()})


def _forecast(counted: pd.DataFrame, on: date) -> pd.DataFrame:
    """The numbers of `queue` for each row of counts."""
    numbers = pd.DataFrame(index=counted.index)
    numbers["queue_files"] = waiting = counted["waiting"]
    for name, count in zip(_PACES, (counted["arrived"], counted["decided"]), strict=True):
        numbers[name], bounds = count / _MONTHS, poisson_interval(count)
        numbers[f"{name}_low"], numbers[f"{name}_high"] = (bound / _MONTHS for bound in bounds)
    arrivals, decisions = numbers["queue_arrivals"], numbers["queue_decisions"]
    # Exponential waits: a share exp(-t / mean) waits longer than t.
    rate = -math.log(1 - _SERVED) / _SERVICE_MONTHS
    numbers["queue_needed"] = np.maximum(arrivals + rate, waiting / _SERVICE_MONTHS)
    numbers["queue_target"] = arrivals / rate
    # The difference of two Poisson counts.
    spread = 1.96 * np.sqrt(counted["arrived"] + counted["decided"]) / _MONTHS
    for name, shift in (("queue_cleared", 0), ("queue_cleared_first", spread), ("queue_cleared_last", -spread)):
        months = waiting / (decisions - arrivals + shift).where(lambda pace: pace > 0)
        numbers[name] = [_month(on, ahead) for ahead in months]
    # Both the paces and the months ahead vary.
    ahead = waiting + (counted["arrived"] - counted["decided"]) * AHEAD / _MONTHS
    error = 1.96 * np.sqrt((counted["arrived"] + counted["decided"]) * ((AHEAD / _MONTHS) ** 2 + AHEAD / _MONTHS))
    numbers["queue_ahead"], numbers["queue_ahead_high"] = ahead.clip(lower=0), (ahead + error).clip(lower=0)
    numbers["queue_ahead_low"] = (ahead - error).clip(lower=0)
    numbers = numbers.astype(object)
    numbers.loc[waiting < LEAST, numbers.columns != "queue_files"] = None
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
