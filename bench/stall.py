"""One reader asks the worst question while others read on the same process, whose times may hardly change.

The worst question is Explore by institute, county and month over 25 years. Other readers change the province, and the health of
the process is checked ten times a second. Both are first measured without the question, and last beside fifty clients that ask
for files of such questions at the data address, again and again.
"""

import asyncio
import itertools
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import connect

from bench.crowd import reader, rerun
from bench.register import Register
from bench.timing import quantile
from tests.serving import Served

_READERS, _CHANGES, _EVERY_SECONDS, _ATTACKERS = 20, 6, 5.0, 50
_BY = ["institute", "county", "month"]
_WORST = urlencode(
    {
        "m": "active_assistants",
        "by": _BY,
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
        quiet = asyncio.run(_measured(served))
        beside = asyncio.run(_measured(served, _worst))
        attacked = asyncio.run(_measured(served, _attack))
    ratio, attack_ratio = (round(measured["p95"] / quiet["p95"], 2) for measured in (beside, attacked))
    print(f"beside the worst question: p95 x{ratio}, health {beside['health_max']:.0f} ms", file=sys.stderr)
    print(
        f"beside {_ATTACKERS} clients: p95 x{attack_ratio}, health p95 {attacked['health_p95']:.0f} ms", file=sys.stderr
    )
    attack = {"clients": _ATTACKERS, **attacked, "ratio": attack_ratio}
    return {"readers": _READERS, "quiet": quiet, "beside": beside, "ratio": ratio, "attack": attack}


async def _measured(
    served: Served, beside: Callable[[Served, asyncio.Event], Awaitable[float]] | None = None
) -> dict[str, float]:
    over, crowd_over = asyncio.Event(), asyncio.Event()
    health = asyncio.create_task(_health(served.ports[0], served.base, over))
    work = asyncio.ensure_future(beside(served, crowd_over)) if beside else None
    times = await _crowd(served.origin)
    crowd_over.set()
    seconds = await work if work else 0.0
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


async def _attack(served: Served, over: asyncio.Event) -> float:
    """The seconds for which clients ask for the worst files, each after the answer to the one before, until `over`."""
    start = time.perf_counter()

    async def client(number: int) -> None:
        for asked in itertools.count(number, _ATTACKERS):
            if over.is_set():
                return
            period = f"{1381 + asked % 20}/01/01..1405/03/31"
            query = urlencode({"m": "active_assistants", "by": _BY, "period": period}, doseq=True)
            incoming, outgoing = await asyncio.open_connection("127.0.0.1", served.ports[0])
            head = f"GET {served.base}/data/answer.csv?{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            outgoing.write(head.encode())
            ending = asyncio.create_task(over.wait())
            await asyncio.wait([asyncio.ensure_future(incoming.read()), ending], return_when=asyncio.FIRST_COMPLETED)
            ending.cancel()
            outgoing.close()
            await asyncio.sleep(1)

    await asyncio.gather(*(client(number) for number in range(_ATTACKERS)))
    return time.perf_counter() - start


async def _worst(served: Served, _: asyncio.Event) -> float:
    """The seconds from asking to the table."""
    start, origin = time.perf_counter(), served.origin
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
