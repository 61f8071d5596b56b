"""The bridge: from the assistants in service before a period to those at its end, step by step."""

from datetime import date
from typing import Any

from etl.analysis.registry import analysis
from etl.core import jalali
from etl.core.errors import QuestionError
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask
from etl.semantic.derived import Where, answered


@analysis(
    asks=("in_service", "active_assistants", "joiners", "leavers", "transfers_in", "transfers_out", "returned"),
    over_period=True,
)
def bridge(
    con: ScopedCursor, on: date | None = None, where: Where = None, over: tuple[date, date] | None = None
) -> Answer:
    """The steps from those in service the day before a period to those on its last day; they add up exactly.

    Rows: (step, persons), losses negative. `over` defaults to the last 12 complete Jalali months. Raises
    QuestionError unless the filters leave the nation, one province or one institute.
    """
    filters = list((where or {}).items())
    if len(filters) > 1 or any(name not in ("province", "institute") or len(values) != 1 for name, values in filters):
        raise QuestionError("the bridge adds up for the nation, one province or one institute")
    day = on or con.publication.as_of
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
