"""A served dashboard and a browser in front of it, for tests that look at what a reader sees."""

import os
import re
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode
from weakref import WeakKeyDictionary

from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    Route,
    ViewportSize,
    WebSocket,
    WebSocketRoute,
    expect,
    sync_playwright,
)
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests import processes
from tests.serving import PATIENCE
from ui.exports.job import FILE_SECONDS
from ui.i18n import navigation

ROOT = Path(__file__).parents[2]
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # The two hidden pages of the address bar, which each window would load.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup",
)
# Milliseconds that a file may take: the process that makes it has low priority, so a busy machine delays it most.
FILE_PATIENCE = 1000 * FILE_SECONDS
_TALL = 1000
_EMPTY = "about:blank"
# The part that shows least: between two readers of one page a window goes there.
BETWEEN = "handin"
# What stays of a reader when the page changes; the next one then needs a page of their own.
_TRACES = ".pd-paper, .pd-filtering, [role=dialog], [data-presented]"
# Every chart that the server sent and that is not folded away is drawn. A map gets its areas some time after the rest.
_ALL_DRAWN = """() => [...document.querySelectorAll('[class*="st-key-chart-"]')].every((chart) => {
    const isMap = [...chart.querySelectorAll('.pd-plot, .js-plotly-plot')].some(
        (graph) => (graph.data || []).some((trace) => trace.type === 'choropleth'));
    return !chart.clientWidth || chart.querySelector(isMap ? '.choroplethlayer path' : '.pd-plot .main-svg');
})"""
expect.set_options(timeout=1000 * PATIENCE)
# The page shows its last run, whole.
_STANDS = """() => document.querySelector('[data-testid=stApp][data-test-script-state=notRunning]')
    && !document.querySelector('[data-testid=stSkeleton]')"""
# What a click leads to may wait for a timer before the page asks the server: without the pause, tests on a busy machine read on.
_IDLE = """new Promise((done) => setTimeout(
    () => requestAnimationFrame(() => requestIdleCallback(done, {timeout: 3000})), 80))"""
# For every chart: the number of areas of a map, 0 of another chart.
_AREAS = """() => [...document.querySelectorAll('.pd-plot')].map(
    (chart) => chart.querySelectorAll('.choroplethlayer path').length)"""
# A dialog over a small box, and whether they are gone.
_BOXES = 3
_shared = ExitStack()
# The windows that readers left.
_idle: "WeakKeyDictionary[Browser, list[Visit]]" = WeakKeyDictionary()
# How answers to a window are held back.
_held: "WeakKeyDictionary[Page, Hold]" = WeakKeyDictionary()


def build(incoming: Path, warehouse: Path, *options: str) -> None:
    """Publish the files of `incoming` as `warehouse`."""
    _etl("build", str(incoming), "--to", str(warehouse), "--skip-refused", *options)


def make_register(folder: Path, scale: float) -> None:
    """A made-up register of 31 provinces, so many times the size of the real one."""
    _etl("sample", str(folder), "--scale", str(scale))


def _etl(*words: str) -> None:
    processes.run("etl", *words).check_returncode()


