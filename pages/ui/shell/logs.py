"""What the web server and Streamlit log says what happened, never who asked, for what address, or with which value."""

import logging
import traceback
from typing import Any

# The loggers that write of a single request or a reader's session, at any level.
_REQUESTS = ("streamlit.web.server.", "streamlit.runtime.", "streamlit.error_util", "websockets")


def keep_readers_out() -> None:
    """From here on, records of requests carry no text but their own: no client, path, query, header or message of a fault.

    Done where records are made: Streamlit gives every logger a handler of its own and replaces it when settings change.
    """
    make = logging.getLogRecordFactory()

    def record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        made = make(*args, **kwargs)
        if _is_of_a_request(made):
            _strip(made)
        return made

    logging.setLogRecordFactory(record)


def _is_of_a_request(record: logging.LogRecord) -> bool:
    # uvicorn has one logger for its start and for the requests it parses.
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
