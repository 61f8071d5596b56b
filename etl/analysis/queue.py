"""The queue of complete licence files: how fast it grows, and how many decisions a month the service standard needs.

Its length is not forecast: over 36 months a forecast missed by as much as the queue of the day. Waits are taken as exponential:
J. D. C. Little (1961), Operations Research 9; K. Fong and others (2022), Understanding Waiting Lists Pressures.
"""

import math
from datetime import date

import numpy as np
import pandas as pd

from etl.analysis.analyses import analysis
from etl.analysis.planning import last_year
from etl.analysis.survival import SERVICE_DAYS
from etl.core import jalali
from etl.core.errors import QuestionError
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask, filter_conditions, readable
from etl.semantic.catalog import tables
from etl.semantic.composed_answers import Where, compose

LEAST = 20
_MONTHS = 12
_SERVED = 0.95
_NUMBERS = ("queue_files", "queue_arrivals", "queue_decisions", "queue_needed", "queue_target")
_BOUNDS = ("arrivals_low", "arrivals_high", "decisions_low", "decisions_high")


@analysis(asks=("outstanding", "files_complete"), open_by=("province", "nation"))
def queue(con: ScopedCursor, on: date, where: Where, by: str = "nation", least: int = LEAST) -> Answer:
    """Complete files that wait, arrivals and decisions a month, and the decisions needed.

    One row, or one a province (`by` province): `_NUMBERS`, then the 95 % Poisson intervals of both paces, which are those of
    the last 12 complete months. `queue_needed`: decisions a month so that 95 % are decided within 25 working days;
    `queue_target`: the queue at that pace. None under `least` files.
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
        counted = pd.DataFrame([_counted(of_province.get(place, files[:0]), on) for place in places])
        counted = counted.set_axis(pd.Index(places, name="province"))
    else:
        counted = pd.DataFrame([_counted(files, on)])
    rows = _paces(counted, least, _service_months(con, on)).reset_index()
    return compose(like, axes, _NUMBERS, rows, on=on, query=query, more=_BOUNDS)


def _files(con: ScopedCursor, like: Answer) -> tuple[pd.DataFrame, str]:
    """The complete files under the filters of an answer: province, day of completion, day of the decision (NaT if none)."""
    conditions, parameters = filter_conditions(like.where, tables()["applications"].columns)
    sql = f"""
        select province::varchar as province, file_complete_on, case when outcome is not null then decided_on end as decided_on
        from applications
        where file_complete_on is not null and {" and ".join(conditions) or "true"}
    """
    return con.execute(sql, parameters).df(), readable(sql, parameters)


def _service_months(con: ScopedCursor, on: date) -> float:
    """25 working days in months: of the 12 complete months before a day, on average over the provinces."""
    first, last = jalali.last_complete_months(on, _MONTHS)
    sql = "select day, avg(elapsed) from working_days where day in ($since, $until) group by all"
    elapsed = dict(con.whole.execute(sql, {"since": first - jalali.DAY, "until": last}).fetchall())
    # Before the calendar begins only Fridays are known.
    worked = elapsed[last] - elapsed[first - jalali.DAY] if len(elapsed) == 2 else 0
    return SERVICE_DAYS * _MONTHS / (worked or _MONTHS * jalali.DAYS_A_MONTH * 6 / 7)


def _counted(files: pd.DataFrame, on: date) -> dict[str, int]:
    """The files that wait on a day, and those that arrived and were decided in the 12 complete months before it."""
    first, last = map(pd.Timestamp, jalali.last_complete_months(on, _MONTHS))
    complete, decided = files["file_complete_on"], files["decided_on"]
    return {
        "waiting": int((complete <= pd.Timestamp(on)).sum() - (decided <= pd.Timestamp(on)).sum()),
        "arrived": int(complete.between(first, last).sum()),
        "decided": int(decided.between(first, last).sum()),
    }


def _paces(counted: pd.DataFrame, least: int, limit: float) -> pd.DataFrame:
    """The numbers of `queue` for each row of counts; `limit` is 25 working days in months."""
    numbers = pd.DataFrame(index=counted.index)
    numbers["queue_files"] = waiting = counted["waiting"]
    numbers["queue_arrivals"] = arrivals = counted["arrived"] / _MONTHS
    numbers["queue_decisions"] = counted["decided"] / _MONTHS
    bounds = [*poisson_interval(counted["arrived"]), *poisson_interval(counted["decided"])]
    numbers[[*_BOUNDS]] = (pd.concat(bounds, axis=1) / _MONTHS).to_numpy()
    # Exponential waits: a share exp(-t / mean) waits longer than t.
    rate = -math.log(1 - _SERVED) / limit
    numbers["queue_needed"] = np.maximum(arrivals + rate, waiting / limit)
    numbers["queue_target"] = arrivals / rate
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
