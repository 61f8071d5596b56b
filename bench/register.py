"""Sample registers of a given scale, their files and publication, built once and kept between runs."""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import duckdb

from bench.memory import Watch
from etl.warehouse import publications

ROOT = Path(__file__).parents[1]
# A fixed last day: two runs a month apart measure the same register.
DAY = date(2026, 6, 30)


@dataclass(frozen=True)
class Register:
    """Source files, and the publication built from them."""

    scale: float
    folder: Path

    @cached_property
    def warehouse(self) -> Path:
        """The publication, built unless this code has built it before."""
        path = self._record
        if not path.exists() or json.loads(path.read_text(encoding="utf-8"))["code"] != _code():
            self.publish(self.folder)
        return self._pointer

    def publish(self, folder: Path) -> tuple[float, int]:
        """Build the publication from `folder`: the seconds, and the peak memory in MB."""
        measured = build(folder, self._pointer)
        self._record.write_text(json.dumps({"code": _code()}), encoding="utf-8")
        return measured

    @property
    def _pointer(self) -> Path:
        return self.folder.with_name("warehouse.duckdb")

    @property
    def _record(self) -> Path:
        return self.folder.with_name("built.json")

    def separate_instance(self, folder: Path) -> duckdb.DuckDBPyConnection:
        """A separate DuckDB instance on the publication with default settings, by a hard link in `folder`.

        A process opens a file with one configuration only, and a heavy query slows later ones of the same instance: rivals
        must not slow `ask`.
        """
        other = folder / "same.duckdb"
        os.link(publications.current(self.warehouse), other)
        return duckdb.connect(str(other), read_only=True)


def default_folder() -> Path:
    """The default folder of registers."""
    return Path(tempfile.gettempdir()) / "policeyar-bench"


def make(folder: Path, scale: float) -> Register:
    """The register of `scale` (1: some 60,000 people in service), its files made unless they are there."""
    home = folder / f"scale-{scale:g}"
    register = Register(scale, home / "incoming")
    if not (home / "sampled").exists():
        run_etl("sample", str(register.folder), "--scale", f"{scale:g}", "--seed", "7", "--day", DAY.isoformat())
        (home / "sampled").touch()
    return register


def build(folder: Path, to: Path) -> tuple[float, int]:
    """The seconds of a build as a separate process, and the peak memory of its processes in MB.

    Raises CalledProcessError if the build is refused.
    """
    words = [sys.executable, "-m", "etl", "build", str(folder), "--to", str(to), "--day", DAY.isoformat()]
    start = time.perf_counter()
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL)
    watch = Watch(process.pid)
    watch.start()
    code = process.wait()
    took = time.perf_counter() - start
    watch.stop()
    if code:
        raise subprocess.CalledProcessError(code, words)
    return took, watch.peak >> 20


def _code() -> str:
    """A digest of all code of etl, including code that only affects the time of a build."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "etl").rglob("*")):
        if path.suffix in (".py", ".sql", ".toml"):
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def run_etl(*words: str) -> None:
    """Run one command. Raises CalledProcessError if it is refused."""
    subprocess.run([sys.executable, "-m", "etl", *words], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
