"""The memory that processes hold."""

import threading
from pathlib import Path


class Watch(threading.Thread):
    """The most memory that a process and its children hold together: private pages, for shared ones count once."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._over = threading.Event()
        self.peak = 0

    def run(self) -> None:
        while not self._over.wait(0.2):
            self.peak = max(self.peak, sum(map(held, family(self._pid))))

    def stop(self) -> None:
        self._over.set()
        self.join()


def held(pid: int) -> int:
    """Bytes of memory that a process holds for itself; 0 for one that is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss_Anon:")) * 1024


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    for one in found:
        try:
            for task in Path(f"/proc/{one}/task").iterdir():
                found += map(int, (task / "children").read_text(encoding="utf-8").split())
        except OSError:
            continue
    return found
