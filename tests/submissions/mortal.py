"""A process that ends itself by SIGKILL just before one of its accesses to the files of an installation.

    python -m tests.submissions.mortal FOLDER PART VICTIM AT MODULE WORDS…

Between two accesses nothing on the disk changes: their number is a moment that does not depend on how fast a machine is.
What the process does is PART (`web`: from the signal SIGUSR1 on), and `build` inside the pipeline of builds and checks. Each
access adds a byte to the file `moments-PART` of FOLDER; before number AT of VICTIM the process group is killed.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
from collections.abc import Callable
from typing import Any

from etl.build import pipeline
from etl.submissions import checking, work

_ACCESSES = {
    "open", "sqlite3.connect", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.link", "os.symlink",
    "os.truncate",
}  # fmt: skip


class Moments:
    """The accesses of a process, counted by part."""

    def __init__(self, folder: str, part: str, victim: str, at: int) -> None:
        self._folder, self._part, self._victim, self._at = folder, part, victim, at
        self._numbers = dict.fromkeys(("web", "worker", "build"), 0)
        self._files = {
            name: os.open(f"{folder}/moments-{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            for name in self._numbers
        }
        self.is_counting = part != "web"

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.is_counting or event not in _ACCESSES or not isinstance(arguments[0], (str, os.PathLike)):
            return
        if not os.fspath(arguments[0]).startswith(self._folder):
            return
        self._numbers[self._part] += 1
        if (self._part, self._numbers[self._part]) == (self._victim, self._at):
            os.killpg(os.getpgrp(), signal.SIGKILL)
        os.write(self._files[self._part], b".")

    def begin(self, *_: object) -> None:
        self.is_counting = True
        os.write(self._files[self._part], b".")

    def of_build(self, work: Callable[..., Any]) -> Callable[..., Any]:
        """`work`, whose accesses are those of a build."""

        def counted(*arguments: Any) -> Any:
            outside, self._part = self._part, "build"
            try:
                return work(*arguments)
            finally:
                self._part = outside

        return counted


def _leave_out_models() -> None:
    """Between their accesses, builds make no models and no numbers."""
    pipeline.run_models.build = pipeline.adoption_history.carry = pipeline._check_and_keep_numbers = lambda *_: None
    checking._changes = lambda *_, **__: {"changes": [], "jumps": [], "gone": None, "stale": [], "others": []}


def main() -> None:
    folder, part, victim, at, module, *words = sys.argv[1:]
    moments = Moments(folder, part, victim, int(at))
    # A command of a person is the web process that it would be asked for in.
    moments.is_counting |= module == "etl"
    signal.signal(signal.SIGUSR1, moments.begin)
    _leave_out_models()
    pipeline.build = moments.of_build(pipeline.build)
    pipeline.check = moments.of_build(pipeline.check)
    pipeline.prepare = moments.of_build(pipeline.prepare)
    pipeline.show = moments.of_build(pipeline.show)
    # No further files follow.
    work.SETTLED_SECONDS = 0.0
    sys.addaudithook(moments.hook)
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
