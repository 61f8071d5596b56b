"""Kills the processes of nginx that are frozen or left behind, so that nginx can start again: python -m deploy.watch.

A web process is watched by whether it answers. The workers of nginx share one port: while one is frozen, the others answer,
and only the connections of that one wait for ever. Workers whose master was killed keep the port from the next one.

Under systemd this process says that it runs (WatchdogSec); supervisor starts two, each of which kills what is frozen of all
that supervisor started, the other one included.
"""

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from etl.core import settings

# One that is still stopped at the next look is frozen.
_EVERY_SECONDS = 3.0


def main() -> int:
    """Does not return, unless the settings are faulty."""
    try:
        pid_file = settings.apply().folders.run / "nginx.pid"
    except settings.Faulty as error:
        print(error, file=sys.stderr)
        return 1
    supervisor = os.getppid() if os.environ.get("SUPERVISOR_ENABLED") else None
    stopped_before: set[int] = set()
    while True:
        stopped_before = look(pid_file, stopped_before, supervisor)
        _say_that_it_runs()
        time.sleep(_EVERY_SECONDS)


def look(pid_file: Path, stopped_before: set[int], supervisor: int | None = None) -> set[int]:
    """Kill what was stopped at the last look and still is, and workers without a master; returns what is stopped now."""
    master = None
    with suppress(OSError, ValueError):
        master = int(pid_file.read_text())
    nginx, stopped = set(), set()
    for pid, name, state, parent, group in processes():
        if is_nginx := name == "nginx" and group == master:
            nginx.add(pid)
        if state == "T" and (is_nginx or parent == supervisor):
            stopped.add(pid)
    frozen = stopped & stopped_before
    # The master replaces a worker by itself.
    for pid in frozen | nginx if master in frozen or master not in nginx else frozen:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return stopped


def processes() -> Iterator[tuple[int, str, str, int, int]]:
    """Of each process that runs: its pid, name, state, and the pids of its parent and of the leader of its group (proc(5))."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            head, _, rest = path.read_text().rpartition(")")
            state, parent, group = rest.split()[:3]
            if state != "Z":
                yield int(path.parent.name), head.partition("(")[2], state, int(parent), int(group)


def _say_that_it_runs() -> None:
    """Tell systemd (sd_notify(3))."""
    if name := os.environ.get("NOTIFY_SOCKET"):
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
            to.sendto(b"READY=1\nWATCHDOG=1", name.replace("@", "\0", 1))


if __name__ == "__main__":
    sys.exit(main())
