"""The rows to correct of a submission as a workbook: where each is, what to do, its column and what was expected."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from etl.core.spreadsheet import safe
from etl.extract import expected
from etl.extract.causes import in_language
from etl.extract.contract import contract
from etl.submissions import originals
from etl.submissions.records import Submission

_TITLES = ("فایل", "محل", "چه باید کرد", "ستون", "آنچه باید باشد", "نتیجه")
_WIDTHS = (30, 24, 72, 24, 56, 30)


def workbook(root: Path, submission: Submission) -> bytes:
    """The workbook. Raises OSError where the submission was not checked."""
    import xlsxwriter

    words = expected.returned()
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top", "reading_order": 2})
        head = book.add_format({"bold": True, "bottom": 1, "reading_order": 2})
        sheet = book.add_worksheet(words["sheet"])
        sheet.right_to_left()
        sheet.freeze_panes(1, 0)
        for at, width in enumerate(_WIDTHS):
            sheet.set_column(at, at, width)
        sheet.write_row(0, 0, _TITLES, head)
        for number, row in enumerate(_rows(root, submission), 1):
            column = contract(row["table"]).by_name.get(row["column"])
            cells = (
                row["file"],
                row["place"],
                expected.remedy(row["column"], row["reason"]),
                column.headers[0] if column else "",
                in_language(row["expected"], "fa"),
                words["warned" if row["warned"] else "rejected"],
            )
            for at, cell in enumerate(cells):
                sheet.write_string(number, at, safe(cell), text)
    return out.getvalue()


def _rows(root: Path, submission: Submission) -> Sequence[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(
        (originals.folder_of(root, submission) / "rows.json").read_text(encoding="utf-8")
    )
    return rows
