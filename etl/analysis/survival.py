"""Time to an event: until people leave, institutes end, and licence files are decided.

Of people: survival curves (etl.warehouse.survival_curves). Those as of the publication's day, of the nation and of single
members, are computed by a build and read here; all others are computed when asked for.

Of institutes and licence files, by competing events: O. O. Aalen, S. Johansen (1978), Scandinavian Journal of Statistics 5.
Cases without an event by the day are censored on it, so slow cases count; a case censored on a day is at risk on it.
"""

import math
from datetime import date
from typing import Any

import pandas as pd

from etl.analysis.analyses import analysis
from etl.core import jalali
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask, filter_conditions, readable
from etl.semantic.catalog import tables
from etl.semantic.composed_answers import Where, compose
from etl.warehouse.dimensions import CELL
from etl.warehouse.survival_curves import ALL, EVERYONE, LEAST, curves

LONGEST = 120
SERVICE_DAYS = 25
OUTCOMES = ["granted", "refused", "withdrawn"]
# The curve of institutes ends when fewer than this are still followed.
LEAST_INSTITUTES = 10
_MOST_YEARS = 15
_DAYS_A_YEAR = 12 * jalali.DAYS_A_MONTH
_BEGINNING = date(1900, 1, 1)


@analysis(asks=("joiners",))
def survival(con: ScopedCursor, on: date, where: Where, least: int = LEAST) -> Answer:
    """The share still in service by months after joining, with the people still followed and the bounds.

    Rows: (served, survival, at_risk, survival_low, survival_high), `served` in whole months of 30.44 days.
    """
    return _of_people(con, on, where, least, "")


@analysis(asks=("joiners",))
def survival_by_post(con: ScopedCursor, on: date, where: Where, least: int = LEAST) -> Answer:
    """The same by the post in which a person joined. Rows: (post, served, survival, at_risk)."""
    return _of_people(con, on, where, least, "post")


def _of_people(con: ScopedCursor, on: date, where: Where, least: int, group: str) -> Answer:
    like = ask(con, "joiners", over=(_BEGINNING, on), where=where)
    by = (group, "served") if group else ("served",)
    numbers = ("survival", "at_risk") if group else ("survival", "at_risk", "survival_low", "survival_high")
    selected, parameters = _selected(like, on, least, group)
    keys = "member, served" if group else "served"
    sql = f"select {keys}, {', '.join(numbers)} from ({selected}) order by {keys}"
    rows = con.execute(sql, parameters).fetchall()
    return compose(like, by, numbers, rows, on=on, query=readable(sql, parameters))


def _selected(like: Answer, day: date, least: int, group: str) -> tuple[str, dict[str, Any]]:
    """A SELECT of curves: prebuilt for the publication's day and one member or group, else by the product limit."""
    dimension = group or next(iter(like.where), ALL)
    is_one = dimension in (ALL, *CELL) and (bool(group) or len(like.where.get(dimension, ())) <= 1)
    if day != like.publication.as_of or least < LEAST or like.where.keys() - {dimension} or not is_one:
        conditions, parameters = filter_conditions(like.where, tables()["joiners"].columns)
        member = f"joiners.{tables()['joiners'].columns[group]}" if group else EVERYONE
        return curves(member, conditions), parameters | {"on_day": day, "least": least}
    conditions, parameters = filter_conditions(like.where, {dimension: "member"})
    condition = " and ".join(["dimension = $dimension", "at_risk >= $least", *conditions])
    return f"select * from survival_curves where {condition}", parameters | {"dimension": dimension, "least": least}


def cumulative_incidence(counts: pd.DataFrame) -> pd.DataFrame:
    """The cumulative share of each of several competing events at each observed time (index), and the number `at_risk` at it.

    `counts` by time, in order: how many are `followed` until then, and of these, a column for each event, how many had it then.
    """
    at_risk, events = counts["followed"][::-1].cumsum()[::-1], counts.drop(columns="followed")
    free = (1 - events.sum(axis=1) / at_risk).cumprod().shift(fill_value=1.0)
    return events.mul(free / at_risk, axis=0).cumsum().assign(at_risk=at_risk)


@analysis(asks=("files_complete", "outstanding"), over_period=True)
def licensing_cohort(con: ScopedCursor, on: date, where: Where, over: tuple[date, date] | None = None) -> Answer:
    """The share of the files complete in the period that is decided by each working day 0 to 120, by outcome.

    Rows: (working_day, files_decided_by, files_granted_by, files_refused_by, then files_withdrawn_by and files_followed).
    Outstanding files are censored on the day `on`; a withdrawal is a competing event and no decision. None from the day on
    which no file is followed.
    """
    like, curve, query = _licensing(con, on, where, over)
    working_days = pd.RangeIndex(LONGEST + 1, name="working_day")
    rows = curve[OUTCOMES].reindex(working_days, method="ffill").fillna(0)
    rows["decided"] = rows["granted"] + rows["refused"]
    rows = rows[working_days <= _followed_until(curve)].reindex(working_days)
    rows["files_followed"] = curve["at_risk"].reindex(working_days, method="bfill").fillna(0).astype(int)
    names = [f"files_{name}_by" for name in ("decided", "granted", "refused")]
    more = ("files_withdrawn_by", "files_followed")
    frame = rows.rename(columns=lambda name: name if name in more else f"files_{name}_by").reset_index()
    return compose(like, ("working_day",), names, frame, over=like.over, more=more, query=query)


