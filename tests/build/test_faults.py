"""Faults from outside a build: a kill at any moment, a full disk, a second build, a wrong clock.

In every case a reader gets one complete publication, and the next build needs no manual repair.
"""

from __future__ import annotations

import io
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, redirect_stderr, redirect_stdout
from datetime import date
from pathlib import Path

import pytest

import etl.cli.commands
from etl.build import pipeline
from etl.core.errors import Refused
from etl.extract import parse_values, read_file, read_folder
from etl.extract.source_folder import table_of
from etl.warehouse import publications
from tests import processes
from tests.effort import draws
from tests.loading import (
    DAY,
    ROOT,
    WarmPool,
    build,
    called,
    copy_publication,
    csv_text,
    load,
    put,
    put_good,
    quick_digest,
    row,
    without_models,
)
from tests.serving import until

pytestmark = pytest.mark.slow

# Warehouses, each with its own moments, and the builds killed of each: both kinds of kill, at the end and anywhere.
WAREHOUSES = draws(1, 2)
KILLS = draws(4, 24)
NO_SPACE = "the machine: No space left on device"
# Output is buffered until the buffer is full or the command ends, as for most commands.
BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


def digest_of(pointer: Path) -> str:
    with publications.connect(pointer) as con:
        return quick_digest(con)


class Reader(threading.Thread):
    """Asks at once and then twice a second, on a new connection each time, and keeps the answers."""

    def __init__(self, pointer: Path) -> None:
        super().__init__(daemon=True)
        self._pointer = pointer
        self._over = threading.Event()
        self.answers: Counter[str] = Counter()

    def run(self) -> None:
        while True:
            try:
                self.answers[digest_of(self._pointer)] += 1
            except Exception as error:
                self.answers[f"{type(error).__name__}: {error}"] += 1
            if self._over.wait(0.5):
                return

    def __enter__(self) -> Reader:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()


def start(folder: Path, to: Path) -> processes.Process:
    """A build in a separate process and session."""
    return processes.Process("etl", "build", str(folder), "--to", str(to), "--day", DAY.isoformat())


@pytest.fixture(scope="module")
def two_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two different folders, and each folder by the digest of its publication. Tests only read them."""
    folders = {}
    for name in ("one", "two"):
        folder = put_good(tmp_path_factory.mktemp(name) / "incoming")
        put(folder, "institutes_2.csv", [row("institutes", institute_code="n", name=name)])
        folders[digest_of(build(folder).to)] = folder
    assert len(folders) == 2
    return folders


@pytest.fixture
def shown(two_folders: dict[str, Path], tmp_path: Path) -> Path:
    """The pointer of a publication of the first folder, of the test's own."""
    return publish_first(two_folders, tmp_path / "shown")


def publish_first(two_folders: dict[str, Path], to: Path) -> Path:
    """Copy the publication of the first folder; returns its pointer."""
    return copy_publication(next(iter(two_folders.values())).parent / "warehouse.duckdb", to)


# ------------------------------------------------------------------ killed


def kill_repeatedly(two_folders: dict[str, Path], to: Path, seed: int, kills: int) -> tuple[Counter[str], int]:
    """Kill builds of the two folders in turns while a reader asks; returns its answers, and the number of killed builds."""
    digests = list(two_folders)
    began = time.monotonic()
    assert start(two_folders[digests[0]], to).wait() == 0
    seconds_of_build = time.monotonic() - began
    chance = random.Random(seed)
    killed = 0
    with Reader(to) as reader:
        for number in range(kills):
            expected = digests[number % 2]
            process = start(two_folders[expected], to)
            if number % 4 == 0:
                # A quarter are killed at work however fast the machine is.
                wait_for_build_folder(to)
            else:
                # Spread over the whole build, a third of them over its end, where it publishes.
                moment = chance.uniform(0.6, 1.1) if number % 3 == 0 else chance.uniform(0, 1)
                time.sleep(seconds_of_build * moment)
            if number % 2:
                process.kill_session()
            else:
                process.kill()
            code = process.wait()
            assert digest_of(to) in digests
            if code == 0:
                assert digest_of(to) == expected
            else:
                killed += 1
                assert code == -signal.SIGKILL
            if number % 4 == 3:
                next_build = start(two_folders[expected], to)
                code, said, errors = next_build.ended()
                assert (code, errors) == (0, "")
                assert re.search(r"published \d{6} as of 2023-06-22", said)
                assert digest_of(to) == expected
                remaining = os.listdir(to.parent / "warehouse.duckdb.publications")
                assert [name for name in remaining if not name.endswith(".duckdb")] == ["lock"]
    return reader.answers, killed


