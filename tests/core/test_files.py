"""Files are replaced whole, and stay so after a power failure."""

import os
import stat

from etl.core import files
from etl.extract.source_folder import source_files


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
