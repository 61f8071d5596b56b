"""Files become rows: the column of each header, the line of each row, and that no record is lost.

The records of a file are counted a second time by readers that share no code with the pipeline.
"""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import example, given, settings
from hypothesis import strategies as st

from etl.core.errors import Refused
from etl.extract import delimited
from etl.extract.causes import BETWEEN
from etl.extract.contract import contract
from etl.extract.read_file import open_source
from etl.extract.source_file import SHEET_BITS, SourceFile
from etl.extract.source_folder import table_of
from tests.effort import draws
from tests.loading import GOOD, HEADERS, csv_text, row
from tests.oracle.read import COLUMNS

HEADER = HEADERS["training"].split()
CELLS = list(GOOD["training"].values())


def rows_of(path: Path, table: str = "training") -> tuple[list[tuple[int, dict[str, str]]], SourceFile]:
    """Every row as (line, cells by column), and the source."""
    source = open_source(path, contract(table))
    rows = []
    for batch in source.batches:
        columns = {name: texts.to_pylist() for name, texts in batch.columns.items()}
        for at, line in enumerate(batch.lines.tolist()):
            rows.append((line, {name: texts[at] for name, texts in columns.items()}))
    assert source.rows_read == len(rows) + len(source.rejects)
    return rows, source


def read(
    tmp_path: Path, content: str | bytes, name: str = "training.csv"
) -> tuple[list[tuple[int, dict[str, str]]], SourceFile]:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return rows_of(path, table_of(name) or "")


def complaint(tmp_path: Path, content: str | bytes, name: str = "training.csv") -> str:
    with pytest.raises(Refused) as raised:
        read(tmp_path, content, name)
    return str(raised.value)


# ------------------------------------------------------------------ headers


@pytest.mark.parametrize("table", list(COLUMNS))
def test_every_header_of_the_contract_is_known_in_every_spelling(table):
    of = contract(table)
    assert {column.name: (column.name in of.key or column.required) for column in of.columns} == {
        name: required for name, (_, required, _) in COLUMNS[table].items()
    }
    for name, (_, _, persian) in COLUMNS[table].items():
        for title in (name, name.upper(), f" {name} ", *persian):
            spellings = [
                title,
                title.replace("ی", "ي").replace("ک", "ك"),
                title.replace(" ", "\u200c"),
                title.replace(" ", "  "),
            ]
            for spelling in (*spellings, f"\ufeff{title}", f"\u202b{title}\u202c", title.replace("ا", "ا\u064b")):
                assert of.match([spelling]).positions == {name: 0}, spelling


def test_columns_are_found_in_any_order_and_extra_ones_are_named(tmp_path):
    text = "نتيجه,نمره,توضیح,كد دوره,تاریخ گذراندن,,کدملی\nقبول,80,خوب,PY-101,1402/04/01,,0000000027\n"
    rows, source = read(tmp_path, text)
    assert rows == [
        (
            2,
            {
                "result": "قبول",
                "score": "80",
                "course_code": "PY-101",
                "completed_on": "1402/04/01",
                "national_id": "0000000027",
            },
        )
    ]
    assert source.match.extra == ["توضیح"]


def test_a_missing_column_a_repeated_one_and_no_header_are_distinguished(tmp_path):
    message = complaint(tmp_path, "national_id,course_code,completed_on,نتیجة\n1,2,3,4\n")
    english, persian = message.split(BETWEEN)
    assert english.startswith(
        "line 1: missing required column result; near: «نتیجة» ~ result (نتیجه); headers found: national_id,"
    )
    assert persian.startswith("سطر ۱: این ستون‌ها پیدا نشد: «نتیجه»؛ شاید منظور این باشد: «نتیجة» ~ «نتیجه»؛ ")
    assert len(message) < 400
    doubled = "national_id,کد ملی,course_code,completed_on,result\n1,1,2,3,4\n"
    assert complaint(tmp_path, doubled).startswith("line 1: column national_id appears twice")
    assert "missing required column national_id, course_code" in complaint(
        tmp_path, "0000000027,PY-101,1402/04/01,passed\n"
    )


