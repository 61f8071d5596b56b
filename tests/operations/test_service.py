"""A web process reports health, readiness, counters and logs, and notifies the watchdog of systemd."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.testing.v1 import AppTest
from websockets.sync.client import connect

from etl.core import settings
from etl.operations import readiness
from etl.warehouse import publications
from tests.conftest import Sample
from tests.loading import load, put_good
from tests.serving import PATIENCE, ROOT, ask, free_ports, is_running, until

_WATCHDOG_SECONDS = 4


class Process:
    """One web process, as a unit of systemd starts it, with the socket that systemd would listen on."""

    def __init__(self, folder: Path, **more: str) -> None:
        self._base = more.get("POLICEYAR_WEB_BASE_PATH", "")
        self.port = free_ports()
        self.pointer = folder / "warehouse" / "warehouse.duckdb"
        self.pointer.parent.mkdir(exist_ok=True)
        self.life = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.life.bind(str(folder / "notify"))
        self.life.settimeout(0.1)
        self.log = folder / "log"
        environment = {
            "WAREHOUSE": str(self.pointer),
            "POLICEYAR_WEB_PORT": str(self.port),
            "NOTIFY_SOCKET": str(folder / "notify"),
            "WATCHDOG_USEC": str(_WATCHDOG_SECONDS * 1_000_000),
        }
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "deploy.web", "0"],
                cwd=ROOT,
                env={**os.environ, **environment, **more},
                stdout=log,
                stderr=log,
            )

    def ask(self, path: str) -> tuple[int, str]:
        return ask(self.port, self._base + path)

    def told(self) -> str:
        """The messages to systemd since the last call."""
        words = []
        while True:
            try:
                words.append(self.life.recv(100).decode())
            except TimeoutError:
                return "\n".join(words)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.life.close()


@pytest.fixture
def pointer(tmp_path: Path, publish_sample: Callable[..., Sample]) -> Path:
    """A publication for one test."""
    built = publish_sample().pointer
    shutil.copytree(built.parent, tmp_path / "warehouse", symlinks=True)
    return tmp_path / "warehouse" / built.name


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    """Under a path, and ready."""
    process = Process(tmp_path_factory.mktemp("web"), POLICEYAR_WEB_BASE_PATH="/board")
    try:
        until(lambda: "READY=1" in process.told(), "READY=1")
        yield process
    finally:
        process.end()


def publish(web, sample: Sample) -> None:
    shutil.copytree(sample.pointer.parent, web.pointer.parent, symlinks=True, dirs_exist_ok=True)
    os.utime(os.path.realpath(web.pointer))


@pytest.mark.slow
def test_a_process_is_live_before_the_first_publication_and_ready_after_it(web, publish_sample):
    assert web.ask("/healthz") == (200, "ok\n")
    assert web.ask("/readyz") == (503, "nothing is published\n")
    assert web.ask("/publication.json") == (200, '{"publication":""}')
    publish(web, publish_sample())
    shown = Path(os.path.realpath(web.pointer)).stem
    assert web.ask("/readyz") == (200, f"{shown}\n")
    assert web.ask("/publication.json") == (200, f'{{"publication":"{shown}"}}')
    version = Path(os.path.realpath(web.pointer))
    old = time.time() - 8 * 86_400
    os.utime(version, (old, old))
    status, why = web.ask("/readyz")
    assert status == 503
    assert "8 days old; the limit is 7" in why
    os.utime(version)
    assert web.ask("/readyz")[0] == 200


@pytest.mark.slow
def test_counters_can_be_read_and_hold_no_address(web, publish_sample):
    if not web.pointer.exists():
        publish(web, publish_sample())
    web.ask("/training?province=IR-23")
    status, text = web.ask("/metrics")
    assert status == 200
    counters = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert counters["policeyar_publication_info", Path(os.path.realpath(web.pointer)).stem] == 1
    assert 0 <= counters["policeyar_publication_age_seconds",] < 3600
    assert counters["policeyar_rows_rejected",] > 0
    assert counters["policeyar_last_build", "published"] == 1
    assert counters["policeyar_last_build_seconds",] > 0
    assert counters["policeyar_ready",] == 1
    assert ("policeyar_rerun_seconds_bucket", "0.5") in counters
    assert ("policeyar_questions_total", "database") in counters
    assert ("policeyar_open_sessions",) in counters
    assert "IR-23" not in text


@pytest.mark.slow
def test_five_hundred_half_requests_are_ended(web):
    halves = [socket.create_connection(("127.0.0.1", web.port), timeout=PATIENCE) for _ in range(500)]
    for half in halves:
        half.sendall(b"GET /board/healthz HTTP/1.1\r\n")
    assert web.ask("/healthz") == (200, "ok\n")
    for half in halves:
        with half:
            assert half.recv(1) == b""
    assert web.ask("/healthz") == (200, "ok\n")


@pytest.mark.slow
def test_a_process_is_ready_once_and_then_tells_systemd_that_it_lives(web):
    messages: list[str] = []

    def has_told() -> bool:
        messages.extend(web.told().splitlines())
        return len(messages) > 1

    until(has_told, "two signs of life")
    assert {*messages} == {"WATCHDOG=1"}


@pytest.mark.slow
def test_a_process_with_a_hung_event_loop_sends_no_watchdog_signal(tmp_path, monkeypatch):
    from ui.shell import service

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as life, socket.socket() as hung:
        life.bind(str(tmp_path / "notify"))
        life.settimeout(2)
        # It accepts connections, as the kernel does for a hanging process, and answers none.
        hung.bind(("127.0.0.1", 0))
        hung.listen()
        port = hung.getsockname()[1]
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "400000")
        monkeypatch.setattr(service, "_PATIENCE_SECONDS", 0.1)
        monkeypatch.setattr(service.st, "get_option", lambda name: port if name == "server.port" else "")
        threading.Thread(target=service._tell_systemd, daemon=True).start()
        with pytest.raises(TimeoutError):
            life.recv(100)


def test_no_process_starts_on_a_fault(tmp_path):
    process = Process(tmp_path, POLICEYAR_WEB_PROCESSES="many", POLICEYAR_SIGN_IN_MODE="closed")
    assert process.process.wait(180) == 78
    assert len(process.log.read_text().splitlines()) == 2
    assert not is_running(process.process.pid)
    process.end()


# ------------------------------------------------------------------ counting


def test_runs_and_questions_are_counted(pointer, monkeypatch):
    from ui.data import warehouse
    from ui.shell import service

    monkeypatch.setenv("WAREHOUSE", str(pointer))
    before = service._REGISTRY.get_sample_value("policeyar_rerun_seconds_count")
    known = warehouse.results.cache_info()
    page = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=300).run()
    assert not page.exception
    assert service._REGISTRY.get_sample_value("policeyar_rerun_seconds_count") == before + 1
    assert warehouse.results.cache_info().misses > known.misses
    page.run()
    assert warehouse.results.cache_info().hits > known.hits


# ------------------------------------------------------------------ readiness


def test_a_publication_of_other_code_is_not_served_as_ready(pointer, monkeypatch):
    assert readiness.served(pointer, 7).fault == ""
    readiness._described.cache_clear()
    monkeypatch.setattr(publications, "code_version", lambda: "another")
    assert readiness.served(pointer, 7).fault == publications.OtherVersion.SENTENCE


def test_a_damaged_publication_is_reported(pointer, tmp_path):
    Path(os.path.realpath(pointer)).write_bytes(b"no database" * 1000)
    fault = readiness.served(pointer, 7).fault
    assert "damaged" in fault
    assert str(tmp_path) not in fault


def test_a_clock_set_back_gives_no_negative_age(pointer, monkeypatch):
    monkeypatch.setattr(readiness.time, "time", lambda: 0.0)
    assert readiness.served(pointer, 7).age_seconds == 0


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "outcome"), [("", "published"), ("refuse", "refused"), ("break", "failed")])
def test_a_build_notes_how_it_ended(tmp_path, monkeypatch, fault, outcome):
    from etl.build import pipeline

    pointer = tmp_path / "w.duckdb"
    folder = tmp_path / "incoming"
    folder.mkdir()
    if fault != "refuse":
        put_good(folder)
    if fault == "break":
        monkeypatch.setattr(pipeline, "_fill", lambda *_: 1 / 0)
    assert readiness.last_build(pointer) is None
    assert load(folder, to=pointer).code == (0 if outcome == "published" else 1)
    note = readiness.last_build(pointer)
    assert note.outcome == outcome
    assert note.seconds >= 0


def test_a_build_that_finds_another_one_leaves_its_note_alone(pointer):
    from etl.cli.commands import main

    note = readiness.last_build(pointer)
    with publications.building(pointer):
        assert main(["build", str(ROOT / "tests" / "sample"), "--to", str(pointer)]) == 3
    assert readiness.last_build(pointer) == note


# ------------------------------------------------------------------ temporary files

_KEEPING = """
import os, tempfile
from ui.shell import service
service.begin()
kept = tempfile.NamedTemporaryFile(prefix="answer-")
print(kept.name, flush=True)
input()
"""


def test_the_temporary_files_of_a_killed_process_are_removed_at_the_next_start_and_of_a_running_one_kept(
    tmp_path, monkeypatch
):
    from ui.shell import service

    # A killed process leaves its folder, and holds no lock of it any more.
    left = tmp_path / f"{service._TEMPORARY}left" / "answer-left"
    left.parent.mkdir()
    left.touch()
    running = subprocess.Popen(
        [sys.executable, "-c", _KEEPING],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path), "POLICEYAR_RUN": str(tmp_path / "run")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    kept = Path(running.stdout.readline().strip())
    assert (kept.parent.parent, kept.parent.name.startswith(service._TEMPORARY)) == (tmp_path, True)
    assert not left.parent.exists()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    service._use_own_folder()
    assert kept.exists()
    running.communicate("\n")
    assert not kept.exists()
    assert not [*tmp_path.glob("*/answer-*"), *tmp_path.glob("answer-*")]


# ------------------------------------------------------------------ logs

_LOGGING = """
import logging
import os
os.environ["LOG_FORMAT"] = "json"
from ui.shell import service
service.begin()
from streamlit import config, logger
config.set_option("logger.messageFormat", "%(message)s")
logger.update_formatter()
from streamlit.logger import get_logger
log = get_logger("streamlit.web.server.x")
log.warning("asked %s by %s", "/training?province=IR-23", "10.1.2.3")
log.error(f"asked /training?province=IR-23")
try:
    raise ValueError("0123456789 is no national id")