def test_random_kills_leave_one_of_two_publications_and_the_next_build_repairs(two_folders, tmp_path):
    """On all warehouses at the same time."""
    lanes = [(two_folders, tmp_path / str(seed) / "warehouse.duckdb", seed, KILLS) for seed in range(WAREHOUSES)]
    with ThreadPoolExecutor() as pool:
        results = list(pool.map(lambda lane: kill_repeatedly(*lane), lanes))
    for answers, killed in results:
        assert set(answers) <= set(two_folders), answers
        assert sum(answers.values()) > KILLS
        assert killed >= KILLS // 4


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_build_can_be_interrupted_at_any_moment_and_leaves_the_last_publication(two_folders, shown, sign):
    """DuckDB was seen to drop an interrupt, and to turn it into an error of its own."""
    first, second = two_folders
    to = shown
    moments = range(0, 8, 8 // draws(2, 8)) if sign == signal.SIGINT else [0]
    for moment in moments:
        # An interrupt while a build removes its folder leaves it, to the next build.
        for folder in to.parent.glob("*/building-*"):
            shutil.rmtree(folder)
        process = start(two_folders[second], to)
        wait_for_build_folder(to)
        time.sleep(moment * 0.04)
        process.send_signal(sign)
        code, _, said = process.ended()
        assert "Traceback" not in said
        ended = ("stopped", 130) if sign == signal.SIGINT else ("", -signal.SIGTERM)
        assert (said.rpartition("\n")[0].rpartition("\n")[2], code) == ended
        assert [path.stem for path in publications.versions(to)] == ["000001"]
    assert digest_of(to) == first
    if sign == signal.SIGTERM:
        assert load(two_folders[second], to=to).report["publication"] == "000002"


def wait_for_build_folder(pointer: Path) -> Path:
    folder = pointer.with_name(pointer.name + ".publications")
    until(lambda: list(folder.glob("building-*")), "a build began", step=0.01)
    return next(folder.glob("building-*"))


# ------------------------------------------------------------------ two at once


def test_the_second_of_two_simultaneous_builds_exits_3(two_folders, tmp_path):
    to = tmp_path / "shown" / "warehouse.duckdb"
    first, second = two_folders
    running = start(two_folders[first], to)
    private = wait_for_build_folder(to)
    os.kill(running.pid, signal.SIGSTOP)
    late = build(two_folders[second], to=to)
    assert (late.code, late.err) == (3, "another build is running\n")
    back = called("rollback", "--from", str(to))
    assert back.returncode in (1, 3)
    assert private.exists()
    os.kill(running.pid, signal.SIGCONT)
    assert running.wait() == 0
    assert digest_of(to) == first


def test_each_of_several_simultaneous_builds_publishes_or_is_refused(two_folders, tmp_path):
    to = tmp_path / "shown" / "warehouse.duckdb"
    folders = list(two_folders.values())
    processes = [start(folders[number % 2], to) for number in range(draws(2, 4))]
    codes = Counter(process.wait() for process in processes)
    assert set(codes) <= {0, 3}
    assert codes[0] == len(publications.versions(to)) >= 1
    assert digest_of(to) in two_folders


# ------------------------------------------------------------------ full disks


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 48 MB."""
    at = tmp_path / "disk"
    at.mkdir()
    mounted = os.getuid() == 0 and not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(at)], capture_output=True, check=False
    ).returncode  # fmt: skip
    if not mounted:
        pytest.skip("no small disk can be mounted here")
    yield at
    subprocess.run(["umount", str(at)], check=True)


def fill(disk: Path, leave: int) -> None:
    """Fill a disk except for so many bytes."""
    (disk / "filling").unlink(missing_ok=True)
    free = shutil.disk_usage(disk).free - leave
    with (disk / "filling").open("wb") as file:
        while free > 0:
            free -= file.write(bytes(min(free, 1 << 20)))


def test_a_full_disk_is_a_clean_refusal_and_readers_go_on(two_folders, small_disk):
    first, second = two_folders
    to = publish_first(two_folders, small_disk / "shown")
    size = to.resolve().stat().st_size
    with Reader(to) as reader:
        for leave in (0, size - 100_000, 100_000, size // 2)[: draws(2, 4)]:
            fill(small_disk, leave)
            outcome = build(two_folders[second], to=to, accept_loss=False)
            assert "No space left on device" in outcome.refusal, leave
            assert digest_of(to) == first
    assert set(reader.answers) == {first}
    (small_disk / "filling").unlink()
    assert load(two_folders[second], to=to).report["publication"] == "000002"


def test_a_full_disk_is_not_taken_for_a_fault_of_the_files(two_folders, small_disk, tmp_path):
    """With --skip-refused too: a full disk must not lead to a smaller publication."""
    first, second = two_folders
    to = publish_first(two_folders, small_disk / "shown")
    folder = tmp_path / "incoming"
    shutil.copytree(two_folders[second], folder)
    put(folder, "training_2.csv", csv_text("training", [row("training", hours=str(at)) for at in range(60_000)]))
    for leave in (0, 20_000, 1_000_000):
        fill(small_disk, leave)
        outcome = build(folder, "--skip-refused", to=to)
        assert "No space left on device" in outcome.refusal
        assert "training_2.csv" not in outcome.refusal
        assert outcome.report["published"] is False
        assert digest_of(to) == first


def test_rows_that_cannot_be_stored_are_blamed_on_the_disk_and_not_on_a_file(two_folders, small_disk):
    private = small_disk / "private"
    private.mkdir()
    paths = sorted(two_folders[next(iter(two_folders))].glob("*.csv"))
    jobs = [read_file.Job(path, table_of(path.name) or "", number, private) for number, path in enumerate(paths)]
    setting = parse_values.Setting(DAY, {"py-101": "PY-101"}, b"k")
    fill(small_disk, 0)
    with (
        closing(read_folder.WorkerPool(setting, jobs)) as readers,
        pytest.raises(Refused, match=r"cannot be written \(No space left on device\)"),
    ):
        readers.read_all(lambda *_: None)


def test_a_bound_on_the_size_of_files_is_a_clean_refusal(two_folders, shown):
    first, second = two_folders
    words = ("build", str(two_folders[second]), "--to", str(shown), "--day", DAY.isoformat())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for most in (0, 300_000, 10_000, 3_000_000)[: draws(2, 4)]:
        # Readers that the build starts have the bound too.
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
        try:
            outcome = called(*words)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert (outcome.returncode, outcome.stderr.count("\n")) == (1, 1), (most, outcome.stderr)
        assert digest_of(shown) == first
    assert load(two_folders[second], to=shown).code == 0


# ------------------------------------------------------------------ exit 0 if and only if published


def test_a_report_that_cannot_be_written_is_refused_before_the_work(two_folders, tmp_path):
    to = tmp_path / "shown" / "warehouse.duckdb"
    folder = next(iter(two_folders.values()))
    for report in (tmp_path / "nowhere" / "report.json", tmp_path):
        outcome = build(folder, "--report", str(report), to=to)
        assert outcome.refusal.startswith(f"{report}: cannot be written; ")
    assert not to.exists()


def test_a_failure_after_the_publication_does_not_undo_it(two_folders, tmp_path, monkeypatch):
    """A report, or an output, that cannot be written."""
    monkeypatch.setattr(pipeline, "WorkerPool", WarmPool)
    folder = str(next(iter(two_folders.values())))
    for kind in ("report", "output"):
        to, errors = tmp_path / kind / "warehouse.duckdb", io.StringIO()
        words = ["build", folder, "--to", str(to), "--day", DAY.isoformat()]
        with open("/dev/full", "w") as full, redirect_stderr(errors), without_models():
            if kind == "report":
                code = etl.cli.commands.main([*words, "--report", full.name])
            else:
                with redirect_stdout(full):
                    code = etl.cli.commands.main(words)
        said = errors.getvalue()
        assert code == 0, said
        assert said.startswith("published 000001, but its report: ")
        assert said.count("\n") == 1
        assert [path.stem for path in publications.versions(to)] == ["000001"]
        publications.verify(to)


def test_output_that_cannot_be_written_is_an_error(shown):
    source = ("--from", str(shown))
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "etl", "ask", "in_service", *source],
            cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=BUFFERED,
        )  # fmt: skip
    assert (result.returncode, result.stderr.partition("; ")[0]) == (1, NO_SPACE)
    for words in (["metrics"], ["quarantine", *source]):
        errors = io.StringIO()
        with open("/dev/full", "w") as full, redirect_stdout(full), redirect_stderr(errors):
            assert etl.cli.commands.main(words) == 1
        assert errors.getvalue().startswith(f"{NO_SPACE}; ")


def test_a_closed_pipe_is_no_error(shown):
    pipe = f"{sys.executable} -m etl ask in_service --by month --over 1300/01/01..1402/03/31 --from {shown} | head -1"
    result = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {pipe}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")


# ------------------------------------------------------------------ the clock


def clock_of(year: int) -> type[date]:
    class Clock(date):
        @classmethod
        def today(cls) -> date:
            return date(year, 1, 1)

    return Clock


EARLY = "the clock: today is 1970-01-01, before this program was made (2026-03-21); check the clock"
LATE = "the day of the build: it is 2099-01-01, and the last row is dated "


@pytest.mark.parametrize(
    ("year", "message", "earlier"),
    [(2099, LATE, True), (1970, EARLY, False), (2099, LATE, False), (1970, EARLY, True)][: draws(2, 4)],
)
def test_a_wrong_clock_is_refused(two_folders, tmp_path, monkeypatch, capsys, year, message, earlier):
    first, second = two_folders
    to = tmp_path / "shown" / "warehouse.duckdb"
    if earlier:
        publish_first(two_folders, to.parent)
    monkeypatch.setattr(etl.cli.commands, "date", clock_of(year))
    monkeypatch.setattr(pipeline, "WorkerPool", WarmPool)
    for command, where in (("build", "--to"), ("check", "--from")):
        assert etl.cli.commands.main([command, str(two_folders[second]), where, str(to)]) == 1
        outcome = capsys.readouterr().err
        assert outcome.startswith(message)
        assert "check the clock of this machine" in outcome
        assert outcome.count("\n") == 1
    assert [path.stem for path in publications.versions(to)] == ["000001"][: int(earlier)]
    if earlier:
        assert digest_of(to) == first
    monkeypatch.undo()
    assert load(two_folders[second], to=to).code == 0


@pytest.mark.parametrize("accept_loss", [True, False])
def test_rows_after_the_day_of_the_build_are_blamed_on_that_day(two_folders, tmp_path, accept_loss):
    """A day given on the command line too: 1360 in place of 1403 puts everything in the future."""
    outcome = build(
        next(iter(two_folders.values())), to=tmp_path / "w.duckdb", day=date(1981, 6, 1), accept_loss=accept_loss
    )
    assert re.fullmatch(
        r"the day of the build: [\d,]+ of [\d,]+ rows lie after 1981-06-01; check the clock of this machine",
        outcome.refusal,
    )


@pytest.mark.skipif(not shutil.which("faketime"), reason="faketime is not installed")
def test_a_machine_with_a_wrong_clock_still_builds_and_reads(two_folders, shown):
    """In one process, and what it starts: a clock before 1971, then one after 2038."""
    first, second = two_folders
    build_and_ask = (
        "import os, sys; from datetime import date; from etl.cli.commands import main; to, day, *folders = sys.argv[1:]\n"
        "for folder, moment in zip(folders, ('1970-01-02 00:00:00', '2099-12-31 23:59:59')):\n"
        "    os.environ['FAKETIME'] = moment; print('today', date.today())\n"
        "    main(['build', folder, '--to', to, '--day', day]) or main(['ask', 'in_service', '--from', to])"
    )
    words = ("faketime", "-f", "2001-01-01 00:00:00", sys.executable, "-c", build_and_ask)
    result = subprocess.run(
        [*words, str(shown), DAY.isoformat(), str(two_folders[second]), str(two_folders[first])],
        cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "FAKETIME_NO_CACHE": "1"},
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")
    assert re.findall(r"today (\S+)", result.stdout) == ["1970-01-02", "2099-12-31"]
    assert result.stdout.count("in_service") == 2
    assert [path.stem for path in publications.versions(shown)] == ["000001", "000002", "000003"]
    assert digest_of(shown) == first
