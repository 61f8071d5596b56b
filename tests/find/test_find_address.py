"""The find address answers signed-in people, each within the own rights, a few times a second, and writes nothing down."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from etl.analysis import detail
from etl.semantic import access
from etl.semantic.rights import ADMINISTRATOR
from tests.access.gated import configured, cookie
from tests.access.scopes import ISFAHAN, NATIONAL, OF_ISFAHAN, TEHRAN
from tests.find.conftest import Find
from tests.loading import publish
from ui.access import turns
from ui.data import page_run
from ui.find import reading, results
from ui.i18n import text
from ui.shell import asking, find_address, gate, people
from ui.state import saved_views

# Without a second between them no more are answered.
LIMIT = asking.SEARCHES.most


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands until a test moves it."""
    now = [1000.0]
    monkeypatch.setattr(turns.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_register: Path, request: pytest.FixtureRequest
) -> Iterator[TestClient]:
    configured(tmp_path, monkeypatch, getattr(request, "param", "oidc"))
    monkeypatch.setenv("WAREHOUSE", str(small_register))
    asking.SEARCHES.forget()
    app = Starlette(routes=[*gate.routes(), *find_address.routes()], middleware=[Middleware(gate.Gate)])
    yield TestClient(app, client=("127.0.0.1", 5000))
    people.secrets.cache_clear()
    people.sessions.cache_clear()


def ask(client: TestClient, written: str, lang: str = "fa", **claims: Any) -> Any:
    return client.get("/find", params={"q": written, "lang": lang}, headers=cookie(**claims))


def test_the_address_answers_what_is_found_as_json(client: TestClient, find: Find) -> None:
    response = ask(client, "آموزش اصفهان")
    assert response.headers["cache-control"] == "private, no-store"
    found = response.json()
    assert found == find("آموزش اصفهان", OF_ISFAHAN).as_json()
    assert {*found} == {"understood", "unknown", "results"}
    assert {*found["understood"][0]} == {"text", "kind", "code"}
    first = found["results"][0]
    assert {*first} == {"kind", "title", "about", "address", "value"}
    assert (first["kind"], first["address"]) == ("answer", f"/training?province={ISFAHAN}")
    assert first["value"].strip("\u2067\u2069\u061c") in first["title"]
    assert ask(client, "training Isfahan", "en").json()["results"][0]["address"].endswith("&lang=en")


def test_each_person_is_answered_within_the_own_rights(client: TestClient, find: Find) -> None:
    assert ask(client, "ترک خدمت زنان تهران").json() == find("ترک خدمت زنان تهران", OF_ISFAHAN).as_json()
    national = ask(client, "ترک خدمت زنان تهران", sub="national.analyst", groups=["national"])
    assert national.json() == find("ترک خدمت زنان تهران", NATIONAL).as_json()
    assert national.json()["results"][0]["value"] != "c"


def test_on_a_pinned_page_the_pinned_publication_is_asked_while_it_is_kept(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, small_register: Path
) -> None:
    publish(small_register, tmp_path / "warehouse.duckdb", 2)
    monkeypatch.setenv("WAREHOUSE", str(tmp_path / "warehouse.duckdb"))
    asked: list[str] = []

    def noted(written: str, lang: str) -> results.Found:
        asked.append(page_run.publication().id)
        return found(written, lang)

    found = results.find
    monkeypatch.setattr(results, "find", noted)
    for pinned, answers in (("000001", "000001"), ("000099", "000002"), ("", "000002")):
        sent = {"q": "آموزش اصفهان", "publication": pinned}
        lines = client.get("/find", params=sent, headers=cookie()).json()["results"]
        assert asked.pop() == answers
        for line in lines:
            assert parse_qs(urlsplit(line["address"]).query).get("publication", [""]) == [pinned]


