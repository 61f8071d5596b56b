"""Fixtures for all tests: samples and their publications, built once per run and shared between the xdist workers."""

import fcntl
import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from streamlit.components.v2 import manifest_scanner

from tests import processes

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[1]
BUILD_DAY = date(2026, 6, 30)

# No deadline: a busy machine is slow.
settings.register_profile("no_deadline", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("no_deadline")
# Little of what tests make refers in a circle: looking for garbage after each 700 objects takes a tenth of the time.
gc.set_threshold(20_000)
# Every build of a test has one key, so that what circulates is the same in each run; the installation's key is left alone.
os.environ.setdefault("IDENTITY_KEY", "a key that only tests use, 32 bytes and more")
# A second thread of DuckDB gets none of a sample's rows, which are fewer than it hands to one, and takes a tenth of the time.
for limit in ("BUILD_THREADS", "QUERY_THREADS"):
    os.environ.setdefault(limit, "1")
# A run that a shell begins in the background ignores interrupts, and so would the processes that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Tests and what they import stay to the end."""
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs a sample is slow. What takes long begins first, so that no core is left alone with a long file at the end."""
    for item in items:
        if "publish_sample" in getattr(item, "fixturenames", ()):
            item.add_marker("slow")
    items.sort(key=lambda item: [not item.get_closest_marker(name) for name in ("browser", "slow")])


@pytest.fixture(scope="module")
def chromium() -> "Browser":
    """Debian's Chromium, for tests that are marked `browser`. They come first, and share one."""
    from tests.browser import app as front

    return front.shared_chromium()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if not item.get_closest_marker("browser"):
        _close_chromium()


def pytest_sessionfinish() -> None:
    _close_chromium()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config) -> None:
    """A recipe whose name selects nothing is not passed."""
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and config.option.keyword:
        terminalreporter.write_line(f'FAILED: no test is selected by -k "{config.option.keyword}"', red=True)


def _close_chromium() -> None:
    if front := sys.modules.get("tests.browser.app"):
        front.close_chromium()


@dataclass(frozen=True)
class Sample:
    """The source files of a sample, and the pointer of its publication, next to report.json. Tests only read them."""

    folder: Path
    pointer: Path


@pytest.fixture(scope="session", autouse=True)
def components_searched_once() -> Iterator[None]:
    """Every run of an AppTest searches all installed packages for components, which takes nine tenths of its time."""
    with pytest.MonkeyPatch.context() as patch:
        search = cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", search)
        yield


@pytest.fixture(scope="session", autouse=True)
def own_installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Signed notes, saved views and submissions of the installation in this folder change no test."""
    folder = tmp_path_factory.mktemp("installation")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("views", "submissions"):
            patch.setenv(name.upper(), str(folder / name))
        yield


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], None]], Path]:
    """A function that gives a folder by its name, which a function fills: in a run once, in the first xdist worker that asks."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "samples"
    shared.mkdir(exist_ok=True)

    def made(name: str, fill: Callable[[Path], None]) -> Path:
        folder, is_made = shared / name, shared / f"{name}.made"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not is_made.exists():
                folder.mkdir(exist_ok=True)
                fill(folder)
                is_made.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def publish_sample(made_once: Callable[[str, Callable[[Path], None]], Path]) -> Callable[..., Sample]:
    """A function that generates and builds a sample: `scale` and `seed` (None: tests/sample), `day` of the build."""

    def publish(scale: float | None = None, seed: int = 7, day: date = BUILD_DAY) -> Sample:
        def fill(folder: Path) -> None:
            source = folder / "in" if scale else ROOT / "tests" / "sample"
            if scale:
                _etl("sample", source, "--scale", scale, "--seed", seed, "--day", day)
            report = folder / "report.json"
            _etl("build", source, "--to", folder / "warehouse.duckdb", "--report", report, "--day", day)

        folder = made_once(f"{scale}-{seed}-{day}", fill)
        return Sample(folder / "in" if scale else ROOT / "tests" / "sample", folder / "warehouse.duckdb")

    return publish


@pytest.fixture(scope="session")
def small_register(publish_sample: Callable[..., Sample]) -> Path:
    """The pointer of a sample of some 1,000 persons; its source files are in the folder `in` next to it."""
    return publish_sample(0.02, 5).pointer


def _etl(*words: object) -> None:
    """With as many threads as there are cores: what most tests read is built as it is anywhere else."""
    environment = {name: value for name, value in os.environ.items() if name != "BUILD_THREADS"}
    processes.run("etl", *map(str, words), env=environment).check_returncode()
