"""What reaches the browser of a province's officer, page by page and byte by byte: no institute, county or file of another."""

import random
import re
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from etl.analysis import data_quality, detail
from etl.core.places import places
from etl.operations import audit
from etl.semantic import access
from etl.semantic.catalog import catalogue
from pages.ui.i18n import text
from tests import serving
from tests.access.scopes import ISFAHAN, TEHRAN
from tests.access.site import ROLES, Site, served, sign_in, status
from tests.browser import app as front
from tests.parts import PARTS, opening

pytestmark = [pytest.mark.browser, pytest.mark.slow]
OFFICERS = {"tehran.officer": (TEHRAN, ISFAHAN), "isfahan.officer": (ISFAHAN, TEHRAN)}
NOBODYS = "9999999"
QUESTIONS = 200


@pytest.fixture(scope="module")
def site(small_register: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("leaks"), small_register) as running:
        yield running


@pytest.fixture(scope="module")
def guarded(small_register: Path) -> dict[str, dict[str, bytes]]:
    """By province, what nobody of another may get: codes and names of institutes, names of counties and files."""
    found: dict[str, dict[str, bytes]] = {code: {} for code in places().provinces.values()}
    with access.connect(small_register, access.ADMINISTRATOR) as con:
        for one in detail.institutes(con).values():
            found[str(one.province)] |= {one.code: one.code.encode(), one.name: one.name.encode()}
        for code, province in detail.provinces_of_counties(con).items():
            for lang in text.LANGUAGES:
                name = text.member("county", code, lang)
                found[province][name] = name.encode()
        for row in data_quality.files(con).records():
            found[row["province"]][row["file"]] = str(row["file"]).encode()
    # A name of two provinces, or one that is also a province's or a word of the pages, gives nothing away.
    public = "\n".join(text.member("province", code, lang) for code in found for lang in text.LANGUAGES)
    words = (Path(text.__file__).parents[2] / "text.toml").read_text(encoding="utf-8")
    shared = Counter(name for named in found.values() for name in named)
    return {
        province: {
            name: sought
            for name, sought in named.items()
            if len(sought) > 6 and shared[name] == 1 and name not in public + words
        }
        for province, named in found.items()
    }


class Listener:
    """Everything that the server sends to a page over its sockets."""

    def __init__(self, page: Page) -> None:
        self.received = bytearray()
        page.on("websocket", lambda wire: wire.on("framereceived", self._take))

    def _take(self, frame: str | bytes) -> None:
        self.received += frame if isinstance(frame, bytes) else frame.encode()


def names_of(province: str, guarded: dict[str, dict[str, bytes]], received: bytes) -> list[str]:
    """A code counts where it stands alone, and not as a part of another number."""
    return [
        name
        for name, sought in guarded[province].items()
        if sought in received and (not name.isdigit() or re.search(rb"(?<![\d.])" + sought + rb"(?![\d.])", received))
    ]


def signed_in(site: Site, browser: Browser, sub: str) -> tuple[BrowserContext, front.Visit, Listener]:
    context = browser.new_context(locale="en", viewport={"width": 1440, "height": 1000})
    sign_in(site, context, sub).close()
    page = context.new_page()
    listener = Listener(page)
    return context, front.Visit(site.address, page, front.Runs(page)), listener


def test_every_page_sends_an_officer_the_own_province_and_an_analyst_all(
    site: Site, browser: Browser, guarded: dict[str, dict[str, bytes]]
) -> None:
    context, visit, listener = signed_in(site, browser, "tehran.officer")
    own: set[str] = set()
    for part in PARTS:
        listener.received.clear()
        visit.go(part, lang="en")
        assert not visit.page.locator(".pd-error").count(), part
        for province in guarded:
            if province != TEHRAN:
                assert not names_of(province, guarded, listener.received), part
        assert b"/media/" not in listener.received, "files leave by addresses of their own"
        own |= set(names_of(TEHRAN, guarded, listener.received))
    assert len(own) > 10
    context.close()
    context, visit, listener = signed_in(site, browser, "national.analyst")
    for part in ("register", "quality"):
        visit.go(part, lang="en")
    assert min(len(names_of(province, guarded, listener.received)) for province in (TEHRAN, ISFAHAN)) > 5
    context.close()