@pytest.mark.parametrize("lang", text.LANGUAGES)
@pytest.mark.parametrize("path", ["/find", "/hand-in/1"])
def test_who_is_signed_out_is_told_so_in_a_sentence_and_never_by_a_page(
    client: TestClient, path: str, lang: str
) -> None:
    accepts = {"Accept": "text/html"}
    for sent, key, status in (
        (accepts, "needed", 401),
        (accepts | cookie(exp=1), "expired", 401),
        (accepts | cookie(groups=["nobody"], sub="stranger"), "no_rights", 403),
    ):
        refused = client.get(path, params={"q": "فارس", "lang": lang}, headers=sent)
        assert (refused.status_code, refused.text) == (status, text.word(f"sign_in.{key}", lang) + "\n")
        assert refused.headers["content-type"].startswith("text/plain")
    page = client.get("/overview", headers=accepts)
    assert (page.status_code, page.headers["content-type"].partition(";")[0]) == (401, "text/html")


@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_eighty_letters_are_read_and_one_more_is_refused(client: TestClient, lang: str) -> None:
    assert reading.MOST_LETTERS == 80
    assert ask(client, "ف" * 80, lang).status_code == 200
    refused = ask(client, "ف" * 81, lang)
    said = text.word("find.too_long", lang, most=text.number(80, lang))
    assert (refused.status_code, refused.text.strip()) == (400, said)


def test_ten_requests_a_second_are_answered_and_the_eleventh_is_not(client: TestClient, clock: list[float]) -> None:
    assert LIMIT == 10
    assert [ask(client, "فارس").status_code for _ in range(LIMIT)] == [200] * LIMIT
    refused = ask(client, "فارس")
    assert (refused.status_code, refused.text.strip()) == (429, text.word("find.too_many", "fa"))
    assert refused.headers["retry-after"] == "1"
    other = ask(client, "فارس", sub="national.analyst", groups=["national"])
    assert other.status_code == 200, "each person has the own count"
    clock[0] += 0.99
    assert ask(client, "فارس").status_code == 429
    clock[0] += 0.02
    assert ask(client, "فارس").status_code == 200


def test_a_view_shared_with_a_team_is_found_by_its_members(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    views = saved_views._views()
    view = saved_views.Saved("گزارش شورای تأمین", "training", {"province": [TEHRAN]}, "2026-06-01", "national.analyst")
    assert not views.add(view)
    views.share("national.analyst", view.name, "isfahan")
    assert [line["kind"] for line in ask(client, "شورای تأمین").json()["results"]] != ["view"], "not by a word within"
    assert ask(client, "گزارش شورای تأمین").json()["results"][0]["kind"] == "view"
    other = ask(client, "گزارش شورای تأمین", sub="tehran.officer", groups=["tehran"])
    assert "view" not in {line["kind"] for line in other.json()["results"]}


def test_nothing_typed_is_written_down(
    client: TestClient, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    ask(client, "sentinelwritten آموزش")
    ask(client, "sentinelwritten " + "ف" * 80)
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    own = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx")]
    assert b"sentinelwritten" not in files
    assert "sentinelwritten" not in " ".join([*own, *capfd.readouterr()])


def test_an_institute_outside_is_answered_like_a_code_that_does_not_exist(
    client: TestClient, small_register: Path
) -> None:
    with access.connect(small_register, ADMINISTRATOR) as con:
        institutes = list(detail.institutes(con).values())
    own = next(one for one in institutes if one.province == ISFAHAN)
    outside = next(one for one in institutes if one.province == TEHRAN)
    assert ask(client, own.code).json()["results"][0]["kind"] == "institute"
    missing = "9999999"
    assert missing not in {one.code for one in institutes}
    of_outside, of_missing = (ask(client, code).json() for code in (outside.code, missing))
    assert of_outside["unknown"] == [outside.code]
    assert of_outside["results"] == of_missing["results"]
    assert of_outside["understood"] == of_missing["understood"] == []
    by_name = ask(client, outside.name).json()["results"]
    assert outside.code not in str(by_name)
