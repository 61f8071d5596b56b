"""A worker process: python -m etl.extract.worker SOCKET. It reads one file after another for the build that started it.

Files are untrusted: the process that parses them has limits on memory and time, prints nothing, and can crash without the
build. It answers in JSON, so that the build never runs anything from a file.
"""

import json
import os
import resource
import sys
from dataclasses import asdict
from datetime import date
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from etl.core.places import places

# The memory limit of a worker, in MiB. XLSX needs the most: a sheet is held in memory.
_MEMORY = int(os.environ.get("READER_MEMORY") or 3072)
# Processor time that each MiB of a file adds to the limit: far above what an honest file takes.
_SECONDS_PER_MEGABYTE = 10


def main() -> None:
    """Serve until the build closes the connection."""
    sys.meta_path.insert(0, _NoPandas())
    _limit_memory()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    worker = _Worker()
    pipe = Connection(int(sys.argv[1]))
    try:
        worker.set_up(json.loads(pipe.recv_bytes()))
        while True:
            request = json.loads(pipe.recv_bytes())
            for answer in worker.serve(request, pipe):
                pipe.send_bytes(json.dumps(answer).encode())
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


class _Worker:
    """The state of a worker: the setting and limits of the build, and a validator for each table."""

    def __init__(self) -> None:
        """Import what every file needs before the first request arrives."""
        from etl.extract import parse_values, read_file

        self._read_file = read_file
        self._values = parse_values
        self._places = places()
        self._validators: dict[str, Any] = {}

    def set_up(self, setting: dict[str, Any]) -> None:
        """Take the setting of the build."""
        self._setting = self._values.Setting(
            date.fromisoformat(setting["build_day"]), setting["courses"], bytes.fromhex(setting["key"]), self._places
        )
        self._limits = self._read_file.Limits(**setting["limits"])

    def serve(self, request: dict[str, Any], pipe: Connection) -> Any:
        """The one answer to a request: the outcome of reading, or why the file is refused. Progress messages precede it."""
        from etl.core.errors import Refused
        from etl.extract.causes import words
        from etl.extract.contract import contract

        try:
            path = Path(os.fsdecode(bytes.fromhex(request["path"])))
            origin = self._read_file.Origin(**request["origin"]) if request["origin"] else None
            # The size of a view is unknown: its server limits the time.
            size = (origin.bytes or self._limits.unpacked << 20) if origin else path.stat().st_size
            _limit_time(size, self._limits.seconds)
            table = request["table"] or self._read_file.recognised_table(path, self._limits)
            job = self._read_file.Job(path, table, request["number"], Path(request["folder"]), origin)
            if job.table not in self._validators:
                self._validators[job.table] = self._read_file.Validator(contract(job.table), self._setting)

            def progress(rows: int, share: float) -> None:
                pipe.send_bytes(json.dumps(("progress", rows, share, job.written)).encode())

            yield "done", asdict(self._read_file.read(job, self._validators[job.table], progress, self._limits))
        except Refused as error:
            yield "refused", str(error)
        except MemoryError:
            yield "refused", words("too_much_memory", most=_MEMORY)
        except self._read_file.BuildDiskFull as error:
            yield "stopped", str(error)
        except (BrokenPipeError, ConnectionResetError):
            raise
        except OSError as error:
            yield "refused", words("not_opened", error=error.strerror or type(error).__name__)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            # A parser's panic is no Exception. The text of an error may hold a value of the file: only its type is sent.
            yield "refused", words("not_readable", error=type(error).__name__)


class _NoPandas:
    """Keeps pyarrow from importing pandas when it converts the first list: half of a worker's start-up time."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        if fullname == "pandas":
            raise ImportError("workers do without pandas")


def _limit_memory() -> None:
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    bound = _MEMORY << 20 if hard == resource.RLIM_INFINITY else min(_MEMORY << 20, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (bound, bound))


def _limit_time(size: int, seconds: int) -> None:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    allowed = seconds + (size >> 20) * _SECONDS_PER_MEGABYTE
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(usage.ru_utime + usage.ru_stime) + allowed, hard))


if __name__ == "__main__":
    main()