def test_addresses_handed_over_show_nothing_of_another_province(
    site: Site, browser: Browser, guarded: dict[str, dict[str, bytes]], small_register: Path
) -> None:
    with access.connect(small_register, access.ADMINISTRATOR) as con:
        foreign = next(one for one in detail.institutes(con).values() if one.province == ISFAHAN)
        county = next(code for code, place in detail.provinces_of_counties(con).items() if place == ISFAHAN)
    context, visit, listener = signed_in(site, browser, "tehran.officer")

    def shown(part: str, **view: Any) -> str:
        visit.go(part, lang="en", **view)
        assert not visit.page.locator(".pd-error").count(), part
        body = visit.page.locator("[data-testid=stMain]").inner_text()
        return re.sub(r"\d{4}-\d\d-\d\d.{0,20}", "", body)

    # A foreign code, one that does not exist: the same words.
    for part, dimension, code in (("register", "institute", foreign.code), ("coverage", "county", county)):
        of_another = shown(part, **{dimension: code})
        assert of_another.replace(code, NOBODYS) == shown(part, **{dimension: NOBODYS}), dimension
    assert foreign.name not in shown("register", find=foreign.name)
    shown("explore", m="active_assistants", by=["institute", "county"], province=ISFAHAN)
    shown("compare", p=ISFAHAN, q=TEHRAN, county=county)
    assert text.word("sign_in.not_yours", "en") in shown("province", province=ISFAHAN)
    shown("briefings", province=ISFAHAN)
    assert not visit.page.locator(".st-key-briefing-button").count()
    leaked = names_of(ISFAHAN, guarded, listener.received)
    assert set(leaked) <= {foreign.name, foreign.code}, "what was typed comes back, nothing else"
    context.close()


def test_two_browsers_in_turn_on_one_process_meet_nothing_of_each_other(
    site: Site, browser: Browser, guarded: dict[str, dict[str, bytes]]
) -> None:
    chance = random.Random(11)
    wires: dict[str, ClientConnection] = {}
    contexts = [browser.new_context(locale="en") for _ in OFFICERS]
    for sub, context in zip(OFFICERS, contexts, strict=True):
        page = sign_in(site, context, sub)
        page.wait_for_selector(".pd-trust", timeout=90_000)
        cookies = "; ".join(f"{one['name']}={one['value']}" for one in context.cookies())
        wires[sub] = connect(
            site.address.replace("http", "ws", 1) + "/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]
            origin=site.address,  # type: ignore[arg-type]
            additional_headers={"Cookie": cookies},
            max_size=None,
        )
    local = sorted(
        metric.name for metric in catalogue().values() if not metric.hidden and "county" in metric.dimensions
    )
    met = dict.fromkeys(OFFICERS, 0)
    for number in range(QUESTIONS):
        sub = list(OFFICERS)[number % 2]
        own, foreign = OFFICERS[sub]
        part = chance.choice(("explore", "explore", "register", "coverage", "quality", "province"))
        asked = {"m": chance.choice(local), "by": chance.choice(("county", "institute"))} if part == "explore" else {}
        received = run(wires[sub], part, asked | {"province": chance.choice((own, foreign)), "lang": "en"})
        assert not names_of(foreign, guarded, received), (part, asked)
        met[sub] += bool(names_of(own, guarded, received))
    assert min(met.values()) > QUESTIONS / 10
    for wire, context in zip(wires.values(), contexts, strict=True):
        wire.close()
        context.close()