@analysis(asks=("files_complete", "outstanding"), over_period=True, open_by=("",))
def licensing_times(con: ScopedCursor, on: date, where: Where, over: tuple[date, date] | None = None) -> Answer:
    """The working days until half and 90 % of the files complete in the period are decided, and the share within 25 days.

    One row: (files_median, files_p90, files_within_25, then the files). None if not enough are decided yet.
    """
    like, curve, query = _licensing(con, on, where, over)
    decided = curve["granted"] + curve["refused"]
    half, most = (next(iter(decided.index[decided >= part - 1e-12].tolist()), None) for part in (0.5, 0.9))
    is_followed = _followed_until(curve) >= SERVICE_DAYS
    within = max(decided.loc[:SERVICE_DAYS], default=0.0) if is_followed else None
    names = ("files_median", "files_p90", "files_within_25")
    row = (half, most, within, like.value())
    return compose(like, (), names, [row], over=like.over, more=("files_complete",), query=query)


@analysis(asks=("registered_institutes",))
def institute_survival(con: ScopedCursor, on: date, where: Where, least: int = LEAST_INSTITUTES) -> Answer:
    """The share of the institutes founded in a Jalali year that is not closed or revoked a number of years later.

    Rows: (founded_year, years, institute_survival, institutes_followed), as long as `least` are followed.
    """
    like = ask(con, "registered_institutes", on=on, where=where)
    conditions, parameters = filter_conditions(like.where, tables()["institutes"].columns)
    sql = f"""
        select
            calendar.year as founded_year,
            least(ended_on, $on_day) - founded_on as days,
            count(*) as followed,
            count(*) filter (ended_on <= $on_day) as ended,
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
    counts = con.execute(sql, parameters).df()
    by_year = counts["founded_year"]
    counts["at_risk"] = counts["followed"][::-1].groupby(by_year).cumsum()
    # With one event the curve is that of Kaplan and Meier.
    counts["survival"] = (1 - counts["ended"] / counts["at_risk"]).groupby(by_year).cumprod()
    grid = pd.MultiIndex.from_product([by_year.unique(), range(_MOST_YEARS + 1)], names=["founded_year", "years"])
    rows = grid.to_frame(index=False)
    rows["days"] = (rows["years"] * _DAYS_A_YEAR).astype(int)
    rows, counts = rows.sort_values("days"), counts.sort_values("days")
    left_until, followed_from = (counts[["founded_year", "days", name]] for name in ("survival", "at_risk"))
    rows = pd.merge_asof(rows, left_until, on="days", by="founded_year")
    rows = pd.merge_asof(rows, followed_from, on="days", by="founded_year", direction="forward")
    rows = rows[rows["at_risk"] >= least].sort_values(["founded_year", "years"])
    rows["survival"] = rows["survival"].fillna(1)
    names = {"survival": "institute_survival", "at_risk": "institutes_followed"}
    frame = rows.astype({"at_risk": int}).rename(columns=names)
    return compose(like, ("founded_year", "years"), [*names.values()], frame, query=readable(sql, parameters))


def _followed_until(curve: pd.DataFrame) -> float:
    """The last time until which a case is followed: without end where every case has had an event, -1 without a case."""
    if curve.empty:
        return -1
    return math.inf if curve[OUTCOMES].iloc[-1].sum() > 1 - 1e-12 else float(curve.index[-1])


def _licensing(
    con: ScopedCursor, on: date, where: Where, over: tuple[date, date] | None
) -> tuple[Answer, pd.DataFrame, str]:
    """The files complete in the period, the `cumulative_incidence` of their outcomes by working days, and the query."""
    first, last = over or jalali.last_complete_months(on, 12)
    last = min(last, on)
    like = ask(con, "files_complete", over=(first, last), where=where)
    conditions, parameters = filter_conditions(like.where, tables()["applications"].columns)
    # Working days in (file_complete_on, end] of the institute's province.
    sql = f"""
        select
            if(is_decided, working_days, elapsed_on_day - elapsed_at_completion) as time,
            count(*) as followed,
            count(*) filter (is_decided and outcome = 'granted') as granted,
            count(*) filter (is_decided and outcome = 'refused') as refused,
            count(*) filter (is_decided and outcome = 'withdrawn') as withdrawn,
        from (
            select
                applications.*,
                working_days.elapsed as elapsed_on_day,
                outcome is not null and decided_on <= $on_day as is_decided,
            from applications
            inner join working_days using (province)
            where working_days.day = least($on_day, (select max(day) from working_days))
        ) as applications
        where file_complete_on between $first and $last and {" and ".join(conditions) or "true"}
        group by all
        order by all
    """
    parameters |= {"on_day": on, "first": first, "last": last}
    counts = con.execute(sql, parameters).df().set_index("time")
    return like, cumulative_incidence(counts), readable(sql, parameters)
