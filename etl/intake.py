"""All files of a folder are read, some at a time, each in a process of its own that can die alone."""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from etl import reading
from etl.contract import Refused, table_of
from etl.reading import Job, Read

# A reader that says nothing for so long is given up: a trickle, a trap, or a disk that does not answer.
SILENCE_SECONDS = 300


@dataclass
class Outcome:
    """What became of one file: `read`, or why it was refused."""

    job: Job
    read: Read | None = None
    refusal: str = ""


def source_files(folder: Path) -> list[tuple[Path, str]]:
    """The source files of `folder` with their tables, by name. Raises Refused where there are none."""
    if not folder.is_dir():
        raise Refused(f"{folder}: no such folder")
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise Refused(f"{folder}: {error.strerror}") from None
    found = [(folder / name, table) for name in names if (table := table_of(name))]
    if not found:
        raise Refused(
            f"{folder}: no source files (institutes*, licences*, personnel*, training* as .csv, .tsv, .xlsx, .parquet)"
        )
    return found


def read_all(jobs: list[Job], progress: Callable[[int, int, float], None]) -> list[Outcome]:
    """Read every job's file; `progress` hears files done, rows read and the share of bytes read, 0 to 1."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["etl.reading_ready"])
    waiting = list(reversed(jobs))
    running: dict[Any, _Running] = {}
    outcomes: dict[int, Outcome] = {}
    meter = _Meter(jobs)
    try:
        while waiting or running:
            while waiting and len(running) < (os.cpu_count() or 1):
                started = _Running.start(waiting.pop(), context)
                running[started.pipe] = started
            for pipe in _ready(running):
                one = running[pipe]
                for outcome in one.hear(meter):
                    outcomes[one.job.number] = outcome
                    del running[pipe]
                progress(len(outcomes), *meter.read())
    finally:
        for one in running.values():
            one.stop()
    return [outcomes[job.number] for job in jobs]


def _ready(running: dict[Any, "_Running"]) -> list[Any]:
    ready = list(wait(list(running), timeout=1))
    late = [pipe for pipe, one in running.items() if time.monotonic() - one.heard_at > SILENCE_SECONDS]
    for pipe in late:
        running[pipe].process.kill()
    return ready


class _Meter:
    """Rows and bytes read so far over all files."""

    def __init__(self, jobs: list[Job]) -> None:
        self._sizes = {job.number: max(1, _size(job.path)) for job in jobs}
        self._rows: dict[int, int] = {}
        self._shares: dict[int, float] = {}

    def note(self, number: int, rows: int, share: float) -> None:
        self._rows[number] = rows
        self._shares[number] = share

    def read(self) -> tuple[int, float]:
        done = sum(self._sizes[number] * share for number, share in self._shares.items())
        return sum(self._rows.values()), done / sum(self._sizes.values())


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


@dataclass
class _Running:
    job: Job
    process: Any
    pipe: Connection
    heard_at: float

    @classmethod
    def start(cls, job: Job, context: Any) -> "_Running":
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=reading.run, args=(job, theirs), daemon=True)
        process.start()
        theirs.close()
        return cls(job, process, ours, time.monotonic())

    def hear(self, meter: _Meter) -> Iterator[Outcome]:
        """One message of the child: progress, or its outcome; silence for ever is an outcome too."""
        self.heard_at = time.monotonic()
        try:
            kind, *said = self.pipe.recv()
        except EOFError:
            self.stop()
            yield Outcome(self.job, refusal="its reader was stopped: it needed too much memory or time")
            return
        if kind == "progress":
            meter.note(self.job.number, *said)
            return
        self.stop()
        if kind == "done":
            meter.note(self.job.number, said[0].rows_read, 1.0)
            yield Outcome(self.job, read=said[0])
        else:
            meter.note(self.job.number, 0, 1.0)
            yield Outcome(self.job, refusal=said[0])

    def stop(self) -> None:
        self.pipe.close()
        self.process.join(timeout=2)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
