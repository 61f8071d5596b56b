"""The picture of an exhibit by address: what "Download" draws in the browser of a reader, drawn by one of the server."""

# ruff: noqa: F811 - `site` is a fixture
import json
import shutil
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.access.test_data_address import Site, site  # noqa: F401 - a fixture
from ui.data.worker_process import Ended, OutOfTime, WorkerProcess
from ui.exports import job, picture
from ui.i18n import text
from ui.shell import data_address

PLACE, MAP = "/data/training/by_place", "/data/training/by_province"
drawn = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(not picture.browser(), reason="Chromium is not installed (apt-get install chromium)"),
]


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


def test_a_picture_is_refused_as_a_file_is(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "browser", lambda: "/usr/bin/true")
    assert site.client.get(f"{PLACE}.png").status_code == 401
    assert get(site, "/data/training/by_plaec.png").status_code == 404
    assert get(site, "/data/answer.png", m="active_assistants").status_code == 404, "a question has no chart of its own"
    assert get(site, f"{PLACE}.png", provinc="IR-10").status_code == 400
    assert get(site, f"{PLACE}.gif").status_code == 404
    assert get(site, "/data/workforce/by_post.png", site.isfahan, province="IR-23").status_code in (400, 403)
    # One county has a value and no chart.
    one = get(site, "/data/licensing/by_size.png", institute="none")
    assert one.status_code == 400
    assert not [event for event in site.events() if event.event == "export"]


def test_a_browser_that_ends_or_takes_too_long_is_told_of(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "browser", lambda: "/usr/bin/true")
    making: list[tuple[Any, ...]] = []

    class Failing:
        def __init__(self, *given: Any) -> None:
            making.append(given)
            self.process = self

        def result(self, _gone: Any) -> None:
            raise OutOfTime

    monkeypatch.setattr(data_address, "Making", Failing)
    refused = get(site, f"{PLACE}.png")
    assert refused.status_code == 413
    assert "more time or memory" in refused.text
    ((_, seconds),) = making
    assert seconds == picture.PICTURE_SECONDS < job.FILE_SECONDS
    # The turn of the person is given back.
    assert get(site, f"{PLACE}.csv").status_code == 200


def test_a_browser_that_is_no_browser_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "browser", lambda: "/usr/bin/true")
    with pytest.raises(Ended), (tmp_path / "x").open("wb") as out:
        picture.PictureJob("png", "{}", "en").write(out)


class TestDrawn:
    """By Chromium, in a worker process."""

    pytestmark = drawn

    @pytest.fixture(autouse=True)
    def patient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A worker has a low priority: a busy machine delays it."""
        monkeypatch.setattr(picture, "PICTURE_SECONDS", job.FILE_SECONDS)

    @pytest.mark.parametrize("address", [PLACE, MAP])
    def test_it_is_the_picture_of_the_page(self, address: str, site: Site) -> None:
        png, svg = (get(site, f"{address}.{form}", lang="fa", province=[]) for form in ("png", "svg"))
        assert (png.status_code, svg.status_code) == (200, 200), png.text
        assert png.headers["content-type"] == "image/png"
        assert png.content.startswith(b"\x89PNG")
        assert int.from_bytes(png.content[16:20]) == 2000, "twice the width of the page, for print"
        assert "attachment" in png.headers["content-disposition"]
        assert svg.headers["content-type"].startswith("image/svg+xml")
        words = svg.text
        assert words.startswith("<svg")
        assert words.count("@font-face") == 2, "it carries the font"
        assert "Vazirmatn" in words
        assert text.word("app.title", "fa") in words, "its source"
        assert "<path" in words
        exported = [event for event in site.events() if event.event == "export"]
        assert [event.more["form"] for event in exported] == ["svg", "png"]

    def test_it_has_the_numbers_that_may_circulate(self, site: Site) -> None:
        exact, rounded = (get(site, f"{PLACE}.svg", circulation=flag).text for flag in ("0", "1"))
        said = text.word("file.circulation_short", "en")
        assert said not in exact
        assert said in rounded
        assert "n\u00a0=" in exact
        assert "n\u00a0=" not in rounded

    def test_an_unchanged_one_is_304_and_a_part_of_it_is_not_drawn_again(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = get(site, f"{PLACE}.png")
        monkeypatch.setattr(data_address, "Making", None)
        again = site.get(
            f"{PLACE}.png", site.national, params={"lang": "en"}, headers={"If-None-Match": first.headers["ETag"]}
        )
        assert again.status_code == 304
        assert get(site, f"{PLACE}.png").content == first.content

    def test_the_browser_of_the_server_reaches_no_network(self) -> None:
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
            with picture.opened() as page:
                assert page.run(f"Promise.all({json.dumps(hosts)}.map((host) => {fetched}))") == [0, 0, 0]
        finally:
            server.shutdown()
            thread.join()
        assert asked == []

    def test_the_browser_ends_with_the_process_that_it_draws_for(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        process = WorkerProcess(_draws_for_ever, seconds=600, memory=1 << 30)
        until = time.monotonic() + 60
        while not (started := _browsers(tmp_path)) and time.monotonic() < until:
            time.sleep(0.1)
        assert started
        process.stop()
        while _browsers(tmp_path) and time.monotonic() < until:
            time.sleep(0.1)
        assert not _browsers(tmp_path)


def _draws_for_ever(_tell: Any) -> None:
    with picture.opened() as page:
        page.run("new Promise(() => {})")


def _browsers(folder: Path) -> list[str]:
    """The processes of browsers with a profile in a folder."""
    found = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder).encode() in command.read_bytes():
                found.append(command.parent.name)
        except OSError:
            continue
    return found
