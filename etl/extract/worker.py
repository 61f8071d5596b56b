"""A reader process: python -m etl.extract.worker SOCKET. It reads one file after another for the build that started it.

A file is a stranger's: the process that parses it has a bound on memory and time, prints nothing, and dies alone. It
answers in JSON, so that nothing of a file is ever run by the build.
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

# The bound on what a reader may take, in MiB. XLSX needs the most: a sheet is held whole.
_MEMORY = int(os.environ.get("READER_MEMORY") or 3072)
# Processor time that each MiB of a file adds to its limit: far above what an honest file takes.
_SECONDS_PER_MEGABYTE = 10


def main() -> None:
    """Serve until the build hangs up."""
    sys.meta_path.insert(0, _NoPandas())
    _limit_memory()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    desk = _WorkerState()
    pipe = Connection(int(sys.argv[1]))
    try:
        desk.set_up(json.loads(pipe.recv_bytes()))
        while True:
            order = json.loads(pipe.recv_bytes())
            for answer in desk.serve(order, pipe):
                pipe.send_bytes(json.dumps(answer).encode())
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


class _WorkerState:
    """What a reader knows from file to file."""

    def __init__(self) -> None:
        """Load what every file needs: a build that starts its readers ahead does not wait for it."""
        from etl.extract import parse_values, validate

        self._reading = validate
        self._values = parse_values
        self._places = places()
        self._judges: dict[str, Any] = {}

    def set_up(self, setting: dict[str, Any]) -> None:
        """Hear for which build the files are read."""
        self._setting = self._values.Setting(
            date.fromisoformat(setting["build_day"]), setting["courses"], bytes.fromhex(setting["key"]), self._places
        )
        self._limits = self._reading.Limits(**setting["limits"])

    def serve(self, order: dict[str, Any], pipe: Connection) -> Any:
        """The one answer to an order: what reading came to, or why not. Progress is sent on the way."""
        from etl.core.errors import Refused
        from etl.extract.contract import contract

        try:
            path = Path(os.fsdecode(bytes.fromhex(order["path"])))
            _limit_time(path, self._limits.seconds)
            table = order["table"] or self._reading.recognised_table(path, self._limits)
            origin = self._reading.Origin(**order["origin"]) if order["origin"] else None
            job = self._reading.Job(path, table, order["number"], Path(order["folder"]), origin)
            if job.table not in self._judges:
                self._judges[job.table] = self._reading.Validator(contract(job.table), self._setting)

            def progress(rows: int, share: float) -> None:
                pipe.send_bytes(json.dumps(("progress", rows, share)).encode())

            yield "done", asdict(self._reading.read(job, self._judges[job.table], progress, self._limits))
        except Refused as error:
            yield "refused", str(error)
        except MemoryError:
            yield "refused", f"reading it takes more than {_MEMORY} MiB of memory"
        except self._reading.BuildDiskFull as error:
            yield "stopped", str(error)
        except (BrokenPipeError, ConnectionResetError):
            raise
        except OSError as error:
            yield "refused", error.strerror or type(error).__name__
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            # A panic of a parser is no Exception. An unforeseen error's text may hold a value of the file: its kind is told.
            yield "refused", f"cannot be read ({type(error).__name__})"


class _NoPandas:
    """pyarrow loads pandas at the first list it is given, to see whether that is one of its own: half of a reader's start."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        if fullname == "pandas":
            raise ImportError("a reader does without it")


def _limit_memory() -> None:
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    bound = _MEMORY << 20 if hard == resource.RLIM_INFINITY else min(_MEMORY << 20, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (bound, bound))


def _limit_time(path: Path, seconds: int) -> None:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    allowed = seconds + (path.stat().st_size >> 20) * _SECONDS_PER_MEGABYTE
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(usage.ru_utime + usage.ru_stime) + allowed, hard))


if __name__ == "__main__":
    main()
