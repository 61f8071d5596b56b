"""The rows behind the metrics: institutes, the licences of one institute, and persons without names or ids."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from etl.core.text_folding import display_name, fold
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, readable, rows_on
from etl.semantic.composed_answers import Where, report, report_without_rows
from etl.semantic.exportable import StreamedRows
from etl.semantic.open_totals import members_in_scope, narrow


@dataclass(frozen=True)
class Institute:
    """One institute of the register, with its search words (folded)."""

    code: str
    name: str
    province: str | None
    county: str | None
    # The name of a county created or renamed since the census, as submitted.
    county_written: str | None
    activity: str | None
    status: str | None
    status_since: date | None
    founded_on: date | None
    smart_services: bool | None
    veteran_led: bool | None
    search_text: str

    @property
    def county_shown(self) -> str | None:
        """The county for lists: its name as submitted if that is a newer one, else its code."""
        return self.county_written or self.county


def institutes(con: ScopedCursor) -> dict[str, Institute]:
    """Every institute by its code, in order of code."""
    rows = con.execute(
        """
        select
            institute_code, name, institutes.province, institutes.county, county_written, activity, status, status_since,
            founded_on, smart_services, veteran_led,
            concat_ws(' ', institute_code, name, name_fa, name_en, county_fa, county_en, county_written)
        from institutes
        left join provinces on iso_3166_2 = institutes.province
        left join counties on counties.sci_code = institutes.county
        order by institute_code
        """
    ).fetchall()
    return {row[0]: Institute(row[0], display_name(row[1]), *(*row[2:-1], fold(row[-1]))) for row in rows}


def search(institutes: Mapping[str, Institute], text: str) -> list[Institute]:
    """Institutes whose code, name, province or county contains every word of `text`, after folding; the best fit first."""
    words = fold(text).split()
    found = [institute for institute in institutes.values() if all(word in institute.search_text for word in words)]
    return sorted(found, key=lambda institute: fit(institute, text))


def fit(institute: Institute, text: str) -> int:
    """How well a text that finds an institute fits it: 0 is its code or name, 1 their beginning, 2 begins a word of its name,
    3 is inside of it, 4 has words that its name holds each, 5 words of which some are of its place.
    """
    typed, code, name = fold(text), fold(institute.code), fold(institute.name)
    tests = (
        typed in (code, name),
        code.startswith(typed) or name.startswith(typed),
        f" {typed}" in name,
        typed in name or typed in code,
        all(word in name for word in typed.split()),
    )
    return next((number for number, holds in enumerate(tests) if holds), len(tests))


def licences(con: ScopedCursor, code: str) -> Answer:
    """The licence applications of one institute, latest first, with decision and validity."""
    sql = (
        "select application_no, kind, outcome, licence_no, applied_on, decided_on, valid_from, valid_until "
        "from applications where institute_code = $code order by applied_on desc, application_no"
    )
    by = ("application_no", "kind", "outcome", "licence_no")
    numbers = ("applied_on", "decided_on", "valid_from", "valid_until")
    parameters = {"code": code}
    return report(con, by, numbers, sql, parameters, where={"institute": (code,)}, query=readable(sql, parameters))


def people(con: ScopedCursor, on: date, where: Where | None = None) -> StreamedRows:
    """Spells in active service on a day, one per row, without name, id or day of birth; read while `con` is open.

    A county created or renamed since the census of 1395 has the name submitted, which is one of the reference tables.

    `row` is the row number in this export only. Rows are sorted by the columns shown, so the number leads back to no person
    and to no row of another export. Raises QuestionError for a filter that does not apply,
    AccessDenied without the right to rows of persons.
    """
    with con.with_detail() as allowed:
        where, left_out = narrow(allowed, (), ("institute",), members_in_scope(allowed, where or {}))
        source, parameters = rows_on(allowed, "compliance_intervals", on, where)
        # Sorted once and numbered in that order: DuckDB keeps the order of a sorted subquery.
        sql = f"""
            select row_number() over () as row, *
            from (
                select
                    province, coalesce(county_written, county) as county, institute_code, activity, gender, education, post,
                    case when lapses_on > $on_day then 'in_order' else 'lapsed' end as training,
                    datediff('month', hired_on, $on_day) - (day(hired_on) > day($on_day))::integer as months_served,
                from ({source}) as spells_on_day
                left join (select person_id, institute_code, hired_on, county_written from spells) as submitted
                    using (person_id, institute_code, hired_on)
                order by province, county, institute_code, post, gender, education, training, months_served, activity
            )
        """
        by = ("row", "province", "county", "institute", "activity", "gender", "education", "post", "training")
        answer = report_without_rows(allowed, by, ("months_served",), sql, readable(sql, parameters), on, where)
        answer = replace(answer, scope=con.scope.rights(), left_out=left_out)
        return StreamedRows(answer, sql, f"select count(*) from ({source})", parameters, allowed.cursor)


def begins_on(con: ScopedCursor) -> date | None:
    """The first day of the register; None while it holds nobody."""
    return con.begins_on


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
    return {
        "fa": {code: display_name(fa) for code, fa, _ in rows},
        "en": {code: display_name(en) for code, _, en in rows},
    }
