"""The page that a browser gets before anything is drawn is kept nowhere."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from ui.shell import middleware


async def page(_: Request) -> Response:
    return HTMLResponse("<title>Streamlit</title>", headers={"Cache-Control": "no-cache", "ETag": '"1"'})


def test_the_page_shell_is_stored_nowhere() -> None:
    app = Starlette(routes=[Route("/{path:path}", page)], middleware=[Middleware(middleware.Shell)])
    for path in ("/", "/growth"):
        answer = TestClient(app).get(path)
        assert (answer.headers["cache-control"], answer.headers.get("etag")) == ("no-store", None)
