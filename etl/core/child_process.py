"""Starts a module as a child process that is connected by a private socket."""

import os
import socket
import subprocess
import sys

from etl.core.paths import ROOT


def start(module: str, *arguments: str) -> tuple["subprocess.Popen[bytes]", socket.socket]:
    """The process of `python -m module SOCKET arguments…`, and our end of its socket.

    It has no standard streams, except standard error if ETL_TRACE is set.
    """
    ours, theirs = socket.socketpair()
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
