"""Backup and restore: everything that cannot be rebuilt comes back unchanged, and nothing in use is overwritten."""

import io
import json
import os
import shutil
import sqlite3
import stat
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from etl.core.errors import Refused
from etl.core.settings import Folders
from etl.operations import audit, backup
from etl.warehouse import publications
from tests.conftest import Sample
from tests.loading import copy_publication, publish

pytestmark = pytest.mark.slow


def folders_in(folder: Path) -> Folders:
    return replace(
        Folders(),
        warehouse=folder / "warehouse" / "warehouse.duckdb",
        incoming=folder / "incoming",
        submissions=folder / "submissions",
        views=folder / "views",
        audit=folder / "audit",
        identity_key=folder / "identity.key",
        backups=folder / "backups",
    )


@pytest.fixture(scope="module")
def published(publish_sample: Callable[..., Sample], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    pointer = copy_publication(publish_sample().pointer, folder / "warehouse")
    publish(pointer, pointer)
    return folder


@pytest.fixture
def installed(tmp_path, published) -> Folders:
    """An installation with two publications, the older one shown, and something of everything else."""
    folders = folders_in(tmp_path / "old")
    shutil.copytree(published, tmp_path / "old", symlinks=True)
    publications.roll_back(folders.warehouse)
    folders.identity_key.write_bytes(bytes(range(32)))
    folders.identity_key.chmod(0o600)
    (folders.submissions / "IR-23" / "0001").mkdir(parents=True)
    (folders.submissions / "IR-23" / "0001" / "پرسنل.csv").write_text("a,b\n")
    folders.incoming.mkdir()
    (folders.incoming / "personnel_IR-23.csv").write_text("a,b\n")
    folders.views.mkdir()
    (folders.views / "views.json").write_text("[]")
    folders.audit.mkdir()
    return folders


def content(folders: Folders) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in backup._files(folders)}


def test_a_restore_brings_back_everything(installed, tmp_path):
    archive = backup.backup(installed)
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    new = folders_in(tmp_path / "new")
    backup.restore(archive, new)
    assert content(new) == content(installed)
    assert len(content(new)) == 6
    assert publications.current(new.warehouse).stem == "000001"
    with publications.connect(new.warehouse) as con:
        assert publications.describe(con).id == "000001"


def test_a_restore_opens_only_publications_to_the_group(installed, tmp_path):
    new = folders_in(tmp_path / "new")
    backup.restore(backup.backup(installed), new)
    modes = {name: stat.S_IMODE(path.stat().st_mode) for name, path in backup._files(new)}
    assert {name for name, mode in modes.items() if mode != 0o600} == {
        "publications/000001.duckdb",
        "publications/000002.duckdb",
    }
    assert {mode for mode in modes.values() if mode != 0o600} == {0o640}
    original = new.submissions / "IR-23" / "0001"
    for folder in (new.submissions, original.parent, original):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder


