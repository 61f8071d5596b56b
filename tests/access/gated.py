"""An application behind the gate, its table of roles, and the cookies of people; without Streamlit and browser."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit.web.server.starlette import starlette_auth_routes as streamlit_auth
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from etl.core.settings import Folders, Settings, SignIn
from ui.shell import gate, people, refusals

SECRET = "kept-by-tests-alone-7f3Qz9wLxT2vBm"
AUTH = f"""
[auth]
redirect_uri = "http://localhost/oauth2callback"
cookie_secret = "{SECRET}"
client_id = "dashboard"
server_metadata_url = "http://localhost:1/.well-known/openid-configuration"
"""
ACCESS = """
[contact]
fa = "خانم کریمی"
en = "Ms Karimi"
[groups.national]
role = "national"
may_export = true
[groups.steward]
role = "steward"
[groups.tehran]
role = "province"
provinces = ["تهران"]
[groups.isfahan]
role = "province"
provinces = ["IR-10"]
may_export = true
"""
PAGE = {"Accept": "text/html"}


async def seen(request: Request) -> Response:
    """What an application behind the gate receives."""
    return JSONResponse({name: value for name, value in request.headers.items() if name.startswith("x-")})


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnect:
        pass


async def set_cookie(_: Request) -> Response:
    answer = Response()
    answer.set_cookie("_streamlit_user", "x", httponly=True, max_age=30 * 86400, samesite="lax")
    return answer


async def begin_sign_in(_: Request) -> Response:
    answer = Response()
    answer.set_cookie("_streamlit_session", "x", httponly=True, samesite="lax")
    return answer


async def cookies(request: Request) -> Response:
    return JSONResponse(request.cookies)


CLOSED = ("/_stcore/metrics", "/media/x.csv", "/files/x", "/component/a/b.js", "/metrics")


def application() -> Starlette:
    routes = [
        *gate.routes(),
        WebSocketRoute("/_stcore/stream", socket),
        Route("/oauth2callback", set_cookie),
        Route("/static/begun", begin_sign_in),
        Route("/static/cookies", cookies),
        Mount("/", Starlette(routes=[Route("/{path:path}", seen)])),
    ]
    return Starlette(routes=routes, middleware=[Middleware(gate.Gate)])


def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str, secrets: str = "") -> Settings:
    (tmp_path / "access.toml").write_text(ACCESS, encoding="utf-8")
    (tmp_path / "secrets.toml").write_text(secrets or AUTH, encoding="utf-8")
    (tmp_path / "secrets.toml").chmod(0o600)
    config = Settings(
        sign_in=SignIn(mode, tmp_path / "access.toml", tmp_path / "secrets.toml"),
        folders=replace(Folders(), run=tmp_path / "run", audit=tmp_path / "audit"),
    )
    monkeypatch.setattr(people, "settings_at_start", lambda: config)
    monkeypatch.setattr(streamlit_auth, "get_cookie_secret", lambda: SECRET)
    monkeypatch.delenv("AUDIT", raising=False)
    monkeypatch.setenv("VIEWS", str(tmp_path / "views"))
    for cached in (people.secrets, people.sessions, people.turns):
        cached.cache_clear()
    people._people.clear()
    people._fresh.clear()
    people._noted.clear()
    refusals._noted.clear()
    return config


def cookie(secret: str = SECRET, **claims: Any) -> dict[str, str]:
    now = int(time.time())
    claims_sent = {
        "sub": "isfahan.officer",
        "iat": now - 10,
        "exp": now + 3600,
        "groups": ["isfahan"],
        "nonce": "n",
    } | claims
    claims_sent = {name: value for name, value in claims_sent.items() if value is not None}
    value = create_signed_value(secret, "_streamlit_user", json.dumps(claims_sent)).decode()
    return {"Cookie": f"_streamlit_user={value}"}


def status(client: TestClient, headers: dict[str, str], path: str = "/overview") -> int:
    return client.get(path, headers=PAGE | headers).status_code


def opens_socket(client: TestClient, headers: dict[str, str]) -> bool:
    try:
        with client.websocket_connect("/_stcore/stream", headers=headers) as wire:
            wire.send_text("x")
            return wire.receive_text() == "x"
    except WebSocketDisconnect:
        return False
