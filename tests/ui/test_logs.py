"""The logs of the web server and Streamlit hold nothing of the content of a request."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from starlette.applications import Starlette
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.web.server.starlette import starlette_routes
from uvicorn.protocols.websockets import websockets_sansio_impl

from ui import streamlit_internals
from ui.components import plot
from ui.shell import logs

MARK = "marker7391"


@pytest.fixture(autouse=True)
def factory() -> Iterator[None]:
    before = logging.getLogRecordFactory()
    logs.keep_users_out()
    yield
    logging.setLogRecordFactory(before)


@pytest.fixture
def log_stream() -> Iterator[io.StringIO]:
    """Everything that the loggers of these tests write, as a handler with traceback writes it."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
    loggers = [
        logging.getLogger(name) for name in (starlette_routes.__name__, "streamlit.error_util", "uvicorn.error", "own")
    ]
    # A server that another test started in this process may have silenced them.
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.WARNING)
    yield out
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)


def test_a_file_of_the_chart_component_that_is_missing_is_logged_without_its_path(log_stream, monkeypatch):
    manager = BidiComponentManager()
    module = import_module("streamlit.components.v2.get_bidi_component_manager")
    monkeypatch.setattr(module, "get_bidi_component_manager", lambda: manager)
    streamlit_internals.serve_components("dashboard", ("plot", "table"), plot.ROOT, "static")
    app = Starlette(routes=starlette_routes.create_bidi_component_routes(manager, ""))
    assert asyncio.run(_status(app, "/_stcore/bidi-components/dashboard.plot/plot.js")) == 200
    assert asyncio.run(_status(app, f"/_stcore/bidi-components/dashboard.plot/{MARK}.js")) == 404
    log = log_stream.getvalue()
    assert "Error reading bidi component asset" in log
    assert "FileNotFoundError" in log, "what went wrong is said"
    assert "starlette_routes.py" in log, "and where"
    assert MARK not in log


async def _status(app: Starlette, path: str) -> int:
    messages: list[dict] = []

    async def send(message):
        messages.append(message)

    async def receive():
        return {"type": "http.request", "body": b""}

    await app({"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}, receive, send)
    return messages[0]["status"]


def test_socket_messages_of_uvicorn_name_nobody(log_stream):
    logger = logging.getLogger("uvicorn.error")
    here = (websockets_sansio_impl.__file__, 1)
    record = ('%s - "WebSocket %s" %d', ("203.0.113.9:4711", f"/?{MARK}", 403))
    logger.handle(logger.makeRecord(logger.name, logging.INFO, *here, *record, None))
    assert log_stream.getvalue() == 'uvicorn.error - - "WebSocket -" 403\n'


def test_a_fault_is_logged_by_its_kind_and_place_not_by_its_message(log_stream):
    log = logging.getLogger("streamlit.error_util")
    try:
        {}[MARK]
    except KeyError as fault:
        log.error("Uncaught app execution", exc_info=fault)
        log.warning(fault)
        log.warning("%(of)s", {"of": MARK})
    assert "KeyError" in log_stream.getvalue()
    assert Path(__file__).name in log_stream.getvalue()
    # The line of code is quoted with the name of the value, never with the value.
    assert MARK not in log_stream.getvalue()


def test_other_loggers_and_the_servers_own_start_stay_as_they_are(log_stream):
    logging.getLogger("own").error("%s rows", "7")
    logging.getLogger("uvicorn.error").warning("Uvicorn running on %s", "http://localhost:8501")
    assert log_stream.getvalue() == "own 7 rows\nuvicorn.error Uvicorn running on http://localhost:8501\n"


def test_a_fault_that_comes_again_is_logged_once_a_minute_with_its_number(log_stream, monkeypatch):
    now = 1000.0
    monkeypatch.setattr("ui.shell.logs.time.monotonic", lambda: now)
    logs.once_a_minute()
    logs.log_as_json()
    loop, own = logging.getLogger("uvicorn.error"), logging.getLogger("own")

    def come(times: int) -> list[dict]:
        log_stream.truncate(0)
        log_stream.seek(0)
        for number in range(times):
            try:
                raise OSError(24, "Too many open files")
            except OSError:
                loop.error(f"socket.accept() out of system resource {number}", exc_info=True)
            own.warning("another %s", "thing")
        return [json.loads(line.partition(" ")[2]) for line in log_stream.getvalue().splitlines()]

    first = come(500)
    assert [line["level"] for line in first] == ["ERROR", "WARNING"], "each fault of its own"
    assert first[0]["error"] == "OSError"
    assert "repeated" not in first[0]
    assert come(100) == []
    now += 61
    assert [line["repeated"] for line in come(3)] == [599, 599]
    now += 61
    assert [line["repeated"] for line in come(1)] == [2, 2]
    now += 61
    assert not [line for line in come(1) if "repeated" in line]
