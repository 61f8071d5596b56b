"""The gate against forged, expired, copied and truncated cookies and headers set by clients. No browser."""

import asyncio
import html
import re
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from etl.core import store
from etl.core.errors import AccessDenied
from etl.operations import audit
from etl.semantic.rights import AccessScope, Grant
from tests import serving
from tests.access.gated import ACCESS, AUTH, CLOSED, PAGE, SECRET, application, configured, cookie, opens_socket, status
from tests.access.scopes import ISFAHAN, TEHRAN
from ui.access import sessions, tokens
from ui.shell import gate, people
from ui.state import personal_tokens


@pytest.mark.parametrize("path", CLOSED)
def test_without_a_session_no_data_is_served(path: str, oidc: TestClient) -> None:
    assert oidc.get(path, headers=PAGE).status_code == 401
    assert oidc.get(path, headers=PAGE).content == b""
    assert oidc.put(path).status_code == 401
    assert oidc.get(path, headers=cookie()).status_code in (200, 404)


def test_a_socket_needs_a_session(oidc: TestClient) -> None:
    assert not opens_socket(oidc, {})
    assert opens_socket(oidc, cookie())


def test_without_a_session_every_page_offers_sign_in_in_both_languages(oidc: TestClient) -> None:
    page = oidc.get("/institutes?institute=123", headers=PAGE)
    assert page.status_code == 401
    assert "/sign-in" in page.text
    assert "Sign in to see the dashboard." in page.text
    assert "برای مشاهدهٔ داشبورد وارد شوید." in page.text
    assert "123" not in page.text


def test_while_the_shared_sessions_cannot_be_read_a_page_says_so_and_nobody_is_let_in(
    oidc: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object) -> str:
        raise OSError("connection refused")

    with monkeypatch.context() as away:
        away.setattr(people, "refusal", unreachable)
        page = oidc.get("/overview", headers=PAGE | cookie())
        assert page.status_code == 503
        assert "Sign-ins cannot be checked or logged at the moment." in page.text
        assert "در حال حاضر بررسی یا ثبت ورود کاربران ممکن نیست." in page.text
        assert "refused" not in page.text
        assert oidc.get("/media/x", headers=cookie()).content == b""
        assert not opens_socket(oidc, cookie())
        assert oidc.get("/healthz", headers=cookie()).status_code != 503
        assert oidc.get("/publication.json", headers=cookie()).status_code != 503, "an open page keeps no session awake"
    with monkeypatch.context() as away:
        away.setattr(people.sessions(), "end", unreachable)
        assert oidc.post("/sign-out", headers=PAGE | cookie()).status_code == 503, "a sign-out that failed says so"
    assert status(oidc, cookie()) == 200


