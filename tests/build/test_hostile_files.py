"""Hostile and damaged text files.

Each is either loaded with its faulty rows rejected, or refused in one line that names file, place and reason, with the last
publication untouched. Never a traceback, never a lost row.
"""

from __future__ import annotations

import codecs
import os
import shutil
import signal
import socket
import stat
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from etl.core.errors import Refused
from etl.extract import parse_values, read_file, read_folder, validate
from etl.extract.contract import contract
from tests.build.hostile import CELLS, HEADER, MEGABYTE, STOPPED, rejected_rows
from tests.effort import draws
from tests.loading import DAY, ROOT, WITHOUT_MIGHT, build_tables, csv_text, english, load, put, read, row, run

pytestmark = pytest.mark.slow

# ------------------------------------------------------------------ text files


def test_a_file_without_a_header_is_refused(folder):
    missing = "line 1: missing required column national_id, course_code"
    contents = {
        b"": "the file is empty; ",
        b"\n\n\n": "the file is empty; ",
        b"   \n": "the file is empty; ",
        b"\xef\xbb\xbf": "the file is empty; ",
        b"\xff\xfe\r\x00\n\x00": "the file is empty; ",
        b"\x00" * 500: missing,
        bytes(range(256)) * 40: missing,
        csv_text("training", [row("training")], "#").encode(): missing,
        b"\x7fELF" + bytes(2000): missing,
        ",".join(HEADER[1:]).encode() + b"\n": "line 1: missing required column national_id; ",
        ",".join([*HEADER, "نمره"]).encode() + b"\n": "line 1: column score appears twice; ",
        ",".join([*HEADER, *map(str, range(11_000))]).encode() + b"\n": "line 1: more than 10,000 columns; ",
        b"PK\x03\x04" + os.urandom(3000): "a packed file (ZIP); unzip it",
        b"<html><body>not found</body></html>": "a document (HTML) under the ending .csv",
        b"%PDF-1.7\n": "a document (PDF) under the ending .csv",
    }
    for number, content in enumerate(contents, 11):
        put(folder, f"training_{number}.csv", content)
    refusals = read(folder).refusals
    assert len(refusals) == len(contents)
    for number, (refusal, message) in enumerate(zip(refusals, contents.values(), strict=True), 11):
        assert refusal.startswith(f"training_{number}.csv: {message}")


def test_rows_that_cannot_be_read_are_kept_back_with_their_line_and_the_others_load(folder):
    """A row is one row, in the file of a worker that splits at once or by record."""

    def three(month: int, **second: str) -> str:
        return csv_text(
            "training",
            [row("training", completed_on=f"1402/{month:02}/0{at}", **(second if at == 2 else {})) for at in (1, 2, 3)],
        )

    head, semicolons = three(5).replace(",", ";").split("\n", 1)
    spoilt = row("training", completed_on="1402/13/01", course_code="PY\ufffd", hours="1\ufffd0")
    by_record = spoilt | {"course_code": '"PY\ufffd\n"'}
    faults = [(2, "completed_on", "bad_date"), (2, "course_code", "bad_encoding"), (2, "hours", "bad_encoding")]
    files = [
        (",".join(HEADER), (0, 0, 0, 0), []),
        (f"{head.replace(';', ',')}\n{semicolons}", (3, 0, 3, 0), [(line, "", "ragged_row") for line in (2, 3, 4)]),
        (three(6, course_code="PY-\x00101"), (3, 2, 1, 0), [(3, "course_code", "bad_encoding")]),
        (csv_text("training", [spoilt]), (1, 0, 1, 0), faults),
        (csv_text("training", [by_record]), (1, 0, 1, 0), faults),
        (three(7).encode("utf-16")[:-3], (3, 2, 1, 0), [(4, "result", "bad_encoding")]),
    ]
    for number, (content, *_) in enumerate(files):
        put(folder, f"training_{number}.csv", content)
    built = load(folder)
    for number, (_, counts, rejected) in enumerate(files):
        name = f"training_{number}.csv"
        assert (built.counts(name), sorted(rejected_rows(built, name))) == (counts, rejected), name


