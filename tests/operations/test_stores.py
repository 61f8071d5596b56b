"""Each store of the site, full, read-only, locked, gone or damaged: who uses it is told its name and the cause."""

from __future__ import annotations

import errno
import re
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from etl.core import settings, store
from etl.core.store import StoreFault
from etl.extract.causes import in_language
from etl.operations import audit, stores
from etl.semantic.rights import ADMINISTRATOR
from etl.submissions import notes, orders
from etl.submissions.desk import Person
from etl.submissions.orders import Order
from etl.submissions.originals import Receiving
from etl.submissions.records import Records, Submission
from tests.loading import called
from ui.access.saved_views import Saved, SavedViews
from ui.access.sessions import Sessions
from ui.access.tokens import Tokens

STORES = {one.name: one for one in stores.STORES}
DRAFT = Submission("IR-07-1405-07-1", "IR-07", "1405-07")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    at = tmp_path / "disk"
    at.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(at)], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    yield at
    subprocess.run(["umount", str(at)], check=True)


def config_at(folder: Path, database: str = "") -> settings.Settings:
    """An installation with all of its stores in one folder."""
    folders = {one.folder: folder / one.folder for one in stores.STORES}
    sign_in = settings.SignIn("oidc", database=database)
    return replace(settings.Settings(), folders=settings.Folders(**folders), sign_in=sign_in)


def wrote(config: settings.Settings) -> dict[str, Callable[[], object]]:
    """An act on each store, as pages, programs and commands do it."""
    folders, address = config.folders, config.sign_in.database
    person = Person("steward", ADMINISTRATOR)
    view = Saved("view", "overview", {}, "2026-12-03")
    note = notes.written("training_compliance", "IR-07", "1405-07", "x" * 30, "", date.today())

    def signed() -> object:
        return notes.Notes(folders.views, address).sign(person, replace(note, fa=f"{time.time_ns()}"))

    return {
        "submissions": lambda: Records(folders.submissions, address).add(
            "IR-07", "1405-07", lambda ident, _: replace(DRAFT, id=ident)
        ),
        "views": lambda: SavedViews(folders.views, address).add(replace(view, name=f"{time.time_ns()}")),
        "notes": signed,
        "tokens": lambda: Tokens(folders.views, address).make("x", (), "name", 1, time.time(), lambda: None),
        "sessions": lambda: Sessions(STORES["sessions"].path(folders), address).end(f"{time.time_ns()}", time.time()),
        "audit": lambda: audit.record(folders.audit, "x" * 3000, "sign_in"),
    }


def fill(disk: Path) -> None:
    with (disk / "full").open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass


def read_only(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)


CAUSES: dict[str, tuple[int, Callable[[Path], None]]] = {
    "full": (errno.ENOSPC, fill),
    "read-only": (errno.EROFS, read_only),
}


@pytest.mark.parametrize("way", CAUSES)
def test_on_a_full_or_read_only_disk_each_store_is_named_with_its_cause(disk: Path, way: str) -> None:
    config, (code, plant) = config_at(disk), CAUSES[way]
    acts = wrote(config)
    for act in acts.values():
        act()
    config.folders.backups.mkdir()
    assert {name: one.fault(config) for name, one in STORES.items()} == dict.fromkeys(STORES)
    plant(disk)
    for name, one in STORES.items():
        found = one.fault(config)
        assert found is not None, name
        assert (found.store, found.errno) == (name, code)
    for name, act in acts.items():
        with pytest.raises(StoreFault) as raised:
            act()
        assert (raised.value.store, raised.value.errno) == (name, code)


