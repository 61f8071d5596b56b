"""Files of answers that are kept for a while, for requests of their parts."""

import os
import tempfile
import threading
import time
from functools import cache
from pathlib import Path
from uuid import uuid4

_MOST_KEPT, _KEPT_SECONDS, _KEPT_BYTES = 16, 300.0, 256 << 20
_kept: dict[str, tuple[float, Path, str]] = {}
_lock = threading.Lock()


def new_path() -> Path:
    """A path for a file, in a folder that is removed when the process ends."""
    return Path(_folder().name) / uuid4().hex


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="answers-", ignore_cleanup_errors=True)


def keep(tag: str, path: Path, name: str) -> tuple[Path, str]:
    """Keep a file for further requests; returns a link to it, which the caller owns, and its name."""
    with _lock:
        now = time.monotonic()
        _kept[tag] = (now, path, name)
        sizes = {one: file.stat().st_size for one, (_, file, _) in _kept.items() if file.exists()}
        for one, (made, file, _) in list(_kept.items()):
            if one != tag and (
                now - made > _KEPT_SECONDS or len(_kept) > _MOST_KEPT or sum(sizes.values()) > _KEPT_BYTES
            ):
                del _kept[one]
                sizes.pop(one, None)
                file.unlink(missing_ok=True)
        return _linked(path), name


def link(tag: str) -> tuple[Path, str] | None:
    """A link to a file that is kept, which the caller owns, and its name."""
    with _lock:
        if not is_kept(tag):
            return None
        _, path, name = _kept[tag]
        return _linked(path), name


def is_kept(tag: str) -> bool:
    """Whether there is a file of this tag."""
    return tag in _kept and time.monotonic() - _kept[tag][0] <= _KEPT_SECONDS


def _linked(path: Path) -> Path:
    linked = new_path()
    os.link(path, linked)
    return linked
