"""Survival curves by the product limit of Kaplan and Meier (1958): the SQL, and the table of a build.

A career runs from a joining to the next leaving (the first day out); a career not ended by the day is censored on it. The
bounds are 95 % limits by Greenwood's variance on the log-log scale.
"""

from collections.abc import Sequence
from datetime import date

import duckdb

from etl.core import jalali
from etl.warehouse.dimensions import CELL

MOST_MONTHS = 120
# A curve ends when fewer people than this are followed: with fewer, every step is a single person.
LEAST = 20
# The dimension, and its only member, of the curve of everyone.
ALL = "all"
# Its expression over `joiners`.
EVERYONE = f"'{ALL}'"


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


def build(con: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Create `survival_curves`: one row for each dimension, member and whole month after joining with LEAST people followed.

    The nation is the one member of the dimension `all`. Columns: dimension, member, served (months), survival (share),
    at_risk (people), survival_low and survival_high (95 %).
    """
    columns = {ALL: EVERYONE} | {name: f"joiners.{name}" for name in CELL}
    all_curves = " union all ".join(
        f"select '{dimension}' as dimension, * replace (cast(member as varchar) as member) from ({curves(column, ())})"
        for dimension, column in columns.items()
    )
    con.execute(f"create table survival_curves as {all_curves} order by all", {"on_day": as_of, "least": LEAST})


def curves(member: str, conditions: Sequence[str]) -> str:
    """A SELECT of the columns of `build` but the dimension, as of $on_day, as long as $least people are followed.

    `member` is an expression over `joiners`.
    """
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
