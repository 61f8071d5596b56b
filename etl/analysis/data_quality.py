"""Data quality of the load: files, provinces, reasons, rules, publications. No field of a person is read or shown."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import Any

import duckdb

from etl.core.errors import Refused
from etl.core.jalali import last_complete_months, units_between
from etl.core.paths import CHECKS
from etl.extract.contract import TABLES, contract
from etl.revisions import diff
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer
from etl.semantic.composed_answers import report, report_without_rows
from etl.warehouse import version_files
from etl.warehouse.publications import connect, current, describe

# Provinces send their files every month: after more days without a new row they count as silent.
MOST_DAYS_SILENT = 45
# A table that had so many rows in each of so many months has rows in the next one too, if its data arrived.
_MONTHS_BEFORE, _STEADY = 12, 3
_COUNTS = ("rows_read", "rows_loaded", "rows_quarantined", "exact_duplicates")
# The source tables that each province submitted, in a file of its own or in one of several provinces.
_ARRIVED = """
    select province, source_table from load_files where refusal is null and province is not null
    union
    select province, source_table from load_rows where list_contains($shared, source_table)
"""


def totals(con: ScopedCursor) -> Answer:
    """One row: files read, and rows read = loaded + rejected + exact duplicates."""
    return report(
        con,
        (),
        ("files_read", *_COUNTS, "rejected_share"),
        "select count(distinct file) filter (where refusal is null), sum(rows_read)::bigint, sum(rows_loaded)::bigint, "
        "sum(rows_quarantined)::bigint, sum(exact_duplicates)::bigint, "
        "sum(rows_quarantined) / nullif(sum(rows_read), 0) from load_files",
    )


def files(con: ScopedCursor) -> Answer:
    """One row per submitted file; `refusal` and `notes` are empty if there is nothing to report."""
    return report(
        con,
        ("file", "source", "province", "refusal", "notes"),
        (*_COUNTS, "rows_warned"),
        "select file, source_table, province, coalesce(refusal, ''), array_to_string(notes, '; '), rows_read, "
        "rows_loaded, rows_quarantined, exact_duplicates, rows_warned from load_files order by file_number",
    )


def reasons(con: ScopedCursor) -> Answer:
    """Rejected rows by source, reason and column, most first. A row with two faults counts under both."""
    return _by_reason(con, "quarantine", "rows_quarantined")


def warned(con: ScopedCursor) -> Answer:
    """Loaded rows in which a bad value counts as unknown, by source, reason and column, most first."""
    return _by_reason(con, "warned", "rows_warned")


def _by_reason(con: ScopedCursor, table: str, number: str) -> Answer:
    sql = (
        f"select source_table, reason, column_name, count(distinct (file, sheet, line)) as {number} from {table} "
        f"group by all order by {number} desc, 1, 2, 3"
    )
    return report(con, ("source", "reason", "column"), (number,), sql)


def provinces(con: ScopedCursor) -> Answer:
    """One row per province: what arrived, what is missing, and the latest day in its rows; the longest silence first."""
    sql = f"""
        with days as (
            select province, status_since as day from institutes
            union all select province, unnest([applied_on, file_complete_on, decided_on]) from applications
            union all select province, unnest([hired_on, left_on]) from spells
            union all select province, completed_on from completions
        ),
        latest as (
            select province, max(day) as latest_day from days cross join publication
            where day <= as_of
            group by province
        ),
        arrived as (
            select province, count(*) as sources from ({_ARRIVED}) group by province
        ),
        own_files as (
            select
                province,
                count(*) filter (where refusal is null) as files_read,
                sum(rows_read)::bigint as rows_read,
                sum(rows_loaded)::bigint as rows_loaded,
                sum(rows_quarantined)::bigint as rows_quarantined,
            from load_files
            group by province
        )
        select
            iso_3166_2,
            coalesce(files_read, 0),
            $sources - coalesce(sources, 0),
            coalesce(rows_read, 0),
            coalesce(rows_loaded, 0),
            coalesce(rows_quarantined, 0),
            latest_day,
            as_of - latest_day as days_silent,
        from provinces
        cross join (select as_of from publication) as published
        left join arrived on arrived.province = iso_3166_2
        left join own_files on own_files.province = iso_3166_2
        left join latest on latest.province = iso_3166_2
        order by 3 desc, days_silent desc nulls first, iso_3166_2
    """
    counts = ("rows_read", "rows_loaded", "rows_quarantined")
    numbers = ("files_read", "sources_missing", *counts, "latest_day", "days_silent")
    return report(con, ("province",), numbers, sql, {"sources": len(TABLES), "shared": _shared_tables(con)})


def not_arrived(con: ScopedCursor) -> tuple[str, frozenset[str]]:
    """The last complete month, and the provinces of which a table has no row since its beginning, though it had some in each of
    the twelve months before: their data of the month have not arrived.
    """
    first, last = last_complete_months(con.publication.as_of, _MONTHS_BEFORE + 1)
    units = [*units_between(first, last, "month")]
    begins = [unit.first for unit in units]
    rows = con.whole.execute(
        f"""
        with rows as (
            select province, 'licences' as source, unnest([applied_on, decided_on]) as day from applications
            union all select province, 'personnel', unnest([hired_on, left_on]) from spells
            union all select province, 'training', completed_on from completions
        ),
        of_day as (
            select province, source, day, count(*) as rows
            from rows
            where day between $first and (select as_of from publication)
            group by all
        ),
        counted as (
            select province, source, len(list_filter($begins, lambda first: first <= day)) as month, sum(rows) as rows
            from of_day
            group by all
        )
        select distinct province
        from counted
        group by province, source
        having count(*) filter (where month < {len(begins)} and rows >= {_STEADY}) = {len(begins) - 1}
            and count(*) filter (where month = {len(begins)}) = 0
        """,
        {"begins": begins, "first": first},
    ).fetchall()
    return units[-1].label, frozenset(province for (province,) in rows)


def silent_provinces(con: ScopedCursor, most_days: int) -> int:
    """The number of provinces whose latest row is more than `most_days` days older than the data."""
    return sum((days or 0) > most_days for days in provinces(con).column("days_silent"))


def _shared_tables(con: ScopedCursor) -> list[str]:
    """The source tables that files of several provinces were read for: their rows say which provinces those are."""
    rows = con.whole.execute(
        "select distinct source_table from load_files where province is null and rows_loaded > 0 order by 1"
    ).fetchall()
    return [table for (table,) in rows]


def references(con: ScopedCursor) -> list[tuple[str, str, int]]:
    """The files in the folder that set up the build: name, the shipped file that each replaces (empty: none), rows."""
    return con.execute("select file, replaces, rows from reference_files order by file").fetchall()


def ignored(con: ScopedCursor) -> list[str]:
    """The files in the folder and its subfolders that are no source, with a reason where one is needed."""
    return [name for (name,) in con.execute("select file from ignored_files order by file").fetchall()]


def refused_files(con: ScopedCursor) -> tuple[str, ...]:
    """The names of the files that were refused."""
    if con.scope.sees_whole_country:
        return con.publication.missing
    rows = con.execute("select distinct file from load_files where refusal is not null order by 1").fetchall()
    return tuple(file for (file,) in rows)


def headers() -> dict[str, str]:
    """The Persian header of each source column by its name."""
    return {column.name: column.headers[0] for table in TABLES for column in contract(table).columns if column.headers}


def missing_sources(con: ScopedCursor) -> dict[str, tuple[str, ...]]:
    """The source tables without a readable file, for each province that lacks any."""
    arrived = set(con.execute(_ARRIVED, {"shared": _shared_tables(con)}).fetchall())
    codes = [code for (code,) in con.execute("select iso_3166_2 from provinces order by 1").fetchall()]
    lacking = {code: tuple(table for table in TABLES if (code, table) not in arrived) for code in codes}
    return {code: tables for code, tables in lacking.items() if tables}


def rules() -> dict[str, str]:
    """The rules that every publication passed before it was published: the first comment line (English) of each, by name."""
    checks = {"rows_add_up": "Rows read = rows loaded + rejected rows + exact duplicates, in every file."}
    return checks | {
        path.stem: path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("-- ")
        for path in sorted(CHECKS.glob("*.sql"))
    }


def publications(con: ScopedCursor, kept: Sequence[Path]) -> Answer:
    """One row for each of the publications `kept`, which come oldest first, latest first; unreadable ones are left out."""
    facts = attrgetter("id", "as_of", "built_on", "files", "rows_read", "rows_loaded", "rows_quarantined")
    rows: list[tuple[Any, ...]] = []
    for path in reversed(kept):
        with suppress(Refused, duckdb.Error), connect(path, any_code=True) as other:
            rows.append(facts(describe(other)))
    numbers = ("as_of", "built_on", "files_read", "rows_read", "rows_loaded", "rows_quarantined")
    return replace(report_without_rows(con, ("publication",), numbers, "select 1", "—"), rows=rows)


def last_revision(con: ScopedCursor, pointer: Path) -> diff.Diff | None:
    """The changes since the previous publication, for the nation and the provinces of the scope; None if unknown."""
    try:
        difference = diff.between(pointer)
    except (Refused, duckdb.Error):
        return None
    if con.scope.sees_whole_country:
        return difference
    moved = tuple(number for number in difference.moved if number.province in (None, *con.scope.codes))
    return replace(difference, moved=moved)


def revisions(_: ScopedCursor, pointer: Path) -> list[dict[str, Any]]:
    """The revision log of the nation's numbers."""
    return diff.history(pointer)


