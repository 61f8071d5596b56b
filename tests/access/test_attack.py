"""Many large questions of one person, or of three, stop nobody else: a served dashboard whose answers a test holds.

What is judged is who is answered while others wait, not how fast.
"""

import os
import re
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient
from websockets.sync.client import connect

from tests import processes, serving
from tests.access.gated import ACCESS, AUTH, configured, cookie
from tests.access.held_server import ENDLESS
from tests.access.test_data_address import app
from tests.effort import thorough
from ui.access.tokens import Tokens
from ui.shell import data_address

pytestmark = pytest.mark.slow
PEOPLE = ("first.analyst", "second.analyst", "third.analyst")


@dataclass
class Site:
    """A served dashboard, and the folder that says what it is making."""

    port: int
    folder: Path

    def making(self, what: str = "making") -> int:
        return len(list(self.folder.glob(f"held/{what}-*")))

    def release(self) -> None:
        (self.folder / "held" / "release").touch()

    def hold(self) -> None:
        """What is made from here on waits."""
        (self.folder / "held" / "release").unlink(missing_ok=True)

    def get(self, path: str, headers: dict[str, str]) -> "Asked":
        return Asked(self.port, path, headers)

    def is_open_to(self, headers: dict[str, str]) -> bool:
        """Whether health, page and socket are there for somebody; each is waited for."""
        pages = [self.get(path, headers).status for path in ("/healthz", "/", "/growth")]
        origin = f"http://localhost:{self.port}"
        address = f"ws://localhost:{self.port}/_stcore/stream"
        more = headers | {"Origin": origin}
        with connect(address, additional_headers=more, subprotocols=["streamlit"], open_timeout=serving.PATIENCE):  # type: ignore[list-item]
            return pages == [200, 200, 200]


