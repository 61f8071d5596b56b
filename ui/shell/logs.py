"""The logs of the web process: no client, address or value in them, and as JSON where the settings ask for it."""

import json
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from cachetools import LRUCache

from ui.streamlit_internals import LOGGERS

# The loggers that write about single requests or sessions, at any level.
_REQUESTS = (*LOGGERS, "websockets")
# Our own loggers begin so.
_OWN = "policeyar"
_MINUTE, _MOST_FAULTS = 60.0, 1000


def keep_users_out() -> None:
    """Strip log records of requests to their fixed text: no client, path, query, header or exception message."""
    _change_records(lambda record: _strip(record) if _is_of_a_request(record) else None)


def log_as_json() -> None:
    """Log every record as one line of JSON; records of libraries keep their fixed text but not its values."""
    _change_records(_as_json)
    # For uncaught exceptions, which no logger handles: of the process, of a thread, of what is thrown away.
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda given: _log_uncaught(given.exc_type, given.exc_value, given.exc_traceback)
    sys.unraisablehook = lambda given: _log_uncaught(given.exc_type, given.exc_value, given.exc_traceback)


def once_a_minute() -> None:
    """Log a fault that comes again and again once a minute, with how often it came since: a disk full of one line helps nobody.

    As `[Errno 24] Too many open files`, which the event loop says two thousand times a second.
    """
    make_record, lock = logging.getLogRecordFactory(), threading.Lock()
    # Since when each fault is not logged, and how often it came since.
    since: LRUCache[tuple[Any, ...], tuple[float, int]] = LRUCache(_MOST_FAULTS)

    def record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        made_record = make_record(*args, **kwargs)
        if made_record.levelno < logging.WARNING:
            return made_record
        with lock:
            begun, times = since.get(key := _fault(made_record), (0.0, 0))
            is_again = times > 0 and time.monotonic() - begun < _MINUTE
            since[key] = (begun, times + 1) if is_again else (time.monotonic(), 1)
        if is_again:
            # Below the level of every handler.
            made_record.levelno = -1
        elif times > 1:
            made_record.repeated = times - 1
        return made_record

    logging.setLogRecordFactory(record)


def _fault(record: logging.LogRecord) -> tuple[Any, ...]:
    """What makes two records the same fault: where it is said, and the kind of the exception; of our own also the sentence."""
    kind = record.exc_info[0] if record.exc_info else None
    own = str(record.msg) if record.name.startswith(_OWN) else ""
    return record.name, record.pathname, record.lineno, kind, own


def _log_uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    logging.getLogger("python").critical("not caught", exc_info=(kind, error or kind(), trace))


def _change_records(change: Callable[[logging.LogRecord], None]) -> None:
    """Apply `change` to every record when it is made: Streamlit gives each logger its own handler, and replaces it."""
    make_record = logging.getLogRecordFactory()

    def record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        made_record = make_record(*args, **kwargs)
        if made_record.levelno >= 0:
            change(made_record)
        return made_record

    logging.setLogRecordFactory(record)


def _is_of_a_request(record: logging.LogRecord) -> bool:
    # uvicorn uses one logger for its start and for requests.
    in_uvicorn = record.name.startswith("uvicorn") and "protocols" in record.pathname
    return in_uvicorn or record.name.startswith(_REQUESTS)


def _strip(record: logging.LogRecord) -> None:
    if isinstance(record.args, tuple):
        record.args = tuple(value if isinstance(value, int | float) else "-" for value in record.args)
    elif record.args:
        record.args = dict.fromkeys(record.args, "-")
    if not isinstance(record.msg, str):
        record.msg = type(record.msg).__name__
    if record.exc_info:
        kind, _, trace = record.exc_info
        name = kind.__name__ if kind else ""
        record.exc_info, record.exc_text = None, "".join(traceback.format_tb(trace)) + name


def _as_json(record: logging.LogRecord) -> None:
    line: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "logger": record.name,
        "at": f"{record.module}:{record.lineno}",
    }
    # A message formatted by its caller may contain user data; an unformatted template does not.
    if record.args or record.name.startswith(_OWN):
        line["text"] = str(record.msg)
    if repeated := getattr(record, "repeated", 0):
        line["repeated"] = repeated
    if record.exc_info and record.exc_info[0]:
        kind, _, trace = record.exc_info
        line["error"] = kind.__name__
        line["trace"] = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(trace)]
    record.msg, record.args = json.dumps(line, ensure_ascii=False), ()
    record.exc_info = record.exc_text = record.stack_info = None
