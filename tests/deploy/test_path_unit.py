"""The path unit of orders under a systemd of its own: orders are taken, after a start, a kill and a failure too.

The manager runs in namespaces of its own, where the machine looks as if systemd had started it. What needs the account
`policeyar` or the whole host is left out of the units.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from deploy import configure
from etl.core import settings
from etl.submissions import orders
from tests.deploy.test_units import INSTALLED
from tests.serving import ROOT, until
from tests.submissions.conftest import LAST, Office
from tests.submissions.conftest import built as built  # noqa: PLC0414 - a fixture
from tests.submissions.conftest import office as office  # noqa: PLC0414 - a fixture
from tests.submissions.test_commands import variables
from tests.submissions.test_way import PERSONNEL

_SYSTEMD = "/lib/systemd/systemd"
_MANAGER = f"""mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system "$XDG_RUNTIME_DIR" &&
{{ umount -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup; }} &&
{_SYSTEMD} --user --log-target=console & wait"""
_ALONE = ("unshare", "--mount", "--pid", "--fork", "--mount-proc", "--cgroup", "--kill-child")
# What only the host has: the account, the kernel's own mounts, and a home, where no checkout stands.
OF_THE_HOST = re.compile(r"(?m)^(User|Group|ProtectKernelTunables|ProtectKernelLogs|ProtectHome|WorkingDirectory)=.*\n")
_UNITS = ("policeyar-work.path", "policeyar-work.service")


def start(folder: Path) -> subprocess.Popen[bytes]:
    environment = {"XDG_RUNTIME_DIR": "/run/user/own", "SYSTEMD_UNIT_PATH": f"{folder}:", "PATH": os.environ["PATH"]}
    with (folder / "log").open("ab") as log:
        return subprocess.Popen([*_ALONE, "sh", "-c", _MANAGER], env=environment, stdout=log, stderr=log)


@cache
def has_systemd(folder: Path) -> bool:
    """Whether a manager can be started here."""
    if not os.path.exists(_SYSTEMD) or not shutil.which("unshare"):
        return False
    return subprocess.run([*_ALONE, "sh", "-c", "mount -t tmpfs tmpfs /run"], capture_output=True).returncode == 0


class Host:
    """The units of orders as they are installed, with the folders of an office, and their manager."""

    def __init__(self, office: Office, folder: Path) -> None:
        self.office, self.folder = office, folder
        self.manager: subprocess.Popen[bytes] | None = None
        folder.mkdir()
        known = replace(settings.Settings(), folders=office.settings.folders)
        for name in _UNITS:
            text = (ROOT / "deploy" / "systemd" / name).read_text(encoding="utf-8")
            self.put(name, OF_THE_HOST.sub("", text).replace(INSTALLED, sys.executable))
            self.put(f"{name}.d/settings.conf", configure.drop_ins(known)[f"{name}.d/settings.conf"])
        given = "".join(f'Environment="{name}={value}"\n' for name, value in variables(office).items())
        self.put(
            "policeyar-work.service.d/test.conf",
            f"[Service]\nWorkingDirectory={ROOT}\nBindPaths={folder.parent}\nBindReadOnlyPaths={ROOT}\nRestartSec=100ms\n{given}",
        )
        self.put(
            "policeyar-notify@.service", f"[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo %%i >> {folder}/told'\n"
        )
        self.put("policeyar-tell.service", f"[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo >> {folder}/news'\n")
        self.put("default.target", "[Unit]\nWants=policeyar-work.path\n")

    def put(self, name: str, content: str) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")

    def start(self) -> None:
        self.manager = start(self.folder)

    def lines(self, name: str) -> int:
        path = self.folder / name
        return len(path.read_text(encoding="utf-8").splitlines()) if path.exists() else 0

    def workers(self) -> list[int]:
        """The processes `etl work` of this office."""
        mark = f"SUBMISSIONS={self.office.settings.folders.submissions}\0".encode()
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if b"\0etl\0work\0" in (path / "cmdline").read_bytes() and mark in (path / "environ").read_bytes():
                    found.append(int(path.name))
            except OSError:
                continue
        return found


@pytest.fixture
def host(office: Office, tmp_path: Path) -> Iterator[Host]:
    if not has_systemd(tmp_path):
        pytest.skip("systemd cannot be started here")
    office.settings = replace(office.settings, sign_in=settings.SignIn())
    made = Host(office, tmp_path / "units")
    yield made
    if made.manager:
        made.manager.kill()
        made.manager.wait()


def ordered(office: Office) -> str:
    """A file to check, which is none: the worker is done with it once it was read."""
    draft = office.desk.open(office.clerk, "IR-07", LAST)
    office.give(office.clerk, draft.id, 1, PERSONNEL, "a")
    return draft.id


def is_checked(office: Office, ident: str) -> Callable[[], bool]:
    return lambda: office.desk.records.get(ident).state == "to_correct" and not orders.waiting(office.desk.root)


@pytest.mark.slow
def test_orders_left_before_and_after_the_start_of_a_host_are_taken(host):
    first = ordered(host.office)
    host.start()
    until(is_checked(host.office, first), "what was left before the start is checked")
    until(lambda: host.lines("news"), "news follow a publication")
    second = ordered(host.office)
    until(is_checked(host.office, second), "what is left after it is checked")
    assert host.lines("told") == 0


@pytest.mark.slow
def test_a_killed_worker_is_told_of_and_started_again(host):
    host.start()
    ident = ordered(host.office)
    until(host.workers, "the worker runs", step=0.01)
    os.kill(host.workers()[0], signal.SIGKILL)
    until(is_checked(host.office, ident), "the order is taken again")
    assert host.lines("told") == 1


@pytest.mark.slow
def test_orders_are_taken_once_what_stopped_the_worker_has_passed(host):
    tries, passed = host.folder / "tries", host.folder / "passed"
    once = f"ExecCondition=\nExecStart=\nExecStart=/bin/sh -c 'echo >> {tries}; test -e {passed}'\n"
    also = f"ExecStart={sys.executable} -m etl work\n"
    host.put("policeyar-work.service.d/fails.conf", f"[Service]\n{once}{also}RestartSteps=0\n")
    ident = ordered(host.office)
    host.start()
    until(lambda: host.lines("tries") > 12, "it is tried again and again")
    assert host.office.desk.records.get(ident).state == "checking"
    passed.touch()
    until(is_checked(host.office, ident), "the order is taken in the end")
