"""Backup and restore of what cannot be rebuilt: publications, source files, submissions, notes, views, audit log, identity key.

One tar archive with the SHA-256 of every file, written atomically and readable by its owner only. What several hosts keep in a
PostgreSQL is in it as the SQLite files of a single host: an archive can be restored into either. A restore checks every digest
before it writes anything, and restores what is missing only.
"""

import errno
import fcntl
import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO

from etl.core.errors import Refused
from etl.core.files import replacing, sha256, sync
from etl.core.settings import Folders
from etl.core.store import StoreFault, naming, naming_sqlite
from etl.operations import audit, shared_tables, stores
from etl.warehouse import publications, version_files

_CONTENT = "content.json"
_SQLITE = b"SQLite format 3\x00"
_TREES = ("incoming", "submissions", "views", "audit")
_JOURNALS = ("-wal", "-shm", "-journal")
_NEWEST = 30
_STORE = "backups"
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL


def backup(folders: Folders, to: Path | None = None, database: str = "") -> Path:
    """Write an archive to `to`, or into the folder of backups, which keeps the last 30. Raises Refused, StoreFault.

    `database`: the address of the PostgreSQL that several hosts share.
    """
    target = to or folders.backups / f"policeyar-{datetime.now(UTC):%Y%m%dT%H%M%S}.tar"
    digests: dict[str, str] = {}
    with _written(target) as out, tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        with ExitStack() as held:
            # The pointer first: the file that it names is held open, and a build that removes it takes it from nobody.
            shown, versions = _publications(folders, held)
            for path, file in versions:
                digests[f"publications/{path.name}"] = _add(archive, f"publications/{path.name}", file)
        if folders.identity_key.is_file():
            digests["identity.key"] = _add_file(archive, "identity.key", folders.identity_key)
        # Records before the files that they name.
        if database:
            for name, content in shared_tables.dump(database):
                digests[name] = _add(archive, name, io.BytesIO(content))
        for name, path in _state(folders, database):
            # What a worker takes away at this moment is no part of the installation any more.
            with suppress(FileNotFoundError):
                digests[name] = _add_file(archive, name, path)
        if not digests:
            raise Refused("there is nothing to back up")
        content = json.dumps({"pointer": shown, "files": digests}, indent=1).encode()
        _add(archive, _CONTENT, io.BytesIO(content))
    if to is None:
        # With a clock set back the new one has the oldest name.
        others = sorted(path for path in folders.backups.glob("policeyar-*.tar") if path != target)
        for old in others[: 1 - _NEWEST]:
            old.unlink(missing_ok=True)
    return target


def restore(archive: Path, folders: Folders, database: str = "") -> list[Path]:
    """Restore the archive; returns the files written. Raises Refused before anything is written, StoreFault.

    An existing file, or shared table, with other content refuses the restore: nothing of an installation in use is overwritten.
    """
    folders.warehouse.parent.mkdir(parents=True, exist_ok=True)
    with publications.building(folders.warehouse) as unpacked:
        pointer, digests = _unpacked(archive, unpacked)
        of_database = shared_tables.kept().keys() & digests.keys() if database else frozenset()
        moves = [(name, unpacked / name, _target(name, folders)) for name in digests if name not in of_database]
        for name, source, target in moves:
            if target.exists() and sha256(target) != digests[name]:
                raise Refused(f"{target}: exists with other content; move it away first")
            # The group reads what is published, and no original.
            source.chmod(0o640 if name.startswith("publications/") else 0o600)
        if of_database:
            shared_tables.load(database, {name: unpacked / name for name in of_database})
        written = []
        for _, source, target in moves:
            if not target.exists():
                for folder in reversed(target.parents):
                    folder.mkdir(0o700, exist_ok=True)
                # Of a database that is gone: they would be taken for those of the new one.
                for journal in _JOURNALS:
                    target.with_name(target.name + journal).unlink(missing_ok=True)
                _move(source, target)
                written.append(target)
        if pointer and not folders.warehouse.is_symlink():
            version_files.point(folders.warehouse, publications.versions_folder(folders.warehouse) / pointer)
    return written


