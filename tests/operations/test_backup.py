"""Backup and restore: everything that cannot be rebuilt comes back unchanged, and nothing in use is overwritten."""

import hashlib
import io
import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from etl.core.errors import Refused
from etl.core.paths import ROOT
from etl.core.settings import Folders
from etl.core.store import PostgresStore
from etl.operations import audit, backup, shared_tables, stores
from etl.semantic.rights import ADMINISTRATOR
from etl.submissions import notes
from etl.submissions.desk import Person
from etl.submissions.records import Records, Submission
from etl.warehouse import publications, version_files
from tests.conftest import Sample
from tests.loading import copy_publication, publish
from tests.postgres import server
from ui.access.follows import Follows, Kept, Mail, News, StateKept, Subscriber
from ui.access.saved_views import Saved, SavedViews
from ui.access.sessions import Sessions
from ui.access.tokens import Tokens
from ui.access.turns import Turns

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
        run=folder / "run",
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


def paths_of(folders: Folders) -> dict[str, Path]:
    """Every file of an installation that a backup holds, by its name there."""
    paths = {f"publications/{path.name}": path for path in publications.versions(folders.warehouse)}
    key = {"identity.key": folders.identity_key} if folders.identity_key.exists() else {}
    return paths | key | dict(backup._state(folders, ""))


def content(folders: Folders) -> dict[str, bytes]:
    """The files but databases, whose bytes say less than their rows."""
    return {name: path.read_bytes() for name, path in paths_of(folders).items() if path.suffix != ".sqlite"}


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
    modes = {name: stat.S_IMODE(path.stat().st_mode) for name, path in paths_of(new).items()}
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


def something_of_each_store(folders: Folders, address: str = "") -> None:
    """Rows in every store that a site has, also in those that no backup brings back."""
    person = Person("steward", ADMINISTRATOR)
    for number in range(3):
        Records(folders.submissions, address).add(
            "IR-07", "1405-07", lambda ident, _: Submission(ident, "IR-07", "1405-07")
        )
        SavedViews(folders.views, address).add(
            Saved(f"گزارش {number}", "overview", {"m": ["joiners"]}, "2026-12-03", "x")
        )
        note = notes.written(
            "training_compliance", "IR-07", "1405-07", f"reason {'abc'[number]} " * 3, "", date.today()
        )
        notes.Notes(folders.views, address).sign(person, note)
    SavedViews(folders.views, address).share("x", "گزارش 1", "team")
    follows = Follows(folders.views, address)
    follows.note_person(Subscriber("x", ("team",), "x@police.example", "fa", 1.5))
    follows.add(Kept("f", "x", "", {"condition": "publication", "place": "IR"}, 1.5))
    state = StateKept("f", "x", "IR", "000001", 2.5, "holds", "", None, "2026-12-03", "000001")
    told = News("x", "000001", "f", "IR", 2.5, "began", 0, None, "", 0.75, "2026-12-03", 0.25)
    follows.tell([state], [told], Mail("<m@x>", "x", "000001", "خبر", 3.5), "")
    Tokens(folders.views, address).make("x", (), "name", 1, time.time(), lambda: None)
    Sessions(folders.run / "sessions.sqlite", address).end("x", time.time())
    Turns(folders.run / "turns.sqlite", address).count("x", time.time())


def rows_of(folders: Folders, address: str = "") -> dict[str, str]:
    """The digest of the rows of each table that a backup holds, as its own module reads them."""
    every = {
        "submissions": Records(folders.submissions, address).all(),
        "views": SavedViews(folders.views, address).of("x"),
        "shared views": SavedViews(folders.views, address).shared("", ["team"]),
        "notes": notes.Notes(folders.views, address).all(),
        "follows": Follows(folders.views, address).all(),
        "people": Follows(folders.views, address).people(),
        "states": Follows(folders.views, address).states("x"),
        "news": Follows(folders.views, address).news("x"),
        "mail": Follows(folders.views, address).unsent(),
    }
    return {name: hashlib.sha256(repr(rows).encode()).hexdigest() for name, rows in every.items()}


@pytest.fixture
def address() -> Iterator[str]:
    """A new PostgreSQL that hosts share."""
    with server() as database:
        yield f"postgresql://postgres@/register?host={database.folder}&port={database.port}"


