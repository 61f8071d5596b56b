"""People sign in at a provider, in a browser: their own numbers, a page without rights, sign-out that ends the session.

No byte that reaches the browser of a province's officer names an institute, county or file of another province.
"""

import csv
import io
import random
import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from etl.analysis import detail
from etl.operations import audit
from etl.semantic import access, disclosure, rights
from etl.semantic.catalog import catalogue
from tests import serving
from tests.access.scopes import ISFAHAN, TEHRAN, names_of
from tests.access.site import ROLES, Site, cookie_header, events, fetch, served, sign_in, signed_in, status
from tests.browser import app as front
from tests.effort import draws
from tests.parts import PARTS, opening
from ui.i18n import navigation, text

pytestmark = [pytest.mark.browser, pytest.mark.slow]
OFFICERS = {"tehran.officer": (TEHRAN, ISFAHAN), "isfahan.officer": (ISFAHAN, TEHRAN)}
NOBODYS = "9999999"
QUESTIONS = draws(12, 100)
CLOSED = ("/files/x", "/component/a/b.js")
KEPT_BY_NGINX = (
    "/_stcore/upload_file/x/y",
    "/_stcore/agent/openapi.json",
    "/_stcore/metrics",
    "/metrics",
    "/healthz",
    "/readyz",
)


@pytest.fixture(scope="module")
def site(revised_register: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("leaks"), revised_register) as running:
        yield running


@dataclass
class Reader:
    """One who signed in."""

    address: str
    cookies: list[Any]
    browser: Browser

    @cached_property
    def visit(self) -> front.Visit:
        """Their page: most readers need none."""
        context = self.browser.new_context(locale="en", viewport={"width": 1440, "height": 1000})
        context.set_default_timeout(1000 * serving.PATIENCE)
        context.add_cookies(self.cookies)
        page = context.new_page()
        return front.Visit(self.address, page, front.Runs(page))

    @property
    def page(self) -> Page:
        return self.visit.page

    def socket(self) -> ClientConnection:
        return socket_of(self.address, self.cookies)


def socket_of(address: str, cookies: list[Any]) -> ClientConnection:
    return connect(
        address.replace("http", "ws", 1) + "/_stcore/stream",
        subprotocols=["streamlit"],  # type: ignore[list-item]
        origin=address,  # type: ignore[arg-type]
        additional_headers={"Cookie": cookie_header(cookies)},
        max_size=None,
    )


@pytest.fixture(scope="module")
def reader(site: Site, chromium: Browser) -> Iterator[Callable[[str], Reader]]:
    """Each person signs in once."""
    sessions: dict[str, Reader] = {}

    def of(sub: str) -> Reader:
        if sub not in sessions:
            sessions[sub] = Reader(site.address, signed_in(site, sub), chromium)
        return sessions[sub]

    yield of
    for session in sessions.values():
        if "visit" in vars(session):
            session.page.context.close()


def test_without_signing_in_only_the_sign_in_is_served(site: Site) -> None:
    assert {status(site.address + path) for path in (*CLOSED, "/", "/register", "/quality")} == {401}
    assert status(site.address + "/media/x.csv") == 403, "nginx asks for the cookie of a visit"
    assert {status(site.address + path) for path in KEPT_BY_NGINX} == {404}


def test_every_page_sends_an_officer_only_their_province_and_an_analyst_everything(
    site: Site, reader: Callable[[str], Reader], guarded: dict[str, dict[str, bytes]]
) -> None:
    with reader("tehran.officer").socket() as wire:
        pages = {part: run(wire, part, {"lang": "en"}) for part in PARTS}
    for part, received in pages.items():
        assert b"pd-error" not in received, part
        assert not [name for place in guarded if place != TEHRAN for name in names_of(place, guarded, received)], part
    everything = b"".join(pages.values())
    assert b"/media/" not in everything, "files leave by addresses of their own"
    assert len(names_of(TEHRAN, guarded, everything)) > 10
    with reader("national.analyst").socket() as wire:
        everything = b"".join(run(wire, part, {"lang": "en"}) for part in ("register", "quality"))
    assert min(len(names_of(province, guarded, everything)) for province in (TEHRAN, ISFAHAN)) > 5


