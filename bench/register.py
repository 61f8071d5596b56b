"""A made-up register of a size, its files and its publication, made once and kept between runs."""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from bench.memory import Watch
from etl.warehouse import publications

ROOT = Path(__file__).parents[1]
# A fixed last day: two runs a month apart measure the same register.
DAY = date(2026, 6, 30)


@dataclass(frozen=True)
class Register:
    """Files handed in, and the publication built of them."""

    scale: float
    folder: Path
    warehouse: Path

    def built(self) -> tuple[float, int]:
        """In how many seconds it was built, and with how much memory at most, in MB."""
        kept = json.loads(_kept(self.warehouse.parent).read_text(encoding="utf-8"))
        return kept["seconds"], kept["peak_memory_mb"]

    def apart(self, folder: Path) -> duckdb.DuckDBPyConnection:
        """A DuckDB of its own on the publication, as DuckDB comes, with a name for it in `folder`.

        One process opens a file in one way only; and what a heavy query leaves behind in a DuckDB slows the next ones: those of
        a rival shall slow its own.
        """
        other = folder / "same.duckdb"
        os.link(publications.current(self.warehouse), other)
        return duckdb.connect(str(other), read_only=True)


def default_workshop() -> Path:
    """Where registers are kept if nothing else is said."""
    return Path(tempfile.gettempdir()) / "policeyar-bench"


def make(workshop: Path, scale: float) -> Register:
    """The register of `scale` (1: some 60,000 people in service), made now unless it is there and of this code."""
    home = workshop / f"scale-{scale:g}"
    register = Register(scale, home / "incoming", home / "warehouse.duckdb")
    if not (home / "sampled").exists():
        run_etl("sample", str(register.folder), "--scale", f"{scale:g}", "--seed", "7", "--day", DAY.isoformat())
        (home / "sampled").touch()
    kept = _kept(home)
    if not kept.exists() or json.loads(kept.read_text(encoding="utf-8"))["code"] != _code():
        seconds, peak = build(register.folder, register.warehouse)
        told = {"code": _code(), "seconds": round(seconds, 2), "peak_memory_mb": peak}
        kept.write_text(json.dumps(told), encoding="utf-8")
    return register


def build(folder: Path, to: Path, watched: bool = True) -> tuple[float, int]:
    """Seconds to publish, as a reader would start it, and the most memory its processes held together, in MB (0: not watched).

    Raises CalledProcessError where the build is refused.
    """
    words = [sys.executable, "-m", "etl", "build", str(folder), "--to", str(to), "--day", DAY.isoformat()]
    start = time.perf_counter()
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL)
    watch = Watch(process.pid) if watched else None
    if watch:
        watch.start()
    code = process.wait()
    took = time.perf_counter() - start
    if watch:
        watch.stop()
    if code:
        raise subprocess.CalledProcessError(code, words)
    return took, watch.peak >> 20 if watch else 0


def _code() -> str:
    """A digest of all code that builds: also of what changes the time it takes and not the tables."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "etl").rglob("*")):
        if path.suffix in (".py", ".sql", ".toml"):
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def _kept(home: Path) -> Path:
    return home / "built.json"


def run_etl(*words: str) -> None:
    """One command of the house. Raises CalledProcessError where it is refused."""
    subprocess.run([sys.executable, "-m", "etl", *words], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
