"""Part 5: one reader asks the worst question while others read on the same process, whose times may hardly change.

The worst question is Explore by institute, county and month over 25 years. Other readers change the province, and the health of
the process is checked ten times a second. Both are first measured without the question.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import connect

from bench.crowd import reader, rerun
from bench.register import Register
from bench.timing import quantile
from tests.serving import Served

_READERS, _CHANGES, _EVERY_SECONDS = 20, 6, 5.0
_WORST = urlencode(
    {
        "m": "active_assistants",
        "by": ["institute", "county", "month"],
        "period": "2001-03-21..2026-06-30",
        "lang": "en",
    },
    doseq=True,
)


def run(register: Register) -> dict[str, Any]:
    """Milliseconds of reruns and of /healthz without and during the worst question, and the seconds it took."""
    with (
        tempfile.TemporaryDirectory(dir=register.folder.parent) as folder,
        Served(Path(folder), 1, WAREHOUSE=str(register.warehouse)) as served,
    ):
        asyncio.run(_crowd(served.origin))
        quiet = asyncio.run(_measured(served, beside=False))
        beside = asyncio.run(_measured(served, beside=True))
    ratio = round(beside["p95"] / quiet["p95"], 2)
    print(f"beside the worst question: p95 x{ratio}, health {beside['health_max']:.0f} ms", file=sys.stderr)
    return {"readers": _READERS, "quiet": quiet, "beside": beside, "ratio": ratio}


async def _measured(served: Served, beside: bool) -> dict[str, float]:
    over = asyncio.Event()
    health = asyncio.create_task(_health(served.ports[0], served.base, over))
    worst = asyncio.create_task(_worst(served.origin)) if beside else None
    times = await _crowd(served.origin)
    seconds = await worst if worst else 0.0
    over.set()
    health_times = await health
    return {
        "p50": round(quantile(times, 0.5), 1),
        "p95": round(quantile(times, 0.95), 1),
        "health_p95": round(quantile(health_times, 0.95), 1),
        "health_max": round(max(health_times), 1),
        "worst_s": round(seconds, 1),
    }


async def _crowd(origin: str) -> list[float]:
    results = await asyncio.gather(*(reader(origin, number, _CHANGES, _EVERY_SECONDS) for number in range(_READERS)))
    return [time for times in results for time in times]


async def _worst(origin: str) -> float:
    """The seconds from asking to the table."""
    start = time.perf_counter()
    async with connect(
        origin.replace("http", "ws", 1) + "/_stcore/stream",
        subprotocols=["streamlit"],  # type: ignore[list-item]
        additional_headers={"Origin": origin, "Cookie": f"reader={7:032x}"},
        max_size=None,
    ) as wire:
        body = await rerun(wire, _WORST, page="explore")
    if b"pd-grid" not in body:
        raise RuntimeError("the worst question was not answered")
    return time.perf_counter() - start


async def _health(port: int, base: str, over: asyncio.Event) -> list[float]:
    """Milliseconds of /healthz, called until the question is over."""
    times = []
    while not over.is_set():
        start = time.perf_counter()
        incoming, outgoing = await asyncio.open_connection("127.0.0.1", port)
        outgoing.write(f"GET {base}/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = await incoming.read()
        outgoing.close()
        if b" 200 " not in answer[:20]:
            raise RuntimeError("the process was not well")
        times.append((time.perf_counter() - start) * 1000)
        await asyncio.sleep(0.1)
    return times
