"""A template is read back by the load: nothing of a filled one is lost, its example line is counted, an empty one has no rows."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import openpyxl
import pytest

from etl.build import template
from etl.cli.commands import main
from etl.core.errors import QuestionError
from etl.core.places import places
from etl.core.text_folding import fold
from etl.extract.contract import EXAMPLE, TABLES, contract
from etl.extract.parse_values import Setting, parser
from etl.extract.source_folder import PERSIAN_NAMES
from tests.loading import (
    DAY,
    ROOT,
    WITHOUT_MIGHT,
    Built,
    build_tables,
    called,
    load,
    national_id,
    put,
    put_good,
    row,
    run,
)
from tests.oracle.read import decode

SAMPLE = ROOT / "tests" / "sample"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = put_good(tmp_path_factory.mktemp("published") / "incoming")
    names = {"a1": "IR-07", "007": "فارس", "=x": "IR-07"}
    put(
        folder,
        "institutes_2.csv",
        [
            row("institutes", institute_code=code, province=place, name=f"=نگهبان {code}")
            for code, place in names.items()
        ],
    )
    return build_tables(folder)


def made(to: Path, *options: str) -> dict[str, Path]:
    assert main(["template", "--to", str(to), *options]) == 0
    return {table: next(to.glob(f"{table}*.xlsx")) for table in TABLES}


def fill(path: Path, table: str, rows: list[dict[str, str]]) -> None:
    """Write rows, by the names of columns, below the example line."""
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    heads = {contract(table).match([cell.value for cell in sheet[2]]).titles[at]: at for at in range(sheet.max_column)}
    for number, cells in enumerate(rows, 4):
        for column in contract(table).columns:
            if text := cells.get(column.name):
                sheet.cell(number, heads[column.headers[0]] + 1, text)
    book.save(path)


def sample_rows(table: str) -> list[dict[str, str]]:
    """The rows of a sample file by the names of columns; ragged ones cannot be written into a sheet."""
    text = decode(table, (SAMPLE / f"{table}.csv").read_bytes())
    head, *rows = csv.reader(text.splitlines(), delimiter=";" if ";" in text.splitlines()[0] else ",")
    positions = contract(table).match(head).positions
    return [{name: cells[at] for name, at in positions.items()} for cells in rows if len(cells) == len(head)]


# ------------------------------------------------------------------ what it holds


def test_a_template_has_persian_headers_and_marks_what_is_required(tmp_path, published):
    for table, path in made(tmp_path, "--from", str(published.to)).items():
        sheet = openpyxl.load_workbook(path).worksheets[0]
        assert (sheet.title, sheet.sheet_view.rightToLeft) == (PERSIAN_NAMES[table], True)
        labels, head, example = ([cell.value for cell in sheet[number]] for number in (1, 2, 3))
        columns = contract(table).columns
        assert head == [column.headers[0] for column in columns]
        assert labels == ["لازم" if column.required else "اختیاری" for column in columns]
        assert example[0] == EXAMPLE
        for at, column in enumerate(columns, 1):
            (width,) = (one for one in sheet.column_dimensions.values() if one.min <= at <= one.max)
            assert (width.number_format == "@") == (column.type != "number")


def test_what_the_lists_offer_and_the_example_shows_is_what_the_load_takes(tmp_path, published):
    courses = {fold(code): code for code in ("PY-101", "PY-102")}
    for table, path in made(tmp_path, "--province", "فارس", "--from", str(published.to)).items():
        book = openpyxl.load_workbook(path)
        sheet, _, lists = book.worksheets
        offered = {
            head.value.removeprefix("فهرست: "): [cell.value for cell in column if cell.value is not None]
            for head, *column in lists.iter_cols()
            if head.value
        }
        for at, column in enumerate(contract(table).columns):
            parse = parser(column, Setting(DAY, courses, b"key"))
            words = [*offered.get(column.headers[0], ()), *filter(None, [sheet.cell(3, at + 1).value])]
            if column.name == contract(table).key[0] or column.type in ("never_read", "course"):
                continue
            if column.type in ("choice", "yes_no", "province", "county"):
                assert words, column.name
            for word in words:
                assert parse(str(word))[1:] == (None, ()), (column.name, word)
                if column.type == "county":
                    assert places().county("IR-07", fold(word)), word
        rules = {str(rule.sqref).partition("4:")[0]: rule for rule in sheet.data_validations.dataValidation}
        assert {letter for letter, rule in rules.items() if rule.type == "list"} == {
            openpyxl.utils.get_column_letter(at)
            for at, column in enumerate(contract(table).columns, 1)
            if column.headers[0] in offered
        }


def test_own_institutes_of_the_publication_stand_on_the_second_sheet(tmp_path, published):
    files = made(tmp_path, "--province", "IR-07", "--from", str(published.to))
    assert {path.name for path in files.values()} == {f"{table}_IR-07.xlsx" for table in TABLES}
    book = openpyxl.load_workbook(files["personnel"])
    rows = list(book.worksheets[1].iter_rows(values_only=True))
    assert [cells[:2] for cells in rows] == [
        ("کد موسسه", "نام موسسه"),
        ("007", "'=نگهبان 007"),
        ("'=x", "'=نگهبان =x"),
        ("a1", "'=نگهبان a1"),
    ]
    # A formula is no code to choose.
    heads = {
        column[0].value: [cell.value for cell in column[1:] if cell.value] for column in book.worksheets[2].columns
    }
    assert heads["فهرست: کد موسسه"] == ["007", "a1"]
    whole = made(tmp_path / "all", "--from", str(published.to))
    assert len(list(openpyxl.load_workbook(whole["personnel"]).worksheets[1].rows)) == 5


# ------------------------------------------------------------------ read back


@pytest.mark.slow
@pytest.mark.parametrize("province", ["", "IR-23"])
def test_a_filled_template_is_read_back_without_loss(tmp_path, province):
    """The same rows, loaded, rejected and doubled, as of CSV; the example line is none of them."""
    options = ("--province", province) if province else ()
    plain, filled = tmp_path / "plain" / "incoming", tmp_path / "filled" / "incoming"
    files = made(filled, *options, "--from", str(tmp_path / "nothing"))
    for table, path in files.items():
        rows = sample_rows(table)
        assert rows
        put(plain, f"{table}.csv", rows)
        fill(path, table, rows)
    for name in ("courses.csv", "targets.csv"):
        for folder in (plain, filled):
            shutil.copy(SAMPLE / name, folder / name)
    of_csv, of_template = load(plain), load(filled)
    assert of_template.code == 0, of_template.err
    for table, path in files.items():
        assert of_template.counts(path.name) == of_csv.counts(f"{table}.csv")
        entry = of_template.file(path.name)
        assert entry["example"] == 1
        assert entry["rows_read"] == entry["rows_loaded"] + entry["rows_quarantined"] + entry["exact_duplicates"]
        assert "example lines not loaded: 1" in entry["notes"]
        assert "example" not in of_csv.file(f"{table}.csv")
    assert of_template.report["reasons"] == of_csv.report["reasons"]
    content = "select column_name, reason, count(*) from quarantine group by all order by all"
    assert of_template.sql(content) == of_csv.sql(content)
    assert of_template.sql("select source_table, province, rows from load_rows order by all") == of_csv.sql(
        "select source_table, province, rows from load_rows order by all"
    )


@pytest.mark.slow
def test_an_empty_template_loads_no_row_and_a_table_without_rows_is_refused(tmp_path):
    folder = put_good(tmp_path / "incoming")
    files = made(folder / "new", "--from", str(tmp_path / "nothing"))
    for table, path in files.items():
        path.rename(folder / f"{table}_new.xlsx")
    built = load(folder, accept_loss=False)
    assert built.code == 0
    for table in TABLES:
        assert built.counts(f"{table}_new.xlsx") == (0, 0, 0, 0)
        assert built.file(f"{table}_new.xlsx")["example"] == 1
    (folder / "training.csv").unlink()
    refused = load(folder, accept_loss=False)
    assert refused.refusals == ["training: no rows loaded where the last publication has 1; submit its files"]


def test_an_example_line_is_ignored_in_every_way_of_splitting(tmp_path):
    folder = put_good(tmp_path / "incoming")
    lines = [
        row("training", national_id=EXAMPLE),
        row("training", course_code="PY-102"),
        row("training", national_id=f" {EXAMPLE} "),
    ]
    put(folder, "training_2.csv", lines)
    put(folder, "training_3.csv", [{**lines[0], "hours": 'a ""b"'}, row("training", completed_on="1402/05/05")])
    # A name is no example.
    put(folder, "institutes_2.csv", [row("institutes", institute_code="2", name=EXAMPLE)])
    built = load(folder)
    for name, read, example in (("training_2.csv", 2, 1), ("training_3.csv", 1, 1), ("institutes_2.csv", 1, 0)):
        assert built.counts(name)[0] == read
        assert built.file(name).get("example", 0) == example
    assert built.rejected_rows() == [("training_2.csv", 4, "national_id", "bad_national_id")]


def test_an_error_in_a_cell_of_the_example_line_is_no_rejected_row(tmp_path):
    import xlsxwriter

    folder = put_good(tmp_path / "incoming")
    head = [column.name for column in contract("personnel").columns]
    with xlsxwriter.Workbook(str(folder / "personnel_2.xlsx")) as book:
        sheet = book.add_worksheet()
        for at, cells in enumerate(
            (
                dict(zip(head, head, strict=True)),
                row("personnel", national_id=EXAMPLE),
                row("personnel", national_id=national_id(7)),
            )
        ):
            sheet.write_row(at, 0, [cells.get(name, "") for name in head])
        for name in ("left_on", "education"):
            sheet.write_formula(1, head.index(name), "=NA()", None, "#N/A")
    built = load(folder)
    assert built.counts("personnel_2.xlsx") == (1, 1, 0, 0)
    assert built.file("personnel_2.xlsx")["rows_warned"] == 0


# ------------------------------------------------------------------ bad input


def test_an_unknown_province_is_wrong_usage(tmp_path, capsys):
    with pytest.raises(QuestionError):
        template.write(tmp_path, "IR-99")
    assert main(["template", "--province", "IR-99", "--to", str(tmp_path), "--from", str(tmp_path / "nothing")]) == 2
    assert capsys.readouterr().err == (
        "template: --province IR-99: no such province; write its name or ISO code, such as IR-07\n"
    )
    assert not list(tmp_path.iterdir())


def test_without_a_publication_the_templates_say_so(tmp_path, capsys):
    files = made(tmp_path / "a", "--from", str(tmp_path / "nothing"))
    assert "nothing is published: the templates list no institutes" in capsys.readouterr().err
    assert openpyxl.load_workbook(files["personnel"]).worksheets[1]["A2"].value == "هنوز مؤسسه‌ای منتشر نشده است."


def test_a_file_that_may_be_filled_in_is_never_replaced(tmp_path, capsys):
    made(tmp_path, "--from", str(tmp_path / "nothing"))
    (tmp_path / "institutes.xlsx").unlink()
    before = (tmp_path / "licences.xlsx").read_bytes()
    capsys.readouterr()
    assert main(["template", "--to", str(tmp_path), "--from", str(tmp_path / "nothing")]) == 1
    assert capsys.readouterr().err.startswith(
        f"{tmp_path / 'licences.xlsx'}: there is a file of this name; move it away"
    )
    assert (tmp_path / "licences.xlsx").read_bytes() == before
    assert not (tmp_path / "institutes.xlsx").exists()


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    (tmp_path / "file").touch()
    for folder in (closed, closed / "new", tmp_path / "file"):
        words = ("template", "--to", str(folder), "--from", str(tmp_path / "nothing"))
        refused = called(*words) if folder.is_file() else run(*words, before=WITHOUT_MIGHT)
        assert refused.returncode == 1
        assert refused.stderr.count("\n") == 1
        assert refused.stderr.startswith(f"{folder}: cannot be written")
    assert not list(closed.iterdir())