def test_files_for_circulation_are_rounded_and_limited_to_the_viewers_province(
    reader: Callable[[str], Reader], guarded: dict[str, dict[str, bytes]]
) -> None:
    officer = reader("isfahan.officer")
    counts = []
    for is_rounded in (False, True):
        query = {"m": "active_assistants", "by": "county", "lang": "en"} | ({"circulation": "1"} if is_rounded else {})
        _, content = fetch(f"{officer.address}/data/answer.csv?{urlencode(query)}", officer.cookies)
        # Most counties of the small publication have fewer than 3 people, which do not circulate.
        assert len(names_of(ISFAHAN, guarded, content)) > (0 if is_rounded else 5)
        assert not [name for place in guarded if place != ISFAHAN for name in names_of(place, guarded, content)]
        counts.append(numbers_in(content))
    exact, rounded = counts
    assert any(number % disclosure.STEP for number in exact)
    assert {number % disclosure.STEP for number in rounded} == {0}
    assert {row["status"] for row in rows_in(content)} == {""}, "no mark tells which rounded counts are exact"
    assert sum(exact) not in rounded


def numbers_in(content: bytes) -> list[int]:
    """The numbers of active assistants in a CSV file."""
    return [int(row["active_assistants"]) for row in rows_in(content) if row["active_assistants"].isdigit()]


def rows_in(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_a_person_without_rights_reads_the_account_and_whom_to_ask_and_gets_no_page_file_or_socket(
    site: Site, chromium: Browser
) -> None:
    context = chromium.new_context()
    page = sign_in(site, context, "stranger")
    page.wait_for_load_state()
    shown_text = page.locator("body").inner_text()
    for words in ("S. Tranger", "stranger", "Ms Karimi", "خانم کریمی", "You are signed in, but have no access"):
        assert words in shown_text
    paths = [f"/{navigation.part_address(part)[0]}" for part in PARTS]
    assert {status(site.address + path, context.cookies()) for path in {*paths, *CLOSED, "/media/x.csv"}} == {403}
    with pytest.raises(InvalidStatus), socket_of(site.address, context.cookies()):
        pass
    context.close()


def test_a_shared_link_shows_nothing_of_another_province(
    reader: Callable[[str], Reader], guarded: dict[str, dict[str, bytes]], small_register: Path
) -> None:
    with access.connect(small_register, rights.ADMINISTRATOR) as con:
        foreign = next(institute for institute in detail.institutes(con).values() if institute.province == ISFAHAN)
        county = next(code for code, place in detail.provinces_of_counties(con).items() if place == ISFAHAN)
    received: list[bytes] = []

    def sent(part: str, **view: Any) -> list[bytes]:
        messages = list(messages_of(wire, part, view | {"lang": "en"}))
        received.extend(messages)
        assert not any(b"pd-error" in message for message in messages), part
        return messages

    def shown(part: str, **view: Any) -> str:
        deltas = (ForwardMsg.FromString(message).delta for message in sent(part, **view))
        bodies = (delta.new_element.html.body for delta in deltas)
        # The menu of the person names the minute.
        return "\n".join(body for body in bodies if body.strip() and "pd-brand" not in body)

    with reader("tehran.officer").socket() as wire:
        # A foreign code, one that does not exist: the same words.
        for part, dimension, code in (("register", "institute", foreign.code), ("coverage", "county", county)):
            of_another = shown(part, **{dimension: code})
            assert len(of_another) > 1000
            assert of_another.replace(code, NOBODYS) == shown(part, **{dimension: NOBODYS}), dimension
        assert foreign.name not in shown("register", find=foreign.name)
        sent("register", province=ISFAHAN)
        sent("explore", m="active_assistants", by=["institute", "county"], province=ISFAHAN)
        sent("explore", m="coverage_gap", by="county")
        sent("compare", p=ISFAHAN, q=TEHRAN, county=county)
        said = b"".join(sent("overview", province=ISFAHAN))
        assert text.word("sign_in.not_yours", "en").encode() in said
    offer = b"take-away"
    # Only officers who may export are offered a file.
    with reader("isfahan.officer").socket() as wire:
        offered = {code: offer in run(wire, "overview", {"province": code, "lang": "en"}) for code in (ISFAHAN, TEHRAN)}
    assert offered == {ISFAHAN: True, TEHRAN: False}
    leaked = [name for place in guarded if place != TEHRAN for name in names_of(place, guarded, b"".join(received))]
    assert set(leaked) <= {foreign.name, foreign.code}, "what was typed comes back, nothing else"


def test_two_browsers_that_alternate_on_one_process_never_see_data_of_each_other(
    site: Site, reader: Callable[[str], Reader], guarded: dict[str, dict[str, bytes]]
) -> None:
    chance = random.Random(11)
    local = sorted(
        metric.name for metric in catalogue().values() if not metric.hidden and "county" in metric.dimensions
    )
    hits = dict.fromkeys(OFFICERS, 0)
    with ExitStack() as stack:
        wires = {sub: stack.enter_context(reader(sub).socket()) for sub in OFFICERS}
        for number in range(QUESTIONS):
            sub = list(OFFICERS)[number % 2]
            own, foreign = OFFICERS[sub]
            part = chance.choice(("explore", "explore", "register", "coverage", "quality", "overview"))
            by = chance.choice(("county", "institute"))
            query = {"m": chance.choice(local), "by": by} if part == "explore" else {}
            received = run(wires[sub], part, query | {"province": chance.choice((own, foreign)), "lang": "en"})
            assert not names_of(foreign, guarded, received), (part, query)
            hits[sub] += bool(names_of(own, guarded, received))
    assert min(hits.values()) > QUESTIONS / 10


def run(wire: ClientConnection, part: str, query: dict[str, Any]) -> bytes:
    """What the server sends in one run of a page."""
    return b"".join(messages_of(wire, part, query))


def messages_of(wire: ClientConnection, part: str, query: dict[str, Any]) -> Iterator[bytes]:
    """The messages of one run of a page."""
    request = BackMsg()
    request.rerun_script.page_script_hash, tab = opening(part)
    request.rerun_script.query_string = urlencode(query | tab, doseq=True)
    wire.send(request.SerializeToString())
    is_over = False
    while not is_over:
        message = wire.recv(timeout=180)
        assert isinstance(message, bytes)
        yield message
        answer = ForwardMsg.FromString(message)
        is_over = (
            answer.WhichOneof("type") == "script_finished"
            and answer.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
        )


def test_the_download_of_a_briefing_is_logged(site: Site, reader: Callable[[str], Reader]) -> None:
    officer = reader("isfahan.officer")
    visit = officer.visit
    visit.go("", lang="en", province=ISFAHAN)
    visit.page.locator(".st-key-briefing button").first.click()
    visit.page.locator(".st-key-briefing-button button").click()
    link = visit.page.get_by_role("link", name=text.word("sign_in.fetch", "en"))
    address = site.address + str(link.get_attribute("href", timeout=180_000))
    assert [status(address, officer.cookies) for _ in range(2)] == [200, 404]
    briefing = events(site, "isfahan.officer", "export")[0].more
    assert (briefing["metric"], briefing["form"]) == ("briefing", "pdf")
    assert (briefing["role"], briefing["provinces"]) == ("province", ISFAHAN)
    assert audit.verify(site.audit) == ""


def test_counters_and_logs_contain_no_names_and_no_questions(site: Site) -> None:
    port = int((site.folder / "nginx.conf").read_text().partition("server 127.0.0.1:")[2].split()[0])
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=180) as answer:
        counters = answer.read().decode()
    assert "policeyar_questions_total" in counters
    logs = "".join((site.folder / name).read_text() for name in ("access.log", "error.log"))
    assert logs
    for word in ("officer", "analyst", TEHRAN, ISFAHAN, "county", "explore"):
        assert word not in counters + logs
    assert serving.ask(port, "/_stcore/metrics")[0] == 401


