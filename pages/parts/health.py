"""Whether this process can answer: for a proxy or a monitor, beside Streamlit's own health, which only says that it runs."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pages.parts import warehouse


def _ready(_request: Request) -> Response:
    """200 with the id of the publication shown; 503 with one sentence where there is none that this code can read."""
    is_ready, told = warehouse.readiness()
    return PlainTextResponse(f"{told}\n", 200 if is_ready else 503, {"Cache-Control": "no-store"})


ROUTES = [Route("/readyz", _ready)]
