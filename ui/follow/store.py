"""The follows of this installation: in the folder VIEWS, or in the database that several hosts share."""

import os
from functools import lru_cache
from pathlib import Path

from etl.core.paths import VIEWS
from ui.access.follows import Follows


def opened() -> Follows:
    """Raises OSError."""
    return _opened(os.environ.get("VIEWS") or str(VIEWS), os.environ.get("SHARED_DATABASE", ""))


@lru_cache(maxsize=4)
def _opened(folder: str, address: str) -> Follows:
    return Follows(Path(folder), address)
