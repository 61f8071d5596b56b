"""Training ahead: how compliance declines if nobody trains, and the seats that a goal needs."""

from datetime import date, timedelta
from typing import Any

from etl.analysis.registry import analysis
from etl.analysis.training_plan import GOAL
from etl.core import jalali
from etl.core.errors import QuestionError
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask, readable, rows_on
from etl.semantic.derived import Where, answered

RUN_OFF_DAYS = 180
_SEAT_MONTHS = 6


@analysis(asks=("trainable_assistants",))
def run_off(con: ScopedCursor, on: date | None = None, where: Where = None) -> Answer:
    """Compliance on each of the next 180 days if nobody trains: (day, share, persons compliant, persons)."""
    answer = ask(con, "trainable_assistants", on=on, where=where)
    day = answer.on or answer.publication.as_of
    rows_of, parameters = _active(con, day, where)
    sql = f"""
        with persons as (
            select person_id, min(lapses_on) as lapses_on
            from ({rows_of}) as rows_of
            group by all
        )
        select lapses_on, count(*) as persons
        from persons
        group by all
        order by lapses_on
    """
    lapses = con.numbers.execute(sql, parameters).fetchall()
    everyone = sum(count for _, count in lapses)
    rows = []
    position, compliant = 0, everyone
    for ahead in range(RUN_OFF_DAYS + 1):
        future_day = day + timedelta(days=ahead)
        while position < len(lapses) and lapses[position][0] <= future_day:
            compliant -= lapses[position][1]
            position += 1
        rows.append((future_day, compliant / everyone if everyone else None, compliant, everyone))
    parts = ("compliant_assistants", "trainable_assistants")
    query = readable(sql, parameters)
    return answered(answer, ("day",), ("run_off",), rows, on=day, more=parts, query=query)


@analysis(asks=("trainable_assistants",))
def seats(con: ScopedCursor, on: date | None = None, where: Where = None, goal: float = GOAL) -> Answer:
    """The fewest seats by course that bring each province to the goal: (course, seats, day by which the first is needed).

    Persons who lack the fewest courses are trained first.
    """
    if not 0 < goal <= 1:
        raise QuestionError("a goal lies above 0 and is 1 at most")
    base = ask(con, "trainable_assistants", on=on, where=where)
    day = base.on or base.publication.as_of
    lacking, parameters = rows_on(con, "course_compliance_intervals", day, where)
    active, more = _active(con, day, where)
    sql = f"""
        with lapsing as (
            select distinct province, person_id, course, lapses_on
            from ({lacking}) as lacking
            where lapses_on <= $horizon
        ),
        persons as (
            select province, person_id, count(*) as courses, min(lapses_on) as first_lapse
            from lapsing
            group by all
        ),
        needed as (
            select province, ceil($goal * count(distinct person_id) - 1e-9) as wanted,
                count(distinct person_id) as people
            from ({active}) as active
            group by all
        ),
        ranked as (
            select
                persons.*,
                row_number() over (partition by province order by courses, first_lapse, person_id) as place,
                count(*) over (partition by province) as lapsed,
            from persons
        ),
        chosen as (
            select province, person_id
            from ranked
            inner join needed using (province)
            where place <= wanted - (people - lapsed)
        ),
        dated as (
            select province, course, greatest(lapses_on, $on_day) as needed_by
            from lapsing
            semi join chosen using (province, person_id)
        )
        select course, count(*) as seats, min(needed_by) as first_needed_by
        from dated
        group by course
        order by course
    """
    parameters |= more | {"goal": goal, "horizon": jalali.add_months(day, _SEAT_MONTHS)}
    rows = con.numbers.execute(sql, parameters).fetchall()
    names = ("training_seats_needed", "training_seats_by")
    return answered(base, ("course",), names, rows, on=day, query=readable(sql, parameters))


def _active(con: ScopedCursor, day: date, where: Where) -> tuple[str, dict[str, Any]]:
    """The rows of the persons in active service on a day, those of a course if `where` names one."""
    table = "course_compliance_intervals" if where and "course" in where else "compliance_intervals"
    return rows_on(con, table, day, where)
