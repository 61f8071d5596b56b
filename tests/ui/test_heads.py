"""A request whose head does not arrive is ended, on uvicorn as it serves."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from uvicorn.protocols.http.h11_impl import H11Protocol
from websockets.sync.client import connect

from tests.serving import PATIENCE, free_ports, until
from ui.shell import heads

WHOLE = b"GET /length HTTP/1.1\r\nHost: x\r\n\r\n"
HALVES = {
    "nothing": b"",
    "half a line": b"GET /len",
    "a line": b"GET /length HTTP/1.1\r\n",
    "all but its end": b"GET /length HTTP/1.1\r\nHost: x\r\nAccept: a",
}


async def length(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def echo(connection: WebSocket) -> None:
    await connection.accept()
    while True:
        await connection.send_text(await connection.receive_text())


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Of a server that waits half a second for a head, and a day for the next request."""
    for name in ("connection_made", "data_received", "connection_lost"):
        monkeypatch.setattr(H11Protocol, name, getattr(H11Protocol, name))
    heads.end_halves(0.5)
    number = free_ports()
    app = Starlette(routes=[Route("/length", length, methods=["GET", "POST"]), WebSocketRoute("/echo", echo)])
    config = uvicorn.Config(app, port=number, ws="websockets-sansio", timeout_keep_alive=86_400, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=asyncio.run, args=(server.serve(),))
    thread.start()
    until(lambda: server.started, "the server")
    yield number
    server.should_exit = server.force_exit = True
    thread.join()


def opened(port: int, data: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    connection.sendall(data)
    return connection


def to_its_end(connection: socket.socket) -> bytes:
    """What is sent until the server ends the connection. Raises TimeoutError."""
    with connection:
        return b"".join(iter(lambda: connection.recv(4096), b""))


@pytest.mark.parametrize("before", [b"", WHOLE], ids=["at once", "after an answer"])
@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES.keys())
def test_half_a_head_is_ended_and_what_is_under_way_stays(port: int, before: bytes, half: bytes) -> None:
    if before and not half:
        pytest.skip("idle, and uvicorn's own to end")
    upload = opened(port, b"POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nConnection: close\r\n\r\nabc")
    idle = opened(port, WHOLE)
    with connect(f"ws://127.0.0.1:{port}/echo") as talk:
        connection = opened(port, before)
        answer = b""
        while before and not answer.endswith(b"\r\n\r\n0"):
            answer += connection.recv(4096)
        connection.sendall(half)
        assert to_its_end(connection) == b""
        # Each of these began before the half one, and waited longer.
        talk.send("still here")
        assert talk.recv(timeout=PATIENCE) == "still here"
    upload.sendall(b"def")
    assert to_its_end(upload).endswith(b"\r\n\r\n6")
    idle.sendall(WHOLE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert to_its_end(idle).count(b"200 OK") == 2


def test_a_head_that_comes_letter_by_letter_is_ended_too(port: int) -> None:
    connection = opened(port, b"GET /length HTTP/1.1\r\n")
    pause = threading.Event()
    with contextlib.suppress(OSError):
        while not pause.wait(0.05):
            connection.sendall(b"a")
    connection.close()
