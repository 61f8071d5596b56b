"""The projection of active assistants: the pace of a year, and the seasonal profile of the twelve Jalali months.

Active on the day plus, for each month ahead, the mean monthly net change of the last 12 complete months and the mean
deviation of that calendar month in the last three years. The range at each distance holds the middle 80 % of the signed
relative errors of the same method in the past, each run made only from the data known on its day.

Breaks (`etl.analysis.signals`) are left out of pace and profile, and months before the last break out of the pace. For a year
after one, which may end or come again, the range is wider by its size for each month ahead; there is none until three months
have passed, none beyond nine months ahead, nor one that would be wider than half of the projection. For a year after a run to
one side, which may be a break too small to be told from chance, the range is wider to that side by the run's mean for each month.
"""

import math
from bisect import bisect_left
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import accumulate, islice
from threading import Lock

import numpy as np
import pandas as pd
from cachetools import LRUCache, cached

from etl.analysis.analyses import analysis
from etl.analysis.signals import FEWEST_AFTER_BREAK, break_sizes, breaks_and_runs, monthly_profiles
from etl.core import jalali
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask, filter_conditions
from etl.semantic.catalog import tables
from etl.semantic.composed_answers import Where, compose

PACE_MONTHS = 12
PROFILE_MONTHS = 36
FEWEST_RUNS = 24
MOST_MONTHS_AHEAD = 60
# A range after a break that is wider than this part of the projection tells nothing.
WIDEST = 0.5
# In the year after a break, of ranges farther ahead less than 6 in 10 held (`etl backtest --planted`, and planted in the sample).
MOST_AHEAD_AFTER_BREAK = 9
_MOST_RUNS = 120
# Histories of an open publication, each of some 200 KB.
_MOST_KEPT = 16
MONTHS_SHOWN_BEFORE = 24
MOST_MONTHS_SHOWN = 36
_PROJECTED = ("projected", "low", "high")
# The months in which a path reaches its target: the same in each of its rows.
REACHED = ("reached_first", "reached_middle", "reached_last")
# Numbers of persons that differ by less are the same but for the rounding of floats.
_SAME = 1e-6

# Persons in service at a month's end whose licences for it were all decided later, by the day of the first decision.
# Few licences are decided after they begin, so only their institutes and persons are read.
_LATE = """
    with granted as (
        select institute_code, valid_from, valid_until, decided_on
        from applications
        where outcome = 'granted'
    ),
    begun_before as (
        select distinct ends.day, granted.institute_code
        from (select unnest($ends::date[]) as day) as ends
        inner join granted
            on granted.valid_from <= ends.day
            and granted.valid_until >= ends.day
            and granted.decided_on > ends.day
        where granted.decided_on > granted.valid_from
    ),
    serving as (
        select distinct begun_before.day, spells.person_id
        from begun_before
        inner join spells
            on spells.institute_code = begun_before.institute_code
            and spells.hired_on <= begun_before.day
            and spells.end_day > begun_before.day
    ),
    persons as (
        select serving.day, serving.person_id, min(granted.decided_on) as known_on
        from serving
        inner join spells
            on spells.person_id = serving.person_id
            and spells.hired_on <= serving.day
            and spells.end_day > serving.day
        inner join granted
            on granted.institute_code = spells.institute_code
            and granted.valid_from <= serving.day
            and granted.valid_until >= serving.day
        inner join institutes
            on institutes.institute_code = spells.institute_code
            and institutes.stopped_on > serving.day
        where {conditions}
        group by all
    )
    select day, known_on, count(*) as persons
    from persons
    where known_on > day
    group by all
"""


