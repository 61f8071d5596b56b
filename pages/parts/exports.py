"""Answer in, bytes out: CSV and XLSX that a machine reads and a spreadsheet cannot be tricked by.

Files keep codes, Latin digits, ISO days and a decimal point in both languages; names stand beside codes. One made for
circulation rounds counts of people and hides small percentages, and says so.
"""

import csv
import io
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import IO, Any

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
# What a sheet of XLSX holds below its header.
SHEET_ROWS = 1_048_575
_TOLD_EVERY = 5000

Tell = Callable[[float], None]


@dataclass(frozen=True)
class Sheet:
    """A table ready to be written: headers, rows, and which columns are codes."""

    headers: tuple[str, ...]
    rows: list[tuple]


def safe(value: Any) -> Any:
    """A string no spreadsheet takes for a formula; anything else as it is."""
    if not isinstance(value, str):
        return value
    # What cannot be written falls first: a formula may stand behind it.
    written = _UNWRITABLE.sub("", value)
    return "'" + written if value.startswith((*_FORMULA, "\x00")) or written.startswith(_FORMULA) else written


def for_circulation(answer: Answer, units: Mapping[str, str]) -> list[tuple]:
    """The answer's rows with counts of people rounded to 5 and percentages of fewer than 23 people taken out.

    `units` are the units of every column by name. Institutes and whatever is not a count of people stay as they are.
    """
    return list(_rounded(answer, units))


def _rounded(answer: Answer, units: Mapping[str, str]) -> Iterator[tuple]:
    metrics = {metric.name: metric for metric in answer.metrics}
    place = {name: i for i, name in enumerate(answer.columns)}
    counts = [units.get(name) == "persons" and name not in answer.by for name in answer.columns]
    wholes: list[int | None] = []
    for name in answer.columns:
        whole = metrics[name].denominator if name in metrics else None
        hides = units.get(name) == "share" and whole in place and units.get(whole) == "persons"
        wholes.append(place[whole] if hides and whole else None)

    def cell(row: tuple, i: int) -> Any:
        value, whole = row[i], wholes[i]
        if value is None:
            return value
        if counts[i]:
            return math.floor(abs(value) / _ROUNDED_TO + 0.5) * _ROUNDED_TO * (-1 if value < 0 else 1)
        if whole is not None:
            people = row[whole]
            return None if people is None or people < _FEWEST else value
        return value

    for row in answer.rows:
        yield tuple(cell(row, i) for i in range(len(row)))


def headers(answer: Answer) -> tuple[str, ...]:
    """Codes with names beside them, then the numbers; a day has its Jalali form beside it."""
    found: list[str] = []
    for i, name in enumerate(answer.columns):
        found.append(name)
        if i < len(answer.by):
            found.append(f"{name}_name")
        elif _holds_days(answer, i):
            found.append(f"{name}_jalali")
    return tuple(found)


def _holds_days(answer: Answer, column: int) -> bool:
    first = next((row[column] for row in answer.rows if row[column] is not None), None)
    return isinstance(first, date)


def rows_of(answer: Answer, look: Look, units: Mapping[str, str], circulation: bool = False) -> Iterator[tuple]:
    """The rows of a file, one by one, under `headers`: always all of them."""
    axes = len(answer.by)
    days = [i >= axes and _holds_days(answer, i) for i in range(len(answer.columns))]
    # a member is looked up once, not at each of its rows
    names: list[dict[Any, str]] = [{} for _ in range(axes)]
    for row in _rounded(answer, units) if circulation else answer.rows:
        cells: list[Any] = []
        for i, value in enumerate(row):
            cells.append(value)
            if i < axes:
                known = names[i]
                if value not in known:
                    known[value] = look.member(answer.by[i], value)
                cells.append(known[value])
            elif days[i]:
                cells.append(_jalali(value))
        yield tuple(cells)


def sheet(answer: Answer, look: Look, units: Mapping[str, str], circulation: bool = False) -> Sheet:
    """Headers and rows of a file."""
    return Sheet(headers(answer), list(rows_of(answer, look, units, circulation)))


def _jalali(value: Any) -> str:
    return text.iso_jalali(value) if isinstance(value, date) else ""


