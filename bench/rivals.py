"""The same questions without the semantic layer: pandas on frames in memory, and DuckDB on the submitted tables.

Both have an advantage: spells already have the activity of their institute, ids are numbers, and in pandas every completion
already has its expiry. Each answers {member: Counts}: on one day, grouped by the question's dimension, the numbers of
persons who are active, compliant, and lapse within 30, 60 and 90 days.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import duckdb
import pandas as pd

from bench.questions import Question
from etl.core import jalali
from etl.warehouse.dimensions import SPELL

# The parts of a share are compared too: 0 of 5 differs from 0 of 0.
_PARTS = {"training_compliance": ("compliant_assistants", "trainable_assistants")}
# active, compliant, lapsing in 1-30, 31-60 and 61-90 days
Counts = tuple[int, ...]
NOBODY: Counts = (0, 0, 0, 0, 0)
_NEVER = date(9999, 12, 31)
_RESIDENTS = (
    "select province, sum(residents + change_a_day * ($day - valid_from)) from residents "
    "where valid_from <= $day and valid_until > $day group by 1"
)
_COLUMNS = {"institute": "institute_code"}


class Rival(Protocol):
    """Counts persons on one day."""

    name: str

    def count(self, question: Question, day: date, trained: bool) -> dict[Any, Counts]:
        """Counts by the member of the question's dimension (None for a question without one)."""
        ...

    def residents(self, day: date) -> dict[str, float]:
        """Residents by province on a day."""
        ...


def _grouping(question: Question) -> str:
    """The column that a question is grouped by on one day; empty for none."""
    columns = [_COLUMNS.get(name, name) for name in question.by if name != "month"]
    return columns[0] if columns else ""


def _filters(question: Question) -> dict[str, tuple[str, ...]]:
    return {_COLUMNS.get(name, name): members for name, members in question.where.items()}


class Pandas:
    """Frames in memory."""

    name = "pandas"

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._spells = con.execute(
            f"select person_id, institute_code, {', '.join(SPELL)}, hired_on, end_day from spells"
        ).df()
        for column in ("institute_code", *SPELL):
            self._spells[column] = self._spells[column].astype("category")
        self._licences = con.execute(
            "select institute_code, valid_from, valid_until, stopped_on from applications "
            "inner join institutes using (institute_code) where outcome = 'granted'"
        ).df()
        self._duties = con.execute("select post, course_code, due_days from course_posts").df()
        self._passed = con.execute(
            "select person_id, course_code, completed_on, "
            "coalesce(cast(completed_on + to_months(valid_months) as date), date '9999-12-31') as expires_on "
            "from completions inner join courses using (course_code)"
        ).df()
        codes = pd.CategoricalDtype(sorted({*self._duties.course_code, *self._passed.course_code}))
        for frame in (self._duties, self._passed):
            frame["course_code"] = frame["course_code"].astype(codes)
        self._duties["post"] = self._duties["post"].astype(self._spells["post"].dtype)
        self._residents = con.execute("select * from residents").df()

    def residents(self, day: date) -> dict[str, float]:
        """Residents by province on a day."""
        moment = pd.Timestamp(day)
        residents = self._residents
        residents = residents[(residents.valid_from <= moment) & (residents.valid_until > moment)]
        now = residents.residents + residents.change_a_day * (moment - residents.valid_from).dt.days
        return dict(now.groupby(residents.province).sum())

    def count(self, question: Question, day: date, trained: bool) -> dict[Any, Counts]:
        """As Rival."""
        moment = pd.Timestamp(day)
        spells = self._spells
        serving = spells[(spells.hired_on <= moment) & (spells.end_day > moment)]
        licences = self._licences
        licences = licences[
            (licences.valid_from <= moment) & (licences.valid_until >= moment) & (licences.stopped_on > moment)
        ]
        active = serving[serving.institute_code.isin(licences.institute_code.unique())]
        for column, members in _filters(question).items():
            active = active[active[column].isin(members)]
        group = _grouping(question)
        people = active[["person_id", *([group] if group else [])]].drop_duplicates()
        if trained:
            lapses = self._lapses(serving, active.person_id.unique(), moment)
            people = people.join(lapses.rename("lapses_on"), on="person_id")
            people["lapses_on"] = people.lapses_on.fillna(pd.Timestamp(_NEVER))
        else:
            people = people.assign(lapses_on=pd.Timestamp(_NEVER))
        days_left = (people.lapses_on - moment).dt.days
        flags = pd.DataFrame(
            {
                "active": 1,
                "compliant": days_left > 0,
                "in_30": (days_left > 0) & (days_left <= 30),
                "in_60": (days_left > 30) & (days_left <= 60),
                "in_90": (days_left > 60) & (days_left <= 90),
            },
            index=people.index,
        ).astype("int64")
        if not group:
            return {None: tuple(int(count) for count in flags.sum())}
        sums = flags.groupby(people[group], observed=True).sum()
        return {key: tuple(int(count) for count in row) for key, row in zip(sums.index, sums.to_numpy(), strict=True)}

    def _lapses(self, serving: pd.DataFrame, persons: Any, moment: pd.Timestamp) -> "pd.Series[Any]":
        """By person the first day on which a required course is expired or overdue if nobody trains."""
        pair = ["person_id", "course_code"]
        required = serving.loc[serving.person_id.isin(persons), ["person_id", "post"]].merge(self._duties, on="post")
        required = required[pair].drop_duplicates()
        spells = self._spells
        past = spells.loc[
            (spells.hired_on <= moment) & spells.person_id.isin(persons), ["person_id", "post", "hired_on", "end_day"]
        ]
        past = past.merge(self._duties, on="post").merge(required, on=pair)
        past = past.sort_values([*pair, "hired_on", "end_day"])
        by_pair = past.groupby(pair, observed=True)
        before = by_pair.end_day.cummax().groupby([past.person_id, past.course_code], observed=True).shift()
        begins = past[before.isna() | (past.hired_on > before + pd.Timedelta(days=89))]
        chains = begins.drop_duplicates(pair, keep="last")
        due = chains[pair].assign(due_on=chains.hired_on + pd.to_timedelta(chains.due_days, unit="D"))
        completions = self._passed
        completions = completions[(completions.completed_on <= moment) & completions.person_id.isin(persons)]
        expiries = completions.groupby(pair, observed=True).expires_on.max().reset_index()
        duties = due.merge(expiries, on=pair, how="left")
        later = duties.expires_on > duties.due_on
        duties["lapses_on"] = duties.due_on.where(~later, duties.expires_on)
        return duties.groupby("person_id").lapses_on.min()


