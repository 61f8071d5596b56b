"""The projection of active assistants: the pace of a year, and the seasonal profile of the twelve Jalali months.

Active on the day plus, for each month ahead, the mean monthly net change of the last 12 complete months and the mean
deviation of that calendar month in the last three years. The range at each distance holds the middle 80 % of the signed
relative errors of the same method in the past, each run made only from the data known on its day.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import accumulate, dropwhile
from typing import Any

from etl.analysis.registry import analysis
from etl.core import jalali
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask, filter_conditions
from etl.semantic.catalog import tables
from etl.semantic.derived import Where, answered

PACE_MONTHS = 12
PROFILE_MONTHS = 36
FEWEST_RUNS = 24
MOST_MONTHS_AHEAD = 60
_MOST_RUNS = 120
MONTHS_SHOWN_BEFORE = 24

# A future month, the distance of its end in months, and the number then: projected, lower and upper bound.
Point = tuple[jalali.Unit, float, float, float | None, float | None]

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


@dataclass(frozen=True)
class Month:
    """A complete Jalali month: its label, its last day, the active assistants on it as known today."""

    label: str
    last: date
    active: int


@dataclass(frozen=True, eq=False)
class History:
    """The complete months up to a day, and for each month's end the persons whose activity became known only later."""

    months: Sequence[Month]
    known_later: Mapping[date, Sequence[tuple[date, int]]] = field(default_factory=dict)
    answers: tuple[Answer, ...] = ()

    def as_known_on(self, vintage: date) -> list[int]:
        """The active assistants at the end of each month up to the vintage, as known on it."""
        active = [month.active for month in self.months if month.last <= vintage]
        for at, month in enumerate(self.months[: len(active)]) if self.known_later else ():
            active[at] -= sum(count for known_on, count in self.known_later.get(month.last, ()) if known_on > vintage)
        return active

    @cached_property
    def vintages(self) -> list[list[int]]:
        """For every month's end, the active assistants at the end of each month up to it, as known on it."""
        return [self.as_known_on(month.last) for month in self.months]

    @cached_property
    def runs(self) -> dict[int, list[float]]:
        """The projection at the end of each month with three years of history: active 0, 1, 2, … months ahead."""
        runs = {}
        first = max(PROFILE_MONTHS, len(self.months) - _MOST_RUNS)
        for at in range(first, len(self.months)):
            active = self.vintages[at]
            if active[-1 - PROFILE_MONTHS] > 0:
                steps = monthly_changes(active, MOST_MONTHS_AHEAD + 1)
                runs[at] = [max(0.0, stock) for stock in accumulate(steps, initial=float(active[-1]))]
        return runs

    def ranges(self, month: int, most: int) -> list[tuple[float, float]]:
        """The lower and upper bound 0, 1, 2, … months ahead of `month`, relative to the projection.

        A range never narrows with distance. The list ends before the first distance with fewer than 24 runs.
        """
        ranges, active = [(0.0, 0.0)], self.vintages[month]
        for ahead in range(1, most + 1):
            # The signed relative errors of the runs whose outcome is known at the end of `month`.
            misses = [
                (active[start + ahead] - path[ahead]) / max(path[ahead], 1.0)
                for start, path in self.runs.items()
                if start + ahead <= month
            ]
            if len(misses) < FEWEST_RUNS:
                break
            low, high = middle_range(misses)
            ranges.append((min(ranges[-1][0], low), max(ranges[-1][1], high)))
        return ranges


def reached(points: Sequence[Point], target: float) -> tuple[str | None, str | None]:
    """The first months in which the upper and the lower bound reach a target; None if one does not."""
    first = next((unit.label for unit, _, _, _, high in points if high is not None and high >= target), None)
    last = next((unit.label for unit, _, _, low, _ in points if low is not None and low >= target), None)
    return first, last


def monthly_changes(active: Sequence[int], ahead: int) -> list[float]:
    """The net change in each of the next `ahead` months, from the active assistants at the end of each past month.

    It is the pace of a year plus, with three years of months, the seasonal profile. Needs at least 13 months.
    """
    pace = (active[-1] - active[-1 - PACE_MONTHS]) / PACE_MONTHS
    if len(active) <= PROFILE_MONTHS:
        return [pace] * ahead
    changes = [active[at] - active[at - 1] for at in range(len(active) - PROFILE_MONTHS, len(active))]
    mean = sum(changes) / PROFILE_MONTHS
    # The first change is three years before the next month.
    profile = [sum(changes[at::12]) / len(changes[at::12]) - mean for at in range(12)]
    return [pace + profile[at % 12] for at in range(ahead)]


def middle_range(values: Sequence[float]) -> tuple[float, float]:
    """The bounds of the middle 80 % of at least 24 values: the percentiles 10 and 90, at the positions part × (n + 1).

    E. J. Gumbel (1939) and Weibull; of 24 values the tenth percentile is between the second and the third.
    """
    low, *_, high = statistics.quantiles(values, n=10)
    return low, high


def history_of(con: ScopedCursor, on: date, where: Where) -> History:
    """The complete months up to the day, as many as 120 runs of the projection need."""
    like = ask(con, "active_assistants", on=on, where=where)
    over = jalali.last_complete_months(on, _MOST_RUNS + PROFILE_MONTHS)
    stocks = ask(con, "active_assistants", by=("month",), over=over, where=where)
    units = {unit.label: unit for unit in jalali.units_between(*over, "month")}
    months = [Month(label, units[label].last, active) for label, active in stocks.rows]
    months = list(dropwhile(lambda month: not month.active, months))
    later: dict[date, list[tuple[date, int]]] = {}
    for last, known_on, count in _known_later(con, [month.last for month in months], like):
        later.setdefault(last, []).append((known_on, count))
    return History(months, later, (like, stocks))


