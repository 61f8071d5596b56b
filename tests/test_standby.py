"""A reader that was started ahead is the next one taken, and none outlives the process that started it."""

import subprocess
import sys

import pytest

from etl import standby
from tests.loading import ROOT


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    monkeypatch.setattr(standby, "_waiting", [])


def test_the_one_started_ahead_is_taken_and_then_a_new_one():
    standby.ahead()
    ((waiting, _),) = standby._waiting
    taken = [standby.take(), standby.take()]
    try:
        assert taken[0][0] is waiting
        assert taken[1][0] is not waiting
        assert not standby._waiting
    finally:
        for process, line in taken:
            line.close()
            assert process.wait(60) == 0


def test_one_that_nobody_takes_ends_with_its_starter():
    started = "from etl import standby; standby.ahead(); print(standby._waiting[0][0].pid)"
    done = subprocess.run(
        [sys.executable, "-c", started], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    pid = int(done.stdout)
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