except ValueError:
    log.exception("run failed for %s", "IR-23")
logging.getLogger("policeyar.web").warning("started")
from ui.components.blocks import error_boundary
with error_boundary("en", "figure-1"):
    raise KeyError("0123456789")
"""


@pytest.mark.slow
def test_logs_are_json_without_address_path_query_or_value(tmp_path):
    result = subprocess.run(
        [sys.executable, "-c", _LOGGING],
        cwd=ROOT,
        env={**os.environ, "LOG_FORMAT": "json"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    # Streamlit remarks that no page is being run.
    lines = [json.loads(line) for line in result.stderr.splitlines() if "bare mode" not in line]
    lines = [line for line in lines if not line["at"].startswith("delta_generator:")]
    assert [line.get("text") for line in lines] == [
        "asked %s by %s",
        None,
        "run failed for %s",
        "started",
        "figure-1: KeyError",
    ]
    assert lines[2]["error"] == "ValueError"
    for secret in ("IR-23", "10.1.2.3", "0123456789", "?province"):
        assert secret not in result.stderr


_FAILING = """
import os, sys, threading
from ui.shell import frame, service

class Thrown:
    def __del__(self):
        raise KeyError("0123456789")

def broken(*_):
    thread = threading.Thread(target=lambda: int("0123456789 is no number"))
    thread.start()
    thread.join()
    Thrown()
    raise ValueError("0123456789")

