"""Which hosts and origins are allowed: the dashboard's own. No other request reaches Streamlit."""

import asyncio
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit
from streamlit import config, net_util
from streamlit.web.server.starlette.starlette_websocket import _is_origin_allowed
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.serving import ROOT, ask, free_ports, until
from ui.i18n import text
from ui.shell import allowed_hosts

NAMES = ["localhost", "127.0.0.1", "::1", "dashboard.example"]


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The setting `server.allowedHosts`; an empty list means that nothing is set."""
    names = list(NAMES)
    original = config.get_option
    for module in (config, streamlit):
        monkeypatch.setattr(module, "get_option", lambda key: names if key == "server.allowedHosts" else original(key))
    return names


def _ask(*headers: tuple[str, str], kind: str = "http", query: str = "") -> tuple[int, str]:
    """Status and body; status 0 if the request reached the app."""
    messages: list[dict] = []
    reached: list[str] = []

    async def app(scope, receive, send):
        reached.append(scope["type"])

    async def send(message):
        messages.append(message)

    scope = {
        "type": kind,
        "method": "GET",
        "path": "/",
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
    }
    asyncio.run(allowed_hosts.AllowedHosts(app)(scope, None, send))
    if reached:
        assert not messages
        return 0, ""
    if kind == "websocket":
        # The server responds with 403 if a socket is closed before it is accepted.
        assert [message["type"] for message in messages] == ["websocket.close"]
        return 403, ""
    return messages[0]["status"], messages[1]["body"].decode()


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    "host", ["localhost:8501", "127.0.0.1", "[::1]:8501", "dashboard.example", "DashBoard.Example."]
)
def test_our_own_host_names_are_accepted(kind, host):
    assert _ask(("Host", host), kind=kind)[0] == 0
    assert _ask(("Host", host), ("Origin", f"https://{host}"), kind=kind)[0] == 0


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    "host", ["elsewhere.example", "localhost.elsewhere.example", "10.0.0.7", "", "localhost@elsewhere.example", "a:b:c"]
)
def test_another_host_name_is_refused(kind, host):
    status = 403 if kind == "websocket" else 421
    assert _ask(("Host", host), kind=kind)[0] == status
    # Headers that a rebound page may set itself are ignored.
    assert _ask(("Host", host), ("X-Forwarded-Host", "dashboard.example"), kind=kind)[0] == status


def test_no_host_and_two_hosts_are_refused():
    assert _ask()[0] == 421
    assert _ask(("Host", "localhost"), ("Host", "elsewhere.example"))[0] == 421


def test_without_allowed_names_every_request_is_refused(allowed):
    allowed.clear()
    assert _ask(("Host", "localhost"))[0] == 421


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    "origin",
    [
        "https://elsewhere.example",
        "http://localhost:3000",
        "https://dashboard.example.elsewhere.example",
        "https://dashboard.example:8443",
        "null",
        "",
        "https://[",
    ],
)
def test_a_page_of_another_site_is_refused(kind, origin):
    assert _ask(("Host", "dashboard.example"), ("Origin", origin), kind=kind)[0] == 403


def test_one_foreign_origin_among_several_is_enough():
    ours, foreign = ("Origin", "https://dashboard.example"), ("Origin", "https://elsewhere.example")
    assert _ask(("Host", "dashboard.example"), ours, foreign)[0] == 403


def test_streamlit_sees_every_accepted_request_as_same_origin(monkeypatch):
    """Streamlit looks up its public address if Origin and Host differ, which is never true of an allowed request."""

    def looked_up() -> str:
        raise AssertionError("Streamlit looked for its public address")

    monkeypatch.setattr(net_util, "get_external_ip", looked_up)
    through = 0
    for host in ("dashboard.example", "dashboard.example:443", "Dashboard.example", "localhost:8501"):
        for origin in ("https://dashboard.example", "https://dashboard.example:443", "http://localhost:8501"):
            if _ask(("Host", host), ("Origin", origin), kind="websocket")[0] == 0:
                through += 1
                assert _is_origin_allowed(origin, host)
    assert through == 3


@pytest.mark.slow
def test_the_refusal_is_in_the_readers_language_and_repeats_no_input():
    for lang in ("fa", "en"):
        status, message = _ask(("Host", "elsewhere.example"), query=f"lang={lang}")
        assert (status, message) == (421, text.word("state.foreign_host", lang))
        status, message = _ask(("Host", "localhost"), ("Origin", "https://elsewhere.example"), query=f"lang={lang}")
        assert (status, message) == (403, text.word("state.foreign_origin", lang))


# ---------------------------------------------------------------- the running dashboard

# Runs the dashboard with a logged lookup of the public address.
_WATCHED = """
import sys
from streamlit import net_util
def looked_up():
    print("LOOKED UP", file=sys.stderr, flush=True)
