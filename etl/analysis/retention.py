"""Retention: survival curves by the product limit of Kaplan and Meier (1958).

A career runs from a joining to the next leaving (the first day out); a career not ended by the day is censored on it. The
bounds are 95 % limits by Greenwood's variance on the log-log scale. Curves as of the publication's day, of the nation and
of single members, are computed by a build and read here; all others are computed when asked for.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import duckdb

from etl.analysis.registry import analysis
from etl.core import jalali
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask, filter_conditions, readable
from etl.semantic.catalog import derived, tables
from etl.semantic.derived import Where, reshaped
from etl.warehouse.dimensions import CELL

MOST_MONTHS = 120
# A curve ends when fewer people than this are followed: with fewer, every step is a single person.
LEAST = 20
# The dimension, and its only member, of the curve of everyone.
ALL = "all"
_BEGINNING = date(1900, 1, 1)


def product_limit(careers: str) -> str:
    """SQL for the steps of the Kaplan-Meier curve.

    `careers` is a SELECT of (member, days, has_left), one row per career; the steps are (member, days, at_risk, leaving,
    survival, variance), one row per day on which somebody leaves. A career censored on a day is at risk on it. Other days have
    no row: by rounding, a product with further factors of 1 can exceed the one before it.
    """
    return f"""
        with followed as (
            select member, days, count(*) as people, count(*) filter (where has_left) as leaving
            from ({careers}) as careers
            group by member, days
        ),
        risked as (
            select
                member,
                days,
                leaving,
                sum(people) over (
                    partition by member order by days rows between current row and unbounded following
                ) as at_risk,
            from followed
        )
        select
            member,
            days,
            at_risk,
            leaving,
            product(1 - leaving / at_risk) over running as survival,
            sum(leaving / nullif(at_risk * (at_risk - leaving), 0)) over running as variance,
        from risked
        where leaving > 0
        window running as (partition by member order by days)
    """


@analysis(asks=("joiners",))
def survival(con: ScopedCursor, on: date, where: Where, least: int = LEAST) -> Answer:
    """The share still in service by months after joining, with the people still followed and the bounds.

    Rows: (served, survival, at_risk, survival_low, survival_high), `served` in whole months of 30.44 days.
    """
    return _survival(con, on, where, least, "")


@analysis(asks=("joiners",))
def survival_by_post(con: ScopedCursor, on: date, where: Where, least: int = LEAST) -> Answer:
    """The same by the post in which a person joined. Rows: (post, served, survival, at_risk)."""
    return _survival(con, on, where, least, "post")


def build(con: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Create `survival_curves`: one row for each dimension, member and whole month after joining with LEAST people followed.

    The nation is the one member of the dimension `all`. Columns: dimension, member, served (months), survival (share),
    at_risk (people), survival_low and survival_high (95 %).
    """
    curves = " union all ".join(
        f"select '{dimension}' as dimension, * replace (cast(member as varchar) as member) from ({_curves(dimension, ())})"
        for dimension in (ALL, *CELL)
    )
    con.execute(f"create table survival_curves as {curves} order by all", {"on_day": as_of, "least": LEAST})


def _survival(con: ScopedCursor, on: date, where: Where, least: int, group: str) -> Answer:
    like = ask(con, "joiners", over=(_BEGINNING, on), where=where)
    by = (group, "served") if group else ("served",)
    numbers = ("survival", "at_risk") if group else ("survival", "at_risk", "survival_low", "survival_high")
    curves, parameters = _selected(like, on, least, group)
    keys = "member, served" if group else "served"
    sql = f"select {keys}, {', '.join(numbers)} from ({curves}) order by {keys}"
    rows = con.numbers.execute(sql, parameters).fetchall()
    answer = reshaped(like, by, map(derived, numbers), rows)
    return replace(answer, on=on, over=None, provisional=frozenset(), query=readable(sql, parameters))


def _selected(like: Answer, day: date, least: int, group: str) -> tuple[str, dict[str, Any]]:
    """A SELECT of curves: prebuilt for the publication's day and one member or group, else by the product limit."""
    dimension = group or next(iter(like.where), ALL)
    is_one = dimension in (ALL, *CELL) and (bool(group) or len(like.where.get(dimension, ())) <= 1)
    if day != like.publication.as_of or least < LEAST or like.where.keys() - {dimension} or not is_one:
        conditions, parameters = filter_conditions(like.where, tables()["joiners"].columns)
        return _curves(group or ALL, conditions), parameters | {"on_day": day, "least": least}
    conditions, parameters = filter_conditions(like.where, {dimension: "member"})
    condition = " and ".join(["dimension = $dimension", "at_risk >= $least", *conditions])
    return f"select * from survival_curves where {condition}", parameters | {"dimension": dimension, "least": least}


def _curves(dimension: str, conditions: Sequence[str]) -> str:
    """A SELECT of the columns of `build` but the dimension, as of $on_day, as long as $least people are followed."""
    member = f"joiners.{tables()['joiners'].columns[dimension]}" if dimension != ALL else f"'{ALL}'"
    return f"""
        with careers as (
            select
                {member} as member,
                least(coalesce(next_leaving, $on_day), $on_day) - joiners.day as days,
                coalesce(next_leaving <= $on_day, false) as has_left,
            from joiners
            where {" and ".join(["joiners.day <= $on_day", *conditions])}
        ),
        steps as ({product_limit("select * from careers")}),
        months as (
            select served, cast(floor(served * {jalali.DAYS_A_MONTH}) as integer) as days
            from range(0, {MOST_MONTHS + 1}) as months (served)
        ),
        counted as (
            select member, days, count(*) as people
            from careers
            where member is not null
            group by all
        ),
        followed as (
            select counted.member, months.served, months.days, cast(sum(people) as bigint) as at_risk
            from months
            inner join counted on counted.days >= months.days
            group by all
            having at_risk >= $least
        ),
        curves as (
            select
                followed.member,
                followed.served,
                coalesce(steps.survival, 1) as survival,
                followed.at_risk,
                1.96 * sqrt(steps.variance) / abs(ln(nullif(nullif(steps.survival, 0), 1))) as spread,
            from followed
            asof left join steps on steps.member = followed.member and steps.days <= followed.days
        )
        select
            member,
            served,
            survival,
            at_risk,
            coalesce(pow(survival, exp(spread)), survival) as survival_low,
            coalesce(pow(survival, exp(-spread)), survival) as survival_high,
        from curves
    """
