"""Whether a publication can be served (present, of this code, recent), and the outcome of the last build."""

import functools
import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from cachetools import TTLCache, cached

from etl.core.errors import Busy, Refused
from etl.core.files import replace_text
from etl.core.settings import Settings
from etl.core.store import StoreFault, known
from etl.operations import audit, stores
from etl.warehouse import publications

_DAY = 86_400


@dataclass(frozen=True)
class Served:
    """The current publication, and the `fault` for which it cannot be served; empty if there is none."""

    id: str
    age_seconds: float
    rows_loaded: int
    rows_rejected: int
    fault: str


@dataclass(frozen=True)
class LastBuild:
    """The last build: published, refused or failed; its end in UTC, and its seconds.

    `refusals`: the sentences of the last refusal that nothing was published after, each with its province (empty: of the
    whole country).
    """

    outcome: str
    ended_at: str
    seconds: float
    refusals: Sequence[tuple[str, str]] = ()


def _unserved(fault: str) -> Served:
    return Served("", 0, 0, 0, fault)


def served(pointer: Path, oldest_days: int) -> Served:
    """The publication that `pointer` names. Raises nothing: errors are in `fault`."""
    try:
        path = publications.current(pointer)
        status = path.stat()
        publication = _described(path, status.st_ino, status.st_mtime_ns)
    except Refused as error:
        # The monitor must not see a path.
        is_published = publications.is_published(pointer)
        return _unserved(str(error).split(": ", 1)[-1] if is_published else "nothing is published")
    except (OSError, duckdb.Error) as error:
        return _unserved(f"the publication cannot be opened ({type(error).__name__})")
    age = max(0.0, time.time() - status.st_mtime)
    return Served(publication.id, age, publication.rows_loaded, publication.rows_quarantined, too_old(age, oldest_days))


def too_old(seconds: float, oldest_days: int) -> str:
    """That a publication of this age is older than the settings allow; else empty."""
    is_old = seconds > oldest_days * _DAY
    return f"the publication is {seconds / _DAY:.0f} days old; the limit is {oldest_days}" if is_old else ""


def ready(config: Settings) -> Served:
    """The publication shown, and in `fault` why this host is not ready: the publication, a store, the audit log."""
    found = served(config.folders.warehouse, config.schedule.oldest_publication_days)
    if found.fault:
        return found
    if fault := _store_fault(config):
        # The monitor must not see a path.
        return replace(found, fault=f"store {fault.store}: {stores.cause(fault)}")
    is_logged = config.sign_in.mode != "open"
    return replace(found, fault=audit.unsent(config.folders.audit)) if is_logged else found


@functools.lru_cache(maxsize=4)
def _described(path: Path, inode: int, written: int) -> publications.Publication:
    """Cached, because a version never changes; it is read whole, so damage is not served."""
    with publications.connect(path) as con:
        publications.read_through(con, path)
        return publications.describe(con)


# With several hosts each request asks.
@cached(TTLCache(4, 2.0), lock=threading.Lock())
def _store_fault(config: Settings) -> StoreFault | None:
    return next(stores.unusable(config), None)


def last_build(pointer: Path) -> LastBuild | None:
    """The note of the last build; None if there is none."""
    with suppress(OSError, ValueError, TypeError):
        return LastBuild(**known(LastBuild, json.loads(_note(pointer).read_text(encoding="utf-8"))))
    return None


@contextmanager
def outcome_noted(pointer: Path) -> Iterator[None]:
    """Note the outcome of the build in the context next to the publication, unless another build was running."""
    began = time.monotonic()
    before = last_build(pointer)
    outcome, refusals = "failed", before.refusals if before else ()
    try:
        yield
        outcome, refusals = "published", ()
    except Busy:
        outcome = ""
        raise
    except Refused as error:
        outcome, refusals = "refused", error.sentences
        raise
    finally:
        if outcome:
            ended_at = datetime.now(UTC).isoformat(timespec="seconds")
            note = LastBuild(outcome, ended_at, round(time.monotonic() - began, 1), refusals)
            # A note that cannot be written is no reason to fail a build.
            with suppress(OSError):
                replace_text(_note(pointer), json.dumps(asdict(note), ensure_ascii=False) + "\n")


def _note(pointer: Path) -> Path:
    return pointer.with_name(pointer.name + ".last-build.json")
