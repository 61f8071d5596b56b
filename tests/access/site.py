"""A dashboard behind nginx, whose users sign in at a provider; Chromium goes in and out as they do."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page

from tests import serving
from tests.access.test_gate import ACCESS, SECRET

PEOPLE = (
    {"sub": "isfahan.officer", "name": "I. Officer", "groups": ["isfahan"]},
    {"sub": "tehran.officer", "name": "T. Officer", "groups": ["tehran"]},
    {"sub": "national.analyst", "name": "N. Analyst", "groups": ["national"]},
    {"sub": "data.steward", "name": "D. Steward", "groups": ["steward"]},
    {"sub": "withdrawn.officer", "name": "W. Officer", "groups": ["fars"]},
    {"sub": "stranger", "name": "S. Tranger"},
)
ROLES = ACCESS + '[groups.fars]\nrole = "province"\nprovinces = ["IR-14"]\n'


@dataclass
class Site:
    """A dashboard and its provider, both running."""

    address: str
    folder: Path
    provider: subprocess.Popen[bytes]

    @property
    def audit(self) -> Path:
        return self.folder / "audit"


@contextmanager
def served(folder: Path, warehouse: Path) -> Iterator[Site]:
    """One web process and nginx before it, in the mode `oidc`, with oidc-provider-mock as the provider."""
    provider_port = serving.free_ports()
    dashboard = serving.Served(
        folder,
        WAREHOUSE=str(warehouse),
        VIEWS=str(folder / "views"),
        AUDIT=str(folder / "audit"),
        DETAIL_ROWS="1",
        POLICEYAR_SIGN_IN_MODE="oidc",
        POLICEYAR_SIGN_IN_ACCESS=str(folder / "access.toml"),
        POLICEYAR_SIGN_IN_SECRETS=str(folder / "secrets.toml"),
    )
    (folder / "access.toml").write_text(ROLES, encoding="utf-8")
    metadata = f"http://localhost:{provider_port}/.well-known/openid-configuration"
    write_secrets(folder, dashboard.origin + dashboard.base, "of the tests", metadata)
    claims = [word for one in PEOPLE for word in ("--user-claims", json.dumps(one))]
    program = str(Path(sys.executable).with_name("oidc-provider-mock"))
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    provider = subprocess.Popen([program, "-p", str(provider_port), *claims], **quiet)
    try:
        with dashboard:
            yield Site(dashboard.origin, folder, provider)
    finally:
        provider.terminate()
        provider.wait(timeout=20)


def write_secrets(folder: Path, address: str, client_secret: str, metadata: str, more: str = "") -> None:
    """The secrets file of a dashboard at `address`."""
    (folder / "secrets.toml").write_text(
        f"""
        [auth]
        redirect_uri = "{address}/oauth2callback"
        cookie_secret = "{SECRET}"
        client_id = "dashboard"
        client_secret = "{client_secret}"
        server_metadata_url = "{metadata}"
        {more}
        """,
        encoding="utf-8",
    )
    (folder / "secrets.toml").chmod(0o600)


def sign_in(site: Site, context: BrowserContext, sub: str, path: str = "/?lang=en") -> Page:
    """A page of who went to the provider and came back; `path` is where they wanted to go."""
    page = context.new_page()
    page.goto(site.address + path)
    page.get_by_role("link", name="Sign in").click()
    page.wait_for_url("**/oauth2/authorize**")
    page.fill("input[name=sub]", sub)
    page.locator("button").first.click()
    page.wait_for_url(f"{site.address}/**")
    return page


def status(address: str, cookies: list[Any] = ()) -> int:  # type: ignore[assignment]
    """What a program gets that has these cookies of a browser."""
    told = "; ".join(f"{one['name']}={one['value']}" for one in cookies)
    request = urllib.request.Request(address, headers={"Cookie": told, "Accept": "text/html"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            code: int = answer.status
            return code
    except urllib.error.HTTPError as error:
        return error.code
