"""What a file's rows need beside the answer: estimated measures, cells revised since the last publication, signed notes.

A module of its own: the writers of files start without Streamlit.
"""

from collections.abc import Iterable
from typing import Any

from etl.core.errors import OtherVersion, QuestionError
from etl.revisions.diff import is_same
from etl.semantic import disclosure
from etl.semantic.answers import Answer
from etl.semantic.catalog import TIME, catalogue, sources_of
from etl.submissions import notes
from etl.warehouse import official_calendar, population
from ui.data import page_run, warehouse
from ui.exports import status


def facts_of(answer: Answer) -> status.Facts:
    """The facts of an answer of the publication that this thread reads."""
    if not status.has(answer):
        return status.NONE
    last = answer.on or (answer.over or (None, None))[1] or answer.publication.as_of
    names = [metric for metric in answer.metrics if metric.name in catalogue()]
    basis = answer.publication.provinces.basis(last)
    by_residents = basis is not None and basis.kind != next(iter(population.KINDS))
    by_calendar = any(metric.by_calendar for metric in names) and warehouse.analyse(
        official_calendar.estimated_days, last
    )
    involved = (*answer.by, *answer.where)
    estimated = {
        metric.name
        for metric in names
        if (by_calendar and metric.by_calendar) or (by_residents and "population" in sources_of(metric.name, involved))
    }
    signed = notes.about(warehouse.of_page().notes, answer)
    return status.Facts(frozenset(estimated), frozenset(_revised(answer)), signed)


def _revised(answer: Answer) -> Iterable[tuple[tuple[Any, ...], str]]:
    """The cells that the publication before gave otherwise, on the same days and not as provisional.

    None of numbers for circulation: beside exact ones of before, the mark would tell which rounded counts are exact.
    """
    if isinstance(answer, disclosure.Circulated):
        return
    names = answer.measures
    before = page_run.file_before()
    if not before or not answer.rows or not set(names) <= catalogue().keys():
        return
    with page_run.reading(before):
        try:
            until = page_run.publication().as_of
            over = answer.over and (answer.over[0], min(answer.over[1], until))
            is_by_time = bool(set(answer.by) & set(TIME))
            if (answer.on and answer.on > until) or (over != answer.over and not is_by_time):
                return
            if over and over[0] > over[1]:
                return
            earlier = warehouse.ask(*names, by=answer.by, on=answer.on, over=over, where=answer.where)
        except (OtherVersion, QuestionError):
            return
    keys = len(answer.by)
    known = {row[:keys]: row for row in earlier.rows if not earlier.is_provisional(row)}
    for row in answer.rows:
        then = known.get(row[:keys])
        for name in names if then else ():
            was, now = then[earlier.columns.index(name)], row[answer.columns.index(name)]  # type: ignore[index]
            if not is_same(was, now):
                yield row[:keys], name
