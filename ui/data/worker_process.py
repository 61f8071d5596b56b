"""Runs a function in a separate process, so that it blocks no other user: python -m ui.data.worker_process SOCKET.

The function and its arguments are pickled over a private socket pair. The process has low priority and limits on time and
memory, is the first that the kernel kills if memory runs out, and ends with the process that started it.
"""

import gc
import os
import pickle
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from multiprocessing.connection import Connection
from typing import Any

from etl.core import child_process, settings

_NICENESS = 15
_POLL_SECONDS = 0.1
# Half of the cores stay free for the web process; further work is queued.
_slots = threading.BoundedSemaphore(max(1, (os.cpu_count() or 1) // 2))

Report = Callable[[float], None]


class Ended(Exception):
    """The work ended without a result."""


class OutOfTime(Ended):
    """The work exceeded its time limit."""


class OutOfMemory(Ended):
    """The work exceeded its memory limit."""


class Stopped(Ended):
    """The caller stopped the work."""


@cache
def worker_memory() -> int:
    """The bytes that a separate process may use: half of those of the web process that starts it."""
    return settings.web_memory(settings.read()) // 2


class WorkerProcess:
    """Starts `work(report, *arguments)` in a separate process; `share` is the progress that the work reported last.

    The caller must call `stop`; otherwise an abandoned process runs until its time limit.
    """

    def __init__(self, work: Callable[..., Any], *arguments: Any, seconds: float, memory: int) -> None:
        self.share = 0.0
        self._result: Any = None
        self._error: BaseException | None = None
        self._stop, self._done = threading.Event(), threading.Event()
        task = pickle.dumps((work, arguments))
        threading.Thread(target=self._follow, args=(task, seconds, memory), name="worker-process", daemon=True).start()

    @property
    def is_done(self) -> bool:
        return self._done.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait at most `seconds`; returns whether the work is done."""
        return self._done.wait(seconds)

    def result(self, gone: threading.Event | None = None) -> Any:
        """Wait for the result of the work; it is stopped when `gone` is set. Raises its exception, or Ended."""
        while not self._done.wait(_POLL_SECONDS if gone else None):
            if gone and gone.is_set():
                self.stop()
        if self._error:
            raise self._error
        return self._result

    def stop(self) -> None:
        """End the process soon. No effect if it is done."""
        self._stop.set()

    def _follow(self, task: bytes, seconds: float, memory: int) -> None:
        try:
            while not _slots.acquire(timeout=_POLL_SECONDS):
                if self._stop.is_set():
                    raise Stopped
            try:
                self._result = self._run(task, seconds, memory)
            finally:
                _slots.release()
        except BaseException as error:
            self._error = error
        finally:
            self._done.set()

    def _run(self, task: bytes, seconds: float, memory: int) -> Any:
        # A process that is killed leaves what it spilled.
        with tempfile.TemporaryDirectory(prefix="work-", ignore_cleanup_errors=True) as folder:
            process, pipe = child_process.start("ui.data.worker_process", str(memory), folder)
            end = time.monotonic() + seconds
            over = threading.Event()
            killer = threading.Thread(target=self._kill_at_limit, args=(process, end, over), daemon=True)
            killer.start()
            try:
                with pipe:
                    return self._await_result(pipe, task, end)
            finally:
                over.set()
                killer.join()
                process.kill()
                process.wait()

    def _kill_at_limit(self, process: "subprocess.Popen[bytes]", end: float, over: threading.Event) -> None:
        """Kill the process when it is stopped or out of time: a frozen one neither takes its task nor sends a whole answer."""
        while not over.wait(_POLL_SECONDS):
            if self._stop.is_set() or time.monotonic() > end:
                process.kill()

    def _await_result(self, pipe: Connection, task: bytes, end: float) -> Any:
        try:
            pipe.send_bytes(task)
            kind, content = pickle.loads(pipe.recv_bytes())
            while kind == "share":
                self.share = content
                kind, content = pickle.loads(pipe.recv_bytes())
        except (EOFError, OSError):
            # The process ended without an answer: it was killed here, or by the kernel for its memory.
            if self._stop.is_set():
                raise Stopped from None
            raise (OutOfTime if time.monotonic() > end else OutOfMemory) from None
        if kind == "failed":
            raise content
        return content


# ---------------------------------------------------------------- inside the worker process


def main() -> None:
    """Run the work received on the socket."""
    _limit(int(sys.argv[2]), sys.argv[3])
    pipe = Connection(int(sys.argv[1]))
    # It imports the modules of the work, which stay: looking for garbage in them takes a seventh of the time.
    gc.disable()
    work, arguments = pickle.loads(pipe.recv_bytes())
    gc.freeze()
    gc.enable()
    threading.Thread(target=_end_with, args=(pipe,), daemon=True).start()
    pipe.send_bytes(_outcome(work, arguments, lambda share: pipe.send_bytes(pickle.dumps(("share", share)))))


def _outcome(work: Callable[..., Any], arguments: tuple[Any, ...], report: Report) -> bytes:
    import duckdb

    try:
        return pickle.dumps(("done", work(report, *arguments)))
    except (MemoryError, duckdb.OutOfMemoryException):
        return pickle.dumps(("failed", OutOfMemory()))
    except Exception as error:
        try:
            return pickle.dumps(("failed", error))
        except Exception:
            return pickle.dumps(("failed", RuntimeError(type(error).__name__)))


def _limit(memory: int, folder: str) -> None:
    os.nice(_NICENESS)
    # Read by etl.warehouse.publications: large sorts spill to disk.
    os.environ |= {"QUERY_MEMORY": f"{memory // 2 >> 20}MiB", "QUERY_THREADS": "1", "QUERY_TEMP": folder}
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
    child_process.limit_memory(memory)


def _end_with(pipe: Connection) -> None:
    """Exit when the parent does: it sends nothing more, so the socket closes only then."""
    with suppress(EOFError, OSError):
        pipe.recv_bytes()
    os._exit(1)


if __name__ == "__main__":
    # Imported by name, so that the parent can unpickle the exceptions of this module.
    from ui.data import worker_process

    worker_process.main()
