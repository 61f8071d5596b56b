"""Shared by tests of running processes: unused ports, responses, waiting."""

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deploy import configure, proxy
from etl.core import settings
from tests import processes
from tests.processes import ROOT, Process

PATIENCE = 180.0


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line with variables of the environment."""
    return processes.run("etl", *words, env={**os.environ, **environment})


def free_ports(count: int = 1) -> int:
    """The first of so many consecutive unused ports."""
    for _ in range(200):
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
        try:
            for number in range(port, port + count):
                with socket.socket() as taken:
                    taken.bind(("127.0.0.1", number))
        except OSError:
            continue
        return port
    raise AssertionError("no free ports")


def ask(port: int, path: str, timeout: float = 60) -> tuple[int, str]:
    """Status and body; 0 without a response."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def until(is_so: Callable[[], object], what: str, patience: float = PATIENCE, step: float = 0.1) -> None:
    """Wait for a condition; the test fails if it does not come true."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if is_so():
            return
        time.sleep(step)
    raise AssertionError(f"waited in vain: {what}")


def is_running(pid: int) -> bool:
    """Whether a process runs and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def publish(folder: Path) -> Path:
    """The small sample, published; its pointer."""
    pointer = folder / "warehouse" / "warehouse.duckdb"
    pointer.parent.mkdir(parents=True, exist_ok=True)
    run(
        *("build", str(ROOT / "tests" / "sample"), "--to", str(pointer)),
        IDENTITY_KEY="a key that only tests use, 32 bytes and more",
    ).check_returncode()
    return pointer


class Served:
    """The web processes of an installation and nginx before them, as deploy.configure sets them up. A context manager."""

    def __init__(self, folder: Path, processes: int = 1, **environment: str) -> None:
        first = free_ports(processes + 1)
        self.environment = {
            **os.environ,
            "POLICEYAR_RUN": str(folder),
            "POLICEYAR_WEB_HOST": "localhost",
            "POLICEYAR_WEB_PROCESSES": str(processes),
            "POLICEYAR_WEB_PORT": str(first),
            "POLICEYAR_WEB_LISTEN_PORT": str(first + processes),
            **environment,
        }
        self._settings = settings.read(self.environment)
        web = self._settings.web
        self.run, self.port, self.base = folder, web.listen_port, web.base_path
        self.ports = [first + number for number in range(processes)]
        self.origin = proxy.origin(web)
        self.dashboards: list[Process] = []
        self._proxy: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Served":
        try:
            for number in range(len(self.ports)):
                self.dashboards.append(Process("deploy.web", str(number), env=self.environment))
            configure.write(self._settings, self.run)
            for port in self.ports:
                self._wait_for(port)
            self._proxy = start_nginx(self.run, self.port)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: Any) -> None:
        everything = [process for process in (self._proxy, *self.dashboards) if process]
        for process in everything:
            process.terminate()
        for process in everything:
            try:
                process.wait(timeout=180)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _wait_for(self, port: int) -> None:
        until(lambda: ask(port, f"{self.base}/healthz")[0] == 200, "a web process answers")


def start_nginx(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """nginx with the nginx.conf of a folder, once it listens."""
    process = subprocess.Popen(
        [proxy.nginx(), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
    )

    def listens() -> bool:
        assert process.poll() is None, f"nginx ended with {process.returncode}"
        with socket.socket() as knock:
            return knock.connect_ex(("127.0.0.1", port)) == 0

    until(listens, "nginx listens")
    return process
