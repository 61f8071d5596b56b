"""Reading all files of a folder, several at a time, each in a worker process that can crash without the build."""

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from operator import attrgetter

from etl.core import child_process
from etl.extract import WORKER, limits
from etl.extract.causes import because, words
from etl.extract.contract import TABLES
from etl.extract.parse_values import Setting
from etl.extract.read_file import Job, Read

# A worker that sends nothing for this long is stopped: a trap, or a disk that does not answer.
SILENCE_SECONDS = 300
# Starting one more worker takes as long as reading this many bytes.
_BYTES_PER_WORKER = 2 << 20


@dataclass
class Outcome:
    """The outcome of one file: `read`, or the reason for its refusal; the province of most of its rows, once staged."""

    job: Job
    read: Read | None = None
    refusal: str = ""
    province: str = ""


@dataclass
class _Progress:
    """The progress of one file: its bytes, the rows and the share of it read (0 to 1), the bytes of disk its rows take."""

    size: int
    rows: int = 0
    share: float = 0.0
    written: int = 0


class WorkerPool:
    """The worker processes of one build. They start immediately, with the largest files.

    A workbook may hold several tables: `jobs` grows by one for each further table, so their numbers are multiples of four.
    """

    def __init__(self, setting: Setting, jobs: list[Job], seconds: int = 0) -> None:
        """`seconds`: the processor time that all files together may take besides that for their size; 0: that of each."""
        each = limits.from_environment()
        if seconds:
            each = replace(each, seconds=min(each.seconds, max(1, seconds // max(1, len(jobs)))))
        self._greeting = setting, each
        self._jobs = jobs
        useful = 1 + sum(map(_size, jobs)) // _BYTES_PER_WORKER
        self._disk = limits.build_disk()
        self._idle = [_Worker(self._greeting) for _ in range(min(useful, len(jobs), os.cpu_count() or 1))]
        self._busy: dict[Connection, _Worker] = {}
        self._progress = {job.number: _Progress(max(1, _size(job))) for job in jobs}
        # Jobs are taken from the end: the largest first.
        self._pending = sorted(jobs, key=lambda job: (self._progress[job.number].size, job.number))
        self._start_jobs()

    def read_all(self, progress: Callable[[int, int, float], None]) -> list[Outcome]:
        """The outcome of every job; `progress` is called with files done, rows, and the share of bytes read (0 to 1).

        Raises Refused if the folder of the build cannot hold the rows, or they take more disk than a build may.
        """
        outcomes: dict[int, Outcome] = {}
        files = self._progress.values()
        while self._busy:
            for pipe in self._ready():
                worker = self._busy[pipe]
                if outcome := worker.receive():
                    outcomes[outcome.job.number] = outcome
                    self._add_jobs(outcome)
                    del self._busy[pipe]
                    self._idle.append(worker if worker.is_alive else _Worker(self._greeting))
                if sum(file.written for file in files) > self._disk << 20:
                    raise because("too_much_disk_in_all", most=f"{self._disk:,}")
                share = sum(file.size * file.share for file in files) / sum(file.size for file in files)
                progress(len(outcomes), sum(file.rows for file in files), share)
            self._start_jobs()
        return [outcomes[job.number] for job in self._jobs]

    def _add_jobs(self, outcome: Outcome) -> None:
        """Add the jobs for the other tables of a workbook, once its first one is read."""
        job = outcome.job
        if outcome.read and job.number % len(TABLES) == 0:
            for at, table in enumerate(outcome.read.other_tables, 1):
                other = replace(job, table=table, number=job.number + at, named=job.named or job.table)
                self._jobs.append(other)
                self._progress[other.number] = _Progress(max(1, _size(other)))
                self._pending.append(other)
            self._jobs.sort(key=attrgetter("number"))

    def _start_jobs(self) -> None:
        while self._pending and self._idle:
            worker, job = self._idle.pop(), self._pending.pop()
            worker.start(job, self._progress[job.number])
            self._busy[worker.pipe] = worker

    def _ready(self) -> list[Connection]:
        for worker in self._busy.values():
            if time.monotonic() - worker.last_message_at > SILENCE_SECONDS:
                # `receive` notices that it ended.
                worker.process.kill()
        return [pipe for pipe in wait(list(self._busy), timeout=1) if isinstance(pipe, Connection)]

    def close(self) -> None:
        """End all processes, busy or idle."""
        for worker in (*self._idle, *self._busy.values()):
            worker.kill()


class _Worker:
    """One worker process, and its current file."""

    def __init__(self, greeting: tuple[Setting, limits.Limits]) -> None:
        self.process, self.pipe = child_process.start(WORKER)
        self._job: Job | None = None
        self.is_alive = True
        self.last_message_at = time.monotonic()
        self._send(greeting)

    def start(self, job: Job, progress: _Progress) -> None:
        """Send it a file to read; `receive` updates `progress`."""
        self._job, self._progress = job, progress
        self.last_message_at = time.monotonic()
        self._send(replace(job, path=job.path.absolute(), folder=job.folder.absolute()))

    def receive(self) -> Outcome | None:
        """Receive one message: None for progress, else the outcome of the file, also if the process died."""
        assert self._job
        self.last_message_at = time.monotonic()
        try:
            kind, *content = json.loads(self.pipe.recv_bytes())
        except (EOFError, OSError, ValueError):
            self.kill()
            kind, content = "refused", [words("reader_stopped")]
        if kind == "progress":
            self._progress.rows, self._progress.share, self._progress.written = content
            return None
        if kind == "stopped":
            raise because("not_written", path=self._job.folder, error=content[0])
        self._progress.share = 1.0
        if kind == "ended":
            self.kill()
            kind = "refused"
        if kind == "refused":
            self._progress.rows = 0
            return Outcome(self._job, refusal=" ".join(content[0].split()))
        read = Read(**content[0])
        self._progress.rows = read.rows_read
        return Outcome(replace(self._job, table=read.table), read)

    def kill(self) -> None:
        """End the process and close the connection; it holds nothing that is still needed."""
        self.is_alive = False
        self.process.kill()
        self.process.wait()
        self.pipe.close()

    def _send(self, request: object) -> None:
        # `receive` reports a process that is already dead.
        with suppress(OSError):
            self.pipe.send(request)


def _size(job: Job) -> int:
    if job.origin:
        return job.origin.bytes
    try:
        return job.path.stat().st_size
    except OSError:
        return 0