def test_a_file_is_downloaded_once_and_only_by_its_owner(site: Site, reader: Callable[[str], Reader]) -> None:
    # A list of persons has no address.
    officer, other = reader("isfahan.officer"), reader("national.analyst")
    visit = officer.visit.go("register", lang="en")
    page = visit.page
    page.locator(".st-key-files-people button").click()
    # A popover that opens while the page is still drawn moves away with its button.
    visit.settle()
    page.get_by_role("button", name="CSV").first.click()
    link = page.get_by_role("link", name="Download (once, within five minutes)")
    address = site.address + str(link.get_attribute("href", timeout=180_000))
    assert status(address) == 401
    assert status(address, other.cookies) == 403
    assert status(address, officer.cookies) == 200
    assert status(address, officer.cookies) == 404
    exported = events(site, "isfahan.officer", "export")[:1]
    assert [(event.more["form"], event.more["role"], event.more["provinces"]) for event in exported] == [
        ("csv", "province", "IR-10")
    ]


def test_the_file_of_a_figure_is_a_link_under_the_rights_of_who_opens_it_and_its_picture_is_logged(
    site: Site, reader: Callable[[str], Reader]
) -> None:
    officer, other = reader("isfahan.officer"), reader("national.analyst")
    visit = officer.visit.go("training", lang="en")
    page, before = visit.page, len(events(site, "isfahan.officer", "export"))
    page.locator(".st-key-files-by_place button").click()
    visit.settle()
    link = page.get_by_role("link", name="CSV", exact=True)
    with page.expect_download(timeout=front.FILE_PATIENCE) as fetched:
        link.focus()
        page.keyboard.press("Enter")
    own = Path(fetched.value.path()).read_bytes()
    address = site.address + str(link.get_attribute("href"))
    assert "/data/training/by_place.csv?" in address
    assert status(address) == 401
    assert fetch(address, officer.cookies) == (200, own), "as often as it is opened"
    assert fetch(address, other.cookies)[1] == own, "training of each province is open to all"
    page.get_by_role("button", name=text.word("more.picture", "en")).first.click()
    page.get_by_role("dialog").last.wait_for(timeout=180_000)
    visit.settle()
    exported = [event.more for event in events(site, "isfahan.officer", "export")]
    exported = exported[: len(exported) - before]
    assert [event["form"] for event in exported] == ["picture", "csv", "csv"]
    assert {event["publication"] for event in exported[1:]} == {"000002"}
    assert (exported[0]["role"], exported[0]["provinces"]) == ("province", ISFAHAN)


