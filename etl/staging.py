"""From typed rows of many files to the rows that load: rules, exact duplicates, conflicting keys, orphans.

Every row that was read ends in exactly one place: loaded, quarantined (with a line for each of its faults), or counted
as an exact duplicate.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from etl.contract import TABLES, Contract, contract
from etl.intake import Outcome
from etl.reading import row_schema

_TYPES = {
    pa.date32(): "date",
    pa.float64(): "double",
    pa.bool_(): "boolean",
    pa.uint64(): "ubigint",
    pa.int64(): "bigint",
}


def stage(con: duckdb.DuckDBPyConnection, outcomes: Sequence[Outcome]) -> None:
    """Make temporary tables `loaded_<table>`, `faults` and `duplicates` from what was read."""
    con.execute(
        "create temp table faults (source_table varchar, file_number integer, line bigint, column_name varchar, reason varchar)"
    )
    con.execute("create temp table duplicates (source_table varchar, file_number integer, line bigint)")
    for table in TABLES:
        of = contract(table)
        _take_in(
            con,
            of,
            [outcome for outcome in outcomes if outcome.job.table == table and outcome.read],
        )
        _apply_rules(con, of)
        _sort_out_keys(con, of)
        _find_orphans(con, of)
        _load(con, of)


def _take_in(con: duckdb.DuckDBPyConnection, of: Contract, outcomes: Sequence[Outcome]) -> None:
    fields = ", ".join(f"{field.name} {_TYPES.get(field.type, 'varchar')}" for field in row_schema(of))
    con.execute(f"create temp table read_{of.table} (file_number integer, {fields})")
    for outcome in outcomes:
        number = outcome.job.number
        with _reader(outcome.job.rows_file) as rows:
            con.execute(f"insert into read_{of.table} select {number}, * from rows")
        with _reader(outcome.job.faults_file) as rows:
            con.execute(f"insert into faults select '{of.table}', {number}, * from rows")
        outcome.job.rows_file.unlink()
        outcome.job.faults_file.unlink()


class _reader:
    """The rows of an Arrow file as DuckDB can scan them, batch by batch."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> pa.RecordBatchReader:
        self._map = pa.memory_map(str(self._path))
        file = pa.ipc.open_file(self._map)
        batches = (file.get_batch(index) for index in range(file.num_record_batches))
        return pa.RecordBatchReader.from_batches(file.schema, batches)

    def __exit__(self, *_: Any) -> None:
        self._map.close()


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
    """Among rows without a fault: the same key and content is one row, any difference keeps back every row of the key."""
    key = ", ".join(of.stored_key)
    content = ", ".join(column.stored for column in of.entering)
    con.execute(
        f"""
        create temp table repeated as
        with sound as (
            select * from read_{of.table}
            anti join (from faults where source_table = '{of.table}') using (file_number, line)
        ),
        met_again as (select {key} from sound group by all having count(*) > 1)
        select
            file_number,
            line,
            count(distinct row({content})) over (partition by {key}) > 1 as is_conflict,
            row_number() over (partition by {key} order by file_number, line) as occurrence,
        from sound
        semi join met_again using ({key})
        """
    )
    con.execute(
        f"insert into faults select '{of.table}', file_number, line, '{of.key[0]}', 'conflicting_key' "
        "from repeated where is_conflict"
    )
    con.execute(
        f"insert into duplicates select '{of.table}', file_number, line from repeated "
        "where not is_conflict and occurrence > 1"
    )
    con.execute("drop table repeated")


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
    con.execute(
        f"create temp table loaded_{of.table} as select * from read_{of.table} "
        f"anti join (from faults where source_table = '{of.table}') using (file_number, line) "
        f"anti join (from duplicates where source_table = '{of.table}') using (file_number, line)"
    )
