"""Reader processes (reader.py) as they are started, and one that is started before it is needed."""

import os
import socket
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parent.parent
_waiting: list[tuple["subprocess.Popen[bytes]", socket.socket]] = []


def ahead() -> None:
    """Start one for whoever takes the next. It ends by itself when this process does."""
    _waiting.append(_start())


def take() -> tuple["subprocess.Popen[bytes]", socket.socket]:
    """A reader process and our end of the line to it."""
    return _waiting.pop() if _waiting else _start()


def _start() -> tuple["subprocess.Popen[bytes]", socket.socket]:
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "etl.reader", str(theirs.fileno())],
            cwd=_ROOT,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=None if os.environ.get("ETL_TRACE") else subprocess.DEVNULL,
        )
    return process, ours
