"""A file against the one before: which rows are new or gone, which columns differ, and which of it is unusual.

Example: a tenth of the people have one birth date, 1370/01/01. No number moves, and no rule of a cell is broken; but 191 rows
have a day that two had before, and in no file of the last year did a birth date gain so many.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from etl.core import jalali
from etl.core.spreadsheet import SUSPECT
from etl.extract.contract import Column, Contract, contract
from etl.extract.read_folder import Outcome
from etl.extract.validate import FAULTS, row_schema

# A line is unusual that concerns so many rows and such a share of them, and more than twice the largest share of so many
# files that were accepted last.
_LEAST_ROWS, _LEAST_SHARE, _LAST_FILES = 20, 0.01, 12
# What may change in a month as long as fewer files than that are known.
_UNKNOWN_USUAL = 0.025
# Half of it makes no line unusual: smaller shares need not be known.
_KEPT_SHARE = _LEAST_SHARE / 2
MOST_LINES = 8
# How the values of a type are compared, as the kinds of cells in comparison.sql.
_KINDS = {
    "choice": "code", "yes_no": "code", "county": "code", "course": "code", "province": "place",
    "date": "value", "number": "value", "code": "value", "text": "value", "national_id": "value",
}  # fmt: skip
_SHOWN = ("choice", "yes_no", "county", "course", "province", "date", "number")
_MARKUP = "<[^>]*>"

# Of a table: column, what and value of a line, with its share of the rows.
Shares = Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Compared:
    """The comparison of one table. `unusual`: its lines, as GET /hand-in/ID gives them; `keys_gone` of `keys` are not there
    any more, `new` and `gone` count rows by what else says that they are the same; `shares` is what later files are held
    against.
    """

    keys: int
    keys_gone: int
    new: int
    gone: int
    unusual: list[dict[str, Any]] = field(default_factory=list)
    shares: list[list[Any]] = field(default_factory=list)

    @property
    def is_of_others(self) -> bool:
        """Whether most keys are gone: then it is the table of somebody else, or its ids are shifted."""
        return self.keys_gone >= _LEAST_ROWS and 2 * self.keys_gone > self.keys


def most(lines: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The lines of several tables that are told: those of most rows, at most eight."""
    return [dict(line) for line in sorted(lines, key=lambda line: -line["rows"])[:MOST_LINES]]


def usual(own: Sequence[Shares], of_all: Sequence[Shares]) -> tuple[list[list[Any]], float]:
    """The largest share of each line in the last files of the province, or with too few of all provinces, and what is usual
    of a line that was in none of them."""
    known = own[-_LAST_FILES:] if len(own) >= _LAST_FILES else of_all
    largest: dict[tuple[Any, ...], float] = {}
    for shares in known:
        for *line, share in shares:
            largest[tuple(line)] = max(share, largest.get(tuple(line), 0.0))
    least = 0.0 if len(known) >= _LAST_FILES else _UNKNOWN_USUAL
    return [[*line, max(share, least)] for line, share in largest.items()], least


def of_outcomes(
    table: str, before: Sequence[Outcome], now: Sequence[Outcome], own: str, known: tuple[list[list[Any]], float]
) -> Compared:
    """Compare a table of the files `now` with that of the files `before`; `own` is the province, `known` as by `usual`."""
    of = contract(table)
    with duckdb.connect() as con:
        load(con, "before_rows", of, before)
        load(con, "now_rows", of, now)
        return of_tables(con, of, own, known)


def load(con: duckdb.DuckDBPyConnection, name: str, of: Contract, outcomes: Sequence[Outcome]) -> None:
    """Create the table of the rows of these files that do not come back for a value of their own."""
    con.register("arriving", pa.RecordBatchReader.from_batches(row_schema(of), _batches(outcomes, "rows")))
    con.execute(f"create table {name} as from arriving")
    con.unregister("arriving")
    con.register("arriving", pa.RecordBatchReader.from_batches(FAULTS, _batches(outcomes, "faults")))
    con.execute(f"delete from {name} where (file_number, line) in (select (file_number, line) from arriving)")
    con.unregister("arriving")


def _batches(outcomes: Sequence[Outcome], kind: str) -> Iterator[pa.RecordBatch]:
    for outcome in outcomes:
        with pa.OSFile(str(outcome.job.file(kind))) as file, pa.ipc.open_stream(file) as stream:
            yield from stream


def of_tables(con: duckdb.DuckDBPyConnection, of: Contract, own: str, known: tuple[list[list[Any]], float]) -> Compared:
    """Compare the table `now_rows` with `before_rows` of a connection: typed rows of a contract."""
    _pair(con, of)
    _take_apart(con, of)
    usual_shares, least = known
    con.execute("create or replace table usual (column_name varchar, what varchar, known_as varchar, share double)")
    if usual_shares:
        con.executemany("insert into usual values (?, ?, ?, ?)", usual_shares)
    setting = {
        "own": own, "usual": least, "least": _LEAST_ROWS, "least_share": _LEAST_SHARE, "kept_share": _KEPT_SHARE,
    }  # fmt: skip
    found = con.execute(_sql(), setting).fetchall()
    ((keys, size, exact, pairs),) = con.execute(
        "select count(*) filter (side = 'before'), count(*) filter (side = 'now'), "
        "(select count(*) from pairs where is_exact), (select count(*) from pairs) from compared"
    ).fetchall()
    lines = [
        {
            "table": of.table,
            "column": column,
            "what": what,
            "value": value,
            "rows": rows,
            "before": was if before is None else before,
        }
        for column, what, value, _, rows, before, was, _, is_told in found
        if is_told
    ]
    shares = [[column, what, known_as, share] for column, what, _, known_as, *_, share, _ in found if what != "newest"]
    return Compared(keys, keys - exact, size - pairs, keys - pairs, lines, shares)


