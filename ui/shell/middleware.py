"""The HTML shell that the browser gets before Streamlit draws anything: language, direction, fonts and style sheet.

Streamlit's own shell is English and left to right. This middleware rewrites it in the user's language, so that the first
paint is already right to left, and serves Plotly and the province boundaries. Everything it adds comes from this host.
"""

import gzip
import json
from collections.abc import Callable
from functools import cache, partial
from urllib.parse import parse_qs, urlencode

from plotly.offline import get_plotlyjs, get_plotlyjs_version
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from etl.core.paths import ROOT
from ui import palette, streamlit_internals
from ui.charts import boundaries
from ui.find import results
from ui.i18n import fonts, navigation, text
from ui.shell.requests import base_path, language
from ui.state.page_parameters import TAB

_STATIC = ROOT / "static"

_PLOTLY = f"/app/static/plotly-{get_plotlyjs_version()}.min.js"
# Of static/shell.js: the options of a box for what is typed.
_OFFERED = "readerOffered"
_JAVASCRIPT = "text/javascript"
# The words of static/find.js.
_FIELD = ("label", "hint", "results", "close", "understood", "unknown", "nothing", "comma", "fault")
_A_DAY = {"Cache-Control": "public, max-age=86400"}


async def _base_map(_request: Request) -> Response:
    return JSONResponse(boundaries.EMPTY_MAP, headers=_A_DAY)


async def _moved(request: Request) -> Response:
    """Redirect the address of a part or of a moved page to its current address, with its query.

    This includes the default page by its name, which Streamlit serves only at `/`.
    """
    query = parse_qs(request.url.query, keep_blank_values=True)
    return RedirectResponse(_current(request.url.path.rsplit("/", 1)[-1], query))


def _current(part: str, query: dict[str, list[str]]) -> str:
    """The address of a part of this or an earlier version, beside the one asked, with the parameters of `query`."""
    part, parameters = navigation.current(part, query)
    page, tab = navigation.part_address(part)
    # A part is named by its page or by its own tab.
    pairs = ({TAB: [tab]} if tab else {}) | {name: values for name, values in parameters.items() if name != TAB}
    where = "./" if page == navigation.menu()[0]["page"] else f"./{page}"
    return f"{where}?{urlencode(pairs, doseq=True)}" if pairs else where


def _moved_tab(scope: Scope) -> str:
    """The current address of a tab that moved from the page of this address to another one, else empty."""
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    name, tab = scope["path"].rsplit("/", 1)[-1], query.get(TAB, [""])[-1]
    entry = next((entry for entry in navigation.menu() if entry["page"] == name), None)
    is_elsewhere = entry is not None and tab not in navigation.parts(entry) and navigation.is_known(tab)
    return _current(tab, query) if is_elsewhere else ""


def _names_that_moved() -> list[str]:
    """Every page or part name that Streamlit does not serve itself."""
    parts = [part for entry in navigation.menu() for part in navigation.parts(entry)]
    pages = {entry["page"] for entry in navigation.menu()}
    return [navigation.menu()[0]["page"], *navigation.moved(), *(part for part in parts if part not in pages)]


def _plotly(request: Request) -> Response:
    """Plotly's library. Its address contains the version, so it may be cached for ever."""
    return _kept(get_plotlyjs, _JAVASCRIPT, request)


def _boxes(request: Request) -> Response:
    """Streamlit's script of boxes to choose from, which asks static/shell.js what to offer. Its address is of this Streamlit."""
    return _kept(_script_of_boxes, _JAVASCRIPT, request)


def _script_of_boxes() -> str:
    return streamlit_internals.script_of_boxes(_OFFERED)[1]


def _is_script_of_boxes(scope: Scope) -> bool:
    # Streamlit keeps the routes of its own files for itself.
    name = streamlit_internals.script_of_boxes(_OFFERED)[0]
    return bool(name) and scope["path"] == f"{base_path()}/static/js/{name}"


def _kept(written: Callable[[], str], kind: str, request: Request) -> Response:
    """A file that a browser keeps for ever, because its address names its version or digest; compressed where it accepts that."""
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(written(), media_type=kind, headers=headers)
    return Response(_compressed(written), media_type=kind, headers=headers | {"Content-Encoding": "gzip"})


@cache
def _compressed(written: Callable[[], str]) -> bytes:
    return gzip.compress(written().encode("utf-8"))


def routes() -> list[Route]:
    """Routes besides Streamlit's own, under its base path."""
    base = base_path()
    return [
        *(Route(f"{base}/{name}", _moved) for name in _names_that_moved()),
        Route(base + _PLOTLY, _plotly),
        *(
            Route(
                base + boundaries.address(dimension).removeprefix("."),
                partial(_kept, partial(boundaries.content, dimension), "application/geo+json"),
            )
            for dimension in boundaries.DIMENSIONS
        ),
        Route(base + "/app/static/map/{name}.json", _base_map),
    ]


