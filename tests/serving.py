"""What tests of running processes share: free ports, answers, waiting."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATIENCE = 90.0


def free_ports(count: int = 1) -> int:
    """The first of so many ports in a row on which nobody listens."""
    for _ in range(200):
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
        try:
            for number in range(port, port + count):
                with socket.socket() as one:
                    one.bind(("127.0.0.1", number))
        except OSError:
            continue
        return port
    raise AssertionError("no free ports")


def ask(port: int, path: str, timeout: float = 5) -> tuple[int, str]:
    """Status and body; 0 where nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def until(is_so: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Wait for it; the test fails where it does not come."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if is_so():
            return
        time.sleep(0.1)
    raise AssertionError(f"waited in vain: {what}")


def is_running(pid: int) -> bool:
    """Whether a process is there and is more than an exit code."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def publish(folder: Path) -> Path:
    """The small sample, published; its pointer."""
    pointer = folder / "warehouse" / "warehouse.duckdb"
    pointer.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [sys.executable, "-m", "etl", "build", str(ROOT / "tests" / "sample"), "--to", str(pointer)],
        cwd=ROOT,
        env={**os.environ, "IDENTITY_KEY": "a key that only tests use, 32 bytes and more"},
        check=True,
        capture_output=True,
    )
    return pointer
