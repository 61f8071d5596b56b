"""Days off: official holidays, closures and weekends, by which working days are counted.

A calendar.csv in the submitted folder is added to the shipped one: its row wins for the same day and province. The weekend
is a setting: Friday, unless [[weekend]] says otherwise from a day on.
"""

import os
from collections import Counter
from collections.abc import Sequence
from datetime import date
from functools import cache
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
from etl.extract.causes import because
from etl.warehouse.build_database import create_from

# Of a row: its day, its province (None: the nation) and its kind.
Day = tuple[date, str | None, str]
_KINDS = {"holiday": "تعطیل رسمی", "closure": "تعطیلی", "workday": "روز کاری"}
_CONFIDENCE = {"confirmed": "قطعی", "estimated": "برآوردی"}
_FILE = "calendar.csv"
_TEXTS = ("province", "kind", "name_fa", "name_en", "confidence", "source")
_DAYS = pa.schema({"date": pa.date32(), **dict.fromkeys(_TEXTS, pa.string())})
_WEEKENDS = pa.schema([("valid_from", pa.date32()), ("weekdays", pa.list_(pa.int8()))])
# Files complete on the last day of a register must have their days until a decision is due.
DAYS_AHEAD = 60
# Days off of a Jalali year besides weekends; the nation has some 25.
MOST_DAYS_OFF = 60
# Days of weekends that are worked: a month of them would be much.
MOST_DAYS_WORKED = 12
# The days of a calendar by which working days are counted, and the last as-of day.
DAYS = "select date, province, kind from official_days"
COUNTED = "select min(file_complete_on), max(as_of) from applications cross join publication having count(file_complete_on) > 0"


def read(folder: Path) -> list[dict[str, Any]]:
    """The days of the folder's calendar, or of the shipped one if it has none.

    Raises Refused for an unreadable cell, a repeated day, and a year with more than MOST_DAYS_OFF or MOST_DAYS_WORKED.
    """
    if not files.is_in(folder, _FILE):
        return _shipped()
    own = _rows(folder)
    if folder != REFERENCE:
        _refuse_too_many([(row["date"], row["province"], row["kind"]) for row in _added(own)])
    return own


def _rows(folder: Path) -> list[dict[str, Any]]:
    return files.read(folder, _FILE, _DAYS.names, _official_day, "date", itemgetter("date", "province"))


@cache
def _shipped() -> list[dict[str, Any]]:
    return _rows(REFERENCE)


def _added(own: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The days of the shipped calendar and these, which win."""
    return list({(row["date"], row["province"]): row for row in (*_shipped(), *own)}.values())


def _refuse_too_many(days: Sequence[Day]) -> None:
    for place in _places(days):
        kinds = _kinds(days, place).items()
        off = [day for day, kind in kinds if kind != "workday" and not _is_weekend(day)]
        worked = [day for day, kind in kinds if kind == "workday" and _is_weekend(day)]
        of, of_fa = (place, place) if place else ("the nation", "کل کشور")
        for year, count in _by_year(off).items():
            if count > MOST_DAYS_OFF:
                raise because("days_off", file=_FILE, of=of, of_fa=of_fa, year=year, count=count, most=MOST_DAYS_OFF)
        for year, count in _by_year(worked).items():
            if count > MOST_DAYS_WORKED:
                raise because(
                    "days_worked", file=_FILE, of=of, of_fa=of_fa, year=year, count=count, most=MOST_DAYS_WORKED
                )


def _by_year(days: Sequence[date]) -> Counter[str]:
    return Counter(unit_of(day, "year").label for day in days)


def moved(days: Sequence[Day], before: Sequence[Day], first: date, last: date) -> dict[str | None, tuple[int, int]]:
    """For the nation and each province with days of its own: how many days are working days in only one of two calendars,
    and how many are in the calendar before.
    """
    found = {}
    for place in _places([*days, *before]):
        now, then = (_working(calendar, place, first, last) for calendar in (days, before))
        found[place] = len(now ^ then), len(then)
    return found


def working_days(first: date, last: date) -> list[date]:
    """The working days of the nation by the shipped calendar, both ends included."""
    days = [(row["date"], row["province"], row["kind"]) for row in _shipped()]
    return sorted(_working(days, None, first, last))


def _working(days: Sequence[Day], place: str | None, first: date, last: date) -> set[date]:
    kinds = _kinds(days, place)
    each = (first + n * DAY for n in range((last - first).days + 1))
    return {day for day in each if (kinds[day] == "workday" if day in kinds else not _is_weekend(day))}


def _places(days: Sequence[Day]) -> list[str | None]:
    return [None, *sorted({place for _, place, _ in days if place})]


def _kinds(days: Sequence[Day], place: str | None) -> dict[date, str]:
    """What each day is in a province: its own row is more specific than that of the nation."""
    return {day: kind for of in (None, place) for day, province, kind in days if province == of}


def _is_weekend(day: date) -> bool:
    return day.isoweekday() in next(rule["weekdays"] for rule in reversed(_weekends()) if rule["valid_from"] <= day)


@cache
def _weekends_of(setting: str) -> list[dict[str, Any]]:
    found = [{"valid_from": date.min, "weekdays": [WEEKDAYS.index("friday") + 1]}]
    for rule in several(weekend)(setting):
        first, *names = rule.split()
        found.append(
            {"valid_from": date.fromisoformat(first), "weekdays": [WEEKDAYS.index(name) + 1 for name in names]}
        )
    return sorted(found, key=itemgetter("valid_from"))


def _weekends() -> list[dict[str, Any]]:
    """ISO weekdays that are off, from a day on, in their order."""
    return _weekends_of(os.environ.get("WEEKEND", ""))


def load(con: duckdb.DuckDBPyConnection, own: Sequence[dict[str, Any]]) -> None:
    """Create `official_days`, one row per day and province, and `weekends`: ISO weekdays from a day on."""
    arriving = pa.Table.from_pylist(_added(own), _DAYS)
    create_from(con, "create table official_days as from arriving order by date, province nulls first", arriving)
    create_from(con, "create table weekends as from arriving", pa.Table.from_pylist(_weekends(), _WEEKENDS))


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