net_util.get_external_ip = looked_up
from streamlit.web import cli
sys.argv = ["streamlit", "run", "dashboard.py", *sys.argv[1:]]
cli.main()
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """A dashboard without a publication: its port and its output."""
    folder = tmp_path_factory.mktemp("watched")
    port, log_file = free_ports(), folder / "written"
    with log_file.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", _WATCHED, "--server.port", str(port), "--logger.level", "debug"],
            cwd=ROOT,
            env={"WAREHOUSE": str(folder / "nothing.duckdb"), "PATH": "/usr/bin:/bin"},
            stdout=out,
            stderr=out,
        )
        try:
            until(lambda: ask(port, "/_stcore/health")[0] == 200, "the dashboard answers")
            yield port, log_file
        finally:
            process.terminate()
            process.wait(timeout=180)


def _open(port: int, origin: str) -> int:
    try:
        with connect(f"ws://localhost:{port}/_stcore/stream", origin=origin, subprotocols=["streamlit"]):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


@pytest.mark.slow
def test_foreign_sockets_are_refused_and_streamlit_never_looks_for_its_public_address(running):
    port, log_file = running
    assert [_open(port, f"https://elsewhere{number}.example") for number in range(5)] == [403] * 5
    assert _open(port, f"http://localhost:{port}") == 101
    with urllib.request.urlopen(f"http://localhost:{port}/_stcore/health") as answer:
        assert answer.status == 200
    log = log_file.read_text()
    assert "LOOKED UP" not in log
    assert "elsewhere" not in log
    assert "without completing handshake" not in log


@pytest.mark.slow
def test_logs_of_the_processes_contain_no_reader_and_no_question(running):
    port, log_file = running
    mark = "marker7391"
    paths = (
        f"/?province={mark}",
        f"/overview?m={mark}&m={mark}",
        f"/{mark}",
        f"/media/{mark}.csv",
        f"/component/{mark}/x.js",
        f"/_stcore/bidi-components/dashboard.plot/{mark}.js",
        f"/_stcore/upload_file/{mark}/{mark}",
        f"/app/static/{mark}.png",
        f"/oauth2callback?error={mark}&error_description={mark}&state={mark}",
        f"/auth/login?provider={mark}",
        f"//{mark}/..%5c{mark}",
    )
    for path in paths:
        request = urllib.request.Request(f"http://localhost:{port}{path}", headers={"User-Agent": mark, "X-Mark": mark})
        try:
            urllib.request.urlopen(request).close()
        except urllib.error.HTTPError as refused:
            refused.close()
    _open(port, f"https://{mark}.example")
    with connect(
        f"ws://localhost:{port}/_stcore/stream?{mark}",
        origin=f"http://localhost:{port}",
        subprotocols=["streamlit"],
        user_agent_header=mark,
    ) as wire:
        wire.send(mark.encode())
    for raw in (
        f"GET /{mark} HTTP/9.9\r\n\r\n",
        f"{mark}\r\n\r\n",
        f"GET /{mark} HTTP/1.1\r\nHost: a\r\nX: {mark * 20000}\r\n\r\n",
    ):
        with socket.create_connection(("localhost", port), timeout=180) as connection:
            connection.sendall(raw.encode())
            connection.settimeout(180)
            try:
                while connection.recv(65536):
                    pass
            except ConnectionResetError:
                pass
    log = log_file.read_text()
    assert "Error deserializing back message" in log, "the log covers these requests"
    assert mark not in log
    assert "127.0.0.1:" not in log.replace(f"127.0.0.1:{port}", "")
    assert "::1" not in log
