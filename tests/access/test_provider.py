"""npm's oidc-provider requires PKCE and ends its own session at sign-out; two web processes under a path share sessions."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser

from tests.access.site import Site, events, served, status
from tests.serving import PATIENCE

_PACKAGES = Path(__file__).parent / "provider" / "node_modules"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not _PACKAGES.is_dir(), reason="make browser could not fetch oidc-provider from npm's registry"),
]


@pytest.fixture(scope="module")
def site(small_register: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("provider"), small_register, "npm", 2, "/dash") as running:
        yield running


def test_sign_in_and_sign_out_with_pkce_work_in_every_process_under_a_path(site: Site, chromium: Browser) -> None:
    context = chromium.new_context(locale="en")
    context.set_default_timeout(1000 * PATIENCE)
    page = context.new_page()
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    page.goto(f"{site.address}/?lang=en")
    page.get_by_role("link", name="Sign in").click()
    page.fill("input[name=login]", "isfahan.officer")
    page.fill("input[name=password]", "any")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{site.address}/**")
    page.wait_for_selector(".pd-trust", timeout=180_000)
    assert "Account isfahan.officer" in page.locator(".pd-brand").inner_text()

    authorize = next(url for url in urls if urlsplit(url).path == "/auth")
    query = parse_qs(urlsplit(authorize).query)
    assert query["code_challenge_method"] == ["S256"]
    without = httpx.get(authorize.replace("code_challenge", "no_challenge"))
    assert "error=invalid_request" in without.headers["location"], "the provider takes nobody without it"

    cookies = context.cookies()
    assert {cookie["path"] for cookie in cookies if cookie["name"].startswith("_streamlit_user")} == {"/dash"}
    # nginx chooses the process by the cookie of the visit.
    visits = [[cookie for cookie in cookies if cookie["name"] != "reader"] + [visit] for visit in VISITS]
    assert {status(f"{site.address}/overview", visit) for visit in visits} == {200}
    page.locator(".pd-brand button").click()
    page.get_by_role("button", name="Yes, sign me out").click()
    page.wait_for_url(f"{site.address}/**")
    page.get_by_role("link", name="Sign in").wait_for()
    assert {status(f"{site.address}/overview", visit) for visit in visits} == {401}
    assert [event.event for event in events(site, "isfahan.officer")] == ["sign_out", "sign_in"]
    # The provider ended its session as well: it asks for the name again.
    page.get_by_role("link", name="Sign in").click()
    page.wait_for_selector("input[name=login]")
    context.close()


VISITS = [{"name": "reader", "value": f"{place:032x}"} for place in range(8)]