async def answer(_):
    raise TypeError("0123456789")

frame.run, service._healthz = broken, answer
from streamlit.web import cli
sys.argv = ["streamlit", "run", "dashboard.py", "--server.port", os.environ["PORT"], "--logger.messageFormat", "%(message)s"]
sys.exit(cli.main())
"""


def errors_in(log: Path) -> list[str]:
    """The errors of a log whose whole lines are JSON."""
    lines = [json.loads(line) for line in log.read_text().splitlines(keepends=True) if line.endswith("\n")]
    return [line["error"] for line in lines if "error" in line]


@pytest.mark.slow
def test_an_exception_that_nothing_catches_is_one_line_of_json(pointer, tmp_path):
    port = free_ports()
    environment = {**os.environ, "LOG_FORMAT": "json", "PORT": str(port), "WAREHOUSE": str(pointer)}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-c", _FAILING], cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            until(lambda: ask(port, "/healthz")[0] == 500, "the route fails")
            address, origin = f"ws://localhost:{port}/_stcore/stream", f"http://localhost:{port}"
            with connect(address, origin=origin, subprotocols=["streamlit"]) as wire:
                message = BackMsg()
                message.rerun_script.query_string = ""
                wire.send(message.SerializeToString())
                # The thread, what is thrown away, and the script itself.
                until(lambda: errors_in(tmp_path / "log").count("ValueError") == 2, "the page fails")
        finally:
            process.kill()
            process.wait()
    assert {*errors_in(tmp_path / "log")} == {"TypeError", "ValueError", "KeyError"}
    assert "0123456789" not in (tmp_path / "log").read_text()


def test_what_the_settings_say_is_what_readiness_is_measured_by(monkeypatch, pointer):
    monkeypatch.setenv("POLICEYAR_SCHEDULE_OLDEST_PUBLICATION_DAYS", "1")
    old = time.time() - 2 * 86_400
    os.utime(os.path.realpath(pointer), (old, old))
    config = settings.read()
    assert "the limit is 1" in readiness.served(pointer, config.schedule.oldest_publication_days).fault
