"""The audit log: who did what, one JSON line per event, in one file per month.

Each line carries the hash of the line before it, and a code under a key of its own; the key of the next line is derived from
that key, which is then erased: a forward-secure chain (Schneier and Kelsey, 1999). An intruder with the account of the dashboard
can only write on; the keeper of the first key notices every line that was changed, removed or put in. The end of the log is
noted in head.json and, out of reach of this account, in the journal or the site's syslog.
No event contains a number, a name, an id of a person in the register, or an address of a page.
"""

import errno
import json
import math
import os
import re
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from etl.core.files import give_to_owner, locked, replacing
from etl.core.store import StoreFault, known, naming
from etl.operations import hash_chain, syslog
from etl.semantic.rights import AccessScope

EVENTS = (
    "sign_in", "sign_out", "sessions_ended", "refused", "detail", "export", "view_saved", "view_deleted", "view_shared",
    "draft_changed", "file_submitted", "submission_withdrawn", "submission_let_pass", "load_approved", "load_returned",
    "load_published", "load_without",
    "load_refused", "rollback", "rollback_refused", "settings_changed", "backup", "restore", "quarantine",
    "pull", "accept", "token_made", "token_revoked", "note_signed", "note_withdrawn",
    "follow_made", "follow_stopped", "follow_resumed", "follow_removed",
)  # fmt: skip
FIELDS = frozenset((
    "metric", "form", "role", "provinces", "files", "rows", "status", "why", "publication", "page", "province", "institute",
    "setting", "times", "account", "client", "submission", "circulation", "note",
))  # fmt: skip
# A field holds the names of all measures.
_PLAIN = re.compile(r"[\w .,:+-]{0,4000}")
HEAD, _FIRST_KEY, _UNSENT, _VERIFIED, _SETTINGS = (
    "head.json", "first.key", "outside.fault", "verified.json", "settings.json",
)  # fmt: skip
# The state of the chain: not for backups, because an old key would let an intruder rewrite what was logged since.
STATE = frozenset((HEAD, _FIRST_KEY))
_TAIL_BYTES, _TAIL_EVENTS = 1 << 18, 500
# So many files for circulation of one measure may somebody take in a day: exact counts can be worked out from more of them.
MOST_CIRCULATED = 12
STORE = "audit"
# In place of the code of a line that was noted with different ones.
_SEVERAL = "several"
JOURNAL = Path("/run/systemd/journal/dev-log")


@dataclass(frozen=True)
class Event:
    """One event for display."""

    at: str
    sub: str
    event: str
    more: dict[str, Any]


@dataclass(frozen=True)
class Circulated:
    """How many files for circulation of one measure somebody took on a day."""

    sub: str
    day: str
    metric: str
    files: int


@dataclass(frozen=True)
class Verified:
    """The outcome of the last verification on this host."""

    at: str
    is_whole: bool


@dataclass(frozen=True)
class _Head:
    """The end of the log: number and hash of the last line, the part of the name and the length of its file, and the key of
    the next line. `month` is followed by the number of the first line where the clock went back to a month that has a file.
    """

    chain: str
    number: int
    hash: str
    month: str
    size: int
    key: str


def record(folder: Path, sub: str, event: str, **more: str | int) -> None:
    """Append an event. Raises ValueError for an unknown event or field, StoreFault if the log cannot be written.

    Callers record first and act afterwards: what cannot be logged does not happen.
    """
    if event not in EVENTS or not more.keys() <= FIELDS:
        raise ValueError("the audit log has no such event or field")
    if not all(isinstance(value, int) or _PLAIN.fullmatch(value) for value in more.values()):
        raise ValueError("an audit field holds plain words or a number")
    with _named(folder), locked(folder):
        line = _append(folder, sub, event, more)
    _send_outside(folder, line)


def record_settings(folder: Path, digests: Mapping[str, str]) -> None:
    """Record each setting whose digest differs from that of the last call; the first call records none."""
    path = folder / _SETTINGS
    lines = []
    with _named(folder), locked(folder):
        before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else digests
        for name in sorted(name for name in before.keys() | digests.keys() if before.get(name) != digests.get(name)):
            lines.append(_append(folder, "server", "settings_changed", {"setting": name}))
        _replace(path, json.dumps(digests))
    for line in lines:
        _send_outside(folder, line)


def plain(code: str) -> str:
    """A code of the register as a field: signs that a field cannot hold are written as their code points."""
    return "".join(sign if _PLAIN.fullmatch(sign) else f"U+{ord(sign):04X}" for sign in code)


def rights(scope: AccessScope) -> dict[str, str]:
    """The event fields for the rights of a scope."""
    provinces = "all" if scope.sees_whole_country else ",".join(sorted(scope.codes))
    return {"role": scope.role, "provinces": provinces}


def take_first_key(folder: Path) -> str:
    """The first key of the log, for the verifier alone: it is erased here. Raises FileNotFoundError if it was taken before."""
    with locked(folder):
        if not (folder / HEAD).exists():
            _begin(folder)
        key = (folder / _FIRST_KEY).read_text(encoding="utf-8").strip()
        (folder / _FIRST_KEY).unlink()
    return key