@contextmanager
def _written(target: Path) -> Iterator[IO[bytes]]:
    """The new archive, which appears under its name once it is whole. What killed backups left beside it is removed.

    A process holds the lock of the file that it writes.
    """
    with naming(_STORE, target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        for left in target.parent.glob(f".{target.name.partition('-')[0]}*.next"):
            with suppress(BlockingIOError, FileNotFoundError), left.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left.unlink()
    try:
        with replacing(target) as waiting, open(os.open(waiting, _NEW, 0o600), "wb") as out:
            fcntl.flock(out, fcntl.LOCK_EX)
            yield out
    except StoreFault:
        raise
    except OSError as error:
        # A source that cannot be read has its own name.
        if error.filename and Path(error.filename).parent != target.parent:
            raise
        raise StoreFault(_STORE, error.errno or errno.EIO, str(target.parent)) from None


def _publications(folders: Folders, held: ExitStack) -> tuple[str, list[tuple[Path, IO[bytes]]]]:
    """The name of the publication shown, and every version with its open file. Raises Refused where that one is gone."""
    pointer = folders.warehouse
    shown = publications.current(pointer) if pointer.exists() else None
    if shown and shown.parent != publications.versions_folder(pointer):
        shown = None
    files: dict[Path, IO[bytes]] = {}
    for path in dict.fromkeys((*([shown] if shown else []), *publications.versions(pointer))):
        try:
            files[path] = held.enter_context(path.open("rb"))
        except FileNotFoundError:
            if path == shown:
                raise Refused(f"{path}: was replaced while it was opened; run it again") from None
    return shown.name if shown else "", sorted(files.items())


def _state(folders: Folders, database: str) -> Iterator[tuple[str, Path]]:
    """Every file beside the publications, with its name in the archive; databases first."""
    # A token that was revoked since must not come back, nor a key of the audit log.
    left_out = {folders.audit / name for name in audit.STATE} | {
        one.path(folders) for one in stores.STORES if one.database and (database or not one.is_kept)
    }
    for tree in _TREES:
        root: Path = getattr(folders, tree)
        paths = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
        for path in sorted(paths, key=lambda path: (path.suffix != ".sqlite", path)):
            # The copy of a SQLite database includes its journal files.
            if path not in left_out and not path.name.endswith(_JOURNALS):
                yield f"{tree}/{path.relative_to(root).as_posix()}", path


def _add_file(archive: tarfile.TarFile, name: str, path: Path) -> str:
    """Add a file, or a consistent copy of a database; returns its digest."""
    with path.open("rb") as file:
        if file.read(len(_SQLITE)) != _SQLITE:
            file.seek(0)
            return _add(archive, name, file)
    with naming_sqlite(name, path), closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return _add(archive, name, io.BytesIO(database.serialize()))


class _Digested:
    """A file that is read for an archive, and its digest."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.digest = file, hashlib.sha256()

    def read(self, size: int) -> bytes:
        piece = self._file.read(size)
        self.digest.update(piece)
        return piece


def _add(archive: tarfile.TarFile, name: str, file: IO[bytes]) -> str:
    """Add what a file holds now; returns its digest. Of a log that grows meanwhile it is the lines until now."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = file.seek(0, os.SEEK_END), 0o600
    entry.mtime = int(os.fstat(file.fileno()).st_mtime) if not isinstance(file, io.BytesIO) else 0
    file.seek(0)
    digested = _Digested(file)
    archive.addfile(entry, digested)  # type: ignore[arg-type]
    return digested.digest.hexdigest()


def _unpacked(archive: Path, unpacked: Path) -> tuple[str, dict[str, str]]:
    """Unpack and check; returns the current publication and the digest of each file by name. Raises Refused."""
    try:
        with tarfile.open(archive, "r:") as packed:
            packed.extractall(unpacked, filter="data")
        content = json.loads((unpacked / _CONTENT).read_text(encoding="utf-8"))
        digests: dict[str, str] = content["files"]
        for name, digest in digests.items():
            if sha256(unpacked / name) != digest:
                raise Refused(f"{archive}: {name} is damaged")
        held = sorted(PurePosixPath(name).name for name in digests if name.startswith("publications/"))
        shown = str(content["pointer"])
        # Archives of an earlier version may name a publication that a build took away while they were written.
        return (shown if shown in held or not held else held[-1]), digests
    except OSError as error:
        raise Refused(f"{archive}: cannot be read ({error.strerror or 'it ends too soon'})") from None
    except (tarfile.TarError, ValueError, KeyError, TypeError, AttributeError):
        raise Refused(f"{archive}: is not a backup, or is damaged") from None


def _target(name: str, folders: Folders) -> Path:
    """The target path of a file of the archive. Raises Refused for a name outside the known folders."""
    parts = PurePosixPath(name).parts
    if name == "identity.key":
        return folders.identity_key
    if len(parts) > 1 and ".." not in parts:
        if parts[0] == "publications" and len(parts) == 2:
            return publications.versions_folder(folders.warehouse) / parts[1]
        if parts[0] in _TREES:
            root: Path = getattr(folders, parts[0])
            return root.joinpath(*parts[1:])
    raise Refused(f"{name}: does not belong in a backup")


def _move(source: Path, target: Path) -> None:
    """Give a file its name, unless somebody else took it since. Raises Refused then."""
    sync(source)
    try:
        with suppress(OSError):
            os.link(source, target)
            return
        # Another file system: a copy next to the target first.
        waiting = target.with_name(f".{target.name}.next")
        try:
            shutil.copy2(source, waiting)
            sync(waiting)
            os.link(waiting, target)
        finally:
            waiting.unlink(missing_ok=True)
    except FileExistsError:
        raise Refused(
            f"{target}: was made while it was restored; stop the site, move it away and restore again"
        ) from None
