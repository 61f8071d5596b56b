"""The audit log: who did what, one JSON line per event, each with the hash of the line before it.

A changed, removed or inserted line breaks the chain; head.json records the end, so that cut lines are noticed too.
No event contains a number, a name, an id of a person in the register, or an address.
"""

import hashlib
import json
import logging
import os
import re
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from logging.handlers import SysLogHandler
from pathlib import Path
from typing import Any

from etl.core.files import locked
from etl.semantic.access import AccessScope

EVENTS = (
    "sign_in", "sign_out", "refused", "detail", "export", "view_saved", "view_deleted", "file_submitted",
    "load_approved", "load_refused", "rollback", "settings_changed",
)  # fmt: skip
FIELDS = frozenset(("metric", "form", "role", "provinces", "files", "rows", "status", "why", "publication", "page"))
_PLAIN = re.compile(r"[\w .,:+-]{0,200}")
_FIRST = "0" * 64
_LOG, _HEAD = "audit.jsonl", "head.json"


@dataclass(frozen=True)
class Event:
    """One event for display."""

    at: str
    sub: str
    event: str
    more: dict[str, Any]


def record(folder: Path, sub: str, event: str, **more: str | int) -> None:
    """Append an event. Raises ValueError for an unknown event or field, OSError if the log cannot be written."""
    if event not in EVENTS or not more.keys() <= FIELDS:
        raise ValueError("the audit log has no such event or field")
    if not all(isinstance(value, int) or _PLAIN.fullmatch(value) for value in more.values()):
        raise ValueError("an audit field holds plain words or a number")
    with locked(folder):
        count, before = _head(folder)
        entry = {
            "number": count + 1,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "sub": sub,
            "event": event,
            **more,
            "before": before,
        }
        line = json.dumps(entry, ensure_ascii=False)
        handle = os.open(folder / _LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(line + "\n")
            out.flush()
            os.fsync(out.fileno())
        waiting = folder / "head.next"
        waiting.write_text(json.dumps({"number": count + 1, "hash": _digest(line)}), encoding="utf-8")
        os.replace(waiting, folder / _HEAD)
    _to_syslog(os.environ.get("AUDIT_SYSLOG", ""), line)


def record_settings(folder: Path, digest: str) -> None:
    """Record an event if the settings or the table of roles changed since the last call; the first call records none."""
    digest_file = folder / "settings.sha256"
    with locked(folder):
        before = digest_file.read_text(encoding="utf-8") if digest_file.exists() else digest
        digest_file.write_text(digest, encoding="utf-8")
    if digest != before:
        record(folder, "server", "settings_changed")


def _to_syslog(address: str, line: str) -> None:
    """Copy the line to the site's syslog. The file is authoritative: a syslog that is down is ignored."""
    if not address:
        return
    host, _, port = address.rpartition(":")
    with suppress(OSError, ValueError):
        target: Any = (host, int(port)) if host else address
        handler = SysLogHandler(target, SysLogHandler.LOG_AUTHPRIV)
        handler.ident = "policeyar: "
        # The default error handler would print the line.
        handler.handleError = lambda record: None  # type: ignore[method-assign]
        # Not from the record factory, which strips records in a web process.
        handler.handle(logging.LogRecord("audit", logging.INFO, "", 0, line, None, None))
        handler.close()


def rights(scope: AccessScope) -> dict[str, str]:
    """The event fields for the rights of a scope."""
    provinces = "all" if scope.sees_whole_country else ",".join(sorted(scope.codes))
    return {"role": scope.role, "provinces": provinces}


def verify(folder: Path) -> list[str]:
    """The faults of the log, one sentence each; empty if it is intact."""
    faults = []
    before, number = _FIRST, 0
    for at, line in enumerate(_lines(folder), 1):
        entry = _read(line)
        if entry is None:
            faults.append(f"line {at} is not an event")
        elif entry.get("before") != before or entry.get("number") != number + 1:
            faults.append(f"line {at} does not follow the line before it: one was changed, removed or put in")
        number = entry["number"] if entry and isinstance(entry.get("number"), int) else number + 1
        before = _digest(line)
    recorded = _recorded_head(folder)
    if recorded and recorded != (number, before):
        faults.append("the end of the log is not the one that was noted: the last lines were changed or removed")
    elif not recorded and number:
        faults.append("the note of the end of the log is missing")
    return faults


def events(folder: Path) -> list[Event]:
    """The last 500 events, the latest first."""
    shown = []
    for entry in reversed(deque(filter(None, map(_read, _lines(folder))), 500)):
        more = {key: value for key, value in entry.items() if key in FIELDS}
        shown.append(Event(str(entry.get("at")), str(entry.get("sub")), str(entry.get("event")), more))
    return shown


def _head(folder: Path) -> tuple[int, str]:
    """Number and hash of the last event: as in head.json, else (after a crash between two writes) from the log."""
    number, digest = 0, _FIRST
    if last := _last_line(folder):
        entry = _read(last) or {}
        number, digest = int(entry.get("number", 0)), _digest(last)
    recorded = _recorded_head(folder)
    # A further event must not hide that the last lines were changed or cut off.
    return recorded if recorded and recorded[0] >= number else (number, digest)


def _last_line(folder: Path) -> str:
    """The last line of the log; empty if there is none."""
    path = folder / _LOG
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 8192))
        return file.read().decode("utf-8", "replace").rstrip("\n").rsplit("\n", 1)[-1]


def _recorded_head(folder: Path) -> tuple[int, str] | None:
    try:
        head = json.loads((folder / _HEAD).read_text(encoding="utf-8"))
        return int(head["number"]), str(head["hash"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _lines(folder: Path) -> Iterator[str]:
    with suppress(FileNotFoundError), (folder / _LOG).open(encoding="utf-8", errors="replace") as file:
        for line in file:
            yield line.rstrip("\n")


def _read(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _digest(line: str) -> str:
    return hashlib.sha256(line.encode("utf-8")).hexdigest()
