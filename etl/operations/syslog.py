"""Messages to a syslog."""

import socket
import ssl

_PATIENCE_SECONDS = 2.0


def send(address: str, message: bytes) -> None:
    """One message to a socket like /dev/log, to HOST:PORT by UDP, or to tcp://HOST:PORT and tls://HOST:PORT (RFC 6587)."""
    scheme, _, rest = address.rpartition("://")
    host, _, port = rest.rpartition(":")
    if scheme:
        with socket.create_connection((host, int(port)), _PATIENCE_SECONDS) as plain:
            wire = ssl.create_default_context().wrap_socket(plain, server_hostname=host) if scheme == "tls" else plain
            with wire:
                wire.sendall(b"%d %b" % (len(message), message) if message else b"")
        return
    family = socket.AF_UNIX if address.startswith("/") else socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as out:
        out.settimeout(_PATIENCE_SECONDS)
        out.connect(address if family == socket.AF_UNIX else (host, int(port)))
        if message:
            out.send(message)