@pytest.mark.parametrize("name", ["submissions", "views", "notes", "tokens", "sessions"])
@pytest.mark.parametrize(
    ("way", "code"), [("locked", errno.EBUSY), ("damaged", errno.EBADMSG), ("gone", errno.ENOTDIR)]
)
def test_a_database_that_cannot_be_used_is_named_with_its_cause(
    name: str, way: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_at(tmp_path)
    path, act = STORES[name].path(config.folders), wrote(config)[name]
    monkeypatch.setattr(
        store.sqlite3, "connect", lambda path, connect=sqlite3.connect, **how: connect(path, **how | {"timeout": 0})
    )
    act()
    if way == "locked":
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("begin immediate")
    elif way == "damaged":
        path.write_bytes(b"no database" * 900)
    else:
        folder = path.parent
        folder.rename(folder.with_name("elsewhere"))
        folder.touch()
    found = STORES[name].fault(config)
    assert found is not None
    assert (found.store, found.errno) == (name, code)
    if (name, way) != ("views", "damaged"):
        # Damaged views are set aside, and new ones begin.
        with pytest.raises(StoreFault) as raised:
            act()
        assert (raised.value.store, raised.value.errno) == (name, code)
    if way == "locked":
        holder.close()
        act()


def test_a_database_server_that_does_not_answer_is_named_by_each_store_that_it_holds(tmp_path: Path) -> None:
    config = config_at(tmp_path, "postgresql://dashboard@127.0.0.1:1/policeyar")
    acts = wrote(config)
    for name in ("submissions", "views", "notes", "tokens", "sessions"):
        with pytest.raises(StoreFault) as raised:
            acts[name]()
        for fault in (raised.value, STORES[name].fault(config)):
            assert fault is not None
            assert (fault.store, fault.errno) == (name, errno.ECONNREFUSED)
            assert "127.0.0.1" not in stores.line(fault) + stores.sentence(fault)


def test_orders_and_files_of_a_submission_name_its_store(disk: Path) -> None:
    read_only(disk)
    root = disk / "submissions"
    for act in (
        lambda: orders.place(root, Order("x")),
        lambda: Receiving(root, DRAFT, 1, "personnel.csv", 10),
    ):
        with pytest.raises(StoreFault) as raised:
            act()
        assert (raised.value.store, raised.value.errno) == ("submissions", errno.EROFS)


SIGN = (
    "--measure",
    "training_compliance",
    "--place",
    "IR-07",
    "--over",
    "1405-01",
    "--fa",
    "دوره‌ها دیر برگزار شد و جبران شد",
)
AWAY = {"SHARED_DATABASE": "postgresql://dashboard@127.0.0.1:1/policeyar"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "name", "more"),
    [
        (("work",), "submissions", {}),
        (("submissions", "list"), "submissions", AWAY),
        (("notes", "sign", *SIGN), "notes", {}),
        (("notes", "sign", *SIGN), "notes", AWAY),
        (("backup", "--to", "file/x.tar"), "backups", {}),
    ],
)
def test_a_command_names_the_store_in_one_line(
    words: tuple[str, ...], name: str, more: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = {one: str(tmp_path / one.lower()) for one in ("SUBMISSIONS", "VIEWS", "BACKUPS", "AUDIT")}
    for path in ("submissions/submissions.sqlite", "views/notes.sqlite"):
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_bytes(b"no database" * 900)
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    ended = called(*words, **folders | more)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert re.fullmatch(rf"store {name} \(.*\): .* \(E[A-Z]+\); python -m etl doctor examines every store", line), line


@pytest.mark.parametrize("name", STORES)
def test_a_person_reads_the_store_and_the_cause_and_the_log_gets_one_line(name: str) -> None:
    fault = StoreFault(name, errno.ENOSPC, f"/var/lib/{name}")
    assert stores.line(fault) == f"store {name} (/var/lib/{name}): No space left on device (ENOSPC)"
    english, persian = (in_language(stores.sentence(fault), lang) for lang in ("en", "fa"))
    assert "cannot be used now: the disk is full. Nothing was done" in english
    assert "اکنون در دسترس نیست: دیسک پر است." in persian
    assert "/var" not in english + persian, "a person learns no path"