def test_an_archive_is_the_same_from_a_file_and_from_postgresql_and_goes_back_into_either(installed, tmp_path, address):
    something_of_each_store(installed, address)
    before = rows_of(installed, address)
    archive = backup.backup(installed, database=address)
    with tarfile.open(archive) as packed:
        names = {name for name in packed.getnames() if name.endswith(".sqlite")}
    assert names == {"submissions/submissions.sqlite"} | {
        f"views/{name}.sqlite" for name in ("views", "notes", "follows")
    }
    alone = folders_in(tmp_path / "alone")
    backup.restore(archive, alone)
    assert rows_of(alone) == before, "into the files of one host"
    with server() as other:
        elsewhere = f"postgresql://postgres@/register?host={other.folder}&port={other.port}"
        for _ in range(2):
            # The second one finds everything in its place.
            backup.restore(archive, folders_in(tmp_path / "several"), elsewhere)
            assert rows_of(folders_in(tmp_path / "several"), elsewhere) == before, "into the database of several"
        assert [*shared_tables.dump(elsewhere)] == [*shared_tables.dump(address)]
        assert Tokens(alone.views, elsewhere).of("x") == [], "no token comes back"
    # And from one host to several.
    Tokens(alone.views).make("x", (), "name", 1, time.time(), lambda: None)
    again = backup.backup(alone, tmp_path / "again.tar")
    with tarfile.open(again) as packed:
        assert {name for name in packed.getnames() if name.endswith(".sqlite")} == names, "no token of one host either"
    with server() as other:
        elsewhere = f"postgresql://postgres@/register?host={other.folder}&port={other.port}"
        backup.restore(again, folders_in(tmp_path / "grown"), elsewhere)
        assert rows_of(folders_in(tmp_path / "grown"), elsewhere) == before


def test_a_shared_database_in_use_is_not_written_over(installed, tmp_path, address):
    something_of_each_store(installed, address)
    archive = backup.backup(installed, tmp_path / "saved.tar", address)
    Records(installed.submissions, address).add(
        "IR-07", "1405-07", lambda ident, _: Submission(ident, "IR-07", "1405-07")
    )
    before = rows_of(installed, address)
    new = folders_in(tmp_path / "new")
    with pytest.raises(Refused, match="table submissions of the shared database: holds other rows"):
        backup.restore(archive, new, address)
    assert rows_of(installed, address) == before
    assert content(new) == {}
    assert not new.warehouse.exists()


def test_every_table_of_the_shared_database_is_of_a_store_that_says_whether_it_is_kept(installed, address):
    something_of_each_store(installed, address)
    with PostgresStore("tests", address, "").transaction() as execute:
        made = execute("select table_name::text from information_schema.tables where table_schema = current_schema()")
    assert {name for (name,) in made} == {table for one in stores.STORES for table in one.tables}


def test_a_backup_while_builds_publish_holds_the_publication_that_it_names(installed, tmp_path, monkeypatch):
    """A build that ends between any two files takes the oldest away, as pruning does."""
    for at in range(12):
        folders = folders_in(tmp_path / f"site{at}")
        shutil.copytree(installed.warehouse.parent, folders.warehouse.parent, symlinks=True)
        steps = iter(range(12))

        def building(*given: object, add=backup._add, folders=folders, steps=steps, at=at, **more: object) -> str:
            if next(steps, None) == at % 3:
                for _ in range(2):
                    newest = publications.versions(folders.warehouse)[-1]
                    made = newest.with_name(f"{int(newest.stem) + 1:06}.duckdb")
                    shutil.copy(newest, made)
                    version_files.point(folders.warehouse, made)
                    publications.versions(folders.warehouse)[0].unlink()
            return add(*given, **more)

        with monkeypatch.context() as patch:
            patch.setattr(backup, "_add", building)
            archive = backup.backup(folders)
        new = folders_in(tmp_path / f"new{at}")
        backup.restore(archive, new)
        with tarfile.open(archive) as packed:
            told = json.loads(packed.extractfile("content.json").read())
        assert f"publications/{told['pointer']}" in told["files"]
        assert publications.current(new.warehouse).name == told["pointer"]


def test_an_archive_that_names_a_publication_it_does_not_hold_shows_the_newest_that_it_holds(installed, tmp_path):
    archive = backup.backup(installed, tmp_path / "saved.tar")
    of_earlier = tmp_path / "earlier.tar"
    with tarfile.open(archive) as packed, tarfile.open(of_earlier, "w") as written:
        for entry in packed:
            data = packed.extractfile(entry).read()
            if entry.name == "content.json":
                data = json.dumps(json.loads(data) | {"pointer": "000009.duckdb"}).encode()
                entry.size = len(data)
            written.addfile(entry, io.BytesIO(data))
    new = folders_in(tmp_path / "new")
    backup.restore(of_earlier, new)
    assert publications.current(new.warehouse).stem == "000002"