@cache
def _head(lang: str) -> str:
    """Additions to the head of the shell: fonts, style sheets, script, and words in the language."""
    style = "".join(
        (_STATIC / f"{name}.css").read_text(encoding="utf-8") for name in ("shell", "summary", "analyst", "find")
    )
    faces = fonts.faces(lang, "./app/static/fonts/{}".format)
    script = "\n".join((_STATIC / f"{name}.js").read_text(encoding="utf-8") for name in ("picture", "shell", "find"))
    locale = "fa-IR" if lang == "fa" else "en-GB"
    constants = (
        f"{streamlit_internals.BASE} const readerLocale={_in_script(locale)}, "
        f"readerWords={_in_script(dict(text.words('browser.words', lang)))}, "
        f"readerPlotly={_in_script('.' + _PLOTLY)}, readerQuiet={_in_script(palette.colour('quiet'))}, "
        f"readerNoChart={_in_script(text.word('state.no_chart', lang))}, "
        f"readerUndrawn={_in_script(text.word('state.undrawn', lang))}, readerFind={_in_script(_finder(lang))};"
    )
    return (
        f'<link rel="preload" href="./app/static/fonts/{fonts.names(lang)[0]}" as="font" type="font/woff2" crossorigin>'
        f'<link rel="preload" href=".{_PLOTLY}" as="script">'
        f"<style>{palette.variables()}{faces}\n{style}</style><script>{constants}\n{script}</script>"
    )


def _finder(lang: str) -> dict[str, object]:
    """The words of the field that finds a page."""
    return {
        "words": {name: text.word(f"find_field.{name}", lang) for name in _FIELD},
        "kinds": {name: text.word(f"find_kind.{name}", lang) for name in (*results.RESULTS, "recent", "example")},
        "examples": text.words("find.examples", lang),
    }


def _in_script(value: object) -> str:
    """JSON that cannot close the script element around it."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def rewrite(page: str, lang: str) -> str:
    """Streamlit's shell, in `lang`."""
    title = text.escaped("app.title", lang)
    page = page.replace('<html lang="en">', f'<html lang="{lang}" dir="{text.direction(lang)}">', 1)
    page = page.replace("<title>Streamlit</title>", f"<title>{title}</title>{_head(lang)}", 1)
    before, opened, remainder = page.partition("<noscript>")
    _, closed, after = remainder.partition("</noscript>")
    if opened and closed:
        page = f"{before}<noscript>{_no_script(lang)}</noscript>{after}"
    # Streamlit preloads a font that the pages do not use.
    start = page.find('<link\n      rel="preload"')
    if start >= 0:
        end = page.find("/>", start) + 2
        page = page[:start] + page[end:]
    return page


def _no_script(lang: str) -> str:
    """The notice for a reader without JavaScript, in both languages, the page's first: nothing else leads to the other one."""
    languages = sorted(text.LANGUAGES, key=lambda one: one != lang)
    return "".join(
        f'<p class="pd-no-script" lang="{one}" dir="{text.direction(one)}">{text.escaped("app.no_script", one)}</p>'
        for one in languages
    )


class Shell:
    """ASGI middleware: rewrites every HTML response in the language of the address, and Streamlit's script of boxes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _is_script_of_boxes(scope):
            await _boxes(Request(scope))(scope, receive, send)
            return
        if scope["type"] != "http" or not _wants_page(scope):
            await self.app(scope, receive, send)
            return
        if where := _moved_tab(scope):
            await RedirectResponse(where)(scope, receive, send)
            return
        lang = language(scope)
        # Unconditional and uncompressed: the validators of the file on disk do not apply to the rewritten page.
        scope = dict(scope)
        scope["headers"] = [
            (name, value)
            for name, value in scope["headers"]
            if name.lower() not in (b"accept-encoding", b"if-none-match", b"if-modified-since")
        ]
        start: Message | None = None
        body = b""

        async def rewritten(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and _is_html(message):
                start = message
                return
            if start is None:
                await send(message)
                return
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            body = rewrite(body.decode("utf-8"), lang).encode("utf-8")
            headers = MutableHeaders(raw=start["headers"])
            del headers["etag"], headers["last-modified"]
            headers["content-length"] = str(len(body))
            headers["content-language"] = lang
            headers["cache-control"] = "no-store"
            await send(start)
            await send({"type": "http.response.body", "body": body})

        await self.app(scope, receive, rewritten)


def _is_html(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type", "").startswith("text/html")


def _wants_page(scope: Scope) -> bool:
    """Whether the request is for the HTML shell, not for a file or an internal address of Streamlit."""
    if scope["method"] != "GET":
        return False
    path = scope["path"].removeprefix(base_path())
    last = path.rsplit("/", 1)[-1]
    return "." not in last and not path.startswith(
        ("/_stcore", "/media", "/component", "/static", "/app", "/data/", "/hand-in")
    )
