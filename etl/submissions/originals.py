"""The files of submissions as they came: streamed to the disk in pieces, with limits, and read back only by their digest.

A file lies in FOLDER/PROVINCE/SUBMISSION under its digest; its name stands in the record and is never a path.
"""

import errno
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from etl.core.files import sha256, sync
from etl.core.store import StoreFault, naming
from etl.core.text_folding import printable
from etl.extract.causes import because
from etl.extract.source_folder import CONFIGURATION, ENDINGS, ending_of
from etl.submissions.records import STORE, Submission
from etl.submissions.refusals import (
    BAD,
    CONFLICT,
    NO_LENGTH,
    NO_SPACE,
    OTHER_KIND,
    TOO_LARGE,
    UNUSABLE,
    Declined,
    declined,
)

PIECE = 1 << 20
MOST_OF_FILE, MOST_OF_DRAFT, MOST_OF_PROVINCE = 200 << 20, 1 << 30, 5 << 30
MOST_FILES = 100
_LONGEST_NAME, _LONGEST_BYTES = 120, 200
_PART = ".part-"
_PART_SECONDS = 3600


def checked_name(name: str) -> str:
    """The name of a file as it is kept. Raises Declined for one that is no name, or not that of a table."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        size = _LONGEST_BYTES + 1
    stripped = name.strip()
    is_name = stripped and len(stripped) <= _LONGEST_NAME and size <= _LONGEST_BYTES
    if not is_name or set(name) & set('/\\\0"') or printable(stripped) != stripped or stripped.startswith((".", "~$")):
        raise declined(BAD, because("handed_in_name"))
    if stripped.casefold() in map(str.casefold, CONFIGURATION):
        raise declined(OTHER_KIND, because("handed_in_set_up", file=stripped))
    if ending_of(stripped) not in ENDINGS:
        endings, endings_fa = ", ".join(ENDINGS), "، ".join(ENDINGS)
        raise declined(OTHER_KIND, because("handed_in_ending", file=stripped, endings=endings, endings_fa=endings_fa))
    return stripped


def folder_of(root: Path, submission: Submission) -> Path:
    return root / submission.province / submission.id


def original(root: Path, submission: Submission, digest: str) -> Path:
    """The path of a file of a submission."""
    return folder_of(root, submission) / digest


def verify(root: Path, submission: Submission) -> None:
    """Raises Refused if a file of a submission is not the one that came."""
    for file in submission.files:
        path = original(root, submission, file.sha256)
        if not path.is_file() or sha256(path) != file.sha256:
            raise because("handed_in_changed", file=file.name)


class Receiving:
    """A file that is being received. `write` takes its pieces, `finish` makes it durable under its digest."""

    def __init__(self, root: Path, submission: Submission, number: int, name: str, length: int | None) -> None:
        """Raises Declined before the first byte for what cannot be taken."""
        if not 1 <= number <= MOST_FILES:
            raise declined(TOO_LARGE, because("handed_in_too_many", most=MOST_FILES))
        self.name, self._length = checked_name(name), length
        if length is None:
            raise declined(NO_LENGTH, because("handed_in_length", file=self.name))
        if length == 0:
            raise declined(UNUSABLE, because("empty"))
        if length > MOST_OF_FILE:
            raise self._too_large()
        self._root, self._folder = root, folder_of(root, submission)
        with _on_disk(root):
            for folder in (root, self._folder.parent, self._folder):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if shutil.disk_usage(self._folder).free < 2 * length:
                raise declined(NO_SPACE, because("handed_in_disk"))
            self._path = self._folder / f"{_PART}{secrets.token_hex(8)}"
            self._handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        self._digest = hashlib.sha256()
        self.size = 0
        try:
            with _on_disk(root):
                # Its whole room is taken before the first byte: so others that are under way count, in any process.
                os.posix_fallocate(self._handle, 0, length)
            self._refuse_full(submission, number)
        except BaseException:
            self.close()
            raise

    def _refuse_full(self, submission: Submission, number: int) -> None:
        kept = sum(file.bytes for file in submission.files if file.number != number)
        if kept + _taken(self._folder, f"{_PART}*") > MOST_OF_DRAFT:
            raise self._full("a submission", "هر ارسال", MOST_OF_DRAFT)
        if _taken(self._folder.parent) > MOST_OF_PROVINCE:
            raise self._full("a province", "هر استان", MOST_OF_PROVINCE)

    def write(self, piece: bytes) -> None:
        """Add a piece. Raises Declined if there are more bytes than said, or the disk is full."""
        self.size += len(piece)
        if self.size > MOST_OF_FILE or self.size > (self._length or 0):
            raise self._too_large()
        self._digest.update(piece)
        with _on_disk(self._root):
            view = memoryview(piece)
            while view:
                view = view[os.write(self._handle, view) :]

    def finish(self) -> str:
        """Make it durable; returns its digest. Raises Declined if bytes are missing."""
        if self.size != self._length:
            raise declined(BAD, because("handed_in_half", file=self.name))
        with _on_disk(self._root):
            os.fsync(self._handle)
            digest = self._digest.hexdigest()
            os.replace(self._path, self._folder / digest)
            sync(self._folder)
        return digest

    def close(self) -> None:
        """Give up what was not finished."""
        os.close(self._handle)
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _too_large(self) -> Declined:
        return declined(TOO_LARGE, because("handed_in_too_large", file=self.name, most=MOST_OF_FILE >> 20))

    def _full(self, whole: str, whole_fa: str, most: int) -> Declined:
        refusal = because("handed_in_full", file=self.name, whole=whole, whole_fa=whole_fa, most=f"{most >> 20:,}")
        return declined(TOO_LARGE, refusal)


def refuse_twice(submission: Submission, number: int, name: str, digest: str) -> None:
    """Raises Declined if another file of the submission has the same content."""
    if any(file.sha256 == digest and file.number != number for file in submission.files):
        raise declined(CONFLICT, because("handed_in_twice", file=name))


def remove(root: Path, submission: Submission) -> None:
    """Delete the files of a submission."""
    shutil.rmtree(folder_of(root, submission), ignore_errors=True)


def remove_unlisted(root: Path, submission: Submission) -> None:
    """Delete what no record names: parts of files that never arrived whole, and files that were replaced."""
    known = {file.sha256 for file in submission.files}
    with suppress(OSError):
        for path in folder_of(root, submission).iterdir():
            is_left = path.name.startswith(_PART) or (len(path.name) == 64 and path.name not in known)
            if is_left and time.time() - path.stat().st_mtime > _PART_SECONDS:
                path.unlink()


@contextmanager
def _on_disk(root: Path) -> Iterator[None]:
    """Raises Declined where the disk is full, StoreFault for any other cause."""
    try:
        with naming(STORE, root):
            yield
    except StoreFault as fault:
        if fault.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise declined(NO_SPACE, because("handed_in_disk")) from None


def _taken(folder: Path, named: str = "*") -> int:
    """The bytes of the files below a folder."""
    total = 0
    for path in folder.rglob(named) if folder.is_dir() else ():
        with suppress(OSError):
            total += path.stat().st_size if path.is_file() else 0
    return total