# Forks, once it has read the program, a child for each line: what it does, the folder, the archive, and at which access to files
# below the folder it ends itself. Between two accesses nothing on the disk changes.
_FORKING = """
import itertools, os, signal, sys
from pathlib import Path
from etl.operations import backup
from tests.operations.test_backup import folders_in

def run(act, folder, archive, at):
    seen = itertools.count(1)
    accesses = {"open", "sqlite3.connect", "os.rename", "os.remove", "os.link", "os.mkdir", "os.symlink"}
    def hook(event, arguments):
        if event in accesses and str(arguments[0]).startswith(folder) and next(seen) == int(at):
            os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)
    folders = folders_in(Path(folder))
    backup.backup(folders) if act == "backup" else backup.restore(Path(archive), folders)

for line in sys.stdin:
    if not (child := os.fork()):
        try:
            run(*line.rstrip("\\n").split("\\t"))
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Killing:
    """Backups and restores in processes that end themselves by SIGKILL."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def was_killed(self, act: str, folder: Path, archive: Path, at: int) -> bool:
        """Whether it came to its access number `at`, and was killed there."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{act}\t{folder}\t{archive}\t{at}\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        assert code in (0, -signal.SIGKILL)
        return code != 0


@pytest.fixture
def killing() -> Iterator[Killing]:
    words = [sys.executable, "-c", _FORKING]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Killing(process)
        assert process.stdin
        process.stdin.close()


def test_a_backup_killed_at_each_step_leaves_nothing_that_the_next_does_not_remove(installed, tmp_path, killing):
    something_of_each_store(installed)
    at, left = 1, 0
    while killing.was_killed("backup", tmp_path / "old", tmp_path, at):
        for archive in installed.backups.glob("*.tar"):
            # One that has its name is whole.
            backup.restore(archive, folders_in(tmp_path / f"new{at}"))
            archive.unlink()
        names = list(installed.backups.iterdir()) if installed.backups.exists() else []
        assert len(names) < 2, "what the one before left is gone"
        left += len(names)
        at += 1
    assert at > 15
    assert left > 10
    (archive,) = installed.backups.iterdir()
    assert archive.suffix == ".tar", "nothing with personal data, and perhaps the key, stays for ever"


def test_what_a_backup_that_is_running_writes_is_not_taken_for_a_left_over(installed, monkeypatch):
    add = backup._add

    def second(*given: object) -> str:
        monkeypatch.setattr(backup, "_add", add)
        backup.backup(installed, installed.backups / "policeyar-second.tar")
        return add(*given)

    monkeypatch.setattr(backup, "_add", second)
    first = backup.backup(installed)
    assert {path.name for path in installed.backups.iterdir()} == {first.name, "policeyar-second.tar"}


def test_a_restore_killed_at_each_step_is_repaired_by_the_next(installed, tmp_path, killing):
    something_of_each_store(installed)
    archive = backup.backup(installed, tmp_path / "saved.tar")
    at, before, rows = 1, content(installed), rows_of(installed)
    while True:
        new = folders_in(tmp_path / f"new{at}")
        was_killed = killing.was_killed("restore", tmp_path / f"new{at}", archive, at)
        backup.restore(archive, new)
        assert content(new) == before
        assert rows_of(new) == rows
        assert publications.current(new.warehouse).stem == "000001"
        assert list((tmp_path / f"new{at}").rglob("*.next")) == []
        if not was_killed:
            break
        shutil.rmtree(tmp_path / f"new{at}")
        at += 1
    assert at > 15


def test_a_backup_writes_nowhere_but_to_its_archive(installed, tmp_path, monkeypatch):
    """Debian's /tmp is memory."""
    something_of_each_store(installed)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "no such folder"))
    assert backup.backup(installed).exists()


def test_a_file_that_the_site_made_meanwhile_stops_a_restore(installed, tmp_path, monkeypatch):
    archive = backup.backup(installed, tmp_path / "saved.tar")
    new = folders_in(tmp_path / "new")
    move = backup._move

    def raced(source: Path, target: Path) -> None:
        if target.name == "views.json":
            target.write_text("of the site")
        move(source, target)

    monkeypatch.setattr(backup, "_move", raced)
    with pytest.raises(Refused, match="was made while it was restored"):
        backup.restore(archive, new)
    assert (new.views / "views.json").read_text() == "of the site"


def test_the_journal_of_a_database_that_is_gone_is_not_taken_for_that_of_the_restored_one(installed, tmp_path):
    something_of_each_store(installed)
    archive, before = backup.backup(installed, tmp_path / "saved.tar"), rows_of(installed)
    new = folders_in(tmp_path / "new")
    something_of_each_store(new)
    held = sqlite3.connect(new.submissions / "submissions.sqlite")
    held.execute("pragma journal_mode = wal")
    Records(new.submissions).add("IR-10", "1405-07", lambda ident, _: Submission(ident, "IR-10", "1405-07"))
    for path in [*new.views.glob("*.sqlite*"), new.submissions / "submissions.sqlite"]:
        path.unlink()
    assert (new.submissions / "submissions.sqlite-wal").exists()
    backup.restore(archive, new)
    held.close()
    assert rows_of(new) == before


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