@contextmanager
def served(warehouse: Path, **environment: str) -> Iterator[str]:
    """The dashboard over `warehouse`, as `streamlit run dashboard.py` serves it; its address."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    words = ("streamlit", "run", "dashboard.py", "--server.port", str(port))
    server = processes.Process(*words, env={**os.environ, "WAREHOUSE": str(warehouse), **environment})
    address = f"http://localhost:{port}"
    try:
        _wait_for(address + "/_stcore/health", server)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=180)


def _wait_for(address: str, server: processes.Process) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if server.poll() is not None:
            raise RuntimeError(f"the server ended with {server.returncode}")
        try:
            with urllib.request.urlopen(address, timeout=180):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("the server did not answer")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@cache
def shared_chromium() -> Browser:
    """One Chromium for all tests of this process that are marked `browser`, until it is closed."""
    return _shared.enter_context(chromium())


def close_chromium() -> None:
    """Close the shared Chromium, if there is one: while it is open no other event loop runs in this thread."""
    _shared.close()
    shared_chromium.cache_clear()


class Runs:
    """Whether the server owes the page a run of its script.

    The page itself shows "not running" until the server begins with a click, which takes time on a busy machine: only
    the messages on the socket distinguish an idle page from a waiting one.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._asked = self._begun = False
        page.on("websocket", self._listen)

    def wait(self, seconds: float) -> None:
        """Wait until every request is answered. Raises TimeoutError."""
        until = time.monotonic() + seconds
        while self._asked or self._begun:
            if time.monotonic() > until:
                raise TimeoutError("the server did not answer what the page asked")
            self._page.wait_for_timeout(20)

    def _listen(self, wire: WebSocket) -> None:
        self._asked = self._begun = False
        wire.on("framesent", self._sent)
        wire.on("framereceived", self._received)

    def _sent(self, frame: str | bytes) -> None:
        if isinstance(frame, bytes) and BackMsg.FromString(frame).WhichOneof("type") == "rerun_script":
            self._asked = True

    def _received(self, frame: str | bytes) -> None:
        if not isinstance(frame, bytes):
            return
        message = ForwardMsg.FromString(frame)
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._asked, self._begun = False, True
        elif kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            self._begun = False


class Hold:
    """Holds back the server's messages to a page, except the one that a run has begun."""

    def __init__(self) -> None:
        self._wire: WebSocketRoute | None = None
        self._kept: list[str | bytes] | None = None

    def listen(self, wire: WebSocketRoute) -> None:
        """Intercept the socket of the page."""
        self._wire = wire
        server = wire.connect_to_server()
        wire.on_message(server.send)
        server.on_message(self._answered)

    def begin(self) -> None:
        """From here on answers are held back."""
        self._kept = []

    def end(self) -> None:
        """Deliver the messages held back, and all later ones."""
        kept, self._kept = self._kept or [], None
        assert self._wire
        for answer in kept:
            self._wire.send(answer)

    def _answered(self, answer: str | bytes) -> None:
        assert self._wire
        if self._kept is None or _says_begun(answer):
            self._wire.send(answer)
        else:
            self._kept.append(answer)


def _says_begun(answer: str | bytes) -> bool:
    message = ForwardMsg.FromString(answer) if isinstance(answer, bytes) else ForwardMsg()
    return message.HasField("new_session") or message.session_status_changed.script_is_running


def hold_answers(page: Page) -> Hold:
    """Intercept the socket between page and server, before the page is opened. It stays so for later readers."""
    if page not in _held:
        _held[page] = Hold()
        page.route_web_socket(re.compile("_stcore/stream"), _held[page].listen)
    return _held[page]


def middle(of: Locator) -> tuple[float, float]:
    """The middle of something that is drawn, once it is seen."""
    of.scroll_into_view_if_needed()
    box = of.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@dataclass(eq=False)
