"""The office's virus scanner, run on each file before anything else reads it: exit code 0 passes a file, 1 refuses it."""

import shlex
import subprocess
from pathlib import Path

from etl.extract.causes import words
from etl.submissions import originals
from etl.submissions.records import Submission

SECONDS = 600
_PASSED, _REFUSED = 0, 1


def stops(command: str, root: Path, submission: Submission) -> list[str]:
    """A sentence for each file that the scanner refuses, or on which it fails; none without a command."""
    found = []
    for file in submission.files if command else ():
        outcome = _scanned(command, originals.original(root, submission, file.sha256))
        if outcome == _REFUSED:
            found.append(words("scanner_refused", file=file.name))
        elif outcome != _PASSED:
            found.append(words("scanner_failed", file=file.name, error=outcome, error_fa=outcome))
    return found


def _scanned(command: str, path: Path) -> int | str:
    """Its exit code, or why there is none. What it prints may name places and is not kept."""
    try:
        ended = subprocess.run(
            [*shlex.split(command), str(path.absolute())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"> {SECONDS} s"
    except OSError as error:
        return error.strerror or type(error).__name__
    return ended.returncode if ended.returncode in (_PASSED, _REFUSED) else f"exit {ended.returncode}"