def test_the_error_for_a_missing_header_contains_no_values(tmp_path):
    assert "0000000027" not in complaint(tmp_path, "0000000027,PY-101,1402/04/01,72,80,passed\n")


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("institutes.csv", "institutes"), ("Institutes_تهران.CSV", "institutes"), ("licences-1.tsv", "licences"),
        ("personnel2.XLSX", "personnel"), ("training.parquet", "training"), ("my_training.csv", None),
        ("training.csv.gz", "training"), ("training.xls", "training"), ("courses.csv", None), ("~$training.xlsx", None),
        ("مؤسسات تهران.xlsx", "institutes"), ("موسسات.ods", "institutes"), ("مجوزها-۱.csv", "licences"),
        ("كاركنان يزد.xlsb", "personnel"), ("آموزش.tsv", "training"), ("پرسنل تهران.csv", None), (".training.csv", None),
        ("مجوز\u200cها.pdf", "licences"),
    ],
)  # fmt: skip
def test_a_file_is_a_source_by_its_name(name, table):
    assert table_of(name) == table


# ------------------------------------------------------------------ encodings and separators


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1256"])
@pytest.mark.parametrize("persian", [True, False])
def test_the_encoding_and_the_separator_are_those_of_the_header(tmp_path, encoding, separator, persian):
    titles = (
        ["کد موسسه", "نام موسسه", "استان", "زمینه فعالیت", "وضعیت"]
        if persian
        else [*HEADERS["institutes"].split()[:3], "activity", "status"]
    )
    text = "\r\n".join(
        separator.join(cells)
        for cells in (titles, ["0۱1", "نگهبان شرق", "گیلان", "گشت", "فعال"], ["2", "ب", "یزد", "patrol", "active"])
    )
    if encoding == "cp1256":
        text = text.replace("ی", "ي").replace("۱", "1")
    rows, _ = read(tmp_path, text.encode(encoding), "institutes.csv")
    assert [line for line, _ in rows] == [2, 3]
    assert rows[0][1]["name"] == "نگهبان شرق"
    assert rows[0][1]["province"] == ("گيلان" if encoding == "cp1256" else "گیلان")


def test_a_header_that_is_known_better_in_one_encoding_is_read_in_it(tmp_path):
    titles = ["institute_code", "name", "province", "activity", "status", "تاریخ تاسیس".replace("ی", "ي")]
    text = ",".join(titles) + "\n1,نگهبان,IR-23,patrol,active,1402/01/01\n"
    rows, _ = read(tmp_path, text.encode("cp1256"), "institutes.csv")
    assert (rows[0][1]["name"], rows[0][1]["founded_on"]) == ("نگهبان", "1402/01/01")


def test_some_broken_bytes_in_persian_utf8_do_not_make_it_windows_1256(tmp_path):
    rows = [row("institutes", institute_code=str(number), name="نگهبان") for number in range(6)]
    content = csv_text("institutes", rows).encode().splitlines(keepends=True)
    content[3] = content[3].replace("نگهبان".encode(), b"\xe4\xd0")
    rows, _ = read(tmp_path, b"".join(content), "institutes.csv")
    assert [cells["name"] for _, cells in rows] == [*["نگهبان"] * 2, "\ufffd\ufffd", *["نگهبان"] * 3]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_lines_that_decide_on_the_encoding_end_as_in_any_system(tmp_path, end):
    rows = [row("institutes", institute_code=str(number), name="نگهبان") for number in range(6)]
    content = csv_text("institutes", rows).replace("\n", end).encode()
    rows, _ = read(tmp_path, content.replace("نگهبان".encode(), b"x\xffy", 1), "institutes.csv")
    assert [cells["name"] for _, cells in rows] == ["x\ufffdy", *["نگهبان"] * 5]


def test_a_nul_in_the_first_rows_leaves_windows_1256_what_it_is(tmp_path):
    rows = [row("institutes", institute_code=str(number), name="نگهبان") for number in range(4)]
    content = csv_text("institutes", rows).encode("cp1256", "replace").replace("نگهبان".encode("cp1256"), b"x\0y", 1)
    rows, _ = read(tmp_path, content, "institutes.csv")
    assert [cells["name"] for _, cells in rows] == ["x\0y", *["نگهبان"] * 3]