class Visit:
    """A user's page, and the requests of the browser by host."""

    address: str
    page: Page
    runs: Runs
    requests: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    # The window still shows what an earlier user left.
    takes_over: bool = False

    def go(self, name: str = "", anew: bool = False, **view: Any) -> "Visit":
        """Open a page of the dashboard or one of its tabs, the overview under no name, with the parameters of a view."""
        with suppress(KeyError):
            page, tab = navigation.part_address(name)
            name, view = "" if page == navigation.menu()[0]["page"] else page, ({"tab": tab} if tab else {}) | view
        query = urlencode(view, doseq=True)
        address = f"{self.address}/{name}" + (f"?{query}" if query else "")
        took_over, self.takes_over = self.takes_over, False
        if took_over and not anew and address.partition("?")[0] == self.page.url.partition("?")[0]:
            # Its fields hold what the earlier user chose.
            self.go(BETWEEN, **{key: view[key] for key in ("lang",) if key in view})
        if not anew and self._shows_dashboard(address):
            return self.follow(address)
        self.page.goto(address)
        return self.settle()

    def follow(self, address: str) -> "Visit":
        """Go to an address from the open dashboard, as with "Back"."""
        self.page.evaluate(
            "(to) => { history.pushState(null, '', to); dispatchEvent(new PopStateEvent('popstate')); }", address
        )
        return self.settle()

    @contextmanager
    def stays(self) -> Iterator[list[str]]:
        """The window stays where it is when it is sent to another address, which is noted: to load each takes twice as long."""
        sent: list[str] = []

        def stay(route: Route, request: Request) -> None:
            if request.is_navigation_request():
                sent.append(unquote(request.url))
                route.abort("aborted")
            else:
                route.fallback()

        self.page.route("**", stay)
        with self.page.expect_event("requestfailed", lambda request: request.is_navigation_request()):
            yield sent
        self.page.unroute("**", stay)

    def _shows_dashboard(self, address: str) -> bool:
        """Whether the dashboard is open in the language of the address: it then goes there as with "Back", in half the time."""
        is_english = ["lang=en" in url for url in (self.page.url, address)]
        is_open = self.page.url.startswith(self.address) and self.page.locator(".pd-trust").count() > 0
        return is_open and len({*is_english}) == 1

    def begin(self, address: str, size: ViewportSize, lang: str) -> None:
        """A new user begins at an empty page, or goes on from where this dashboard is open as they want it."""
        view = {"lang": lang} if lang == "en" else {}
        is_as_wide = (self.page.viewport_size or {}).get("width") == size["width"]
        is_same = self.address == address and is_as_wide
        goes_on = is_same and self._shows_dashboard(f"{address}/?{urlencode(view)}") and self._is_cleared()
        self.page.unroute_all()
        self.page.set_viewport_size(size)
        self.page.emulate_media(color_scheme="light", media="null", reduced_motion="reduce")
        self.page.context.clear_permissions()
        if self.page.url != _EMPTY:
            self.page.evaluate("localStorage.clear(); sessionStorage.clear()")
        # Chromium forgets the oldest pages of a window from 50 on, and then its history grows no longer.
        console = self.page.context.new_cdp_session(self.page)
        console.send("Page.resetNavigationHistory")
        console.detach()
        self.takes_over = goes_on
        if not goes_on and self.page.url != _EMPTY:
            self.page.goto(_EMPTY)
            self.page.context.clear_cookies()
        self.address = address
        self.forget()

    def _is_cleared(self) -> bool:
        """Whether nothing stays of an earlier user, after boxes and dialogs that they left open were closed."""
        for _ in range(_BOXES):
            if not (stays := self.page.locator(_TRACES).count()):
                break
            self.page.keyboard.press("Escape")
            self._draw()
        return not stays

    def open_tools(self, fold: str = "") -> "Visit":
        """Open the tools of the page, and one of their folds."""
        self.page.locator(".st-key-tools button").first.click()
        self.settle()
        if fold:
            self.page.locator(f".st-key-{fold} summary").first.click()
            self.settle()
        return self

    def settle(self) -> "Visit":
        """Wait until the page is idle."""
        self.page.wait_for_selector(".pd-trust, .pd-notice", state="attached", timeout=180_000)
        self._draw()
        self.runs.wait(PATIENCE)
        self.page.wait_for_function(_STANDS, timeout=180_000)
        self._draw()
        self.runs.wait(PATIENCE)
        return self

    def point_at(self, chart: str, place: Callable[[], tuple[float, float]]) -> tuple[float, float]:
        """Move the pointer to a place in a chart until Plotly has found what lies below it, and takes a press for that.

        A chart that is drawn anew meanwhile, as in a fold that was opened, forgets the pointer, and what lay below it may move.
        """
        found, until = self.page.locator(f"{chart} .hoverlayer .hovertext"), time.monotonic() + PATIENCE
        while True:
            at = place()
            self.page.mouse.move(*at)
            self._draw()
            if found.count() and place() == at:
                return at
            assert time.monotonic() < until, f"nothing lies there: {chart}"
            self.page.mouse.move(0, 0)

    def _draw(self) -> None:
        """Until the page has handled what happened to it, and has nothing left to draw."""
        self.page.evaluate(_IDLE)

    def drawn_charts(self) -> list[int]:
        """The charts of the page, once all are drawn: the number of areas of each map, 0 for any other chart."""
        self.page.wait_for_function(_ALL_DRAWN, timeout=180_000)
        areas: list[int] = self.page.evaluate(_AREAS)
        return areas

    @contextmanager
    def on_paper(self) -> Iterator[None]:
        """The page as it is printed; a browser says so while it still shows the screen, and afterwards when it does again."""
        self.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        self.page.emulate_media(media="print")
        yield
        self.page.emulate_media(media="screen")
        self.page.evaluate("dispatchEvent(new Event('afterprint'))")

    def watch_console(self) -> "Visit":
        """Count errors of the browser's console as failures, above all violations of the content security policy."""

        def note(message: ConsoleMessage) -> None:
            # A preloaded library that is used some seconds later shows a slow machine only.
            is_fault = message.type in ("error", "warning") and "link preload" not in message.text
            if is_fault:
                self.failures.append(f"{message.type}: {message.text}")

        self.page.on("console", note)
        return self

    def darken(self) -> "Visit":
        """The reader's system turns dark, and the page with it."""
        self.page.emulate_media(color_scheme="dark")
        self.page.wait_for_function(
            "() => getComputedStyle(document.querySelector('[data-testid=stApp]')).colorScheme == 'dark'",
            timeout=180_000,
        )
        return self.settle()

    def forget(self) -> "Visit":
        """Nothing stays noted of the open page, and the next one opens in the light."""
        self.page.emulate_media(color_scheme="light")
        self.requests.clear()
        self.failures.clear()
        return self

    @property
    def said(self) -> str:
        """The scope as the page states it."""
        return self.page.locator(".pd-said").inner_text()

    @property
    def query(self) -> str:
        """The query of the address, which holds the view."""
        return self.page.url.partition("?")[2]

    def strangers(self) -> list[str]:
        """Requests to any host other than the dashboard."""
        socket_address = self.address.replace("http", "ws", 1)
        ours = (self.address, socket_address, "data:", "blob:")
        return [url for url in self.requests if not url.startswith(ours)]