class Asked:
    """A request that is sent; its response is read when it is there."""

    def __init__(self, port: int, path: str, headers: dict[str, str]) -> None:
        lines = [f"GET {path} HTTP/1.1", f"Host: localhost:{port}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.wire = socket.create_connection(("localhost", port), serving.PATIENCE)
        self.wire.sendall("\r\n".join([*lines, "", ""]).encode())
        self.head = b""

    def is_answered(self) -> bool:
        """Whether the head of the response came."""
        self.wire.setblocking(False)
        try:
            self.head = self.head or self.wire.recv(4096)
        except BlockingIOError:
            return False
        finally:
            self.wire.settimeout(serving.PATIENCE)
        return bool(self.head)

    @property
    def status(self) -> int:
        self.head = self.head or self.wire.recv(4096)
        return int(self.head.split()[1])

    def hang_up(self) -> None:
        self.wire.close()


@contextmanager
def served(folder: Path, warehouse: Path, mode: str, **environment: str) -> Iterator[Site]:
    port = serving.free_ports()
    (folder / "held").mkdir()
    (folder / "access.toml").write_text(ACCESS, encoding="utf-8")
    secrets = re.sub('redirect_uri = ".*?"', f'redirect_uri = "http://localhost:{port}/oauth2callback"', AUTH)
    (folder / "secrets.toml").write_text(secrets, encoding="utf-8")
    (folder / "secrets.toml").chmod(0o600)
    environment |= {"HELD": str(folder / "held"), "PORT": str(port), "WAREHOUSE": str(warehouse)}
    environment |= {
        "VIEWS": str(folder / "views"),
        "AUDIT": str(folder / "audit"),
        "POLICEYAR_RUN": str(folder / "run"),
    }
    environment |= {"POLICEYAR_SIGN_IN_MODE": mode}
    if mode != "open":
        for name in ("ACCESS", "SECRETS"):
            environment[f"POLICEYAR_SIGN_IN_{name}"] = str(folder / f"{name.lower()}.toml")
    process = processes.Process("tests.access.held_server", env={**os.environ, **environment})
    try:
        serving.until(lambda: serving.ask(port, "/healthz")[0] == 200, "the dashboard answers")
        yield Site(port, folder)
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def busy(small_register: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """With sign-in; its answers are held, and checks of sessions wait for their store."""
    with served(tmp_path_factory.mktemp("busy"), small_register, "oidc", PATIENT="1") as site:
        yield site


def of(sub: str) -> dict[str, str]:
    """The cookie of a signed-in person."""
    return cookie(sub=sub, groups=["national"])


def question(number: int, measure: str = "active_assistants") -> str:
    query = {"m": measure, "by": ["province", "gender"], "on": f"1404/{number // 25 + 1:02}/{number % 25 + 1:02}"}
    return f"/data/answer.csv?{urlencode(query, doseq=True)}"


def split(asked: list[Asked], is_so: Callable[[], bool], answered: int) -> tuple[list[Asked], list[Asked]]:
    """Those of the requests that are answered, once there are so many, and those that wait."""
    serving.until(lambda: is_so() and sum(one.is_answered() for one in asked) >= answered, "the others are refused")
    return [one for one in asked if one.head], [one for one in asked if not one.head]


def test_50_large_questions_of_one_cookie_and_45_tokens_of_three_people_stop_nobody(busy: Site) -> None:
    site, store = busy, Tokens(busy.folder / "views")
    site.hold()
    tokens = [
        store.make(sub, ["national"], f"{number}", 90, time.time(), lambda: None)
        for sub in PEOPLE
        for number in range(15)
    ]
    asked = [site.get(question(number), of(PEOPLE[0])) for number in range(50)]
    refused, making = split(asked, lambda: site.making() == 1, 49)
    assert ({one.status for one in refused}, len(making)) == ({429}, 1)
    assert site.is_open_to(of("another.analyst"))
    # The person of the cookie is that of fifteen of the tokens.
    more = [site.get(question(50 + n), {"Authorization": f"Bearer {one}"}) for n, one in enumerate(tokens)]
    refused, more_making = split(more, lambda: site.making() == 3, 43)
    assert ({one.status for one in refused}, len(more_making)) == ({429}, 2)
    assert site.is_open_to(of("another.analyst"))
    # Two more people, whose answers wait for a thread.
    last = [site.get(question(100), of(f"{name}.analyst")) for name in ("fourth", "fifth")]
    serving.until(lambda: site.making() == 4, "as many answers are made as there are threads")
    assert site.is_open_to(of("another.analyst"))
    site.release()
    assert [one.status for one in (*making, *more_making, *last)] == [200] * 5


def test_of_50_large_questions_of_one_machine_one_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_register: Path
) -> None:
    configured(tmp_path, monkeypatch, "open")
    monkeypatch.setenv("WAREHOUSE", str(small_register))
    held, made = threading.Event(), data_address._made

    def waiting(*given: Any) -> Any:
        held.wait(serving.PATIENCE)
        return made(*given)

    monkeypatch.setattr(data_address, "_made", waiting)
    client = TestClient(app(), client=("127.0.0.1", 5000))
    with ThreadPoolExecutor(50) as pool:
        asked = [pool.submit(client.get, question(number)) for number in range(50)]
        serving.until(lambda: sum(one.done() for one in asked) == 49, "the others are refused")
        held.set()
    assert sorted(one.result().status_code for one in asked) == [200, *[429] * 49]


@thorough
def test_50_large_questions_of_one_machine_stop_nobody(tmp_path: Path, small_register: Path) -> None:
    with served(tmp_path, small_register, "open") as site:
        asked = [site.get(question(number), {}) for number in range(50)]
        refused, making = split(asked, lambda: site.making() == 1, 49)
        assert ({one.status for one in refused}, len(making)) == ({429}, 1)
        assert site.is_open_to({})
        site.release()
        assert making[0].status == 200


@pytest.mark.parametrize(("measure", "in_worker"), ENDLESS.items())
def test_what_nobody_waits_for_any_more_is_given_up(measure: str, in_worker: bool, busy: Site) -> None:
    busy.release()
    # Those of the test above have asked as much as they may in a minute, and what they were answered is kept.
    somebody, another = of(f"{measure}.analyst"), question(200 + in_worker)
    asked = busy.get(question(0, measure), somebody)
    serving.until(lambda: busy.making("endless") == 1, "the question is asked")
    if in_worker:
        serving.until(lambda: workers(busy), "a worker process answers it")
    assert busy.get(another, somebody).status == 429
    asked.hang_up()
    serving.until(lambda: not busy.making("endless"), "the question is given up")
    serving.until(lambda: busy.get(another, somebody).status == 200, "the next one is answered")
    serving.until(lambda: not workers(busy), "no worker goes on")


def test_a_locked_store_of_sessions_stops_nothing_that_needs_no_session(busy: Site) -> None:
    assert busy.get("/", of(PEOPLE[0])).status == 200
    with closing(sqlite3.connect(busy.folder / "run" / "web" / "sessions.sqlite", isolation_level=None)) as lock:
        lock.execute("begin immediate")
        asked = [busy.get("/", of(PEOPLE[0])) for _ in range(60)]
        for path, status in (
            ("/healthz", 200),
            # Nobody new can sign in.
            ("/readyz", 503),
            ("/app/static/fonts/Vazirmatn-Regular.woff2", 200),
            ("/growth", 401),
        ):
            assert busy.get(path, {"Accept": "text/html"}).status == status
        assert not any(one.is_answered() for one in asked)
    assert {one.status for one in asked} == {200}


def workers(site: Site) -> list[str]:
    """The worker processes of a site."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words, environment = (path / "cmdline").read_bytes(), (path / "environ").read_bytes()
        except OSError:
            continue
        if b"ui.data.worker_process" in words and f"HELD={site.folder}".encode() in environment:
            found.append(path.name)
    return found
