"""From typed rows of many files to the rows that load: rules, exact duplicates, conflicting keys, orphans.

Every row that was read ends in exactly one place: loaded, quarantined (with a line for each of its faults), or counted
as an exact duplicate.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pyarrow as pa

from etl.extract.contract import TABLES, Contract, contract
from etl.extract.read_folder import Outcome
from etl.extract.validate import FAULTS, row_schema
from etl.warehouse import build_database
from etl.warehouse.build_database import SCRATCH

_TYPES = {
    pa.date32(): "date",
    pa.float64(): "double",
    pa.bool_(): "boolean",
    pa.uint64(): "ubigint",
    pa.int64(): "bigint",
    pa.int32(): "integer",
}
# So many rows of a file say well enough which province it speaks of.
_TELLING_LINES = 2000


def stage(con: duckdb.DuckDBPyConnection, outcomes: Sequence[Outcome], keep: bool = False) -> None:
    """Make aside the tables `loaded_<table>`, `faults`, `duplicates` and `spoken` (the province of each file).

    With `keep` the rows stay on disk, so that they can be staged again without some files; then the tables are made anew.
    """
    for table in ("spoken", "duplicates", *(f"loaded_{table}" for table in TABLES)):
        con.execute(f"drop table if exists {SCRATCH}.{table}")
    con.execute(
        f"create or replace table {SCRATCH}.faults "
        "(source_table varchar, file_number integer, line bigint, column_name varchar, reason varchar)"
    )
    con.execute(f"create or replace table {SCRATCH}.warned as from faults")
    con.execute(f"create table {SCRATCH}.duplicates (source_table varchar, file_number integer, line bigint)")
    *others, largest = (
        (contract(table), [one for one in outcomes if one.job.table == table and one.read]) for table in TABLES
    )
    # One core is not enough to keep the other waiting for work: rows come in one by one.
    with build_database.new_cursor(con) as own, ThreadPoolExecutor(1) as beside:
        sifted = beside.submit(_sift, own, *largest, keep)
        for of, read in others:
            _sift(con, of, read, keep)
        sifted.result()
    _hear_provinces(con)
    for of in map(contract, TABLES):
        _find_orphans(con, of)
        _load(con, of)
    # A value that loads as unknown is told of rows that are loaded.
    for place in ("faults", "duplicates"):
        con.execute(f"delete from warned where (file_number, line) in (select (file_number, line) from {place})")


def _sift(con: duckdb.DuckDBPyConnection, of: Contract, outcomes: Sequence[Outcome], keep: bool) -> None:
    """Take in the rows of one table, and find what is at fault among them."""
    _take_in(con, of, outcomes, keep)
    _apply_rules(con, of)
    _sort_out_keys(con, of)


def _take_in(con: duckdb.DuckDBPyConnection, of: Contract, outcomes: Sequence[Outcome], keep: bool) -> None:
    fields = ", ".join(f"{field.name} {_TYPES.get(field.type, 'varchar')}" for field in row_schema(of))
    con.execute(f"create table {SCRATCH}.read_{of.table} ({fields})")
    for which, schema, insert in (
        ("rows_file", row_schema(of), f"insert into read_{of.table} from arriving"),
        ("faults_file", FAULTS, f"insert into faults select '{of.table}', * from arriving"),
        ("warned_file", FAULTS, f"insert into warned select '{of.table}', * from arriving"),
    ):
        con.register("arriving", _batches(outcomes, schema, which, keep))
        con.execute(insert)
        con.unregister("arriving")


def _batches(outcomes: Sequence[Outcome], schema: pa.Schema, which: str, keep: bool) -> pa.RecordBatchReader:
    """The rows of many files, one batch at a time; unless kept, each file is removed once it is read."""

    def batches() -> Iterator[pa.RecordBatch]:
        for outcome in outcomes:
            path = getattr(outcome.job, which)
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
            # A value that could not be read is not missing, nor before another: it has its own fault.
            f"anti join (from faults where source_table = '{of.table}' and column_name = '{rule.column}') "
            f"using (file_number, line) where {rule.broken}"
        )


def _sort_out_keys(con: duckdb.DuckDBPyConnection, of: Contract) -> None:
    """Among sound rows: the same key and content is one row, any difference keeps back every row of the key."""
    key = ", ".join(of.stored_key)
    content = ", ".join(column.stored for column in of.entering)
    con.execute(
        f"""
        create table {SCRATCH}.repeated_{of.table} as
        with met_again as (select hash({key}) as mark from read_{of.table} group by all having count(*) > 1),
        sound as (
            select * from read_{of.table}
            semi join met_again on mark = hash({key})
            anti join (from faults where source_table = '{of.table}') using (file_number, line)
        )
        select
            file_number,
            line,
            count(distinct row({content})) over (partition by {key}) > 1 as is_conflict,
            row_number() over (partition by {key} order by file_number, line) as occurrence,
        from sound
        """
    )
    con.execute(
        f"insert into faults select '{of.table}', file_number, line, '{of.key[0]}', 'conflicting_key' "
        f"from repeated_{of.table} where is_conflict"
    )
    con.execute(
        f"insert into duplicates select '{of.table}', file_number, line from repeated_{of.table} "
        "where not is_conflict and occurrence > 1"
    )
    con.execute(f"drop table repeated_{of.table}")


def _find_orphans(con: duckdb.DuckDBPyConnection, of: Contract) -> None:
    for column in of.entering:
        if column.references:
            con.execute(
                f"insert into faults select '{of.table}', file_number, line, '{column.name}', '{column.orphan}' "
                f"from read_{of.table} anti join loaded_{column.references} using ({column.stored}) "
                f"anti join (from duplicates where source_table = '{of.table}') using (file_number, line) "
                f"where {column.stored} is not null"
            )


def _load(con: duckdb.DuckDBPyConnection, of: Contract) -> None:
    """What is left of the rows that were read, once those at fault and those that stand twice are taken out, is loaded."""
    con.execute(
        f"delete from read_{of.table} where (file_number, line) in ("
        f"select (file_number, line) from faults where source_table = '{of.table}' "
        f"union all select (file_number, line) from duplicates where source_table = '{of.table}')"
    )
    con.execute(f"alter table {SCRATCH}.read_{of.table} rename to loaded_{of.table}")


def _hear_provinces(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        f"""
        create table {SCRATCH}.spoken as
        with first_seen as (
            select person_key, arg_min(province, (file_number, line)) as province
            from read_personnel
            where person_key in (select person_key from read_training where line <= {_TELLING_LINES})
            group by person_key
        ),
        heard as (
            select file_number, province from read_institutes where line <= {_TELLING_LINES}
            union all
            select file_number, province from read_personnel where line <= {_TELLING_LINES}
            union all
            select read_licences.file_number, read_institutes.province
            from read_licences
            inner join read_institutes using (institute_code)
            where read_licences.line <= {_TELLING_LINES}
            union all
            select read_training.file_number, first_seen.province
            from read_training
            inner join first_seen using (person_key)
            where read_training.line <= {_TELLING_LINES}
        )
        select file_number, mode(province order by province) as province
        from heard
        where province is not null
        group by file_number
        """
    )
