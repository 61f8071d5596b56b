"""The overview in headless Chromium, compared with a bare Streamlit page that shows the same prebuilt figures."""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from bench.register import ROOT, Register
from bench.timing import Times, quantile
from etl.analysis import analyses
from etl.core.jalali import last_complete_months
from etl.semantic import access, answers, rights
from etl.semantic.access import ScopedCursor
from tests.serving import ask, free_ports, until
from ui.charts import bars, boundaries, forecast, lines, maps, marks
from ui.charts.elements import ChartContext

_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync")
_VISITS, _CHANGES = 6, 10
_QUIET_MS, _PATIENCE_MS = 700, 60_000
# When a figure was last painted, by the browser's clock.
_WATCH = """
    window.lastPaint = 0;
    new MutationObserver(changes => {
        for (const change of changes) {
            const at = change.target.nodeType === 1 ? change.target : change.target.parentElement;
            if (at && at.closest('.js-plotly-plot')) { window.lastPaint = performance.now(); return; }
        }
    }).observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
"""
_STILL = """
    ([figures, since, quiet]) => {
        const app = document.querySelector('[data-testid="stApp"]');
        return app && app.getAttribute('data-test-script-state') === 'notRunning'
            && document.querySelectorAll('.js-plotly-plot .main-svg').length >= figures
            && window.lastPaint > since && performance.now() - window.lastPaint > quiet;
    }
"""


def run(register: Register) -> dict[str, Any]:
    """Milliseconds to the last painted figure, first and after a filter change, with bytes and the ratio to the floor."""
    with tempfile.TemporaryDirectory(dir=register.folder.parent) as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(_FLAGS))
        figures, bare = Path(folder) / "figures.json", Path(folder) / "floor_app.py"
        shutil.copy(ROOT / "bench" / "floor_app.py", bare)
        # Streamlit serves the folder `static` next to a page, from which the map loads its boundaries and base map.
        static = Path(folder) / "static"
        static.mkdir()
        (static / Path(boundaries.address("province")).name).write_text(boundaries.content("province"), "utf-8")
        (static / "world_110m.json").write_text(json.dumps(boundaries.EMPTY_MAP), encoding="utf-8")
        sets = _prebuilt(register)
        figures.write_text(json.dumps(sets), encoding="utf-8")
        with (
            served("dashboard.py", WAREHOUSE=str(register.warehouse)) as ours,
            served(str(bare), BENCH_FIGURES=str(figures)) as bare_address,
        ):
            page, floor = _Visitor(browser, ours), _Visitor(browser, bare_address)
            if page.drawn != floor.drawn:
                raise RuntimeError(f"the page draws {page.drawn}, the floor {floor.drawn}: mend bench/pages.py")
            # In turns, so that the load of the machine affects both alike.
            for on in list(sets)[1:]:
                page.visit(on)
                floor.visit(on)
        browser.close()
    result: dict[str, Any] = {
        "figures": page.drawn["figures"],
        "boundaries": page.boundaries,
        "changes": _CHANGES,
    }
    for part in ("first", "change"):
        ratio = quantile(page.times[part], 0.5) / quantile(floor.times[part], 0.5)
        result[part] = {
            "page": asdict(Times.of(page.times[part])),
            "floor": asdict(Times.of(floor.times[part])),
            "ratio": round(ratio, 2),
            "bytes": int(quantile(page.bytes[part], 0.5)),
            "floor_bytes": int(quantile(floor.bytes[part], 0.5)),
        }
        print(f"{part}: x{ratio:.2f} of the floor", file=sys.stderr)
    return result


@contextmanager
def served(script: str, port: int = 0, **environment: str) -> Iterator[str]:
    """A Streamlit server of `script` on an unused port; its address."""
    port = port or free_ports()
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port)]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), **environment}, stdout=subprocess.DEVNULL
    )
    try:
        until(lambda: ask(port, "/_stcore/health")[0] == 200, "the server answers")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30):
            yield f"http://localhost:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