def test_wide_characters_load_with_and_without_their_mark(folder):
    names = []
    for year, (encoding, mark) in enumerate((("utf-16", b"\xfe\xff"), ("utf-32", b"\0\0\xfe\xff")), 2):
        for month, form in enumerate(("", "-le", "-be", "marked"), 1):
            text = csv_text("training", [row("training", completed_on=f"۱۴۰{year}/۰{month}/۰{at}") for at in (2, 3, 4)])
            content = mark + text.encode(f"{encoding}-be") if form == "marked" else text.encode(encoding + form)
            names.append(put(folder, f"training_{encoding}_{month}.csv", content).name)
    built = load(folder)
    assert [built.counts(name) for name in names] == [(3, 3, 0, 0)] * 8


def test_fields_and_lines_that_fill_the_memory_are_refused(folder):
    """Twenty megabytes in one field, quoted or not, and a line without an end."""
    field = "line 3: a field is longer than 1,000,000 characters; "
    for number, quote in ((2, ""), (3, '"')):
        big = quote + "ن" * (10 * MEGABYTE) + quote
        lines = (HEADER, CELLS, [CELLS[0], big, *CELLS[2:]])
        put(folder, f"training_{number}.csv", "".join(f"{','.join(line)}\n" for line in lines))
    put(folder, "training_4.csv", ",".join(HEADER) + "\n" + "x" * (40 * MEGABYTE))
    messages = {2: field, 3: field, 4: "line 2: longer than 32 MiB; "}
    for refusal, (number, message) in zip(read(folder).refusals, messages.items(), strict=True):
        assert refusal.startswith(f"training_{number}.csv: {message}")


@settings(max_examples=draws(50, 150), deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", ",".join(HEADER).encode() + b"\n"]))
@example(codecs.BOM_UTF8, ",".join(HEADER).encode() + b"\n")
def test_any_bytes_are_rows_or_a_refusal(tmp_path_factory, content, head):
    path = tmp_path_factory.getbasetemp() / "training_bytes.csv"
    path.write_bytes(head + content)
    job = read_file.Job(path, "training", 0, path.parent)
    validator = validate.Validator(contract("training"), parse_values.Setting(DAY, {}, b"k"))
    try:
        result = read_file.read(job, validator, lambda *_: None)
    except Refused as error:
        refusal = str(error)
    else:
        refusal = ""
    if refusal:
        assert len(refusal.splitlines()) == 1
        return
    with pa.OSFile(str(job.file("rows"))) as file:
        sound = pa.ipc.open_stream(file).read_all().num_rows
    with pa.OSFile(str(job.file("faults"))) as file:
        faults = pa.ipc.open_stream(file).read_all()
    unread = {
        line
        for line, reason in zip(faults["line"].to_pylist(), faults["reason"].to_pylist(), strict=True)
        if reason in ("ragged_row", "bad_encoding")
    }
    assert sound <= result.rows_read <= sound + len(unread)


# ------------------------------------------------------------------ what is no file


def test_a_folder_a_pipe_a_socket_and_links_to_nowhere_are_refused(folder):
    (folder / "training_2.csv").mkdir()
    os.mkfifo(folder / "training_3.csv")
    (folder / "training_4.csv").symlink_to("training_4.csv")
    (folder / "training_5.csv").symlink_to("training_6.csv")
    (folder / "training_6.csv").symlink_to("training_5.csv")
    (folder / "training_7.csv").symlink_to("training_0.csv")
    (folder / "training_8.csv").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(folder)
        server.bind("training_9.csv")
        os.chdir(ROOT)
        refusals = read(folder).refusals
    irregular, looping = "not a regular file", "cannot be opened (Too many levels of symbolic links)"
    causes = {2: irregular, 3: irregular, 4: looping, 5: looping, 6: looping, 8: irregular, 9: irregular}
    causes[7] = "cannot be opened (No such file or directory)"
    assert [line.partition(";")[0] for line in refusals] == [f"training_{at}.csv: {causes[at]}" for at in range(2, 10)]


def test_a_file_or_a_folder_without_read_permission_is_refused(folder, tmp_path):
    command = ("build", folder, "--to", tmp_path / "w.duckdb")
    (folder / "training.csv").chmod(0)
    result = run(*command, before=WITHOUT_MIGHT)
    assert result.returncode == 1
    assert english(result.stderr)[0].startswith("training.csv: cannot be opened (Permission denied); ")
    folder.chmod(stat.S_IXUSR)
    result = run(*command, before=WITHOUT_MIGHT)
    folder.chmod(stat.S_IRWXU)
    assert result.returncode == 1
    assert english(result.stderr)[0].startswith(f"{folder}: cannot be opened (Permission denied); ")


def test_no_folder_an_empty_one_and_a_file_in_its_place_are_refused(tmp_path):
    assert load(tmp_path / "nowhere").refusal.startswith(f"{tmp_path}/nowhere: no such folder; ")
    put(tmp_path, "a.csv", "x")
    assert load(tmp_path / "a.csv", to=tmp_path / "w.duckdb").refusal.startswith(f"{tmp_path}/a.csv: no such folder; ")
    (tmp_path / "empty").mkdir()
    assert load(tmp_path / "empty").refusal.startswith(f"{tmp_path}/empty: no source files")


# ------------------------------------------------------------------ files that change


@pytest.mark.parametrize("how", ["append", "rewrite", "replace", "cut", "remove"])
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, how):
    rows = [row("training", hours=str(at)) for at in range(10_000)]
    path = put(tmp_path, "training.csv", csv_text("training", rows))
    once = []

    def change_file(*_: Any) -> None:
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

    validator = validate.Validator(contract("training"), parse_values.Setting(DAY, {}, b"k"))
    with pytest.raises((Refused, FileNotFoundError), match=r"the file changed while it was read|No such file"):
        read_file.read(read_file.Job(path, "training", 0, tmp_path), validator, change_file)
    assert once


