"""Sheets of text, of which a spreadsheet runs nothing as a formula."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xlsxwriter import Workbook

# Characters that start a formula, including their full-width forms, which some programs normalise.
_FORMULA = tuple("=+@\t\r＝＋－＠-")
# Where another program, or another setting of this one, begins a cell.
_SEPARATOR = "[;؛|\t][ \t]*"
_UNWRITABLE = "[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]"
# What `safe` changes, as a pattern of RE2.
SUSPECT = f"^[{''.join(_FORMULA)}]|{_SEPARATOR}[{''.join(_FORMULA)}]|{_UNWRITABLE}"
_INSIDE = re.compile(f"({_SEPARATOR})(?=[{''.join(_FORMULA)}])")


def safe(value: Any) -> Any:
    """A string that no spreadsheet reads as a formula; other values unchanged."""
    if not isinstance(value, str):
        return value
    # Remove unwritable characters first: a formula may follow them.
    writable = _INSIDE.sub(r"\1'", re.sub(_UNWRITABLE, "", value))
    guarded = value.startswith((*_FORMULA, "\x00")) or writable.startswith(_FORMULA)
    return "'" + writable if guarded else writable


def text_sheet(
    book: "Workbook", name: str, titles: Sequence[str], widths: Sequence[float], lang: str = "fa"
) -> Callable[[int, Iterable[str]], None]:
    """A new sheet in the direction of a language, with bold titles that stay.

    Returns what writes the cells of a row, by its number.
    """
    direction = {"reading_order": 2 if lang == "fa" else 1}
    text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top", **direction})
    head = book.add_format({"bold": True, "bottom": 1, **direction})
    sheet = book.add_worksheet(name)
    if lang == "fa":
        sheet.right_to_left()
    sheet.freeze_panes(1, 0)
    for at, width in enumerate(widths):
        sheet.set_column(at, at, width)
    sheet.write_row(0, 0, titles, head)

    def write(number: int, cells: Iterable[str]) -> None:
        for at, cell in enumerate(cells):
            sheet.write_string(number, at, safe(cell), text)

    return write
