"""Publications for several hosts: the building host offers one, the others pull and accept it.

An offer is a folder with the file of a publication and manifest.json, which holds its name, length and digest and is written
last. Any tool can copy it; `pull` uses rsync. A publication is verified while it is copied to its final place, made durable,
and published by moving the pointer last: users see either the old publication or the new one.
"""

import json
import os
import re
import shutil
import subprocess
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from etl.core.errors import Refused
from etl.core.files import replace_text, replacing, sha256, sync
from etl.warehouse import publications
from etl.warehouse.code_version import code_version
from etl.warehouse.publications import Announce, no_announcement

MANIFEST = "manifest.json"
_NAME = re.compile(r"[0-9]{6,18}\.duckdb")
# The previous one is kept for hosts that are still pulling it.
_OFFERED = 2


@dataclass(frozen=True)
class Manifest:
    """The file of an offer: name, bytes, SHA-256, time of publication (ns), and code version."""

    name: str
    bytes: int
    sha256: str
    published_ns: int
    code_version: str


def offer(pointer: Path, folder: Path) -> Manifest:
    """Offer the publication that `pointer` names. Raises Refused."""
    current = publications.current(pointer)
    publications.verify(pointer)
    folder.mkdir(parents=True, exist_ok=True)
    offered = folder / current.name
    if not offered.exists() or not offered.samefile(current):
        _link_or_copy(current, offered)
    status = offered.stat()
    manifest = Manifest(current.name, status.st_size, sha256(offered), status.st_mtime_ns, code_version())
    replace_text(folder / MANIFEST, json.dumps(asdict(manifest), indent=1) + "\n")
    older = sorted((path for path in folder.glob("*.duckdb") if path != offered), key=lambda path: path.stat().st_mtime)
    for path in older[: -(_OFFERED - 1)]:
        path.unlink(missing_ok=True)
    return manifest


def pull(source: str, pointer: Path, announce: Announce = no_announcement) -> Path | None:
    """Fetch and accept the offer of `source` (a folder, or HOST:FOLDER for rsync); None if it is published already.

    Raises Refused, errors.Busy.
    """
    if not source:
        raise Refused("replicas.source names no host to pull from")
    fetched = pointer.with_name(pointer.name + ".pulled")
    fetched.mkdir(parents=True, exist_ok=True)
    _rsync(f"{source.rstrip('/')}/{MANIFEST}", fetched)
    manifest = read(fetched)
    if _is_shown(manifest, pointer):
        return None
    _rsync(f"{source.rstrip('/')}/{manifest.name}", fetched)
    version = accept(fetched, pointer, announce)
    for path in fetched.glob("*.duckdb*"):
        path.unlink(missing_ok=True)
    return version


def accept(folder: Path, pointer: Path, announce: Announce = no_announcement) -> Path:
    """Publish the offer in `folder`; returns its version.

    Raises Refused or errors.Busy, and leaves the current publication unchanged.
    """
    manifest = read(folder)
    with publications.building(pointer) as build_folder:
        received = build_folder / "received.duckdb"
        try:
            _copy_checked(folder / manifest.name, received, manifest)
        except OSError as error:
            raise Refused(f"{folder / manifest.name}: cannot be taken over ({error.strerror})") from None
        try:
            publications.verify(received)
        except publications.OtherVersion:
            raise Refused(f"{manifest.name}: was built by other code; install the same version on both hosts") from None
        for version in publications.versions(pointer):
            # Web processes cache answers by the name of a version.
            if version.name == manifest.name and sha256(version) != manifest.sha256:
                raise Refused(
                    f"{pointer}: another publication {version.stem} is kept; was the building host set up anew?"
                )
        os.utime(received, ns=(manifest.published_ns, manifest.published_ns))
        return publications.adopt(received, manifest.name, pointer, announce)


def read(folder: Path) -> Manifest:
    """The manifest of an offer. Raises Refused if a name or number in it is invalid."""
    path = folder / MANIFEST
    try:
        manifest = Manifest(**json.loads(path.read_text(encoding="utf-8")))
        are_numbers = all(type(number) is int and number > 0 for number in (manifest.bytes, manifest.published_ns))
        if not (are_numbers and _NAME.fullmatch(manifest.name) and re.fullmatch(r"[0-9a-f]{64}", manifest.sha256)):
            raise ValueError
    except OSError as error:
        raise Refused(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, TypeError):
        raise Refused(f"{path}: is not a manifest of a publication") from None
    return manifest


def _is_shown(manifest: Manifest, pointer: Path) -> bool:
    with suppress(Refused):
        current = publications.current(pointer)
        status = current.stat()
        offered = (manifest.name, manifest.bytes, manifest.published_ns)
        return (current.name, status.st_size, status.st_mtime_ns) == offered
    return False


def _copy_checked(source: Path, to: Path, manifest: Manifest) -> None:
    """Copy the file durably. Raises Refused if its content differs from the manifest."""
    shutil.copyfile(source, to)
    sync(to)
    if to.stat().st_size != manifest.bytes or sha256(to) != manifest.sha256:
        raise Refused(f"{source}: is not what the manifest says; pull it again")


def _rsync(source: str, to: Path) -> None:
    if not shutil.which("rsync"):
        raise Refused("rsync is not installed: apt-get install rsync")
    # --ignore-times: two manifests may have the same length and second.
    command = ["rsync", "--times", "--ignore-times", "--partial", "--timeout=60", "--", source, f"{to}/"]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if ended.returncode:
        message = (ended.stderr.strip().splitlines() or ["no reason given"])[0]
        raise Refused(f"rsync: exit {ended.returncode}: {message}")


def _link_or_copy(source: Path, to: Path) -> None:
    with replacing(to) as waiting:
        try:
            os.link(source, waiting)
        except OSError:
            shutil.copy2(source, waiting)
