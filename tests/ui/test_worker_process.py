"""Work in a separate process: its results and errors, its limits, and that nothing of it remains."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from etl.core import child_process
from tests.serving import ROOT, is_running, until
from ui.data import worker_process
from ui.data.worker_process import OutOfMemory, OutOfTime, Stopped, WorkerProcess

pytestmark = pytest.mark.slow

_MEMORY = 1 << 30


def doubled(tell: Any, number: int) -> int:
    tell(0.5)
    return 2 * number


def failing(_tell: Any) -> None:
    raise ValueError("for a reason")


def endless(_tell: Any, pid_file: str) -> None:
    Path(pid_file).write_text(str(os.getpid()))
    while True:
        time.sleep(0.1)


def hungry(_tell: Any, size: int) -> int:
    return len(bytearray(size))


def kill_itself(_tell: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def spill_and_kill_itself(_tell: Any) -> None:
    Path(os.environ["QUERY_TEMP"], "duckdb_temp_storage").touch()
    os.kill(os.getpid(), signal.SIGKILL)


def start_endless(pid_file: Path) -> tuple[WorkerProcess, int]:
    process = WorkerProcess(endless, str(pid_file), seconds=60, memory=_MEMORY)
    until(lambda: pid_file.exists() and pid_file.read_text(), "the process works")
    return process, int(pid_file.read_text())


def test_it_returns_the_result_and_reports_progress() -> None:
    process = WorkerProcess(doubled, 21, seconds=60, memory=_MEMORY)
    assert process.result() == 42
    assert process.share == 0.5


def test_it_raises_the_error_of_the_function() -> None:
    with pytest.raises(ValueError, match="for a reason"):
        WorkerProcess(failing, seconds=60, memory=_MEMORY).result()


def test_a_process_over_its_time_limit_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processes = []
    start = child_process.start
    monkeypatch.setattr(child_process, "start", lambda *words: processes.append(start(*words)) or processes[-1])
    with pytest.raises(OutOfTime):
        WorkerProcess(endless, str(tmp_path / "pid"), seconds=1, memory=_MEMORY).result()
    assert [process.returncode for process, _ in processes] == [-signal.SIGKILL]


@pytest.mark.parametrize("work", [hungry, kill_itself], ids=["too much memory", "taken by the kernel"])
def test_a_process_over_its_memory_limit_is_ended(work: Any) -> None:
    arguments = (_MEMORY,) if work is hungry else ()
    with pytest.raises(OutOfMemory):
        WorkerProcess(work, *arguments, seconds=60, memory=_MEMORY // 2).result()


# More than a pipe holds: a frozen process takes or sends a part of it.
_LARGE = bytes(32 << 20)


@pytest.mark.parametrize("how", ["limit", "stop"])
@pytest.mark.parametrize("moment", ["task", "work"])
def test_a_frozen_process_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str, how: str) -> None:
    processes: list[subprocess.Popen[bytes]] = []
    start = child_process.start

    def started(*words: str) -> Any:
        process, ours = start(*words)
        processes.append(process)
        if moment == "task":
            process.send_signal(signal.SIGSTOP)
        return process, ours

    monkeypatch.setattr(child_process, "start", started)
    work, task = (doubled, _LARGE) if moment == "task" else (endless, str(tmp_path / "pid"))
    # The limit is reached by moving the clock: the process takes as long to begin as the machine needs.
    ahead = [0.0]
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + ahead[0])
    monkeypatch.setattr(worker_process, "time", clock)
    process = WorkerProcess(work, task, seconds=600, memory=_MEMORY)
    until(lambda: processes and (moment == "task" or (tmp_path / "pid").exists()), "the process works")
    processes[0].send_signal(signal.SIGSTOP)
    if how == "stop":
        process.stop()
    else:
        ahead[0] = 601.0
    assert process.wait(90)
    with pytest.raises(OutOfTime if how == "limit" else Stopped):
        process.result()
    assert not is_running(processes[0].pid)


def test_a_process_that_is_asked_to_end_is_reported(tmp_path: Path) -> None:
    process, pid = start_endless(tmp_path / "pid")
    os.kill(pid, signal.SIGTERM)
    with pytest.raises(OutOfMemory):
        process.result()


def test_a_killed_process_leaves_no_spilled_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with pytest.raises(OutOfMemory):
        WorkerProcess(spill_and_kill_itself, seconds=60, memory=_MEMORY).result()
    assert not list(tmp_path.iterdir())


def test_a_stopped_process_leaves_nothing_whether_running_or_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_process, "_slots", worker_process.threading.BoundedSemaphore(1))
    first, pid = start_endless(tmp_path / "first")
    waiting = WorkerProcess(endless, str(tmp_path / "second"), seconds=60, memory=_MEMORY)
    assert not waiting.wait(1)
    for process in (waiting, first):
        process.stop()
        with pytest.raises(Stopped):
            process.result()
    assert not is_running(pid)
    assert not (tmp_path / "second").exists()
    next_process = WorkerProcess(doubled, 1, seconds=60, memory=_MEMORY)
    assert next_process.wait(60), "its place can be used again"
    assert next_process.result() == 2


def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    code = (
        "import time\nfrom tests.ui.test_worker_process import start_endless\nfrom pathlib import Path\n"
        f"start_endless(Path({str(pid_file)!r}))\ntime.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"TMPDIR": str(tmp_path)})
    try:
        until(lambda: pid_file.exists() and pid_file.read_text(), "the process works")
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    pid = int(pid_file.read_text())
    until(lambda: not is_running(pid), "it ends too")