@dataclass(frozen=True, eq=False)
class History:
    """The complete months up to a day: label, last day and active assistants of each, as known today.

    `known_later`: persons active at a month's end who became known only later, as (last day, day known, persons).
    """

    labels: Sequence[str]
    ends: Sequence[date]
    active: np.ndarray
    known_later: Sequence[tuple[date, date, int]] = ()
    answers: tuple[Answer, ...] = ()

    @cached_property
    def vintages(self) -> np.ndarray:
        """For every month's end (row), the active assistants at the end of each month up to it (column), as known on it."""
        known = np.tile(self.active.astype(float), (len(self.active), 1))
        at = {end: number for number, end in enumerate(self.ends)}
        for end, known_on, persons in self.known_later:
            known[: bisect_left(self.ends, known_on), at[end]] -= persons
        return known

    @property
    def breaks(self) -> np.ndarray:
        """For every month's end (row), the size of each net change (column) as a break, as known on it."""
        return self._breaks_and_runs[0]

    @property
    def one_sided(self) -> np.ndarray:
        """For every month's end (row), the mean of the run to one side that each net change (column) ends, as known on it."""
        return self._breaks_and_runs[1]

    @cached_property
    def _breaks_and_runs(self) -> tuple[np.ndarray, np.ndarray]:
        # At most months' ends nothing more is known than at the one before.
        is_new = np.any(np.diff(self.vintages, axis=0, prepend=np.nan) != 0, axis=1)
        sizes, runs = breaks_and_runs(self.vintages[is_new])
        known = np.cumsum(is_new) - 1
        return sizes[known], runs[known]

    @cached_property
    def runs(self) -> tuple[np.ndarray, np.ndarray]:
        """The months with three years of history, and the projection at the end of each: active 0, 1, 2, … months ahead."""
        first = max(PROFILE_MONTHS, len(self.active) - _MOST_RUNS)
        starts = np.array(
            [at for at in range(first, len(self.active)) if self.vintages[at, at - PROFILE_MONTHS] > 0], int
        )
        rows = starts[:, None]
        three_years = rows + np.arange(-PROFILE_MONTHS, 0)
        changes, kept = np.diff(self.vintages)[rows, three_years], self.breaks[rows, three_years] == 0
        steps, known = _changes_ahead(changes, kept, MOST_MONTHS_AHEAD + 1), self.vintages[rows, rows]
        return starts, np.hstack([known, known + steps.cumsum(axis=1)]).clip(0)

    def ranges(self, month: int, most: int) -> np.ndarray:
        """The lower and upper bound 0, 1, 2, … months ahead of `month`, relative to the projection: one row each.

        A range never narrows with distance. The rows end before the first distance with fewer than 24 runs, or as the module
        says after a break.
        """
        starts, paths = self.runs
        ahead = np.arange(1, most + 1)
        ends = starts[:, None] + ahead
        known = self.vintages[month][np.minimum(ends, month)]
        # The signed relative errors of the runs whose outcome is known at the end of `month`.
        misses = np.where(ends <= month, (known - paths[:, ahead]) / np.maximum(paths[:, ahead], 1), np.nan)
        misses = misses[:, (ends <= month).sum(0) >= FEWEST_RUNS]
        low, high = middle_range(misses)
        sizes = self.breaks[month, :month][-PACE_MONTHS:]
        largest, sided = np.abs(sizes).max(initial=0), self.one_sided[month, :month][-PACE_MONTHS:]
        wider = ahead[: len(low)] / max(self.vintages[month, month], 1)
        low = np.minimum.accumulate([0.0, *(low - max(largest, *-sided) * wider)])
        high = np.maximum.accumulate([0.0, *(high + max(largest, *sided) * wider)])
        shown = len(low)
        if sizes.any():
            narrow = int(np.count_nonzero(high - low < WIDEST))
            shown = 1 if sizes[-FEWEST_AFTER_BREAK:].any() else min(narrow, MOST_AHEAD_AFTER_BREAK + 1)
        return np.stack([low, high], axis=1)[:shown]


def reached(points: pd.DataFrame, target: float) -> list[str | None]:
    """The first months in which the upper bound, the projection and the lower bound reach a target; None if one does not."""
    months = points["month"].tolist()
    at = [np.flatnonzero(points[name].to_numpy(float) >= target - _SAME)[:1] for name in ("high", "projected", "low")]
    return [months[first[0]] if first.size else None for first in at]


