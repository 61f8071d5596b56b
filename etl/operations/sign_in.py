"""The files of sign-in, secrets and roles: the doctor checks them before a version comes into use, web processes at start."""

import stat
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from etl.core.settings import LOCAL_NAMES, Faulty, Settings, file_in_use
from etl.operations import roles

# `openssl rand -base64 48` gives some forty different letters, `-hex 32` all sixteen but one now and then; hardly one follows
# from those before it.
_LEAST_SECRET, _LEAST_DIFFERENT, _LEAST_NEW = 32, 8, 24
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")
_WEAK = f"is short or easily guessed: {_LEAST_SECRET} random letters or more (openssl rand -base64 48)"
_CALLBACK = "/oauth2callback"
# What Streamlit's sign-in needs. Some providers give no client_secret.
_AUTH = ("redirect_uri", "cookie_secret", "client_id", "server_metadata_url")


def check(config: Settings) -> dict[str, Any]:
    """The secrets, in any mode but `open`. Raises Faulty with every fault of both files."""
    faults: list[str] = []
    content: dict[str, Any] = {}
    try:
        roles.read(_file(config, "access"))
    except Faulty as error:
        faults += error.lines
    try:
        content = _read_secrets(config)
        faults += [f"sign_in.secrets: {fault}" for fault in _of_mode(config, content)]
    except Faulty as error:
        faults += error.lines
    faults += [
        f"{path}: others than its owner may write it (chmod go-w)" for path in _trusted(config) if _is_open(path)
    ]
    if faults:
        raise Faulty(faults)
    return content


def _trusted(config: Settings) -> list[Path]:
    """What decides on rights and keeps the log: files, and the folders in which they could be exchanged."""
    audit = config.folders.audit
    files = [config.sign_in.access, config.sign_in.secrets, file_in_use(), config.folders.identity_key]
    files += [audit / ".", *sorted(audit.glob("*"))] if audit.is_dir() else []
    named = [path for path in files if path and path.exists()]
    return list(dict.fromkeys((*named, *(path.parent for path in named))))


def _is_open(path: Path) -> bool:
    mode = path.stat().st_mode
    # In a folder like /tmp nobody can exchange the file of another.
    return bool(mode & (stat.S_IWGRP | stat.S_IWOTH)) and not mode & stat.S_ISVTX


def _is_weak(secret: object) -> bool:
    """Whether it is short, or has few letters that do not follow: from a repetition, an alphabet or a row of keys."""
    text = str(secret)
    rows = [row for way in _ROWS for row in (way, way[::-1])]
    new, seen = 0, set[str]()
    for end in range(1, len(text) + 1):
        three = text[max(0, end - 3) : end].lower()
        follows = len(three) == 3 and (three in seen or any(three in row for row in rows))
        new += not follows
        seen.add(three)
    return len(text.encode()) < _LEAST_SECRET or len(set(text)) < _LEAST_DIFFERENT or new < _LEAST_NEW


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
        return [f"[proxy] secret {_WEAK}"] if _is_weak(table.get("secret", "")) else []
    faults = [f"[auth] needs {key}" for key in _AUTH if not table.get(key)]
    if table.get("cookie_secret") and _is_weak(table["cookie_secret"]):
        faults.append(f"[auth] cookie_secret {_WEAK}")
    for key in ("server_metadata_url", "redirect_uri"):
        parts = urlsplit(str(table.get(key) or ""))
        if parts.scheme == "http" and parts.hostname not in LOCAL_NAMES:
            faults.append(f"[auth] {key} has to begin with https://")
    if address := table.get("redirect_uri"):
        parts = urlsplit(str(address))
        names = (config.web.host, *config.web.allowed_hosts, "localhost")
        if parts.hostname not in names or parts.path != config.web.base_path + _CALLBACK:
            faults.append(
                f"[auth] redirect_uri is none of this site: https://{names[0]}{config.web.base_path}{_CALLBACK}"
            )
    return faults