@contextmanager
def visit(browser: Browser, address: str, width: int = 1440, lang: str = "fa", held: bool = False) -> Iterator[Visit]:
    """A new user, whose browser prefers neither of our languages.

    The window may be an earlier user's, with its compiled scripts. Where that one left the same dashboard at the same
    width and in the language of this one, it is still open: the new user goes to another page from there, in half the time
    of a page that is loaded. `held` asks for a window whose answers may be held back.
    """
    idle = _idle.setdefault(browser, [])
    fitting = [one for one in idle if (one.page in _held) == held]
    reader = (
        next((one for one in fitting if one.address == address), fitting[-1]) if fitting else _arrive(browser, idle)
    )
    if reader in idle:
        idle.remove(reader)
    try:
        reader.begin(address, {"width": width, "height": _TALL}, lang)
        yield reader
    except BaseException:
        reader.page.close()
        raise
    idle.append(reader)


def _arrive(browser: Browser, idle: list[Visit]) -> Visit:
    """A new window, beside an idle one where there is one: it has the compiled scripts."""
    context = idle[-1].page.context if idle else browser.new_context(locale="de-DE", accept_downloads=True)
    context.set_default_timeout(1000 * PATIENCE)
    page = context.new_page()
    reader = Visit("", page, Runs(page))
    page.on("request", lambda request: reader.requests.append(request.url))
    page.on("pageerror", lambda error: reader.failures.append(str(error)))
    page.on(
        "response",
        lambda response: (
            reader.failures.append(f"{response.status} {response.url}") if response.status >= 400 else None
        ),
    )
    return reader
