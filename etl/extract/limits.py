"""The resource limits of one source file, and of the temporary disk of a build.

Each is far above honest files and can be set by an environment variable. READER_MEMORY limits memory (worker.py). Reference
tables are small and have their own limit.
"""

import os
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

from etl.extract.causes import because

REFERENCE_BYTES = 16 << 20


@dataclass(frozen=True)
class Limits:
    """Rows of one file; MiB of its content once unpacked; MiB of temporary disk for its typed rows and faults; seconds of
    processor time, to which ten are added for each MiB of the file.
    """

    rows: int = 10_000_000
    unpacked: int = 4096
    disk: int = 4096
    seconds: int = 120

    def refuse_unpacked(self, size: int) -> None:
        """Raises Refused if `size` bytes are more than a file may unpack to."""
        if size > self.unpacked << 20:
            raise because("too_large", most=f"{self.unpacked:,}")

    def refuse_rows(self, rows: int) -> None:
        """Raises Refused if a file has too many rows."""
        if rows > self.rows:
            raise because("too_many_rows", most=f"{self.rows:,}")

    def refuse_disk(self, size: int) -> None:
        """Raises Refused if the typed rows of a file take too much disk."""
        if size > self.disk << 20:
            raise because("too_much_disk", most=f"{self.disk:,}")


DEFAULT = Limits()
# MiB of temporary disk for the typed rows of all files of a build, and for what DuckDB spills.
_BUILD_DISK = 16384


def from_environment() -> Limits:
    """The limits of the environment. Raises Refused if a variable is no whole number above 0."""
    limits = {name: _whole(f"SOURCE_{name.upper()}", default) for name, default in asdict(DEFAULT).items()}
    return Limits(**limits)


def build_disk() -> int:
    """The MiB of temporary disk that a build may take. Raises Refused if BUILD_DISK is no whole number above 0."""
    return _whole("BUILD_DISK", _BUILD_DISK)


def _whole(variable: str, default: int) -> int:
    text = os.environ.get(variable) or str(default)
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise because("limit_not_a_number", variable=variable)
    return int(text)


def unpacked_size(path: Path) -> int:
    """The unpacked bytes of a file: for a ZIP as its directory states, at least the size of the file."""
    size = path.stat().st_size
    try:
        with zipfile.ZipFile(path) as archive:
            return max(size, sum(entry.file_size for entry in archive.infolist()))
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return size