def _told(rows: Iterable[tuple], count: int, tell: Tell | None) -> Iterator[tuple]:
    """The same rows; `tell` hears the share that went by."""
    for done, row in enumerate(rows):
        if tell and done % _TOLD_EVERY == 0:
            tell(done / max(count, 1))
        yield row


def write_csv(
    out: IO[bytes],
    answer: Answer,
    look: Look,
    units: Mapping[str, str],
    circulation: bool = False,
    tell: Tell | None = None,
) -> None:
    """UTF-8 with a byte order mark, for Excel; an unknown value is an empty cell."""
    out.write(b"\xef\xbb\xbf")
    lines = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=False)
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow([safe(header) for header in headers(answer)])
    rows = _told(rows_of(answer, look, units, circulation), len(answer.rows), tell)
    writer.writerows([safe(_written(value)) for value in row] for row in rows)
    lines.flush()
    lines.detach()


def to_csv(answer: Answer, look: Look, units: Mapping[str, str], circulation: bool = False) -> bytes:
    """What `write_csv` writes."""
    out = io.BytesIO()
    write_csv(out, answer, look, units, circulation)
    return out.getvalue()


def _written(value: Any) -> Any:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else value


def write_xlsx(
    out: IO[bytes],
    answer: Answer,
    look: Look,
    units: Mapping[str, str],
    circulation: bool = False,
    scope: str = "",
    tell: Tell | None = None,
) -> None:
    """Sheets of data and a sheet that says what they are; right to left in Persian.

    Rows are written through to disk, so that memory does not grow with them; what a sheet cannot hold goes on in the
    next.
    """
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": False,
    }
    with xlsxwriter.Workbook(out, options) as book:
        head = book.add_format({"bold": True, "bottom": 1})
        titles = headers(answer)
        code, day = book.add_format({"num_format": "@"}), book.add_format({"num_format": "yyyy-mm-dd"})
        formats = [_format(book, units.get(title)) for title in titles]
        rows = _told(rows_of(answer, look, units, circulation), len(answer.rows), tell)
        for number in range(max(1, math.ceil(len(answer.rows) / SHEET_ROWS))):
            name = look.word("file.data")
            data = book.add_worksheet(name if number == 0 else f"{name} {number + 1}")
            if look.rtl:
                data.right_to_left()
            data.freeze_panes(1, 0)
            data.set_column(0, len(titles) - 1, 18)
            for column, title in enumerate(titles):
                data.write_string(0, column, safe(title), head)
            for r, row in enumerate(islice(rows, SHEET_ROWS), start=1):
                for column, value in enumerate(row):
                    if value is None:
                        continue
                    if isinstance(value, str):
                        data.write_string(r, column, safe(value), code)
                    elif isinstance(value, date):
                        data.write_datetime(r, column, value, day)
                    else:
                        data.write_number(r, column, value, formats[column])
        about = book.add_worksheet(look.word("file.cover"))
        if look.rtl:
            about.right_to_left()
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        about.set_column(0, 0, 24)
        about.set_column(1, 1, 90)
        for r, (name, value) in enumerate(cover(answer, look, scope, circulation)):
            about.write_string(r, 0, safe(name), head)
            about.write_string(r, 1, safe(value), wrapped)


def to_xlsx(
    answer: Answer,
    look: Look,
    units: Mapping[str, str],
    circulation: bool = False,
    scope: str = "",
) -> bytes:
    """What `write_xlsx` writes."""
    out = io.BytesIO()
    write_xlsx(out, answer, look, units, circulation, scope)
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


def file_name(answer: Answer, look: Look, scope: str, ending: str, circulation: bool = False) -> str:
    """Measure, scope, day and whether it is rounded, in the reader's language; days in ISO form, digits Latin."""
    measure = answer.metrics[0].label[look.lang]
    last = answer.on or (answer.over[1] if answer.over else answer.publication.as_of)
    by = [look.word(f"dimension.{axis}") for axis in answer.by]
    rounded = look.word("file.rounded") if circulation else ""
    parts = [measure, *by, scope[:80], last.isoformat(), rounded]
    name = "_".join(_NO_FILE_NAME.sub("-", part).strip("-") for part in parts if part)
    return f"{name}.{ending}"
