"""`python -m MODULE …` as a process that begins where a warm one stands, whose libraries are imported: most of a short run.

The warm one has imported nothing of ours: each process reads its own environment and declarations.
"""

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing import spawn, util
from multiprocessing.connection import Connection
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import IO, Any, NoReturn

ROOT = Path(__file__).parents[1]
_warm = multiprocessing.get_context("forkserver")
_LIBRARIES = (
    "duckdb", "httpx", "openpyxl", "pandas", "plotly.graph_objects", "prometheus_client", "pyarrow.compute", "pyarrow.parquet",
    "scipy.special", "streamlit.web.cli", "uvicorn", "xlsxwriter",
)  # fmt: skip
_warm.set_forkserver_preload([*_LIBRARIES])
# The main module of now may be the page that a test runs: no process runs it too.
_preparation = spawn.get_preparation_data
spawn.get_preparation_data = lambda name: {
    key: value for key, value in _preparation(name).items() if not key.startswith("init_main")
}
# Its socket lies in the folder for temporary files of now: a test may set another one.
util.get_temp_dir()


class _Open:
    """A descriptor that a process is given; there it is a number."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __reduce__(self) -> Any:
        return _received, (DupFd(self._number),)


def _received(descriptor: Any) -> int:
    return int(descriptor.detach())


class Process:
    """A process of `python -m module words…` in a session of its own; of subprocess.Popen it has what tests need.

    A word that is a Connection becomes the number of its descriptor. What is printed is kept, unless it goes to `stdout`.
    """

    def __init__(
        self,
        module: str,
        *words: str | Connection,
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
        stdout: IO[Any] | None = None,
    ) -> None:
        self._printed = [tempfile.TemporaryFile("w+") for _ in range(2)]  # noqa: SIM115 (read when it has ended)
        streams = [_Open(stream.fileno()) for stream in (stdout or self._printed[0], self._printed[1])]
        given = [_Open(word.fileno()) if isinstance(word, Connection) else word for word in words]
        task = str(cwd), {**(os.environ if env is None else env)}, streams, [module, *given]
        # It does not outlive the tests: a reader of files that is kept for the next build would.
        self._process = _warm.Process(target=_run, args=task, daemon=True)
        self._process.start()
        assert self._process.pid
        self.pid = self._process.pid
        with suppress(ProcessLookupError):
            while os.getpgid(self.pid) != self.pid:
                time.sleep(0.001)

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        # Its parent, the warm process, may have seen its end before we do.
        with suppress(ProcessLookupError):
            if self.poll() is None:
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def kill_session(self) -> None:
        """End it and those that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

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


def worker(module: str, *words: str) -> tuple[Process, Connection]:
    """In place of etl.core.child_process.start."""
    ours, theirs = multiprocessing.Pipe()
    with theirs:
        return Process(module, theirs, *words), ours


def _run(folder: str, environment: dict[str, str], streams: list[int], words: list[Any]) -> None:
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for number, descriptor in enumerate(streams, 1):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.path.insert(0, folder)
    os.execv = _execute  # type: ignore[assignment]
    _become([*map(str, words)])


def _execute(_: object, command: Sequence[str]) -> NoReturn:
    """In place of os.execv, of `python -m module words…`."""
    _become([*command[2:]])
    sys.exit()


def _become(words: list[str]) -> None:
    sys.argv = words
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)