def stays_above(points: pd.DataFrame, target: float) -> str | None:
    """The month from which the projection is at a target and stays there: a season may bring it below once more."""
    below = np.flatnonzero(~(points["projected"].to_numpy(float) >= target - _SAME))
    first = below[-1] + 1 if below.size else 0
    return points["month"].tolist()[first] if first < len(points) else None


def with_months_reached(shown: pd.DataFrame, points: pd.DataFrame, target: float | None) -> pd.DataFrame:
    """`shown` with its target and the columns REACHED of its path `points`, which is longer than what is shown."""
    months = [None] * len(REACHED) if target is None else reached(points, target)
    return shown.assign(target=target, **dict(zip(REACHED, months, strict=True)))


def whole_above(persons: float) -> int:
    """The least whole number of persons that is at least so many: a need that is rounded down is not met."""
    return math.ceil(persons - _SAME)


def monthly_changes(active: np.ndarray, ahead: int) -> np.ndarray:
    """The net change in each of the next `ahead` months, from the active assistants at the end of each past month.

    It is the pace of a year plus, with three years of months, the seasonal profile. Needs at least 13 months.
    """
    changes = np.diff(active[-PROFILE_MONTHS - 1 :])
    if len(changes) < PROFILE_MONTHS:
        return np.full(ahead, changes[-PACE_MONTHS:].mean())
    return _changes_ahead(changes[None], break_sizes(active, PROFILE_MONTHS)[None] == 0, ahead)[0]