class Raw:
    """DuckDB on spells, licences and completions, one query per day."""

    name = "duckdb_raw"

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con

    def residents(self, day: date) -> dict[str, float]:
        """Residents by province on a day."""
        return dict(self._con.execute(_RESIDENTS, {"day": day}).fetchall())

    def count(self, question: Question, day: date, trained: bool) -> dict[Any, Counts]:
        """As Rival."""
        parameters: dict[str, Any] = {"day": day}
        conditions = []
        for column, members in _filters(question).items():
            names = [f"{column}_{number}" for number in range(len(members))]
            parameters |= dict(zip(names, members, strict=True))
            conditions.append(f"{column} in ({', '.join('$' + name for name in names)})")
        where = f" where {' and '.join(conditions)}" if conditions else ""
        group = _grouping(question)
        rows = self._con.execute(
            (_TRAINED if trained else _ACTIVE).format(group=group or "null", where=where), parameters
        )
        return {row[0]: tuple(row[1:]) for row in rows.fetchall()}


_SERVING = """
    with serving as (
        select * from spells where hired_on <= $day and end_day > $day
    ),
    licensed as (
        select distinct institute_code
        from applications
        inner join institutes using (institute_code)
        where outcome = 'granted' and valid_from <= $day and valid_until >= $day and stopped_on > $day
    ),
    active as (
        select distinct {group} as member, person_id from serving semi join licensed using (institute_code){where}
    )
"""
_ACTIVE = _SERVING + "select member, count(*), count(*), 0, 0, 0 from active group by all"
_TRAINED = (
    _SERVING
    + """,
    needed as (
        select distinct person_id, course_code
        from serving
        semi join active using (person_id)
        inner join course_posts using (post)
    ),
    chained as (
        select
            person_id, course_code, hired_on, due_days,
            max(end_day) over (
                partition by person_id, course_code
                order by hired_on, end_day
                rows between unbounded preceding and 1 preceding
            ) as reach,
        from spells
        inner join course_posts using (post)
        semi join needed using (person_id, course_code)
        where hired_on <= $day
    ),
    due as (
        select person_id, course_code, max(hired_on) + any_value(due_days) as due_on
        from chained
        where reach is null or hired_on > reach + 89
        group by all
    ),
    held as (
        select person_id, course_code, max(completed_on) as completed_on
        from completions
        semi join needed using (person_id, course_code)
        where completed_on <= $day
        group by all
    ),
    lapsing as (
        select
            person_id,
            min(
                case
                    when completed_on is null then due_on
                    when valid_months is null then date '9999-12-31'
                    else greatest(due_on, cast(completed_on + to_months(valid_months) as date))
                end
            ) as lapses_on,
        from due
        inner join courses using (course_code)
        left join held using (person_id, course_code)
        group by all
    )
    select
        member,
        count(*),
        count(*) filter (where coalesce(lapses_on > $day, true)),
        count(*) filter (where lapses_on > $day and lapses_on <= $day + 30),
        count(*) filter (where lapses_on > $day + 30 and lapses_on <= $day + 60),
        count(*) filter (where lapses_on > $day + 60 and lapses_on <= $day + 90),
    from active
    left join lapsing using (person_id)
    group by all
"""
)


