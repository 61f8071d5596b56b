"""A dashboard behind nginx whose users sign in at a provider, and Chromium signing in and out."""

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import BrowserContext, Page

from etl.operations import audit
from tests import serving
from tests.access.gated import ACCESS, SECRET

PEOPLE = (
    {"sub": "isfahan.officer", "name": "I. Officer", "groups": ["isfahan"]},
    {"sub": "tehran.officer", "name": "T. Officer", "groups": ["tehran"]},
    {"sub": "national.analyst", "name": "N. Analyst", "groups": ["national"]},
    {"sub": "data.steward", "name": "D. Steward", "groups": ["steward"]},
    {"sub": "withdrawn.officer", "name": "W. Officer", "groups": ["fars"]},
    {"sub": "stranger", "name": "S. Tranger"},
)
# All but those of Fars may see rows of people, in their provinces.
ROLES = re.sub("(role = .*)", r"\1\nmay_see_detail = true", ACCESS)
ROLES += '[groups.fars]\nrole = "province"\nprovinces = ["IR-14"]\n'

_NODE = Path(__file__).with_name("provider")


@dataclass
class Site:
    """A dashboard and its provider, both running."""

    address: str
    folder: Path
    provider: subprocess.Popen[bytes]

    @property
    def audit(self) -> Path:
        return self.folder / "audit"


def events(site: Site, sub: str = "", event: str = "") -> list[audit.Event]:
    """The events of the audit log, the latest first, optionally of one person or one kind."""
    return [one for one in audit.events(site.audit) if sub in ("", one.sub) and event in ("", one.event)]


@contextmanager
def served(
    folder: Path, warehouse: Path, provider: str = "mock", processes: int = 1, base_path: str = ""
) -> Iterator[Site]:
    """Web processes and nginx before them in the mode `oidc`, and a provider: oidc-provider-mock, or `npm`'s oidc-provider."""
    port = serving.free_ports()
    # The address, and so the secrets, are known when the ports are.
    (folder / "secrets.toml").touch()
    (folder / "access.toml").write_text(ROLES, encoding="utf-8")
    dashboard = serving.Served(
        folder,
        processes,
        WAREHOUSE=str(warehouse),
        VIEWS=str(folder / "views"),
        AUDIT=str(folder / "audit"),
        DETAIL_ROWS="1",
        POLICEYAR_WEB_BASE_PATH=base_path,
        POLICEYAR_SIGN_IN_MODE="oidc",
        POLICEYAR_SIGN_IN_ACCESS=str(folder / "access.toml"),
        POLICEYAR_SIGN_IN_SECRETS=str(folder / "secrets.toml"),
    )
    address = dashboard.origin + dashboard.base
    _write_secrets(folder / "secrets.toml", address, port)
    command = _mock(port) if provider == "mock" else ["node", str(_NODE / "provider.mjs"), str(port), address]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with dashboard:
            yield Site(address, folder, running)
    finally:
        running.terminate()
        running.wait(timeout=180)


def _mock(port: int) -> list[str]:
    claims = [word for person in PEOPLE for word in ("--user-claims", json.dumps(person))]
    return [str(Path(sys.executable).with_name("oidc-provider-mock")), "-p", str(port), *claims]


def _write_secrets(path: Path, address: str, port: int) -> None:
    path.write_text(
        f"""
        [auth]
        redirect_uri = "{address}/oauth2callback"
        cookie_secret = "{SECRET}"
        client_id = "dashboard"
        client_secret = "of the tests"
        server_metadata_url = "http://localhost:{port}/.well-known/openid-configuration"
        # Streamlit's own choice, select_account, is none that oidc-provider knows.
        client_kwargs = {{ prompt = "consent" }}
        """,
        encoding="utf-8",
    )
    path.chmod(0o600)


def sign_in(site: Site, context: BrowserContext, sub: str, path: str = "/?lang=en") -> Page:
    """A page of somebody who signed in at the provider, which begins to load; `path` is the page first asked for."""
    context.set_default_timeout(1000 * serving.PATIENCE)
    page = context.new_page()
    page.goto(site.address + path)
    page.get_by_role("link", name="Sign in").click()
    page.wait_for_url("**/oauth2/authorize**")
    page.fill("input[name=sub]", sub)
    page.locator("button").first.click()
    page.wait_for_url(f"{site.address}/**", wait_until="commit")
    return page


def signed_in(site: Site, sub: str) -> list[Any]:
    """The cookies of somebody who signed in at the provider, as those of a browser."""
    with httpx.Client(follow_redirects=True, timeout=serving.PATIENCE) as client:
        form = client.get(site.address + "/sign-in")
        client.post(form.url, data={"sub": sub})
        cookies = [{"name": one.name, "value": one.value, "url": site.address} for one in client.cookies.jar]
    assert "_streamlit_user" in {cookie["name"] for cookie in cookies}, f"{sub} is not signed in"
    return cookies


def status(address: str, cookies: list[Any] = ()) -> int:  # type: ignore[assignment]
    """The status of the response to a program that has these cookies of a browser."""
    return fetch(address, cookies)[0]


def fetch(address: str, cookies: list[Any] = ()) -> tuple[int, bytes]:  # type: ignore[assignment]
    """Status and body for a program that has these cookies of a browser."""
    request = urllib.request.Request(address, headers={"Cookie": cookie_header(cookies), "Accept": "text/html"})
    try:
        with urllib.request.urlopen(request, timeout=180) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def cookie_header(cookies: list[Any]) -> str:
    """The header of these cookies of a browser."""
    return "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in cookies)
