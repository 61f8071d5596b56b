"""Kills the processes of nginx that are frozen or left behind, so that nginx can start again: python -m deploy.watch.

A web process is watched by whether it answers. The workers of nginx share one port: while one is frozen, the others answer,
and only the connections of that one wait for ever. Workers whose master was killed keep the port from the next one.
"""

import os
import signal
import sys
import time
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
    stopped_before: set[int] = set()
    while True:
        stopped_before = look(pid_file, stopped_before)
        time.sleep(_EVERY_SECONDS)


def look(pid_file: Path, stopped_before: set[int]) -> set[int]:
    """Kill what was stopped at the last look and still is, and workers without a master; returns what is stopped now."""
    try:
        master = int(pid_file.read_text())
    except (OSError, ValueError):
        return set()
    states = _group(master)
    stopped = {pid for pid, state in states.items() if state == "T"}
    frozen = stopped & stopped_before
    # The master replaces a worker by itself.
    for pid in states if master in frozen or master not in states else frozen:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return stopped


def _group(master: int) -> dict[int, str]:
    """The state of each process of nginx in the process group that its master leads, by pid (proc(5))."""
    states = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            head, _, rest = path.read_text().rpartition(")")
            state, _, group = rest.split()[:3]
            if head.endswith("(nginx") and int(group) == master and state != "Z":
                states[int(path.parent.name)] = state
    return states


if __name__ == "__main__":
    sys.exit(main())
