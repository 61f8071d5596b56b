"""Reader processes (reader.py) as they are started, and some that are started before they are needed."""

import os
import socket
import subprocess
import sys

from etl.core.paths import ROOT

_ROOT = ROOT
_waiting: list[tuple["subprocess.Popen[bytes]", socket.socket]] = []


def ahead(readers: int) -> None:
    """Start some for whoever takes the next ones. They end by themselves when this process does."""
    _waiting.extend(_start() for _ in range(readers))


def take() -> tuple["subprocess.Popen[bytes]", socket.socket]:
    """A reader process and our end of the line to it."""
    return _waiting.pop() if _waiting else _start()


def _start() -> tuple["subprocess.Popen[bytes]", socket.socket]:
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "etl.extract.worker", str(theirs.fileno())],
            cwd=_ROOT,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=None if os.environ.get("ETL_TRACE") else subprocess.DEVNULL,
        )
    return process, ours
