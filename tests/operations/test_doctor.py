"""The doctor names each thing that the site lacks: a case for each fault, planted as it comes about."""

from __future__ import annotations

import http.server
import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from etl.core import settings
from etl.core.paths import ROOT
from etl.operations import doctor, programs, readiness, stores
from etl.submissions import commands, orders
from etl.submissions.orders import Order
from tests.serving import free_ports

NOW = time.time()


@dataclass
class Site:
    """An installation in a folder, before its first publication, with whom people sign in."""

    folder: Path
    config: settings.Settings
    patch: pytest.MonkeyPatch
    undo: ExitStack

    def change(self, section: str, **values: object) -> None:
        self.config = replace(self.config, **{section: replace(getattr(self.config, section), **values)})

    def faults(self) -> list[str]:
        """What is wrong with the needs of this module, with the name of each."""
        return [
            f"{need.name}: {text}"
            for need in doctor.NEEDS
            if not need.of_data and need.name not in ("sign-in", "memory", "disk")
            for text, is_well in need.examine(self.config)
            if not is_well
        ]

    def small_disk(self, at: Path) -> None:
        at.mkdir(parents=True, exist_ok=True)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(at)], capture_output=True).returncode:
            pytest.skip("no file system can be mounted here")
        self.undo.callback(subprocess.run, ["umount", str(at)], check=True)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    folders = {one.folder: tmp_path / one.folder for one in stores.STORES}
    made = settings.Folders(
        **folders,
        warehouse=tmp_path / "warehouse" / "w.duckdb",
        incoming=tmp_path,
        briefings=tmp_path / "briefings",
        identity_key=tmp_path / "identity.key",
    )
    port = free_ports(2)
    web = settings.Web(port=port, listen_port=port + 1, processes=1)
    (tmp_path / "run" / "web").mkdir(parents=True)
    with ExitStack() as undo:
        yield Site(
            tmp_path, settings.Settings(web=web, folders=made, sign_in=settings.SignIn("oidc")), monkeypatch, undo
        )


