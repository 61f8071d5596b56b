"""The ways to spoil a row, by table, and what they need: new keys, random choices, lines of the file."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from etl.synthetic.calendar import FIRST_ORDINAL
from etl.synthetic.people import with_check_digit
from etl.synthetic.spelling import Speller

CONFLICT = "conflicting_key"
_BAD_DAYS = ("1402/12/30", "1403/13/05", "1401/07/31", "98/05/12", "1400/00/10", "2023/02/30")

Row = dict[str, str | None]


@dataclass
class Material:
    """The spelling and the random numbers of one file. `fresh` counts the new keys used in it."""

    table: str
    province: int
    day: int
    speller: Speller
    rng: np.random.Generator
    fresh: int = 0

    def pick(self, options: tuple[str, ...]) -> str:
        return options[int(self.rng.integers(len(options)))]

    def new_id(self) -> int:
        """A valid national id that is not in use: 990 and up, a block for each province and table."""
        table = 0 if self.table == "personnel" else 5_000_000
        nine = 990_000_000 + table + self.province * 150_000 + self.fresh % 150_000
        return int(with_check_digit(np.array([nine]))[0])

    def new_code(self, series: int) -> int:
        return self.province * 100_000 + series + self.fresh % 2_500

    def day_ago(self, low: int, high: int) -> str:
        """A day at least `low` and less than `high` days before the last day of history."""
        return self.speller.cell("date", self.day - int(self.rng.integers(low, high)))

    def fresh_key(self, row: Row) -> None:
        """Give a copied row a key of its own."""
        self.fresh += 1
        if self.table == "institutes":
            row["institute_code"] = self.speller.cell("code", self.new_code(92_500))
        elif self.table == "licences":
            number = self.new_code(92_500) * 100 + self.fresh // 2_500
            row["application_no"] = self.speller.cell("application", number)
        elif self.table == "personnel":
            row["national_id"] = self.speller.cell("id", self.new_id())
        else:
            row["completed_on"] = self.day_ago(3, 2000)

    def line(self, values: list[str | None]) -> bytes:
        """Fields as a line of the file without its end, for content that no writer would write."""
        habit = self.speller.habit
        fields = [*(["0"] if habit.extra else []), *(v or "" for v in values)]
        if habit.quoted:
            fields = [f'"{f}"' for f in fields]
        return habit.separator.join(fields).encode(habit.line_encoding)


Edit = Callable[[Material, Row], list[Row]]


@dataclass(frozen=True, eq=False)
class Editor:
    """A way to spoil a row: the reasons of rejection, and the rows that it fits.

    The reason `warned` is that of a value that loads as unknown.
    """

    reasons: tuple[str, ...]
    edit: Callable[[Material, Row], Any]  # makes rows or, if `is_line`, the line of a text file
    needs: Callable[[Row], Any] = lambda row: True
    weight: float = 1.0
    untyped: bool = False  # needs text where a typed Parquet has a date or a number
    is_line: bool = False


def _set(column: str, make: Callable[[Material], str | None], *clear: str) -> Edit:
    def edit(material: Material, row: Row) -> list[Row]:
        row.update(dict.fromkeys(clear), **{column: make(material)})
        return [row]

    return edit


def _swapped(reason: str, first: str, second: str) -> Editor:
    """The editor that swaps two different days."""

    def edit(material: Material, row: Row) -> list[Row]:
        row[first], row[second] = row[second], row[first]
        return [row]

    return Editor((reason,), edit, lambda row: row[first] and row[second] and row[first] != row[second], weight=2)


def _pair(column: str, make: Callable[[Material], str | None]) -> Edit:
    """Two rows of one key that differ in a column."""

    def edit(material: Material, row: Row) -> list[Row]:
        other = dict(row)
        value = make(material)
        while value == row[column]:
            value = make(material)
        other[column] = value
        return [row, other]

    return edit


def _one_of(*words: str) -> Callable[[Material], str]:
    return lambda material: material.speller.letters(material.pick(words))


_no_province = _one_of("فارسستان", "IR-77", "استان مرکز", "Persia", "99")
_no_value = _one_of("نامعلوم", "سایر", "?", "other")


def _bad_day(material: Material) -> str:
    options = _BAD_DAYS if material.speller.habit.kind == "xlsx" else (*_BAD_DAYS, "44561")
    return material.speller.digits(material.pick(options))


def _later(material: Material) -> str:
    return material.speller.cell("date", material.day + int(material.rng.integers(10, 500)))


def _past(material: Material) -> str:
    """A day before the history begins."""
    return material.day_ago(4900, 6500)


def _bad_identity(material: Material) -> str:
    number = material.new_id()
    wrong = material.speller.cell("id", number // 10 * 10 + (number + 3) % 10)
    same = material.speller.digits(str(material.rng.integers(1, 10)) * 10)
    short = material.speller.digits(str(number)[:7])
    return material.pick((wrong, wrong, same, short, f"{number}"[:5] + "-A"))


def _spoilt(material: Material) -> str:
    return f"{material.rng.integers(100, 1000) / 100:.2f}E+09"


def _no_institute(material: Material) -> str:
    return material.speller.cell("code", material.new_code(95_000))


def _age(material: Material, row: Row) -> list[Row]:
    """Too young or too old on any day of hiring: born in recent years, or in 1305."""
    young = material.rng.random() < 0.6
    born = material.day - int(material.rng.integers(400, 5800)) if young else FIRST_ORDINAL + 400
    row["birth_date"] = material.speller.cell("date", born)
    return [row]


def _ended(material: Material, row: Row) -> list[Row]:
    row["status"], row["status_since"] = material.speller.cell("status", 2 + material.fresh % 3), None
    return [row]


def _bad_birth_and_gender(material: Material, row: Row) -> list[Row]:
    return [row | {"birth_date": _bad_day(material), "gender": _no_value(material)}]


def _number(material: Material) -> str:
    return material.speller.digits(material.pick(("130", "-5", "20/17", "17 از 20", "140")))


def _ragged(material: Material, row: Row) -> bytes:
    values = list(row.values())
    return material.line(values[:-2] if material.rng.random() < 0.6 else [*values, "", "x"])


def _mangled(column: str) -> Callable[[Material, Row], bytes]:
    """A line of a UTF-8 file with a word in Windows-1256."""

    def raw(material: Material, row: Row) -> bytes:
        row[column] = "\0"
        return material.line(list(row.values())).replace(b"\0", "پيوست".encode("cp1256"))

    return raw


def _lines(column: str) -> list[Editor]:
    return [Editor(("ragged_row",), _ragged, is_line=True),
            Editor(("bad_encoding",), _mangled(column), weight=0.6, is_line=True)]  # fmt: skip


EDITORS: dict[str, list[Editor]] = {
    "institutes": [
        Editor(("missing_value",), _set("name", lambda material: None)),
        Editor(("warned",), _set("founded_on", _bad_day), untyped=True),
        Editor(("warned",), _set("founded_on", _later)),
        Editor(("unknown_value",), _set("activity", _no_value)),
        Editor(("unknown_province",), _set("province", _no_province, "county")),
        Editor(("missing_status_since",), _ended),
        Editor((CONFLICT,), _pair("founded_on", _past)),
        *_lines("name"),
    ],
    "licences": [
        Editor(("missing_value",), _set("applied_on", lambda material: None)),
        Editor(("missing_value",), _set("valid_until", lambda material: None), lambda row: row["valid_until"]),
        Editor(("bad_date",), _set("applied_on", _bad_day), untyped=True),
        Editor(("future_date",), _set("applied_on", _later, "file_complete_on", "decided_on", "outcome", "licence_no",
                                      "valid_from", "valid_until")),
        Editor(("unknown_value",), _set("kind", _no_value)),
        _swapped("decided_before_complete", "file_complete_on", "decided_on"),
        _swapped("ends_before_starts", "valid_from", "valid_until"),
        Editor(("orphan_institute",), _set("institute_code", _no_institute), weight=2),
        Editor((CONFLICT,), _pair("applied_on", _past)),
        *_lines("kind"),
    ],
    "personnel": [
        Editor(("missing_value",), _set("gender", lambda material: None)),
        Editor(("missing_value",), _set("hired_on", lambda material: None, "left_on")),
        Editor(("missing_value",), _set("national_id", lambda material: None)),
        Editor(("bad_date",), _set("hired_on", _bad_day), untyped=True),
        Editor(("bad_date",), _set("birth_date", _bad_day), untyped=True, weight=2),
        Editor(("future_date",), _set("hired_on", _later, "left_on", "leave_reason")),
        Editor(("unknown_value",), _set("post", _no_value), weight=2),
        Editor(("warned",), _set("education", _no_value)),
        Editor(("unknown_province",), _set("province", _no_province, "county"), weight=2),
        Editor(("bad_national_id",), _set("national_id", _bad_identity), weight=5),
        Editor(("spoilt_number",), _set("national_id", _spoilt), weight=2),
        Editor(("age_out_of_range",), _age, weight=2),
        _swapped("left_before_hired", "hired_on", "left_on"),
        Editor(("ends_before_starts",), _set("judicial_officer_until", _past), lambda row: row["judicial_officer_from"]),
        Editor(("orphan_institute",), _set("institute_code", _no_institute), weight=2),
        Editor((CONFLICT,), _pair("birth_date", lambda p: p.day_ago(12_500, 15_000)), weight=1.5),
        Editor(("bad_date", "unknown_value"), _bad_birth_and_gender, untyped=True),
        *_lines("last_name"),
    ],
    "training": [
        Editor(("missing_value",), _set("result", lambda material: None)),
        Editor(("missing_value",), _set("completed_on", lambda material: None)),
        Editor(("bad_date",), _set("completed_on", _bad_day), untyped=True, weight=3),
        Editor(("future_date",), _set("completed_on", _later), weight=2),
        Editor(("warned",), _set("score", _number), untyped=True, weight=2),
        Editor(("warned",), _set("hours", lambda p: p.speller.letters("دو روز")), untyped=True),
        Editor(("unknown_value",), _set("result", _no_value)),
        Editor(("unknown_course",), _set("course_code", lambda p: p.speller.digits("PY-999")), weight=3),
        Editor(("bad_national_id",), _set("national_id", _bad_identity), weight=4),
        Editor(("spoilt_number",), _set("national_id", _spoilt), weight=2),
        Editor(("orphan_person",), _set("national_id", lambda p: p.speller.cell("id", p.new_id())), weight=6),
        Editor((CONFLICT,), _pair("hours", lambda p: p.speller.digits(str(p.rng.integers(1, 9))))),
        *_lines("result"),
    ],
}  # fmt: skip
