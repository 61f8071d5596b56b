"""The signed notes that are shown today, read anew every few seconds: one that is signed anywhere stands on every page soon."""

import threading
import time
from datetime import date

from etl.core import settings
from etl.semantic.rights import AccessScope
from etl.submissions import notes
from etl.submissions.notes import Note, Notes
from ui.data import stores

_SECONDS = 5.0
_lock = threading.Lock()
# When they were read, and all of them.
_read: tuple[float, tuple[Note, ...]] = (float("-inf"), ())


def store() -> Notes:
    """The notes of this installation."""
    known = settings.read()
    return Notes(known.folders.views, known.sign_in.database)


def every() -> tuple[Note, ...]:
    """All notes, also those that are shown no longer; without the database the last ones that were read."""
    global _read
    with _lock:
        if time.monotonic() - _read[0] > _SECONDS:
            try:
                found = store().all()
            except OSError as failed:
                stores.note(failed)
                found = _read[1]
            _read = (time.monotonic(), found)
        return _read[1]


def forget() -> None:
    """Read them anew: one was signed or withdrawn here."""
    global _read
    with _lock:
        _read = (float("-inf"), _read[1])


def shown_to(scope: AccessScope) -> tuple[Note, ...]:
    """The notes that are shown to a person today."""
    today = date.today()
    return notes.seen_by((note for note in every() if note.is_shown(today)), scope)