@cache
def _sql() -> str:
    return Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


def _pair(con: duckdb.DuckDBPyConnection, of: Contract) -> None:
    """Find the rows that both sides have: of one key, or of one person and of all of the key but one column."""
    key = of.stored_key
    are_known = " and ".join(f"{name} is not null" for name in key)
    sides = " union all ".join(
        f"select '{side}' as side, row_number() over (order by file_number, line) as row, * exclude (file_number, line) "
        f"from {side}_rows where {are_known}"
        for side in ("before", "now")
    )
    con.execute(f"create or replace table compared as {sides}")
    con.execute("create or replace table pairs (before_row bigint, now_row bigint, is_exact boolean)")
    for left_out in ("", *key[1:]):
        shared = [name for name in key if name != left_out]
        con.execute(
            f"""
            insert into pairs
            with left_over as (
                select *, row_number() over (partition by side, {", ".join(shared)} order by {", ".join(key)}, row) as place
                from compared
                where case side
                    when 'before' then row not in (select before_row from pairs)
                    else row not in (select now_row from pairs)
                end
            )
            select was.row, cell.row, {left_out == ""}
            from left_over as was
            inner join left_over as cell using ({", ".join(shared)}, place)
            where was.side = 'before' and cell.side = 'now'
            """
        )


def _take_apart(con: duckdb.DuckDBPyConnection, of: Contract) -> None:
    """Create `cells` from the rows, and `columns`."""
    con.execute("create or replace table columns (column_name varchar, is_shown boolean, is_past boolean)")
    con.executemany(
        "insert into columns values (?, ?, ?)",
        [
            [column.name, column.type in _SHOWN or bool(column.references), column.type == "date" and not column.future]
            for column in of.entering
        ],
    )
    cells = ", ".join(
        f"{{column_name: '{column.name}', kind: '{_kind(column)}', value: {column.stored}::varchar}}"
        for column in of.entering
    )
    con.execute(
        f"create or replace table cells as select side, row, unnest([{cells}], recursive := true) from compared"
    )
    _add_shapes(con, of)
    _add_months(con, of)
    _add_bands(con, of)


def _kind(column: Column) -> str:
    return "reference" if column.references and column.type == "code" else _KINDS[column.type]


def _add_shapes(con: duckdb.DuckDBPyConnection, of: Contract) -> None:
    """Names that a spreadsheet may run as a formula, and names that hold markup."""
    for column in of.entering:
        if column.type == "text":
            con.execute(
                f"insert into cells select side, row, '{column.name}', 'shape', 'formula' from compared "
                f"where regexp_matches({column.name}_shown, $suspect)",
                {"suspect": f"{SUSPECT}|{_MARKUP}"},
            )


def _add_months(con: duckdb.DuckDBPyConnection, of: Contract) -> None:
    """The Jalali month of each day."""
    names = [column.name for column in of.entering if column.type == "date"]
    is_day = {"names": names}
    days = con.execute(
        "select distinct value::date from cells where list_contains($names, column_name) and value is not null", is_day
    ).fetchall()
    months = pa.table({"value": [str(day) for (day,) in days], "month": [_month(day) for (day,) in days]}, _MONTHS)
    con.register("arriving", months)
    con.execute(
        "insert into cells select side, row, column_name, 'month', month from cells inner join arriving using (value) "
        "where list_contains($names, column_name)",
        is_day,
    )
    con.unregister("arriving")


_MONTHS = pa.schema([("value", pa.string()), ("month", pa.string())])


@cache
def _month(day: Any) -> str:
    return jalali.unit_of(day, "month").label


def _add_bands(con: duckdb.DuckDBPyConnection, of: Contract) -> None:
    """The quarter of the values before in which each number lies."""
    for column in of.entering:
        if column.type == "number":
            con.execute(
                f"""
                insert into cells
                with bounds as (
                    select list_distinct(quantile_disc({column.name}, [0.25, 0.5, 0.75])).list_sort() as bound
                    from compared
                    where side = 'before'
                )
                select
                    side,
                    row,
                    '{column.name}',
                    'band',
                    case
                        when {column.name} <= bound[1] then printf('≤ %g', bound[1])
                        when {column.name} > bound[-1] then printf('> %g', bound[-1])
                        else printf(
                            '%g–%g',
                            list_filter(bound, lambda b: b < {column.name})[-1],
                            list_filter(bound, lambda b: b >= {column.name})[1]
                        )
                    end,
                from compared
                cross join bounds
                where {column.name} is not null and bound is not null
                """
            )
