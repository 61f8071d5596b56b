"""From the typed rows of many files to the rows that load: rules, orphans, exact duplicates, conflicting keys.

Every row is either loaded, rejected (with one line per fault), or counted as an exact duplicate.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pyarrow as pa

from etl.build.registered import Register, find_others
from etl.extract.causes import words
from etl.extract.contract import TABLES, Contract, contract
from etl.extract.read_folder import Outcome
from etl.extract.source_file import SHEET_BITS
from etl.extract.validate import FAULTS, row_schema
from etl.warehouse import build_database
from etl.warehouse.build_database import SCRATCH

# So many rows of a file, from all over it, are enough to determine its province.
_ROWS_FOR_PROVINCE = 2000
# Files that share fewer keys are no versions of one file.
_LEAST_SHARED = 5


def stage(
    con: duckdb.DuckDBPyConnection,
    outcomes: Sequence[Outcome],
    register: Register,
    keep: bool = False,
) -> None:
    """Create the scratch tables `loaded_<table>`, `faults`, `duplicates`, `warned`, `conflicts`, `versions` and
    `file_provinces`.

    With `keep` the rows stay on disk, so that they can be staged again without some files; the tables are replaced then.
    Rows of others are rejected in a file that a province submitted, and where another one registered their key.
    """
    for table in TABLES:
        con.execute(f"drop table if exists {SCRATCH}.loaded_{table}")
    fault = "source_table varchar, file_number integer, line bigint, column_name varchar, reason varchar"
    for table, columns in {
        "faults": fault,
        "warned": fault,
        "duplicates": "source_table varchar, file_number integer, line bigint",
        "conflicts": "file_number integer, line bigint, other_file integer, other_line bigint, differing varchar",
        "versions": "file_number integer, other_file integer, sheet bigint, other_sheet bigint",
        "handed_in": "file_number integer, own varchar",
    }.items():
        con.execute(f"create or replace table {SCRATCH}.{table} ({columns})")
    submitted = {o.job.path.name: o.job.number for o in outcomes if o.job.path.name in register.handed_in}
    if submitted:
        owned = [(number, register.handed_in[name]) for name, number in submitted.items()]
        con.executemany("insert into handed_in values (?, ?)", owned)
    ranks = {submitted[name]: rank for rank, name in enumerate(register.handed_in, 1) if name in submitted}
    *smaller, largest = (
        (contract(table), [outcome for outcome in outcomes if outcome.job.table == table and outcome.read])
        for table in TABLES
    )
    # The largest table is staged in a second thread: reading Arrow files keeps one core busy only.
    with build_database.new_cursor(con) as cursor, ThreadPoolExecutor(1) as executor:
        staged = executor.submit(_stage_table, cursor, *largest, keep)
        for of, read in smaller:
            _stage_table(con, of, read, keep)
        staged.result()
    _find_file_provinces(con)
    provinces = dict(con.execute("from file_provinces").fetchall())
    for outcome in outcomes:
        outcome.province = provinces.get(outcome.job.number, outcome.province)
    # A table is loaded after those that its rows refer to. Keys are compared last, because a rejected row takes no part in it.
    for of in map(contract, TABLES):
        if submitted:
            _find_strangers(con, of)
        _find_orphans(con, of)
        _find_repeated_keys(con, of)
        find_others(con, of, register, ranks)
        # Who submits another's row learns nothing more about it.
        con.execute(
            "delete from faults where reason <> 'not_yours' "
            "and (file_number, line) in (select (file_number, line) from faults where reason = 'not_yours')"
        )
        _compare_repeated_keys(con, of)
        _load(con, of)
    # Warnings are kept for loaded rows only.
    for excluded in ("faults", "duplicates"):
        con.execute(f"delete from warned where (file_number, line) in (select (file_number, line) from {excluded})")


def _stage_table(con: duckdb.DuckDBPyConnection, of: Contract, outcomes: Sequence[Outcome], keep: bool) -> None:
    """Insert the rows of one table, and find the faults that one row alone shows."""
    for kind, schema, insert in (
        ("rows", row_schema(of), f"create table {SCRATCH}.read_{of.table} as from arriving"),
        ("faults", FAULTS, f"insert into faults select '{of.table}', * from arriving"),
        ("warned", FAULTS, f"insert into warned select '{of.table}', * from arriving"),
    ):
        con.register("arriving", _batches(outcomes, schema, kind, keep))
        con.execute(insert)
        con.unregister("arriving")
    _apply_rules(con, of)


def _batches(outcomes: Sequence[Outcome], schema: pa.Schema, kind: str, keep: bool) -> pa.RecordBatchReader:
    """The rows of many files, batch by batch; unless kept, each file is removed once it is read."""

    def batches() -> Iterator[pa.RecordBatch]:
        for outcome in outcomes:
            path = outcome.job.file(kind)
            with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
                yield from stream
            if not keep:
                path.unlink()

    return pa.RecordBatchReader.from_batches(schema, batches())


def _apply_rules(con: duckdb.DuckDBPyConnection, of: Contract) -> None:
    for rule in of.rules:
        con.execute(
            f"insert into faults select '{of.table}', file_number, line, '{rule.column}', '{rule.reason}' "
            f"from read_{of.table} "
            # Rules skip rows whose value in the column already has a fault.
            f"anti join (from faults where source_table = '{of.table}' and column_name = '{rule.column}') "
            f"using (file_number, line) where {rule.broken}"
        )


def _find_orphans(con: duckdb.DuckDBPyConnection, of: Contract) -> None:
    for column in of.entering:
        if column.references:
            con.execute(
                f"insert into faults select '{of.table}', file_number, line, '{column.name}', '{column.orphan}' "
                f"from read_{of.table} anti join loaded_{column.references} using ({column.stored}) "
                f"anti join (from faults where source_table = '{of.table}' and column_name = '{column.name}') "
                f"using (file_number, line) where {column.stored} is not null"
            )


# Whether a row belongs to the province `own` that handed it in: institutes and licences to the one that registers them,
# people to that of their institute or place of service, training to that of the people.
_IS_OWN = {
    "institutes": "province = own",
    "licences": "exists (from loaded_institutes as i where i.institute_code = rows.institute_code and i.province = own)",
    "personnel": "province = own or exists ("
    "from loaded_institutes as i where i.institute_code = rows.institute_code and i.province = own)",
    "training": "exists (from loaded_personnel as p left join loaded_institutes as i using (institute_code) "
    "where p.person_key = rows.person_key and own in (p.province, i.province))",
}


# The column that says where a row belongs.
_PLACED_BY = {
    "institutes": "province",
    "licences": "institute_code",
    "personnel": "province",
    "training": "national_id",
}


def _find_strangers(con: duckdb.DuckDBPyConnection, of: Contract) -> None:
    """Reject the rows of other provinces in files that a province submitted.

    Where another row says so, they look like orphans: who submits does not learn what is registered elsewhere.
    """
    column = of.by_name[_PLACED_BY[of.table]]
    con.execute(
        f"insert into faults select '{of.table}', file_number, line, '{column.name}', '{column.orphan or 'not_yours'}' "
        f"from read_{of.table} as rows inner join handed_in using (file_number) "
        f"anti join (from faults where source_table = '{of.table}' and column_name = '{column.name}') "
        f"using (file_number, line) where {column.stored} is not null and not coalesce({_IS_OWN[of.table]}, false)"
    )


def _find_repeated_keys(con: duckdb.DuckDBPyConnection, of: Contract) -> None:
    """Create `repeated_keys`: the hashes of the keys that more than one row has."""
    con.execute(
        f"create or replace table {SCRATCH}.repeated_keys as "
        f"select hash({', '.join(of.stored_key)}) as key_hash from read_{of.table} group by all having count(*) > 1"
    )


def _compare_repeated_keys(con: duckdb.DuckDBPyConnection, of: Contract) -> None:
    """Among valid rows: the same key and content is a duplicate; different content rejects every row of the key."""
    key = ", ".join(of.stored_key)
    content = ", ".join(column.stored for column in of.entering)
    con.execute(
        f"""
        create table {SCRATCH}.repeated_{of.table} as
        select
            file_number,
            line,
            key_hash,
            hash({content}) as content_hash,
            count(distinct row({content})) over (partition by {key}) > 1 as is_conflict,
            row_number() over (partition by {key} order by file_number, line) as occurrence,
        from read_{of.table}
        inner join repeated_keys on key_hash = hash({key})
        anti join (from faults where source_table = '{of.table}') using (file_number, line)
        """
    )
    if con.execute(f"select exists(from repeated_{of.table})").fetchone() == (True,):
        con.execute(
            f"insert into faults select '{of.table}', file_number, line, '{of.key[0]}', 'conflicting_key' "
            f"from repeated_{of.table} where is_conflict"
        )
        con.execute(
            f"insert into duplicates select '{of.table}', file_number, line from repeated_{of.table} "
            "where not is_conflict and occurrence > 1"
        )
        _describe_conflicts(con, of)
        _find_versions(con, of, "0", "own.file_number < other.file_number")
        _find_versions(
            con, of, f"line >> {SHEET_BITS}", "own.file_number = other.file_number and own.part < other.part"
        )
    con.execute(f"drop table repeated_{of.table}")


def _describe_conflicts(con: duckdb.DuckDBPyConnection, of: Contract) -> None:
    """For each conflicting row, the first row with its key and other content, and the columns in which they differ."""
    others = [column.stored for column in of.entering if column.stored not in of.stored_key]
    columns = ", ".join(f"case when own.{name} is distinct from other.{name} then '{name}' end" for name in others)
    con.execute(
        f"""
        insert into conflicts
        with conflicting as (from repeated_{of.table} where is_conflict),
        first as (from conflicting where occurrence = 1),
        second as (
            select key_hash, arg_min((conflicting.file_number, conflicting.line), conflicting.occurrence) as place
            from conflicting
            inner join first using (key_hash)
            where conflicting.content_hash <> first.content_hash
            group by key_hash
        ),
        paired as (
            select
                conflicting.file_number,
                conflicting.line,
                case
                    when conflicting.content_hash = first.content_hash then second.place
                    else (first.file_number, first.line)
                end as place,
            from conflicting
            inner join first using (key_hash)
            inner join second using (key_hash)
        )
        select own.file_number, own.line, other.file_number, other.line, array_to_string([{columns}], chr(44))
        from paired
        inner join read_{of.table} as own using (file_number, line)
        inner join read_{of.table} as other on place = (other.file_number, other.line)
        """
    )


def _find_versions(con: duckdb.DuckDBPyConnection, of: Contract, part: str, are_compared: str) -> None:
    """Pairs of files of one province, or of sheets of one file, that share half of the keys of the smaller one, and differ
    in some: last year's table beside this year's would reject everyone whose row changed. `part` is the sheet of a row."""
    con.execute(
        f"""
        insert into versions
        with shared as (
            select key_hash, file_number, {part} as part, bool_or(is_conflict) as is_conflict
            from repeated_{of.table}
            group by all
        ),
        pairs as (
            select own.file_number, own.part, other.file_number as other_file, other.part as other_part, count(*) as keys
            from shared as own
            inner join shared as other using (key_hash)
            where {are_compared}
            group by all
            having bool_or(own.is_conflict) and count(*) >= {_LEAST_SHARED}
        ),
        sizes as (
            select file_number, {part} as part, count(distinct hash({", ".join(of.stored_key)})) as keys
            from read_{of.table}
            where file_number in (select unnest([file_number, other_file]) from pairs)
            group by all
        )
        select distinct pairs.file_number, pairs.other_file, pairs.part, pairs.other_part
        from pairs
        inner join sizes as own on (own.file_number, own.part) = (pairs.file_number, pairs.part)
        inner join sizes as other on (other.file_number, other.part) = (pairs.other_file, pairs.other_part)
        left join file_provinces as place on place.file_number = pairs.file_number
        left join file_provinces as other_place on other_place.file_number = pairs.other_file
        where 2 * pairs.keys >= least(own.keys, other.keys) and place.province is not distinct from other_place.province
        """
    )


def versions(con: duckdb.DuckDBPyConnection, outcomes: Sequence[Outcome]) -> list[tuple[Outcome, str]]:
    """The files that are versions of one file, each with the reason, which names the others; and those with two versions of a
    table, with the names of their sheets.
    """
    read = {outcome.job.number: outcome for outcome in outcomes if outcome.read}
    others: dict[int, list[str]] = {}
    sheets: dict[int, list[int]] = {}
    for own, other, *pair in con.execute("from versions order by all").fetchall():
        if own == other:
            sheets.setdefault(own, []).extend(pair)
        else:
            others.setdefault(own, []).append(read[other].job.label)
            others.setdefault(other, []).append(read[own].job.label)

    def reason(own: int) -> str:
        if own in others:
            return words("two_versions", others=" + ".join(dict.fromkeys(others[own])))
        of = read[own].read
        names = [of.sheets[at] for at in dict.fromkeys(sheets[own])] if of else []
        return words("two_sheets", sheets=" + ".join(names))

    return [(read[own], reason(own)) for own in sorted({*others, *sheets})]


def _load(con: duckdb.DuckDBPyConnection, of: Contract) -> None:
    """Delete the rejected rows and the duplicates; the rest is loaded."""
    con.execute(
        f"delete from read_{of.table} where (file_number, line) in ("
        f"select (file_number, line) from faults where source_table = '{of.table}' "
        f"union all select (file_number, line) from duplicates where source_table = '{of.table}')"
    )
    con.execute(f"alter table {SCRATCH}.read_{of.table} rename to loaded_{of.table}")


def _find_file_provinces(con: duckdb.DuckDBPyConnection) -> None:
    """The province of each file: the one that handed it in, or that of most of its rows, of which some are looked at.

    A file without one is left out.
    """
    con.execute(
        f"""
        create or replace table {SCRATCH}.file_provinces as
        with placed as not materialized (
            select file_number, line, province, null as institute_code, null as person_key from read_institutes
            union all
            select file_number, line, province, null, null from read_personnel
            union all
            select file_number, line, null, institute_code, null from read_licences
            union all
            select file_number, line, null, null, person_key from read_training
        ),
        steps as (
            select file_number, greatest(1, count(*) // {_ROWS_FOR_PROVINCE}) as step from placed group by file_number
        ),
        sampled as (
            select placed.* from placed inner join steps using (file_number) where placed.line % steps.step = 0
        ),
        first_seen as (
            select person_key, arg_min(province, (file_number, line)) as province
            from read_personnel
            semi join sampled using (person_key)
            group by person_key
        ),
        counted as (
            select
                sampled.file_number,
                coalesce(sampled.province, read_institutes.province, first_seen.province) as found,
                count(*) as rows,
            from sampled
            left join read_institutes using (institute_code)
            left join first_seen using (person_key)
            where found is not null
            group by all
        )
        select file_number, coalesce(own, arg_max(found, rows)) as province
        from counted
        left join handed_in using (file_number)
        group by file_number, own
        having own is not null or 2 * max(rows) > sum(rows)
        """
    )
