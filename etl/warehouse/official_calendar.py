"""Days off: official holidays, closures and weekends, by which working days are counted.

A calendar.csv in the submitted folder is added to the shipped one: its row wins for the same day and province. The weekend
is a setting: Friday, unless [[weekend]] says otherwise from a day on.
"""

import os
from collections.abc import Sequence
from datetime import date
from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from etl.core.jalali import DAY, unit_of
from etl.core.paths import REFERENCE
from etl.core.setting_types import WEEKDAYS, several, weekend
from etl.core.text_folding import display_text
from etl.extract import reference_files as files
from etl.warehouse.build_database import create_from

_KINDS = {"holiday": "تعطیل رسمی", "closure": "تعطیلی", "workday": "روز کاری"}
_CONFIDENCE = {"confirmed": "قطعی", "estimated": "برآوردی"}
_FILE = "calendar.csv"
_TEXTS = ("province", "kind", "name_fa", "name_en", "confidence", "source")
_DAYS = pa.schema({"date": pa.date32(), **dict.fromkeys(_TEXTS, pa.string())})
_WEEKENDS = pa.schema([("valid_from", pa.date32()), ("weekdays", pa.list_(pa.int8()))])
# Files complete on the last day of a register must have their days until a decision is due.
DAYS_AHEAD = 60


def read(folder: Path) -> list[dict[str, Any]]:
    """The days of the folder's calendar, or of the shipped one if it has none.

    Raises Refused for an unreadable cell and a repeated day.
    """
    return files.read(folder, _FILE, _DAYS.names, _official_day, "date", itemgetter("date", "province"))


def load(con: duckdb.DuckDBPyConnection, own: Sequence[dict[str, Any]]) -> None:
    """Create `official_days`, one row per day and province, and `weekends`: ISO weekdays from a day on."""
    days = {(row["date"], row["province"]): row for row in (*read(REFERENCE), *own)}
    arriving = pa.Table.from_pylist(list(days.values()), _DAYS)
    create_from(con, "create table official_days as from arriving order by date, province nulls first", arriving)
    weekends = [{"valid_from": date.min, "weekdays": [WEEKDAYS.index("friday") + 1]}]
    for rule in several(weekend)(os.environ.get("WEEKEND", "")):
        first, *names = rule.split()
        weekdays = [WEEKDAYS.index(name) + 1 for name in names]
        weekends.append({"valid_from": date.fromisoformat(first), "weekdays": weekdays})
    create_from(con, "create table weekends as from arriving", pa.Table.from_pylist(weekends, _WEEKENDS))


def confirmed_until(con: duckdb.DuckDBPyConnection, day: date) -> date:
    """The last day, from `day` on, before the calendar's first estimated day or its end."""
    ((first_estimated,),) = con.execute(
        "select min(date) from official_days where confidence = 'estimated' and date > $day", {"day": day}
    ).fetchall()
    return first_estimated - DAY if first_estimated else last_day(con)


def last_day(con: duckdb.DuckDBPyConnection) -> date:
    """The end of the last Jalali year whose first day is a holiday of the nation: the calendar lists the days off of it."""
    ((last,),) = con.execute(
        "select max(date) from official_days inner join (select min(day) as date from calendar group by year) using (date) "
        "where province is null and kind = 'holiday'"
    ).fetchall()
    return unit_of(last, "year").last


def estimated_days(con: duckdb.DuckDBPyConnection, last: date) -> list[date]:
    """The estimated days from the first complete file to `last`, both included: numbers of the period count them."""
    rows = con.execute(
        "select distinct date from official_days where confidence = 'estimated' "
        "and date between (select min(file_complete_on) from applications) and $last order by 1",
        {"last": last},
    ).fetchall()
    return [day for (day,) in rows]


def _official_day(path: Path, line: int, row: dict[str, str]) -> dict[str, Any]:
    """A day that is off, or a workday where it would be; `province` is None for the nation."""
    texts = {name: display_text(files.text(path, line, row, name)) for name in ("name_fa", "name_en", "source")}
    return {
        "date": files.day(path, line, row),
        "province": files.province(path, line, row),
        "kind": files.choice(path, line, row, "kind", _KINDS),
        "confidence": files.choice(path, line, row, "confidence", _CONFIDENCE),
        **texts,
    }
