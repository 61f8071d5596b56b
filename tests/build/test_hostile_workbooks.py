"""Hostile and damaged workbooks and Parquet files: see test_hostile_files.py."""

from __future__ import annotations

import io
import random
import signal
import struct
import zipfile
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from etl.extract import parse_values, read_file, read_folder
from tests.build.hostile import CELLS, HEADER, MEGABYTE, STOPPED, rejected_rows
from tests.core.test_text_folding import national_ids
from tests.loading import DAY, GOOD, csv_text, load, national_id, put, read, row

pytestmark = pytest.mark.slow

# ------------------------------------------------------------------ workbooks


def workbook(folder: Path, *tables: tuple[str, list[list[Any]]], name: str = "training_2.xlsx") -> Path:
    with xlsxwriter.Workbook(str(folder / name)) as book:
        for title, rows in tables:
            sheet = book.add_worksheet(title)
            for at, cells in enumerate(rows):
                sheet.write_row(at, 0, cells)
    return folder / name


def rewritten(path: Path, change: Callable[[str, bytes], bytes]) -> None:
    """Change the parts of a workbook."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, change(name, content))


@pytest.mark.parametrize("name", ["personnel_2.xlsx", "همه.xlsx"])
def test_each_sheet_is_read_as_the_table_that_its_headers_fit(folder, name):
    spells = [list(row("personnel", national_id=national_id(at)).values()) for at in (7, 8)]
    courses = [[national_id(at), *CELLS[1:]] for at in (7, 8)]
    workbook(
        folder,
        ("کارکنان", [list(GOOD["personnel"]), *spells]),
        ("آموزش", [HEADER, *courses, [*CELLS[:-1], "?"]]),
        ("راهنما", [["a", "b"]]),
        name=name,
    )
    built = load(folder)
    files = [
        (entry["table"], entry["rows_read"], entry["rows_loaded"])
        for entry in built.report["files"]
        if entry["file"] == name
    ]
    assert files == [("personnel", 2, 2), ("training", 3, 2)]
    assert built.sql("select file, sheet, line, reason from quarantine") == [(name, "آموزش", 4, "unknown_value")]
    assert built.sql("select files from publication") == [(5,)]


def test_a_sheet_that_lacks_a_header_refuses_the_workbook(folder):
    """Also where the other sheets are of another table."""
    courses = [HEADER, ["0000000027", "PY-101", "1402/05/01", 72, 80, "passed"]]
    workbook(folder, ("داده", courses), ("دیگر", [line[:-1] for line in courses]))
    rows = [list(GOOD["personnel"]), list(row("personnel", national_id=national_id(7)).values())]
    workbook(folder, ("کارکنان", rows), ("آموزش", [HEADER[:-1], CELLS[:-1]]), name="personnel_2.xlsx")
    first, second = read(folder).refusals
    assert first.startswith("personnel_2.xlsx: sheet آموزش: missing required column result; ")
    assert second.startswith("training_2.xlsx: sheet دیگر: missing required column result; ")


def test_a_sheet_whose_headers_fit_several_tables_is_refused_unless_the_name_says_which(folder):
    both = [[*GOOD["personnel"], *HEADER[1:]], [*row("personnel", national_id=national_id(7)).values(), *CELLS[1:]]]
    workbook(folder, ("داده", both), name="همه.xlsx")
    assert read(folder).refusal.startswith(
        "همه.xlsx: sheet داده: its headers fit several tables (personnel, training); "
    )
    (folder / "همه.xlsx").rename(folder / "personnel_2.xlsx")
    built = load(folder)
    assert built.counts("personnel_2.xlsx") == (1, 1, 0, 0)
    assert [entry["file"] for entry in built.report["files"]].count("personnel_2.xlsx") == 1


def test_numbers_and_days_of_more_digits_than_a_cell_keeps_are_spoilt(folder):
    courses = [
        row("training", completed_on="1402/05/01", hours=1234567890123456),
        row("training", completed_on=1234567890123456),
    ]
    workbook(folder, ("داده", [list(GOOD["training"]), *(list(course.values()) for course in courses)]))
    numbers = [9510000000, 4993708990, 1403000000000000, "1403000000000000"]
    # What 9.51E+09 left of an id has a valid check digit.
    spoilt = 9510000000
    assert national_ids(str(spoilt)).faults == {}
    head = list(GOOD["personnel"])
    rows = [[*[spoilt if name == "national_id" else value for name, value in GOOD["personnel"].items()]]]
    workbook(folder, ("داده", [head, *rows]), name="personnel_2.xlsx")
    licences = [
        list(row("licences", application_no=number, licence_no=at).values()) for at, number in enumerate(numbers)
    ]
    licences.append(list(row("licences", application_no="L9", licence_no=12345678901234567).values()))
    workbook(folder, ("داده", [list(GOOD["licences"]), *licences]), name="licences_2.xlsx")
    built = load(folder)
    assert built.rejected_rows() == [
        ("licences_2.xlsx", 4, "application_no", "spoilt_number"),
        ("licences_2.xlsx", 6, "licence_no", "spoilt_number"),
        ("personnel_2.xlsx", 2, "national_id", "spoilt_number"),
        ("training_2.xlsx", 3, "completed_on", "spoilt_number"),
    ]
    assert built.sql("select line, column_name, reason from warned") == [(2, "hours", "spoilt_number")]
    assert built.counts("licences_2.xlsx") == (5, 3, 2, 0)


def test_a_hidden_sheet_is_named_and_skipped(folder):
    rows = [HEADER, ["0000000027", "PY-101", "1402/05/01", 72, 80, "passed"]]
    path = workbook(folder, ("پنهان", rows), ("داده", rows))
    book = openpyxl.load_workbook(path)
    book["پنهان"].sheet_state = "hidden"
    book.active = 1
    book.save(path)
    built = load(folder)
    assert built.counts("training_2.xlsx") == (1, 1, 0, 0)
    assert "hidden sheets skipped: پنهان" in built.file("training_2.xlsx")["notes"]


@pytest.mark.parametrize("rows", [[["یادداشت"], ["متن"]], []])
def test_a_workbook_whose_only_table_is_on_a_hidden_sheet_is_refused_with_its_name(folder, rows):
    path = workbook(folder, ("پنهان", [HEADER]), ("داده", rows))
    book = openpyxl.load_workbook(path)
    book["پنهان"].sheet_state = "hidden"
    book.active = 1
    book.save(path)
    built = read(folder)
    assert "; hidden: پنهان" in built.refusal
    assert "؛ پنهان: " in built.err


def test_a_workbook_without_the_headers_is_refused(folder):
    workbook(folder, ("گزارش", [["کد ملی", "کد دوره"], [1, 2]]), ("تهی", []))
    built = read(folder)
    assert built.refusal.startswith("training_2.xlsx: sheet گزارش: missing required column completed_on, result; ")
    assert "headers found: کد ملی, کد دوره; " in built.refusal
    assert "؛ سرستون‌های موجود: کد ملی، کد دوره؛ " in built.err


def test_a_workbook_of_more_sheets_than_offices_have_is_refused_before_they_are_read(folder):
    sheets = [(f"برگهٔ {at}", [HEADER]) for at in range(60)]
    path = workbook(folder, ("آموزش", [HEADER, CELLS]), *sheets)
    assert read(folder).refusal.startswith("training_2.xlsx: it has more than 60 sheets; keep only those of the tables")
    path.unlink()
    workbook(folder, ("آموزش", [HEADER, CELLS]), *sheets[1:])
    assert load(folder).code == 0


def test_serial_numbers_are_no_days_and_formulas_without_result_no_values(folder):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(HEADER)
    sheet.append(["0000000027", "PY-101", 45123, 72, 80, "passed"])
    sheet.append(["0000000027", "PY-101", datetime(2023, 7, 23, 9, 30), "=70+2", 80, "passed"])
    sheet.append(["0000000027", "PY-101", datetime(2023, 7, 24, 9, 30), 72, 80, "passed"])
    sheet.append(["0000000027", "PY-101", "=TODAY()", 72, 80, "passed"])
    book.save(folder / "training_2.xlsx")
    built = load(folder)
    assert rejected_rows(built, "training_2.xlsx") == [
        (2, "completed_on", "bad_date"),
        (5, "completed_on", "missing_value"),
    ]
    assert built.sql("select line, column_name, reason from warned") == [(3, "hours", "missing_value")]
    assert built.counts("training_2.xlsx") == (4, 2, 2, 0)


def test_what_is_no_workbook_is_refused(folder):
    contents = (b"PK\x03\x04", b"no zip at all", b"PK\x05\x06" + bytes(18))
    for number, content in enumerate(contents):
        put(folder, f"training_{number}.xlsx", content)
    for number, refusal in enumerate(read(folder).refusals):
        assert refusal.startswith(f"training_{number}.xlsx: not a readable XLSX workbook (")
    assert number == len(contents) - 1


def test_a_workbook_that_is_cut_short_or_garbled_is_refused(folder):
    path = workbook(folder, ("داده", [HEADER, *[CELLS] * 50]))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert read(folder).refusal.startswith(
        "training_2.xlsx: not a readable XLSX workbook (broken ZIP): the file is damaged "
    )
    path.write_bytes(content)
    rewritten(path, lambda name, part: part[: len(part) // 2] if "sheet1" in name else part)
    assert read(folder).refusal.startswith("training_2.xlsx: sheet داده: not readable (")


def test_a_zip_bomb_is_refused_by_what_it_says_it_unpacks_to(folder):
    path = workbook(folder, ("داده", [HEADER, CELLS]))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/bomb.bin", bytes(MEGABYTE))
        archive.filelist[-1].file_size = 3 << 30
    assert read(folder).refusal.startswith("training_2.xlsx: it unpacks to more than 2,048 MiB; ")


def swell(path: Path, times: int) -> int:
    """Make the sheet of a workbook unpack to so many times 2 MB; returns the number of bytes."""
    text = b'" t="str"><v>' + b"9" * (2 * MEGABYTE) + b"</v></c></row>"
    rows = b"".join(b'<row r="%d"><c r="A%d' % (row, row) + text for row in range(3, 3 + times))
    rewritten(
        path, lambda name, part: part.replace(b"</sheetData>", rows + b"</sheetData>") if "sheet1" in name else part
    )
    with zipfile.ZipFile(path) as archive:
        return next(entry.file_size for entry in archive.infolist() if "sheet1" in entry.filename)


def test_a_zip_bomb_that_lies_about_its_size_is_refused(folder):
    path = workbook(folder, ("داده", [HEADER, CELLS]))
    true = swell(path, 10)
    path.write_bytes(path.read_bytes().replace(true.to_bytes(4, "little"), (1000).to_bytes(4, "little")))
    assert read(folder).refusal.startswith("training_2.xlsx: ")


def test_what_takes_more_memory_than_a_reader_may_have_is_refused(folder, monkeypatch):
    path = workbook(folder, ("داده", [HEADER, CELLS]))
    assert swell(path, 45) > 90 * MEGABYTE
    assert path.stat().st_size < MEGABYTE
    monkeypatch.setenv("READER_MEMORY", "200")
    # A parser without memory that prints a backtrace waits for itself until it is killed.
    monkeypatch.setenv("RUST_BACKTRACE", "1")
    ends: list[int] = []

    def kill(
        worker: read_folder._Worker, kill: Callable[[read_folder._Worker], None] = read_folder._Worker.kill
    ) -> None:
        kill(worker)
        ends.append(worker.process.returncode)

    monkeypatch.setattr(read_folder._Worker, "kill", kill)
    refusal = read(folder).refusal
    if refusal.startswith(f"training_2.xlsx: {STOPPED}"):
        assert -signal.SIGABRT in ends
    else:
        assert refusal.startswith("training_2.xlsx: reading it takes more than 200 MiB of memory; ")


def test_a_sheet_as_wide_and_long_as_sheets_can_be_is_refused(folder):
    path = workbook(folder, ("داده", [HEADER, CELLS]))
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    rewritten(path, lambda name, part: part.replace(b"</sheetData>", far) if "sheet1" in name else part)
    built = read(folder)
    assert built.refusal.startswith(
        "training_2.xlsx: sheet داده: cell XFD1048576 holds something far outside the table; delete "
    )
    assert " · برگهٔ \u2068داده\u2069: خانهٔ \u2068XFD1048576\u2069 " in built.err


def test_a_sheet_that_only_says_it_is_huge_is_read(folder):
    path = workbook(folder, ("داده", [HEADER, ["0000000027", "PY-101", "1402/05/01", 72, 80, "passed"]]))
    rewritten(
        path, lambda name, part: part.replace(b'ref="A1:F2"', b'ref="A1:XFD1048576"') if "sheet1" in name else part
    )
    assert load(folder).counts("training_2.xlsx") == (1, 1, 0, 0)


def test_entity_expansion_in_a_workbook_is_refused_or_ignored(folder):
    laughs = "".join(f'<!ENTITY l{at} "{f"&l{at - 1};" * 10}">' for at in range(1, 12))
    declared = f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]>'.encode()
    course = ["0000000027", "PY-101", "1402/05/01", 72, 80, "passed"]

    def laughing(part_name: str) -> str:
        def laugh(name: str, part: bytes) -> bytes:
            if part_name not in name or not name.endswith(".xml"):
                return part
            head, mark, rest = part.partition(b"?>")
            rest = rest.replace(b"passed", b"&l11;")
            row_of_it = b"<row><c t='str'><f/><v>&l11;</v></c></row></sheetData>"
            return head + mark + declared + rest.replace(b"</sheetData>", row_of_it)

        path = workbook(folder, ("داده", [HEADER, course]), name=f"training_{part_name}.xlsx")
        rewritten(path, laugh)
        return path.name

    names = [laughing(part) for part in ("sheet1", "sharedStrings", "workbook.xml")]
    built = load(folder, "--skip-refused")
    assert built.code == 0
    refused = [entry["file"] for entry in built.report["refused"]]
    assert [name for name in names if name not in refused and built.counts(name)[1] > 1] == []


# ------------------------------------------------------------------ Parquet


def parquet(folder: Path, count: int = 3, **columns: Any) -> Path:
    table = {name: pa.array([GOOD["training"][name]] * count) for name in HEADER}
    table["completed_on"] = pa.array([f"1402/05/{at + 1:02}" for at in range(count)])
    pq.write_table(pa.table({**table, **columns}), folder / "training_2.parquet")
    return folder / "training_2.parquet"


def test_a_parquet_file_that_is_cut_short_or_has_a_damaged_page_is_refused(folder):
    path = parquet(folder, 200)
    content = path.read_bytes()
    path.write_bytes(content[:20] + bytes(40) + content[60:])
    for number, keep in enumerate((0.9, 0.5, 0.01), 3):
        (folder / f"training_{number}.parquet").write_bytes(content[: max(1, int(len(content) * keep))])
    damaged, *cut_short = read(folder).refusals
    assert damaged.startswith("training_2.parquet: row 1: the Parquet file is damaged (")
    assert len(cut_short) == 3
    for number, refusal in enumerate(cut_short, 3):
        assert refusal.startswith(f"training_{number}.parquet: not a readable Parquet file (")


def test_a_flipped_bit_in_parquet_is_seen_where_the_writer_kept_checksums(folder):
    table = {name: pa.array([GOOD["training"][name]] * 200) for name in HEADER}
    table["score"] = pa.array([float(at % 100) for at in range(200)])
    path = folder / "training_2.parquet"
    pq.write_table(pa.table(table), path, write_page_checksum=True, compression="none", use_dictionary=False)
    content = path.read_bytes()
    at = content.index(struct.pack("<3d", 3.0, 4.0, 5.0))
    path.write_bytes(content[: at + 6] + bytes([content[at + 6] ^ 1]) + content[at + 7 :])
    assert read(folder).refusal.startswith("training_2.parquet: row 1: the Parquet file is damaged (")


def test_wrong_types_in_parquet_are_refused_or_validated_row_by_row(folder):
    parquet(folder, hours=pa.array([[1], [2], [3]]))
    assert read(folder).refusal.startswith(
        "training_2.parquet: column hours: its values are of type list<element: int64>, not text, numbers, days or yes/no; "
    )
    parquet(folder, hours=pa.array(["many", "7", None]), score=pa.array([True, False, None]))
    assert load(folder).sql("select line, column_name, reason from warned order by all") == [
        (1, "hours", "bad_number"),
        (1, "score", "bad_number"),
        (2, "score", "bad_number"),
    ]


def test_broken_text_in_parquet_keeps_its_row_back(folder):
    parquet(folder, course_code=pa.array([b"PY-101", b"\xff\xfe", b"PY\x00101"], pa.binary()))
    assert rejected_rows(load(folder), "training_2.parquet") == [
        (2, "course_code", "bad_encoding"),
        (3, "course_code", "bad_encoding"),
    ]


def test_text_that_is_no_utf8_where_the_schema_says_it_is_refuses_the_file(folder):
    text = pa.Array.from_buffers(pa.string(), 3, pa.array([b"PY", b"\xff\xfe", b"PY"], pa.binary()).buffers())
    parquet(folder, course_code=text)
    assert read(folder).refusal.startswith("training_2.parquet: row 1: the Parquet file is damaged (")


def test_twenty_megabytes_in_one_parquet_cell_are_refused(folder):
    parquet(folder, course_code=pa.array(["PY-101", "x" * (20 * MEGABYTE), "PY-101"]))
    assert read(folder).refusal.startswith(
        "training_2.parquet: row 1 or one after it: a field is longer than 1,000,000 characters; "
    )


# ------------------------------------------------------------------ garbled at random


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[Path]], list[read_folder.Outcome]]:
    """Read files in worker processes, as a build does."""
    private = tmp_path_factory.mktemp("private")
    setting = parse_values.Setting(DAY, {"py-101": "PY-101"}, b"k")

    def read(paths: list[Path]) -> list[read_folder.Outcome]:
        jobs = [read_file.Job(path, "training", number, private) for number, path in enumerate(paths)]
        with closing(read_folder.WorkerPool(setting, jobs)) as pool:
            return pool.read_all(lambda *_: None)

    return read


@pytest.mark.parametrize("kind", ["xlsx", "parquet", "csv"])
def test_files_with_bytes_changed_at_random_are_read_or_refused(tmp_path, readers, kind):
    chance = random.Random(kind)
    if kind == "xlsx":
        source = workbook(tmp_path, ("داده", [HEADER, *[CELLS] * 30]))
        with zipfile.ZipFile(source) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
    elif kind == "parquet":
        source = parquet(tmp_path, 28)
    else:
        source = put(tmp_path, "training.csv", csv_text("training", [row("training")] * 30).encode("utf-16"))
    paths = []
    for number in range(60):
        content = bytearray(source.read_bytes())
        if kind == "xlsx" and number % 2:
            # In a valid ZIP, so that no checksum detects it.
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w") as archive:
                for name, part in parts.items():
                    garbled = bytearray(part)
                    for _ in range(chance.choice([0, 1, 3])):
                        garbled[chance.randrange(len(garbled))] = chance.randrange(256)
                    archive.writestr(name, bytes(garbled))
            content = bytearray(packed.getvalue())
        else:
            for _ in range(chance.choice([1, 2, 8])):
                content[chance.randrange(len(content))] = chance.randrange(256)
        paths.append(tmp_path / f"garbled_{number}.{kind}")
        paths[-1].write_bytes(content)
    outcomes = readers(paths)
    for outcome in outcomes:
        assert (outcome.read is None) == bool(outcome.refusal)
        assert "\n" not in outcome.refusal
        assert STOPPED not in outcome.refusal, outcome.job.path
    assert any(outcome.read for outcome in outcomes)
    if kind != "csv":
        assert any(outcome.refusal for outcome in outcomes)
