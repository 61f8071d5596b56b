"""Readers on one, two and four hosts. A host is a network namespace with its own folder, copy and web process.

One nginx outside of them distributes the readers. All hosts share the cores of this machine: this measures the cost of
distribution, and that it works, not the gain of more machines. Needs root, iproute2 and nginx.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from bench.crowd import reader
from bench.register import ROOT, Register
from bench.timing import quantile
from deploy import proxy
from etl.core import settings
from etl.operations import replicas
from tests.serving import free_ports, start_nginx, until

_COUNTS, _READERS, _CHANGES = (1, 2, 4), 8, 15
# Addresses for benchmarks between networks (RFC 2544).
_NET = "198.18.77"
_BRIDGE = "pybench0"
_GROUP, _SECRET = "readers", "a secret that only this bench uses"
_HEADERS = {"X-Remote-User": "reader", "X-Remote-Groups": _GROUP, "X-Proxy-Secret": _SECRET}


def run(register: Register) -> dict[str, Any]:
    """Reruns a second and milliseconds by hosts, and how many readers fail for good when one of several hosts is killed."""
    runs = []
    for count in _COUNTS:
        with tempfile.TemporaryDirectory(dir=register.folder.parent) as folder, _network(count):
            measured = _run(register, Path(folder), count)
        runs.append(measured)
        print(f"{count} host(s): {measured['per_second']} reruns a second, p95 {measured['p95']} ms", file=sys.stderr)
    return {"readers": _READERS, "runs": runs}


def _run(register: Register, folder: Path, count: int) -> dict[str, Any]:
    first = free_ports(2)
    known = _settings(folder, first, count)
    started = [_host(register, folder, known, number) for number in range(1, count + 1)]
    try:
        for number in range(1, count + 1):
            until(partial(_answers, f"{_NET}.{number}", first), "a host answers")
        (folder / "nginx.conf").write_text(proxy.render(known), encoding="utf-8")
        started.append(start_nginx(folder, known.web.listen_port))
        origin = proxy.origin(known.web)
        asyncio.run(_crowd(origin, 2))
        begun = time.perf_counter()
        times, _ = asyncio.run(_crowd(origin, _CHANGES))
        seconds = time.perf_counter() - begun
        failed = asyncio.run(_killed(origin, started[0])) if count > 1 else None
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait()
    return {
        "hosts": count,
        "per_second": round(len(times) / seconds, 1),
        "p50": round(quantile(times, 0.5), 1),
        "p95": round(quantile(times, 0.95), 1),
        "failed": failed,
    }


async def _crowd(origin: str, changes: int) -> tuple[list[float], int]:
    """The times of all readers, and how many of them lost their host."""
    results = await asyncio.gather(
        *(reader(origin, number, changes, 0, _HEADERS) for number in range(_READERS)), return_exceptions=True
    )
    times = [time for reader_times in results if isinstance(reader_times, list) for time in reader_times]
    return times, sum(not isinstance(result, list) for result in results)


async def _killed(origin: str, host: "subprocess.Popen[bytes]") -> int:
    """Kill a host under load. Its readers lose their socket and reconnect like a browser; then they may not fail."""
    load = asyncio.create_task(_crowd(origin, _CHANGES))
    await asyncio.sleep(1)
    host.kill()
    await load
    _, failed = await _crowd(origin, 2)
    return failed


def _settings(folder: Path, port: int, count: int) -> settings.Settings:
    (folder / "access.toml").write_text(f'[groups.{_GROUP}]\nrole = "national"\n', encoding="utf-8")
    secrets = folder / "secrets.toml"
    secrets.write_text(f'[proxy]\nsecret = "{_SECRET}"\n', encoding="utf-8")
    secrets.chmod(0o600)
    return settings.Settings(
        web=settings.Web(
            port=port,
            listen_port=port + 1,
            processes=1,
            hosts=tuple(f"{_NET}.{number}" for number in range(1, count + 1)),
        ),
        folders=settings.Folders(run=folder),
    )


def _host(register: Register, folder: Path, known: settings.Settings, number: int) -> "subprocess.Popen[bytes]":
    """The web process of a host, in its namespace, with a copy that was offered and accepted as between machines."""
    own = folder / f"host-{number}"
    own.mkdir()
    replicas.offer(register.warehouse, own / "offer")
    replicas.accept(own / "offer", own / "warehouse.duckdb")
    shutil.rmtree(own / "offer")
    environment = {
        **os.environ,
        "WAREHOUSE": str(own / "warehouse.duckdb"),
        "VIEWS": str(own / "views"),
        "AUDIT": str(own / "audit"),
        "POLICEYAR_RUN": str(own),
        "POLICEYAR_WEB_HOST": known.web.host,
        "POLICEYAR_WEB_LISTEN_PORT": str(known.web.listen_port),
        "POLICEYAR_WEB_PORT": str(known.web.port),
        "POLICEYAR_WEB_PROCESSES": "1",
        "POLICEYAR_WEB_ADDRESS": f"{_NET}.{number}",
        "POLICEYAR_SIGN_IN_MODE": "proxy",
        "POLICEYAR_SIGN_IN_ACCESS": str(folder / "access.toml"),
        "POLICEYAR_SIGN_IN_SECRETS": str(folder / "secrets.toml"),
    }
    command = ["ip", "netns", "exec", f"{_BRIDGE}-{number}", sys.executable, "-m", "deploy.web", "0"]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _answers(address: str, port: int) -> bool:
    command = ["curl", "--silent", "--fail", "--max-time", "5", f"http://{address}:{port}/healthz"]
    return subprocess.run(command, capture_output=True).returncode == 0


@contextmanager
def _network(count: int) -> Iterator[None]:
    """Namespaces on a bridge; this machine has the last address of the network."""
    names = [f"{_BRIDGE}-{number}" for number in range(1, count + 1)]
    try:
        _ip(f"link add {_BRIDGE} type bridge", f"addr add {_NET}.254/24 dev {_BRIDGE}", f"link set {_BRIDGE} up")
        for number, name in enumerate(names, 1):
            outer = f"pyb{number}"
            _ip(
                f"netns add {name}",
                f"link add {outer} type veth peer name eth0 netns {name}",
                f"link set {outer} master {_BRIDGE} up",
                f"-n {name} addr add {_NET}.{number}/24 dev eth0",
                f"-n {name} link set eth0 up",
                f"-n {name} link set lo up",
            )
        yield
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True)
        subprocess.run(["ip", "link", "del", _BRIDGE], capture_output=True)


def _ip(*commands: str) -> None:
    for command in commands:
        subprocess.run(["ip", *command.split()], check=True)
