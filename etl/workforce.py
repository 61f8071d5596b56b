"""How long people stay: survival curves by the product limit of Kaplan and Meier (1958), in plain SQL.

A career runs from a joining to the next leaving (the first day out); one not ended by the day is censored on it.
The bounds are 95 % of Greenwood's variance on the log-log scale, as statsmodels and lifelines draw them.
"""

from collections.abc import Mapping, Sequence
from datetime import date

import duckdb

from etl.catalogue import derived, tables
from etl.metrics import Answer, ask, readable
from etl.publication import describe

Where = Mapping[str, Sequence[str]] | None

DAYS_A_MONTH = 30.436875
_MOST_MONTHS = 120
# A curve ends where fewer people than this are still followed: beyond it a step is one person, no finding.
LEAST = 20
_BEGINNING = date(1900, 1, 1)


def product_limit(careers: str) -> str:
    """The steps of Kaplan and Meier's curve, in SQL.

    `careers` is a SELECT of (member, days, has_left), one row a career; the steps are (member, days, at_risk, leaving,
    survival, variance), one row a day on which somebody leaves. Who is censored on a day is at risk on it.
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


def survival(con: duckdb.DuckDBPyConnection, on: date | None = None, where: Where = None, least: int = LEAST) -> Answer:
    """Share still in service so many months after joining, with the people still followed and its bounds.

    Rows: (served, survival, at_risk, survival_low, survival_high), `served` in whole months of 30.44 days.
    """
    return _survival(con, on, where, least, "")


def survival_by_post(
    con: duckdb.DuckDBPyConnection, on: date | None = None, where: Where = None, least: int = LEAST
) -> Answer:
    """The same by the post in which a person joined. Rows: (post, served, survival, at_risk)."""
    return _survival(con, on, where, least, "post")


def survival_by_gender(
    con: duckdb.DuckDBPyConnection, on: date | None = None, where: Where = None, least: int = LEAST
) -> Answer:
    """The same by gender. Rows: (gender, served, survival, at_risk)."""
    return _survival(con, on, where, least, "gender")


def _survival(con: duckdb.DuckDBPyConnection, on: date | None, where: Where, least: int, group: str) -> Answer:
    day = on or describe(con).as_of
    like = ask(con, "joiners", over=(_BEGINNING, day), where=where)
    parameters = {"on_day": day, "least": least}
    conditions = ["joiners.day <= $on_day"]
    columns = tables()["joiners"].columns
    for name, values in like.where.items():
        bound = {f"{name}_{number}": value for number, value in enumerate(values)}
        parameters |= bound
        conditions.append(f"joiners.{columns[name]} in ({', '.join('$' + key for key in bound)})")
    careers = f"""
        select
            {f"joiners.{columns[group]}" if group else "'all'"} as member,
            least(coalesce(next_leaving, $on_day), $on_day) - joiners.day as days,
            coalesce(next_leaving <= $on_day, false) as has_left,
        from joiners
        where {" and ".join(conditions)}
    """
    shown = "member, served" if group else "served"
    bounds = "" if group else ", survival_low, survival_high"
    sql = f"""
        with careers as ({careers}),
        steps as ({product_limit("select * from careers")}),
        months as (
            select served, cast(floor(served * {DAYS_A_MONTH}) as integer) as days
            from range(0, {_MOST_MONTHS + 1}) as months (served)
        ),
        counted as (
            select member, days, count(*) as people
            from careers
            group by all
        ),
        followed as (
            select counted.member, months.served, months.days, sum(people) as at_risk
            from months
            inner join counted on counted.days >= months.days
            group by all
            having sum(people) >= $least
        ),
        curves as (
            select
                followed.member,
                followed.served,
                coalesce(steps.survival, 1) as survival,
                1.96 * sqrt(steps.variance) / abs(ln(nullif(nullif(steps.survival, 0), 1))) as spread,
                followed.at_risk,
            from followed
            asof left join steps on steps.member = followed.member and steps.days <= followed.days
        ),
        bounded as (
            select
                *,
                coalesce(pow(survival, exp(spread)), survival) as survival_low,
                coalesce(pow(survival, exp(-spread)), survival) as survival_high,
            from curves
        )
        select {shown}, survival, at_risk{bounds}
        from bounded
        where member is not null
        order by {shown}
    """
    rows = con.execute(sql, parameters).fetchall()
    names = ("survival", "at_risk") if group else ("survival", "at_risk", "survival_low", "survival_high")
    by = (group, "served") if group else ("served",)
    return Answer(
        tuple(derived(name) for name in names),
        by,
        (*by, *names),
        rows,
        like.where,
        day,
        None,
        frozenset(),
        readable(sql, parameters),
        like.publication,
    )
