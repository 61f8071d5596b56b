"""python -m pages brief: files, refusals in one sentence, and books of all provinces."""

import errno
import os
import re
import resource
from pathlib import Path

import pytest

from etl.core.errors import Refused
from tests.conftest import ROOT
from tests.effort import thorough
from ui.briefing import command, content, writing
from ui.i18n import member_names

pytestmark = pytest.mark.slow

SAMPLE = ROOT / "tests" / "sample"


@pytest.fixture(scope="module")
def sparse(publish_sample) -> Path:
    """The hand-made sample: three provinces only."""
    return publish_sample().pointer


def brief(*words: object) -> int:
    return command.main(["brief", *map(str, words)])


def test_a_book_of_a_day_and_place_is_written_and_listed(pointer, tmp_path, capsys):
    assert brief("--from", pointer, "--province", "IR-11", "--on", "1404/12/29", "--lang", "en", "--to", tmp_path) == 0
    to = tmp_path / "briefing-IR-11-2026-03-20-en.pdf"
    assert to.read_bytes().startswith(b"%PDF")
    assert capsys.readouterr().out == f"{to}\n"
    (book,) = writing.written()
    assert (book.file, book.place, book.day, book.lang, book.is_exact) == (str(to), "IR-11", "2026-03-20", "en", False)


def test_a_book_written_again_is_listed_once(pointer, tmp_path):
    for _ in range(2):
        assert brief("--from", pointer, "--to", tmp_path / "x.pdf", "--exact") == 0
    assert [book.is_exact for book in writing.written()] == [True]


@thorough
def test_every_province_has_its_book(pointer, tmp_path):
    assert brief("--from", pointer, "--all", "--to", tmp_path) == 0
    books = sorted(path.name.split("-2026")[0] for path in tmp_path.glob("*.pdf"))
    assert books == [f"briefing-{code}" for code in sorted(member_names.fixed("province", "fa"))]
    assert len(books) == 31


def test_provinces_without_data_do_not_stop_the_others(sparse, tmp_path, capsys):
    assert brief("--from", sparse, "--all", "--to", tmp_path) == 1
    places_written = {path.name[9:14] for path in tmp_path.glob("*.pdf")}
    errors = capsys.readouterr().err.splitlines()
    assert 0 < len(places_written) < 31
    assert {line[:5] for line in errors} == set(member_names.fixed("province", "fa")) - places_written
    assert all(
        line.endswith(("holds nothing on 2026-06-30", "nobody is in service on 2026-06-30")) or "on " in line
        for line in errors
    )


def test_a_nation_of_few_people_has_its_book(sparse, tmp_path, capsys):
    """For circulation no province has a coverage that may be told: the book is without a map."""
    for number, word in enumerate([(), ("--exact",)]):
        assert brief("--from", sparse, *word, "--to", tmp_path / f"{number}.pdf") == 0, capsys.readouterr().err


def test_a_book_that_fails_is_named_and_the_others_are_written(pointer, tmp_path, capsys, monkeypatch):
    made = content.book

    def book(write):
        if write.scope.province == "IR-17":
            raise IndexError("a row of somebody")
        return made(write)

    monkeypatch.setattr(content, "book", book)
    monkeypatch.setattr(member_names, "fixed", lambda *_: {"IR-16": "", "IR-17": "", "IR-18": ""})
    assert brief("--from", pointer, "--all", "--to", tmp_path) == 1
    assert sorted(path.name[9:14] for path in tmp_path.glob("*.pdf")) == ["IR-16", "IR-18"]
    error = capsys.readouterr().err
    assert re.fullmatch(r"IR-17: no book could be made \(IndexError in test_command.py, line \d+\)\n", error)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--on", "1380/01/01"), "the nation: nobody is in service on 2001-03-21"),
        (("--on", "1300/01/01", "--province", "IR-11"), "IR-11: the data holds nothing on 1921-03-21"),
        (("--on", "1410/01/01"), "the nation: 2031-03-21 lies after the latest day of the data, "),
    ],
)
def test_a_day_without_data_is_refused_in_one_sentence(pointer, tmp_path, capsys, words, message):
    assert brief("--from", pointer, *words, "--to", tmp_path / "x.pdf") == 1
    errors = capsys.readouterr().err
    assert errors.startswith(message)
    assert errors.count("\n") == 1
    assert list(tmp_path.glob("*.pdf")) == []


@pytest.mark.parametrize(
    "words",
    [
        ("--province", "IR-99", "--to", "x"),
        ("--on", "1404/13/01", "--to", "x"),
        ("--all", "--province", "IR-11", "--to", "x"),
        ("--all", "--to", "x.pdf"),
        ("--all", "--changed"),
        (),
    ],
)
def test_invalid_arguments_are_a_usage_error(words, capsys):
    with pytest.raises(SystemExit) as raised:
        brief(*words)
    assert raised.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_an_unwritable_folder_gets_a_clear_error_and_leaves_nothing(pointer, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert brief("--from", pointer, "--province", "IR-17", "--to", tmp_path / "file" / "x.pdf") == 1
    errors = capsys.readouterr().err
    assert errors.startswith(f"{tmp_path}/file/x.pdf: cannot be written (")
    assert errors.count("\n") == 1
    assert writing.written() == []


def test_a_full_disk_leaves_the_old_book_and_no_part_of_the_new(pointer, tmp_path, capsys, monkeypatch):
    to = tmp_path / "x.pdf"
    to.write_bytes(b"old")

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(writing.os, "fsync", full)
    assert brief("--from", pointer, "--province", "IR-17", "--to", to) == 1
    assert capsys.readouterr().err == f"{to}: cannot be written (No space left on device)\n"
    assert to.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["x.pdf"]


def test_a_file_that_may_not_grow_is_not_left_in_part(tmp_path):
    """A real error of the file system in the middle of writing."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(Refused, match="cannot be written"):
            writing.save(tmp_path / "x.pdf", b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []
