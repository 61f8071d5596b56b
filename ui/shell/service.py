"""Monitoring of the web process: /healthz, /readyz, counters at /metrics, and the systemd watchdog.

The three addresses are for this machine; the proxy does not expose them. No label and no log line contains a user's
question, client or address.
"""

import atexit
import fcntl
import os
import shutil
import socket
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from http.client import HTTPException
from pathlib import Path

import streamlit as st
from prometheus_client import CollectorRegistry, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from etl.core import settings
from etl.operations import readiness
from ui import streamlit_internals
from ui.data import warehouse
from ui.shell import heads, logs
from ui.shell.requests import base_path, settings_at_start

disable_created_metrics()
_REGISTRY = CollectorRegistry()
RERUNS = Histogram(
    "policeyar_rerun_seconds",
    "Script runs of readers: how many, and how long each took",
    buckets=(0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
    registry=_REGISTRY,
)
_PATIENCE_SECONDS = 5
_TEMPORARY = "policeyar-web-"
_NOT_KEPT = {"Cache-Control": "no-store"}
_ONLY_READY = b"x-only-ready"


def begin() -> None:
    """Start the process: apply settings, set up logs, the end of half requests and the systemd watchdog. Raises Faulty."""
    settings.apply()
    heads.end_halves()
    _use_own_folder()
    if os.environ.get("LOG_FORMAT") == "json":
        logs.once_a_minute()
        logs.log_as_json()
    if os.environ.get("NOTIFY_SOCKET"):
        threading.Thread(target=_tell_systemd, name="sign-of-life", daemon=True).start()


def _use_own_folder() -> None:
    """Keep temporary files in a folder of this process, and remove those of processes that were killed.

    A process holds the lock of its folder for as long as it runs.
    """
    parent = Path(tempfile.gettempdir())
    for left in parent.glob(f"{_TEMPORARY}*"):
        with suppress(OSError):
            if left.lstat().st_uid == os.geteuid() and _locked(left) is not None:
                shutil.rmtree(left)
    while _locked(folder := Path(tempfile.mkdtemp(prefix=_TEMPORARY))) is None or not folder.exists():
        # Another process that starts took it for one that was left.
        pass
    tempfile.tempdir = str(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)


def _locked(folder: Path) -> int | None:
    """A handle that holds the lock of a folder; None if another process has it. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def routes() -> list[Route]:
    base = base_path()
    return [
        Route(f"{base}/healthz", _healthz),
        Route(f"{base}/readyz", _readyz),
        Route(f"{base}/metrics", _metrics),
    ]


class OnlyReady:
    """ASGI middleware: nginx over several hosts asks for an answer only where a publication can be served, else for 503.

    Then it asks the next host (deploy/proxy.py).
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_asked = any(name == _ONLY_READY for name, _ in scope.get("headers", ()))
        if not is_asked or not (await run_in_threadpool(_served)).fault:
            await self.app(scope, receive, send)
            return
        await Response(status_code=503, headers=_NOT_KEPT)(scope, receive, send)


async def _healthz(_: Request) -> Response:
    return PlainTextResponse("ok\n")


async def _readyz(_: Request) -> Response:
    served = await run_in_threadpool(_served)
    return PlainTextResponse(f"{served.fault or served.id}\n", 503 if served.fault else 200, _NOT_KEPT)


async def _metrics(_: Request) -> Response:
    return Response(await run_in_threadpool(generate_latest, _REGISTRY), media_type=CONTENT_TYPE_LATEST)


def _served() -> readiness.Served:
    return readiness.ready(settings_at_start())


class _State(Collector):
    """Metrics read at scrape time: the publication, the last build, questions, open sessions."""

    def collect(self) -> Iterable[Metric]:
        served = _served()
        info = GaugeMetricFamily("policeyar_publication_info", "The publication that readers get", labels=["id"])
        if served.id:
            info.add_metric([served.id], 1)
        yield info
        yield GaugeMetricFamily("policeyar_publication_age_seconds", "Since it was published", served.age_seconds)
        yield GaugeMetricFamily("policeyar_rows_loaded", "Rows it was made of", served.rows_loaded)
        yield GaugeMetricFamily("policeyar_rows_rejected", "Rows kept out of it", served.rows_rejected)
        yield GaugeMetricFamily("policeyar_ready", "1 where /readyz says so", float(not served.fault))
        build = readiness.last_build(settings_at_start().folders.warehouse)
        if build:
            outcome = GaugeMetricFamily("policeyar_last_build", "1 for how the last build ended", labels=["outcome"])
            for word in ("published", "refused", "failed"):
                outcome.add_metric([word], float(word == build.outcome))
            yield outcome
            yield GaugeMetricFamily("policeyar_last_build_seconds", "How long the last build took", build.seconds)
            ended = datetime.fromisoformat(build.ended_at).timestamp()
            yield GaugeMetricFamily("policeyar_last_build_end_timestamp_seconds", "When the last build ended", ended)
        known = warehouse.results.cache_info()
        questions = CounterMetricFamily(
            "policeyar_questions", "Questions, by where their answer came from", labels=["of"]
        )
        questions.add_metric(["cache"], known.hits)
        questions.add_metric(["database"], known.misses)
        yield questions
        sessions = streamlit_internals.open_sessions()
        if sessions is not None:
            yield GaugeMetricFamily("policeyar_open_sessions", "Readers who are connected", sessions)


_REGISTRY.register(_State())
ProcessCollector(namespace="policeyar", registry=_REGISTRY)


def _tell_systemd() -> None:
    """Send READY=1 after the first answer of /healthz, then WATCHDOG=1 after each, within the interval of WatchdogSec.

    If the process is stopped or its event loop hangs, no message is sent and systemd restarts it.
    """
    every = int(os.environ.get("WATCHDOG_USEC") or 20_000_000) / 1e6 / 4
    host = settings.own_address(st.get_option("server.address") or "0.0.0.0")
    address = f"http://{host}:{st.get_option('server.port')}{base_path()}/healthz"
    message = b"READY=1\nWATCHDOG=1"
    while True:
        with suppress(OSError, HTTPException), urllib.request.urlopen(address, timeout=_PATIENCE_SECONDS):
            _send(message)
            message = b"WATCHDOG=1"
        time.sleep(min(every, 1.0) if message.startswith(b"READY") else every)


def _send(message: bytes) -> None:
    """The protocol of sd_notify(3): a datagram to the socket that systemd names."""
    name = os.environ["NOTIFY_SOCKET"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.connect("\0" + name[1:] if name.startswith("@") else name)
        out.send(message)
