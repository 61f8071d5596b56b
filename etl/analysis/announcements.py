"""Announcements by officials beside the registered numbers, and events that help to read a trend: listed, never counted."""

from datetime import date
from typing import Any

from etl.analysis.analyses import analysis
from etl.core.jalali import unit_of
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask
from etl.semantic.composed_answers import Where, compose


@analysis(asks=(), open_by=("",))
def announced(con: ScopedCursor, on: date, where: Where) -> Answer:
    """Every announcement up to the day, with the registered number.

    Rows: (metric, announced_on, announced_value, registered_value, announced_difference, announced_words, source).
    The registered number is counted from today's rows, so it includes rows submitted after the announcement. Announcements
    concern the nation: filters have no effect.
    """
    like = ask(con, "active_assistants", on=on)
    announcements = con.execute(
        "select date, metric, value, words, source from announcements where date <= $on_day order by date, metric",
        {"on_day": on},
    ).fetchall()
    rows: list[tuple[Any, ...]] = []
    answers = []
    for announced_on, metric, value, words, source in announcements:
        answers.append(ask(con, metric, on=announced_on))
        counted = answers[-1].value()
        rows.append((metric, announced_on, value, counted, None if counted is None else counted - value, words, source))
    names = ("announced_value", "registered_value", "announced_difference", "announced_words", "source")
    return compose(like, ("metric", "announced_on"), names, rows, also=answers)


@analysis(asks=("target",), open_by=("",))
def events(con: ScopedCursor, on: date, where: Where) -> Answer:
    """The events up to the day, oldest first, with their Jalali months.

    Rows: (event_date, event_month, event_province, event_fa, event_en, event_kind, source). A filter of provinces
    leaves the events of the nation and of these provinces; other filters have no effect.
    """
    like = ask(con, "active_assistants", on=on)
    rows = con.execute(
        "select date, province, title_fa, title_en, kind, source from events "
        "where date <= $on_day and (province is null or len($provinces) = 0 or list_contains($provinces, province)) "
        "order by date, province nulls first, title_fa",
        {"on_day": on, "provinces": list(where.get("province", ()))},
    ).fetchall()
    names = ("event_month", "event_province", "event_fa", "event_en", "event_kind")
    dated = [(event_day, unit_of(event_day, "month").label, *texts) for event_day, *texts in rows]
    return compose(like, ("event_date",), names, dated, more=("source",))
