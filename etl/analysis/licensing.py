"""Lists of institutes, institutes by size, and the adoption of smart services from publication to publication.

Institutes are listed under the province of registration; a filter of place counts the persons who serve there. All
numbers are metrics of the catalogue, so lists, cards and charts agree.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd

from etl.analysis.analyses import analysis
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask, readable, rows_on
from etl.semantic.composed_answers import Where, compose, origins

# The minimum of active persons of each size class.
SIZES = {"0": 0, "1-9": 1, "10-24": 10, "25-49": 25, "50-99": 50, "100+": 100}
_FACTS = ("institute", "province", "activity", "status")
# Dates of an institute, independent of where its persons serve.
_DAYS = ("licensed_until", "status_since")
_SMART_PARTS = ("smart_institutes", "licensed_institutes")
# Within how many days a licence ends.
DAYS_LEFT = (30, 60, 90)


@analysis(asks=("registered_institutes", "licensed_until", "in_service", "training_compliance", "judicial_officers"))
def register(con: ScopedCursor, on: date, where: Where) -> Answer:
    """Institutes registered in the scope with a licence or staff, most active first: licence, persons, compliance, officers."""
    measures = ("licensed_until", "in_service", "active_assistants", "training_compliance", "judicial_officers")
    listed = _listed(con, on, where, (*measures, "licensed_institutes"), largest="active_assistants")
    return _having(listed, ("in_service", "licensed_institutes"))


@analysis(asks=("registered_institutes", "licensed_until", "outstanding", "active_assistants"))
def licences_ending(con: ScopedCursor, on: date, where: Where) -> Answer:
    """Institutes whose licence ends within 90 days, earliest first: (institute, province, activity, span, …).

    Further columns: the last day of the licence, the outstanding applications, the active persons.
    """
    measures = ("licensed_until", "outstanding", "active_assistants")
    spans = {"licences_ending_30": "1-30", "licences_ending_60": "31-60", "licences_ending_90": "61-90"}
    listed = _listed(con, on, where, (*measures, *spans))
    at, day = len(_FACTS) + len(measures), listed.columns.index("licensed_until")
    rows = [
        (*row[:3], span, *row[len(_FACTS) : at])
        for row in sorted(listed.rows, key=lambda row: (row[day] or date.max, row[0]))
        for span, ends in zip(spans.values(), row[at:], strict=True)
        if ends
    ]
    by = (*_FACTS[:3], "span")
    return replace(listed, by=by, columns=(*by, *measures), metrics=listed.metrics[: len(measures)], rows=rows)


@analysis(asks=("lapsed_licence_service", "licensed_until", "status_since", "outstanding"))
def lapsed(con: ScopedCursor, on: date, where: Where) -> Answer:
    """Institutes in which persons serve without a valid licence, wherever registered; most persons first.

    A person who also serves in a licensed institute is counted here, but not in the national number.
    """
    measures = ("lapsed_licence_service", "licensed_until", "status_since", "outstanding")
    return _having(_listed(con, on, where, measures, "lapsed_licence_service", anywhere=True), measures[:1])


@analysis(asks=("registered_institutes", "status_since", "in_service"))
def stopped(con: ScopedCursor, on: date, where: Where) -> Answer:
    """Institutes suspended or revoked by the day, with the date and the persons still in service."""
    listed = _listed(con, on, where, ("status_since", "in_service"), "in_service")
    rows = [row for row in listed.rows if row[3] in ("suspended", "revoked") and row[4] is not None]
    return replace(listed, rows=rows)


@analysis(asks=("accreditation_ending_30", "accreditation_ending_60", "judicial_officers"))
def accreditations_ending(con: ScopedCursor, on: date, where: Where) -> Answer:
    """Institutes with judicial officers whose accreditation ends within 90 days, wherever registered; most first."""
    spans = ("accreditation_ending_30", "accreditation_ending_60", "accreditation_ending_90")
    return _having(_listed(con, on, where, (*spans, "judicial_officers"), spans[0], anywhere=True), spans)


@analysis(asks=("officers_lapsed", "officer_training_share"))
def officers_untrained(con: ScopedCursor, on: date, where: Where) -> Answer:
    """Institutes with judicial officers whose required training is not in date, wherever registered; most first."""
    measures = ("officers_lapsed", "officer_training_share")
    return _having(_listed(con, on, where, measures, "officers_lapsed", anywhere=True), measures[:1])


@analysis(asks=("registered_institutes", "overdue_files"))
def files_overdue(con: ScopedCursor, on: date, where: Where) -> Answer:
    """Institutes with complete files that wait for a decision for more than 25 working days; the longest wait first."""
    overdue = _having(_listed(con, on, where, ("overdue_files", "oldest_overdue_file")), ("overdue_files",))
    at = overdue.columns.index("oldest_overdue_file")
    return replace(overdue, rows=sorted(overdue.rows, key=lambda row: (row[at], row[0])))


@analysis(asks=("licensed_institutes", "smart_institutes", "active_assistants"))
def sizes(con: ScopedCursor, on: date, where: Where) -> Answer:
    """Licensed institutes by the number of persons active in them: (size, institutes)."""
    answer, counts = _by_size(con, on, where)
    return compose(answer, ("size",), ("licensed_institutes",), counts)


@analysis(asks=("licensed_institutes", "smart_institutes", "active_assistants"))
def smart_sizes(con: ScopedCursor, on: date, where: Where) -> Answer:
    """Adoption by size: (size, share, institutes with smart services, licensed institutes)."""
    answer, counts = _by_size(con, on, where)
    counts["smart_service_share"] = counts["smart_institutes"] / counts["licensed_institutes"]
    return compose(answer, ("size",), ("smart_service_share",), counts, more=_SMART_PARTS)


@analysis(asks=("smart_service_share", "adoption"), open_by=("",))
def adoption(con: ScopedCursor, on: date, where: Where) -> Answer:
    """Adoption in each publication up to the day: (day, share, institutes with smart services, licensed)."""
    current = ask(con, "smart_service_share", on=on, where=where)
    history, parameters = rows_on(con, "adoption", on, where)
    sql = f"""
        select
            valid_from as day,
            sum(smart_institutes) / nullif(sum(licensed_institutes), 0) as share,
            sum(smart_institutes)::bigint as smart,
            sum(licensed_institutes)::bigint as licensed,
        from ({history}) as history
        group by all
        order by day
    """
    rows = con.execute(sql, parameters).fetchall()
    return compose(current, ("day",), ("adopted_share",), rows, more=_SMART_PARTS, query=readable(sql, parameters))


def _listed(
    con: ScopedCursor, on: date, where: Where, measures: Sequence[str], largest: str = "", anywhere: bool = False
) -> Answer:
    """Metrics by institute, with its province, activity and status.

    `anywhere` also lists institutes registered outside the scope in which persons serve within it, with their dates.
    """
    facts = ask(con, "registered_institutes", by=_FACTS, on=on, where=None if anywhere else where)
    facts_of = {row[0]: row[: len(_FACTS)] for row in facts.rows}
    measured = ask(con, *measures, by=("institute",), on=on, where=where)
    days = [name for name in _DAYS if name in measures]
    dated = ask(con, *days, by=("institute",), on=on) if anywhere and days else None
    dates = {row["institute"]: row for row in dated.records()} if dated else {}
    rows = []
    for record in measured.records():
        if record["institute"] in facts_of:
            record |= {name: day for name, day in dates.get(record["institute"], {}).items() if name in days}
            rows.append((*facts_of[record["institute"]], *(record[name] for name in measured.columns[1:])))
    columns = (*_FACTS, *measured.columns[1:])
    if largest:
        at = columns.index(largest)
        rows.sort(key=lambda row: (-(row[at] or 0), row[0]))
    behind = origins(*(answer for answer in (measured, facts, dated) if answer))
    return replace(measured, by=_FACTS, columns=columns, rows=rows, **behind)


def _having(answer: Answer, names: Sequence[str]) -> Answer:
    """The rows in which any of `names` is above zero."""
    at = [answer.columns.index(name) for name in names]
    return replace(answer, rows=[row for row in answer.rows if any(row[i] for i in at)])


def _by_size(con: ScopedCursor, on: date, where: Where) -> tuple[Answer, pd.DataFrame]:
    """Licensed institutes and those with smart services, by size, of institutes registered in the scope."""
    names = ("licensed_institutes", "smart_institutes", "active_assistants")
    answer = ask(con, *names, by=("institute",), on=on, where=where)
    licensed = answer.frame[answer.frame["licensed_institutes"] > 0]
    size = pd.cut(licensed["active_assistants"], [*SIZES.values(), np.inf], right=False, labels=[*SIZES]).rename("size")
    return answer, licensed.groupby(size, observed=False)[[*_SMART_PARTS]].sum().astype(int).reset_index()
