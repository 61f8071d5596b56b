"""The key that turns a national id into the key of a person. It is stored next to the data, never in it."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from etl.core.files import sync
from etl.core.paths import IDENTITY_KEY
from etl.extract.causes import words
from etl.revisions import fingerprints
from etl.warehouse import publications

_BYTES = 32


def _file() -> Path:
    return Path(os.environ.get("IDENTITY_KEY_FILE") or IDENTITY_KEY)


def fault(pointer: Path, last: Path | None) -> str:
    """Why the key is not that of the publications of `pointer`, of which `last` is compared with; empty if it is."""
    known = stored()
    if known is None:
        is_short, path = _file().exists(), _file()
        lost = words("identity_short", path=path) if is_short else words("identity_missing", path=path)
        return lost if publications.is_published(pointer) else ""
    kept = publications.rows_of(last, "select key from fingerprint_kind")
    return words("identity_other") if kept and kept != [(fingerprints.check_of(known),)] else ""


def stored() -> bytes | None:
    """The installation's key: IDENTITY_KEY of the environment, else the stored one; None if it is missing or cut short."""
    if from_environment := os.environ.get("IDENTITY_KEY"):
        return from_environment.encode()
    with suppress(OSError):
        content = _file().read_bytes()
        if len(content) >= _BYTES:
            return content
    return None


def key(store: bool) -> bytes:
    """The installation's key; a new one if there is none, which only what publishes under it may `store`."""
    if known := stored():
        return known
    created = secrets.token_bytes(_BYTES)
    if store:
        # If it cannot be stored, the key is used for this build only; only row histories depend on it.
        with suppress(OSError):
            return _store(created)
    return created


def _store(created: bytes) -> bytes:
    """Store the key atomically; returns the stored key, which is another one if a concurrent build was faster."""
    path = _file()
    waiting = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        waiting.touch(0o600)
        waiting.write_bytes(created)
        sync(waiting)
        if path.is_file() and path.stat().st_size < _BYTES:
            # A key that was not written to its end would protect nobody.
            path.unlink()
        with suppress(FileExistsError):
            os.link(waiting, path)
    finally:
        waiting.unlink(missing_ok=True)
    with suppress(OSError):
        sync(path.parent)
    return path.read_bytes()