@dataclass(frozen=True)
class Cell:
    """One row of an answer: its member, and its numbers in the order of the question's metrics."""

    member: Any
    numbers: tuple[float | None, ...]


def answer(rival: Rival, question: Question, as_of: date) -> list[Cell]:
    """The answer of a rival, rows in order of member; members without persons are left out, except months."""
    trained = question.names[0] not in ("active_assistants", "coverage_per_10k")
    if question.by == ("month",):
        cells = []
        for label, day in month_ends(question, as_of):
            counts = rival.count(question, day, trained)
            cells.append(Cell(label, _numbers(question, counts.get(None, NOBODY))))
        return cells
    assert question.on is not None
    counts = rival.count(question, question.on, trained)
    if question.names[0] == "coverage_per_10k":
        return _coverage(rival, question, counts)
    return [Cell(member, _numbers(question, counts[member])) for member in sorted(counts, key=str)]


def month_ends(question: Question, as_of: date) -> list[tuple[str, date]]:
    """The months of a trend with the day on which each is measured: its last day, or the as-of day in the current month."""
    assert question.over is not None
    ends = []
    for unit in jalali.units_between(*question.over, "month"):
        if unit.first <= as_of < unit.last:
            ends.append((unit.label, as_of))
        elif unit.last <= min(question.over[1], as_of):
            ends.append((unit.label, unit.last))
    return ends


def _numbers(question: Question, counts: Counts) -> tuple[float | None, ...]:
    active, compliant, *lapsing = counts
    if question.names == ("training_compliance",):
        return (compliant / active if active else None, compliant, active)
    if question.names == ("active_assistants",):
        return (active,)
    return tuple(lapsing)


def _coverage(rival: Rival, question: Question, counts: dict[Any, Counts]) -> list[Cell]:
    """Active persons per 10,000 residents, and how many more (negative: fewer) than at the nation's rate."""
    assert question.on is not None
    residents = rival.residents(question.on)
    whole = Question("", question.names, (), question.on, None, _without_place(question))
    nation = rival.count(whole, question.on, False).get(None, NOBODY)[0]
    everybody = sum(residents.values())
    chosen = question.where.get("province", tuple(sorted(residents)))
    cells = []
    for province in sorted(chosen):
        active = counts.get(province, NOBODY)[0]
        share = residents[province]
        cells.append(Cell(province, (active / share * 10000, active - share * nation / everybody)))
    return cells


def _without_place(question: Question) -> dict[str, tuple[str, ...]]:
    return {name: members for name, members in question.where.items() if name != "province"}


def same(ours: Sequence[Cell], theirs: Sequence[Cell]) -> bool:
    """Whether two answers are equal, apart from rows without persons."""
    first, second = _with_persons(ours), _with_persons(theirs)
    return first.keys() == second.keys() and all(
        all(map(_is_close, first[member], second[member])) and len(first[member]) == len(second[member])
        for member in first
    )


def _with_persons(cells: Sequence[Cell]) -> dict[Any, tuple[float | None, ...]]:
    return {cell.member: cell.numbers for cell in cells if any(cell.numbers)}


def _is_close(first: float | None, second: float | None) -> bool:
    if first is None or second is None:
        return first is second
    return abs(first - second) <= 1e-9 * max(1.0, abs(first), abs(second))


def of_answer(columns: Sequence[str], rows: Sequence[tuple[Any, ...]], question: Question) -> list[Cell]:
    """The answer of `ask` in the same shape."""
    places = [columns.index(name) for name in (*question.names, *_PARTS.get(question.names[0], ()))]
    return [Cell(row[0], tuple(row[place] for place in places)) for row in rows]