def changed_files(con: ScopedCursor, pointer: Path) -> list[dict[str, Any]]:
    """The tables of files whose loaded or rejected rows differ from the previous publication; `before` and `after` are rows
    loaded.

    What only one of the two contains has None in the other.
    """
    latest = current(pointer)
    earlier = version_files.before(pointer, version_files.number_of(latest))
    if not earlier:
        return []
    try:
        with connect(earlier[-1], any_code=True) as old, connect(latest, any_code=True) as new:
            scoped = (ScopedCursor(cursor, con.scope) for cursor in (old, new))
            files_before, files_after = (
                {(row["file"], row["source"]): row for row in files(cursor).records()} for cursor in scoped
            )
    except (Refused, duckdb.Error):
        return []
    counted = ("rows_loaded", "rows_quarantined")
    changes = []
    for name, source in sorted(files_before.keys() | files_after.keys()):
        before, after = files_before.get((name, source)), files_after.get((name, source))
        if before and after and all(before[column] == after[column] for column in counted):
            continue
        row: dict[str, Any] = after or before or {}
        rows = {"before": before and before["rows_loaded"], "after": after and after["rows_loaded"]}
        changes.append({"file": name, "province": row["province"], "source": source, **rows})
    return changes


def rejected_rows(con: ScopedCursor, tables: Sequence[str], provinces: Sequence[str]) -> int:
    """The number of rejected rows in files of these source tables and provinces; no province means all."""
    row = con.whole.execute(
        "select count(distinct (file, sheet, line)) from quarantine where list_contains($tables, source_table) "
        "and (len($provinces) = 0 or province is null or list_contains($provinces, province))",
        {"tables": list(tables), "provinces": list(provinces)},
    ).fetchone()
    return row[0] if row else 0
