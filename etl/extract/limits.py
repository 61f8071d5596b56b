"""The resource limits of one source file. Each is far above an honest file and can be set by an environment variable.

READER_MEMORY limits memory (worker.py). Reference tables are small and have their own limit.
"""

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

from etl.core.errors import Refused

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
            raise Refused(
                f"it unpacks to more than {self.unpacked:,} MiB; split the file (SOURCE_UNPACKED sets the limit)"
            )

    def refuse_rows(self, rows: int) -> None:
        """Raises Refused if a file has too many rows."""
        if rows > self.rows:
            raise Refused(f"it has more than {self.rows:,} rows; split the file (SOURCE_ROWS sets the limit)")

    def refuse_disk(self, size: int) -> None:
        """Raises Refused if the typed rows of a file take too much disk."""
        if size > self.disk << 20:
            raise Refused(
                f"its rows take more than {self.disk:,} MiB of temporary disk; split the file (SOURCE_DISK sets the limit)"
            )


DEFAULT = Limits()


def from_environment() -> Limits:
    """The limits of the environment. Raises Refused if a variable is no whole number above 0."""
    given = {}
    for name in Limits.__dataclass_fields__:
        variable = f"SOURCE_{name.upper()}"
        if text := os.environ.get(variable):
            if not (text.isascii() and text.isdecimal() and int(text)):
                raise Refused(f"{variable}: not a whole number above 0")
            given[name] = int(text)
    return Limits(**given)


def unpacked_size(path: Path) -> int:
    """The unpacked bytes of a file: for a ZIP as its directory states, at least the size of the file."""
    size = path.stat().st_size
    try:
        with zipfile.ZipFile(path) as archive:
            return max(size, sum(entry.file_size for entry in archive.infolist()))
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return size
