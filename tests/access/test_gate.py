"""The gate against forged, expired, copied and truncated cookies and headers set by clients. No browser."""

import time
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from etl.operations import audit, sessions
from etl.semantic.access import AccessScope, Grant
from tests.access.gated import ACCESS, CLOSED, PAGE, SECRET, cookie, opens_socket, status
from tests.access.scopes import ISFAHAN, TEHRAN
from ui.data import user
from ui.shell import gate, people


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
        assert "The database of sign-ins cannot be reached." in page.text
        assert "پایگاه دادهٔ ورود کاربران در دسترس نیست." in page.text
        assert "refused" not in page.text
        assert oidc.get("/media/x", headers=cookie()).content == b""
        assert not opens_socket(oidc, cookie())
        assert oidc.get("/healthz", headers=cookie()).status_code != 503
    with monkeypatch.context() as away:
        away.setattr(people.sessions(), "end", unreachable)
        assert oidc.get("/auth/logout", headers=PAGE | cookie()).status_code == 503, "a sign-out that failed says so"
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
    with pytest.raises(user.AccessDenied):
        people.scope_of_run()


def test_a_copied_cookie_is_refused_after_sign_out_by_every_process(oidc: TestClient, monkeypatch) -> None:
    stolen = cookie()
    assert status(oidc, stolen) == 200
    person = next(iter(people._people.values()))
    oidc.get("/auth/logout", headers=stolen)
    assert status(oidc, stolen) == 401
    assert not opens_socket(oidc, stolen)
    people.sessions.cache_clear()  # another process
    assert status(oidc, stolen) == 401
    monkeypatch.setattr(people, "of_run", lambda: person)
    with pytest.raises(user.AccessDenied):
        people.scope_of_run()
    assert status(oidc, cookie(nonce="of the next sign-in")) == 200


def test_an_idle_session_ends_and_one_in_use_goes_on(oidc: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    used, idle = cookie(nonce="1"), cookie(nonce="2")
    now = time.time()
    for minutes in (0, 20, 40):
        monkeypatch.setattr(gate.time, "time", lambda minutes=minutes: now + 60 * minutes)
        assert status(oidc, used) == 200
        assert status(oidc, idle) == (401 if minutes == 40 else 200) if minutes != 20 else True


def test_an_open_socket_ends_with_its_session(oidc: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "_ASK_AGAIN_SECONDS", -1.0)
    headers = cookie()
    with oidc.websocket_connect("/_stcore/stream", headers=headers) as wire:
        wire.send_text("a")
        assert wire.receive_text() == "a"
        oidc.get("/auth/logout", headers=headers)
        wire.send_text("b")
        with pytest.raises(WebSocketDisconnect):
            wire.receive_text()


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


# ------------------------------------------------------------------ the proxy


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"X-Remote-User": "boss", "X-Remote-Groups": "national"}, 401),
        ({"X-Remote-User": "boss", "X-Remote-Groups": "national", "X-Proxy-Secret": "guessed"}, 401),
        ({"X-Remote-Groups": "national", "X-Proxy-Secret": "the secret of the proxy"}, 401),
        ({"X-Remote-User": "boss", "X-Proxy-Secret": "the secret of the proxy"}, 403),
        ({"X-Remote-User": "boss", "X-Remote-Groups": "a, national", "X-Proxy-Secret": "the secret of the proxy"}, 200),
    ],
)
def test_the_proxys_headers_count_only_with_its_secret(
    headers: dict[str, str], expected: int, proxy: TestClient
) -> None:
    answer = proxy.get("/overview", headers=PAGE | headers)
    assert answer.status_code == expected
    assert "secret" not in answer.text
    assert opens_socket(proxy, headers) == (expected == 200)


def test_a_person_from_the_proxy_is_logged_at_the_first_visit_and_after_a_pause(
    proxy: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    for minutes in (0, 1, 20, 60):
        monkeypatch.setattr(gate.time, "time", lambda minutes=minutes: now + 60 * minutes)
        for groups in ("national", "unknown"):
            headers = {"X-Remote-User": "boss", "X-Remote-Groups": groups, "X-Proxy-Secret": "the secret of the proxy"}
            proxy.get("/overview", headers=headers)
    assert [event.event for event in audit.events(people.audit_folder())] == ["refused", "sign_in"] * 2
