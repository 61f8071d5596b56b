"""Retention: survival curves (etl.warehouse.survival_curves).

Those as of the publication's day, of the nation and of single members, are computed by a build and read here; all others are
computed when asked for.
"""

from datetime import date
from typing import Any

from etl.analysis.registry import analysis
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask, filter_conditions, readable
from etl.semantic.catalog import tables
from etl.semantic.derived import Where, answered
from etl.warehouse.dimensions import CELL
from etl.warehouse.survival_curves import ALL, EVERYONE, LEAST, curves

_BEGINNING = date(1900, 1, 1)


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


def _survival(con: ScopedCursor, on: date, where: Where, least: int, group: str) -> Answer:
    like = ask(con, "joiners", over=(_BEGINNING, on), where=where)
    by = (group, "served") if group else ("served",)
    numbers = ("survival", "at_risk") if group else ("survival", "at_risk", "survival_low", "survival_high")
    selected, parameters = _selected(like, on, least, group)
    keys = "member, served" if group else "served"
    sql = f"select {keys}, {', '.join(numbers)} from ({selected}) order by {keys}"
    rows = con.numbers.execute(sql, parameters).fetchall()
    return answered(like, by, numbers, rows, on=on, query=readable(sql, parameters))


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
