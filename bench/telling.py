"""What a thousand conditions of forty people take, beside readers of the same machine, and those readers with and without it.

Of the forty, nine see the whole country and each of the others one province. Conditions are drawn at random from all that can be
followed. They are evaluated by `python -m pages tell` as after a publication: at first for the beginning, then for a second one
that changed nothing. Rounds of readers with and without it are taken in turns.
"""

import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.crowd import crowd
from bench.register import ROOT, Register
from bench.timing import Times, quantile
from etl.analysis.different import is_tested_over_time
from etl.core.errors import QuestionError
from etl.core.places import places
from etl.semantic.catalog import catalogue
from etl.semantic.ranking import is_tested
from tests.serving import Served

_CONDITIONS, _PEOPLE, _NATIONAL, _READERS, _CHANGES, _EVERY_SECONDS, _TURNS = 1000, 40, 9, 20, 6, 2.5, 2
_PROVINCES = sorted(set(places().provinces.values()))


def run(register: Register) -> dict[str, Any]:
    """Seconds of a run with all conditions; milliseconds of reruns without and beside it, and their ratio."""
    with tempfile.TemporaryDirectory(dir=register.folder.parent) as name:
        folder = Path(name)
        told = _environment(register, folder)
        with Served(folder, 1, WAREHOUSE=str(register.warehouse)) as served:
            asyncio.run(crowd(served.origin, _READERS, 1, _EVERY_SECONDS))
            quiet: list[float] = []
            beside: list[float] = []
            seconds: list[float] = []
            for turn in range(_TURNS):
                quiet += asyncio.run(crowd(served.origin, _READERS, _CHANGES, _EVERY_SECONDS))
                _follow(folder / f"views-{turn}")
                times, took = asyncio.run(_beside(served.origin, told | {"VIEWS": str(folder / f"views-{turn}")}))
                beside += times
                seconds.append(took)
    p50, p95 = (round(quantile(beside, share) / quantile(quiet, share), 2) for share in (0.5, 0.95))
    print(f"telling {_CONDITIONS} conditions: {max(seconds):.1f} s, readers p95 x{p95}", file=sys.stderr)
    return {
        "conditions": _CONDITIONS,
        "people": _PEOPLE,
        "readers": _READERS,
        "seconds": round(max(seconds), 1),
        "quiet": asdict(Times.of(quiet)),
        "beside": asdict(Times.of(beside)),
        "ratio_p50": p50,
        "ratio": p95,
    }


async def _beside(origin: str, environment: dict[str, str]) -> tuple[list[float], float]:
    """The times of readers while all are told, and the seconds that telling takes."""
    reading = asyncio.create_task(crowd(origin, _READERS, _CHANGES, _EVERY_SECONDS))
    start = time.perf_counter()
    telling = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pages", "tell"), cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    if await telling.wait():
        raise RuntimeError("python -m pages tell failed")
    return await reading, time.perf_counter() - start


def _environment(register: Register, folder: Path) -> dict[str, str]:
    """The settings of an office in which people sign in, and what each of the forty may see."""
    groups = ['[groups.nation]\nrole = "national"\n']
    groups += [f'[groups.{code}]\nrole = "province"\nprovinces = ["{code}"]\n' for code in _PROVINCES]
    (folder / "access.toml").write_text("\n".join(groups), encoding="utf-8")
    (folder / "secrets.toml").write_text("", encoding="utf-8")
    return {
        **os.environ,
        "WAREHOUSE": str(register.warehouse),
        "POLICEYAR_SIGN_IN_MODE": "proxy",
        "POLICEYAR_SIGN_IN_ACCESS": str(folder / "access.toml"),
        "POLICEYAR_SIGN_IN_SECRETS": str(folder / "secrets.toml"),
    }


def _follow(folder: Path) -> None:
    """Keep the conditions of the forty people."""
    from ui.access.follows import Follows, Kept, Subscriber
    from ui.follow.telling import ident_of

    folder.mkdir()
    store, rng, kept = Follows(folder), random.Random(1), 0
    codes = ["nation"] * _NATIONAL + _PROVINCES
    for number, group in enumerate(codes[:_PEOPLE]):
        store.note_person(Subscriber(f"person {number}", (group,), signed_in=time.time()))
    while kept < _CONDITIONS:
        owner = kept % _PEOPLE
        follow = _drawn(rng, codes[owner])
        if follow:
            sub = f"person {owner}"
            kept += not store.add(Kept(ident_of(sub, follow), sub, "", follow.record(), 0.0))


def _drawn(rng: random.Random, group: str) -> Any:
    """A condition of somebody of a group; None for one that can never be told."""
    from ui.follow.follow import COUNTIES_OF, EVERY_PROVINCE, Condition, Follow, checked

    measure = rng.choice([*catalogue()])
    kinds = [
        "below",
        "above",
        *["clearly lower", "clearly higher"] * is_tested(measure),
        *["changed"] * is_tested_over_time(measure),
    ]
    kind = rng.choice(kinds)
    limit = rng.random() if catalogue()[measure].unit == "share" else float(rng.randrange(10_000))
    own = [group, f"{COUNTIES_OF}{group}"]
    place = rng.choice(["IR", EVERY_PROVINCE, rng.choice(_PROVINCES)] if group == "nation" else own)
    try:
        return checked(Follow(Condition(kind, limit if kind in ("below", "above") else None), measure, place))
    except QuestionError:
        return None