def _changes_ahead(changes: np.ndarray, kept: np.ndarray, ahead: int) -> np.ndarray:
    """The net changes of the next `ahead` months after three years of them, one row each; those not `kept` are breaks."""
    # The first change is three years before the next month.
    profiles = (changes - changes.mean(axis=1, keepdims=True)).reshape(-1, PROFILE_MONTHS // 12, 12).mean(axis=1)
    broken = ~kept.all(axis=1)
    profiles[broken] = monthly_profiles(changes[broken], kept[broken])
    levels = (changes - np.tile(profiles, PROFILE_MONTHS // 12))[:, -PACE_MONTHS:]
    recent = kept[:, -PACE_MONTHS:]
    after = recent & (np.cumsum(~recent, axis=1) == (~recent).sum(axis=1, keepdims=True))
    used = np.where(after.sum(axis=1, keepdims=True) >= FEWEST_AFTER_BREAK, after, recent)
    used |= ~used.any(axis=1, keepdims=True)
    pace = np.average(levels, axis=1, weights=used)
    return pace[:, None] + np.tile(profiles, (1, -(-ahead // 12)))[:, :ahead]


def middle_range(values: np.ndarray) -> np.ndarray:
    """The bounds of the middle 80 % of each column of at least 24 values, NaN left out: the percentiles 10 and 90.

    They are at the positions part × (n + 1): E. J. Gumbel (1939) and Weibull; of 24 values the tenth percentile is between the
    second and the third.
    """
    ordered, counts = np.sort(values, axis=0), np.count_nonzero(~np.isnan(values), axis=0)
    positions = np.outer((0.1, 0.9), counts + 1)
    below = positions.astype(int)
    lower, upper = (np.take_along_axis(ordered, at, axis=0) for at in (below - 1, below))
    return lower + (positions - below) * (upper - lower)


def history_of(con: ScopedCursor, on: date, where: Where) -> History:
    """The complete months up to the day, as many as 120 runs of the projection need.

    The projection, the pace and the recruits needed share it, with its runs.
    """
    kept = con.once("history", lambda: cached(LRUCache(_MOST_KEPT), key=_question, lock=Lock())(_history))
    return kept(con, on, where)


def _question(con: ScopedCursor, on: date, where: Where) -> Hashable:
    return con.scope, on, tuple(sorted((name, tuple(codes)) for name, codes in where.items()))


def _history(con: ScopedCursor, on: date, where: Where) -> History:
    like = ask(con, "active_assistants", on=on, where=where)
    over = jalali.last_complete_months(on, _MOST_RUNS + PROFILE_MONTHS)
    stocks = ask(con, "active_assistants", by=("month",), over=over, where=where)
    ends = {unit.label: unit.last for unit in jalali.units_between(*over, "month")}
    months = stocks.frame[stocks.frame["active_assistants"].cumsum() > 0]
    lasts = [ends[label] for label in months["month"]]
    later = _known_later(con, lasts, like)
    return History(list(months["month"]), lasts, months["active_assistants"].to_numpy(), later, (like, stocks))


def path_of(history: History, day: date, active: float) -> pd.DataFrame:
    """The projection from a day with `active` assistants, for the next 60 months that end after it.

    One row a month: month, last day, distance of its end in months, projected, low, high. The bounds are NaN with fewer than 24
    past runs. Without a year of history there are no rows.
    """
    if len(history.active) <= PACE_MONTHS:
        return pd.DataFrame(columns=["month", "last", "distance", *_PROJECTED])
    first = history.ends[-1] + jalali.DAY
    units = list(islice(jalali.units_between(first, date.max, "month"), MOST_MONTHS_AHEAD))
    # Of the current month, only the days after `day` count.
    parts = np.ones(len(units))
    parts[0] = min((units[0].last - day).days / ((units[0].last - first).days + 1), 1.0)
    steps = monthly_changes(history.active, MOST_MONTHS_AHEAD) * parts
    stocks = np.array(list(accumulate(steps, lambda stock, step: max(0.0, stock + step), initial=active))[1:])
    ranges = history.ranges(len(history.active) - 1, MOST_MONTHS_AHEAD + 1)
    distance = parts.cumsum()
    bounds = [np.interp(distance, range(len(ranges)), side, right=np.nan) for side in ranges.T]
    low, high = ((stocks * (1 + bound)).clip(0) for bound in bounds)
    labels, lasts = [unit.label for unit in units], [unit.last for unit in units]
    numbers = {"distance": distance, "projected": stocks, "low": low, "high": high}
    return pd.DataFrame({"month": labels, "last": lasts} | numbers)


def months_shown(history: History, day: date, active: float, points: pd.DataFrame, goal: float | None) -> pd.DataFrame:
    """The last known months, then those of `points`, which begin in the current one: month, active, projected, low, high, break.

    They extend to a year after the month in which `projected` reaches the goal, three years at most; one year if there is none.
    `break` is the size of a break.
    """
    current = jalali.unit_of(day, "month").label
    labels, sizes = history.labels[-MONTHS_SHOWN_BEFORE:], break_sizes(history.active, MONTHS_SHOWN_BEFORE)
    ahead = points[(points["month"] > current).to_numpy()]
    months = PACE_MONTHS
    if goal is not None:
        until = reached(points, goal)[1]
        months = MOST_MONTHS_SHOWN if until is None else PACE_MONTHS + (ahead["month"] <= until).sum()
    ahead = ahead[: min(months, MOST_MONTHS_SHOWN)]
    sizes = np.pad(sizes, (len(labels) - len(sizes), 0))
    known = pd.DataFrame({"month": labels, "active": history.active[-MONTHS_SHOWN_BEFORE:], "break": sizes})
    now = pd.DataFrame({"month": [current]} | dict.fromkeys(("active", *_PROJECTED), active))
    shown = pd.concat([known.loc[[label < current for label in labels]], now, ahead], ignore_index=True)
    shown["break"] = shown["break"].where(shown["break"] != 0)
    return shown[["month", "active", *_PROJECTED, "break"]].astype({"active": "Int64"})


@analysis(asks=("active_assistants", "own_target", "net_change"), open_by=("",))
def projection(con: ScopedCursor, on: date, where: Where) -> Answer:
    """Known and projected months: (month, active, low, high, projected, break_size), as `months_shown`.

    Where the place has a target that lies ahead, it is next. REACHED is last.

    `low` and `high` are None with fewer than 24 past runs and in the months after a break; with less than a year of history
    nothing is projected.
    """
    like = ask(con, "active_assistants", "own_target", on=on, where=where)
    history = history_of(con, on, where)
    active, target = like.value("active_assistants"), target_of(con, on, where)
    goal = None if target is None or active >= target else target
    points = path_of(history, on, active)
    shown = with_months_reached(months_shown(history, on, active, points, goal), points, goal)
    names = {"active": "active_assistants", "low": "projected_low", "high": "projected_high"}
    names |= {"projected": "projected", "break": "break_size"} | ({} if goal is None else {"target": "target"})
    shown = shown.rename(columns=names)
    return compose(like, ("month",), tuple(names.values()), shown, also=history.answers, more=REACHED)


@analysis(asks=("active_assistants", "own_target", "net_change"), open_by=("",))
def pace(con: ScopedCursor, on: date, where: Where, until: date | None = None) -> Answer:
    """The required and the actual pace in persons per month, and the months in which the target is reached. One row.

    (required_pace, actual_pace_6, actual_pace_12, projected_first, projected_middle, projected_last, then has_range, break_month,
    break_size, stays_from). The required pace is that until `until` (default: the end of the next Jalali year), rounded up; the
    actual paces are of the last 6 and 12 complete months. The target is reached by the upper bound, the projection and the lower
    bound. A month is None if that is not within five years, a number without a target (`target_of`) or history for it.
    `has_range`: whether the history is long enough for a range of five years. The break is the largest of the last 12 complete
    months.
    From `stays_from` on the projection is never below the target again.
    """
    answer = ask(con, "active_assistants", "own_target", on=on, where=where)
    until = until or end_of_next_year(on)
    history = history_of(con, on, where)
    active, target = answer.value(), target_of(con, on, where)
    left = (until - on).days / jalali.DAYS_A_MONTH
    required = whole_above((target - active) / left) if target is not None and left > 0 else None
    points = path_of(history, on, active)
    months: list[str | None] = [None] * 3
    if target is not None:
        months = [jalali.unit_of(on, "month").label] * 3 if active >= target else reached(points, target)
    past = history.active.tolist()
    paces = [(past[-1] - past[-1 - count]) / count if len(past) > count else None for count in (6, PACE_MONTHS)]
    sizes = break_sizes(history.active, PACE_MONTHS)
    largest = np.abs(sizes).argmax() if sizes.any() else None
    broken = (None, None) if largest is None else (history.labels[largest - len(sizes)], float(sizes[largest]))
    names = (
        "required_pace",
        "actual_pace_6",
        "actual_pace_12",
        "projected_first",
        "projected_middle",
        "projected_last",
    )
    more = ("has_range", "break_month", "break_size", "stays_from")
    stays = None if target is None else stays_above(points, target)
    row = (required, *paces, *months, bool(points["high"].notna()[-1:].any()), *broken, stays)
    return compose(answer, (), names, [row], also=history.answers, more=more)


def target_of(con: ScopedCursor, day: date, where: Where) -> float | None:
    """The target set for the nation or the one province; None for any other place: a census share of the nation's is none."""
    is_one = where.keys() <= {"province"} and len(where.get("province", ())) <= 1
    return ask(con, "own_target", on=day, where=where).value() if is_one else None


def end_of_next_year(day: date) -> date:
    """The last day of the Jalali year after that of `day`."""
    return jalali.unit_of(jalali.unit_of(day, "year").last + jalali.DAY, "year").last


def _known_later(con: ScopedCursor, ends: Sequence[date], answer: Answer) -> list[tuple[date, date, int]]:
    columns = {name: f"spells.{column}" for name, column in tables()["service"].columns.items()}
    known = {name: values for name, values in answer.where.items() if name in columns}
    conditions, parameters = filter_conditions(known, columns)
    sql = _LATE.replace("{conditions}", " and ".join(conditions) or "true")
    reader = con.of_people(answer.where)
    return reader.execute(sql, parameters | {"ends": list(ends)}).fetchall() if ends else []
