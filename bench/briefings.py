"""Briefings: from the command to one book on disk, cold, and to the books of 31 provinces."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.register import Register
from bench.timing import Times, timed

_COLD = 7
# The least that any program does which reads the publication and typesets a PDF.
_FLOOR = "import sys, duckdb, typst; duckdb.connect(sys.argv[1], read_only=True).execute('from published_numbers').fetchall()"


def run(register: Register) -> dict[str, Any]:
    """Milliseconds of one book of the nation in a separate process, and the ratio to a process that only imports DuckDB and
    Typst and opens the publication, in turns; then of the 31 books of one run, and the ratio to 31 runs for one book.
    """
    wall: dict[str, list[float]] = {"one": [], "floor": []}
    with tempfile.TemporaryDirectory(dir=register.folder.parent) as name:
        folder = Path(name)
        brief = ["-m", "pages", "brief", "--from", str(register.warehouse), "--to", str(folder / "books")]
        works = {"one": brief, "floor": ["-c", _FLOOR, str(register.warehouse)]}
        for number in range(_COLD):
            # Each runs first and second equally often.
            for kind in sorted(works, reverse=bool(number % 2)):
                wall[kind].append(_took(works[kind], folder))
        every = _took([*brief, "--all"], folder)
        books = len(list((folder / "books").glob("briefing-IR-[0-9][0-9]-*.pdf")))
    book, floor = Times.of(wall["one"]), Times.of(wall["floor"])
    return {
        "one": vars(book),
        "floor": vars(floor),
        "ratio": round(book.p50 / floor.p50, 2),
        "books": books,
        "all_ms": round(every),
        "ratio_all": round(every / (books * book.p50), 3),
    }


def _took(words: list[str], folder: Path) -> float:
    environment = {**os.environ, "BRIEFINGS": str(folder / "list")}
    root = Path(__file__).parents[1]
    _, took = timed(
        lambda: subprocess.run([sys.executable, *words], cwd=root, env=environment, check=True, capture_output=True)
    )
    return took
