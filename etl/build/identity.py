"""The key under which a national id becomes the key of a person: kept beside the data, never in it."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from etl.core.paths import IDENTITY_KEY

_KEPT = Path(os.environ.get("IDENTITY_KEY_FILE") or IDENTITY_KEY)
_BYTES = 32


def key() -> bytes:
    """The house's key: the IDENTITY_KEY of the environment, else the one that the first build made and kept."""
    if given := os.environ.get("IDENTITY_KEY"):
        return given.encode()
    with suppress(OSError):
        kept = _KEPT.read_bytes()
        if len(kept) >= _BYTES:
            return kept
    made = secrets.token_bytes(_BYTES)
    # Without a place to keep it the key lives for this build only; nothing but row histories rests on it.
    with suppress(OSError):
        return _keep(made)
    return made


def _keep(made: bytes) -> bytes:
    """The key as kept: ours, or that of a build which was quicker. It appears whole or not at all."""
    waiting = _KEPT.with_name(f".{_KEPT.name}.{os.getpid()}")
    handle = os.open(waiting, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(made)
            file.flush()
            os.fsync(file.fileno())
        if _is_stub():
            _KEPT.unlink()
        with suppress(FileExistsError):
            os.link(waiting, _KEPT)
    finally:
        waiting.unlink(missing_ok=True)
    return _KEPT.read_bytes()


def _is_stub() -> bool:
    """Whether a dead build of older code left a key that was not written to its end."""
    return _KEPT.is_file() and _KEPT.stat().st_size < _BYTES
