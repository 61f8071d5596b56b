"""Refused requests and acts in the audit log: one line a minute for each person and reason, with their number.

Those of nobody known are counted together, from all senders: nobody can fill the disk.
"""

import threading
import time

from cachetools import LRUCache

from etl.operations import audit
from ui.shell import people

UNKNOWN = "unknown"
_EVERY_SECONDS, _MOST_NOTED = 60.0, 10_000
# When the last line of somebody and a reason was written, and how many requests there were since.
_noted: LRUCache[tuple[str, str], tuple[float, int]] = LRUCache(_MOST_NOTED)
_lock = threading.Lock()


def note(sub: str, why: str, client: dict[str, str], **more: str | int) -> None:
    """Count a refusal, and log it if no line of this person and reason was written for a minute. Raises OSError."""
    with _lock:
        since, times = _noted.get((sub, why), (-_EVERY_SECONDS, 0))
        if time.monotonic() - since < _EVERY_SECONDS:
            _noted[sub, why] = (since, times + 1)
            return
        audit.record(people.audit_folder(), sub, "refused", why=why, times=times + 1, **more, **client)
        _noted[sub, why] = (time.monotonic(), 0)