@pytest.mark.parametrize("text", ["x\ufffdy", '"x\ufffd\ny"'])
def test_a_byte_that_is_no_text_rejects_its_row_also_in_a_column_that_is_not_read(tmp_path, text):
    path = tmp_path / "training.csv"
    path.write_text("\n".join(map(",".join, [[*HEADER, "note"], [*CELLS, text]])), encoding="utf-8")
    source = open_source(path, contract("training"))
    assert [batch.lines.tolist() for batch in source.batches] == [[2]]
    assert (source.rows_read, source.rejects) == (1, [(2, "", "bad_encoding")])


def test_a_byte_order_mark_is_no_part_of_the_first_header(tmp_path):
    assert len(read(tmp_path, "\ufeff" + csv_text("training", [row("training")]))[0]) == 1
    quoted = ",".join(f'"{title}"' for title in HEADER)
    assert len(read(tmp_path, f"\ufeff{quoted}\n" + ",".join(CELLS))[0]) == 1
    assert len(read(tmp_path, f"{quoted}\n{','.join(CELLS)}".encode("utf-16"))[0]) == 1


# ------------------------------------------------------------------ lines


def test_a_row_stands_in_the_line_it_begins_in(tmp_path):
    text = (
        ",".join(HEADER) + "\n"
        '1,"a\nb\n\nc",2,3,4,5\n'  # line 2, four lines long
        "2,a,2,3,4,5\n"  # line 6
        "\n"
        "3,a,2,3,4\n"  # line 8: ragged
        '4,"a ""quoted"" word",2,3,4,5\r\n'  # line 9
        "\r\n"
        '"5","a,b","2",3,4,"5"\n'  # line 11
        "6,a,2,3,4,5,6\n"  # line 12: ragged
        '7,"a"b,2,3,4,5\n'  # line 13: text behind a closing quote
        "8,a\x00,2,3,4,5\n"  # line 14
        "9,a,2,3,4,5"  # line 15, without an end
    )
    rows, source = read(tmp_path, text)
    assert [(line, cells["national_id"]) for line, cells in rows] == [
        (2, "1"),
        (6, "2"),
        (9, "4"),
        (11, "5"),
        (14, "8"),
        (15, "9"),
    ]
    assert rows[0][1]["course_code"] == "a\nb\n\nc"
    assert rows[2][1]["course_code"] == 'a "quoted" word'
    assert sorted(source.rejects) == [
        (8, "", "ragged_row"),
        (12, "", "ragged_row"),
        (13, "", "ragged_row"),
    ]
    assert source.rows_read == 9


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_of_every_system_are_lines(tmp_path, end):
    text = csv_text("training", [row("training", hours=str(hours)) for hours in range(500)]).replace("\n", end)
    rows, _ = read(tmp_path, text)
    assert [(line, cells["hours"]) for line, cells in rows] == [(hours + 2, str(hours)) for hours in range(500)]


def test_other_separator_characters_do_not_end_a_line(tmp_path):
    for sign in ("\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\x85"):
        rows, _ = read(tmp_path, csv_text("training", [row("training", course_code=f"a{sign}b")]))
        assert [(line, cells["course_code"]) for line, cells in rows] == [(2, f"a{sign}b")]


def test_blank_lines_above_the_header_are_counted(tmp_path):
    rows, _ = read(tmp_path, "\n\r\n" + csv_text("training", [row("training")]))
    assert [line for line, _ in rows] == [4]


def test_a_quote_that_never_closes_refuses_the_file_and_says_where(tmp_path):
    text = csv_text("training", [row("training", hours=str(hours)) for hours in range(9)])
    text = text.replace(",4,", ',"4,')
    assert complaint(tmp_path, text).startswith("line 6: a quote opens and does not close properly; ")


@pytest.mark.parametrize("further", [1, 2, 5])
def test_a_quote_that_closes_rows_later_refuses_the_file_rather_than_lose_them(tmp_path, further):
    lines = [f"000000002{at},PY-101,1402/04/01,{at},80,passed" for at in range(9)]
    lines[2] = lines[2].replace("PY-101", '"PY-101')
    lines[2 + further] = lines[2 + further].replace("PY-101", 'PY-101"')
    text = "\n".join((",".join(HEADER), *lines)) + "\n"
    assert complaint(tmp_path, text).startswith("line 4: a quote opens and swallows the rows after it; ")