def test_what_a_killed_restore_leaves_is_removed_by_the_next(installed, tmp_path, monkeypatch):
    archive = backup.backup(installed)
    new = folders_in(tmp_path / "new")

    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(backup, "_move", kill)
        killed.setattr(shutil, "rmtree", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            backup.restore(archive, new)
    assert len(list(new.warehouse.parent.rglob("identity.key"))) == 1
    backup.restore(archive, new)
    assert list(new.warehouse.parent.rglob("identity.key")) == []


def test_a_database_that_is_written_to_is_backed_up_whole(installed, tmp_path):
    path = installed.audit / "audit.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("pragma journal_mode=wal")
        database.execute("create table events (n integer)")
        database.executemany("insert into events values (?)", [(n,) for n in range(1000)])
        database.commit()
        # Committed rows are still in the log next to the file.
        assert path.with_name("audit.sqlite-wal").stat().st_size > 0
        archive = backup.backup(installed, tmp_path / "saved.tar")
    database.close()
    new = folders_in(tmp_path / "new")
    backup.restore(archive, new)
    with sqlite3.connect(new.audit / "audit.sqlite") as database:
        assert database.execute("select count(*) from events").fetchone() == (1000,)
    database.close()


def test_a_restore_overwrites_nothing(installed, tmp_path):
    archive = backup.backup(installed, tmp_path / "saved.tar")
    (installed.views / "views.json").write_text("[1]")
    before = content(installed)
    with pytest.raises(Refused, match="other content"):
        backup.restore(archive, installed)
    assert content(installed) == before
    (installed.views / "views.json").unlink()
    assert backup.restore(archive, installed) == [installed.views / "views.json"]


def test_a_damaged_archive_restores_nothing(installed, tmp_path):
    archive = backup.backup(installed, tmp_path / "saved.tar")
    archive_bytes = archive.read_bytes()
    new = folders_in(tmp_path / "new")
    damaged = bytearray(archive_bytes)
    damaged[len(damaged) // 2] ^= 1
    for spoilt in (bytes(damaged), archive_bytes[: len(archive_bytes) // 2], b"", b"x" * 5000):
        archive.write_bytes(spoilt)
        with pytest.raises(Refused):
            backup.restore(archive, new)
        assert content(new) == {}
        assert not new.warehouse.exists()


@pytest.mark.parametrize(
    "name", ["../outside", "views/../../outside", "/etc/outside", "elsewhere/x", "publications/a/b"]
)
def test_a_name_that_leads_elsewhere_is_refused(tmp_path, name):
    archive = tmp_path / "evil.tar"
    with tarfile.open(archive, "w") as packed:
        for path, text in ((name, b"x"), ("content.json", json.dumps({"pointer": "", "files": {name: ""}}).encode())):
            entry = tarfile.TarInfo(path)
            entry.size = len(text)
            packed.addfile(entry, io.BytesIO(text))
    with pytest.raises(Refused):
        backup.restore(archive, folders_in(tmp_path / "new"))
    assert not list(tmp_path.rglob("outside"))


def test_an_unfinished_archive_is_removed(installed, tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(backup.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        backup.backup(installed)
    assert list(installed.backups.iterdir()) == []


def test_a_backup_of_nothing_is_reported(tmp_path):
    with pytest.raises(Refused, match="nothing to back up"):
        backup.backup(folders_in(tmp_path))


def test_the_last_thirty_backups_are_kept(installed, monkeypatch):
    installed.backups.mkdir(exist_ok=True)
    for number in range(40):
        (installed.backups / f"policeyar-20200101T0000{number:02}.tar").write_text("")
    newest = backup.backup(installed)
    archives = sorted(installed.backups.iterdir())
    assert len(archives) == 30
    assert archives[-1] == newest


def test_a_backup_under_a_clock_set_back_is_kept(installed):
    installed.backups.mkdir(exist_ok=True)
    for number in range(40):
        (installed.backups / f"policeyar-20990101T0000{number:02}.tar").write_text("")
    assert backup.backup(installed).exists()
    assert len(list(installed.backups.iterdir())) == 30


def test_a_backup_holds_the_audit_log_without_the_keys_that_would_write_it_anew(installed, tmp_path):
    audit.record(installed.audit, "someone", "sign_in")
    first_key = audit.take_first_key(installed.audit)
    archive = backup.backup(installed)
    with tarfile.open(archive) as packed:
        names = [name for name in packed.getnames() if name.startswith("audit/")]
    assert [name for name in names if "head.json" in name or "first.key" in name] == []
    into = folders_in(tmp_path / "new")
    backup.restore(archive, into)
    audit.record(into.audit, "someone", "sign_out")
    assert audit.verify(into.audit) == "", "a new chain began beside the old one"
    assert "note of the end is missing" in audit.verify(into.audit, first_key)
    assert {event.event for event in audit.events(into.audit)} == {"sign_in", "sign_out"}
