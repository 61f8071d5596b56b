"""Web process and worker killed at random moments of a file's way: nothing half, nothing lost, nothing published unapproved."""

from __future__ import annotations

import contextlib
import hashlib
import random
import threading
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from etl.core import settings
from etl.core.files import sha256
from etl.submissions import orders, originals
from etl.warehouse import publications
from tests.effort import draws
from tests.submissions.conftest import FARS, LAST, Office, person, province_files, with_rows
from tests.submissions.machine import Machine
from tests.submissions.test_way import PERSONNEL

pytestmark = pytest.mark.slow
_LONGEST_WAY = 14.0


def go_the_way(machine: Machine, content: str, ended: threading.Event) -> None:
    """Hand in, submit, approve and publish one file, as far as the processes live."""

    def state(client: httpx.Client, ident: str) -> str:
        return str(client.get(f"/hand-in/{ident}").json()["state"])

    with contextlib.suppress(httpx.HTTPError, KeyError, ValueError), machine.client as client:
        ident = client.post("/hand-in", json={"province": "IR-07", "month": LAST}).json()["draft"]
        client.put(f"/hand-in/{ident}/1", params={"name": PERSONNEL}, content=content.encode())
        client.post(f"/hand-in/{ident}/submit")
        for step in ("checking", "submitted"):
            machine.start_worker()
            while not ended.is_set() and state(client, ident) == step:
                time.sleep(0.1)
            if step == "checking":
                client.post(f"/hand-in/{ident}/approve")
                client.post("/hand-in/publish")
        while not ended.is_set() and state(client, ident) == "approved":
            machine.start_worker()
            time.sleep(0.1)


def refuse_faults(office: Office, first: str, given: set[str]) -> None:
    """What must hold after every kill, once a worker has gone on with what was left."""
    every = office.desk.records.all()
    for one in every:
        if one.state not in ("withdrawn", "superseded"):
            originals.verify(office.desk.root, one)
            assert all(file.sha256 in given for file in one.files), "a file that nobody gave"
    now = publications.comparable(office.settings.folders.warehouse)
    ((published,),) = publications.rows_of(now, f"select sha256 from load_files where file = '{PERSONNEL}'")
    approved = {file.sha256 for one in every if one.decided_by for file in one.files}
    assert published in {first, *approved}, "published without approval"
    accepted = sha256(office.settings.folders.incoming / PERSONNEL)
    assert accepted == published, "the accepted file is the published one"
    for one in every:
        assert one.state != "approved" or orders.waiting(office.desk.root) or not one.publication


def killed(office: Office, rounds: int, seed: int = 59) -> dict[str, int]:
    """Go the way `rounds` times and kill at a random moment of each; how often whom."""
    office.settings = replace(office.settings, sign_in=settings.SignIn())
    machine, rng, counts = Machine(office), random.Random(seed), {"web": 0, "worker": 0, "states": 0}
    files = province_files(FARS)
    first = sha256(office.settings.folders.incoming / PERSONNEL)
    given, seen = {first}, set()
    try:
        for number in range(rounds):
            machine.start_web()
            further = [person(150_000 + number, "IR-07", "100")]
            content = with_rows(files[PERSONNEL], "personnel", *further)
            given.add(hashlib.sha256(content.encode()).hexdigest())
            ended = threading.Event()
            way = threading.Thread(target=go_the_way, args=(machine, content, ended))
            way.start()
            victim = rng.choice(("web", "worker"))
            way.join(rng.uniform(0, _LONGEST_WAY))
            counts[victim] += machine.kill(victim)
            ended.set()
            way.join()
            machine.kill("worker")
            seen |= {one.state for one in office.desk.records.all()}
            machine.start_worker()
            assert machine.worker is not None
            assert machine.worker.wait(180) == 0
            assert not orders.waiting(office.desk.root)
            refuse_faults(office, first, given)
    finally:
        machine.kill("web")
        machine.kill("worker")
    counts["states"] = len(seen)
    return counts


def test_after_a_kill_at_any_moment_nothing_is_half_or_lost_or_published_unapproved(office: Office, tmp_path: Path):
    counts = killed(office, draws(3, 100))
    assert counts["web"] + counts["worker"], counts