def test_a_long_note_with_line_breaks_and_commas_is_no_swallowed_row(tmp_path):
    note = "یک, دو\nسه, چهار, پنج\nشش"
    text = f'note,{",".join(HEADER)}\n"{note}",{",".join(row("training").values())}\n'
    assert len(read(tmp_path, text)[0]) == 1


# ------------------------------------------------------------------ the two ways to split are one


FIELD = st.text(st.sampled_from('ab۱ی ,;"\n\r\x00\ufffd'), max_size=6)
PLAIN = st.text(st.sampled_from("abc۱۲یک /-. "), max_size=6)


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


@st.composite
def bodies(draw: Any) -> str:
    """Lines that are rows, blank, ragged, quoted, broken, in any mixture."""
    lines = []
    for _ in range(draw(st.integers(0, 12))):
        kind = draw(st.sampled_from(["plain", "plain", "plain", "quoted", "odd", "ragged", "blank", "spoilt"]))
        if kind == "plain":
            cells = [draw(PLAIN) for _ in HEADER]
        elif kind == "quoted":
            cells = [quoted(draw(PLAIN)) if draw(st.booleans()) else draw(PLAIN) for _ in HEADER]
        elif kind == "odd":
            cells = [quoted(draw(FIELD)) for _ in HEADER]
        elif kind == "ragged":
            cells = [draw(PLAIN) for _ in range(draw(st.integers(1, 9)))]
        elif kind == "spoilt":
            cells = [draw(PLAIN) + draw(st.sampled_from(["", "", "\x00", "\ufffd"])) for _ in HEADER]
        else:
            cells = []
        lines.append(",".join(cells))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    return end.join([",".join(HEADER), *lines]) + draw(st.sampled_from(["", end]))


