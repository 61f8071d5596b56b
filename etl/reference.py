"""The reference tables: provinces, counties, courses, targets, the international comparison, the Jalali months.

Courses and targets are taken from the folder that is loaded where it holds them, else from data/reference.
"""

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from etl import days
from etl.contract import Refused, contract
from etl.normalize import fold, shown
from etl.values import REFERENCE, places

# The Jalali years whose days a question can name.
_FIRST_YEAR, _LAST_YEAR = 1290, 1460


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
    """The courses of `folder`. Raises Refused for an unknown post or a value that is no number."""
    path = _chosen(folder, "courses.csv")
    return [_course(path, line, row) for line, row in _rows(path)]


def targets(folder: Path) -> list[Target]:
    """The targets of `folder`. Raises Refused for a place, a day or a value that cannot be read."""
    path = _chosen(folder, "targets.csv")
    return [_target(path, line, row) for line, row in _rows(path)]


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
    con.execute(
        "create table courses (course_code varchar, title_fa varchar, title_en varchar, posts varchar, "
        "valid_months integer, hours double, due_days integer)"
    )
    con.execute("create table course_posts (course_code varchar, post varchar, due_days integer)")
    for course in courses:
        con.execute(
            "insert into courses values (?, ?, ?, ?, ?, ?, ?)",
            [
                course.course_code,
                course.title_fa,
                course.title_en,
                "|".join(course.posts),
                course.valid_months,
                course.hours,
                course.due_days,
            ],
        )
        for post in course.posts:
            con.execute(
                "insert into course_posts values (?, ?, ?)",
                [course.course_code, post, course.due_days],
            )
    con.execute("create table targets (metric varchar, province varchar, date date, value double)")
    for target in targets:
        con.execute(
            "insert into targets values (?, ?, ?, ?)",
            [target.metric, target.province, target.date, target.value],
        )
    _load_calendar(con)


def _load_calendar(con: duckdb.DuckDBPyConnection) -> None:
    import pyarrow as pa

    first = days.parse_day(f"{_FIRST_YEAR}/01/01")
    last = days.parse_day(f"{_LAST_YEAR}/12/01")
    units = list(days.units_between(first, last, "month"))
    months = pa.table(
        {
            "month": [unit.label for unit in units],
            "quarter": [f"{unit.label[:4]}-Q{(int(unit.label[5:]) - 1) // 3 + 1}" for unit in units],
            "year": [unit.label[:4] for unit in units],
            "first": [unit.first for unit in units],
            "last": [unit.last for unit in units],
        }
    )
    con.execute(
        "create table calendar as select cast(unnest(range(first, last + 1, interval 1 day)) as date) as day, "
        "month, quarter, year from months order by day"
    )


def _chosen(folder: Path, name: str) -> Path:
    own = folder / name
    return own if own.is_file() else REFERENCE / name


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            return [
                (
                    reader.line_num,
                    {fold(key or ""): value or "" for key, value in row.items() if isinstance(value, str)},
                )
                for row in reader
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Refused(f"{path.name}: cannot be read ({type(error).__name__})") from None


def _course(path: Path, line: int, row: dict[str, str]) -> Course:
    known = next(column.values for column in contract("personnel").columns if column.name == "post")
    words = {fold(word): post for post, fa in known.items() for word in (post, fa)}
    posts: list[str] = []
    for word in filter(None, map(fold, row.get("posts", "").split("|"))):
        if word == "*":
            posts = list(known)
            break
        if word not in words:
            raise Refused(f"{path.name}, line {line}, posts: unknown post")
        posts.append(words[word])
    code = shown(row.get("course_code", ""))
    if not code:
        raise Refused(f"{path.name}, line {line}, course_code: missing_value")
    valid_months = _number(path, line, row, "valid_months")
    return Course(
        code,
        shown(row.get("title_fa", "")) or code,
        shown(row.get("title_en", "")) or code,
        tuple(dict.fromkeys(posts)),
        None if valid_months is None else int(valid_months),
        _number(path, line, row, "hours"),
        int(_number(path, line, row, "due_days") or 0),
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


def _number(path: Path, line: int, row: dict[str, str], name: str) -> float | None:
    text = fold(row.get(name, ""))
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise Refused(f"{path.name}, line {line}, {name}: bad_number") from None
