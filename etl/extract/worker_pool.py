"""Starting worker processes (worker.py), and starting some before they are needed."""

import os
import socket
import subprocess
import sys

from etl.core.paths import ROOT

_waiting: list[tuple["subprocess.Popen[bytes]", socket.socket]] = []


def ahead(count: int) -> None:
    """Start `count` workers for the next calls of `take`. They end with this process."""
    _waiting.extend(_start() for _ in range(count))


def take() -> tuple["subprocess.Popen[bytes]", socket.socket]:
    """A worker process and our end of its socket."""
    return _waiting.pop() if _waiting else _start()


def _start() -> tuple["subprocess.Popen[bytes]", socket.socket]:
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "etl.extract.worker", str(theirs.fileno())],
            cwd=ROOT,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=None if os.environ.get("ETL_TRACE") else subprocess.DEVNULL,
        )
    return process, ours