def listening(site: Site, port: int) -> None:
    """Another program at a port: a web server of somebody else."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    site.undo.callback(server.shutdown)


def silent(site: Site, port: int) -> None:
    """A program that takes connections and says nothing, as a process that hangs."""
    site.patch.setattr(doctor, "_PORT_SECONDS", 0.2)
    site.undo.enter_context(socket.create_server(("127.0.0.1", port)))


def full(site: Site, folder: Path) -> None:
    site.small_disk(folder)
    with (folder / "full").open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass


def in_way(site: Site, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.touch()


def open_tls_key(site: Site) -> None:
    for folder in site.folder.resolve().parents:
        # Those of pytest are its owner's alone; that of an office's certificates is not.
        if folder.is_relative_to("/tmp") and folder != Path("/tmp"):
            site.undo.callback(folder.chmod, folder.stat().st_mode & 0o777)
            folder.chmod(0o755)
    site.folder.chmod(0o755)
    key = site.folder / "tls.key"
    key.write_text("key")
    key.chmod(0o644)
    site.change("web", certificate_key=key)


def old_order(site: Site) -> None:
    orders.place(site.config.folders.submissions, Order("x"))
    (left,) = orders.folder(site.config.folders.submissions).glob("*.json")
    os.utime(left, (time.time() - 7200,) * 2)


def originals_without_record(site: Site) -> None:
    (site.config.folders.submissions / "IR-07" / "IR-07-1405-07-1").mkdir(parents=True)


# By name: how it is planted, and what the doctor says, with the name of the need at the beginning.
CASES: dict[str, tuple[Callable[[Site], object], str]] = {
    "port of the web process": (
        lambda site: listening(site, site.config.web.port),
        r"ports: \d+ is held by another program, or by a process that hangs: ss -ltnp sport = :\d+",
    ),
    "web process that hangs": (lambda site: silent(site, site.config.web.port), r"ports: \d+ is held by another"),
    "port of the proxy": (
        lambda site: listening(site, site.config.web.listen_port),
        r"ports: \d+ is held by another program than the proxy: ss -ltnp sport = :\d+",
    ),
    "PostgreSQL": (
        lambda site: site.change("sign_in", database="postgresql://dashboard@127.0.0.1:1/policeyar"),
        r"stores: submissions, views, notes, follows, tokens, sessions \(PostgreSQL\): Connection refused \(ECONNREFUSED\)",
    ),
    "disk of submissions": (
        lambda site: full(site, site.config.folders.submissions),
        r"stores: submissions \(.*/submissions\.sqlite\): No space left on device \(ENOSPC\)",
    ),
    "disk of views": (
        lambda site: full(site, site.config.folders.views),
        r"stores: views \(.*\): No space left on device \(ENOSPC\)",
    ),
    "disk of backups": (
        lambda site: full(site, site.config.folders.backups),
        r"stores: backups \(.*\): No space left on device \(ENOSPC\)",
    ),
    "submissions not a folder": (
        lambda site: in_way(site, site.config.folders.submissions),
        r"stores: submissions \(.*\): Not a directory \(ENOTDIR\)",
    ),
    "audit log not a folder": (
        lambda site: in_way(site, site.config.folders.audit),
        r"stores: audit \(.*\): .*\(E\w+\)",
    ),
    "record of submissions gone": (
        originals_without_record,
        r"stores: submissions \(.*\): submissions\.sqlite is gone; python -m etl restore takes it from a backup",
    ),
    "clock years ahead": (
        lambda site: site.patch.setattr(doctor.time, "time", lambda: NOW + 4 * 366 * 86_400),
        r"clock: is \d+ days after .*, the time of the newest file here: is it ahead\?",
    ),
    "TLS key": (open_tls_key, r"permissions: .*/tls\.key can be read by every account of this machine: chmod o-rwx"),
    "recipients of an earlier version": (
        lambda site: in_way(site, site.config.folders.briefings / "recipients.toml"),
        r"settings: .*/recipients\.toml is read no more: write its places into the file of mail\.follows, then delete it",
    ),
    "worker": (old_order, r"worker: an order waits for 120 minutes: systemctl status policeyar-work"),
}


def test_nothing_is_wrong_where_nothing_is_wrong(site: Site) -> None:
    assert site.faults() == []


@pytest.mark.parametrize("case", CASES)
def test_each_fault_is_named_by_the_doctor(case: str, site: Site) -> None:
    plant, said = CASES[case]
    plant(site)
    found = site.faults()
    assert any(re.match(said, line) for line in found), found
    needs = {line.partition(":")[0] for line in found}
    assert needs == {said.partition(":")[0]}, "and nothing else is accused"


def test_without_chromium_the_doctor_warns(site: Site) -> None:
    site.patch.setattr(programs, "browser", lambda: "")
    ((said, is_well),) = doctor._browser(site.config)
    assert said.startswith("warning: no Chromium")
    assert is_well, "it is optional"


def test_a_key_in_a_folder_that_others_may_not_enter_is_read_by_nobody(site: Site) -> None:
    open_tls_key(site)
    site.folder.chmod(0o700)
    assert site.faults() == []


READY = {"submissions", "audit", "sessions"}


@pytest.mark.parametrize("name", [one.name for one in stores.STORES])
def test_a_host_is_not_ready_without_the_stores_that_readers_and_clerks_need(name: str, site: Site) -> None:
    site.patch.setattr(readiness, "served", lambda *_: readiness.Served("000001", 0, 1, 0, ""))
    assert readiness.ready(site.config).fault == ""
    (one,) = (one for one in stores.STORES if one.name == name)
    folder = site.folder / "elsewhere"
    site.change("folders", **{one.folder: folder})
    in_way(site, folder)
    fault = readiness.ready(site.config).fault
    assert bool(fault) == (name in READY)
    assert not fault or fault.startswith(f"store {name}: "), fault
    assert str(site.folder) not in fault, "the monitor learns no path"


def test_operations_says_of_each_need_what_to_do() -> None:
    told = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").partition("## What the site needs")[2]
    rows = re.findall(r"(?m)^\| `([^`]+)` \|", told.partition("\n## ")[0])
    assert rows == [need.name for need in (*doctor.NEEDS, commands.NEED)]
