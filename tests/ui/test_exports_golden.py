"""Golden files: the exports of fixed questions over the hand-made register, so that a change of them shows in review.

`python -m tests.ui.test_exports_golden` writes them again.
"""

import difflib
import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path

import duckdb
import openpyxl
import pyarrow.parquet as pq
import pytest

from etl.analysis import detail
from etl.semantic import access, disclosure, exportable, rights
from etl.semantic.answers import ask
from tests.conftest import Sample
from tests.files import to_csv, to_parquet, to_xlsx
from ui.charts.elements import ChartContext
from ui.exports.file_content import Exportable

AGAIN = "If it should: python -m tests.ui.test_exports_golden, and review what git shows."
ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "exports"
BUILD_DAY, D = date(2024, 9, 25), date(2024, 9, 21)
# Which question, in which language, whether for circulation.
CASES = [
    ("compliance", "fa", False),
    ("compliance", "fa", True),
    ("compliance", "en", False),
    ("compliance", "en", True),
    ("licences", "fa", False),
    ("people", "en", False),
]


@contextmanager
def register() -> Iterator[duckdb.DuckDBPyConnection]:
    """The hand-made register, published."""
    with tempfile.TemporaryDirectory() as folder:
        pointer = Path(folder) / "warehouse.duckdb"
        words = ["build", str(ROOT / "tests" / "sample"), "--to", str(pointer), "--day", BUILD_DAY.isoformat()]
        environment = {**os.environ, "PYTHONUTF8": "1"}
        subprocess.run(
            [sys.executable, "-m", "etl", *words], cwd=ROOT, check=True, capture_output=True, env=environment
        )
        with access.connect(pointer, rights.ADMINISTRATOR) as con:
            yield con


@pytest.fixture(scope="module")
def con(publish_sample: Callable[..., Sample]) -> Iterator[duckdb.DuckDBPyConnection]:
    with access.connect(publish_sample(day=BUILD_DAY).pointer, rights.ADMINISTRATOR) as connection:
        yield connection


def answer_to(con: duckdb.DuckDBPyConnection, question: str) -> Exportable:
    """Shares, counts, negative numbers and codes with zeros before them; days; rows read from a query."""
    if question == "licences":
        return detail.licences(con, "004")
    if question == "people":
        return detail.people(con, D, {"province": ["IR-23"]})
    names = ("training_compliance", "coverage_gap", "licensed_institutes")
    return ask(con, *names, by=("province",), on=D, where={"province": ["IR-10", "IR-23", "IR-30", "IR-00"]})


def files(con: duckdb.DuckDBPyConnection, question: str, lang: str, circulation: bool) -> dict[str, bytes]:
    """The three files of a case by their names in `golden`: CSV unchanged, the other two as text."""
    context = ChartContext(
        lang, names={"institute": dict(con.execute("select institute_code, name from institutes").fetchall())}
    )
    exact = answer_to(con, question)
    source = disclosure.for_circulation(exact, partial(ask, con)) if circulation else exact
    contents = (
        to_csv(source, context, circulation),
        xlsx_in_words(to_xlsx(source, context, circulation, scope="…")).encode(),
        parquet_in_words(to_parquet(source, context, circulation, "…")).encode(),
    )
    return dict(zip(names_of(question, lang, circulation), contents, strict=True))


def names_of(question: str, lang: str, circulation: bool) -> list[str]:
    name = "-".join([question, lang, *(["circulation"] if circulation else [])])
    return [f"{name}.{form}" for form in ("csv", "xlsx.txt", "parquet.txt")]


def xlsx_in_words(content: bytes) -> str:
    """Sheets with their direction, and each cell's place, type, format and value."""
    lines = []
    for sheet in openpyxl.load_workbook(io.BytesIO(content)).worksheets:
        direction = "right to left" if sheet.sheet_view.rightToLeft else "left to right"
        lines.append(f"# {sheet.title}: {direction}, frozen at {sheet.freeze_panes}")
        for row in sheet.iter_rows():
            lines += [
                f"{cell.coordinate}\t{cell.data_type}\t{cell.number_format}\t{cell.value}"
                for cell in row
                if cell.value is not None
            ]
    return "\n".join(lines) + "\n"


def parquet_in_words(content: bytes) -> str:
    """The schema with the metadata, and the rows."""
    table = pq.read_table(io.BytesIO(content))
    lines = [f"{field.name}\t{field.type}" for field in table.schema]
    lines += ["", (table.schema.metadata or {}).get(b"about", b"").decode(), ""]
    lines += ["\t".join(str(value) for value in row.values()) for row in table.to_pylist()]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(("question", "lang", "circulation"), CASES)
def test_files_are_the_ones_that_were_reviewed(
    con: duckdb.DuckDBPyConnection, question: str, lang: str, circulation: bool
) -> None:
    for name, data in files(con, question, lang, circulation).items():
        reviewed = (GOLDEN / name).read_bytes()
        if data != reviewed:
            before, after = (content.decode("utf-8", "backslashreplace").splitlines() for content in (reviewed, data))
            changes = "\n".join(difflib.unified_diff(before, after, "reviewed", "written now", lineterm=""))
            pytest.fail(f"{name} differs{':' if changes else ' in its line ends'}\n{changes}\n{AGAIN}")


@pytest.mark.slow
@pytest.mark.parametrize("most", [1, 3, 1000])
def test_rows_of_a_query_make_the_files_of_the_answer_that_holds_them(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    context = ChartContext("fa")
    streamed = detail.people(con, D)
    in_memory = streamed.first(1000)
    assert len(in_memory.rows) == streamed.count() == 10, "nine are active, one of them in two provinces"
    assert streamed.first(2).rows == in_memory.rows[:2]
    expected = [to_csv(in_memory, context), xlsx_in_words(to_xlsx(in_memory, context))]
    parquet = parquet_in_words(to_parquet(in_memory, context))
    monkeypatch.setattr(exportable, "BATCH", most)
    for source in (streamed, in_memory):
        assert [
            to_csv(source, context),
            xlsx_in_words(to_xlsx(source, context)),
        ] == expected
        assert parquet_in_words(to_parquet(source, context)) == parquet


def test_every_reviewed_file_belongs_to_a_case() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {name for case in CASES for name in names_of(*case)}


if __name__ == "__main__":
    GOLDEN.mkdir(parents=True, exist_ok=True)
    with register() as published:
        for case in CASES:
            for file, content in files(published, *case).items():
                (GOLDEN / file).write_bytes(content)
