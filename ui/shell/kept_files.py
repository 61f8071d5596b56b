"""Files that a browser keeps for ever, because their addresses name their version or digest: compressed once, and kept.

Streamlit sends its own scripts as they are on disk: to compress 2.3 MB for each request would cost more than it saves. Once is
enough, so behind no proxy, too, a first visit takes a third of the bytes.
"""

import gzip
import hashlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import brotli
import streamlit
from starlette.requests import Request
from starlette.responses import Response

SCRIPT, STYLE, MAP = "text/javascript", "text/css", "application/geo+json"
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
# One level more takes ten times as long and saves a twelfth.
_BROTLI_LEVEL = 9
_COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "br": partial(brotli.compress, quality=_BROTLI_LEVEL),
    "gzip": partial(gzip.compress, mtime=0),
}
_OF_STREAMLIT = Path(streamlit.__file__).parent / "static" / "static"


def response(written: Callable[[], str], kind: str, request: Request) -> Response:
    """What `written` gives, in the first coding of ours that the browser accepts."""
    accepted = {
        coding.partition(";")[0].strip() for coding in request.headers.get("accept-encoding", "").lower().split(",")
    }
    coding = next((coding for coding in _COMPRESS if coding in accepted), "")
    headers = _FOREVER | ({"Content-Encoding": coding} if coding else {})
    return Response(_content(written, coding), media_type=kind, headers=headers)


@cache
def _content(written: Callable[[], str], coding: str) -> bytes:
    content = written().encode("utf-8")
    return _COMPRESS[coding](content) if coding else content


def digest(written: str) -> str:
    """What tells a text from its later versions, for its address."""
    return hashlib.sha256(written.encode("utf-8")).hexdigest()[:16]


@cache
def of_streamlit() -> dict[str, tuple[Callable[[], str], str]]:
    """Streamlit's scripts and styles, by their path below its folder of static files: what reads each, and its media type."""
    kinds = {".js": SCRIPT, ".css": STYLE}
    return {
        path.relative_to(_OF_STREAMLIT).as_posix(): (partial(path.read_text, encoding="utf-8"), kinds[path.suffix])
        for path in _OF_STREAMLIT.rglob("*")
        if path.suffix in kinds
    }
