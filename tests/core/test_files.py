"""Files are replaced whole, and stay so after a power failure."""

import os
import stat
import subprocess
import sys
from pathlib import Path

from etl.core import files
from etl.extract.source_folder import source_files

# Removes its folder at its end, as the dashboard does, while a module still refers to a file in it.
_ENDS = """
import atexit, shutil, sys, tempfile
from etl.core import files
tempfile.tempdir = sys.argv[1]
atexit.register(shutil.rmtree, tempfile.tempdir)
files.kept = files.temporary("answer-")
"""


def test_a_replaced_file_and_its_new_name_are_written_to_the_disk(tmp_path, monkeypatch):
    path = tmp_path / "orders.json"
    path.write_text("old")
    synced = []

    def note(handle: int) -> None:
        synced.append((stat.S_ISDIR(os.fstat(handle).st_mode), path.read_text()))

    monkeypatch.setattr(os, "fsync", note)
    files.replace_text(path, "new")
    assert synced == [(False, "old"), (True, "new")]


def test_what_is_being_written_is_no_source_yet(tmp_path):
    path = tmp_path / "personnel.csv"
    path.write_text("old")
    with files.replacing(path) as waiting:
        waiting.write_text("half of the n")
        assert source_files(tmp_path) == [(path, "personnel")]


def test_a_temporary_file_goes_with_the_last_that_refers_to_it(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    kept = files.temporary("answer-")
    kept.write(b"rows")
    kept.flush()
    assert Path(kept.name).read_bytes() == b"rows"
    del kept
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_removes_its_temporary_files_at_its_end_says_nothing(tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    ended = subprocess.run([sys.executable, "-c", _ENDS, str(folder)], capture_output=True, check=True)
    assert (ended.stdout, ended.stderr) == (b"", b"")
    assert not folder.exists()
