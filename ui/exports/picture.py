"""A chart as PNG or SVG, drawn in a worker process by a browser of the server, by the code that readers' browsers use.

Chromium, where it is installed, gets the figure, Plotly, the font and static/picture.js by a pipe, and reaches no network.
It is one process with a limit on its memory (`PICTURE_MEMORY`) and the priority of the worker, and ends with it.
"""

import base64
import json
import os
import re
import resource
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import IO, Any, TypeVar

from etl.core.paths import ROOT
from etl.operations import programs
from ui.charts import boundaries
from ui.charts.elements import Figure
from ui.data.worker_process import Report
from ui.i18n import fonts

# The formats with their media types.
PICTURE_FORMS = {"png": "image/png", "svg": "image/svg+xml"}
# How long one may take, from the start of the browser on: two seconds, on a machine with time for it.
PICTURE_SECONDS = 120.0
# The memory that it may take, in bytes, where a worker may take as much.
PICTURE_MEMORY = 768 << 20
# V8 takes an eighth of the limit as the range of its code, which it requires to be of whole pages.
_WHOLE = 1 << 20
# Of each of its forty threads: twice what V8 needs. The usual 8 MiB would count towards the limit.
_STACK = 2 << 20
# As one process it may end by itself: three times in 67 with a software rasterizer, not in 140 without.
_TRIES = 3
_STATIC = ROOT / "static"
_T = TypeVar("_T")
_FLAGS = (
    "--headless",
    "--remote-debugging-pipe",
    # It draws our own figures alone; web processes may not make the namespaces of its sandbox.
    "--no-sandbox",
    # One process, which its limit holds whole, and whose end is that of the pipe. The unit of a web process forbids the call
    # `pkey_alloc`, with which processes of pages begin.
    "--single-process",
    "--no-zygote",
    "--disable-gpu",
    "--disable-software-rasterizer",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-breakpad",
    # The two hidden pages of the address bar: without them Chromium starts in a third of the time, and needs 50 MB less.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup",
    "--no-first-run",
    "--no-default-browser-check",
    # No name is found, and addresses without one would take a proxy that is not there.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=socks5://127.0.0.1:1",
    "--proxy-bypass-list=<-loopback>",
)


# ---------------------------------------------------------------- the browser


class BrowserEnded(Exception):
    """The browser ended before it had drawn."""


