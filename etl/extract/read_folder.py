"""All files of a folder are read, some at a time, each in a reader process that can die alone."""

import json
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from multiprocessing.connection import Connection, wait
from typing import Any

from etl.core.errors import Refused
from etl.extract import limits, worker_pool
from etl.extract.parse_values import Setting
from etl.extract.validate import Job, Read

# A reader that says nothing for so long is given up: a trickle, a trap, or a disk that does not answer.
SILENCE_SECONDS = 300
_STOPPED = "its reader was stopped: it needed too much memory or time"
# Starting one more reader takes as long as reading so many bytes.
_WORTH_A_READER = 2 << 20


@dataclass
class Outcome:
    """What became of one file: `read`, or why it was refused."""

    job: Job
    read: Read | None = None
    refusal: str = ""


class Readers:
    """Reader processes for one build. They start at once, on the biggest files first."""

    def __init__(self, setting: Setting, jobs: Sequence[Job]) -> None:
        self._hello = {
            "build_day": setting.build_day.isoformat(),
            "courses": dict(setting.courses),
            "key": setting.key.hex(),
            "limits": asdict(limits.from_environment()),
        }
        self._jobs = jobs
        useful = 1 + sum(map(_size, jobs)) // _WORTH_A_READER
        self._idle = [_Reader(self._hello) for _ in range(min(useful, len(jobs), os.cpu_count() or 1))]
        self._busy: dict[Connection, _Reader] = {}
        self._meter = _Meter(jobs)
        # Big ones first, from the end.
        self._waiting = sorted(jobs, key=lambda job: (self._meter.size(job), job.number))
        self._hand_out()

    def read_all(self, progress: Callable[[int, int, float], None]) -> list[Outcome]:
        """What became of every job's file; `progress` hears files done, rows, and the share of bytes (0 to 1).

        Raises Refused where the build's own folder cannot take the rows.
        """
        outcomes: dict[int, Outcome] = {}
        while self._busy:
            for pipe in self._ready():
                reader = self._busy[pipe]
                if outcome := reader.hear(self._meter):
                    outcomes[outcome.job.number] = outcome
                    del self._busy[pipe]
                    self._idle.append(reader if reader.is_alive else _Reader(self._hello))
                progress(len(outcomes), *self._meter.read())
            self._hand_out()
        return [outcomes[job.number] for job in self._jobs]

    def _hand_out(self) -> None:
        while self._waiting and self._idle:
            reader = self._idle.pop()
            reader.start(self._waiting.pop())
            self._busy[reader.pipe] = reader

    def _ready(self) -> list[Connection]:
        for reader in self._busy.values():
            if time.monotonic() - reader.heard_at > SILENCE_SECONDS:
                reader.stop()
        return [pipe for pipe in wait(list(self._busy), timeout=1) if isinstance(pipe, Connection)]

    def __enter__(self) -> "Readers":
        return self

    def __exit__(self, *_: Any) -> None:
        self.dismiss()

    def dismiss(self) -> None:
        """End all processes, at work or not."""
        for reader in (*self._idle, *self._busy.values()):
            reader.kill()


class _Reader:
    """One reader process, and the file it is at."""

    def __init__(self, hello: dict[str, Any]) -> None:
        self._process, line = worker_pool.take()
        self.pipe = Connection(line.detach())
        self._job: Job | None = None
        self.is_alive = True
        self.heard_at = time.monotonic()
        self._send(hello)

    def start(self, job: Job) -> None:
        """Give it a file to read."""
        self._job = job
        self.heard_at = time.monotonic()
        path = os.fsencode(job.path.absolute()).hex()
        self._send(
            {
                "path": path,
                "table": job.table,
                "number": job.number,
                "folder": str(job.folder.absolute()),
                "origin": asdict(job.origin) if job.origin else None,
            }
        )

    def hear(self, meter: "_Meter") -> Outcome | None:
        """One answer: None for progress, else what became of the file; that a reader died is an answer too."""
        assert self._job
        self.heard_at = time.monotonic()
        try:
            kind, *said = json.loads(self.pipe.recv_bytes())
        except (EOFError, OSError, ValueError):
            self.kill()
            meter.note(self._job, 0, 1.0)
            return Outcome(self._job, refusal=_STOPPED)
        if kind == "progress":
            meter.note(self._job, *said)
            return None
        if kind == "stopped":
            raise Refused(f"{self._job.folder}: cannot be written ({said[0]})")
        if kind == "refused":
            meter.note(self._job, 0, 1.0)
            return Outcome(self._job, refusal=" ".join(said[0].split()))
        told: dict[str, Any] = said[0]
        told |= {name: tuple(told[name]) for name in ("notes", "sheets")}
        found = Read(**told)
        meter.note(self._job, found.rows_read, 1.0)
        return Outcome(replace(self._job, table=found.table), found)

    def stop(self) -> None:
        """End the process; that it ended is heard like an answer."""
        self._process.kill()

    def kill(self) -> None:
        """End the process and hang up; it keeps nothing that is still needed."""
        self.is_alive = False
        self._process.kill()
        self._process.wait()
        self.pipe.close()

    def _send(self, order: dict[str, Any]) -> None:
        # Where it is dead already, that is what is heard when it is listened to.
        with suppress(OSError):
            self.pipe.send_bytes(json.dumps(order).encode())


@dataclass
class _Meter:
    """Rows and bytes read so far over all files."""

    jobs: Sequence[Job]
    _sizes: dict[int, int] = field(default_factory=dict)
    _rows: dict[int, int] = field(default_factory=dict)
    _shares: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._sizes = {job.number: max(1, _size(job)) for job in self.jobs}

    def size(self, job: Job) -> int:
        """The bytes of the job's file."""
        return self._sizes[job.number]

    def note(self, job: Job, rows: int, share: float) -> None:
        """What was heard of a file."""
        self._rows[job.number] = rows
        self._shares[job.number] = share

    def read(self) -> tuple[int, float]:
        """Rows read, and the share of the bytes read."""
        done = sum(self._sizes[number] * share for number, share in self._shares.items())
        return sum(self._rows.values()), done / sum(self._sizes.values())


def _size(job: Job) -> int:
    if job.origin:
        return job.origin.bytes
    try:
        return job.path.stat().st_size
    except OSError:
        return 0
