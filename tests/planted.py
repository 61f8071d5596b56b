"""Faults of one line, each with the tests that catch it: `make planted`, or `python -m tests.planted NAME…`.

    leavers.sql: `later.hired_on <= lasts.left_on + 90` becomes `+ 89`      caught by tests/semantic/test_oracle.py

Before and after tests are cut every fault is caught. A fault that only a page or a browser catches shows a hole in a property.
The faults are planted in a copy; `tests/test_planted.py` holds that each still has its line.
"""

import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
_CAUGHT = 1  # pytest's exit code where tests failed


@dataclass(frozen=True)
class Fault:
    """`line` stands once in `file`, and `planted` in its place is wrong; `caught_by` are arguments of pytest."""

    name: str
    file: str
    line: str
    planted: str
    caught_by: str

    def plant(self, root: Path) -> None:
        """Write the fault into the tree at `root`. Raises ValueError where its line does not stand once."""
        text = (root / self.file).read_text("utf-8")
        if text.count(self.line) != 1:
            raise ValueError(f"{self.name}: {self.file} has {text.count(self.line)} times {self.line!r}")
        (root / self.file).write_text(text.replace(self.line, self.planted), "utf-8")

    def take_out(self, root: Path) -> None:
        """The file as it was."""
        shutil.copyfile(ROOT / self.file, root / self.file)


def faults() -> list[Fault]:
    """Those of planted.toml, in its order."""
    declared = tomllib.loads((ROOT / "tests" / "planted.toml").read_text("utf-8"))
    return [Fault(name, **entry) for name, entry in declared.items()]


def copy_of_tree(to: Path) -> None:
    """The files that git knows, and the environment beside them."""
    known = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, known.split("\0")):
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, to / name)
    (to / ".venv").symlink_to(ROOT / ".venv")


def main(names: list[str]) -> int:
    """Plant each fault and run its tests; 0 if every one was caught."""
    chosen = [fault for fault in faults() if not names or fault.name in names]
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        copy_of_tree(root := Path(folder))
        for fault in chosen:
            fault.plant(root)
            began = time.monotonic()
            words = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *fault.caught_by.split()]
            run = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False)
            fault.take_out(root)
            failed = next((line for line in run.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))), "")
            # An error is one of a fixture: a build that refuses its own numbers. One of reading the tests has another code.
            is_caught = run.returncode == _CAUGHT and bool(failed)
            missed += not is_caught
            said = (
                failed.partition(" - ")[0].partition("::")[2] if is_caught else f"NOT CAUGHT (pytest {run.returncode})"
            )
            print(f"{time.monotonic() - began:6.1f} s  {fault.name:40} {said}", flush=True)
    print(f"{len(chosen) - missed} of {len(chosen)} caught")
    return 1 if missed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
