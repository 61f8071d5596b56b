"""The reference tables: provinces, counties, courses, targets, residents, announcements, events, Jalali months, days off,
other countries.

Those with a reader come from the submitted folder if it has them, else from data/reference.
"""

from collections.abc import Callable, Mapping
from functools import cache
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

_TEXT, _DAY, _NUMBER = pa.string(), pa.date32(), pa.float64()
_COURSES = pa.schema(
    {
        **{"course_code": _TEXT, "title_fa": _TEXT, "title_en": _TEXT, "posts": pa.list_(_TEXT)},
        **{"valid_months": pa.int32(), "hours": _NUMBER, "due_days": pa.int32()},
    }
)
_TARGETS = pa.schema({"metric": _TEXT, "province": _TEXT, "date": _DAY, "value": _NUMBER})
_ANNOUNCEMENTS = pa.schema({"date": _DAY, "metric": _TEXT, "value": _NUMBER, "words": _TEXT, "source": _TEXT})
_EVENTS = pa.schema({"date": _DAY, **dict.fromkeys(("province", "title_fa", "title_en", "kind", "source"), _TEXT)})
# The one target that the product measures progress to.
_AIM = "active_assistants"
_KINDS = {"decree": "مصوبه", "register": "سامانه", "strike": "اعتصاب", "campaign": "طرح", "other": "سایر"}
_MOST_LETTERS = 120

_Row = dict[str, Any]
_Reader = Callable[[Path], list[Any]]


def read(folder: Path) -> tuple[dict[str, list[Any]], dict[str, str], list[Reference]]:
    """The rows of each reference file of `folder`, the error of each unusable one, and the files that set up the build.

    The shipped ones replace unusable ones, so that the other files of the folder are read too.
    """
    unusable: dict[str, str] = {}
    tables: dict[str, list[Any]] = {}
    # No row of an unusable file is used.
    rows: dict[str, int] = {}
    for name, reader in _READ.items():
        try:
            tables[name] = reader(folder)
            rows[name] = len(tables[name])
        except Refused as error:
            unusable[name] = str(error)
            tables[name] = reader(REFERENCE)
    # A calendar is added to the shipped one.
    replacing = _READ.keys() - {"calendar.csv"}
    found = [
        Reference(name, f"data/reference/{name}" if name in replacing else "", rows.get(name, 0))
        for name in CONFIGURATION
        if files.is_in(folder, name)
    ]
    return tables, unusable, found


def load(con: duckdb.DuckDBPyConnection, tables: Mapping[str, list[Any]]) -> None:
    """Create the reference tables in `con`."""
    # Codes keep their leading zeros: 02 is a province, 2 is not. To find the dialect takes longer than to read the file.
    codes = {
        "provinces": "{'sci_code': 'varchar', 'tel_prefix': 'varchar'}",
        "counties": "{'sci_code': 'varchar'}",
        "international": "{}",
    }
    for table, types in codes.items():
        con.execute(
            f"create table {table} as select * from read_csv("
            f"?, header=true, delim=',', quote='\"', escape='\"', sample_size=-1, types={types})",
            [str(REFERENCE / f"{table}.csv")],
        )
    for table, file, schema, select in (
        ("courses", "courses.csv", _COURSES, "select * replace (array_to_string(posts, '|') as posts) from arriving"),
        ("course_posts", "courses.csv", _COURSES, "select course_code, unnest(posts) as post, due_days from arriving"),
        ("targets", "targets.csv", _TARGETS, "from arriving"),
        ("announcements", "announcements.csv", _ANNOUNCEMENTS, "from arriving order by date, metric"),
        ("events", "events.csv", _EVENTS, "from arriving order by date, province nulls first, title_fa"),
    ):
        create_from(con, f"create table {table} as {select}", pa.Table.from_pylist(tables[file], schema))
    population.load(con, tables["population.csv"])
    official_calendar.load(con, tables["calendar.csv"])
    create_from(
        con,
        "create table calendar as "
        "select cast(unnest(generate_series(first, last, interval 1 day)) as date) as day, month, quarter, year from ("
        "select first, last, label as month, "
        "concat(label[:4], '-Q', (cast(label[6:] as integer) + 2) // 3) as quarter, label[:4] as year "
        "from arriving order by first)",
        _months(),
    )


@cache
def _months() -> pa.Table:
    first, end = (JalaliDate(year, 1, 1).to_gregorian() for year in (_FIRST_YEAR, _LAST_YEAR + 1))
    return pa.Table.from_pylist(list(map(vars, jalali.units_between(first, end - jalali.DAY, "month"))))


def _course(path: Path, line: int, row: dict[str, str]) -> _Row:
    """A course: the posts that require it, its validity in months (None: for ever), its hours, and days until it is due."""
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
    return {
        "course_code": code,
        "title_fa": display_text(row.get("title_fa", "")) or code,
        "title_en": display_text(row.get("title_en", "")) or code,
        "posts": list(dict.fromkeys(posts)),
        "valid_months": files.number(path, line, row, "valid_months", whole=True),
        "hours": files.number(path, line, row, "hours"),
        "due_days": files.number(path, line, row, "due_days", whole=True) or 0,
    }


def _target(path: Path, line: int, row: dict[str, str]) -> _Row:
    """A value to reach by a date; `province` is None for the nation."""
    metric = fold(files.text(path, line, row, "metric"))
    if metric not in catalogue():
        raise files.bad_cell(path, line, "metric", "unknown_value", values=_AIM, values_fa=_AIM)
    value = files.required_number(path, line, row, "value")
    place, day = files.province(path, line, row), files.day(path, line, row)
    return {"metric": metric, "province": place, "date": day, "value": value}


def _announcement(path: Path, line: int, row: dict[str, str]) -> _Row:
    """A number that was announced for the nation; it is no target."""
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


def _event(path: Path, line: int, row: dict[str, str]) -> _Row:
    """What helps to read a trend: a decree, a strike."""
    event = {"date": files.day(path, line, row), "province": files.province(path, line, row)}
    titles = {name: display_text(files.text(path, line, row, name)) for name in ("title_fa", "title_en")}
    for name, title in titles.items():
        if len(title) > _MOST_LETTERS:
            raise files.bad_cell(path, line, name, "too_long", most=_MOST_LETTERS)
    kind = files.choice(path, line, row, "kind", _KINDS)
    return {**event, **titles, "kind": kind, "source": display_text(files.text(path, line, row, "source"))}


def _reader(name: str, *how: Any) -> _Reader:
    """The reader of a file; `how` are the arguments of reference_files.read."""
    return lambda folder: files.read(folder, name, *how)


# The reader of each file. Each raises Refused for an unreadable cell, and for a second row of one key.
_READ: dict[str, _Reader] = {
    "courses.csv": _reader(
        "courses.csv", ("course_code", "posts"), _course, "course_code", lambda row: fold(row["course_code"])
    ),
    "targets.csv": _reader(
        "targets.csv", ("metric", "date", "value"), _target, "date", itemgetter("metric", "province", "date")
    ),
    "population.csv": population.read,
    "announcements.csv": _reader(
        "announcements.csv", _ANNOUNCEMENTS.names, _announcement, "date", itemgetter("metric", "date")
    ),
    "events.csv": _reader(
        "events.csv", _EVENTS.names, _event, "date", lambda row: (row["date"], row["province"], fold(row["title_fa"]))
    ),
    "calendar.csv": official_calendar.read,
}