@pytest.mark.slow
@settings(max_examples=draws(100, 300), deadline=None)
@example(",".join(HEADER) + '\n"","","","","",","')
@given(bodies())
def test_splitting_at_once_and_record_by_record_come_to_the_same(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "training_any.csv"
    path.write_text(text, encoding="utf-8", newline="")
    results = []
    for at_once in (delimited._Delimited._split_at_once, lambda *_: None):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(delimited._Delimited, "_split_at_once", at_once)
            patch.setattr(delimited, "_SMALL_PIECE_BYTES", 20)
            try:
                rows, source = rows_of(path)
                results.append((rows, sorted(source.rejects), source.rows_read, source.empty_rows))
            except Refused as error:
                results.append(str(error))
    assert results[0] == results[1]


@pytest.mark.slow
@settings(max_examples=draws(70, 200), deadline=None)
@given(bodies())
def test_a_second_reader_counts_as_many_records(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "training_count.csv"
    path.write_text(text, encoding="utf-8", newline="")
    try:
        rows, source = rows_of(path)
    except Refused as error:
        refusal = str(error)
    else:
        refusal = ""
    if refusal:
        assert "quote" in refusal
        return
    records = [record for record in csv.reader(io.StringIO(text, newline="")) if record][1:]
    filled = [record for record in records if any(cell.strip(" \t\r\n") for cell in record)]
    assert (source.rows_read, source.empty_rows) == (len(filled), len(records) - len(filled))
    records = filled
    width = len(HEADER)
    whole = [dict(zip(HEADER, record, strict=True)) for record in records if len(record) == width]
    assert [cells for _, cells in rows] == whole


@pytest.mark.slow
def test_chunks_of_every_size_give_the_same_rows(tmp_path, monkeypatch):
    rows = [row("training", hours=str(at), course_code='a "b",\nc' if at % 37 == 0 else "PY") for at in range(100)]
    text = csv_text("training", rows)
    whole = read(tmp_path, text)[0]
    assert [cells["hours"] for _, cells in whole] == [str(at) for at in range(100)]
    for size in (1, 7, 64, 1000):
        monkeypatch.setattr(delimited, "_PIECE_BYTES", size)
        for encoding in ("utf-8", "utf-16", "cp1256"):
            assert read(tmp_path, text.encode(encoding))[0] == whole


# ------------------------------------------------------------------ XLSX


def workbook(path: Path, fill: Any) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        fill(book)
    return path


def put_table(sheet: Any, rows: list[list[Any]], top: int = 0, left: int = 0) -> None:
    for at, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            if cell is not None:
                sheet.write(top + at, left + column, cell)


def test_a_sheet_row_is_numbered_as_the_sheet_numbers_it(tmp_path):
    values = ["0000000027", "PY-101", "1402/04/01", 72, 88.5, "passed"]

    def fill(book: Any) -> None:
        book.add_worksheet("راهنما").write(0, 0, "این برگ جدول نیست")
        sheet = book.add_worksheet("داده")
        sheet.write(3, 1, "فهرست دوره‌ها")
        put_table(sheet, [HEADER, values, [], values, [None] * 5 + ["passed"]], top=5, left=2)
        put_table(book.add_worksheet("سوم"), [HEADER, values])

    rows, source = rows_of(workbook(tmp_path / "training.xlsx", fill))
    third = 1 << SHEET_BITS
    assert [line for line, _ in rows] == [7, 9, 10, third + 2]
    assert rows[0][1] == dict(zip(HEADER, ["0000000027", "PY-101", "1402/04/01", "72", "88.5", "passed"], strict=True))
    assert rows[2][1] == dict(zip(HEADER, ["", "", "", "", "", "passed"], strict=True))
    assert source.sheets == ["داده", "سوم"]
    assert source.notes == [
        "sheets read: داده, سوم",
        "sheets without the headers in their first 20 rows skipped: راهنما",
    ]
    second = list(
        openpyxl.load_workbook(tmp_path / "training.xlsx").worksheets[1].iter_rows(min_row=7, values_only=True)
    )
    assert source.rows_read == 1 + sum(any(cell is not None for cell in cells) for cells in second)


def test_cells_are_what_a_person_sees(tmp_path):
    def fill(book: Any) -> None:
        sheet = book.add_worksheet()
        put_table(sheet, [HEADER])
        day = book.add_format({"num_format": "yyyy/mm/dd hh:mm"})
        cells = [27.0, "PY-101", datetime(2023, 6, 22, 13, 30), 72.0, 14030631, True]
        for column, cell in enumerate(cells):
            sheet.write(1, column, cell, day if column == 2 else None)
        put_table(sheet, [[1234567890.0, 45123, 45123, 0.1, 1e20, False]], top=2)

    rows, _ = rows_of(workbook(tmp_path / "training.xlsx", fill))
    assert list(rows[0][1].values()) == ["27", "PY-101", "2023-06-22", "72", "14030631", "true"]
    assert list(rows[1][1].values()) == ["1234567890", "45123", "45123", "0.1", "1.000000e+20", "false"]


def test_a_day_of_the_other_epoch_is_the_day_shown(tmp_path):
    with xlsxwriter.Workbook(str(tmp_path / "training.xlsx"), {"date_1904": True}) as book:
        sheet = book.add_worksheet()
        put_table(sheet, [HEADER])
        sheet.write_datetime(1, 2, datetime(2023, 6, 22), book.add_format({"num_format": "yyyy-mm-dd"}))
    rows, _ = rows_of(tmp_path / "training.xlsx")
    assert rows[0][1]["completed_on"] == "2023-06-22"


def test_a_cell_without_a_value_to_load_keeps_its_row_back(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    for at, title in enumerate(HEADER, 1):
        sheet.cell(1, at, title)
        for line in range(2, 8):
            sheet.cell(line, at, GOOD["training"][title])
    sheet["C3"] = "=40+32"  # a formula without a computed value
    sheet["F4"] = "#N/A"
    sheet["F4"].data_type = "e"
    sheet.merge_cells("B5:B6")
    sheet["D7"] = "=40+32"  # in a column whose bad values load as unknown
    sheet["H7"] = "=1+1"  # outside the table
    book.save(tmp_path / "training.xlsx")
    rows, source = rows_of(tmp_path / "training.xlsx")
    assert [(line, name) for line, cells in rows for name in HEADER if not cells[name]] == [
        (3, "completed_on"),
        (4, "result"),
        (6, "course_code"),
        (7, "hours"),
    ]
    assert source.rejects == []
    assert source.warned == [(7, "hours", "missing_value")]
    assert source.notes == ["merged cells: course_code Sheet!5–6"]


def test_a_formula_with_its_result_is_its_result(tmp_path):
    def fill(book: Any) -> None:
        sheet = book.add_worksheet()
        put_table(sheet, [HEADER, list(GOOD["training"].values())])
        sheet.write_formula(1, 3, "=40+32", None, 72)
        sheet.write_formula(1, 5, '=IF(1,"passed","")', None, "passed")

    rows, source = rows_of(workbook(tmp_path / "training.xlsx", fill))
    assert (rows[0][1]["hours"], rows[0][1]["result"], source.rejects) == ("72", "passed", [])


def test_merged_header_cells_do_not_hide_a_column(tmp_path):
    def fill(book: Any) -> None:
        sheet = book.add_worksheet()
        sheet.merge_range(0, 0, 0, 5, "گزارش آموزش")
        put_table(sheet, [HEADER, list(GOOD["training"].values())], top=1)

    rows, _ = rows_of(workbook(tmp_path / "training.xlsx", fill))
    assert [line for line, _ in rows] == [3]

    book = openpyxl.Workbook()
    book.active.append(HEADER)
    book.active.append(list(GOOD["training"].values()))
    book.active.merge_cells("B1:C1")
    book.save(tmp_path / "training_2.xlsx")
    with pytest.raises(Refused, match="sheet Sheet: missing required column completed_on"):
        rows_of(tmp_path / "training_2.xlsx")


# ------------------------------------------------------------------ Parquet


def parquet(path: Path, **columns: Any) -> Path:
    table = pa.table({name: columns.get(name, pa.array([GOOD["training"][name]] * 2)) for name in HEADER})
    pq.write_table(table, path)
    return path


def test_typed_columns_are_read_as_a_person_would_have_typed_them(tmp_path):
    path = parquet(
        tmp_path / "training.parquet",
        national_id=pa.array([27, None], pa.int64()),
        course_code=pa.array(["PY-101", "PY-102"]).dictionary_encode(),
        completed_on=pa.array([datetime(2023, 6, 22, 23, 30), None], pa.timestamp("ns", tz="Asia/Tehran")),
        hours=pa.array([72.0, 7.25]),
        score=pa.array(["88.50", None]).cast(pa.decimal128(5, 2)),
        result=pa.array([b"passed", None], pa.binary()),
    )
    rows, source = rows_of(path)
    assert rows == [
        (1, dict(zip(HEADER, ["27", "PY-101", "2023-06-23", "72", "88.50", "passed"], strict=True))),
        (2, dict(zip(HEADER, ["", "PY-102", "", "7.25", "", ""], strict=True))),
    ]
    assert source.rows_read == pq.read_metadata(path).num_rows


@pytest.mark.parametrize("kind", [pa.date32(), pa.date64(), pa.timestamp("ms"), pa.timestamp("s")])
def test_a_typed_day_is_its_day(tmp_path, kind):
    days = pa.array([date(1969, 12, 31), date(2400, 2, 29)], pa.date32()).cast(kind)
    rows, _ = rows_of(parquet(tmp_path / "training.parquet", completed_on=days))
    assert [cells["completed_on"] for _, cells in rows] == ["1969-12-31", "2400-02-29"]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([["a"], ["b"]]),
        pa.array([{"a": 1}, {"a": 2}]),
        pa.array([1, 2], pa.time32("s")),
        pa.array([1, 2], pa.duration("s")),
    ],
)
def test_a_column_of_no_readable_type_refuses_the_file(tmp_path, column):
    with pytest.raises(Refused, match="column hours: its values are of type"):
        rows_of(parquet(tmp_path / "training.parquet", hours=column))


@pytest.mark.slow
def test_many_batches_are_numbered_through(tmp_path):
    count = 45_000
    columns = {name: pa.array([GOOD["training"][name]] * count) for name in HEADER}
    columns["hours"] = pa.array(range(count))
    pq.write_table(pa.table(columns), tmp_path / "training.parquet", row_group_size=7_000)
    rows, _ = rows_of(tmp_path / "training.parquet")
    assert [(line, cells["hours"]) for line, cells in rows] == [(at + 1, str(at)) for at in range(count)]
