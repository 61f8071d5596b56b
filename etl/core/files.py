"""Files: their digests, writing that survives a crash, and the lock of a folder."""

import fcntl
import hashlib
import os
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


def sha256(path: Path) -> str:
    """The digest of a file's content in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Make a file or a folder durable. Raises OSError with its name, which fsync omits."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        raise OSError(error.errno, f"could not be written to the disk ({error.strerror})", str(path)) from None
    finally:
        os.close(handle)


def temporary(prefix: str) -> Any:
    """An open file that is removed when nothing refers to it any more, and at the end of the process at the latest.

    A NamedTemporaryFile prints a traceback at the end of a process that has removed its folder.
    """
    out = tempfile.NamedTemporaryFile(prefix=prefix, delete=False)  # noqa: SIM115 (open for as long as it is referred to)
    weakref.finalize(out, Path(out.name).unlink, missing_ok=True)
    return out


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A hidden path next to `path` for its new content, which replaces it atomically and durably.

    An error leaves `path` as it was.
    """
    waiting = path.with_name(f".{path.name}.{os.getpid()}.next")
    try:
        waiting.unlink(missing_ok=True)
        yield waiting
        sync(waiting)
        os.replace(waiting, path)
    except BaseException:
        with suppress(OSError):
            waiting.unlink(missing_ok=True)
        raise
    # It is replaced now, even if the folder cannot be synced.
    with suppress(OSError):
        sync(path.parent)


def replace_text(path: Path, text: str) -> None:
    """Replace a text file atomically and durably."""
    with replacing(path) as waiting:
        waiting.write_text(text, encoding="utf-8")


def give_to_owner(path: Path) -> None:
    """What root writes belongs to the owner of its folder, who has to write on."""
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, once no other process holds it; a missing folder is created."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        give_to_owner(Path(lock.name))
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
