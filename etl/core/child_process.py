"""Child processes that are connected by a private socket, and their limits."""

import os
import resource
import subprocess
import sys
from multiprocessing.connection import Connection, Pipe

from etl.core.paths import ROOT

# The memory limit of a reader of files. XLSX needs the most: a sheet is held in memory.
READER_MEBIBYTES = 3072

Child = tuple["subprocess.Popen[bytes]", Connection]
_waiting: dict[tuple[str, ...], list[Child]] = {}


def start_ahead(count: int, module: str, *arguments: str) -> None:
    """Start `count` processes for the next calls of `start` with the same words. They end with this process."""
    _waiting[module, *arguments] = [start(module, *arguments) for _ in range(count)]


def start(module: str, *arguments: str) -> Child:
    """The process of `python -m module SOCKET arguments…`, and our end of its connection.

    It has no standard streams, except standard error if ETL_TRACE is set.
    """
    if waiting := _waiting.get((module, *arguments)):
        return waiting.pop()
    ours, theirs = Pipe()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", module, str(theirs.fileno()), *arguments],
            cwd=ROOT,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=None if os.environ.get("ETL_TRACE") else subprocess.DEVNULL,
        )
    return process, ours


def limit_memory(size: int) -> None:
    """Limit the memory of this process to `size` bytes, or to a lower limit that it has already; it leaves no core file.

    A library in Rust that runs out of memory ends the process. If it prints a backtrace first, it runs out again and waits
    for its own lock forever, so none is printed.
    """
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    most = size if hard == resource.RLIM_INFINITY else min(size, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.environ["RUST_BACKTRACE"] = "0"