class Browser:
    """A browser with an empty page. It ends with `end`, or with the thread that started it."""

    def __init__(self, path: str, folder: str) -> None:
        (theirs_in, ours_out), (ours_in, theirs_out) = os.pipe(), os.pipe()
        own = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR")
        environment = os.environ | dict.fromkeys(own, folder)
        # Chromium has its ends of the pipe at 3 and 4, and no standard stream.
        streams = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
        ends = [(os.POSIX_SPAWN_DUP2, theirs_in, 3), (os.POSIX_SPAWN_DUP2, theirs_out, 4)]
        command = [*_limits(), path, *_FLAGS, f"--user-data-dir={folder}", "about:blank"]
        try:
            self._process = os.posix_spawnp(command[0], command, environment, file_actions=[*ends, *streams])
        except OSError:
            os.close(ours_in)
            os.close(ours_out)
            raise BrowserEnded from None
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
        self._to, self._from = os.fdopen(ours_out, "wb"), os.fdopen(ours_in, "rb")
        self._received = b""
        self._session: dict[str, str] = {}

    def attach(self) -> None:
        """Go to the empty page that it begins with. Raises BrowserEnded."""
        targets = self._call("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        attached = self._call("Target.attachToTarget", targetId=page, flatten=True)
        self._session = {"sessionId": attached["sessionId"]}

    def run(self, script: str) -> Any:
        """Run a script in the page, wait for what it promises, and return its value. Raises BrowserEnded, RuntimeError."""
        answer = self._call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if failed := answer.get("exceptionDetails"):
            raise RuntimeError(failed["text"])
        return answer["result"].get("value")

    def end(self) -> None:
        with suppress(OSError):
            self._to.close()
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        self._from.close()

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of a method of the Chrome DevTools Protocol, whose messages end with a zero byte."""
        message = json.dumps({"id": 1, "method": method, "params": parameters} | self._session)
        try:
            self._to.write(message.encode() + b"\0")
            self._to.flush()
        except OSError:
            raise BrowserEnded from None
        while True:
            while b"\0" not in self._received:
                if not (more := self._from.read1(1 << 20)):
                    raise BrowserEnded
                self._received += more
            written, _, self._received = self._received.partition(b"\0")
            answer = json.loads(written)
            # Events have no id.
            if "id" in answer:
                return dict(answer["result"])


def _limits() -> list[str]:
    """The command that starts another one within the limits of a browser, and ends it with this process."""
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    most = PICTURE_MEMORY if hard == resource.RLIM_INFINITY else min(PICTURE_MEMORY, hard)
    data = most // _WHOLE * _WHOLE
    return ["prlimit", f"--data={data}", f"--stack={_STACK}", "--core=0", "setpriv", "--pdeathsig", "KILL"]


def in_browser(work: Callable[[Browser], _T]) -> _T:
    """What `work` returns of a browser, begun anew if the browser ends by itself. Raises BrowserEnded if it does so each time."""
    for _ in range(_TRIES - 1):
        with suppress(BrowserEnded), _opened() as page:
            return work(page)
    with _opened() as page:
        return work(page)


@contextmanager
def _opened() -> Iterator[Browser]:
    """The browser of this server, with a profile of its own. Raises BrowserEnded."""
    # What a killed process leaves is removed with the folder of its worker.
    with tempfile.TemporaryDirectory(dir=os.environ.get("QUERY_TEMP"), ignore_cleanup_errors=True) as folder:
        page = Browser(programs.browser(), folder)
        try:
            page.attach()
            yield page
        finally:
            page.end()
            _remove_socket(Path(folder))


def _remove_socket(profile: Path) -> None:
    """Delete the socket that a profile is claimed by, which lies elsewhere for its path to be short, and outlives a kill."""
    with suppress(OSError):
        socket = (profile / "SingletonSocket").readlink()
        for name in ("SingletonSocket", "SingletonCookie"):
            socket.with_name(name).unlink(missing_ok=True)
        socket.parent.rmdir()


# ---------------------------------------------------------------- the picture


@dataclass(frozen=True)
class PictureJob:
    """A picture to draw: its format, the figure with title and source drawn into it as JSON, and its language."""

    form: str
    figure: str
    lang: str

    def made_of(self) -> list[Any]:
        """What the file is made of besides what its name says."""
        return [self.figure]

    def write(self, out: IO[bytes], _tell: Report | None = None) -> None:
        """Write the picture. Raises BrowserEnded if the browser ends before it has drawn."""
        (drawn,) = in_browser(partial(_drawn, [self.figure], self.form, self.lang))
        out.write(drawn)


@dataclass(frozen=True)
class PicturesJob:
    """The pictures of a page to draw, as a list of SVG in JSON: the figures as JSON, and their language."""

    figures: tuple[str, ...]
    lang: str
    form: str = "json"

    def made_of(self) -> list[Any]:
        """What the file is made of besides what its name says."""
        return [*self.figures]

    def write(self, out: IO[bytes], _tell: Report | None = None) -> None:
        """Write them, without fonts: the page that holds them has one for all. Raises BrowserEnded, as a picture does."""
        drawn = in_browser(partial(_drawn, self.figures, "svg", self.lang))
        out.write(json.dumps([_FONTS.sub("", one.decode(), 1) for one in drawn], ensure_ascii=False).encode())


# What static/picture.js adds to an SVG that stands alone.
_FONTS = re.compile("<style>.*?</style>", re.DOTALL)


def _drawn(figures: Sequence[str], form: str, lang: str, page: Browser) -> list[bytes]:
    """Pictures of figures, drawn one after another in a page."""
    # It takes a while, and no other work of a worker needs it.
    from plotly.offline import get_plotlyjs

    faces = _js(fonts.faces(lang, font_address))
    # The page reads from left to right, as Plotly measures; our words carry their own direction.
    page.run(f"document.documentElement.lang = {_js(lang)}")
    page.run(f"document.head.append(Object.assign(document.createElement('style'), {{textContent: {faces}}}))")
    page.run(
        "Promise.all(['', 'bold '].map((weight) => document.fonts.load(`${weight}16px Vazirmatn`))).then(() => null)"
    )
    page.run(f"{get_plotlyjs()}; null")
    page.run(f"{_maps(figures)}; null")
    # On the page of a reader it waits for the charts.
    page.run("globalThis.allDrawn = async () => {}; null")
    page.run((_STATIC / "picture.js").read_text(encoding="utf-8"))
    addresses = (str(page.run(f"picture({figure}, {_js(form)}).then(dataUrl)")) for figure in figures)
    return [base64.b64decode(address.partition(",")[2]) for address in addresses]


def job_of(figure: Figure, form: str, lang: str) -> PictureJob:
    """The job that draws a figure."""
    return PictureJob(form, as_json(figure), lang)


def as_json(figure: Figure) -> str:
    """A figure as the job of a picture takes it."""
    return json.dumps(figure, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _js(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


@cache
def font_address(name: str) -> str:
    """A font as a `data:` address."""
    content = base64.b64encode((_STATIC / "fonts" / name).read_bytes()).decode()
    return f"data:font/woff2;base64,{content}"


def _maps(figures: Sequence[str]) -> str:
    """What Plotly would fetch for maps: an empty base map, and the boundaries that figures name by their address."""
    places = [
        f"{_js(boundaries.address(dimension))}: {boundaries.content(dimension)}"
        for dimension in boundaries.DIMENSIONS
        if any(boundaries.address(dimension) in figure for figure in figures)
    ]
    base = f"topojson: new Proxy({{}}, {{get: () => ({_js(boundaries.EMPTY_MAP)})}})"
    return f"globalThis.PlotlyGeoAssets = {{{', '.join([base, *places])}}}"