def test_a_locked_store_of_sessions_refuses_sooner_than_one_that_nobody_waits_for(
    oidc: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert status(oidc, cookie()) == 200
    monkeypatch.setattr(store, "_PATIENCE_SECONDS", 3600)
    with (
        closing(sqlite3.connect(tmp_path / "run" / "web" / "sessions.sqlite", isolation_level=None)) as lock,
        ThreadPoolExecutor(1) as pool,
    ):
        lock.execute("begin immediate")
        asked = pool.submit(status, oidc, cookie())
        try:
            assert asked.result(serving.PATIENCE) == 503
        finally:
            lock.execute("rollback")
    assert status(oidc, cookie()) == 200


def truncated(headers: dict[str, str]) -> dict[str, str]:
    return {"Cookie": headers["Cookie"][:-9]}


BAD = {
    "forged": lambda: cookie("another secret of thirty-two letters"),
    "tampered": lambda: {"Cookie": cookie()["Cookie"].replace("=", "=A", 1)},
    "truncated": lambda: truncated(cookie()),
    "expired": lambda: cookie(exp=int(time.time()) - 1),
    "older than eight hours": lambda: cookie(
        iat=int(time.time()) - sessions.LONGEST_SECONDS - 1, exp=int(time.time()) + 9
    ),
    "a clock ten minutes ahead": lambda: cookie(iat=int(time.time()) + 600),
    "a clock ten minutes behind, past its end": lambda: cookie(exp=int(time.time()) - 600),
    "no end": lambda: cookie(exp=None),
    "nobody": lambda: cookie(sub=None),
    "a number for a person": lambda: cookie(sub=7),
    "an empty person": lambda: cookie(sub=""),
    "the account of the server": lambda: cookie(sub="server:root"),
    "half of a surrogate pair": lambda: cookie(sub="isfahan\ud800"),
    "half of one in the name": lambda: cookie(name="\udfff"),
    "half of one in a group": lambda: cookie(groups=["isfahan", "\udc80"]),
    "no claims": lambda: {"Cookie": "_streamlit_user=" + create_signed_value(SECRET, "_streamlit_user", "[]").decode()},
    "another cookie's signature": lambda: {
        "Cookie": "_streamlit_user=" + create_signed_value(SECRET, "_streamlit_user_tokens", "{}").decode()
    },
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_cookie_is_no_session(name: str, oidc: TestClient) -> None:
    assert status(oidc, BAD[name]()) == 401
    assert not opens_socket(oidc, BAD[name]())


@pytest.mark.parametrize("groups", [None, [], ["unknown"], "isfahan", {"isfahan": 1}, [["isfahan"]], [None]])
def test_a_token_without_known_groups_has_no_rights_and_is_told_so(groups: Any, oidc: TestClient) -> None:
    signed_in = cookie(groups=groups, name="<b>Stranger</b>")
    page = oidc.get("/overview", headers=PAGE | signed_in)
    assert page.status_code == 403
    assert "&lt;b&gt;Stranger&lt;/b&gt;" in page.text
    assert "Ms Karimi" in page.text
    assert "خانم کریمی" in page.text
    assert not opens_socket(oidc, signed_in)
    assert [event.event for event in audit.events(people.audit_folder())] == ["refused"]


@pytest.mark.parametrize(
    ("groups", "provinces"),
    [
        (["isfahan"], {ISFAHAN}),
        (["isfahan", "tehran"], {ISFAHAN, TEHRAN}),
        (["tehran", "unknown"], {TEHRAN}),
    ],
)
def test_groups_become_a_scope(groups: list[str], provinces: set[str], oidc: TestClient) -> None:
    scope = people.table().scope_of("x", groups)
    assert scope.codes == provinces
    assert scope.may_take(frozenset({ISFAHAN})) == (ISFAHAN in provinces)
    assert not scope.may_take(frozenset({TEHRAN}))
    assert not scope.with_detail.grants
    assert status(oidc, cookie(groups=groups)) == 200


def test_a_broken_table_of_roles_gives_rights_to_nobody(oidc: TestClient, tmp_path: Path) -> None:
    assert status(oidc, cookie()) == 200
    (tmp_path / "access.toml").write_text("[groups", encoding="utf-8")
    assert status(oidc, cookie()) == 403
    (tmp_path / "access.toml").unlink()
    assert status(oidc, cookie()) == 403


def test_withdrawn_rights_take_effect_in_an_open_session(oidc: TestClient, tmp_path: Path, monkeypatch) -> None:
    assert status(oidc, cookie()) == 200
    person = next(iter(people._people.values()))
    monkeypatch.setattr(people, "of_run", lambda: person)
    assert people.scope_of_run() == AccessScope("", frozenset({Grant("province", frozenset({ISFAHAN}), False, True)}))
    (tmp_path / "access.toml").write_text(ACCESS.replace("groups.isfahan", "groups.other"), encoding="utf-8")
    people._fresh.clear()  # as after two seconds
    with pytest.raises(AccessDenied):
        people.scope_of_run()


def test_a_copied_cookie_is_refused_after_sign_out_by_every_process(oidc: TestClient, monkeypatch) -> None:
    stolen = cookie()
    assert status(oidc, stolen) == 200
    person = next(iter(people._people.values()))
    oidc.post("/sign-out", headers=stolen)
    assert status(oidc, stolen) == 401
    assert not opens_socket(oidc, stolen)
    people.sessions.cache_clear()  # another process
    assert status(oidc, stolen) == 401
    monkeypatch.setattr(people, "of_run", lambda: person)
    with pytest.raises(AccessDenied):
        people.scope_of_run()
    assert status(oidc, cookie(nonce="of the next sign-in")) == 200


def test_an_idle_session_ends_and_one_in_use_goes_on(oidc: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    used, idle = cookie(nonce="1"), cookie(nonce="2")
    now = time.time()
    for minutes in (0, 20, 40):
        monkeypatch.setattr(gate.time, "time", lambda minutes=minutes: now + 60 * minutes)
        assert status(oidc, used) == 200
        if minutes != 20:
            assert status(oidc, idle) == (200 if minutes == 0 else 401)


def test_an_open_socket_ends_with_its_session(oidc: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "_ASK_AGAIN_SECONDS", -1.0)
    headers = cookie()
    with oidc.websocket_connect("/_stcore/stream", headers=headers) as wire:
        wire.send_text("a")
        assert wire.receive_text() == "a"
        oidc.post("/sign-out", headers=headers)
        wire.send_text("b")
        with pytest.raises(WebSocketDisconnect):
            wire.receive_text()


def test_sockets_are_counted_by_person(oidc: TestClient) -> None:
    """Behind a proxy all people have one address: one with many idle sockets shuts nobody else out."""
    first, again, other = cookie(), cookie(nonce="another sign-in"), cookie(sub="another.officer")
    with ExitStack() as wires:
        opened = [
            wires.enter_context(oidc.websocket_connect("/_stcore/stream", headers=headers))
            for headers in [first, again] * (gate.MOST_SOCKETS // 2)
        ]
        assert not opens_socket(oidc, first)
        assert not opens_socket(oidc, again)
        assert opens_socket(oidc, other)
        opened[0].close()
        assert opens_socket(oidc, again)
    assert opens_socket(oidc, first)


def test_headers_of_the_gate_and_the_proxy_are_not_accepted_from_clients(oidc: TestClient) -> None:
    forged = {"X-Policeyar-Session": "y", "X-Remote-User": "boss", "X-Remote-Groups": "national"}
    assert status(oidc, forged) == 401
    behind = oidc.get("/overview", headers=forged | cookie()).json()
    assert set(behind) == {"x-policeyar-session"}
    assert behind["x-policeyar-session"] not in ("y", "")
    assert len(behind["x-policeyar-session"]) == 64


def test_sign_in_cookies_are_secure_and_last_eight_hours_at_most(oidc: TestClient) -> None:
    cookie_text = oidc.get("/oauth2callback").headers["set-cookie"]
    assert "Secure" in cookie_text
    assert "HttpOnly" in cookie_text
    assert f"Max-Age={sessions.LONGEST_SECONDS}" in cookie_text


def unwritable(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_session_is_stored_after_its_line_in_the_log_or_not_at_all(
    oidc: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr(audit, "_replace", unwritable)
        for _ in range(3):
            assert status(oidc, cookie()) == 503
            assert not opens_socket(oidc, cookie())
        assert oidc.get("/media/x", headers=cookie()).content == b""
    assert audit.events(people.audit_folder()) == []
    assert people.sessions().of("isfahan.officer", time.time()) == []
    assert status(oidc, cookie()) == 200
    assert [event.event for event in audit.events(people.audit_folder())] == ["sign_in"]


def test_a_sign_out_ends_the_session_also_where_it_cannot_be_logged(
    oidc: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in = cookie()
    assert status(oidc, signed_in) == 200
    with monkeypatch.context() as full:
        full.setattr(audit, "_replace", unwritable)
        assert oidc.post("/sign-out", headers=PAGE | signed_in).status_code == 503
    assert status(oidc, signed_in) == 401


def test_a_sign_out_is_a_post_that_clears_the_browser_and_puts_no_token_into_an_address(
    oidc: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def provider(*_: object) -> httpx.Response:
        return httpx.Response(200, json={"end_session_endpoint": "https://provider.example/end"})

    monkeypatch.setattr("ui.shell.gate.httpx.AsyncClient.get", provider)
    signed_in = cookie()
    assert oidc.get("/sign-out", headers=signed_in).status_code == 405
    assert oidc.get("/auth/logout", headers=signed_in).status_code == 404, "Streamlit's own is a GET with the token"
    assert status(oidc, signed_in) == 200
    answer = oidc.post("/sign-out", headers=signed_in)
    assert answer.headers["clear-site-data"] == '"storage"'
    assert "_streamlit_user=" in answer.headers["set-cookie"]
    (written,) = re.findall(r'http-equiv="refresh" content="0; url=([^"]+)"', answer.text)
    address = urlsplit(html.unescape(written))
    assert address.netloc == "provider.example"
    assert parse_qs(address.query).keys() == {"client_id", "post_logout_redirect_uri"}
    assert status(oidc, signed_in) == 401


@pytest.mark.parametrize("mode", ["oidc", "open"])
@pytest.mark.parametrize("path", ["/_stcore/upload_file/a/b", "/_stcore/agent/interact", "/_stcore/agent/openapi.json"])
def test_uploads_and_the_agent_of_streamlit_are_closed_to_everybody(
    mode: str, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(tmp_path, monkeypatch, mode)
    client = TestClient(application())
    for method in ("GET", "PUT", "POST", "DELETE", "OPTIONS"):
        answer = client.request(method, path, headers=PAGE | cookie())
        assert (answer.status_code, answer.content) == (404, b"")


def test_500_uploads_are_refused_unread(oidc: TestClient) -> None:
    received, statuses = [], []

    async def receive() -> dict[str, Any]:
        received.append(1)
        return {"type": "http.request", "body": b"x" * 2**20, "more_body": True}

    async def send(message: Any) -> None:
        statuses.append(message.get("status"))

    async def upload() -> None:
        path = "/_stcore/upload_file/a/b"
        headers = [(b"cookie", cookie()["Cookie"].encode()), (b"content-length", b"450000000")]
        scope = {"type": "http", "method": "PUT", "path": path, "raw_path": path.encode(), "root_path": ""}
        await oidc.app(scope | {"query_string": b"", "headers": headers}, receive, send)

    for _ in range(500):
        asyncio.run(upload())
    assert (statuses, received) == ([404, None] * 500, [])


def test_forged_cookies_are_logged_once_a_minute_with_their_number(
    oidc: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    monkeypatch.setattr("ui.shell.refusals.time.monotonic", lambda: now)
    for _ in range(50):
        assert status(oidc, BAD["forged"]()) == 401
    status(oidc, {})
    status(oidc, BAD["expired"]())
    now += 61
    status(oidc, BAD["truncated"]())
    logged = [(event.sub, event.event, event.more) for event in audit.events(people.audit_folder())][::-1]
    assert logged == [("unknown", "refused", {"why": "forged cookie", "times": times}) for times in (1, 50)]


@pytest.mark.parametrize("claims", [{"sub": "a\ud800"}, {"groups": ["\udc80"]}, {"sub": None}])
def test_a_signed_cookie_that_names_nobody_is_refused_with_a_line(claims: dict[str, Any], oidc: TestClient) -> None:
    assert status(oidc, cookie(**claims)) == 401
    assert [event.more["why"] for event in audit.events(people.audit_folder())] == ["unusable cookie"]


def test_the_address_of_the_client_is_logged_where_the_settings_ask_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configured(tmp_path, monkeypatch, "oidc")
    client = TestClient(application())
    told = {"X-Forwarded-For": "1.2.3.4, 10.0.0.7"}
    assert status(client, cookie(nonce="1") | told) == 200
    asked = replace(config, sign_in=replace(config.sign_in, log_client=True))
    monkeypatch.setattr(people, "settings_at_start", lambda: asked)
    assert status(client, cookie(nonce="2") | told) == 200
    assert status(client, cookie(nonce="3") | {"X-Forwarded-For": "<script>"}) == 200
    assert status(client, cookie("another secret of thirty-two letters") | told) == 401
    reader = people.Person(sessions.Session("key", "x", 0.0, 0.0), "x", (), {"client": "10.0.0.8"})
    monkeypatch.setattr(people, "of_run", lambda: reader)
    gate._record("x", "detail", institute="all")
    addresses = [event.more.get("client") for event in audit.events(people.audit_folder()) if event.sub != "server"]
    assert addresses[::-1] == [None, "10.0.0.7", "unknown", "10.0.0.7", "10.0.0.8"]


def test_all_sessions_of_a_person_end_at_once_and_the_person_can_sign_in_anew(oidc: TestClient) -> None:
    used, unused, another = cookie(nonce="1"), cookie(nonce="2"), cookie(sub="tehran.officer", groups=["tehran"])
    assert status(oidc, used) == status(oidc, another) == 200
    assert len(people.sessions().of("isfahan.officer", time.time())) == 1
    assert people.sessions().end_all("isfahan.officer", time.time()) == 1
    assert people.sessions().of("isfahan.officer", time.time()) == []
    assert status(oidc, used) == status(oidc, unused) == 401, "also one that was copied and not used yet"
    assert not opens_socket(oidc, used)
    assert status(oidc, another) == 200
    assert status(oidc, cookie(iat=int(time.time()) + 1)) == 200


@pytest.mark.parametrize(("base", "prefix"), [("", "__Host-"), ("/dash", "__Secure-")])
def test_over_tls_the_cookies_are_bound_to_this_host_and_others_count_for_nothing(
    base: str, prefix: str, oidc: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = AUTH.replace("http://localhost/", "https://localhost/")
    (tmp_path / "secrets.toml").write_text(table, encoding="utf-8")
    people.secrets.cache_clear()
    monkeypatch.setattr(gate, "base_path", lambda: base)
    assert oidc.get("/oauth2callback").headers["set-cookie"].startswith(f"{prefix}_streamlit_user=")
    begun = oidc.get("/static/begun")
    planted_session = {"Cookie": f"_streamlit_session=x; {prefix}_streamlit_session=y"}
    assert begun.headers["set-cookie"].startswith(f"{prefix}_streamlit_session=")
    assert oidc.get("/static/cookies", headers=planted_session).json() == {"_streamlit_session": "y"}
    planted = cookie()
    ours = {"Cookie": f"other=1; {prefix}{planted['Cookie']}"}
    assert status(oidc, planted) == 401, "a page of a neighbouring host can set this one"
    assert status(oidc, ours) == 200
    assert status(oidc, {"Cookie": f"{planted['Cookie']}; {prefix}_streamlit_user=x"}) == 401


# ------------------------------------------------------------------ the proxy


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"X-Remote-User": "boss", "X-Remote-Groups": "national"}, 401),
        ({"X-Remote-User": "boss", "X-Remote-Groups": "national", "X-Proxy-Secret": "guessed"}, 401),
        ({"X-Remote-Groups": "national", "X-Proxy-Secret": "the secret of the proxy, 7f3Qz9wLxT2vBm"}, 401),
        ({"X-Remote-User": "boss", "X-Proxy-Secret": "the secret of the proxy, 7f3Qz9wLxT2vBm"}, 403),
        (
            {
                "X-Remote-User": "server:boss",
                "X-Remote-Groups": "national",
                "X-Proxy-Secret": "the secret of the proxy, 7f3Qz9wLxT2vBm",
            },
            401,
        ),
        (
            {
                "X-Remote-User": "boss",
                "X-Remote-Groups": "a, national",
                "X-Proxy-Secret": "the secret of the proxy, 7f3Qz9wLxT2vBm",
            },
            200,
        ),
    ],
)
def test_the_proxys_headers_count_only_with_its_secret(
    headers: dict[str, str], expected: int, proxy: TestClient
) -> None:
    answer = proxy.get("/overview", headers=PAGE | headers)
    assert answer.status_code == expected
    assert "secret" not in answer.text
    guessed = headers.get("X-Proxy-Secret") != "the secret of the proxy, 7f3Qz9wLxT2vBm"
    logged = [(event.sub, event.more.get("why")) for event in audit.events(people.audit_folder())]
    assert (("unknown", "wrong proxy secret") in logged) == guessed
    assert opens_socket(proxy, headers) == (expected == 200)


def test_a_person_from_the_proxy_is_logged_at_the_first_visit_and_after_a_pause(
    proxy: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    for minutes in (0, 1, 20, 60):
        monkeypatch.setattr(gate.time, "time", lambda minutes=minutes: now + 60 * minutes)
        for groups in ("national", "unknown"):
            headers = {
                "X-Remote-User": "boss",
                "X-Remote-Groups": groups,
                "X-Proxy-Secret": "the secret of the proxy, 7f3Qz9wLxT2vBm",
            }
            proxy.get("/overview", headers=headers)
    assert [event.event for event in audit.events(people.audit_folder())] == ["refused", "sign_in"] * 2


def of_proxy(**more: str) -> dict[str, str]:
    names = {
        "X-Remote-User": "boss",
        "X-Remote-Groups": "national",
        "X-Proxy-Secret": "the secret of the proxy, 7f3Qz9wLxT2vBm",
    }
    return names | {f"X-Remote-{name.title()}": value for name, value in more.items()}


def test_a_session_that_the_proxy_names_ends_as_any_other(proxy: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(gate.time, "time", lambda: now)

    def after(minutes: float, session: str) -> int:
        nonlocal now
        now += 60 * minutes
        return status(proxy, of_proxy(session=session))

    assert after(0, "idle") == 200
    assert after(31, "idle") == 401
    assert after(0, "long") == 200
    assert {after(20, "long") for _ in range(23)} == {200}
    assert after(20, "long") == 401, "after eight hours"
    assert after(0, "left") == 200
    proxy.post("/sign-out", headers=of_proxy(session="left"), follow_redirects=False)
    assert after(0, "left") == 401
    assert after(0, "anew") == 200
    people.sessions().end_all("boss", now)
    assert after(1, "anew") == 401
    assert after(1, "signed in since") == 200


def test_a_person_of_a_proxy_without_sessions_is_kept_out_for_eight_hours(
    proxy: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    assert status(proxy, of_proxy()) == 200
    people.sessions().end_all("boss", now)
    for hours, expected in ((0.1, 401), (7.9, 401), (8.1, 200)):
        monkeypatch.setattr(gate.time, "time", lambda hours=hours: now + 3600 * hours)
        assert status(proxy, of_proxy()) == expected


DAY = 86400.0


def token_of(sub: str) -> tokens.Token:
    (token,) = personal_tokens.store().of(sub)
    return token


def test_tokens_follow_the_groups_that_a_proxy_without_sessions_names_last(
    proxy: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    personal_tokens.store().make("boss", ["tehran"], "Excel", 90, now, lambda: None)
    for days, groups in enumerate(("tehran", "tehran,national", "tehran", "tehran", "nobody"), start=1):
        monkeypatch.setattr(gate.time, "time", lambda days=days: now + days * DAY)
        proxy.get("/overview", headers=of_proxy(groups=groups))
        assert (token_of("boss").groups, token_of("boss").signed_in) == (tuple(groups.split(",")), now + days * DAY)


def test_an_older_sign_in_that_is_met_later_gives_tokens_no_groups(oidc: TestClient) -> None:
    now = time.time()
    before, since = cookie(groups=["isfahan", "national"], iat=now - 600), cookie(iat=now - 60)
    personal_tokens.store().make("isfahan.officer", ["national"], "Excel", 90, now - DAY, lambda: None)
    for sent in (since, before):
        # As of a process that has just begun.
        people._noted.clear()
        assert status(oidc, sent) == 200
        assert (token_of("isfahan.officer").groups, token_of("isfahan.officer").signed_in) == (("isfahan",), now - 60)
