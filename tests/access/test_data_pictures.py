"""The picture of an exhibit by address: what "Download" draws in the browser of a reader, drawn by one of the server."""

# ruff: noqa: F811 - `site` is a fixture
import base64
import json
import os
import re
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import anyio
import pytest

from etl.operations import programs
from tests.access.test_data_address import Site, app, site  # noqa: F401 - a fixture
from tests.serving import until
from ui.data.worker_process import OutOfTime, WorkerProcess
from ui.exports import job, picture
from ui.i18n import text
from ui.shell import data_address

PLACE, MAP = "/data/training/by_place", "/data/training/by_province"
# What page scripts may hold before the limit is reached, in pieces of so many bytes.
_PIECE = 16 << 20


def get(site: Site, path: str, token: str = "", **params: Any) -> Any:
    return site.get(path, token or site.national, params={"lang": "en"} | params)


@pytest.mark.parametrize("lang", ["fa", "en"])
def test_without_a_browser_the_address_says_so_in_one_sentence(
    lang: str, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    refused = get(site, f"{PLACE}.png", lang=lang)
    assert (refused.status_code, refused.text) == (501, text.word("data.no_browser", lang) + "\n")
    assert get(site, f"{PLACE}.csv").status_code == 200, "its numbers need none"


class _Noted:
    """In place of a worker process: notes what it is to draw, and raises `ends`."""

    ends: Exception = OutOfTime()
    drawn: picture.PictureJob
    seconds: float

    def __init__(self, drawn: picture.PictureJob, seconds: float) -> None:
        self.process, self.path = self, Path()
        _Noted.drawn, _Noted.seconds = drawn, seconds

    def result(self, _gone: Any) -> None:
        raise _Noted.ends


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> type[_Noted]:
    monkeypatch.setattr(programs, "browser", lambda: "/usr/bin/true")
    monkeypatch.setattr(data_address, "Making", _Noted)
    monkeypatch.setattr(_Noted, "ends", OutOfTime())
    return _Noted


def test_a_picture_is_refused_as_a_file_is(site: Site, noted: type[_Noted]) -> None:
    assert site.client.get(f"{PLACE}.png").status_code == 401
    assert get(site, "/data/training/by_plaec.png").status_code == 404
    assert get(site, "/data/answer.png", m="active_assistants").status_code == 404, "a question has no chart of its own"
    assert get(site, f"{PLACE}.png", provinc="IR-10").status_code == 400
    assert get(site, f"{PLACE}.gif").status_code == 404
    other = get(site, "/data/workforce/by_post.png", site.isfahan, province="IR-23")
    assert (other.status_code, other.text) == (403, text.word("data.denied", "en") + "\n")
    assert not [event for event in site.events() if event.event == "export"]


@pytest.mark.parametrize("lang", ["fa", "en"])
def test_an_exhibit_without_a_chart_has_no_picture(lang: str, site: Site, noted: type[_Noted]) -> None:
    refused = get(site, "/data/coverage/every_county.svg", lang=lang)
    assert (refused.status_code, refused.text) == (400, text.word("data.no_picture", lang) + "\n")


def test_a_picture_that_takes_too_long_or_whose_browser_ends_is_told_of(site: Site, noted: type[_Noted]) -> None:
    late = get(site, f"{PLACE}.png")
    assert late.status_code == 413
    assert "more time or memory" in late.text
    assert noted.seconds == picture.PICTURE_SECONDS < job.FILE_SECONDS
    noted.ends = picture.BrowserEnded()
    ended = get(site, f"{PLACE}.png")
    assert (ended.status_code, ended.text) == (500, text.word("data.failed", "en") + "\n")
    assert not [event for event in site.events() if event.event == "export"]
    assert get(site, f"{PLACE}.csv").status_code == 200, "the turn of the person is given back"


def test_a_picture_has_the_numbers_that_may_circulate(site: Site, noted: type[_Noted]) -> None:
    said = text.word("file.circulation_short", "en")
    for flag in ("0", "1"):
        get(site, f"{PLACE}.svg", circulation=flag)
        drawn = re.sub("[\u2066-\u2069]*<br>[\u2066-\u2069]*", " ", noted.drawn.figure)
        assert (said in drawn) == (flag == "1")
        assert ("n\u00a0=" in drawn) == (flag == "0"), "numbers of people to the last one"


def test_a_program_that_is_no_browser_has_drawn_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for program in ("/usr/bin/true", "/nowhere/chromium"):
        monkeypatch.setattr(programs, "browser", lambda program=program: program)
        with pytest.raises(picture.BrowserEnded), (tmp_path / "x").open("wb") as out:
            picture.PictureJob("png", "{}", "en").write(out)


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.skipif(not programs.browser(), reason="Chromium is not installed (apt-get install chromium)")
class TestDrawn:
    """By Chromium, in a worker process."""

    @pytest.fixture(autouse=True)
    def patient(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """A worker has a low priority: a busy machine delays it. It has less memory than the browser may take."""
        monkeypatch.setattr(picture, "PICTURE_SECONDS", job.FILE_SECONDS)
        # The half of a web process is seldom a whole number of pages.
        monkeypatch.setattr(job, "worker_memory", lambda: (600 << 20) + 4097)
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def test_it_is_a_file_in_the_house_font_that_is_drawn_once(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        svg, png = get(site, f"{MAP}.svg", lang="fa"), get(site, f"{PLACE}.png")
        assert (svg.status_code, png.status_code) == (200, 200), svg.text
        assert svg.headers["content-type"].startswith("image/svg+xml")
        assert svg.text.startswith("<svg")
        assert svg.text.count("@font-face") == 2, "it carries the font"
        assert text.word("app.title", "fa") in svg.text, "its source"
        assert svg.text.count('class="choroplethlayer"') == 1
        assert svg.text.partition('class="choroplethlayer"')[2].count("<path") >= 31, "provinces"
        assert png.headers["content-type"] == "image/png"
        assert "attachment" in png.headers["content-disposition"]
        assert png.content.startswith(b"\x89PNG")
        assert int.from_bytes(png.content[16:20]) == 2000, "twice the width of the page, for print"
        exported = [event for event in site.events() if event.event == "export"]
        assert [event.more["form"] for event in exported] == ["png", "svg"]

        monkeypatch.setattr(data_address, "Making", None)
        known = {"If-None-Match": png.headers["ETag"]}
        assert site.get(f"{PLACE}.png", site.national, params={"lang": "en"}, headers=known).status_code == 304
        assert get(site, f"{PLACE}.png").content == png.content

    def test_it_reaches_no_network_and_no_more_memory_than_its_limit(self) -> None:
        asked: list[str] = []

        class Server(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)

        server = HTTPServer(("127.0.0.1", 0), Server)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            hosts = [f"http://{host}:{server.server_port}/x" for host in ("127.0.0.1", "localhost", "[::1]")]
            fetched = "fetch(host, {mode: 'no-cors'}).then(() => 1, () => 0)"
            # Twice as much as it may have; without a limit that would be all.
            most = 2 * picture.PICTURE_MEMORY // _PIECE
            taken = f"taken.push(new Uint8Array({_PIECE}).fill(1))"

            def pieces_taken(page: picture.Browser) -> int:
                assert page.run(f"Promise.all({json.dumps(hosts)}.map((host) => {fetched}))") == [0, 0, 0]
                page.run(f"var taken = []; try {{ while (taken.length < {most}) {taken} }} catch {{}}")
                return int(page.run("taken.length"))

            pieces = picture.in_browser(pieces_taken)
        finally:
            server.shutdown()
            thread.join()
        assert asked == []
        assert 0 < pieces * _PIECE < picture.PICTURE_MEMORY

    def test_a_browser_leaves_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TMPDIR", folder := tempfile.mkdtemp(dir="/tmp"))
        assert picture.in_browser(lambda page: page.run("1 + 1")) == 2
        assert not [*tmp_path.iterdir()]
        Path(folder).rmdir()

    def test_a_browser_that_is_killed_is_told_of(self, tmp_path: Path) -> None:
        told, killed = threading.Event(), set[str]()

        def kill() -> None:
            while not told.wait(0.05):
                for pid in _browsers(tmp_path):
                    with suppress(OSError):
                        killed.add(os.readlink(f"/proc/{pid}/exe"))
                        os.kill(pid, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        with pytest.raises(picture.BrowserEnded):
            picture.in_browser(lambda page: page.run("new Promise(() => {})"))
        told.set()
        killer.join()
        assert killed
        until(lambda: not _browsers(tmp_path), "nothing is left of it")

    def test_a_browser_ends_with_the_process_that_it_draws_for_when_nobody_waits_for_it(
        self, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(data_address, "Making", _Endless)
        gone = threading.Event()

        async def receive() -> dict[str, Any]:
            if not gone.is_set():
                await anyio.to_thread.run_sync(until, lambda: _browsers(tmp_path) and _Endless.begun.share, "it draws")
                gone.set()
            return {"type": "http.disconnect"}

        async def send(_message: Any) -> None:
            return

        known = base64.b64encode(f"national.analyst:{site.national}".encode())
        request = {
            "type": "http",
            "method": "GET",
            "scheme": "http",
            "path": f"{PLACE}.png",
            "query_string": b"",
            "root_path": "",
            "client": ("10.0.0.7", 5000),
            "server": ("testserver", 80),
            "headers": [(b"host", b"testserver"), (b"authorization", b"Basic " + known)],
        }
        anyio.run(app(), request, receive, send)
        until(lambda: not _browsers(tmp_path), "nothing is left of it")
        assert not [event for event in site.events() if event.event == "export"]


class _Endless:
    """In place of a picture: one that is drawn for ever."""

    begun: WorkerProcess

    def __init__(self, _drawn: picture.PictureJob, seconds: float) -> None:
        self.process = _Endless.begun = WorkerProcess(_draws_for_ever, seconds=seconds, memory=1 << 30)
        self.path = Path()


def _draws_for_ever(tell: Callable[[float], None]) -> None:
    def draw(page: picture.Browser) -> None:
        page.run("0")
        tell(0.5)
        page.run("for (;;);")

    picture.in_browser(draw)


def _browsers(folder: Path) -> list[int]:
    """The processes of browsers with a profile in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (process / "cmdline").read_bytes()
            if str(folder).encode() in command and b"worker_process" not in command:
                found.append(int(process.name))
    return found
