"""`python -m MODULE …` as a process in a session of its own."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[1]


class Process(subprocess.Popen[str]):
    """What is printed is kept, unless it goes to `stdout`."""

    def __init__(
        self,
        module: str,
        *words: str,
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
        stdout: IO[Any] | None = None,
    ) -> None:
        self._printed = [tempfile.TemporaryFile("w+") for _ in range(2)]  # noqa: SIM115 (read when it has ended)
        super().__init__(
            [sys.executable, "-m", module, *words],
            cwd=cwd,
            env=env,
            stdout=stdout or self._printed[0],
            stderr=self._printed[1],
            text=True,
            start_new_session=True,
        )

    def kill_session(self) -> None:
        """End it and those that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def ended(self) -> tuple[int, str, str]:
        """Its exit code, and what it printed to standard output and standard error."""
        code = self.wait()
        for file in self._printed:
            file.seek(0)
        output, errors = (file.read() for file in self._printed)
        return code, output, errors


def run(module: str, *words: str, **how: Any) -> subprocess.CompletedProcess[str]:
    """Run a process to its end."""
    return subprocess.CompletedProcess([module, *words], *Process(module, *words, **how).ended())
