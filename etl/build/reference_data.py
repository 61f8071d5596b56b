"""The reference tables: provinces, counties, courses, targets, residents, announcements, events, Jalali months, days off,
other countries.

Those with a reader come from the submitted folder if it has them, else from data/reference.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from persiantools.jdatetime import JalaliDate

from etl.build.load_report import Reference
from etl.core import jalali
from etl.core.errors import Refused
from etl.core.paths import REFERENCE
from etl.core.text_folding import display_code, display_text, fold
from etl.extract import reference_files as files
from etl.extract.causes import because
from etl.extract.contract import contract
from etl.extract.source_folder import CONFIGURATION
from etl.semantic.catalog import catalogue
from etl.warehouse import official_calendar, population
from etl.warehouse.build_database import create_from

# The Jalali years of the calendar.
_FIRST_YEAR, _LAST_YEAR = 1290, 1460

_TEXT = pa.string()
_COURSES = pa.schema(
    {
        **{"course_code": _TEXT, "title_fa": _TEXT, "title_en": _TEXT, "posts": pa.list_(_TEXT)},
        **{"valid_months": pa.int32(), "hours": pa.float64(), "due_days": pa.int32()},
    }
)
_AIM = "active_assistants"
_TARGETS = pa.schema({"metric": _TEXT, "province": _TEXT, "date": pa.date32(), "value": pa.float64()})


_NUMBERS = [("date", pa.date32()), ("metric", pa.string()), ("value", pa.float64())]
_ANNOUNCEMENTS = pa.schema([*_NUMBERS, ("words", pa.string()), ("source", pa.string())])
KINDS = {"decree": "مصوبه", "register": "سامانه", "strike": "اعتصاب", "campaign": "طرح", "other": "سایر"}
MOST_LETTERS = 120
_TEXTS = ("province", "title_fa", "title_en", "kind", "source")
_EVENTS = pa.schema([("date", pa.date32()), *((name, pa.string()) for name in _TEXTS)])


@dataclass(frozen=True)
class Course:
    """A course: the posts that require it, its validity in months (None: for ever), its hours, and days until it is due."""

    course_code: str
    title_fa: str
    title_en: str
    posts: tuple[str, ...]
    valid_months: int | None
    hours: float | None
    due_days: int


@dataclass(frozen=True)
class Target:
    """A value to reach by a date; `province` is None for the nation."""

    metric: str
    province: str | None
    date: date
    value: float


def read(folder: Path) -> tuple[dict[str, list[Any]], list[str], list[Reference]]:
    """The rows of each reference file of `folder`, the errors of unusable ones, and the files that set up the build.

    The shipped ones replace unusable ones, so that the other files of the folder are read too.
    """
    unusable: list[str] = []
    tables: dict[str, list[Any]] = {}
    # No row of an unusable file is used.
    rows: dict[str, int] = {}
    for name, reader in _READ.items():
        try:
            tables[name] = reader(folder)
            rows[name] = len(tables[name])
        except Refused as error:
            unusable.append(str(error))
            tables[name] = reader(REFERENCE)
    # A calendar is added to the shipped one.
    if "calendar.csv" in rows:
        rows["calendar.csv"] = len(official_calendar.read_own(folder))
    replacing = _READ.keys() - {"calendar.csv"}
    found = [
        Reference(name, f"data/reference/{name}" if name in replacing else "", rows.get(name, 0))
        for name in CONFIGURATION
        if files.is_in(folder, name)
    ]
    return tables, unusable, found


def courses(folder: Path) -> list[Course]:
    """The courses of `folder`. Raises Refused for an unknown post, a value that is no number, a repeated course."""
    needed = ("course_code", "posts")
    return files.read(folder, "courses.csv", needed, _course, "course_code", lambda course: fold(course.course_code))


def targets(folder: Path) -> list[Target]:
    """The targets of `folder`. Raises Refused for an unknown metric, place, day or value, and for a repeated target."""
    needed = ("metric", "date", "value")
    return files.read(folder, "targets.csv", needed, _target, "date", lambda row: (row.metric, row.province, row.date))


def announcements(folder: Path) -> list[dict[str, Any]]:
    """The announcements of `folder`; an announcement is no target.

    Raises Refused for an unreadable cell and for two values of a metric on one day.
    """
    key = itemgetter("metric", "date")
    return files.read(folder, "announcements.csv", _ANNOUNCEMENTS.names, _announcement, "date", key)


def events(folder: Path) -> list[dict[str, Any]]:
    """The events of `folder`, which help to read a trend: a decree, a strike.

    Raises Refused for an unreadable cell and for a repeated event.
    """

    def key(event: dict[str, Any]) -> tuple[Any, ...]:
        return event["date"], event["province"], fold(event["title_fa"])

    return files.read(folder, "events.csv", _EVENTS.names, _event, "date", key)


# The files of a folder, each with its reader.
_READ: dict[str, Callable[[Path], list[Any]]] = {
    "courses.csv": courses,
    "targets.csv": targets,
    "population.csv": population.read,
    "announcements.csv": announcements,
    "events.csv": events,
    "calendar.csv": official_calendar.read,
}


def load(con: duckdb.DuckDBPyConnection, tables: Mapping[str, list[Any]]) -> None:
    """Create the reference tables in `con`."""
    # Codes keep their leading zeros: 02 is a province, 2 is not.
    codes = {
        "provinces": "{'sci_code': 'varchar', 'tel_prefix': 'varchar'}",
        "counties": "{'sci_code': 'varchar'}",
        "international": "{}",
    }
    for table, types in codes.items():
        con.execute(
            f"create table {table} as select * from read_csv(?, header=true, sample_size=-1, types={types})",
            [str(REFERENCE / f"{table}.csv")],
        )
    arriving = pa.Table.from_pylist(list(map(vars, tables["courses.csv"])), _COURSES)
    create_from(
        con, "create table courses as select * replace (array_to_string(posts, '|') as posts) from arriving", arriving
    )
    create_from(
        con, "create table course_posts as select course_code, unnest(posts) as post, due_days from arriving", arriving
    )
    arriving = pa.Table.from_pylist(list(map(vars, tables["targets.csv"])), _TARGETS)
    create_from(con, "create table targets as from arriving", arriving)
    population.load(con, tables["population.csv"])
    arriving = pa.Table.from_pylist(tables["announcements.csv"], _ANNOUNCEMENTS)
    create_from(con, "create table announcements as from arriving order by date, metric", arriving)
    arriving = pa.Table.from_pylist(tables["events.csv"], _EVENTS)
    create_from(con, "create table events as from arriving order by date, province nulls first, title_fa", arriving)
    official_calendar.load(con, tables["calendar.csv"])
    _load_calendar(con)


def _load_calendar(con: duckdb.DuckDBPyConnection) -> None:
    first, last = (JalaliDate(year, 1, 1).to_gregorian() for year in (_FIRST_YEAR, _LAST_YEAR + 1))
    create_from(
        con,
        "create table calendar as select "
        "cast(unnest(generate_series(first, last, interval 1 day)) as date) as day, label as month, "
        "concat(label[:4], '-Q', (cast(label[6:] as integer) + 2) // 3) as quarter, label[:4] as year "
        "from arriving order by day",
        pa.Table.from_pylist(list(map(vars, jalali.units_between(first, last - jalali.DAY, "month")))),
    )


def _course(path: Path, line: int, row: dict[str, str]) -> Course:
    labels = contract("personnel").by_name["post"].values
    words = {fold(word): post for post, fa in labels.items() for word in (post, fa)}
    posts: list[str] = []
    for word in filter(None, map(fold, row.get("posts", "").split("|"))):
        if word == "*":
            posts = list(labels)
            break
        if word not in words:
            raise files.bad_cell(
                path, line, "posts", "unknown_post", values=", ".join(labels), values_fa="، ".join(labels.values())
            )
        posts.append(words[word])
    code = display_code(row.get("course_code", ""))
    if not code:
        raise files.bad_cell(path, line, "course_code", "missing_value")
    valid_months = files.number(path, line, row, "valid_months", whole=True)
    return Course(
        code,
        display_text(row.get("title_fa", "")) or code,
        display_text(row.get("title_en", "")) or code,
        tuple(dict.fromkeys(posts)),
        None if valid_months is None else int(valid_months),
        files.number(path, line, row, "hours"),
        int(files.number(path, line, row, "due_days", whole=True) or 0),
    )


def _target(path: Path, line: int, row: dict[str, str]) -> Target:
    metric = fold(files.text(path, line, row, "metric"))
    if metric not in catalogue():
        # The one target that the product measures progress to.
        raise files.bad_cell(path, line, "metric", "unknown_value", values=_AIM, values_fa=_AIM)
    value = files.required_number(path, line, row, "value")
    return Target(metric, files.province(path, line, row), files.day(path, line, row), value)


def _announcement(path: Path, line: int, row: dict[str, str]) -> dict[str, Any]:
    day = files.day(path, line, row)
    # A province's number must not be shown as the nation's.
    if files.province(path, line, row):
        raise because("announcement_of_a_province", file=path.name, line=line)
    metric = fold(files.text(path, line, row, "metric"))
    if metric not in catalogue() or catalogue()[metric].kind != "snapshot" or catalogue()[metric].unit == "date":
        states = ", ".join(name for name, entry in catalogue().items() if entry.kind == "snapshot" and not entry.hidden)
        raise files.bad_cell(path, line, "metric", "unknown_value", values=states, values_fa=states)
    value = files.required_number(path, line, row, "value")
    texts = {name: display_text(files.text(path, line, row, name)) for name in ("words", "source")}
    return {"date": day, "metric": metric, "value": value, **texts}


def _event(path: Path, line: int, row: dict[str, str]) -> dict[str, Any]:
    event = {"date": files.day(path, line, row), "province": files.province(path, line, row)}
    titles = {name: display_text(files.text(path, line, row, name)) for name in ("title_fa", "title_en")}
    for name, title in titles.items():
        if len(title) > MOST_LETTERS:
            raise files.bad_cell(path, line, name, "too_long", most=MOST_LETTERS)
    kind = files.choice(path, line, row, "kind", KINDS)
    return {**event, **titles, "kind": kind, "source": display_text(files.text(path, line, row, "source"))}