def test_the_audit_log_is_on_the_page_of_a_steward_and_of_nobody_else(
    site: Site, reader: Callable[[str], Reader]
) -> None:
    for sub, is_shown in (("data.steward", True), ("national.analyst", False)):
        with reader(sub).socket() as wire:
            received = run(wire, "approve", {"lang": "en"})
        assert b"figure-publications" in received
        assert (b"Audit log" in received) == is_shown


def test_an_officer_sees_the_nation_and_own_institutes_until_rights_are_withdrawn_and_signs_out_for_good(
    site: Site, chromium: Browser
) -> None:
    context = chromium.new_context(locale="en", viewport={"width": 1440, "height": 1000})
    page = sign_in(site, context, "withdrawn.officer")
    page.wait_for_selector(".pd-trust", state="attached")
    cookies = context.cookies()
    assert "W. Officer" in page.locator(".pd-brand").inner_text()
    assert not page.locator(".pd-error").count()
    ours = next(cookie for cookie in cookies if cookie["name"] == "_streamlit_user")
    assert ours["httpOnly"]
    assert ours["secure"]
    assert ours["sameSite"] == "Lax"
    assert ours["expires"] < time.time() + 8 * 3600 + 60
    with socket_of(site.address, cookies) as wire:
        named = run(wire, "quality", {"lang": "en"})
    assert b"IR-14" in named or b"Chaharmahal" in named
    assert status(site.address + "/overview", cookies) == 200
    roles = site.folder / "access.toml"
    roles.write_text(ROLES.replace("groups.fars", "groups.other"), encoding="utf-8")
    page.wait_for_timeout(2500)
    page.get_by_test_id("stSidebarNavLink").last.click()
    page.get_by_text(text.word("sign_in.lost_title", "fa")).wait_for(timeout=180_000)
    # What the page showed before goes when its run ends.
    expect(page.locator(".pd-trust")).to_have_count(0, timeout=180_000)
    assert status(site.address + "/workforce", cookies) == 403
    roles.write_text(ROLES, encoding="utf-8")
    assert len(events(site, event="settings_changed")) >= 1
    page.locator(".pd-brand button").click()
    page.wait_for_url(re.compile("end_session|oauth2callback|/$|/\\?"))
    assert status(site.address + "/overview", cookies) == 401, "a copied cookie is worth nothing after sign-out"
    assert "sign_out" in [event.event for event in events(site, "withdrawn.officer")]
    context.close()


def test_while_the_provider_is_down_who_is_signed_in_goes_on_and_nobody_new_gets_in(
    site: Site, chromium: Browser, reader: Callable[[str], Reader]
) -> None:
    analyst = reader("national.analyst")
    site.provider.terminate()
    site.provider.wait(timeout=180)
    assert status(site.address + "/overview", analyst.cookies) == 200
    assert status(site.address + "/sign-in") == 504
    other = chromium.new_context().new_page()
    other.goto(site.address + "/?lang=en")
    other.get_by_role("link", name="Sign in").click()
    assert "does not answer" in other.locator("body").inner_text()
    other.context.close()
    assert audit.verify(site.audit) == ""
