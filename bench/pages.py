"""Part 3: the overview in headless Chromium, against a bare Streamlit page that shows the very same figures, made before."""

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
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from bench.register import ROOT, Register
from bench.timing import Times, quantile
from deploy.serve import free_port, wait_for
from etl import metrics, publication
from etl.days import add_months
from pages.parts import lines, maps
from pages.parts.charts import Look

_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync")
_VISITS, _CHANGES = 5, 12
_QUIET_MS, _PATIENCE_MS = 700, 60_000
# When a figure was last painted, in the browser's own time.
_WATCH = """
    window.lastPaint = 0;
    new MutationObserver(seen => {
        for (const one of seen) {
            const at = one.target.nodeType === 1 ? one.target : one.target.parentElement;
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
        # Streamlit serves files that lie beside a page, and the map asks for its boundaries there.
        shutil.copy(ROOT / "bench" / "floor_app.py", bare)
        (Path(folder) / "static").mkdir()
        shutil.copy(ROOT / "data" / "reference" / "iran_provinces.geojson", Path(folder) / "static")
        with served("dashboard.py", WAREHOUSE=str(register.warehouse)) as address:
            count = _figures(browser, address)
            page = _measure(browser, address, count)
        figures.write_text(json.dumps(_made_before(register, count)), encoding="utf-8")
        with served(str(bare), BENCH_FIGURES=str(figures)) as address:
            floor = _measure(browser, address, count)
        browser.close()
    result: dict[str, Any] = {"figures": count, "boundaries": page["boundaries"], "changes": _CHANGES}
    for part in ("first", "change"):
        ratio = quantile(page[part], 0.5) / quantile(floor[part], 0.5)
        result[part] = {
            "page": asdict(Times.of(page[part])),
            "floor": asdict(Times.of(floor[part])),
            "ratio": round(ratio, 2),
            "bytes": int(quantile(page[f"{part}_bytes"], 0.5)),
            "floor_bytes": int(quantile(floor[f"{part}_bytes"], 0.5)),
        }
        print(f"{part}: x{ratio:.2f} of the floor", file=sys.stderr)
    return result


@contextmanager
def served(script: str, port: int = 0, **environment: str) -> Iterator[str]:
    """A Streamlit server of `script` on a free port; its address."""
    port = port or free_port()
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port)]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), **environment}, stdout=subprocess.DEVNULL
    )
    try:
        wait_for(port, process)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30):
            yield f"http://localhost:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def _figures(browser: Browser, address: str) -> int:
    """How many figures the page shows; this visit also warms the server."""
    context = browser.new_context(viewport={"width": 1440, "height": 3000})
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector(".js-plotly-plot .main-svg", timeout=_PATIENCE_MS)
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=_PATIENCE_MS)
    time.sleep(2)
    count = page.locator(".js-plotly-plot").count()
    context.close()
    return count


def _measure(browser: Browser, address: str, figures: int) -> dict[str, Any]:
    found: dict[str, Any] = {"first": [], "first_bytes": [], "change": [], "change_bytes": [], "boundaries": 0}
    context = browser.new_context(viewport={"width": 1440, "height": 3000})
    context.add_init_script(_WATCH)
    for visit in range(_VISITS + 1):
        page = context.new_page()
        wire = _Wire(page)
        page.goto(address)
        painted = _still(page, figures, 0)
        # The first visit fills the browser's cache.
        if visit:
            found["first"].append(painted)
            found["first_bytes"].append(wire.taken())
        if visit < _VISITS:
            page.close()
    for change in range(_CHANGES):
        wire.taken()
        start = _choose(page)
        painted = _still(page, figures, start) - start
        if change:
            found["change"].append(painted)
            found["change_bytes"].append(wire.taken())
    found["boundaries"] = wire.boundaries
    context.close()
    return found


def _still(page: Page, figures: int, since: float) -> float:
    """When the last figure was painted, once all stand still: milliseconds of the browser's own clock."""
    page.wait_for_function(_STILL, arg=[figures, since, _QUIET_MS], timeout=_PATIENCE_MS)
    return float(page.evaluate("window.lastPaint"))


def _choose(page: Page) -> float:
    """Choose one more in the first box, by keyboard; when the key was pressed."""
    box = page.locator('[data-testid="stMultiSelect"] input').first
    box.click()
    page.wait_for_timeout(150)
    page.keyboard.press("ArrowDown")
    start = float(page.evaluate("performance.now()"))
    page.keyboard.press("Enter")
    return start


class _Wire:
    """Bytes that came to a page, over HTTP (as sent) and the socket (its messages)."""

    def __init__(self, page: Page) -> None:
        self._bytes = 0
        self.boundaries = 0
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.loadingFinished", lambda event: self._add(event.get("encodedDataLength", 0)))
        session.on("Network.webSocketFrameReceived", self._frame)
        page.on("request", self._asked)

    def _add(self, count: float) -> None:
        self._bytes += int(count)

    def _frame(self, event: dict[str, Any]) -> None:
        data = event["response"]["payloadData"]
        self._add(len(base64.b64decode(data)) if event["response"]["opcode"] == 2 else len(data))

    def _asked(self, request: Any) -> None:
        self.boundaries += request.url.endswith("iran_provinces.geojson")

    def taken(self) -> int:
        """Bytes since the last time this was asked."""
        taken, self._bytes = self._bytes, 0
        return taken


def _made_before(register: Register, count: int) -> list[list[Any]]:
    """The figures of the page, for no province chosen and for each choice of a visit: the browser has had none of them."""
    look = Look("fa")
    sets: list[list[Any]] = []
    with publication.connect(register.warehouse) as con:
        as_of = publication.describe(con).as_of
        provinces = [row[0] for row in metrics.ask(con, "target", by=("province",)).rows]
        for chosen in range(_CHANGES + 1):
            of = tuple(provinces[:chosen])
            where = {"province": of} if of else {}
            months = {
                name: metrics.ask(con, name, by=("month",), over=(add_months(as_of, -back), as_of), where=where)
                for name, back in (("active_assistants", 60), ("training_compliance", 24))
            }
            target = metrics.ask(con, "target", where=where).value()
            progress = metrics.ask(con, "target_progress", by=("province",))
            sets.append(
                [
                    lines.trend(months["active_assistants"], look, target=target),
                    maps.provinces(progress, look, of),
                    lines.trend(months["training_compliance"], look, zero=False, height=450),
                ]
            )
    if {len(one) for one in sets} != {count}:
        raise RuntimeError(f"the page shows {count} figures, the floor other ones: make them again in bench/pages.py")
    return sets