def run(wire: ClientConnection, part: str, query: dict[str, str]) -> bytes:
    """What the server sends in one run of a page."""
    asked = BackMsg()
    asked.rerun_script.page_script_hash, tab = opening(part)
    asked.rerun_script.query_string = "&".join(f"{name}={value}" for name, value in (query | tab).items())
    wire.send(asked.SerializeToString())
    received = bytearray()
    while True:
        message = wire.recv(timeout=60)
        assert isinstance(message, bytes)
        received += message
        answer = ForwardMsg.FromString(message)
        is_over = answer.WhichOneof("type") == "script_finished"
        if is_over and answer.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            return bytes(received)


def test_a_view_saved_by_one_is_not_on_the_shelf_of_another(site: Site, browser: Browser) -> None:
    for sub, saves in (("isfahan.officer", True), ("tehran.officer", False), ("isfahan.officer", False)):
        context, visit, listener = signed_in(site, browser, sub)
        visit.go("explore", lang="en")
        visit.page.get_by_role("button", name="Saved views").click()
        visit.settle()
        if saves:
            visit.page.get_by_label("Name of this view").fill("Only mine")
            visit.page.get_by_label("Name of this view").press("Enter")
            visit.settle()
            visit.page.get_by_role("button", name="Save", exact=True).click()
            visit.settle()
        assert (b"Only mine" in listener.received) == (sub == "isfahan.officer")
        context.close()
    assert [event.more["page"] for event in audit.events(site.audit, event="view_saved")] == ["explore"]


def test_rights_withdrawn_end_a_page_that_is_open(site: Site, browser: Browser) -> None:
    context, visit, _ = signed_in(site, browser, "withdrawn.officer")
    visit.go("coverage", lang="en")
    assert visit.page.locator(".pd-trust").count()
    roles = site.folder / "access.toml"
    roles.write_text(ROLES.replace("groups.fars", "groups.other"), encoding="utf-8")
    visit.page.wait_for_timeout(2500)
    visit.page.get_by_role("link", name="Quality", exact=False).first.click()
    visit.page.get_by_text(text.word("sign_in.lost_title", "en")).wait_for(timeout=60_000)
    assert not visit.page.locator(".pd-trust").count()
    assert status(site.address + "/coverage", context.cookies()) == 403
    roles.write_text(ROLES, encoding="utf-8")
    context.close()
    assert len(audit.events(site.audit, event="settings_changed")) >= 1


def test_a_briefing_and_a_picture_leave_noted(site: Site, browser: Browser) -> None:
    context, visit, _ = signed_in(site, browser, "isfahan.officer")
    visit.go("briefings", lang="en", province=ISFAHAN)
    visit.page.locator(".st-key-briefing-button button").click()
    link = visit.page.get_by_role("link", name=text.word("sign_in.fetch", "en"))
    address = site.address + str(link.get_attribute("href", timeout=120_000))
    assert [status(address, context.cookies()) for _ in range(2)] == [200, 404]
    visit.go("coverage", lang="en")
    visit.page.get_by_role("button", name="Download").first.click()
    visit.page.get_by_role("button", name=text.word("more.picture", "en")).first.click()
    visit.page.get_by_role("dialog").wait_for(timeout=60_000)
    visit.settle()
    events = audit.events(site.audit, sub="isfahan.officer", event="export")[::-1]
    assert [(event.more["metric"], event.more["form"]) for event in events[:1]] == [("briefing", "pdf")]
    assert events[1].more["form"] == "picture"
    assert {(event.more["role"], event.more["provinces"]) for event in events} == {("province", ISFAHAN)}
    assert audit.verify(site.audit) == []
    context.close()


def test_counters_and_logs_name_nobody_and_nothing_asked(site: Site) -> None:
    port = int((site.folder / "nginx.conf").read_text().partition("server 127.0.0.1:")[2].split()[0])
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        counters = answer.read().decode()
    assert "policeyar_questions_total" in counters
    logs = "".join((site.folder / name).read_text() for name in ("access.log", "error.log"))
    assert logs
    for sought in ("officer", "analyst", TEHRAN, ISFAHAN, "county", "explore"):
        assert sought not in counters + logs
    assert serving.ask(port, "/_stcore/metrics")[0] == 401
