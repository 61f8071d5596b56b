"""What no single question answers: the bridge, the Lorenz curve, the run-off, the seats, and those of other modules.

Each function takes a connection, a day and filters, and returns an Answer like `ask` does; its words stand in
etl/semantic/analyses.toml.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from typing import Any

import duckdb

from etl.analysis.announcements import announced
from etl.analysis.backtesting import backtest, backtest_months
from etl.analysis.competing_risks import institute_survival, licensing_cohort, licensing_times
from etl.analysis.coverage import coverage_on_census
from etl.analysis.events import events
from etl.analysis.international import claim, countries
from etl.analysis.licensing import (
    accreditations_ending,
    adoption,
    files_overdue,
    lapsed,
    licences_ending,
    officers_untrained,
    register,
    sizes,
    smart_sizes,
    stopped,
)
from etl.analysis.planning import headcount, pace_now, seats_now
from etl.analysis.projection import pace, projection
from etl.analysis.retention import survival, survival_by_gender, survival_by_post
from etl.analysis.signals import change_signals, level_signals
from etl.analysis.target_path import target_path
from etl.analysis.training_plan import GOAL, compliance
from etl.core import jalali
from etl.core.errors import QuestionError
from etl.semantic.answers import Answer, ask, readable, rows_on
from etl.semantic.catalog import TIME, catalogue, tables
from etl.semantic.derived import Where, answered
from etl.warehouse.publications import describe

# What readers ask for by its name, here or in a module of its own.
__all__ = [
    "accreditations_ending",
    "adoption",
    "announced",
    "backtest",
    "backtest_months",
    "bridge",
    "change_signals",
    "claim",
    "compliance",
    "countries",
    "coverage_on_census",
    "events",
    "files_overdue",
    "headcount",
    "institute_survival",
    "lapsed",
    "level_signals",
    "licences_ending",
    "licensing_cohort",
    "licensing_times",
    "lorenz",
    "officers_untrained",
    "pace",
    "pace_now",
    "projection",
    "register",
    "run_off",
    "seats",
    "seats_now",
    "seats_plan",
    "sizes",
    "smart_sizes",
    "stopped",
    "survival",
    "survival_by_gender",
    "survival_by_post",
    "target_path",
]

# What each of them asks for under the reader's filters: metrics of the catalogue, and tables read row by row.
# A filter has a meaning for it where it has one for all of them.
ASKED: Mapping[str, tuple[str, ...]] = {
    "accreditations_ending": ("accreditation_ending_30", "accreditation_ending_60", "judicial_officers"),
    "adoption": ("smart_service_share", "adoption"),
    "announced": (),
    "backtest": ("active_assistants", "net_change"),
    "backtest_months": ("active_assistants", "net_change"),
    "bridge": ("in_service", "active_assistants", "joiners", "leavers", "transfers_in", "transfers_out", "returned"),
    "change_signals": ("joiners",),
    "claim": (),
    "compliance": ("training_compliance", "course_results"),
    "countries": ("per_100k",),
    "coverage_on_census": ("coverage_per_10k",),
    "events": ("target",),
    "files_overdue": ("registered_institutes", "overdue_files"),
    "headcount": ("in_service", "active_assistants", "net_change", "joiners", "leaver_rate_12m"),
    "institute_survival": ("registered_institutes",),
    "lapsed": ("lapsed_licence_service", "licensed_until", "status_since", "outstanding"),
    "level_signals": ("training_compliance",),
    "licences_ending": ("registered_institutes", "licensed_until", "outstanding", "active_assistants"),
    "licensing_cohort": ("files_complete", "outstanding"),
    "licensing_times": ("files_complete", "outstanding"),
    "lorenz": ("active_assistants",),
    "officers_untrained": ("officers_lapsed", "officer_training_share"),
    "pace": ("active_assistants", "target", "target_progress", "net_change"),
    "pace_now": ("leaver_rate_12m", "joiners"),
    "projection": ("active_assistants", "target", "net_change"),
    "register": ("registered_institutes", "licensed_until", "in_service", "training_compliance", "judicial_officers"),
    "run_off": ("trainable_assistants",),
    "seats": ("trainable_assistants",),
    "seats_now": ("trainable_assistants", "course_results"),
    "seats_plan": ("trainable_assistants",),
    "sizes": ("licensed_institutes", "smart_institutes", "active_assistants"),
    "smart_sizes": ("licensed_institutes", "smart_institutes", "active_assistants"),
    "stopped": ("registered_institutes", "status_since", "in_service"),
    "survival": ("joiners",),
    "survival_by_gender": ("joiners",),
    "survival_by_post": ("joiners",),
    "target_path": ("active_assistants", "target"),
}
# Those that are worked out over a period; all others over what they say themselves.
OVER_PERIODS = frozenset({"bridge", "licensing_cohort", "licensing_times"})

RUN_OFF_DAYS = 180
_SEAT_MONTHS = 6


@cache
def filters(name: str) -> frozenset[str]:
    """The dimensions that can narrow what `name` works out: those that everything it asks for knows."""
    known = [catalogue()[one].dimensions if one in catalogue() else tables()[one].columns for one in ASKED[name]]
    return frozenset.intersection(*map(frozenset, known)).difference(TIME) if known else frozenset()


def bridge(
    con: duckdb.DuckDBPyConnection, on: date | None = None, where: Where = None, over: tuple[date, date] | None = None
) -> Answer:
    """From the stock the day before a period to the stock on its last day, step by step; it adds up exactly.

    Rows: (step, persons), losses negative. `over` defaults to the 12 complete Jalali months up to `on`. Raises
    QuestionError unless the filters leave the nation, one province or one institute.
    """
    _one_place(where)
    day = on or describe(con).as_of
    first, last = over or jalali.last_complete_months(day, 12)
    before = ask(con, "in_service", on=first - jalali.DAY, where=where)
    flows = ask(
        con,
        *("joiners", "leavers", "transfers_in", "transfers_out", "returned", "gone"),
        over=(first, last),
        where=where,
    )
    after = ask(con, "in_service", "active_assistants", on=last, where=where)
    in_service, active = after.value("in_service"), after.value("active_assistants")
    rows: list[tuple[Any, ...]] = [
        ("start", before.value()),
        ("joiners", flows.value("joiners")),
        ("leavers", -flows.value("leavers")),
        ("transfers_in", flows.value("transfers_in")),
        ("transfers_out", -flows.value("transfers_out")),
        ("returned", flows.value("returned")),
        ("gone", -flows.value("gone")),
        ("end", in_service),
        ("licences_lapsed", active - in_service),
        ("active", active),
    ]
    always = {"start", "joiners", "leavers", "end", "licences_lapsed", "active"}
    rows = [row for row in rows if row[1] or row[0] in always]
    return answered(flows, ("step",), ("bridge",), rows, over=(first, last), also=(before, after))


def lorenz(con: duckdb.DuckDBPyConnection, on: date | None = None, where: Where = None) -> Answer:
    """Cumulative shares of residents and of assistants by county, lowest coverage first, and the Gini.

    Rows: (county, residents_share, assistants_share, gini), the first with no county at the origin. Who serves in no known
    county is left out.
    """
    by = "county"
    places = {name: where[name] for name in ("province", "county") if where and name in where}
    residents = ask(con, "residents", by=(by,), on=on, where=places)
    assistants = ask(con, "active_assistants", by=(by,), on=on, where=where)
    found = dict(zip(assistants.column(by), assistants.column("active_assistants"), strict=True))
    pairs = [(place, count, found.get(place, 0)) for place, count in residents.rows if place is not None and count]
    pairs.sort(key=lambda pair: (pair[2] / pair[1], pair[0]))
    total, everyone = sum(pair[1] for pair in pairs), sum(pair[2] for pair in pairs)
    points: list[tuple[str | None, float, float]] = [(None, 0.0, 0.0)]
    people = served = 0
    for place, count, active in pairs:
        people, served = people + count, served + active
        points.append((place, people / total, served / everyone if everyone else 0.0))
    gini = 1 - sum((b[1] - a[1]) * (a[2] + b[2]) for a, b in pairwise(points)) if everyone else None
    names = ("residents_share", "assistants_share", "gini")
    rows = [(*point, gini) for point in points]
    return answered(assistants, (by,), names, rows, also=(residents,))


def run_off(con: duckdb.DuckDBPyConnection, on: date | None = None, where: Where = None) -> Answer:
    """Compliance on each of the next 180 days if nobody trains: (day, share, persons compliant, persons)."""
    answer = ask(con, "trainable_assistants", on=on, where=where)
    day = answer.on or answer.publication.as_of
    rows_of, parameters = rows_on(con, "course_readiness" if where and "course" in where else "readiness", day, where)
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
    lapses = con.execute(sql, parameters).fetchall()
    everyone = sum(count for _, count in lapses)
    rows = []
    position, compliant = 0, everyone
    for ahead in range(RUN_OFF_DAYS + 1):
        then = day + timedelta(days=ahead)
        while position < len(lapses) and lapses[position][0] <= then:
            compliant -= lapses[position][1]
            position += 1
        rows.append((then, compliant / everyone if everyone else None, compliant, everyone))
    parts = ("compliant_assistants", "trainable_assistants")
    query = readable(sql, parameters)
    return answered(answer, ("day",), ("run_off",), rows, on=day, more=parts, query=query)


def seats(con: duckdb.DuckDBPyConnection, on: date | None = None, where: Where = None, goal: float = GOAL) -> Answer:
    """Seats needed by course: (course, seats, first day by which one is needed)."""
    return _seats(con, on, where, goal, ("course",))


def seats_plan(
    con: duckdb.DuckDBPyConnection, on: date | None = None, where: Where = None, goal: float = GOAL
) -> Answer:
    """Seats needed by province, course and the Jalali month by whose end they must be passed."""
    return _seats(con, on, where, goal, ("province", "course", "month"))


def _seats(con: duckdb.DuckDBPyConnection, on: date | None, where: Where, goal: float, by: tuple[str, ...]) -> Answer:
    """Greedy and exact: a province needs so many more persons compliant; those lacking the fewest courses cost least."""
    if not 0 < goal <= 1:
        raise QuestionError("a goal lies above 0 and is 1 at most")
    base = ask(con, "trainable_assistants", on=on, where=where)
    day = base.on or base.publication.as_of
    people = {name: values for name, values in (where or {}).items() if name != "course"}
    lacking, parameters = rows_on(con, "course_readiness", day, where)
    active, more = rows_on(
        con, "course_readiness" if where and "course" in where else "readiness", day, where or people
    )
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
        select {", ".join(by)}, count(*) as seats, min(needed_by) as first_needed_by
        from dated
        inner join calendar on calendar.day = dated.needed_by
        group by {", ".join(by)}
        order by {", ".join(by)}
    """
    parameters |= more | {"goal": goal, "horizon": jalali.add_months(day, _SEAT_MONTHS)}
    rows = con.execute(sql, parameters).fetchall()
    names = ("training_seats_needed", "training_seats_by")
    return answered(base, by, names, rows, on=day, query=readable(sql, parameters))


def _one_place(where: Where) -> None:
    for name, values in (where or {}).items():
        if name not in ("province", "institute") or len(values) != 1 or len(where or {}) > 1:
            raise QuestionError("the bridge adds up for the nation, one province or one institute")
