"""Answer in, bytes out: CSV and XLSX that a machine reads and a spreadsheet cannot be tricked by.

Files keep codes, Latin digits, ISO days and a decimal point in both languages; names stand beside codes. One made for
circulation rounds counts of people and hides small percentages, and says so.
"""

import csv
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import xlsxwriter

from etl.metrics import Answer
from pages.parts import text
from pages.parts.charts import Look

CSV, XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# What a spreadsheet takes for the start of a formula, also in the full width it would be folded to.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_NO_FILE_NAME = re.compile(r'[\\/:*?"<>|\s\x00-\x1f\u200e\u200f\u2066-\u2069]+')
_ROUNDED_TO, _FEWEST = 5, 23


@dataclass(frozen=True)
class Sheet:
    """A table ready to be written: headers, rows, and which columns are codes."""

    headers: tuple[str, ...]
    rows: list[tuple]


def safe(value: Any) -> Any:
    """A string no spreadsheet takes for a formula; anything else as it is."""
    if not isinstance(value, str):
        return value
    guarded = "'" + value if value.startswith((*_FORMULA, "\x00")) else value
    return _UNWRITABLE.sub("", guarded)


def for_circulation(answer: Answer, units: Mapping[str, str]) -> list[tuple]:
    """The answer's rows with counts of people rounded to 5 and percentages of fewer than 23 people taken out.

    `units` are the units of every column by name. Institutes and whatever is not a count of people stay as they are.
    """
    metrics = {metric.name: metric for metric in answer.metrics}
    place = {name: i for i, name in enumerate(answer.columns)}

    def cell(row: tuple, name: str) -> Any:
        value = row[place[name]]
        if value is None or name in answer.by:
            return value
        if units.get(name) == "persons":
            return math.floor(abs(value) / _ROUNDED_TO + 0.5) * _ROUNDED_TO * (-1 if value < 0 else 1)
        whole = metrics[name].denominator if name in metrics else None
        if units.get(name) == "share" and whole in place and units.get(whole) == "persons":
            people = row[place[whole]]
            return None if people is None or people < _FEWEST else value
        return value

    return [tuple(cell(row, name) for name in answer.columns) for row in answer.rows]


def sheet(answer: Answer, look: Look, units: Mapping[str, str], circulation: bool = False) -> Sheet:
    """Codes with names beside them, then the numbers; a day has its Jalali form beside it."""
    rows = for_circulation(answer, units) if circulation else answer.rows
    headers: list[str] = []
    for i, name in enumerate(answer.columns):
        headers.append(name)
        if i < len(answer.by):
            headers.append(f"{name}_name")
        elif any(isinstance(row[i], date) for row in rows[:50]):
            headers.append(f"{name}_jalali")
    beside = {name for name in headers if name.endswith("_jalali")}

    def wide(row: Sequence[Any]) -> tuple:
        cells: list[Any] = []
        for i, name in enumerate(answer.columns):
            value = row[i]
            cells.append(value)
            if i < len(answer.by):
                cells.append(look.member(name, value))
            elif f"{name}_jalali" in beside:
                cells.append(_jalali(value))
        return tuple(cells)

    return Sheet(tuple(headers), [wide(row) for row in rows])


def _jalali(value: Any) -> str:
    return text.iso_jalali(value) if isinstance(value, date) else ""


def to_csv(answer: Answer, look: Look, units: Mapping[str, str], circulation: bool = False) -> bytes:
    """UTF-8 with a byte order mark, for Excel; an unknown value is an empty cell."""
    made = sheet(answer, look, units, circulation)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([safe(header) for header in made.headers])
    writer.writerows([safe(_written(value)) for value in row] for row in made.rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8")


def _written(value: Any) -> Any:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else value


def to_xlsx(
    answer: Answer,
    look: Look,
    units: Mapping[str, str],
    circulation: bool = False,
    scope: str = "",
) -> bytes:
    """A sheet of data and a sheet that says what it is; right to left in Persian."""
    made = sheet(answer, look, units, circulation)
    out = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": False,
    }
    with xlsxwriter.Workbook(out, options) as book:
        data = book.add_worksheet(look.word("file.data"))
        about = book.add_worksheet(look.word("file.cover"))
        if look.rtl:
            data.right_to_left()
            about.right_to_left()
        head = book.add_format({"bold": True, "bottom": 1})
        code, day = (
            book.add_format({"num_format": "@"}),
            book.add_format({"num_format": "yyyy-mm-dd"}),
        )
        formats = [_format(book, units.get(header)) for header in made.headers]
        for column, header in enumerate(made.headers):
            data.write_string(0, column, safe(header), head)
        for r, row in enumerate(made.rows, start=1):
            for column, value in enumerate(row):
                if value is None:
                    continue
                if isinstance(value, date):
                    data.write_datetime(r, column, value, day)
                elif isinstance(value, str):
                    data.write_string(r, column, safe(value), code)
                else:
                    data.write_number(r, column, value, formats[column])
        data.freeze_panes(1, 0)
        data.set_column(0, len(made.headers) - 1, 18)
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        about.set_column(0, 0, 24)
        about.set_column(1, 1, 90)
        for r, (name, value) in enumerate(cover(answer, look, scope, circulation)):
            about.write_string(r, 0, safe(name), head)
            about.write_string(r, 1, safe(value), wrapped)
    return out.getvalue()


def _format(book: Any, unit: str | None) -> Any:
    return book.add_format({"num_format": "0.0%"}) if unit == "share" else None


def cover(answer: Answer, look: Look, scope: str, circulation: bool) -> Iterable[tuple[str, str]]:
    """What a file is: scope, days, load, whether it is rounded, and the definition of each measure."""
    published = answer.publication
    yield look.word("file.scope"), scope
    if answer.on:
        yield (
            look.word("file.on"),
            f"{answer.on.isoformat()} · {text.day_in_both(answer.on, look.lang)}",
        )
    if answer.over:
        yield look.word("file.over"), " – ".join(d.isoformat() for d in answer.over)
    yield look.word("file.load"), str(published.id)
    yield look.word("file.circulation" if circulation else "file.exact"), ""
    if published.is_sample:
        yield look.word("file.made_up"), ""
    for metric in answer.metrics:
        yield metric.name, f"{metric.label[look.lang]} ({text.unit_word(metric.unit, look.lang)})"
        yield "", metric.description[look.lang]


def file_name(answer: Answer, look: Look, scope: str, ending: str) -> str:
    """Measure, scope and day, as the reader's language names them; days in ISO form, digits Latin."""
    measure = answer.metrics[0].label[look.lang]
    last = answer.on or (answer.over[1] if answer.over else answer.publication.as_of)
    by = [look.word(f"dimension.{axis}") for axis in answer.by]
    parts = [measure, *by, scope, last.isoformat()]
    name = "_".join(_NO_FILE_NAME.sub("-", part).strip("-") for part in parts if part)
    return f"{name[:120]}.{ending}"