def path_of(history: History, day: date, active: float) -> list[Point]:
    """The projection from a day with `active` assistants, for the next 60 months that end after it.

    `low` and `high` are None with fewer than 24 past runs. Without a year of history there are no points.
    """
    past = [month.active for month in history.months]
    if len(past) <= PACE_MONTHS:
        return []
    steps = monthly_changes(past, MOST_MONTHS_AHEAD)
    ranges = history.ranges(len(past) - 1, MOST_MONTHS_AHEAD + 1)
    unit = jalali.unit_of(history.months[-1].last + jalali.DAY, "month")
    stock, distance = active, 0.0
    points: list[Point] = []
    for step in steps:
        # Of the current month, only the days after `day` count.
        part = min((unit.last - day).days / ((unit.last - unit.first).days + 1), 1.0)
        stock, distance = max(0.0, stock + step * part), distance + part
        bounds = _between(ranges, distance)
        low, high = (max(0.0, stock * (1 + bound)) for bound in bounds) if bounds else (None, None)
        points.append((unit, distance, stock, low, high))
        unit = jalali.unit_of(unit.last + jalali.DAY, "month")
    return points


def months_shown(
    history: History, day: date, active: float, points: Sequence[Point], goal: float | None
) -> list[tuple[Any, ...]]:
    """The last known months, then those of `points`, which begin in the current one: (month, active, low, high, projected).

    They extend until the lower bound reaches the goal, between one and five years; one year if there is no goal.
    """
    current = jalali.unit_of(day, "month").label
    known = [month for month in history.months[-MONTHS_SHOWN_BEFORE:] if month.label < current]
    rows: list[tuple[Any, ...]] = [(month.label, month.active, None, None, None) for month in known]
    rows.append((current, active, active, active, active))
    for unit, distance, stock, low, high in points:
        if unit.label > current:
            rows.append((unit.label, None, low, high, stock))
            if distance >= PACE_MONTHS and (goal is None or low is None or low >= goal):
                break
    return rows


@analysis(asks=("active_assistants", "target", "net_change"), open_by_province=True)
def projection(con: ScopedCursor, on: date, where: Where) -> Answer:
    """Known and projected months: (month, active, low, high, projected), as `months_shown`.

    `low` and `high` are None with fewer than 24 past runs; with less than a year of history nothing is projected.
    """
    like = ask(con, "active_assistants", "target", on=on, where=where)
    history = history_of(con, on, where)
    active, target = like.value("active_assistants"), like.value("target")
    goal = None if target is None or active >= target else target
    rows = months_shown(history, on, active, path_of(history, on, active), goal)
    names = ("active_assistants", "projected_low", "projected_high", "projected")
    return answered(like, ("month",), names, rows, also=history.answers)


@analysis(asks=("active_assistants", "target", "target_progress", "net_change"), open_by_province=True)
def pace(con: ScopedCursor, on: date, where: Where, until: date | None = None) -> Answer:
    """The required and the actual pace in persons per month, and the months between which the target is reached. One row.

    (required_pace, actual_pace_6, actual_pace_12, projected_first, projected_last, then has_range). The required pace is that
    until `until` (default: the end of the next Jalali year); the actual paces are of the last 6 and 12 complete months. A
    month is None if the projection does not reach the target within five years or the history is too short, a pace if the
    history is shorter. `has_range`: whether the history is long enough for a range of five years.
    """
    answer = ask(con, "active_assistants", "target", "target_progress", on=on, where=where)
    until = until or end_of_next_year(on)
    history = history_of(con, on, where)
    active, target = answer.value("active_assistants"), answer.value("target")
    left = (until - on).days / jalali.DAYS_A_MONTH
    required = (target - active) / left if target is not None and left > 0 else None
    points = path_of(history, on, active)
    first, last = (None, None)
    if target is not None and active >= target:
        first = last = jalali.unit_of(on, "month").label
    elif target is not None:
        first, last = reached(points, target)
    past = [month.active for month in history.months]
    paces = [(past[-1] - past[-1 - months]) / months if len(past) > months else None for months in (6, PACE_MONTHS)]
    names = ("required_pace", "actual_pace_6", "actual_pace_12", "projected_first", "projected_last")
    row = (required, *paces, first, last, bool(points) and points[-1][-1] is not None)
    return answered(answer, (), names, [row], also=history.answers, more=("has_range",))


def end_of_next_year(day: date) -> date:
    """The last day of the Jalali year after that of `day`."""
    return jalali.unit_of(jalali.unit_of(day, "year").last + jalali.DAY, "year").last


def _between(ranges: Sequence[tuple[float, float]], distance: float) -> tuple[float, float] | None:
    """The bounds interpolated at a distance in months; None beyond the last range."""
    below, above = math.floor(distance), math.ceil(distance)
    if above >= len(ranges):
        return None
    (low, high), (next_low, next_high) = ranges[below], ranges[above]
    part = distance - below
    return low + part * (next_low - low), high + part * (next_high - high)


def _known_later(con: ScopedCursor, ends: Sequence[date], answer: Answer) -> list[tuple[date, date, int]]:
    columns = {name: f"spells.{column}" for name, column in tables()["service"].columns.items()}
    known = {name: values for name, values in answer.where.items() if name in columns}
    conditions, parameters = filter_conditions(known, columns)
    sql = _LATE.replace("{conditions}", " and ".join(conditions) or "true")
    return con.numbers.execute(sql, parameters | {"ends": list(ends)}).fetchall() if ends else []
