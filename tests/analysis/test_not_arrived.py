"""A province whose last month has not arrived: a fact of the rows of a publication."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from etl.analysis import data_quality
from etl.core.jalali import last_complete_months, units_between

AS_OF = date(2026, 12, 3)


def register(*rows: tuple[str, str, date]) -> Any:
    """A register of these rows: a province, a table, a day."""
    con = duckdb.connect()
    con.execute("create table publication as select date '2026-12-03' as as_of")
    con.execute("create table applications (province text, applied_on date, decided_on date)")
    con.execute("create table spells (province text, hired_on date, left_on date)")
    con.execute("create table completions (province text, completed_on date)")
    for province, table, day in rows:
        columns = "province, completed_on" if table == "completions" else "province, hired_on"
        con.execute(f"insert into {table} ({columns}) values (?, ?)", [province, day])
    return SimpleNamespace(publication=SimpleNamespace(as_of=AS_OF), whole=con)


def steady(province: str, table: str, months: int, rows: int = 3) -> list[tuple[str, str, date]]:
    """So many rows of a table in each of so many months of the last thirteen complete ones, the earliest first."""
    units = [*units_between(*last_complete_months(AS_OF, 13), "month")][:months]
    return [(province, table, unit.first + timedelta(at)) for unit in units for at in range(rows)]


@pytest.mark.parametrize(
    ("rows", "late"),
    [
        (steady("IR-20", "completions", 13), set()),
        (steady("IR-20", "completions", 12), {"IR-20"}),
        ([*steady("IR-20", "completions", 12), ("IR-20", "completions", AS_OF)], set()),
        # Other tables came.
        ([*steady("IR-20", "spells", 12), *steady("IR-20", "completions", 13)], {"IR-20"}),
        # Too few to tell: a small province may have no row in a month.
        (steady("IR-20", "spells", 12, 2), set()),
        (steady("IR-20", "spells", 11), set()),
        ([], set()),
    ],
)
def test_a_table_with_rows_in_each_month_and_none_in_the_last_has_not_arrived(rows: list[Any], late: set[str]) -> None:
    assert data_quality.not_arrived(register(*rows)) == ("1405-08", late)
