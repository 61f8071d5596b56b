"""Web process, worker and build killed at random moments: nothing half, nothing lost, nothing published unapproved.

A moment is the number of an access to the files of the installation (tests/submissions/mortal.py), drawn among those that a
way without a kill has counted: it depends on the seed, and not on how fast the machine is.
"""

from __future__ import annotations

import hashlib
import random
import signal
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from etl.core import settings
from etl.core.files import sha256
from etl.extract.source_folder import HANDED_IN
from etl.semantic.rights import ADMINISTRATOR
from etl.submissions import orders, originals, publishing
from etl.submissions.desk import Person
from etl.submissions.records import Submission
from etl.warehouse import publications
from tests.effort import draws
from tests.loading import row
from tests.serving import until
from tests.submissions.conftest import FARS, ISFAHAN, LAST, Office, person, province_files, with_rows
from tests.submissions.machine import Machine
from tests.submissions.test_way import PERSONNEL

pytestmark = pytest.mark.slow
PARTS = ("web", "worker", "build")
STAGES = ("submitting", "checking", "approving", "publishing")
# One after another, the worker that publishes first: each part in each stage comes once in twelve.
CELLS = [(PARTS[(number + 1) % 3], STAGES[(number + 3) % 4]) for number in range(12)]
TRAINING = "training_IR-07.csv"
_PATIENCE = 300


class Killed(Exception):
    """The victim has ended itself."""


@dataclass
class Victim:
    """The part that is killed in a stage, before which of its accesses."""

    part: str = ""
    stage: str = ""
    at: int = 0


class Round:
    """The way of two files from a clerk to a publication, with one kill, or without one to count moments.

    `cells`: the parts that work in a stage so that their moments are counted.
    """

    def __init__(
        self, machine: Machine, files: dict[str, bytes], cells: set[tuple[str, str]], victim: Victim | None = None
    ) -> None:
        self.machine, self.files, self.cells, self.victim = machine, files, cells, victim or Victim()
        self.ident, self.stage = "", ""
        self.counts: Counter[tuple[str, str]] = Counter()

    def go(self) -> None:
        """All stages in their order. Raises Killed."""
        for stage in STAGES:
            self.stage = stage
            if self.is_here("web"):
                self.machine.kill("web")
                self.start_web()
                assert self.machine.web
                before = self.machine.moments("web")
                self.machine.web.send_signal(signal.SIGUSR1)
                until(lambda before=before: self.machine.moments("web") > before, "accesses are counted", step=0.01)
            begun = self.machine.moments("web")
            getattr(self, stage)()
            self.counts["web", stage] = self.machine.moments("web") - begun

    def finish(self) -> None:
        """What people do who open the page again, until the files are published."""
        self.spare()
        self.start_web()
        for _ in range(10):
            one = self.on_the_desk()
            state = one.state if one else ""
            self.ident = one.id if one else ""
            if state == "published":
                return
            if state == "checking":
                self.work()
            elif state in ("draft", "ready"):
                self.sent("POST", f"/{self.ident}/submit")
            elif state == "submitted":
                self.approving()
            elif state == "approved":
                self.publishing()
            else:
                self.submitting()
        raise AssertionError(f"the files stay {state}")

    def spare(self) -> None:
        """From here on nobody is killed or counted."""
        self.victim, self.cells, self.stage = Victim(), set(), ""

    def on_the_desk(self) -> Submission | None:
        """The submission that has these files whole, if there is one."""
        digests = {hashlib.sha256(content).hexdigest() for content in self.files.values()}
        every = self.machine.office.desk.records.all()
        return next(
            (
                one
                for one in reversed(every)
                if {file.sha256 for file in one.files} == digests and one.state not in ("withdrawn", "superseded")
            ),
            None,
        )

    # ------------------------------------------------------------ stages

    def submitting(self) -> None:
        self.ident = self.sent("POST", "", json={"province": "IR-07", "month": LAST}).json()["draft"]
        for number, (name, content) in enumerate(self.files.items(), 1):
            self.sent("PUT", f"/{self.ident}/{number}", params={"name": name}, content=content)
            # Of one file only the order is there; and the build of every night reads what is accepted.
            if number == 1 and self.is_here("worker"):
                self.work()
            if number == 1 and self.is_here("build"):
                self.run("build", "build", "--skip-refused")
        self.sent("POST", f"/{self.ident}/submit")

    def checking(self) -> None:
        if self.is_here("web"):
            for step in ("stop", "check", "submit"):
                self.sent("POST", f"/{self.ident}/{step}")
        self.sent("GET", f"/{self.ident}")
        self.work()
        assert self.sent("GET", f"/{self.ident}").json()["state"] == "submitted"
        self.sent("GET", f"/{self.ident}/rows.xlsx")

    def approving(self) -> None:
        if self.is_here("web") or self.is_here("worker"):
            # Another province submits before that, and is checked.
            (content,) = [text for name, text in province_files(ISFAHAN, 31).items() if name.startswith("personnel")]
            draft = self.sent("POST", "", json={"province": "IR-10", "month": LAST}).json()["draft"]
            self.sent("PUT", f"/{draft}/1", params={"name": "personnel_IR-10.csv"}, content=content.encode())
        if self.is_here("worker"):
            self.work()
        if self.is_here("build"):
            self.run("build", "build", "--skip-refused")
        self.run("web", "submissions", "approve", self.ident)

    def publishing(self) -> None:
        self.work()
        desk = self.machine.office.desk
        if found := publishing.candidate(desk):
            # As the page does.
            desk.publish(Person("server:root", ADMINISTRATOR, is_alone=True), found.digest)
        self.work()
        assert self.sent("GET", f"/{self.ident}").json()["state"] == "published"

    # ------------------------------------------------------------ processes

    def is_here(self, part: str) -> bool:
        """Whether it is killed or counted in this stage."""
        return (part, self.stage) in self.cells

    def start_web(self) -> None:
        self.machine.start_web(*self.mortal())

    def mortal(self) -> tuple[str, int]:
        """Who is killed in this stage, and when."""
        return (self.victim.part, self.victim.at) if self.victim.stage == self.stage else ("", 0)

    def work(self) -> None:
        self.run("worker", "work")

    def run(self, part: str, *words: str) -> None:
        """Run a command to its end. Raises Killed."""
        begun = {name: self.machine.moments(name) for name in ("worker", "build")}
        ended = self.machine.mortal(part, *self.mortal(), "etl", *words).wait(_PATIENCE)
        if ended == -signal.SIGKILL:
            raise Killed
        assert ended == 0, words
        for name, number in begun.items():
            # A worker builds where it checks or publishes this file; the check of another is no build of it.
            if name == part or self.stage in ("checking", "publishing"):
                self.counts[name, self.stage] += self.machine.moments(name) - number

    def sent(self, method: str, path: str, **more: Any) -> httpx.Response:
        """The answer to a request. Raises Killed."""
        try:
            with self.machine.client as client:
                answer = client.request(method, f"/hand-in{path}", **more)
        except httpx.TransportError:
            assert self.machine.web
            assert self.machine.web.wait(_PATIENCE) == -signal.SIGKILL
            raise Killed from None
        assert answer.status_code < 300, answer.text
        return answer


