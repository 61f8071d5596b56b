"""What holds for every test: properties are judged by what they find, never by how long a busy machine takes."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("house")


@pytest.fixture(scope="session")
def small_register(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fiftieth of the made-up country, built: its pointer."""
    folder = tmp_path_factory.mktemp("register")
    day = "2026-06-30"
    for words in (
        ["sample", str(folder / "in"), "--scale", "0.02", "--seed", "5", "--day", day],
        ["build", str(folder / "in"), "--to", str(folder / "warehouse.duckdb"), "--day", day],
    ):
        root = Path(__file__).parents[1]
        subprocess.run([sys.executable, "-m", "etl", *words], cwd=root, check=True, capture_output=True)
    return folder / "warehouse.duckdb"
