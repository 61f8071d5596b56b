"""Reading reference tables from CSV: rows with their line numbers, and errors that name file, line and column."""

import csv
import math
import os
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TypeVar

from etl.core import jalali
from etl.core.errors import Refused
from etl.core.paths import REFERENCE
from etl.core.places import places
from etl.core.text_folding import fold
from etl.extract.causes import because, named
from etl.extract.limits import REFERENCE_BYTES

_MOST = 1e9

_Row = TypeVar("_Row")


def read(
    folder: Path,
    name: str,
    needed: Sequence[str],
    parse: Callable[[Path, int, dict[str, str]], _Row],
    column: str,
    key: Callable[[_Row], Hashable],
) -> list[_Row]:
    """The parsed rows of the reference table `name`: of `folder` if it has one, else the shipped one.

    `parse` gets the path, the line and the cells. Raises Refused for an unreadable file or cell, and for a row whose `key`
    occurs on an earlier line; `column` is the one named then.
    """
    path = (folder if is_in(folder, name) else REFERENCE) / name
    parsed: list[_Row] = []
    first_lines: dict[Hashable, int] = {}
    for line, cells in _rows(path, needed):
        row = parse(path, line, cells)
        if (first := first_lines.setdefault(key(row), line)) != line:
            raise bad_cell(path, line, column, "twice", other=first)
        parsed.append(row)
    return parsed


def is_in(folder: Path, name: str) -> bool:
    """Whether `folder` has a file or a link, even a broken one, of this name."""
    return os.path.lexists(folder / name)


def _rows(path: Path, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with its first line, keyed by folded titles. Raises Refused if a required title is missing."""
    if path.exists() and not path.is_file():
        raise named(path.name, because("not_a_file"))
    try:
        if path.stat().st_size > REFERENCE_BYTES:
            raise because("reference_size", file=path.name, most=REFERENCE_BYTES >> 20)
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            titles = [fold(title) for title in next(reader, [])]
            if lacking := [title for title in needed if title not in titles]:
                raise because("reference_column", file=path.name, columns=", ".join(lacking))
            line = reader.line_num + 1
            for record in reader:
                if record and len(record) != len(titles):
                    raise bad_cell(path, line, "", "ragged_row")
                if record:
                    yield line, dict(zip(titles, record, strict=True))
                line = reader.line_num + 1
    except OSError as error:
        raise named(path.name, because("not_opened", error=error.strerror)) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise because("reference_not_readable", file=path.name, error=type(error).__name__) from None


def bad_cell(path: Path, line: int, column: str, reason: str, **values: object) -> Refused:
    """The refusal of a reference table for one cell, or for one row."""
    return because(f"cell_{reason}", file=path.name, line=line, column=column, **values)


def province(path: Path, line: int, row: dict[str, str]) -> str | None:
    """The ISO code of a province; None for an empty cell."""
    place = fold(row.get("province", ""))
    if place and place not in places().provinces:
        raise bad_cell(path, line, "province", "unknown_province")
    return places().provinces.get(place)


def day(path: Path, line: int, row: dict[str, str]) -> date:
    """The day of a row, in one of the forms of the contract."""
    try:
        return jalali.parse_day(fold(row.get("date", "")))
    except ValueError:
        raise bad_cell(path, line, "date", "bad_date") from None


def number(
    path: Path, line: int, row: dict[str, str], name: str, whole: bool = False, above_zero: bool = False
) -> float | None:
    """A number of 0 or more, or `above_zero`; None for an empty cell."""
    text = fold(row.get(name, ""))
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < _MOST or (whole and not value.is_integer()) or (above_zero and not value):
        raise bad_cell(path, line, name, "nobody" if above_zero else "not_whole" if whole else "bad_number")
    return value


def required_number(
    path: Path, line: int, row: dict[str, str], name: str, whole: bool = False, above_zero: bool = False
) -> float:
    """A number that must not be empty."""
    value = number(path, line, row, name, whole, above_zero)
    if value is None:
        raise bad_cell(path, line, name, "missing_value")
    return value


def choice(path: Path, line: int, row: dict[str, str], name: str, values: Mapping[str, str]) -> str:
    """One of `values`, which has the Persian word of each; in either language."""
    word = fold(text(path, line, row, name))
    chosen = word if word in values else next((value for value, fa in values.items() if word == fold(fa)), None)
    if chosen is None:
        english, persian = ", ".join(values), "، ".join(values.values())
        raise bad_cell(path, line, name, "unknown_value", values=english, values_fa=persian)
    return chosen


def text(path: Path, line: int, row: dict[str, str], name: str) -> str:
    """A text that must not be empty."""
    words = row.get(name, "").strip()
    if not words:
        raise bad_cell(path, line, name, "missing_value")
    return words
