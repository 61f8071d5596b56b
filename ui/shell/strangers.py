"""Requests of nobody known, in the audit log: one line a minute for each reason, with their number, from all senders together.

Nobody without a session can fill the disk.
"""

import threading
import time

from etl.operations import audit
from ui.shell import people

_EVERY_SECONDS = 60.0
# When the last line of a reason was written, and how many requests there were since.
_noted: dict[str, tuple[float, int]] = {}
_lock = threading.Lock()


def note(why: str, client: dict[str, str], **more: int) -> None:
    """Count a refusal, and log it if no line of its reason was written for a minute. Raises OSError."""
    with _lock:
        since, times = _noted.get(why, (-_EVERY_SECONDS, 0))
        if time.monotonic() - since < _EVERY_SECONDS:
            _noted[why] = (since, times + 1)
            return
        audit.record(people.audit_folder(), "unknown", "refused", why=why, times=times + 1, **more, **client)
        _noted[why] = (time.monotonic(), 0)