# ------------------------------------------------------------------ readers that die


def test_a_reader_that_is_killed_or_stops_answering_is_a_refusal(folder, monkeypatch):
    start = read_folder._Worker.start

    def send_signal_at_start(how: int) -> None:
        def started(self: read_folder._Worker, job: read_file.Job, *progress: read_folder._Progress) -> None:
            if job.path.name == "personnel.csv":
                self.process.send_signal(how)
            start(self, job, *progress)

        monkeypatch.setattr(read_folder._Worker, "start", started)

    send_signal_at_start(signal.SIGKILL)
    assert read(folder).refusal == f"personnel.csv: {STOPPED}"
    send_signal_at_start(signal.SIGSTOP)
    monkeypatch.setattr(read_folder, "SILENCE_SECONDS", 2)
    # On a busy machine the workers of the other files may be silent for as long.
    assert any(line.startswith(f"personnel.csv: {STOPPED}") for line in read(folder).refusals)


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
    os.fsdecode(b"training_\xff\xfe.csv"),
]


def test_names_and_titles_with_tricks_in_them_load_and_are_printed_in_one_line_without_them(folder):
    for name in NAMES:
        put(folder, name, csv_text("training", [row("training", result="x")]))
    titles = ["=1+1", "\x1b[2J", "<script>", "a" * 500, *(f"t{at}" for at in range(80))]
    text = csv_text("training", [row("training", completed_on="1402/05/01")]).splitlines()
    put(folder, "training_2.csv", f"{','.join([text[0], *titles])}\n{text[1]}{',x' * len(titles)}\n")
    built = load(folder)
    assert built.code == 0
    labels = [label for label, *_ in built.rejected_rows()]
    assert len(labels) == len(NAMES)
    for label in labels:
        assert label.startswith("training_")
        assert not set(label) & set("\u202e\u2066\u200b\n\x1b\x07")
        assert built.counts(label) == (1, 0, 1, 0)
    assert "training_\\xff\\xfe.csv" in labels, "a name that is no text is shown by its bytes"
    assert not set(built.out) & set("\u202e\u2066\u200b\x1b\x07")
    (note,) = built.file("training_2.csv")["notes"]
    assert note.startswith("extra columns ignored: =1+1, [2J, <script>, aaa")
    assert note.endswith(" and 34 more")
    assert len(note) < 700
    for name in NAMES:
        put(folder, name, b"a,b\n")
    refusals = read(folder).refusals
    assert sorted(line.partition(": line 1: missing")[0] for line in refusals) == sorted(labels)


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
    built = build_tables(folder)
    assert built.counts("institutes_2.csv") == (len(tricks), len(tricks), 0, 0)
    names = built.sql(
        "select name from institutes where institute_code like 't%' order by cast(substr(institute_code, 2) as int)"
    )
    assert [name for (name,) in names] == tricks
