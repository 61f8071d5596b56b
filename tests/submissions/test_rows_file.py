"""The workbook of rows to correct says one thing in each language, and which rows were rejected."""

import io
import json
import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from etl.core import declarations
from etl.extract import expected
from etl.extract.contract import TABLES, contract
from etl.submissions import originals, rows_file
from etl.submissions.records import File, Submission

SUBMISSION = Submission("IR-07-1405-01-1", "IR-07", "1405-01", files=(File(1, "p.csv", "x", 1, 0.0, "personnel"),))
OTHER_LETTERS = {"fa": "[A-Za-z]", "en": "[\u0600-\u06ff]"}
REASONS = [*declarations.read(expected._FILE)["remedy"]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Of every table a rejected row and one that was loaded, with every reason there is."""
    folder = originals.folder_of(tmp_path, SUBMISSION)
    folder.mkdir(parents=True)
    rows = [
        {
            "file": "p.csv",
            "number": 1,
            "table": table,
            "at": [None, line],
            "column": contract(table).columns[-1].name,
            "reason": reason,
            "expected": expected.expected(table, contract(table).columns[-1].name, reason),
            "warned": is_warned,
        }
        for table in TABLES
        for line, (reason, is_warned) in enumerate([(one, warned) for one in REASONS for warned in (False, True)], 2)
    ]
    (folder / "rows.json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    return tmp_path


def sheets(root: Path, lang: str) -> dict[str, list[dict[str, Any]]]:
    book = openpyxl.load_workbook(io.BytesIO(rows_file.workbook(root, SUBMISSION, False, lang)))
    found = {}
    for sheet in book:
        head, *rows = sheet.iter_rows(values_only=True)
        found[sheet.title] = [dict(zip(map(str, head), row, strict=True)) for row in rows]
    return found


@pytest.mark.parametrize("lang", ["fa", "en"])
def test_every_word_is_of_the_language_that_was_asked(root: Path, lang: str) -> None:
    for name, rows in sheets(root, lang).items():
        assert len(rows) == 2 * len(REASONS)
        for row in rows:
            assert row.pop(expected.returned(lang)["file"]) == "p.csv"
            said = " ".join([name, *row, *(str(cell) for cell in row.values() if cell)])
            # A Latin word of a Persian sentence, as the ending of a file, is isolated.
            assert not re.search(OTHER_LETTERS[lang], re.sub("\u2068[^\u2069]*\u2069", "", said)), said


def test_both_languages_say_the_same_of_a_row(root: Path) -> None:
    persian, english = sheets(root, "fa"), sheets(root, "en")
    assert len(persian) == len(english) == len(TABLES)
    for rows, of in zip(persian.values(), english.values(), strict=True):
        for fa, en in zip(rows, of, strict=True):
            assert fa["نتیجه"].startswith("ردیف رد شد") == (en["Outcome"] == "the row was rejected")
            assert fa["نتیجه"].startswith("ردیف بارگذاری شد") == en["Outcome"].startswith("the row was loaded")
            assert bool(fa["چه باید کرد"]) == bool(en["What to do"])
    outcomes = [row["Outcome"] for row in next(iter(english.values()))]
    assert outcomes == ["the row was rejected", "the row was loaded, this value as unknown"] * len(REASONS)
