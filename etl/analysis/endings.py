"""What ends in the next 24 months if nothing is renewed, beside what answered such endings in the last 12.

People, posts and licences stay as on the day: certain, not a forecast. A list of institutes that fall below the goal is
back-tested: people are trained in the months between.
"""

from collections.abc import Sequence
from datetime import date
from itertools import islice, product

import numpy as np

from etl.analysis.analyses import analysis
from etl.analysis.planning import check_goal, last_year
from etl.analysis.seat_scheduling import Ints
from etl.core import jalali
from etl.core.errors import QuestionError
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask, filter_conditions, readable, rows_on
from etl.semantic.catalog import tables
from etl.semantic.composed_answers import Where, compose
from etl.semantic.open_totals import members_in_scope

GOAL = 0.95
# An institute of fewer people falls with one person.
LEAST = 10
MONTHS = 24
_PAST = 12
_AXES = {"nation": (), "province": ("province",), "course": ("course",)}
_Member = tuple[str | None, ...]
_AHEAD = 6
# Of 20 people 19 hold a goal of 95 %.
_ROUNDING = 1e-9
_MET = {"licences": "decided", "training": "completions"}
# Only people with several spells are there twice.
_ONCE = "count(*) filter (where is_single_spell) + count(distinct case when not is_single_spell then {} end)"
# By kind: the table of what is valid on a day, its last day, how it is counted, and the rows that count.
_KINDS = {
    "licences": ("licensed_days", "valid_until - 1", "count(distinct institute_code)", "true"),
    "accreditations": (
        "service",
        "accredited_until - 1",
        _ONCE.format("person_id"),
        "is_licensed and is_judicial_officer",
    ),
    "training": ("course_compliance_intervals", "lapses_on", _ONCE.format("(person_id, course)"), "true"),
}


@analysis(
    asks=("licensed_institutes", "judicial_officers", "trainable_assistants", "decided", "completions"),
    open_by=("province", "nation"),
)
def endings(con: ScopedCursor, on: date, where: Where, by: str = "province") -> Answer:
    """What ends in each of the next 24 months: (kind, month, province, endings, answered_mean, answered_most, then is_above).

    Kinds: licences (institutes, by their last licensed day), accreditations (officers), training (person-courses that lapse).
    They are answered by applications decided, accreditations begun and courses passed: the mean and the highest of the last
    12 complete months. `by`: province, nation (all under the filters), or course (training alone).
    """
    if by not in _AXES:
        raise QuestionError(f"--set by={by}: write {', '.join(_AXES)}")
    axes = [*_AXES[by]]
    # By course the place is narrowed to the scope.
    like = ask(
        con, "trainable_assistants" if by == "course" else "licensed_institutes", by=_AXES[by], on=on, where=where
    )
    where = like.where
    first = jalali.unit_of(on, "month").first
    months = [unit.label for unit in islice(jalali.units_between(first, date.max, "month"), MONTHS)]
    rows, queries, also = [], [], []
    for kind in ("training",) if by == "course" else _KINDS:
        ending, query = _ending(con, on, where, kind, axes)
        met, answer = _met(con, on, where, kind, axes)
        members = {*met, *(key[1:] for key in ending)} if by == "course" else {row[: len(axes)] for row in like.rows}
        for month, member in product(months, sorted(member for member in members if None not in member)):
            count, (mean, most) = ending.get((month, *member), 0), met.get(member, (0.0, 0))
            rows.append((kind, month, *member, count, mean, most, count > most))
        queries.append(query)
        also.append(answer)
    names = ("endings", "answered_mean", "answered_most")
    query = ";\n\n".join([*queries, *(answer.query for answer in also if answer)])
    columns = ("kind", "month", *axes)
    return compose(like, columns, names, rows, on=on, also=[*filter(None, also)], more=("is_above",), query=query)


@analysis(asks=("training_compliance", "active_assistants"))
def institutes_falling(con: ScopedCursor, on: date, where: Where, goal: float = GOAL, least: int = LEAST) -> Answer:
    """Institutes of `least` people or more that hold the goal, and the first day on which they do not if nobody trains.

    Rows, earliest first: (institute, province, falls_on, training_compliance, trainable_assistants), within 24 months.
    """
    check_goal(goal)
    like = ask(con, "training_compliance", by=("institute",), on=on, where=where)
    rows, parameters = rows_on(con, "compliance_intervals", on, like.where)
    # Only people with several spells are there twice.
    sql = f"""
        with lapsing as (
            select institute_code as institute, person_id, lapses_on, is_single_spell
            from ({rows}) as rows
            where lapses_on <= $horizon
        )
        select institute, lapses_on as falls_on from lapsing where is_single_spell
        union all
        select institute, min(lapses_on) from lapsing where not is_single_spell group by institute, person_id
    """
    parameters["horizon"] = jalali.add_months(on, MONTHS)
    lapses = con.execute(sql, parameters).df()
    known = like.frame.dropna(subset=["institute"])
    is_holding = (known["training_compliance"] >= goal - _ROUNDING) & (known["trainable_assistants"] >= least)
    lapses = lapses.astype({"institute": str}).merge(known[is_holding], on="institute")
    lapses = lapses.sort_values(["institute", "falls_on"])
    share = 1 - (lapses.groupby("institute").cumcount() + 1) / lapses["trainable_assistants"]
    falling = lapses[share < goal - _ROUNDING].drop_duplicates("institute")
    provinces = dict(con.execute("select institute_code, province from institutes").fetchall())
    falling = falling.assign(falls_on=falling["falls_on"].dt.date, province=falling["institute"].map(provinces))
    falling = falling.sort_values(["falls_on", "institute"])
    names = ("falls_on", "training_compliance", "trainable_assistants")
    return compose(like, ("institute", "province"), names, falling, on=on, query=readable(sql, parameters))


