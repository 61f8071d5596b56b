"""All provinces submit their files at once while others read on the same process, whose times may hardly change.

Every province sends its files over HTTP, and the worker that the process starts checks them with lower priority. Rounds with and
without them are taken in turns. Last a file of the largest size is sent: it may hardly take memory.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from bench.crowd import reader
from bench.memory import family, private_memory
from bench.register import Register
from bench.timing import Times, quantile
from etl.build.load_report import province_in_name
from etl.submissions import deadline
from etl.submissions.originals import MOST_OF_FILE, PIECE
from tests.serving import Served, is_running, until

_READERS, _CHANGES, _EVERY_SECONDS, _TURNS = 20, 6, 2.5, 3
# Readers narrow the first page and open others.
_PAGES = ("", "", "training", "coverage")


def run(register: Register) -> dict[str, Any]:
    """Milliseconds of reruns without and during submissions, their ratios, and the memory that the largest file takes."""
    files = by_province(register.folder)
    with tempfile.TemporaryDirectory(dir=register.folder.parent) as folder, _served(register, Path(folder)) as served:
        web = served.dashboards[0].pid
        asyncio.run(_readers(served.origin))
        own = family(web)
        quiet: list[float] = []
        beside: list[float] = []
        sent: list[float] = []
        for _ in range(_TURNS):
            quiet += asyncio.run(_readers(served.origin))
            times, seconds = asyncio.run(_beside(served.origin, files))
            beside += times
            sent.append(seconds)
            until(lambda: not [pid for pid in family(web) if pid not in own and is_running(pid)], "the worker ends")
        memory = asyncio.run(_largest(served.origin, web))
    p50, p95 = (round(quantile(beside, share) / quantile(quiet, share), 2) for share in (0.5, 0.95))
    result = {
        "readers": _READERS,
        "provinces": len(files),
        "files": sum(map(len, files.values())),
        "mb": round(sum(path.stat().st_size for paths in files.values() for path in paths) / (1 << 20), 1),
        "quiet": asdict(Times.of(quiet)),
        "beside": asdict(Times.of(beside)),
        "ratio_p50": p50,
        "ratio": p95,
        "sent_s": round(max(sent), 1),
        "largest_mb": MOST_OF_FILE >> 20,
        "memory_mb": round(memory / (1 << 20), 1),
    }
    print(f"submissions at once: p95 x{p95}, p50 x{p50}, {result['memory_mb']} MB", file=sys.stderr)
    return result


def _served(register: Register, folder: Path) -> Served:
    """One web process over the register, with folders of its own for what is submitted."""
    own = {name: str(folder / name.lower()) for name in ("SUBMISSIONS", "AUDIT", "VIEWS")}
    return Served(folder, 1, WAREHOUSE=str(register.warehouse), INCOMING=str(register.folder), **own)


def by_province(folder: Path) -> dict[str, list[Path]]:
    """The files of each province of a folder."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if province := province_in_name(path.name):
            found.setdefault(province, []).append(path)
    return found


async def _readers(origin: str) -> list[float]:
    """The milliseconds of every change of every reader."""
    every = (reader(origin, number, _CHANGES, _EVERY_SECONDS, pages=_PAGES) for number in range(_READERS))
    return [took for times in await asyncio.gather(*every) for took in times]


async def _beside(origin: str, files: dict[str, list[Path]]) -> tuple[list[float], float]:
    """The times of the readers while all submit, and the seconds until every file had arrived; then all is withdrawn."""
    start = time.perf_counter()
    async with _client(origin) as client:
        reading = asyncio.create_task(_readers(origin))
        drafts = await asyncio.gather(*(_hand_in(client, place, paths) for place, paths in files.items()))
        seconds = time.perf_counter() - start
        times = await reading
        for draft in drafts:
            (await client.post(f"/hand-in/{draft}/withdraw")).raise_for_status()
    return times, seconds


def _client(origin: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=origin, headers={"Origin": origin}, timeout=300)


async def _open(client: httpx.AsyncClient, province: str) -> str:
    month = deadline.months_ended(date.today(), 1)[0]
    answer = await client.post("/hand-in", json={"province": province, "month": month})
    return str(answer.raise_for_status().json()["draft"])


async def _hand_in(client: httpx.AsyncClient, province: str, paths: list[Path]) -> str:
    """Submit the files of a province; returns its draft."""
    draft = await _open(client, province)
    for number, path in enumerate(paths, 1):
        answer = await client.put(f"/hand-in/{draft}/{number}", params={"name": path.name}, content=path.read_bytes())
        answer.raise_for_status()
    (await client.post(f"/hand-in/{draft}/submit")).raise_for_status()
    return draft


async def _largest(origin: str, web: int) -> int:
    """The bytes by which the memory of the process grows, at most, while a file of the largest size arrives."""
    async with _client(origin) as client:
        draft = await _open(client, "IR-07")
        before = grown = private_memory(web)

        async def zeros() -> AsyncIterator[bytes]:
            nonlocal grown
            for _ in range(MOST_OF_FILE // PIECE):
                yield bytes(PIECE)
                grown = max(grown, private_memory(web))

        head = {"Content-Length": str(MOST_OF_FILE)}
        put = await client.put(f"/hand-in/{draft}/1", params={"name": "personnel.csv"}, content=zeros(), headers=head)
        put.raise_for_status()
        (await client.post(f"/hand-in/{draft}/withdraw")).raise_for_status()
    return max(grown, private_memory(web)) - before
