"""The reference tables: provinces, counties, courses, targets, the international comparison, the Jalali months.

Courses and targets are taken from the folder that is loaded where it holds them, else from data/reference.
"""

import csv
import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from etl import days
from etl.contract import Refused, contract
from etl.limits import REFERENCE_BYTES
from etl.normalize import fold, shown, shown_code
from etl.values import REFERENCE, places

# The Jalali years whose days a question can name.
_FIRST_YEAR, _LAST_YEAR = 1290, 1460
_MOST = 1e9


@dataclass(frozen=True)
class Course:
    """A course, the posts that must hold it, months it stays valid (None: for ever), its hours and days until due."""

    course_code: str
    title_fa: str
    title_en: str
    posts: tuple[str, ...]
    valid_months: int | None
    hours: float | None
    due_days: int


@dataclass(frozen=True)
class Target:
    """A value to reach from a day on; `province` is None for the nation."""

    metric: str
    province: str | None
    date: date
    value: float


def courses(folder: Path) -> list[Course]:
    """The courses of `folder`. Raises Refused for an unknown post, a value that is no number, a course met twice."""
    path = _chosen(folder, "courses.csv")
    found = [_course(path, line, row) for line, row in _rows(path, ("course_code", "posts"))]
    _refuse_twice(path, "course_code", [fold(course.course_code) for course in found])
    return found


def targets(folder: Path) -> list[Target]:
    """The targets of `folder`. Raises Refused for a place, day or value that cannot be read, and for two on one day."""
    path = _chosen(folder, "targets.csv")
    found = [_target(path, line, row) for line, row in _rows(path, ("metric", "date", "value"))]
    _refuse_twice(path, "date", [(target.metric, target.province, target.date) for target in found])
    return found


def load(con: duckdb.DuckDBPyConnection, courses: list[Course], targets: list[Target]) -> None:
    """Make the reference tables in `con`."""
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
    _make(
        con,
        "courses (course_code varchar, title_fa varchar, title_en varchar, posts varchar, valid_months integer, "
        "hours double, due_days integer)",
        [(*astuple(one)[:3], "|".join(one.posts), *astuple(one)[4:]) for one in courses],
    )
    _make(
        con,
        "course_posts (course_code varchar, post varchar, due_days integer)",
        [(one.course_code, post, one.due_days) for one in courses for post in one.posts],
    )
    _make(con, "targets (metric varchar, province varchar, date date, value double)", [astuple(one) for one in targets])
    _load_calendar(con)


def _make(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    con.execute(f"create table {table}")
    if rows:
        places = ", ".join("?" * len(rows[0]))
        con.execute(
            f"insert into {table.split(maxsplit=1)[0]} values {', '.join([f'({places})'] * len(rows))}",
            [value for row in rows for value in row],
        )


def _load_calendar(con: duckdb.DuckDBPyConnection) -> None:
    starts = days.month_starts(_FIRST_YEAR, _LAST_YEAR)
    labels = [f"{_FIRST_YEAR + at // 12}-{at % 12 + 1:02}" for at in range(len(starts) - 1)]
    con.execute(
        "create table calendar as "
        "with months as (select unnest($labels) as month, unnest($firsts) as first, unnest($next_firsts) as next_first) "
        "select cast(unnest(range(first, next_first, interval 1 day)) as date) as day, month, "
        "concat(month[:4], '-Q', cast((cast(month[6:] as integer) + 2) // 3 as varchar)) as quarter, month[:4] as year "
        "from months order by day",
        {"labels": labels, "firsts": starts[:-1], "next_firsts": starts[1:]},
    )


def _chosen(folder: Path, name: str) -> Path:
    own = folder / name
    return own if own.exists() or own.is_symlink() else REFERENCE / name


def _rows(path: Path, needed: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """Each row with the line it begins in, its titles folded. Raises Refused where a needed title is missing."""
    if path.exists() and not path.is_file():
        raise Refused(f"{path.name}: not a regular file")
    try:
        if path.stat().st_size > REFERENCE_BYTES:
            raise Refused(f"{path.name}: larger than {REFERENCE_BYTES >> 20} MiB, too much for a reference table")
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            titles = [fold(title) for title in next(reader, [])]
            if lacking := [title for title in needed if title not in titles]:
                raise Refused(f"{path.name}, line 1: missing required column {', '.join(lacking)}")
            rows, line = [], reader.line_num + 1
            for record in reader:
                if record and len(record) != len(titles):
                    raise Refused(f"{path.name}, line {line}: ragged_row")
                if record:
                    rows.append((line, dict(zip(titles, record, strict=True))))
                line = reader.line_num + 1
            return rows
    except OSError as error:
        raise Refused(f"{path.name}: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refused(f"{path.name}: cannot be read ({type(error).__name__})") from None


def _refuse_twice(path: Path, column: str, keys: Sequence[Any]) -> None:
    if len(set(keys)) < len(keys):
        raise Refused(f"{path.name}, {column}: one stands twice")


def _course(path: Path, line: int, row: dict[str, str]) -> Course:
    known = contract("personnel").choices("post")
    words = {fold(word): post for post, fa in known.items() for word in (post, fa)}
    posts: list[str] = []
    for word in filter(None, map(fold, row.get("posts", "").split("|"))):
        if word == "*":
            posts = list(known)
            break
        if word not in words:
            raise Refused(f"{path.name}, line {line}, posts: unknown post")
        posts.append(words[word])
    code = shown_code(row.get("course_code", ""))
    if not code:
        raise Refused(f"{path.name}, line {line}, course_code: missing_value")
    valid_months = _number(path, line, row, "valid_months", whole=True)
    return Course(
        code,
        shown(row.get("title_fa", "")) or code,
        shown(row.get("title_en", "")) or code,
        tuple(dict.fromkeys(posts)),
        None if valid_months is None else int(valid_months),
        _number(path, line, row, "hours"),
        int(_number(path, line, row, "due_days", whole=True) or 0),
    )


def _target(path: Path, line: int, row: dict[str, str]) -> Target:
    place = fold(row.get("province", ""))
    if place and place not in places().provinces:
        raise Refused(f"{path.name}, line {line}, province: unknown_province")
    try:
        day = days.parse_day(fold(row.get("date", "")))
    except ValueError:
        raise Refused(f"{path.name}, line {line}, date: bad_date") from None
    value = _number(path, line, row, "value")
    if value is None:
        raise Refused(f"{path.name}, line {line}, value: missing_value")
    return Target(fold(row.get("metric", "")), places().provinces.get(place), day, value)


def _number(path: Path, line: int, row: dict[str, str], name: str, whole: bool = False) -> float | None:
    """A number that is not negative, None for an empty cell."""
    text = fold(row.get(name, ""))
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < _MOST or (whole and not value.is_integer()):
        raise Refused(f"{path.name}, line {line}, {name}: bad_number")
    return value