def verify(folder: Path, first_key: str = "", noted: Mapping[int, str] | None = None) -> str:
    """The first fault of the log in one sentence; empty if it is whole. Reads line by line.

    Without the first key this finds damage, but not lines that somebody wrote anew with their hashes. `noted`: codes by number
    of line, as the journal or syslog holds them (`codes_noted`). A restore leaves a chain without its head; by the noted
    codes such a chain is whole, or its end is missing.
    """
    if twice := min((number for number, code in (noted or {}).items() if code == _SEVERAL), default=0):
        return f"line {twice} was noted outside of this host with two codes: the log was set back and written on"
    head = _read_head(folder)
    chain = hash_chain.chain_of(first_key) if first_key else head.chain if head else ""
    key, before, is_at_head = first_key, hash_chain.FIRST, head is None
    missing = dict(noted or {})
    number = 0
    for number, text in enumerate(_lines(_files(folder, chain)), 1):
        entry = _read(text)
        if entry is None:
            return f"line {number} is not an event"
        if entry.get("before") != before or entry.get("number") != number:
            return f"line {number} does not follow the line before it: one was changed, removed or put in"
        code = str(entry.get("code"))
        if key:
            if not hash_chain.is_of(key, text):
                return f"line {number} was not written with the key of this log: it was changed, or is of another host"
            key = hash_chain.next_key(key)
        if missing.pop(number, code) != code:
            return f"line {number} is not the one that was noted outside of this host"
        before = hash_chain.digest(text)
        if head and head.number == number:
            is_at_head = head.hash == before and (not key or head.key == key)
    if first_key and not number:
        return "there is no log of this key"
    if missing:
        return f"the end of the log is missing: it ends with line {number}, and later lines were noted outside of this host"
    if first_key and (head is None or head.chain != chain):
        if noted:
            return ""
        return "the note of the end is missing: after a restore, or because lines were cut; --noted tells which"
    if (head is None and _files(folder, "")) or (head and head.number and not is_at_head):
        return "the end of the log is not the one that was noted: the last lines were changed or removed"
    return ""


def codes_noted(lines: Iterable[str], first_key: str) -> dict[int, str]:
    """The code of each line of a chain that the journal or syslog holds, by number; `_SEVERAL` for one with two."""
    chain, codes = hash_chain.chain_of(first_key), dict[int, str]()
    for line in lines:
        entry = _read(line[line.find("{") :]) or {}
        if entry.get("chain") == chain:
            number, code = int(entry["number"]), str(entry["code"])
            codes[number] = code if codes.get(number, code) == code else _SEVERAL
    return codes


def note_verified(folder: Path, fault: str) -> None:
    """Keep the outcome of a verification, which the page shows."""
    at = datetime.now(UTC).isoformat(timespec="minutes")
    _replace(folder / _VERIFIED, json.dumps(asdict(Verified(at, not fault))))


def last_verified(folder: Path) -> Verified | None:
    """The outcome of the last verification; None if there was none."""
    with suppress(OSError, ValueError, TypeError):
        return Verified(**known(Verified, json.loads((folder / _VERIFIED).read_text(encoding="utf-8"))))
    return None


def events(folder: Path) -> list[Event]:
    """The last 500 events, the latest first, from the ends of the files."""
    shown: list[Event] = []
    for path in reversed(_files(folder, "")):
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            entries = [entry for line in file.read().decode("utf-8", "replace").split("\n") if (entry := _read(line))]
        for entry in reversed(entries):
            more = {key: value for key, value in entry.items() if key in FIELDS}
            shown.append(Event(str(entry.get("at")), str(entry.get("sub")), str(entry.get("event")), more))
        if len(shown) >= _TAIL_EVENTS:
            break
    return shown[:_TAIL_EVENTS]


def circulated_often(shown: Iterable[Event]) -> list[Circulated]:
    """Who took more files for circulation of one measure in a day than MOST_CIRCULATED, the latest day first."""
    taken = Counter(
        (event.sub, event.at[:10], metric)
        for event in shown
        if event.event == "export" and "circulation" in event.more
        for metric in str(event.more.get("metric")).split(",")
    )
    often = [Circulated(*key, files) for key, files in taken.items() if files > MOST_CIRCULATED]
    return sorted(often, key=lambda one: (one.day, one.files), reverse=True)


def written(folder: Path) -> list[Path]:
    """What the next event is written to: the folder, and its newest file."""
    return [folder, *(_files(folder, "")[-1:] if folder.is_dir() else [])]


def unsent(folder: Path) -> str:
    """That events cannot be sent outside of this host; else empty."""
    return "the audit log cannot be sent outside of this host" if (folder / _UNSENT).exists() else ""


def faults(folder: Path) -> list[str]:
    """What an operator has to mend beside the folder itself, after a try to reach the place outside."""
    if not folder.is_dir():
        return []
    with suppress(OSError):
        _send_outside(folder, "")
    found = [unsent(folder)] if unsent(folder) else []
    if (folder / _FIRST_KEY).exists():
        found.append("the first key of the audit log is still here: python -m etl audit key, and keep it elsewhere")
    return found


