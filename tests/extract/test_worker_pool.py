"""Workers that are started ahead are taken first, and none outlives the process that started it."""

import subprocess
import sys

import pytest

from etl.extract import worker_pool
from tests.loading import ROOT


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    monkeypatch.setattr(worker_pool, "_waiting", [])


def test_workers_started_ahead_are_taken_before_a_new_one_starts():
    worker_pool.ahead(2)
    waiting = {process for process, _ in worker_pool._waiting}
    workers = [worker_pool.take(), worker_pool.take(), worker_pool.take()]
    try:
        assert {process for process, _ in workers[:2]} == waiting
        assert workers[2][0] not in waiting
        assert not worker_pool._waiting
    finally:
        for process, line in workers:
            line.close()
            assert process.wait(60) == 0


def test_an_unused_worker_ends_with_its_parent():
    script = "from etl.extract import worker_pool; worker_pool.ahead(1); print(worker_pool._waiting[0][0].pid)"
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
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