@analysis(asks=("training_compliance", "active_assistants"))
def endings_backtest(con: ScopedCursor, on: date, where: Where, goal: float = GOAL, least: int = LEAST) -> Answer:
    """Of the institutes that `institutes_falling` listed 6 to 17 months ago as falling within 6 months, how many did fall.

    One row: (falling_listed, falling_came_true). Lists are made at the ends of 12 months; an institute fell if it was below
    the goal at the end of any of the six months after.
    """
    check_goal(goal)
    last_year(con, on)
    ends = [unit.last for unit in jalali.units_between(*jalali.last_complete_months(on, _PAST + _AHEAD), "month")]
    like = ask(con, "training_compliance", on=ends[-1], where=where)
    conditions, parameters = filter_conditions(like.where, tables()["compliance_intervals"].columns)
    # All institutes of a person have the same intervals: only one with two spells in an institute has some twice.
    columns = "institute_code, valid_from, valid_until, lapses_on"
    sql = f"""
        with intervals as (
            select person_id, is_single_spell, {columns}
            from compliance_intervals
            where {" and ".join(("valid_from <= $last", "valid_until > $first", *conditions))}
        )
        select {columns} from intervals where is_single_spell
        union all
        select * exclude (person_id) from (select distinct person_id, {columns} from intervals where not is_single_spell)
    """
    parameters |= {"first": ends[0], "last": ends[-1]}
    intervals = con.execute(sql, parameters).df()
    # The ends that lie before each day: an interval counts at those from `since` to before `until`.
    since, until, lapse = (
        np.searchsorted(np.array(ends, "datetime64[D]"), intervals[column].to_numpy("datetime64[D]"))
        for column in ("valid_from", "valid_until", "lapses_on")
    )
    institute = intervals["institute_code"].cat.codes.to_numpy(np.int64)
    persons, in_date, in_date_later = (
        _running(institute, since, np.minimum(until, np.maximum(since, end)), len(ends))
        for end in (until, lapse, lapse - _AHEAD)
    )
    share, later = (counts / np.where(persons > 0, persons, np.nan) for counts in (in_date, in_date_later))
    is_below = share < goal - _ROUNDING
    is_listed = (share >= goal - _ROUNDING) & (persons >= least) & (later < goal - _ROUNDING)
    fell = [is_below[:, at + 1 : at + 1 + _AHEAD].any(axis=1) & is_listed[:, at] for at in range(_PAST)]
    listed = int(is_listed[:, :_PAST].sum())
    row = (listed, int(np.sum(fell)) / listed if listed else None)
    query = readable(sql, parameters)
    return compose(like, (), ("falling_listed", "falling_came_true"), [row], on=on, query=query)


def _running(group: Ints, first: Ints, end: Ints, length: int) -> Ints:
    """By group, how many rows there are at each of so many places: a row is there from `first` to before `end`."""
    groups = int(group.max(initial=-1)) + 1
    size = groups * (length + 1)
    changes = np.bincount(group * (length + 1) + first, minlength=size)
    changes -= np.bincount(group * (length + 1) + end, minlength=size)
    counts: Ints = changes.reshape(groups, length + 1).cumsum(axis=1)[:, :length]
    return counts


def _ending(
    con: ScopedCursor, on: date, where: Where, kind: str, axes: Sequence[str]
) -> tuple[dict[_Member, int], str]:
    """What of a kind ends by month and `axes`, and the query."""
    table, day, count, condition = _KINDS[kind]
    rows, parameters = rows_on(con, table, on, where)
    columns = "".join(f"{axis}, " for axis in axes)
    sql = f"""
        select month, {columns}{count} as endings
        from (select *, {day} as last_day from ({rows}) as valid where {condition}) as valid
        inner join calendar on calendar.day = last_day
        where last_day >= $on_day and last_day <= $horizon and {"last_day > $on_day" if kind == "training" else "true"}
        group by all
    """
    parameters["horizon"] = jalali.add_months(on, MONTHS + 1)
    counts = con.execute(sql, parameters).fetchall()
    return {row[:-1]: row[-1] for row in counts}, readable(sql, parameters)


def _met(
    con: ScopedCursor, on: date, where: Where, kind: str, axes: Sequence[str]
) -> tuple[dict[_Member, tuple[float, int]], Answer | None]:
    """What answered such endings in the last 12 complete months, by `axes`: the mean and the highest month."""
    period = last_year(con, on)
    if kind == "accreditations":
        conditions, parameters = filter_conditions(members_in_scope(con, where), tables()["joiners"].columns)
        columns = "".join(f"{axis}, " for axis in axes)
        sql = f"""
            select {columns}month, count(distinct person_id) as met
            from spells
            inner join calendar on calendar.day = judicial_officer_from
            where day between $first and $last and {" and ".join(conditions) or "true"}
            group by all
        """
        rows = con.execute(sql, parameters | {"first": period[0], "last": period[1]}).fetchall()
        answer = None
    else:
        answer = ask(con, _MET[kind], by=(*axes, "month"), over=period, where=where)
        at = answer.columns.index(_MET[kind])
        rows = [(*row[: len(axes) + 1], row[at]) for row in answer.rows]
    counts: dict[_Member, list[int]] = {}
    for *member, _, count in rows:
        counts.setdefault(tuple(member), []).append(count)
    return {member: (sum(months) / _PAST, max(months)) for member, months in counts.items()}, answer
