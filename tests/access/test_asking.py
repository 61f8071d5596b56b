"""The guard of /data/, /find and /hand-in: who asks, from where, with which right. One table of cases for the three."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.testclient import TestClient

from etl.core.settings import Settings
from etl.operations import audit
from tests.access.gated import configured, cookie
from ui.access.turns import Pace
from ui.data import submissions
from ui.shell import asking, data_address, find_address, gate, hand_in_address, people
from ui.state import personal_tokens

SITE = "http://testserver"
# The method and the path of each address; what follows the guard is no publication, and no such submission.
ADDRESSES = {
    "data": ("GET", "/data/answer.csv"),
    "find": ("GET", "/find?q=x"),
    "look": ("GET", "/hand-in/x"),
    "change": ("POST", "/hand-in/x/check"),
}
PASSED = {"data": 503, "find": 503, "look": 404, "change": 404}
PAGES = {"data": "data address", "find": "find", "look": "hand-in address", "change": "hand-in address"}


def hand_in_token(headers: dict[str, str]) -> str:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    person = people.who(HTTPConnection({"type": "http", "headers": raw, "path": "/", "query_string": b""}))
    assert person
    return people.hand_in_token(person)


def officer(**more: str) -> dict[str, str]:
    """A browser of an officer who may export, on a page of this site."""
    headers = cookie()
    return headers | {"Origin": SITE, "X-Hand-In": hand_in_token(headers)} | more


def without(name: str) -> dict[str, str]:
    return {header: value for header, value in officer().items() if header != name}


# What is sent, the status of each address that refuses, and the reason and account of its line in the audit log.
CASES: dict[str, tuple[Callable[[], dict[str, str]], dict[str, int], str, str]] = {
    "an officer": (officer, {}, "", ""),
    "nobody": (lambda: {"Origin": SITE}, dict.fromkeys(ADDRESSES, 401), "", ""),
    "a forged cookie": (
        lambda: cookie("another secret") | {"Origin": SITE},
        dict.fromkeys(ADDRESSES, 401),
        "forged cookie",
        "unknown",
    ),
    "no role": (
        lambda: (h := cookie(groups=["x"], sub="stranger")) | {"Origin": SITE, "X-Hand-In": hand_in_token(h)},
        dict.fromkeys(ADDRESSES, 403),
        "outside of the rights",
        "stranger",
    ),
    "an account called as the log calls the server": (
        lambda: cookie(sub="server") | {"Origin": SITE},
        dict.fromkeys(ADDRESSES, 401),
        "unusable cookie",
        "unknown",
    ),
    "an account called unknown": (
        lambda: cookie(sub="unknown") | {"Origin": SITE},
        dict.fromkeys(ADDRESSES, 401),
        "unusable cookie",
        "unknown",
    ),
    "another site": (
        lambda: officer(**{"Sec-Fetch-Site": "cross-site"}),
        dict.fromkeys(ADDRESSES, 403),
        "other site",
        "unknown",
    ),
    "a neighbour of the site": (
        lambda: officer(**{"Sec-Fetch-Site": "same-site"}),
        dict.fromkeys(ADDRESSES, 403),
        "other site",
        "unknown",
    ),
    "its own browser": (lambda: officer(**{"Sec-Fetch-Site": "same-origin"}), {}, "", ""),
    "no origin": (lambda: without("Origin"), {"change": 403}, "other site", "unknown"),
    "another origin": (lambda: officer(Origin="http://elsewhere"), {"change": 403}, "other site", "unknown"),
    "no token of the page": (
        lambda: without("X-Hand-In"),
        {"change": 403},
        "no token of the page",
        "isfahan.officer",
    ),
    "a token of another page": (
        lambda: officer(**{"X-Hand-In": "x"}),
        {"change": 403},
        "no token of the page",
        "isfahan.officer",
    ),
    "may not export": (
        lambda: (
            (h := cookie(groups=["tehran"], sub="tehran.officer")) | {"Origin": SITE, "X-Hand-In": hand_in_token(h)}
        ),
        {"data": 403},
        "outside of the rights",
        "tehran.officer",
    ),
    "a wrong token": (lambda: officer(Authorization="Bearer x"), {"data": 401}, "wrong token", "unknown"),
}


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    known = configured(tmp_path, monkeypatch, "oidc")
    monkeypatch.setenv("WAREHOUSE", str(tmp_path / "nothing.duckdb"))
    monkeypatch.setattr(
        submissions,
        "_settings",
        lambda: replace(known, folders=replace(known.folders, submissions=tmp_path / "submissions")),
    )
    asking._guesses.clear()
    asking.SEARCHES.forget()
    yield TestClient(application())
    people.secrets.cache_clear()
    people.sessions.cache_clear()
    people.turns.cache_clear()


def application() -> Starlette:
    routes = [*data_address.routes(), *find_address.routes(), *hand_in_address.routes()]
    return Starlette(routes=routes, middleware=[Middleware(gate.Gate)])


def asked(client: TestClient, address: str, headers: dict[str, str]) -> Any:
    method, path = ADDRESSES[address]
    return client.request(method, path, headers=headers)


def refusals() -> list[audit.Event]:
    return [event for event in audit.events(people.audit_folder()) if event.event == "refused"]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("case", CASES)
def test_who_asks_from_where_with_which_right(client: TestClient, case: str, address: str) -> None:
    sent, statuses, why, sub = CASES[case]
    answers = [asked(client, address, sent()) for _ in range(3)]
    expected = statuses.get(address, PASSED[address])
    assert {answer.status_code for answer in answers} == {expected}
    assert answers[0].text.count("\n") == 1, "one sentence"
    # The gate answers who has no role before the address does, and says whom to ask; their sign-in is a line of its own.
    is_logged = address in statuses and not (case == "no role" and address != "data")
    lines = [(event.sub, event.more["why"]) for event in refusals() if "why" in event.more]
    assert lines == [(sub, why)] * bool(why and (is_logged or why.endswith("cookie")))


@pytest.mark.parametrize("address", ADDRESSES)
def test_without_sign_in_this_machine_alone_is_answered(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: TestClient
) -> None:
    monkeypatch.setattr(people, "settings_at_start", lambda: Settings())
    here, there = (TestClient(application(), client=(host, 5000)) for host in ("127.0.0.1", "10.0.0.7"))
    assert asked(here, address, {"Origin": SITE}).status_code == PASSED[address]
    assert asked(there, address, {"Origin": SITE}).status_code == 403
    assert asked(here, address, {"Origin": SITE, "X-Forwarded-For": "10.0.0.7"}).status_code == 403


@pytest.mark.parametrize(
    ("address", "pace", "most"), [("find", "SEARCHES", 10), ("look", "LOOKS", 600), ("change", "CHANGES", 120)]
)
def test_each_person_asks_so_often(
    client: TestClient, address: str, pace: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: Pace = getattr(asking, pace)
    assert known.most == most
    monkeypatch.setattr(known, "most", 2)
    monkeypatch.setattr(known, "seconds", 1000.0)
    known.forget()
    codes = [asked(client, address, officer()).status_code for _ in range(3)]
    assert codes == [PASSED[address], PASSED[address], 429]
    headers = cookie(sub="another.officer")
    sent = headers | {"Origin": SITE, "X-Hand-In": hand_in_token(headers)}
    assert asked(client, address, sent).status_code == PASSED[address], "others are counted for themselves"
    known.forget()


@pytest.mark.parametrize("address", ADDRESSES)
def test_while_nothing_can_be_logged_the_answer_is_503(client: TestClient, address: str, tmp_path: Path) -> None:
    """A file in place of the audit folder: of a session that begins, of one that goes on, and of a token."""
    headers = officer()
    assert asked(client, address, headers).status_code == PASSED[address]
    token = personal_tokens.store().make("isfahan.officer", ["isfahan"], "x", 90, time.time(), lambda: None)
    for path in (tmp_path / "audit").iterdir():
        path.unlink()
    (tmp_path / "audit").rmdir()
    (tmp_path / "audit").touch()
    if address == "data":
        program = {"Authorization": f"Bearer {token}"}
        assert asked(client, address, program).status_code == 503
    new = cookie(sub="new.officer")
    assert asked(client, address, new | {"Origin": SITE, "X-Hand-In": hand_in_token(new)}).status_code == 503
    assert asked(client, address, {**headers, "Sec-Fetch-Site": "cross-site"}).status_code == 503
