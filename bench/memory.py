"""The memory that processes use."""

import threading
from pathlib import Path


class Watch(threading.Thread):
    """The peak memory of a process and its children, without files that they map."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._over = threading.Event()
        self.peak = 0

    def run(self) -> None:
        while not self._over.wait(0.2):
            self.peak = max(self.peak, sum(map(private_memory, family(self._pid))))

    def stop(self) -> None:
        self._over.set()
        self.join()


def private_memory(pid: int) -> int:
    """The anonymous memory of a process in bytes; 0 if it has ended.

    Of its status, because summing up the pages of a process of some gigabytes holds it up for a tenth of a second.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("RssAnon:")) * 1024


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    processes = [pid]
    for process in processes:
        try:
            for task in Path(f"/proc/{process}/task").iterdir():
                processes += map(int, (task / "children").read_text(encoding="utf-8").split())
        except OSError:
            continue
    return processes
