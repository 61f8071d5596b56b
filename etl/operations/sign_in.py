"""The files of sign-in, secrets and roles: the doctor checks them before a version comes into use, web processes at start."""

import stat
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from etl.core.settings import Faulty, Settings
from etl.operations import roles

_LEAST_SECRET = 16
_CALLBACK = "/oauth2callback"
# What Streamlit's sign-in needs. Some providers give no client_secret.
_AUTH = ("redirect_uri", "cookie_secret", "client_id", "server_metadata_url")


def check(config: Settings) -> dict[str, Any]:
    """The secrets, in any mode but `open`. Raises Faulty with every fault of both files."""
    faults: list[str] = []
    content: dict[str, Any] = {}
    for what in (_check_roles, _read_secrets):
        try:
            content = what(config)
        except Faulty as error:
            faults += error.lines
    if content:
        faults += [f"sign_in.secrets: {fault}" for fault in _of_mode(config, content)]
    if faults:
        raise Faulty(faults)
    return content


def _check_roles(config: Settings) -> dict[str, Any]:
    roles.read(_file(config, "access"))
    return {}


def _read_secrets(config: Settings) -> dict[str, Any]:
    path = _file(config, "secrets")
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Faulty([f"{path}: only its owner may read it (chmod 600)"])
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (UnicodeError, tomllib.TOMLDecodeError):
        raise Faulty([f"{path}: is not TOML"]) from None
    if not content:
        raise Faulty([f"{path}: is empty"])
    return content


def _file(config: Settings, name: str) -> Path:
    path: Path | None = getattr(config.sign_in, name)
    if path is None:
        raise Faulty([f"sign_in.{name}: the mode {config.sign_in.mode} needs this file"])
    return path


def _of_mode(config: Settings, content: dict[str, Any]) -> list[str]:
    """The faults of the table that the mode needs."""
    name = {"proxy": "proxy", "oidc": "auth"}[config.sign_in.mode]
    table = content.get(name)
    if not isinstance(table, dict):
        return [f"the mode {config.sign_in.mode} needs [{name}]"]
    if name == "proxy":
        is_long = len(str(table.get("secret", ""))) >= _LEAST_SECRET
        return [] if is_long else [f"[proxy] needs a secret of {_LEAST_SECRET} letters or more"]
    faults = [f"[auth] needs {key}" for key in _AUTH if not table.get(key)]
    if address := table.get("redirect_uri"):
        parts = urlsplit(str(address))
        names = (config.web.host, *config.web.allowed_hosts, "localhost")
        if parts.hostname not in names or parts.path != config.web.base_path + _CALLBACK:
            faults.append(
                f"[auth] redirect_uri is none of this site: https://{names[0]}{config.web.base_path}{_CALLBACK}"
            )
    return faults
