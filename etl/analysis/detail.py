"""The rows behind the metrics: institutes, the licences of one institute, and persons without names or ids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date

from etl.core.text_folding import fold
from etl.semantic.access import ScopedCursor, narrow, own_members
from etl.semantic.answers import Answer, readable, rows_on
from etl.semantic.exportable import StreamedRows
from etl.semantic.reports import long_report, report

_Where = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Institute:
    """One institute of the register, with its search words (folded)."""

    code: str
    name: str
    province: str | None
    county: str | None
    activity: str | None
    status: str | None
    status_since: date | None
    founded_on: date | None
    smart_services: bool | None
    veteran_led: bool | None
    found_by: str


def institutes(con: ScopedCursor) -> dict[str, Institute]:
    """Every institute by its code, in order of code."""
    rows = con.execute(
        """
        select
            institute_code, name, institutes.province, institutes.county, activity, status, status_since, founded_on,
            smart_services, veteran_led, provinces.name_fa, provinces.name_en, county_fa, county_en
        from institutes
        left join provinces on iso_3166_2 = institutes.province
        left join counties on counties.sci_code = institutes.county
        order by institute_code
        """
    ).fetchall()
    names = [one.name for one in fields(Institute) if one.name != "found_by"]
    found = {}
    for row in rows:
        words = " ".join(str(word) for word in (row[0], row[1], *row[10:]) if word)
        found[row[0]] = Institute(**dict(zip(names, row, strict=False)), found_by=fold(words))
    return found


def search(known: Mapping[str, Institute], wanted: str) -> list[Institute]:
    """Institutes whose code, name, province or county contains every word of `wanted`, after folding."""
    words = fold(wanted).split()
    return [one for one in known.values() if all(word in one.found_by for word in words)]


def licences(con: ScopedCursor, code: str) -> Answer:
    """The licence applications of one institute, latest first, with decision and validity."""
    sql = (
        "select application_no, kind, outcome, licence_no, applied_on, decided_on, valid_from, valid_until "
        "from applications where institute_code = $code order by applied_on desc, application_no"
    )
    by = ("application_no", "kind", "outcome", "licence_no")
    numbers = ("applied_on", "decided_on", "valid_from", "valid_until")
    given = {"code": code}
    return report(con, by, numbers, sql, given, where={"institute": (code,)}, query=readable(sql, given))


def people(con: ScopedCursor, on: date, where: _Where | None = None) -> StreamedRows:
    """Spells in active service on a day, one per row, without name, id or day of birth; read while `con` is open.

    `row` is the row number in this export only. Rows are sorted by what they show, so a number does not lead back to a person
    or to the same person in another export. Raises QuestionError for a filter that does not apply.
    """
    where = narrow(con, (), ("institute",), own_members(con, where or {}))
    source, given = rows_on(con, "readiness", on, where)
    # Sorted once and numbered in that order: DuckDB keeps the order of a sorted subquery.
    sql = f"""
        select row_number() over () as row, *
        from (
            select
                province, county, institute_code, activity, gender, education, post,
                case when lapses_on > $on_day then 'in_order' else 'lapsed' end as training,
                datediff('month', hired_on, $on_day) - (day(hired_on) > day($on_day))::integer as months_served,
            from ({source}) as held
            order by province, county, institute_code, post, gender, education, training, months_served, activity
        )
    """
    by = ("row", "province", "county", "institute", "activity", "gender", "education", "post", "training")
    return long_report(con, by, ("months_served",), sql, f"select count(*) from ({source})", given, on, where)


def provinces_of_counties(con: ScopedCursor) -> dict[str, str]:
    """The ISO code of each county's province, by SCI code."""
    return dict(con.execute("select sci_code, province_iso from counties").fetchall())


def member_names(con: ScopedCursor, dimension: str) -> dict[str, dict[str, str]]:
    """The names of all institutes or courses by language, then by code."""
    columns = {
        "institute": "institute_code, name, name from institutes",
        "course": "course_code, title_fa, title_en from courses",
    }[dimension]
    rows = con.execute(f"select {columns} order by 1").fetchall()
    return {"fa": {code: fa for code, fa, _ in rows}, "en": {code: en for code, _, en in rows}}
