"""The turns of people at the data address: one answer at a time, and so many requests a minute, over all processes of a host.

A person is the same with a cookie and with each token.
"""

import time
from collections import deque
from pathlib import Path
from threading import Lock

from cachetools import LRUCache

from etl.core.store import SHORT_PATIENCE_SECONDS, opened

# Requests in a minute, and how long an answer may be made before it counts as lost with its process.
MOST_A_MINUTE, LOST_SECONDS = 120, 1200.0
_MINUTE, _MOST_PEOPLE = 60.0, 10_000
_TABLE = """create table if not exists turns (
    sub text primary key, running double precision not null, minute double precision not null, asked integer not null
)"""


class Turns:
    """The turns of a host, or of several that share the PostgreSQL at `address`. Raises OSError, as all its methods do."""

    def __init__(self, path: Path, address: str = "") -> None:
        self._store = opened("sessions", address, path, _TABLE, SHORT_PATIENCE_SECONDS)

    def count(self, sub: str, now: float) -> float:
        """Count a request of a person; returns the seconds to wait, 0 if none."""
        with self._store.transaction() as execute:
            minute, asked = next(iter(execute("select minute, asked from turns where sub = $1", sub)), (0.0, 0))
            is_new = not minute <= now < minute + _MINUTE
            if not is_new and asked >= MOST_A_MINUTE:
                return float(minute + _MINUTE - now)
            minute, asked = (now, 0) if is_new else (minute, asked)
            execute(
                "insert into turns (sub, running, minute, asked) values ($1, 0.0, $2, $3) "
                "on conflict (sub) do update set minute = excluded.minute, asked = excluded.asked",
                *(sub, minute, asked + 1),
            )
        return 0.0

    def begin(self, sub: str, now: float) -> bool:
        """Claim the one answer that may be made for a person; returns whether none is being made."""
        with self._store.transaction() as execute:
            claim = (
                "insert into turns (sub, running, minute, asked) values ($1, $2, 0.0, 0) "
                "on conflict (sub) do update set running = excluded.running "
                "where turns.running <= $3 returning 1"
            )
            return bool(execute(claim, sub, now, now - LOST_SECONDS))

    def end(self, sub: str) -> None:
        """Give the claim back."""
        with self._store.transaction() as execute:
            execute("update turns set running = 0.0 where sub = $1", sub)


class Pace:
    """How often each person may ask one process: at most `most` times in `seconds`."""

    def __init__(self, most: int, seconds: float) -> None:
        self.most, self.seconds = most, seconds
        # When each person last asked, the latest last.
        self._asked: LRUCache[str, deque[float]] = LRUCache(_MOST_PEOPLE)
        self._lock = Lock()

    def wait(self, sub: str) -> float:
        """Count a request of a person; returns the seconds to wait, 0 if none."""
        now = time.monotonic()
        with self._lock:
            times = self._asked.setdefault(sub, deque(maxlen=self.most))
            if len(times) == self.most and now - times[0] < self.seconds:
                return self.seconds - (now - times[0])
            times.append(now)
        return 0.0

    def forget(self) -> None:
        """Begin to count anew."""
        self._asked.clear()