def _append(folder: Path, sub: str, event: str, more: Mapping[str, str | int]) -> str:
    """Write a line and the new end of the log; neither if one of them fails. Returns the line."""
    head = _recovered(folder, _read_head(folder) or _begin(folder))
    now = datetime.now(UTC)
    month = _part(folder, head, f"{now:%Y-%m}")
    place = {"chain": head.chain, "number": head.number + 1, "at": now.isoformat(timespec="milliseconds")}
    body = json.dumps(place | {"sub": sub, "event": event, **more, "before": head.hash}, ensure_ascii=False)
    line = hash_chain.sealed(head.key, body[:-1])
    path = folder / f"audit-{month}-{head.chain}.jsonl"
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        give_to_owner(path)
        size = os.fstat(handle).st_size
        try:
            data = f"{line}\n".encode()
            if os.write(handle, data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(handle)
            head = _follow(head, line, month, size + len(data))
            _replace(folder / HEAD, json.dumps(asdict(head)))
        except OSError:
            os.ftruncate(handle, size)
            raise
    finally:
        os.close(handle)
    return line


def _named(folder: Path) -> AbstractContextManager[None]:
    return naming(STORE, folder)


def _begin(folder: Path) -> _Head:
    """The head of a new chain."""
    key = secrets.token_hex(32)
    head = _Head(hash_chain.chain_of(key), 0, hash_chain.FIRST, "", 0, key)
    _replace(folder / _FIRST_KEY, key)
    _replace(folder / HEAD, json.dumps(asdict(head)))
    return head


def _recovered(folder: Path, head: _Head) -> _Head:
    """The head, with the lines that processes wrote before they were killed; a line that a crash cut is taken back."""
    for path in _files(folder, head.chain):
        month = path.stem.removeprefix("audit-").removesuffix(f"-{head.chain}")
        if month != head.month and _first_number(path) <= head.number:
            continue
        size = head.size if month == head.month else 0
        with path.open("rb") as file:
            file.seek(size)
            *lines, cut = file.read().decode("utf-8", "replace").split("\n")
        for line in lines:
            if not hash_chain.is_of(head.key, line):
                return head
            size += len(f"{line}\n".encode())
            head = _follow(head, line, month, size)
        if cut:
            os.truncate(path, size)
    return head


def _follow(head: _Head, line: str, month: str, size: int) -> _Head:
    """The head after a line."""
    return _Head(head.chain, head.number + 1, hash_chain.digest(line), month, size, hash_chain.next_key(head.key))


def _send_outside(folder: Path, line: str) -> None:
    """Send the line to the site's syslog, or number and code of it to the journal. A failure is noted, and ends nothing.

    Without a line the place is only reached for.
    """
    address = os.environ.get("AUDIT_SYSLOG") or (str(JOURNAL) if JOURNAL.exists() else "")
    if not address:
        return
    if line and not os.environ.get("AUDIT_SYSLOG"):
        entry = json.loads(line)
        line = json.dumps({name: entry[name] for name in ("chain", "number", "code")})
    try:
        # Facility 10 (authorisation), severity 6 (information).
        syslog.send(address, f"<86>policeyar-audit: {line}".encode() if line else b"")
    except (OSError, ValueError) as error:
        if not (folder / _UNSENT).exists():
            _replace(folder / _UNSENT, type(error).__name__)
    else:
        (folder / _UNSENT).unlink(missing_ok=True)


def _replace(path: Path, text: str) -> None:
    """Replace a file durably, readable by its owner only."""
    with replacing(path) as waiting:
        waiting.touch(0o600)
        waiting.write_text(text, encoding="utf-8")
        give_to_owner(waiting)


def _read_head(folder: Path) -> _Head | None:
    """The noted end; None before the first event. Raises OSError if it cannot be read: then nothing is written."""
    try:
        return _Head(**known(_Head, json.loads((folder / HEAD).read_text(encoding="utf-8"))))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        raise StoreFault(STORE, errno.EBADMSG, str(folder / HEAD)) from None


def _part(folder: Path, head: _Head, month: str) -> str:
    """The part of a file's name for a line of this month, by a clock that may have been wrong before."""
    if head.month[:7] == month:
        return head.month
    return f"{month}.{head.number + 1}" if (folder / f"audit-{month}-{head.chain}.jsonl").exists() else month


def _files(folder: Path, chain: str) -> list[Path]:
    """The files of a chain by their first lines; of all chains by the times when they were written."""
    files = sorted(folder.glob(f"audit-*{chain}.jsonl"))
    return sorted(files, key=_first_number if chain else lambda path: path.stat().st_mtime_ns)


def _first_number(path: Path) -> float:
    """The number of the first line of a file; that of a file without one follows all others."""
    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        number = (_read(file.readline()) or {}).get("number")
    return number if isinstance(number, int) else math.inf


def _lines(paths: Iterable[Path]) -> Iterator[str]:
    for path in paths:
        with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
            for line in file:
                yield line.rstrip("\n")


def _read(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
