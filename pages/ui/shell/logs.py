"""Keeps users out of the logs of the web server and Streamlit: no client, address or value is logged."""

import logging
import traceback
from typing import Any

# The loggers that write about single requests or sessions, at any level.
_REQUESTS = ("streamlit.web.server.", "streamlit.runtime.", "streamlit.error_util", "websockets")


def keep_readers_out() -> None:
    """Strip log records of requests to their fixed text: no client, path, query, header or exception message.

    In the record factory, because Streamlit gives every logger its own handler and replaces it when settings change.
    """
    make = logging.getLogRecordFactory()

    def record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        made = make(*args, **kwargs)
        if _is_of_a_request(made):
            _strip(made)
        return made

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
