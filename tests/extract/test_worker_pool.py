"""Workers that are started ahead are taken first, and none outlives the process that started it."""

import subprocess
import sys

import pytest

from etl.core import child_process
from etl.extract import WORKER
from tests.loading import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    monkeypatch.setattr(child_process, "_waiting", {})


def test_workers_started_ahead_are_taken_before_a_new_one_starts():
    child_process.start_ahead(2, WORKER)
    waiting = {process for process, _ in child_process._waiting[WORKER,]}
    workers = [child_process.start(WORKER) for _ in range(3)]
    try:
        assert {process for process, _ in workers[:2]} == waiting
        assert workers[2][0] not in waiting
        assert not child_process._waiting[WORKER,]
    finally:
        for process, line in workers:
            line.close()
            assert process.wait(180) == 0


def test_an_unused_worker_ends_with_its_parent():
    script = (
        "from etl.core import child_process; from etl.extract import WORKER; child_process.start_ahead(1, WORKER); "
        "print(child_process._waiting[WORKER,][0][0].pid)"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, timeout=180
    )
    pid = int(result.stdout)
    subprocess.run(
        [
            "timeout",
            "60",
            "sh",
            "-c",
            f"while kill -0 {pid} 2>/dev/null && ! grep -q '^State:.Z' /proc/{pid}/status; do sleep 0.1; done",
        ],
        check=True,
    )
