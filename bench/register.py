"""A made-up register of a size, its files and its publication, made once and kept between runs."""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from etl import pipeline

ROOT = Path(__file__).parents[1]
# A fixed last day: two runs a month apart measure the same register.
DAY = date(2026, 6, 30)


@dataclass(frozen=True)
class Register:
    """Files handed in, and the publication built of them."""

    scale: float
    folder: Path
    warehouse: Path


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
    built_by = home / "built_by"
    if not built_by.exists() or built_by.read_text(encoding="utf-8") != pipeline.code_version():
        run_etl("build", str(register.folder), "--to", str(register.warehouse), "--day", DAY.isoformat())
        built_by.write_text(pipeline.code_version(), encoding="utf-8")
    return register


def run_etl(*words: str) -> None:
    """One command of the house. Raises CalledProcessError where it is refused."""
    subprocess.run([sys.executable, "-m", "etl", *words], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
