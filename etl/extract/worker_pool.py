"""Starting worker processes (worker.py), and starting some before they are needed."""

import socket
import subprocess

from etl.core import child_process

_waiting: list[tuple["subprocess.Popen[bytes]", socket.socket]] = []


def ahead(count: int) -> None:
    """Start `count` workers for the next calls of `take`. They end with this process."""
    _waiting.extend(_start() for _ in range(count))


def take() -> tuple["subprocess.Popen[bytes]", socket.socket]:
    """A worker process and our end of its socket."""
    return _waiting.pop() if _waiting else _start()


def _start() -> tuple["subprocess.Popen[bytes]", socket.socket]:
    return child_process.start("etl.extract.worker")
