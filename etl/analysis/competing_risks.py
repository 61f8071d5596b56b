"""Time to one of several competing events: the Aalen-Johansen estimator, for licences and for institutes.

O. O. Aalen, S. Johansen (1978), Scandinavian Journal of Statistics 5. Cases without an event by the day are censored on it,
so slow cases count; a case censored on a day is at risk on it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from etl.analysis.registry import analysis
from etl.core import jalali
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask, filter_conditions, readable
from etl.semantic.catalog import tables
from etl.semantic.derived import Where, answered

LONGEST = 120
SERVICE_DAYS = 25
OUTCOMES = ("granted", "refused", "withdrawn")
# The curve of institutes ends when fewer than this are still followed.
LEAST_INSTITUTES = 10
_MOST_YEARS = 15
_DAYS_A_YEAR = 12 * jalali.DAYS_A_MONTH


@dataclass(frozen=True)
class Step:
    """At a time: the number at risk, and the cumulative share of each event."""

    time: int
    at_risk: int
    reached: tuple[float, ...]


def cumulative_incidence(followed: Iterable[tuple[int, int | None, int]], ends: int) -> list[Step]:
    """The cumulative share of each of `ends` competing events at each observed time.

    `followed`: (time, number of the event from 0 or None for censored, count).
    """
    counted: dict[int, list[int]] = {}
    for time, end, count in followed:
        counted.setdefault(time, [0] * (ends + 1))[ends if end is None else end] += count
    at_risk = sum(map(sum, counted.values()))
    free, reached = 1.0, [0.0] * ends
    steps = []
    for time in sorted(counted):
        *ending, _ = counted[time]
        reached = [share + free * count / at_risk for share, count in zip(reached, ending, strict=True)]
        free *= 1 - sum(ending) / at_risk
        steps.append(Step(time, at_risk, tuple(reached)))
        at_risk -= sum(counted[time])
    return steps


def reached_by(steps: Sequence[Step], time: int, ends: int) -> tuple[float, ...]:
    """The cumulative share of each of `ends` events at a time."""
    return next((step.reached for step in reversed(steps) if step.time <= time), (0.0,) * ends)


@analysis(asks=("files_complete", "outstanding"), over_period=True)
def licensing_cohort(con: ScopedCursor, on: date, where: Where, over: tuple[date, date] | None = None) -> Answer:
    """The share of the files complete in the period that is decided by each working day 0 to 120, by outcome.

    Rows: (working_day, decided, granted, refused, then withdrawn and at_risk). Outstanding files are censored on the day
    `on`; a withdrawal is a competing event and no decision. None from the day on which no file is followed.
    """
    like, steps, query = _licensing(con, on, where, over)
    rows: list[tuple[Any, ...]] = []
    for working_day in range(LONGEST + 1):
        granted, refused, withdrawn = reached_by(steps, working_day, len(OUTCOMES))
        at_risk = next((step.at_risk for step in steps if step.time >= working_day), 0)
        is_followed = _is_followed(steps, working_day)
        shares = (granted + refused, granted, refused, withdrawn) if is_followed else (None,) * 4
        rows.append((working_day, *shares, at_risk))
    names = ("files_decided_by", "files_granted_by", "files_refused_by")
    return answered(like, ("working_day",), names, rows, over=like.over, more=("withdrawn", "at_risk"), query=query)


@analysis(asks=("files_complete", "outstanding"), over_period=True, open_by_province=True)
def licensing_times(con: ScopedCursor, on: date, where: Where, over: tuple[date, date] | None = None) -> Answer:
    """The working days until half and 90 % of the files complete in the period are decided, and the share within 25 days.

    One row: (files_median, files_p90, files_within_25, then the files). None if not enough are decided yet.
    """
    like, steps, query = _licensing(con, on, where, over)

    def by(part: float) -> int | None:
        return next((step.time for step in steps if sum(step.reached[:2]) >= part - 1e-12), None)

    within = sum(reached_by(steps, SERVICE_DAYS, len(OUTCOMES))[:2]) if _is_followed(steps, SERVICE_DAYS) else None
    names = ("files_median", "files_p90", "files_within_25")
    row = (by(0.5), by(0.9), within, like.value())
    return answered(like, (), names, [row], over=like.over, more=("files_complete",), query=query)


@analysis(asks=("registered_institutes",))
def institute_survival(con: ScopedCursor, on: date, where: Where, least: int = LEAST_INSTITUTES) -> Answer:
    """The share of the institutes founded in a Jalali year that is not closed or revoked a number of years later.

    Rows: (founded_year, years, institute_survival, institutes_followed), as long as `least` are followed.
    """
    like = ask(con, "registered_institutes", on=on, where=where)
    conditions, parameters = filter_conditions(like.where, tables()["institutes"].columns)
    sql = f"""
        select calendar.year, least(ended_on, $on_day) - founded_on as days, ended_on <= $on_day, count(*)
        from (
            select
                institutes.*,
                case when status in ('closed', 'revoked') then status_since else date '9999-12-31' end as ended_on,
            from institutes
        ) as institutes
        inner join calendar on calendar.day = institutes.founded_on
        where founded_on <= least(ended_on, $on_day) and {" and ".join(conditions) or "true"}
        group by all
        order by all
    """
    parameters["on_day"] = on
    counted: dict[str, list[tuple[int, int | None, int]]] = {}
    for year, followed_days, has_ended, count in con.numbers.execute(sql, parameters).fetchall():
        counted.setdefault(year, []).append((followed_days, 0 if has_ended else None, count))
    rows: list[tuple[Any, ...]] = []
    for year, followed in counted.items():
        steps = cumulative_incidence(followed, 1)
        for years in range(_MOST_YEARS + 1):
            days_after = int(years * _DAYS_A_YEAR)
            at_risk = sum(count for time, _, count in followed if time >= days_after)
            if at_risk < least:
                break
            rows.append((year, years, 1 - reached_by(steps, days_after, 1)[0], at_risk))
    names = ("institute_survival", "institutes_followed")
    return answered(like, ("founded_year", "years"), names, rows, query=readable(sql, parameters))


def _is_followed(steps: Sequence[Step], time: int) -> bool:
    """Whether a case is followed until a time, or every case has had an event."""
    return bool(steps) and (time <= steps[-1].time or sum(steps[-1].reached) > 1 - 1e-12)


def _licensing(
    con: ScopedCursor, on: date, where: Where, over: tuple[date, date] | None
) -> tuple[Answer, Sequence[Step], str]:
    first, last = over or jalali.last_complete_months(on, 12)
    last = min(last, on)
    like = ask(con, "files_complete", over=(first, last), where=where)
    conditions, parameters = filter_conditions(like.where, tables()["applications"].columns)
    is_decided = "(outcome is not null and decided_on <= $on_day)"
    # Working days in (file_complete_on, end] of the institute's province.
    sql = f"""
        select
            case when {is_decided} then working_days else elapsed_on_day - elapsed_at_completion end as working_days,
            case when {is_decided} then outcome end as outcome,
            count(*),
        from (
            select applications.*, working_days.elapsed as elapsed_on_day
            from applications
            inner join working_days using (province)
            where working_days.day = least($on_day, (select max(day) from working_days))
        ) as applications
        where file_complete_on between $first and $last and {" and ".join(conditions) or "true"}
        group by all
        order by all
    """
    parameters |= {"on_day": on, "first": first, "last": last}
    counted = con.numbers.execute(sql, parameters).fetchall()
    followed = [(time, OUTCOMES.index(outcome) if outcome else None, count) for time, outcome, count in counted]
    return like, cumulative_incidence(followed, len(OUTCOMES)), readable(sql, parameters)
