"""Workbooks to fill in, one for each table of the contract: Persian headers, lists to choose from, text where zeros count.

The first sheet has a line that says which columns are required, the headers, and an example line that the load counts and
does not load; the others list the institutes of the publication, and the members of lists.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from etl.core.errors import QuestionError
from etl.core.files import replacing
from etl.core.paths import REFERENCE
from etl.core.places import place_names, places, reference_rows
from etl.core.spreadsheet import safe
from etl.core.text_folding import display_name, fold
from etl.extract import expected
from etl.extract.causes import because
from etl.extract.contract import EXAMPLE, TABLES, Column, Contract, contract
from etl.extract.source_folder import PERSIAN_NAMES
from etl.semantic.access import ScopedCursor

_YES_NO = ("بلی", "خیر")
_HEADER_ROW, _LAST_ROW = 1, 1_048_575
_WIDTH, _NAME_WIDTH = 18, 40
# The bounds of Excel for the message beside a cell.
_LONGEST_MESSAGE = 255
_FONT = "Tahoma"


@dataclass(frozen=True)
class Lists:
    """What the cells of a template are chosen from: institutes (code, name, county), and courses (code, title)."""

    province: str | None = None
    institutes: Sequence[tuple[str, str, str]] = ()
    courses: Sequence[tuple[str, str]] = ()
    counties: Sequence[str] = field(default_factory=tuple)


def write(folder: Path, province: str | None = None, con: ScopedCursor | None = None) -> list[Path]:
    """Write the template of each table and return their paths; `con` reads the publication, if there is one.

    Raises QuestionError for an unknown province, and Refused for a folder that cannot be written or has such a file.
    """
    lists = lists_of(province, con)
    ending = f"_{lists.province}" if lists.province else ""
    paths = {table: folder / f"{table}{ending}.xlsx" for table in TABLES}
    contents = {path: workbook(table, lists) for table, path in paths.items()}
    # A file of this name may be one that is filled in.
    if taken := next((path for path in contents if path.exists()), None):
        raise because("exists", path=taken)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, content in contents.items():
            with replacing(path) as waiting:
                waiting.write_bytes(content)
    except OSError as error:
        raise because("not_written", path=folder, error=error.strerror) from None
    return list(paths.values())


def lists_of(province: str | None, con: ScopedCursor | None) -> Lists:
    """The lists of a province, or of the nation. Raises QuestionError for an unknown province."""
    code = places().provinces.get(fold(province)) if province else None
    if province and not code:
        raise QuestionError(f"--province {province}: no such province; write its name or ISO code, such as IR-07")
    institutes: Sequence[tuple[str, str, str]] = ()
    courses: Sequence[tuple[str, str]] = [
        (row["course_code"], row["title_fa"]) for row in reference_rows(REFERENCE / "courses.csv")
    ]
    if con:
        institutes = con.execute(
            "select cast(institute_code as varchar), name, coalesce(county_written, county_fa, '') from institutes "
            "left join counties on counties.sci_code = cast(institutes.county as varchar) "
            "where $province is null or cast(province as varchar) = $province order by 1",
            {"province": code},
        ).fetchall()
        courses = con.execute("select course_code, title_fa from courses order by 1").fetchall()
    counties = [
        row["name"] for row in reference_rows(REFERENCE / "counties_1404.csv") if code in (None, row["province"])
    ]
    return Lists(code, institutes, courses, sorted(counties))


def workbook(table: str, lists: Lists) -> bytes:
    """The template of a table, as the content of an XLSX file."""
    import xlsxwriter

    out, words, of = io.BytesIO(), expected.template(), contract(table)
    members = {column.name: _members(column, of, lists) for column in of.columns}
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        for name in (PERSIAN_NAMES[table], words["institutes"], words["lists"]):
            book.add_worksheet(name).right_to_left()
        sheet, institutes, listed = book.worksheets()
        _write_institutes(book, institutes, lists, words)
        ranges = _write_lists(book, listed, of, members, lists)
        _write_table(book, sheet, of, members, ranges)
        sheet.activate()
    return out.getvalue()


def _members(column: Column, of: Contract, lists: Lists) -> list[str]:
    """The values that a column is chosen from; none if it is written freely."""
    if column.type == "province":
        names = place_names("province", "fa")
        own = [names[lists.province]] if lists.province else []
        # People of the province's institutes may serve elsewhere.
        return (
            own if own and of.table == "institutes" else [*own, *(name for name in names.values() if name not in own)]
        )
    if column.references == "institutes":
        return [code for code, *_ in lists.institutes if safe(code) == code]
    return {
        "choice": list(column.values.values()),
        "yes_no": list(_YES_NO),
        "county": list(lists.counties),
        "course": [code for code, _ in lists.courses if safe(code) == code],
    }.get(column.type, [])


def _write_table(
    book: Any, sheet: Any, of: Contract, members: Mapping[str, Sequence[str]], ranges: Mapping[str, str]
) -> None:
    words = expected.template()
    text = book.add_format({"font_name": _FONT, "num_format": "@"})
    number = book.add_format({"font_name": _FONT})
    example = book.add_format({"font_name": _FONT, "num_format": "@", "italic": True})
    formats = {
        is_required: (
            book.add_format({"font_name": _FONT, "align": "center", "bold": is_required}),
            book.add_format(
                {
                    "font_name": _FONT,
                    "align": "center",
                    "bold": True,
                    "bottom": 2 if is_required else 1,
                    "text_wrap": True,
                }
            ),
        )
        for is_required in (True, False)
    }
    for at, column in enumerate(of.columns):
        label, head = formats[column.required]
        sheet.set_column(at, at, _WIDTH, number if column.type == "number" else text)
        sheet.write_string(0, at, words["required" if column.required else "optional"], label)
        sheet.write_string(_HEADER_ROW, at, column.headers[0], head)
        if shown := _example(column, of, members[column.name]):
            sheet.write_string(_HEADER_ROW + 1, at, shown, example)
        rule = _rule(column, ranges.get(column.name, ""))
        sheet.data_validation(_HEADER_ROW + 2, at, _LAST_ROW, at, rule)
    sheet.freeze_panes(_HEADER_ROW + 1, 0)
    sheet.print_area(0, 0, _HEADER_ROW + 1, len(of.columns) - 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _example(column: Column, of: Contract, members: Sequence[str]) -> str:
    """The cell of the example line: the first cell of the key marks it."""
    if column.name == of.key[0]:
        return EXAMPLE
    chosen = members[0] if members and column.required else ""
    return chosen or expected.example(column.name)


def _rule(column: Column, source: str) -> dict[str, Any]:
    """What Excel accepts in a column, and what it says of it."""
    words = expected.template()
    rule: dict[str, Any] = {"validate": "any"}
    if source:
        # A member that is right may be newer than the list.
        is_open = column.type == "county" or bool(column.references)
        rule = {"validate": "list", "source": source, "error_type": "warning" if is_open else "stop"}
        rule["error_message"] = words["check" if is_open else "not_in_list"]
    elif column.type == "number":
        rule = {"validate": "decimal", "criteria": "between", "minimum": column.least, "maximum": column.most}
        rule["error_message"] = words["number"]
    if column.type != "choice" and column.type != "never_read":
        rule["input_message"] = expected.form(column)[:_LONGEST_MESSAGE]
    return rule


def _write_institutes(book: Any, sheet: Any, lists: Lists, words: Mapping[str, Any]) -> None:
    head = book.add_format({"font_name": _FONT, "bold": True, "bottom": 1})
    text = book.add_format({"font_name": _FONT, "num_format": "@"})
    columns = contract("institutes").by_name
    sheet.set_column(0, 2, _NAME_WIDTH, text)
    sheet.write_row(0, 0, [columns[name].headers[0] for name in ("institute_code", "name", "county")], head)
    sheet.freeze_panes(1, 0)
    for number, (code, name, county) in enumerate(lists.institutes, 1):
        for at, cell in enumerate((code, display_name(name), county)):
            sheet.write_string(number, at, safe(cell), text)
    if not lists.institutes:
        sheet.write_string(1, 0, words["no_institutes"], text)


def _write_lists(
    book: Any, sheet: Any, of: Contract, members: Mapping[str, Sequence[str]], lists: Lists
) -> dict[str, str]:
    """Write the members of each list below the header of its column; returns where they are, by column."""
    from xlsxwriter.utility import xl_range_abs

    head = book.add_format({"font_name": _FONT, "bold": True, "bottom": 1})
    text = book.add_format({"font_name": _FONT, "num_format": "@"})
    ranges: dict[str, str] = {}
    at = 0
    for name, values in members.items():
        if not values:
            continue
        titles = dict(lists.courses) if of.by_name[name].type == "course" else {}
        # The load takes a sheet with the headers of a table for one.
        sheet.write_string(0, at, f"{expected.template()['list']} {of.by_name[name].headers[0]}", head)
        _write_column(sheet, at, values, text)
        ranges[name] = f"='{sheet.name}'!{xl_range_abs(1, at, len(values), at)}"
        if titles:
            at += 1
            _write_column(sheet, at, [titles[code] for code in values], text)
        at += 1
    sheet.freeze_panes(1, 0)
    return ranges


def _write_column(sheet: Any, at: int, values: Iterable[str], text: Any) -> None:
    sheet.set_column(at, at, _WIDTH, text)
    for number, value in enumerate(values, 1):
        sheet.write_string(number, at, safe(value), text)
