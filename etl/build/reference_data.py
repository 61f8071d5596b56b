"""The reference tables: provinces, counties, courses, targets, the international comparison, the Jalali months.

Courses and targets come from the submitted folder if it has them, else from data/reference.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
from persiantools.jdatetime import JalaliDate

from etl.core import jalali
from etl.core.paths import REFERENCE
from etl.core.text_folding import display_code, display_text, fold
from etl.extract import reference_files as files
from etl.extract.contract import contract
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
_TARGETS = pa.schema({"metric": _TEXT, "province": _TEXT, "date": pa.date32(), "value": pa.float64()})


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


def courses(folder: Path) -> list[Course]:
    """The courses of `folder`. Raises Refused for an unknown post, a value that is no number, a repeated course."""
    needed = ("course_code", "posts")
    return files.read(folder, "courses.csv", needed, _course, "course_code", lambda course: fold(course.course_code))


def targets(folder: Path) -> list[Target]:
    """The targets of `folder`. Raises Refused for an unreadable place, day or value, and for a repeated target."""
    needed = ("metric", "date", "value")
    return files.read(folder, "targets.csv", needed, _target, "date", lambda row: (row.metric, row.province, row.date))


def load(con: duckdb.DuckDBPyConnection, courses: list[Course], targets: list[Target]) -> None:
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
    arriving = pa.Table.from_pylist(list(map(vars, courses)), _COURSES)
    create_from(
        con, "create table courses as select * replace (array_to_string(posts, '|') as posts) from arriving", arriving
    )
    create_from(
        con, "create table course_posts as select course_code, unnest(posts) as post, due_days from arriving", arriving
    )
    create_from(con, "create table targets as from arriving", pa.Table.from_pylist(list(map(vars, targets)), _TARGETS))
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
    value = files.required_number(path, line, row, "value")
    return Target(fold(row.get("metric", "")), files.province(path, line, row), files.day(path, line, row), value)
