"""People sign in at a provider, in a browser: their own numbers, a page without rights, sign-out that ends the session."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from etl.operations import audit
from tests.access.site import Site, events, fetch, served, sign_in, status
from tests.browser import app as front

pytestmark = [pytest.mark.browser, pytest.mark.slow]
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
def site(small_register: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("site"), small_register) as running:
        yield running


@pytest.fixture(scope="module")
def signed_in(site: Site, chromium: Browser) -> Iterator[Callable[[str], front.Visit]]:
    """Each person signs in once, in a browser of their own, and opens the page about quality."""
    visits: dict[str, front.Visit] = {}

    def of(sub: str) -> front.Visit:
        if sub not in visits:
            context = chromium.new_context(locale="en")
            # Listens before the page opens its socket.
            context.once("page", lambda page: visits.update({sub: front.Visit(site.address, page, front.Runs(page))}))
            sign_in(site, context, sub, "/quality?lang=en")
            visits[sub].settle()
        return visits[sub]

    yield of
    for visit in visits.values():
        visit.page.context.close()


def test_without_signing_in_only_the_sign_in_is_served(site: Site) -> None:
    assert {status(site.address + path) for path in (*CLOSED, "/", "/register", "/quality")} == {401}
    assert status(site.address + "/media/x.csv") == 403, "nginx asks for the cookie of a visit"
    assert {status(site.address + path) for path in KEPT_BY_NGINX} == {404}


def test_a_file_is_downloaded_once_and_only_by_its_owner(site: Site, signed_in: Callable[[str], front.Visit]) -> None:
    # A list that is cut has no address.
    visit, other = signed_in("isfahan.officer").go("licensing", lang="en"), signed_in("national.analyst")
    page, context = visit.page, visit.page.context
    page.locator(".st-key-files-listing-licences_ending button").click()
    # A popover that opens while the page is still drawn moves away with its button.
    visit.settle()
    page.get_by_role("button", name="CSV").first.click()
    link = page.get_by_role("link", name="Download (once, within five minutes)")
    address = site.address + str(link.get_attribute("href", timeout=180_000))
    assert status(address) == 401
    assert status(address, other.page.context.cookies()) == 403
    assert status(address, context.cookies()) == 200
    assert status(address, context.cookies()) == 404
    exported = events(site, "isfahan.officer", "export")
    assert [(event.more["form"], event.more["role"], event.more["provinces"]) for event in exported] == [
        ("csv", "province", "IR-10")
    ]


def test_the_file_of_a_figure_is_a_link_to_its_address_under_the_rights_of_who_opens_it(
    site: Site, signed_in: Callable[[str], front.Visit]
) -> None:
    visit, other = signed_in("isfahan.officer").go("training", lang="en"), signed_in("national.analyst")
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
    assert fetch(address, visit.page.context.cookies()) == (200, own), "as often as it is opened"
    assert fetch(address, other.page.context.cookies())[1] == own, "training of each province is open to all"
    exported = events(site, "isfahan.officer", "export")
    assert [event.more["form"] for event in exported[: len(exported) - before]] == ["csv"] * 2
    assert {event.more["publication"] for event in exported} == {"000001"}


def test_the_audit_log_is_on_the_page_of_a_steward_and_of_nobody_else(
    signed_in: Callable[[str], front.Visit],
) -> None:
    for sub, shown in (("data.steward", 1), ("national.analyst", 0)):
        page = signed_in(sub).go("approve", lang="en").page
        assert page.locator(".st-key-figure-publications").count()
        assert page.get_by_role("heading", name="Audit log").count() == shown


def test_a_user_without_rights_reads_the_account_and_whom_to_ask(site: Site, chromium: Browser) -> None:
    context = chromium.new_context()
    page = sign_in(site, context, "stranger")
    page.wait_for_load_state()
    shown_text = page.locator("body").inner_text()
    for words in ("S. Tranger", "stranger", "Ms Karimi", "خانم کریمی", "You are signed in, but have no access"):
        assert words in shown_text
    assert {status(site.address + path, context.cookies()) for path in (*CLOSED, "/media/x.csv")} == {403}
    context.close()


def test_an_officer_sees_the_nation_and_own_institutes_and_signs_out_for_good(
    site: Site, signed_in: Callable[[str], front.Visit]
) -> None:
    visit = signed_in("isfahan.officer").go("", lang="en")
    page, cookies = visit.page, visit.page.context.cookies()
    assert "I. Officer" in page.locator(".pd-brand").inner_text()
    assert not page.locator(".pd-error").count()
    ours = next(cookie for cookie in cookies if cookie["name"] == "_streamlit_user")
    assert ours["httpOnly"]
    assert ours["secure"]
    assert ours["sameSite"] == "Lax"
    assert ours["expires"] < time.time() + 8 * 3600 + 60
    visit.go("quality", lang="en")
    named = page.locator("body").inner_text()
    assert "IR-10" in named or "Isfahan" in named
    assert status(site.address + "/overview", cookies) == 200
    page.locator(".pd-brand button").click()
    page.wait_for_url(re.compile("end_session|oauth2callback|/$|/\\?"))
    assert status(site.address + "/overview", cookies) == 401, "a copied cookie is worth nothing after sign-out"
    assert "sign_out" in [event.event for event in events(site, "isfahan.officer")]


def test_while_the_provider_is_down_who_is_signed_in_goes_on_and_nobody_new_gets_in(
    site: Site, chromium: Browser, signed_in: Callable[[str], front.Visit]
) -> None:
    context = signed_in("national.analyst").page.context
    site.provider.terminate()
    site.provider.wait(timeout=180)
    assert status(site.address + "/overview", context.cookies()) == 200
    assert status(site.address + "/sign-in") == 504
    other = chromium.new_context().new_page()
    other.goto(site.address + "/?lang=en")
    other.get_by_role("link", name="Sign in").click()
    assert "does not answer" in other.locator("body").inner_text()
    other.context.close()
    assert audit.verify(site.audit) == ""
