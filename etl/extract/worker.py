"""A worker process: python -m etl.extract.worker SOCKET. It reads one file after another for the build that started it.

Files are untrusted: the process that parses them has limits on memory and time, prints nothing, and can crash without the
build. The build sends it pickled objects; it answers in JSON, so that the build never runs anything from a file.
"""

import json
import os
import resource
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import cache
from multiprocessing.connection import Connection
from typing import Any

from etl.core import frames
from etl.core.child_process import READER_MEBIBYTES, limit_memory
from etl.core.errors import Refused
from etl.core.places import places
from etl.extract.causes import words
from etl.extract.contract import contract
from etl.extract.limits import Limits
from etl.extract.read_file import BuildDiskFull, Job, read, recognised
from etl.extract.validate import Validator

# In MiB.
_MEMORY = int(os.environ.get("READER_MEMORY") or READER_MEBIBYTES)
# Processor time that each MiB of a file adds to the limit: far above what an honest file takes.
_SECONDS_PER_MEGABYTE = 10


def main() -> None:
    """Serve until the build closes the connection."""
    frames.leave_out_pandas()
    limit_memory(_MEMORY << 20)
    # Read while the build still prepares what it sends.
    places()
    pipe = Connection(int(sys.argv[1]))
    try:
        setting, limits = pipe.recv()
        validator_of = cache(lambda table: Validator(contract(table), setting))
        while True:
            answer = _answer(pipe.recv(), pipe, limits, validator_of)
            pipe.send_bytes(json.dumps(answer).encode())
            if answer[0] == "ended":
                return
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _answer(job: Job, pipe: Connection, limits: Limits, validator_of: Callable[[str], Validator]) -> tuple[str, Any]:
    """The outcome of reading a file, or why it is refused. Progress messages precede it.

    After "ended" the worker reads no other file: what a file filled its memory with may stay.
    """
    try:
        # The size of a view is unknown: its server limits the time.
        size = (job.origin.bytes or limits.unpacked << 20) if job.origin else job.path.stat().st_size
        _limit_time(size, limits.seconds)
        job = replace(job, table=job.table or recognised(job.path, limits), named=job.named or job.table)

        def progress(rows: int, share: float) -> None:
            pipe.send_bytes(json.dumps(("progress", rows, share, job.written)).encode())

        return "done", asdict(read(job, validator_of(job.table), progress, limits))
    except Refused as error:
        return "refused", str(error)
    except MemoryError:
        return "ended", words("too_much_memory", most=_MEMORY)
    except BuildDiskFull as error:
        return "stopped", str(error)
    except (BrokenPipeError, ConnectionResetError, SystemExit, KeyboardInterrupt):
        raise
    except OSError as error:
        return "refused", words("not_opened", error=error.strerror or type(error).__name__)
    except Exception as error:
        # The text of an error may hold a value of the file: only its type is sent.
        return "refused", words("not_readable", error=type(error).__name__)
    except BaseException as error:
        # A parser panics at a fault of the file, and also where there is no memory for one value more.
        most_kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if most_kilobytes > _MEMORY * 1024 / 2:
            return "ended", words("too_much_memory", most=_MEMORY)
        return "ended", words("not_readable", error=type(error).__name__)


def _limit_time(size: int, seconds: int) -> None:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    allowed = seconds + (size >> 20) * _SECONDS_PER_MEGABYTE
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(usage.ru_utime + usage.ru_stime) + allowed, hard))


if __name__ == "__main__":
    main()
