"""The HTML shell that the browser gets before Streamlit draws anything: language, direction, fonts and style sheet.

Streamlit's own shell is English and left to right. This middleware rewrites it in the user's language, so that the first
paint is already right to left, and serves Plotly and the province boundaries. Everything it adds comes from this host.
"""

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
from ui.data import page_run
from ui.find import results
from ui.i18n import fonts, navigation, text
from ui.shell import first_answer, kept_files, threads
from ui.shell.requests import base_path, language
from ui.state.page_parameters import TAB

_STATIC = ROOT / "static"

_PLOTLY = f"/app/static/plotly-{get_plotlyjs_version()}.min.js"
# Of static/shell.js: the options of a box for what is typed.
_OFFERED = "readerOffered"
# The words of static/find.js.
_FIELD = ("label", "hint", "results", "close", "understood", "unknown", "nothing", "comma", "fault")
_A_DAY = {"Cache-Control": "public, max-age=86400"}


async def _base_map(_request: Request) -> Response:
    return JSONResponse(boundaries.EMPTY_MAP, headers=_A_DAY)


def _publication(_request: Request) -> Response:
    """The publication that pages show now. Asked without a session, so that an open page keeps none awake."""
    return JSONResponse({"publication": page_run.latest()}, headers={"Cache-Control": "no-store"})


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
    """Plotly's library. Its address contains the version."""
    return kept_files.response(get_plotlyjs, kept_files.SCRIPT, request)


def _script_of_boxes() -> str:
    """Streamlit's script of boxes to choose from, which asks static/shell.js what to offer."""
    return streamlit_internals.script_of_boxes(_OFFERED)[1]


@cache
def _of_streamlit(path: str) -> partial[Response] | None:
    """What answers a request for a script or style of Streamlit, which keeps the routes of its own files for itself."""
    folder = f"{base_path()}/static/"
    name = path.removeprefix(folder) if path.startswith(folder) else ""
    if name not in kept_files.of_streamlit():
        return None
    written, kind = kept_files.of_streamlit()[name]
    if name == f"js/{streamlit_internals.script_of_boxes(_OFFERED)[0]}":
        written = _script_of_boxes
    return partial(kept_files.response, written, kind)


def routes() -> list[Route]:
    """Routes besides Streamlit's own, under its base path."""
    base = base_path()
    return [
        *(Route(f"{base}/{name}", _moved) for name in _names_that_moved()),
        Route(base + "/publication.json", _publication),
        Route(base + _PLOTLY, _plotly),
        *(
            Route(
                base + boundaries.address(dimension).removeprefix("."),
                partial(kept_files.response, partial(boundaries.content, dimension), kept_files.MAP),
            )
            for dimension in boundaries.DIMENSIONS
        ),
        Route(base + "/app/static/map/{name}.json", _base_map),
        *(
            Route(base + _address(written, name, lang), partial(kept_files.response, partial(written, lang), kind))
            for lang in text.LANGUAGES
            for name, written, kind in _OF_SHELL
        ),
    ]


@cache
def _style(lang: str) -> str:
    """The style sheets of the shell, with the fonts of the language."""
    style = "".join(
        (_STATIC / f"{name}.css").read_text(encoding="utf-8")
        for name in ("shell", "summary", "analyst", "find", "plain")
    )
    return f"{palette.variables()}{fonts.faces(lang, './fonts/{}'.format)}\n{style}"


@cache
def _script(lang: str) -> str:
    """The scripts of the shell, with their words in the language."""
    script = "\n".join((_STATIC / f"{name}.js").read_text(encoding="utf-8") for name in ("picture", "shell", "find"))
    constants = {
        "readerLocale": "fa-IR" if lang == "fa" else "en-GB",
        "readerWords": dict(text.words("browser.words", lang)),
        "readerPlotly": f".{_PLOTLY}",
        "readerQuiet": palette.colour("quiet"),
        "readerNoChart": text.word("state.no_chart", lang),
        "readerUndrawn": text.word("state.undrawn", lang),
        "readerNewer": text.word("app.newer", lang),
        "readerFind": _finder(lang),
    }
    written = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in constants.items())
    return f"{streamlit_internals.BASE} const {written};\n{script}"


_OF_SHELL = (("shell.css", _style, kept_files.STYLE), ("shell.js", _script, kept_files.SCRIPT))


def _address(written: Callable[[str], str], name: str, lang: str) -> str:
    """The address of a file of the shell, which another content changes."""
    stem, _, ending = name.partition(".")
    return f"/app/static/{stem}-{lang}-{kept_files.digest(written(lang))}.{ending}"


@cache
def _head(lang: str) -> str:
    """Additions to the head of the shell: fonts, style sheet and script in the language."""
    style, script = (f".{_address(written, name, lang)}" for name, written, _ in _OF_SHELL)
    return (
        f'<link rel="preload" href="./app/static/fonts/{fonts.names(lang)[0]}" as="font" type="font/woff2" crossorigin>'
        f'<link rel="stylesheet" href="{style}"><script defer src="{script}"></script>'
    )


def _finder(lang: str) -> dict[str, object]:
    """The words of the field that finds a page."""
    return {
        "words": {name: text.word(f"find_field.{name}", lang) for name in _FIELD},
        "kinds": {name: text.word(f"find_kind.{name}", lang) for name in (*results.RESULTS, "recent", "example")},
        "examples": text.words("find.examples", lang),
    }


def rewrite(page: str, lang: str, first: str = "") -> str:
    """Streamlit's shell, in `lang`, with the `first` answer before what is drawn."""
    title = text.escaped("app.title", lang)
    page = page.replace('<html lang="en">', f'<html lang="{lang}" dir="{text.direction(lang)}">', 1)
    page = page.replace("<title>Streamlit</title>", f"<title>{title}</title>{_head(lang)}", 1)
    before, opened, remainder = page.partition("<noscript>")
    _, closed, after = remainder.partition("</noscript>")
    if opened and closed:
        page = f"{before}{first or f'<noscript>{_no_script(lang)}</noscript>'}{after}"
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
    """ASGI middleware: rewrites every HTML response in the language of the address, and sends Streamlit's scripts compressed."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET" and (answer := _of_streamlit(scope["path"])):
            # The first request compresses the file.
            response = await threads.run(threads.FILES, partial(answer, Request(scope)))
            await response(scope, receive, send)
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
        first = await first_answer.found(scope, lang)
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
            body = rewrite(body.decode("utf-8"), lang, first).encode("utf-8")
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
