"""Backup and restore of what cannot be rebuilt: publications, source files, submissions, views, audit log, identity key.

One tar archive with the SHA-256 of every file, written atomically and readable by its owner only. A restore checks every
digest before it writes anything, and restores missing files only.
"""

import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from etl.core.errors import Refused
from etl.core.files import replacing, sha256, sync
from etl.core.paths import TOKENS
from etl.core.settings import Folders
from etl.operations import audit
from etl.warehouse import publications, version_files

_CONTENT = "content.json"
_SQLITE = b"SQLite format 3\x00"
_TREES = ("incoming", "submissions", "views", "audit")
_JOURNALS = ("-wal", "-shm", "-journal")
_NEWEST = 30


def backup(folders: Folders, to: Path | None = None) -> Path:
    """Write an archive to `to`, or into the folder of backups, which keeps the last 30. Raises Refused."""
    target = to or folders.backups / f"policeyar-{datetime.now(UTC):%Y%m%dT%H%M%S}.tar"
    target.parent.mkdir(parents=True, exist_ok=True)
    digests: dict[str, str] = {}
    with replacing(target) as waiting:
        waiting.touch(0o600)
        with tarfile.open(waiting, "w", format=tarfile.PAX_FORMAT) as archive:
            for name, path in _files(folders):
                digests[name] = _add(archive, name, path)
            if not digests:
                raise Refused("there is nothing to back up")
            shown = publications.current(folders.warehouse).name if folders.warehouse.exists() else ""
            content = json.dumps({"pointer": shown, "files": digests}, indent=1).encode()
            manifest = tarfile.TarInfo(_CONTENT)
            manifest.size = len(content)
            archive.addfile(manifest, io.BytesIO(content))
    if to is None:
        # With a clock set back the new one has the oldest name.
        others = sorted(path for path in folders.backups.glob("policeyar-*.tar") if path != target)
        for old in others[: 1 - _NEWEST]:
            old.unlink(missing_ok=True)
    return target


def restore(archive: Path, folders: Folders) -> list[Path]:
    """Restore the archive; returns the files written. Raises Refused before anything is written.

    An existing file with other content refuses the restore: no file of an installation in use is overwritten.
    """
    folders.warehouse.parent.mkdir(parents=True, exist_ok=True)
    with publications.building(folders.warehouse) as unpacked:
        current_name, digests = _unpacked(archive, unpacked)
        moves = [(unpacked / name, _target(name, folders)) for name in digests]
        for (source, target), (name, digest) in zip(moves, digests.items(), strict=True):
            if target.exists() and sha256(target) != digest:
                raise Refused(f"{target}: exists with other content; move it away first")
            # The group reads what is published, and no original.
            source.chmod(0o640 if name.startswith("publications/") else 0o600)
        written = []
        for source, target in moves:
            if not target.exists():
                for folder in reversed(target.parents):
                    folder.mkdir(0o700, exist_ok=True)
                _move(source, target)
                written.append(target)
        if current_name and not folders.warehouse.is_symlink():
            version = publications.versions_folder(folders.warehouse) / current_name
            version_files.point(folders.warehouse, version)
    return written


def _files(folders: Folders) -> Iterator[tuple[str, Path]]:
    """Every file to back up, with its name in the archive."""
    versions = publications.versions(folders.warehouse)
    yield from ((f"publications/{path.name}", path) for path in versions)
    if folders.identity_key.is_file():
        yield "identity.key", folders.identity_key
    for tree in _TREES:
        root: Path = getattr(folders, tree)
        for path in sorted(root.rglob("*")):
            # The copy of a SQLite database includes its journal files.
            # A token that was revoked since must not come back.
            is_state = path in {folders.audit / name for name in audit.STATE} | {folders.views / TOKENS}
            if path.is_file() and not path.is_symlink() and not is_state and not path.name.endswith(_JOURNALS):
                yield f"{tree}/{path.relative_to(root).as_posix()}", path


def _add(archive: tarfile.TarFile, name: str, path: Path) -> str:
    """Add a consistent copy of a file; returns its digest."""
    with tempfile.TemporaryFile() as copy:
        with path.open("rb") as file:
            if file.read(len(_SQLITE)) == _SQLITE:
                with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
                    copy.write(database.serialize())
            else:
                file.seek(0)
                shutil.copyfileobj(file, copy)
        copy.seek(0)
        digest = hashlib.file_digest(copy, "sha256").hexdigest()
        entry = tarfile.TarInfo(name)
        entry.size, entry.mtime, entry.mode = copy.tell(), int(path.stat().st_mtime), 0o600
        copy.seek(0)
        archive.addfile(entry, copy)
    return digest


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
        return str(content["pointer"]), digests
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
    sync(source)
    try:
        os.rename(source, target)
    except OSError:
        # Another file system: copy next to the target, then rename.
        with replacing(target) as waiting:
            shutil.copy2(source, waiting)
