"""A request whose head does not arrive is ended: uvicorn ends only connections that are idle after an answer."""

from asyncio import Transport

from uvicorn.protocols.http.h11_impl import H11Protocol

# As long as nginx waits (client_header_timeout).
SECONDS = 10.0


def end_halves(seconds: float = SECONDS) -> None:
    """Let each connection of this process end that sends no whole head within `seconds`, from its first byte or from its start.

    A body may take its time, and so may what follows a WebSocket's head.
    """
    make, receive, lose = H11Protocol.connection_made, H11Protocol.data_received, H11Protocol.connection_lost

    def made(self: H11Protocol, transport: Transport) -> None:
        make(self, transport)
        _begin(self, seconds)

    def received(self: H11Protocol, data: bytes) -> None:
        receive(self, data)
        if _lacks_head(self):
            _begin(self, seconds)
        else:
            _stop(self)

    def lost(self: H11Protocol, exc: Exception | None) -> None:
        _stop(self)
        lose(self, exc)

    # One class serves all of uvicorn's HTTP where httptools is not installed.
    H11Protocol.connection_made, H11Protocol.data_received, H11Protocol.connection_lost = made, received, lost  # type: ignore[method-assign]


def _lacks_head(connection: H11Protocol) -> bool:
    """Whether what was received ends in, or before, the head of a request that is not answered."""
    is_answering = connection.cycle is not None and not connection.cycle.response_complete
    is_http = connection.transport.get_protocol() is connection
    return is_http and not is_answering


def _begin(connection: H11Protocol, seconds: float) -> None:
    if getattr(connection, "head_timer", None) is None:
        connection.head_timer = connection.loop.call_later(seconds, connection.timeout_keep_alive_handler)  # type: ignore[attr-defined]


def _stop(connection: H11Protocol) -> None:
    if timer := getattr(connection, "head_timer", None):
        timer.cancel()
        connection.head_timer = None  # type: ignore[attr-defined]
