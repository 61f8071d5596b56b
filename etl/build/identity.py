"""The key that turns a national id into the key of a person. It is stored next to the data, never in it."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from etl.core.files import sync
from etl.core.paths import IDENTITY_KEY

_FILE = Path(os.environ.get("IDENTITY_KEY_FILE") or IDENTITY_KEY)
_BYTES = 32


def key() -> bytes:
    """The installation's key: IDENTITY_KEY of the environment, else the one that the first build created and stored."""
    if from_environment := os.environ.get("IDENTITY_KEY"):
        return from_environment.encode()
    with suppress(OSError):
        stored = _FILE.read_bytes()
        if len(stored) >= _BYTES:
            return stored
    created = secrets.token_bytes(_BYTES)
    # If it cannot be stored, the key is used for this build only; only row histories depend on it.
    with suppress(OSError):
        return _store(created)
    return created


def _store(created: bytes) -> bytes:
    """Store the key atomically; returns the stored key, which is another one if a concurrent build was faster."""
    waiting = _FILE.with_name(f".{_FILE.name}.{os.getpid()}")
    try:
        waiting.touch(0o600)
        waiting.write_bytes(created)
        sync(waiting)
        if _FILE.is_file() and _FILE.stat().st_size < _BYTES:
            # A key that was not written to its end would protect nobody.
            _FILE.unlink()
        with suppress(FileExistsError):
            os.link(waiting, _FILE)
    finally:
        waiting.unlink(missing_ok=True)
    return _FILE.read_bytes()
