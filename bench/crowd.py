"""Many readers at once, on one process and on several behind nginx.

A reader is a socket with Streamlit's own protocol: it changes the province in its address and waits for the end of the
rerun. Fifty browsers would mostly measure themselves.
"""

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.util import calc_hash
from websockets.asyncio.client import ClientConnection, connect

from bench.memory import private_memory
from bench.register import Register
from bench.timing import quantile
from etl.core.places import places
from tests.serving import Served

_EVERY_SECONDS, _CHANGES = 5.0, 6
_PROVINCES = sorted(set(places().provinces.values()))


def run(register: Register, readers: int) -> dict[str, Any]:
    """Milliseconds of reruns for one reader and for all at once, on one process and on several; memory per reader (MB)."""
    runs = []
    single = 0.0
    for processes, count in ((1, 1), (1, readers), (2, readers)):
        measured = _run(register, processes, count)
        single = single or measured["p95"]
        runs.append({**measured, "of_one": round(measured["p95"] / single, 2)})
        print(f"{processes} process(es), {count} readers: p95 {measured['p95']:.0f} ms", file=sys.stderr)
    return {"every_s": _EVERY_SECONDS, "runs": runs}


def _run(register: Register, processes: int, readers: int) -> dict[str, Any]:
    with (
        tempfile.TemporaryDirectory(dir=register.folder.parent) as folder,
        Served(Path(folder), processes, WAREHOUSE=str(register.warehouse)) as served,
    ):
        origin = served.origin
        pids = [process.pid for process in served.dashboards]
        asyncio.run(crowd(origin, processes * 2, 2, 0.2))
        before = sum(map(private_memory, pids))
        times, grown = asyncio.run(_watched(origin, readers, pids, before))
        busy, seconds = asyncio.run(_busy(origin, min(readers, 8)))
    return {
        "processes": processes,
        "readers": readers,
        "p50": round(quantile(times, 0.5), 1),
        "p95": round(quantile(times, 0.95), 1),
        "per_second": round(busy / seconds, 1),
        "mb_per_reader": round(grown / readers / (1 << 20), 2),
    }


async def _watched(origin: str, readers: int, pids: list[int], before: int) -> tuple[list[float], int]:
    """The times of a crowd, and the growth of memory while all readers are connected."""
    work = asyncio.create_task(crowd(origin, readers, _CHANGES if readers > 1 else 4 * _CHANGES, _EVERY_SECONDS))
    grown = 0
    while not work.done():
        await asyncio.sleep(1)
        grown = max(grown, sum(map(private_memory, pids)) - before)
    return work.result(), grown


async def crowd(origin: str, readers: int, changes: int, every: float) -> list[float]:
    """The milliseconds of every change of many readers."""
    pause = min(every, 1.0) if readers == 1 else every
    by_reader = await asyncio.gather(*(reader(origin, number, changes, pause) for number in range(readers)))
    return list(chain.from_iterable(by_reader))


async def _busy(origin: str, readers: int) -> tuple[int, float]:
    """The number of reruns of readers who never pause, and the seconds they took."""
    start = time.perf_counter()
    times = await asyncio.gather(*(reader(origin, 1000 + number, 15, 0) for number in range(readers)))
    return sum(map(len, times)), time.perf_counter() - start


async def reader(
    origin: str,
    number: int,
    changes: int,
    every: float,
    headers: Mapping[str, str] | None = None,
    pages: Sequence[str] = ("",),
) -> list[float]:
    """One reader's milliseconds from a change to the end of its rerun, without the first run, which loads the page.

    Each change is of the province, on one of the `pages`.
    """
    rng = random.Random(number)
    await asyncio.sleep(rng.random() * every)
    address = origin.replace("http", "ws", 1) + "/_stcore/stream"
    async with connect(
        address,
        subprotocols=["streamlit"],  # type: ignore[list-item]
        additional_headers={"Origin": origin, "Cookie": f"reader={rng.getrandbits(128):032x}", **(headers or {})},
        max_size=None,
    ) as wire:
        await rerun(wire, "")
        times = []
        for _ in range(changes):
            await asyncio.sleep(every * (0.5 + rng.random()))
            start = time.perf_counter()
            await rerun(wire, f"province={rng.choice(_PROVINCES)}", rng.choice(pages))
            times.append((time.perf_counter() - start) * 1000)
        return times


async def rerun(wire: ClientConnection, query: str, page: str = "") -> bytes:
    """Run the script for an address until it ends; returns the messages sent by then."""
    request = BackMsg()
    request.rerun_script.query_string = query
    request.rerun_script.page_script_hash = calc_hash(page) if page else ""
    body = b""
    await wire.send(request.SerializeToString())
    async for message in wire:
        chunk = message if isinstance(message, bytes) else message.encode()
        body += chunk if page else b""
        answer = ForwardMsg()
        answer.ParseFromString(chunk)
        if answer.WhichOneof("type") == "script_finished":
            return body
    raise RuntimeError("the server closed the socket")
