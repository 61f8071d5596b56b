"""The processes of an installation without sign-in: the address of submissions, and the worker that takes its orders."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests import processes
from tests.serving import free_ports, until
from tests.submissions.conftest import Office
from tests.submissions.test_commands import variables


@dataclass
class Machine:
    """The processes of an installation without sign-in, which a test may kill. `folder`: that of the installation."""

    office: Office
    folder: Path = Path()
    port: int = field(default_factory=free_ports)
    web: processes.Process | None = None
    worker: processes.Process | None = None

    @property
    def client(self) -> httpx.Client:
        address = f"http://127.0.0.1:{self.port}"
        return httpx.Client(base_url=address, headers={"Origin": address}, timeout=30)

    def start_web(self, victim: str = "", at: int = 0) -> None:
        """Start the address, unless it runs. `victim`, `at`: as in tests/submissions/mortal.py."""
        if self.web is None or self.web.poll() is not None:
            words = "tests.submissions.handing_in_server", str(self.port)
            self.web = self.mortal("web", victim, at, *words) if self.folder.name else self._run(*words)
            until(lambda: self._answers(), "the address answers")

    def mortal(self, part: str, victim: str, at: int, *words: str) -> processes.Process:
        """A process that counts its accesses to the files, and ends itself before number `at` of the part `victim`."""
        return self._run("tests.submissions.mortal", str(self.folder), part, victim, str(at), *words)

    def moments(self, part: str) -> int:
        """The accesses counted so far."""
        path = self.folder / f"moments-{part}"
        return path.stat().st_size if path.exists() else 0

    def start_worker(self) -> None:
        if self.worker is None or self.worker.poll() is not None:
            self.worker = self._run("etl", "work")

    def kill(self, victim: str) -> bool:
        """End a process and those that it started at once; whether there was one."""
        process = self.web if victim == "web" else self.worker
        if process is None or process.poll() is not None:
            return False
        process.kill_session()
        process.wait()
        return True

    def _answers(self) -> bool:
        with contextlib.suppress(httpx.HTTPError), self.client as client:
            return client.get("/hand-in/nothing").status_code == 404
        return False

    def _temporary(self) -> dict[str, str]:
        """What a build writes aside belongs to the installation that is counted."""
        if not self.folder.name:
            return {}
        (self.folder / "tmp").mkdir(exist_ok=True)
        return {"TMPDIR": str(self.folder / "tmp")}

    def _run(self, *words: str) -> processes.Process:
        return processes.Process(*words, env={**os.environ, **variables(self.office)} | self._temporary())
