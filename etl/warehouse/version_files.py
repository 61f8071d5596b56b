"""The files of publications: numbered versions in a folder, the pointer to the current one, the lock of builds.

Files are made durable before the pointer moves, and the pointer moves by one atomic rename.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from etl.core.errors import Busy
from etl.core.files import replace_text, sync
from etl.extract.causes import because

_NEWEST = "newest-shown"
_FOLDER = ".publications"


def versions_folder(pointer: Path) -> Path:
    """The folder of the versions of `pointer`."""
    return pointer.with_name(pointer.name + _FOLDER)


def pointer_of(version: Path) -> Path | None:
    """The pointer of a version; None for a file in another folder."""
    folder = version.parent
    return folder.with_name(folder.name.removesuffix(_FOLDER)) if folder.name.endswith(_FOLDER) else None


def versions(pointer: Path) -> list[Path]:
    """The versions kept, oldest first, as resolved paths like those of `current`."""
    return sorted(versions_folder(pointer).resolve().glob("[0-9]*.duckdb"), key=number_of)


def before(pointer: Path, number: int) -> list[Path]:
    """The versions before that with a number, oldest first."""
    return [path for path in versions(pointer) if number_of(path) < number]


def number_of(path: Path) -> int:
    """The number of a version; 0 for a path that is none."""
    return int(path.stem) if path.stem.isdecimal() else 0


@contextmanager
def locked(pointer: Path) -> Iterator[Path]:
    """The folder of the versions, under the lock, which the kernel releases when its holder dies.

    Raises Busy if another build holds it, Refused if a file that is no pointer has its name or nothing can be written.
    """
    if os.path.lexists(pointer) and not pointer.is_symlink():
        raise because("not_a_pointer", path=pointer)
    folder = versions_folder(pointer)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(pointer.parent, os.W_OK):
            raise PermissionError(None, "the folder is read-only")
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise because("not_written", path=pointer, error=error.strerror) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Busy from None
        yield folder


def left_over(pointer: Path) -> list[Path]:
    """The private folders of builds that died; none while a build is running."""
    folder = versions_folder(pointer)
    with suppress(OSError), (folder / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return sorted(folder.glob("building-*"))
    return []


def remove_never_published(pointer: Path) -> None:
    """Remove versions that were finished but never published."""
    # Without a pointer it is unknown what was published, so everything is kept.
    if pointer.is_symlink():
        newest = newest_published(pointer)
        for version in versions(pointer):
            if number_of(version) > newest:
                version.unlink(missing_ok=True)


def newest_published(pointer: Path) -> int:
    """The number of the newest version that was ever published."""
    noted = versions_folder(pointer) / _NEWEST
    text = noted.read_text() if noted.is_file() else ""
    version = Path(os.readlink(pointer)) if pointer.is_symlink() else Path()
    return max(int(text) if text.strip().isdecimal() else 0, number_of(version))


def write_newest(folder: Path, number: int) -> None:
    """Record the newest version that was ever published."""
    replace_text(folder / _NEWEST, f"{number}\n")
    sync(folder)


def point(pointer: Path, version: Path) -> None:
    """Make `version` the current one of `pointer`."""
    waiting = pointer.with_name(pointer.name + ".next")
    waiting.unlink(missing_ok=True)
    waiting.symlink_to(Path(versions_folder(pointer).name) / version.name)
    os.replace(waiting, pointer)
    # It is published now, even if the folder cannot be synced.
    with suppress(OSError):
        sync(pointer.parent)