# ---------------------------------------------------------------- what must hold


def published(office: Office, name: str) -> str:
    now = publications.comparable(office.settings.folders.warehouse)
    ((digest,),) = publications.rows_of(now, f"select sha256 from load_files where file = '{name}'")
    return str(digest)


def refuse_faults(office: Office, first: set[str], given: set[str]) -> None:
    """What must hold the moment after a kill."""
    every = office.desk.records.all()
    for one in every:
        if one.state != "withdrawn":
            originals.verify(office.desk.root, one)
            assert all(file.sha256 in given for file in one.files), "a file that nobody gave"
    approved = first | {file.sha256 for one in every if one.decided_by for file in one.files}
    for name in (PERSONNEL, TRAINING):
        assert published(office, name) in approved, "published without approval"
        assert sha256(office.settings.folders.incoming / name) in approved, "accepted without approval"


def refuse_unsettled(office: Office) -> None:
    """What must hold besides once a worker has gone on with what was left."""
    assert not orders.waiting(office.desk.root)
    incoming = office.settings.folders.incoming
    for name in (PERSONNEL, TRAINING):
        assert sha256(incoming / name) == published(office, name), "the accepted file is the published one"
    assert not [path for path in incoming.iterdir() if path.suffix not in (".csv", ".json")], "a half file"
    assert (incoming / HANDED_IN).exists() == any(one.publication for one in office.desk.records.all())
    assert publishing.last_publishing(office.desk).get("state") in (None, "published"), "what was done is said"


def killed(office: Office, folder: Path, rounds: int, seed: int = 59) -> tuple[Counter[Any], list[Victim]]:
    """Go the way `rounds` times with a kill on each; the number of moments there are, and who was killed when."""
    office.settings = replace(office.settings, sign_in=settings.SignIn())
    machine, rng, victims = Machine(office, folder=folder), random.Random(seed), []
    incoming = office.settings.folders.incoming
    first = {sha256(path) for path in incoming.iterdir()}
    given, counts = set(first), Counter[Any]()
    plain = province_files(FARS)
    given.add(hashlib.sha256(province_files(ISFAHAN, 31)["personnel_IR-10.csv"].encode()).hexdigest())
    try:
        for number in range(rounds + 1):
            further = person(150_000 + number, "IR-07", "100")
            courses = {"national_id": further["national_id"]}
            files = {
                PERSONNEL: with_rows(plain[PERSONNEL], "personnel", further).encode(),
                TRAINING: with_rows(plain[TRAINING], "training", row("training", **courses)).encode(),
            }
            given |= {hashlib.sha256(content).hexdigest() for content in files.values()}
            if number == 0:
                way = Round(machine, files, set(CELLS[:rounds]))
                way.start_web()
                way.go()
                counts = way.counts
                assert all(counts[cell] for cell in CELLS[:rounds]), counts
            else:
                part, stage = CELLS[(number - 1) % 12]
                victims.append(Victim(part, stage, rng.randint(1, counts[part, stage])))
                way = Round(machine, files, {(part, stage)}, victims[-1])
                way.start_web()
                try:
                    way.go()
                    raise AssertionError(f"{victims[-1]} of {way.counts} lives")
                except Killed:
                    pass
                refuse_faults(office, first, given)
                way.spare()
                way.work()
                refuse_faults(office, first, given)
                refuse_unsettled(office)
                way.finish()
            refuse_faults(office, first, given)
            refuse_unsettled(office)
            assert published(office, PERSONNEL) == hashlib.sha256(files[PERSONNEL]).hexdigest()
    finally:
        machine.kill("web")
    return counts, victims


def test_after_a_kill_at_any_moment_nothing_is_half_or_lost_or_published_unapproved(office: Office, tmp_path: Path):
    rounds = draws(1, 100)
    _, victims = killed(office, tmp_path, rounds)
    by_cell = Counter((victim.part, victim.stage) for victim in victims)
    assert max(by_cell.values()) - min(by_cell[cell] for cell in CELLS[:rounds]) <= 1
