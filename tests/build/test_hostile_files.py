"""Files that no honest office hands in, and those that a broken machine does.

Each is either loaded with what is wrong kept back, or refused in one line that names file, place and reason, with the last
publication untouched. Never a traceback, never a row lost.
"""

from __future__ import annotations

import codecs
import io
import os
import random
import shutil
import signal
import socket
import stat
import struct
import zipfile
from collections.abc import Callable
from datetime import datetime
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
from etl.core.places import places
from etl.extract import parse_values, read_file, read_folder, validate
from etl.extract.causes import spoken, words
from etl.extract.contract import contract
from tests.loading import (
    DAY,
    GOOD,
    HEADERS,
    ROOT,
    WITHOUT_MIGHT,
    Built,
    build,
    copy_publication,
    csv_text,
    english,
    put,
    put_good,
    row,
    run,
)

HEADER = HEADERS["training"].split()
STOPPED = spoken(words("reader_stopped"), "en")
CELLS = list(GOOD["training"].values())
MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A publication that must not change."""
    return build(put_good(tmp_path_factory.mktemp("before") / "incoming")).to


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return put_good(tmp_path / "incoming")


@pytest.fixture
def refused(folder: Path, published: Path, tmp_path: Path) -> Callable[[], str]:
    """Build the folder and give the one line of its refusal; what was published before is still what is shown."""

    def refuse() -> str:
        to = copy_publication(published, tmp_path / "shown")
        content = to.resolve().read_bytes()
        printed = build(folder, to=to)
        assert printed.report["published"] is False
        assert (to.resolve().name, to.resolve().read_bytes()) == ("000001.duckdb", content)
        assert sorted(os.listdir(to.parent / "warehouse.duckdb.publications")) == ["000001.duckdb", "lock"]
        return printed.refusal

    return refuse


def rejected_rows(built: Built, name: str) -> list[tuple[int, str, str]]:
    return [fault[1:] for fault in built.rejected_rows() if fault[0] == name]


# ------------------------------------------------------------------ text files


def test_an_empty_file_is_refused(folder, refused):
    put(folder, "training_2.csv", b"")
    assert refused().startswith("training_2.csv: the file is empty; ")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\n\n\n", "the file is empty; "),
        (b"   \n", "the file is empty; "),
        (b"\xef\xbb\xbf", "the file holds a byte order mark and nothing else; "),
        (b"\xff\xfe\r\x00\n\x00", "the file holds a byte order mark and nothing else; "),
        (b"\x00" * 500, "line 1: missing required column national_id, course_code"),
        (bytes(range(256)) * 40, "line 1: missing required column national_id, course_code"),
    ],
)
def test_a_file_without_a_header_is_refused(folder, refused, content, message):
    put(folder, "training_2.csv", content)
    assert refused().startswith(f"training_2.csv: {message}")


def test_a_header_alone_is_a_file_of_no_rows(folder):
    put(folder, "training_2.csv", ",".join(HEADER))
    assert build(folder).counts("training_2.csv") == (0, 0, 0, 0)


def test_an_unknown_separator_is_refused(folder, refused):
    put(folder, "training_2.csv", csv_text("training", [row("training")], "#"))
    assert refused().startswith("training_2.csv: line 1: missing required column")


def test_rows_of_another_separator_than_the_header_are_ragged(folder):
    text = csv_text("training", [row("training", completed_on=f"1402/05/0{at}") for at in range(1, 4)])
    head, body = text.split("\n", 1)
    put(folder, "training_2.csv", head + "\n" + body.replace(",", ";"))
    built = build(folder)
    assert rejected_rows(built, "training_2.csv") == [(line, "", "ragged_row") for line in (2, 3, 4)]
    assert built.counts("training_2.csv") == (3, 0, 3, 0)


def test_headers_reordered_and_unknown_load_doubled_and_missing_refuse(folder, refused):
    backwards = [
        ",".join(reversed(HEADER)) + ",چیز",
        ",".join(reversed(list(row("training", completed_on="1402/05/01").values()))) + ",1",
    ]
    put(folder, "training_2.csv", "\n".join(backwards))
    assert build(folder).counts("training_2.csv") == (1, 1, 0, 0)
    put(folder, "training_2.csv", ",".join([*HEADER, "نمره"]) + "\n")
    assert refused().startswith("training_2.csv: line 1: column score stands twice; ")
    put(folder, "training_2.csv", ",".join(HEADER[1:]) + "\n")
    assert refused().startswith("training_2.csv: line 1: missing required column national_id; ")


def test_nul_bytes_keep_their_row_back(folder):
    text = csv_text(
        "training",
        [
            row("training", completed_on=f"1402/05/0{at}", course_code="PY-\x00101" if at == 2 else "PY-101")
            for at in range(1, 4)
        ],
    )
    put(folder, "training_2.csv", text)
    assert rejected_rows(build(folder), "training_2.csv") == [(3, "course_code", "bad_encoding")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "bom-be"])
def test_utf16_loads_with_and_without_its_mark(folder, encoding):
    rows = [row("training", completed_on=f"۱۴۰۲/۰۵/۰{at}") for at in range(1, 4)]
    text = csv_text("training", rows)
    put(
        folder,
        "training_2.csv",
        b"\xfe\xff" + text.encode("utf-16-be") if encoding == "bom-be" else text.encode(encoding),
    )
    assert build(folder).counts("training_2.csv") == (3, 3, 0, 0)


def test_utf16_that_is_cut_short_keeps_its_last_row_back(folder):
    text = csv_text("training", [row("training", completed_on=f"1402/05/0{at}") for at in range(1, 4)])
    put(folder, "training_2.csv", text.encode("utf-16")[:-3])
    assert rejected_rows(build(folder), "training_2.csv") == [(4, "result", "bad_encoding")]


@pytest.mark.parametrize("quote", ["", '"'])
def test_twenty_megabytes_in_one_field_are_refused(folder, refused, quote):
    big = quote + "ن" * (10 * MEGABYTE) + quote
    put(
        folder,
        "training_2.csv",
        ",".join(HEADER) + "\n" + ",".join(CELLS) + "\n" + ",".join([CELLS[0], big, *CELLS[2:]]) + "\n",
    )
    assert refused().startswith("training_2.csv: line 3: a field is longer than 1,000,000 characters; ")


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory(folder, refused):
    put(folder, "training_2.csv", ",".join(HEADER) + "\n" + "x" * (40 * MEGABYTE))
    assert refused().startswith("training_2.csv: line 2: longer than 32 MiB; ")


def test_a_header_of_too_many_columns_is_refused(folder, refused):
    put(folder, "training_2.csv", ",".join([*HEADER, *map(str, range(11_000))]) + "\n")
    assert refused().startswith("training_2.csv: line 1: more than 10,000 columns; ")


def test_a_file_of_another_kind_under_this_name_is_refused(folder, refused):
    for content, message in (
        (b"PK\x03\x04" + os.urandom(3000), "a packed file (ZIP) under the ending .csv"),
        (b"\x7fELF" + bytes(2000), "line 1: missing required column"),
        (b"<html><body>not found</body></html>", "a document (HTML) under the ending .csv"),
        (b"%PDF-1.7\n", "a document (PDF) under the ending .csv"),
    ):
        put(folder, "training_2.csv", content)
        assert refused().startswith(f"training_2.csv: {message}")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", ",".join(HEADER).encode() + b"\n"]))
@example(codecs.BOM_UTF8, ",".join(HEADER).encode() + b"\n")
def test_any_bytes_are_rows_or_a_refusal(tmp_path_factory, content, head):
    path = tmp_path_factory.getbasetemp() / "training_bytes.csv"
    path.write_bytes(head + content)
    job = read_file.Job(path, "training", 0, path.parent)
    validator = validate.Validator(contract("training"), parse_values.Setting(DAY, {}, b"k", places()))
    try:
        found = read_file.read(job, validator, lambda *_: None)
    except Refused as error:
        refusal = str(error)
    else:
        refusal = ""
    if refusal:
        assert len(refusal.splitlines()) == 1
        return
    with pa.OSFile(str(job.rows_file)) as file:
        sound = pa.ipc.open_stream(file).read_all().num_rows
    with pa.OSFile(str(job.faults_file)) as file:
        faults = pa.ipc.open_stream(file).read_all()
    unread = {
        line
        for line, reason in zip(faults["line"].to_pylist(), faults["reason"].to_pylist(), strict=True)
        if reason in ("ragged_row", "bad_encoding")
    }
    assert sound <= found.rows_read <= sound + len(unread)


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


def test_every_sheet_that_holds_the_headers_is_read(folder):
    rows = [HEADER, ["0000000027", "PY-101", "1402/05/01", 72, 80, "passed"]]
    workbook(folder, ("راهنما", [["a", "b"]]), ("داده", rows), ("دیگر", [*rows, [*rows[1][:5], "?"], rows[1]]))
    built = build(folder)
    assert built.counts("training_2.xlsx") == (4, 1, 1, 2)
    assert built.sql("select sheet, line, column_name from quarantine") == [("دیگر", 3, "result")]
    assert built.file("training_2.xlsx")["notes"] == [
        "sheets read: داده, دیگر",
        "sheets without the headers skipped: راهنما",
    ]


def test_a_hidden_sheet_is_named_and_skipped(folder):
    rows = [HEADER, ["0000000027", "PY-101", "1402/05/01", 72, 80, "passed"]]
    path = workbook(folder, ("پنهان", rows), ("داده", rows))
    book = openpyxl.load_workbook(path)
    book["پنهان"].sheet_state = "hidden"
    book.active = 1
    book.save(path)
    built = build(folder)
    assert built.counts("training_2.xlsx") == (1, 1, 0, 0)
    assert "hidden sheets skipped: پنهان" in built.file("training_2.xlsx")["notes"]


def test_a_sheet_that_lacks_one_of_the_headers_refuses_the_workbook(folder, refused):
    rows = [HEADER, ["0000000027", "PY-101", "1402/05/01", 72, 80, "passed"]]
    workbook(folder, ("داده", rows), ("دیگر", [HEADER[:-1], rows[1][:-1]]))
    assert refused().startswith("training_2.xlsx: sheet دیگر: missing required column result; ")


def test_a_workbook_without_the_headers_is_refused(folder, refused):
    workbook(folder, ("گزارش", [["کد ملی", "کد دوره"], [1, 2]]), ("تهی", []))
    printed = refused()
    assert printed.startswith("training_2.xlsx: sheet گزارش: missing required column completed_on, result; ")
    assert "headers found: کد ملی, کد دوره; " in printed
    assert "؛ سرستون‌های موجود: کد ملی, کد دوره؛ " in printed


def test_serial_numbers_are_no_days_and_formulas_without_result_no_values(folder):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(HEADER)
    sheet.append(["0000000027", "PY-101", 45123, 72, 80, "passed"])
    sheet.append(["0000000027", "PY-101", datetime(2023, 7, 23, 9, 30), "=70+2", 80, "passed"])
    sheet.append(["0000000027", "PY-101", datetime(2023, 7, 24, 9, 30), 72, 80, "passed"])
    sheet.append(["0000000027", "PY-101", "=TODAY()", 72, 80, "passed"])
    book.save(folder / "training_2.xlsx")
    built = build(folder)
    assert rejected_rows(built, "training_2.xlsx") == [
        (2, "completed_on", "bad_date"),
        (5, "completed_on", "missing_value"),
    ]
    assert built.sql("select line, column_name, reason from warned") == [(3, "hours", "missing_value")]
    assert built.counts("training_2.xlsx") == (4, 2, 2, 0)


@pytest.mark.parametrize("content", [b"PK\x03\x04", b"no zip at all", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_workbook_is_refused(folder, refused, content):
    put(folder, "training_2.xlsx", content)
    assert refused().startswith("training_2.xlsx: not a readable XLSX workbook (")


def test_a_workbook_that_is_cut_short_or_garbled_is_refused(folder, refused):
    path = workbook(folder, ("داده", [HEADER, *[CELLS] * 50]))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert refused().startswith("training_2.xlsx: not a readable XLSX workbook (broken ZIP): the file is damaged ")
    path.write_bytes(whole)
    rewritten(path, lambda name, part: part[: len(part) // 2] if "sheet1" in name else part)
    assert refused().startswith("training_2.xlsx: sheet داده: not readable (")


def test_a_zip_bomb_is_refused_by_what_it_says_it_unpacks_to(folder, refused):
    path = workbook(folder, ("داده", [HEADER, CELLS]))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/bomb.bin", bytes(MEGABYTE))
        archive.filelist[-1].file_size = 3 << 30
    assert refused().startswith("training_2.xlsx: it unpacks to more than 2,048 MiB; ")


def swell(path: Path, times: int) -> int:
    """Make the sheet of a workbook unpack to so many times 2 MB; gives the bytes it unpacks to."""
    cell = b'<row r="3"><c r="A3" t="str"><v>' + b"9" * (2 * MEGABYTE) + b"</v></c></row>"
    rewritten(
        path,
        lambda name, part: part.replace(b"</sheetData>", cell * times + b"</sheetData>") if "sheet1" in name else part,
    )
    with zipfile.ZipFile(path) as archive:
        return next(entry.file_size for entry in archive.infolist() if "sheet1" in entry.filename)


def test_a_zip_bomb_that_lies_about_its_size_is_refused(folder, refused):
    path = workbook(folder, ("داده", [HEADER, CELLS]))
    true = swell(path, 10)
    path.write_bytes(path.read_bytes().replace(true.to_bytes(4, "little"), (1000).to_bytes(4, "little")))
    assert refused().startswith("training_2.xlsx: ")


@pytest.mark.slow
def test_what_takes_more_memory_than_a_reader_may_have_is_refused(folder, refused, monkeypatch):
    path = workbook(folder, ("داده", [HEADER, CELLS]))
    assert swell(path, 200) > 400 * MEGABYTE
    assert path.stat().st_size < 4 * MEGABYTE
    monkeypatch.setenv("READER_MEMORY", "400")
    assert refused().startswith(
        (f"training_2.xlsx: {STOPPED}", "training_2.xlsx: reading it takes more than 400 MiB of memory; ")
    )


def test_a_sheet_as_wide_and_long_as_sheets_can_be_is_refused(folder, refused):
    path = workbook(folder, ("داده", [HEADER, CELLS]))
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    rewritten(path, lambda name, part: part.replace(b"</sheetData>", far) if "sheet1" in name else part)
    printed = refused()
    assert printed.startswith(
        "training_2.xlsx: sheet داده: cell XFD1048576 holds something far outside the table; delete "
    )
    assert " · برگهٔ داده: خانهٔ XFD1048576 " in printed


def test_a_sheet_that_only_says_it_is_huge_is_read(folder):
    path = workbook(folder, ("داده", [HEADER, ["0000000027", "PY-101", "1402/05/01", 72, 80, "passed"]]))
    rewritten(
        path, lambda name, part: part.replace(b'ref="A1:F2"', b'ref="A1:XFD1048576"') if "sheet1" in name else part
    )
    assert build(folder).counts("training_2.xlsx") == (1, 1, 0, 0)


@pytest.mark.parametrize("part_name", ["sheet1", "sharedStrings", "workbook.xml"])
def test_a_billion_laughs_are_not_laughed(folder, tmp_path, published, part_name):
    path = workbook(folder, ("داده", [HEADER, ["0000000027", "PY-101", "1402/05/01", 72, 80, "passed"]]))
    laughs = "".join(f'<!ENTITY l{at} "{f"&l{at - 1};" * 10}">' for at in range(1, 12))
    declared = f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]>'.encode()

    def laugh(name: str, part: bytes) -> bytes:
        if part_name not in name or not name.endswith(".xml"):
            return part
        head, mark, rest = part.partition(b"?>")
        return (
            head
            + mark
            + declared
            + rest.replace(b"passed", b"&l11;").replace(
                b"</sheetData>", b"<row><c t='str'><f/><v>&l11;</v></c></row></sheetData>"
            )
        )

    rewritten(path, laugh)
    built = build(folder, to=copy_publication(published, tmp_path / "shown"))
    if built.code:
        assert built.refusal.startswith("training_2.xlsx: ")
    else:
        assert built.counts("training_2.xlsx")[1] <= 1


# ------------------------------------------------------------------ Parquet


def parquet(folder: Path, count: int = 3, **columns: Any) -> Path:
    table = {name: pa.array([GOOD["training"][name]] * count) for name in HEADER}
    table["completed_on"] = pa.array([f"1402/05/{at + 1:02}" for at in range(count)])
    pq.write_table(pa.table({**table, **columns}), folder / "training_2.parquet")
    return folder / "training_2.parquet"


@pytest.mark.parametrize("keep", [0.9, 0.5, 0.01])
def test_a_parquet_file_that_is_cut_short_is_refused(folder, refused, keep):
    path = parquet(folder)
    content = path.read_bytes()
    path.write_bytes(content[: max(1, int(len(content) * keep))])
    assert refused().startswith("training_2.parquet: not a readable Parquet file (")


def test_a_parquet_file_with_a_damaged_page_is_refused(folder, refused):
    path = parquet(folder, 200)
    content = bytearray(path.read_bytes())
    content[20:60] = bytes(40)
    path.write_bytes(content)
    assert refused().startswith("training_2.parquet: row 1: the Parquet file is damaged (")


def test_a_flipped_bit_in_parquet_is_seen_where_the_writer_kept_checksums(folder, refused):
    table = {name: pa.array([GOOD["training"][name]] * 200) for name in HEADER}
    table["score"] = pa.array([float(at % 100) for at in range(200)])
    path = folder / "training_2.parquet"
    pq.write_table(pa.table(table), path, write_page_checksum=True, compression="none", use_dictionary=False)
    content = path.read_bytes()
    at = content.index(struct.pack("<3d", 3.0, 4.0, 5.0))
    path.write_bytes(content[: at + 6] + bytes([content[at + 6] ^ 1]) + content[at + 7 :])
    assert refused().startswith("training_2.parquet: row 1: the Parquet file is damaged (")


def test_wrong_types_in_parquet_are_refused_or_validated_row_by_row(folder, refused):
    parquet(folder, hours=pa.array([[1], [2], [3]]))
    assert (
        refused()
        == "training_2.parquet: column hours: its values are of type list<element: int64>, not text, numbers, days or yes/no"
    )
    parquet(folder, hours=pa.array(["many", "7", None]), score=pa.array([True, False, None]))
    assert build(folder).sql("select line, column_name, reason from warned order by all") == [
        (1, "hours", "bad_number"),
        (1, "score", "bad_number"),
        (2, "score", "bad_number"),
    ]


def test_broken_text_in_parquet_keeps_its_row_back(folder):
    parquet(folder, course_code=pa.array([b"PY-101", b"\xff\xfe", b"PY\x00101"], pa.binary()))
    assert rejected_rows(build(folder), "training_2.parquet") == [
        (2, "course_code", "bad_encoding"),
        (3, "course_code", "bad_encoding"),
    ]


def test_text_that_is_no_utf8_where_the_schema_says_it_is_refuses_the_file(folder, refused):
    text = pa.Array.from_buffers(pa.string(), 3, pa.array([b"PY", b"\xff\xfe", b"PY"], pa.binary()).buffers())
    parquet(folder, course_code=text)
    assert refused().startswith("training_2.parquet: row 1: the Parquet file is damaged (")


def test_twenty_megabytes_in_one_parquet_cell_are_refused(folder, refused):
    parquet(folder, course_code=pa.array(["PY-101", "x" * (20 * MEGABYTE), "PY-101"]))
    assert refused().startswith(
        "training_2.parquet: row 1 or one after it: a field is longer than 1,000,000 characters; "
    )


# ------------------------------------------------------------------ garbled at random


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[Path]], list[read_folder.Outcome]]:
    """Read files in reader processes, as a build does."""
    private = tmp_path_factory.mktemp("private")
    setting = parse_values.Setting(DAY, {"py-101": "PY-101"}, b"k", places())

    def read(paths: list[Path]) -> list[read_folder.Outcome]:
        jobs = [read_file.Job(path, "training", number, private) for number, path in enumerate(paths)]
        with read_folder.WorkerPool(setting, jobs) as started:
            return started.read_all(lambda *_: None)

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
            # Behind a sound ZIP, where no checksum tells of it.
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w") as archive:
                for name, part in parts.items():
                    changed = bytearray(part)
                    for _ in range(chance.choice([0, 1, 3])):
                        changed[chance.randrange(len(changed))] = chance.randrange(256)
                    archive.writestr(name, bytes(changed))
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


# ------------------------------------------------------------------ what is no file


def test_a_folder_a_pipe_a_socket_and_links_to_nowhere_are_refused(folder, refused, tmp_path):
    path = folder / "training_2.csv"
    path.mkdir()
    assert refused().startswith("training_2.csv: not a regular file; ")
    path.rmdir()
    os.mkfifo(path)
    assert refused().startswith("training_2.csv: not a regular file; ")
    path.unlink()
    path.symlink_to("training_2.csv")
    assert refused().startswith("training_2.csv: cannot be opened (Too many levels of symbolic links); ")
    path.unlink()
    path.symlink_to("training_3.csv")
    (folder / "training_3.csv").symlink_to("training_2.csv")
    assert [line.partition(";")[0] for line in build(folder).refusals] == [
        f"training_{number}.csv: cannot be opened (Too many levels of symbolic links)" for number in (2, 3)
    ]
    (folder / "training_3.csv").unlink()
    assert refused().startswith("training_2.csv: cannot be opened (No such file or directory); ")
    path.unlink()
    path.symlink_to("/dev/zero")
    assert refused().startswith("training_2.csv: not a regular file; ")
    path.unlink()
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(folder)
        server.bind("training_2.csv")
        os.chdir(ROOT)
        assert refused().startswith("training_2.csv: not a regular file; ")


def test_a_file_or_a_folder_without_read_permission_is_refused(folder, tmp_path):
    command = ("build", folder, "--to", tmp_path / "w.duckdb")
    (folder / "training.csv").chmod(0)
    done = run(*command, before=WITHOUT_MIGHT)
    assert done.returncode == 1
    assert english(done.stderr)[0].startswith("training.csv: cannot be opened (Permission denied); ")
    folder.chmod(stat.S_IXUSR)
    done = run(*command, before=WITHOUT_MIGHT)
    folder.chmod(stat.S_IRWXU)
    assert done.returncode == 1
    assert english(done.stderr)[0].startswith(f"{folder}: cannot be opened (Permission denied); ")


def test_no_folder_an_empty_one_and_a_file_in_its_place_are_refused(tmp_path):
    assert build(tmp_path / "nowhere").refusal.startswith(f"{tmp_path}/nowhere: no such folder; ")
    put(tmp_path, "a.csv", "x")
    assert build(tmp_path / "a.csv", to=tmp_path / "w.duckdb").refusal.startswith(f"{tmp_path}/a.csv: no such folder; ")
    (tmp_path / "empty").mkdir()
    assert build(tmp_path / "empty").refusal.startswith(f"{tmp_path}/empty: no source files")


# ------------------------------------------------------------------ files that change


@pytest.mark.parametrize("how", ["append", "rewrite", "replace", "cut", "remove"])
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, how):
    rows = [row("training", hours=str(at)) for at in range(60_000)]
    path = put(tmp_path, "training.csv", csv_text("training", rows))
    once = []

    def meddle(*_: Any) -> None:
        if once:
            return
        once.append(how)
        content = path.read_bytes()
        if how == "append":
            with path.open("ab") as file:
                file.write(b"more\n")
        elif how == "rewrite":
            path.write_bytes(content.replace(b"72", b"73"))
        elif how == "cut":
            os.truncate(path, 1000)
        elif how == "remove":
            path.unlink()
        else:
            put(tmp_path, "other", content)
            shutil.copystat(path, tmp_path / "other")
            os.replace(tmp_path / "other", path)

    validator = validate.Validator(contract("training"), parse_values.Setting(DAY, {}, b"k", places()))
    with pytest.raises((Refused, FileNotFoundError), match=r"the file changed while it was read|No such file"):
        read_file.read(read_file.Job(path, "training", 0, tmp_path), validator, meddle)
    assert once


# ------------------------------------------------------------------ readers that die


def test_a_reader_that_is_killed_or_stops_answering_is_a_refusal(folder, refused, monkeypatch):
    start = read_folder._Worker.start

    def strike(how: int) -> None:
        def started(self: read_folder._Worker, job: read_file.Job) -> None:
            if job.path.name == "personnel.csv":
                self._process.send_signal(how)
            start(self, job)

        monkeypatch.setattr(read_folder._Worker, "start", started)

    strike(signal.SIGKILL)
    assert refused() == f"personnel.csv: {STOPPED}"
    strike(signal.SIGSTOP)
    monkeypatch.setattr(read_folder, "SILENCE_SECONDS", 2)
    assert refused() == f"personnel.csv: {STOPPED}"


def test_messages_about_a_file_never_contain_its_values(folder, monkeypatch, refused):
    put(folder, "training_2.csv", "secret-0499370899\n1,2,3\n")
    assert "0499370899" not in refused()


# ------------------------------------------------------------------ names


NAMES = [
    "training_=cmd|' -C calc'!A1.csv",
    "training_<img src=x onerror=alert(1)>.csv",
    "training_\u202evsc.exe.csv",
    "training_\u2066\u200b.csv",
    "training_line\nbreak.csv",
    "training_\x1b[31mred\x07.csv",
    "training_" + "ن" * 100 + ".csv",
    "training_'; drop table quarantine; --.csv",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_with_tricks_in_it_loads_and_is_printed_in_one_line_without_them(folder, name, tmp_path):
    put(folder, name, csv_text("training", [row("training", result="x")]))
    built = build(folder)
    assert built.code == 0
    ((label, *_),) = built.rejected_rows()
    assert label.startswith("training_")
    assert not set(label) & set("\u202e\u2066\u200b\n\x1b\x07")
    assert built.counts(label) == (1, 0, 1, 0)
    assert not set(built.out) & set("\u202e\u2066\u200b\x1b\x07")
    put(folder, name, b"a,b\n")
    assert build(folder).refusal.startswith(label + ": line 1: missing")


def test_a_name_that_is_no_text_is_shown_by_its_bytes(folder):
    (Path(os.fsdecode(os.fsencode(folder) + b"/training_\xff\xfe.csv"))).write_text(
        csv_text("training", [row("training", result="x")])
    )
    built = build(folder)
    assert built.rejected_rows() == [("training_\\xff\\xfe.csv", 2, "result", "unknown_value")]


def test_titles_with_control_characters_are_shown_without_them(folder):
    titles = ["=1+1", "\x1b[2J", "<script>", "a" * 500, *(f"t{at}" for at in range(80))]
    text = csv_text("training", [row("training", completed_on="1402/05/01")]).splitlines()
    put(folder, "training_2.csv", f"{','.join([text[0], *titles])}\n{text[1]}{',x' * len(titles)}\n")
    built = build(folder)
    (note,) = built.file("training_2.csv")["notes"]
    assert note.startswith("extra columns ignored: =1+1, [2J, <script>, aaa")
    assert note.endswith(" and 34 more")
    assert "\x1b" not in built.out
    assert len(note) < 700


def test_cells_with_tricks_in_them_stay_text(folder):
    tricks = [
        "=1+1",
        "+1",
        "@SUM(A1)",
        "-2+3",
        "＝1+1",
        "<b>x</b>",
        "![i](http://x)",
        "'; drop table institutes; --",
        "{{7*7}}",
        "$(id)",
        "\\N",
        "NULL",
    ]
    put(
        folder,
        "institutes_2.csv",
        [row("institutes", institute_code=f"t{at}", name=trick) for at, trick in enumerate(tricks)],
    )
    built = build(folder)
    assert built.counts("institutes_2.csv") == (len(tricks), len(tricks), 0, 0)
    shown = built.sql(
        "select name from institutes where institute_code like 't%' order by cast(substr(institute_code, 2) as int)"
    )
    assert [name for (name,) in shown] == tricks