class _Visitor:
    """Visits one page again and again in one browser session: the time to the last painted figure, and the bytes."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._address = address
        self._context = browser.new_context(viewport={"width": 1440, "height": 3000})
        self._context.add_init_script(_WATCH)
        self.times: dict[str, list[float]] = {"first": [], "change": []}
        self.bytes: dict[str, list[float]] = {"first": [], "change": []}
        self.boundaries = 0
        # The first visit warms the server and the browser's cache.
        page = self._context.new_page()
        page.goto(address)
        page.wait_for_selector(".js-plotly-plot .main-svg", timeout=_PATIENCE_MS)
        page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=_PATIENCE_MS)
        time.sleep(2)
        self.drawn = {
            "figures": page.locator(".js-plotly-plot").count(),
            "provinces": page.locator(".choroplethlayer path").count(),
            "lines": page.locator(".scatterlayer path.js-line").count(),
        }
        page.close()

    def visit(self, on: str) -> None:
        """Open the page for a day without cached answers; then add one option after the other to its first filter."""
        page = self._context.new_page()
        wire = _Wire(page)
        page.goto(f"{self._address}/?on={on}")
        self._note("first", _still(page, self.drawn["figures"], 0), wire)
        for change in range(_CHANGES):
            wire.take()
            start = _choose(page)
            painted = _still(page, self.drawn["figures"], start) - start
            # At the first change the browser compiles the code of all figures.
            if change:
                self._note("change", painted, wire)
        self.boundaries = max(self.boundaries, wire.boundaries)
        page.close()

    def _note(self, part: str, painted: float, wire: "_Wire") -> None:
        self.times[part].append(painted)
        self.bytes[part].append(wire.take())


def _still(page: Page, figures: int, since: float) -> float:
    """When the last figure was painted, once no figure changes: milliseconds of the browser's clock."""
    page.wait_for_function(_STILL, arg=[figures, since, _QUIET_MS], timeout=_PATIENCE_MS)
    return float(page.evaluate("window.lastPaint"))


def _choose(page: Page) -> float:
    """Choose one more option in the first box by keyboard; returns when the key was pressed."""
    box = page.locator('[data-testid="stMultiSelect"] input').first
    box.click()
    page.wait_for_timeout(150)
    page.keyboard.press("ArrowDown")
    start = float(page.evaluate("performance.now()"))
    page.keyboard.press("Enter")
    return start


class _Wire:
    """The bytes received by a page, over HTTP (compressed) and the websocket (messages)."""

    def __init__(self, page: Page) -> None:
        self._bytes = 0
        self.boundaries = 0
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.loadingFinished", lambda event: self._add(event.get("encodedDataLength", 0)))
        session.on("Network.webSocketFrameReceived", self._frame)
        page.on("request", self._count_boundaries)

    def _add(self, count: float) -> None:
        self._bytes += int(count)

    def _frame(self, event: dict[str, Any]) -> None:
        data = event["response"]["payloadData"]
        self._add(len(base64.b64decode(data)) if event["response"]["opcode"] == 2 else len(data))

    def _count_boundaries(self, request: Any) -> None:
        self.boundaries += request.url.endswith(boundaries.address("province").removeprefix("."))

    def take(self) -> int:
        """The bytes since the last call."""
        count, self._bytes = self._bytes, 0
        return count


def _prebuilt(register: Register) -> dict[str, list[list[Any]]]:
    """The figures of the page by day (the latest as ''), without a province and for each selection of a visit."""
    with access.connect(register.warehouse, rights.ADMINISTRATOR) as con:
        as_of = con.publication.as_of
        provinces = [row[0] for row in answers.ask(con, "target", by=("province",)).rows]
        chosen = [tuple(provinces[:count]) for count in range(_CHANGES + 1)]
        days = [as_of - timedelta(weeks=weeks) for weeks in range(_VISITS + 1)]
        return {day.isoformat() if day < as_of else "": [_figures(con, day, of) for of in chosen] for day in days}


def _figures(con: ScopedCursor, on: date, of: tuple[str, ...]) -> list[Any]:
    """The figures of the three panels as the overview draws them: two maps beside the projection, or those of one province."""
    context = ChartContext("fa")
    where = {"province": of} if of else {}
    events = marks.events(analyses.analyse(con, "events", on, where), context)
    projected = analyses.analyse(con, "projection", on, where)
    if len(of) == 1:
        counties = analyses.analyse(con, "different", on, where, metric="coverage_per_10k", by="county")
        nation = answers.ask(con, "coverage_per_10k", on=on).value()
        over = (last_complete_months(on, 24)[0], on)
        compliance = answers.ask(con, "training_compliance", by=("month",), over=over, where=where)
        return [
            bars.ranking(counties, context, nation=nation),
            forecast.projection(projected, context, None, events),
            lines.trend(compliance, context, zero=False, events=events),
        ]
    target = answers.ask(con, "target", on=on, where=where).value()
    coverage, training = (
        maps.provinces(analyses.analyse(con, "different", on, metric=name), context, of)
        for name in ("coverage_per_10k", "training_compliance")
    )
    return [coverage, forecast.projection(projected, context, target, events), training]
