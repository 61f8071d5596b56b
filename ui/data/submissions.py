"""Submissions for pages and addresses: the desk of this installation, and the person of a page."""

import os
import subprocess
import sys
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import date
from functools import cache
from threading import Lock

from cachetools import TTLCache, cached

from etl.build import template
from etl.core import settings
from etl.core.errors import QuestionError, Refused
from etl.core.paths import ROOT, warehouse_pointer
from etl.semantic import access
from etl.semantic.rights import AccessScope
from etl.submissions import arrivals, deadline, ledger, orders, work
from etl.submissions.arrivals import Owed
from etl.submissions.desk import Desk, Person, Reader
from etl.submissions.records import Submission
from ui.data import page_run, stores

_workers: list[subprocess.Popen[bytes]] = []
_lock = Lock()
_NICENESS, _SECONDS = 10, 15.0


@cache
def _settings() -> settings.Settings:
    return settings.read()


def desk() -> Desk:
    """The desk of this installation. In the mode `open` the process starts the worker itself."""
    return work.desk_of(_settings(), _work if is_open() else lambda: None)


def is_open() -> bool:
    return _settings().sign_in.mode == "open"


@cached(TTLCache(1, _SECONDS), lock=Lock())
def behind() -> Mapping[str, str]:
    """The provinces that are behind by what is published of them, and the month that has not arrived; read anew now and then."""
    try:
        published = desk().records.all("published")
    except OSError as failed:
        stores.note(failed)
        return {}
    return ledger.not_arrived(ledger.ledger(published, desk().rules))


def reader() -> Reader:
    """Who looks at the page of this script run. Raises AccessDenied."""
    scope = page_run.access_scope()
    return Reader(scope.sub, scope, is_alone=is_open())


def person() -> Person:
    """Who acts now: for ui.state.acts alone. Raises AccessDenied."""
    scope = page_run.access_scope_now()
    return Person(scope.sub, scope, page_run.record, page_run.groups(), is_alone=is_open())


def waiting() -> int:
    """How many submissions wait for who looks at this page. Raises AccessDenied."""
    who = reader()
    with suppress(OSError):
        return arrivals.waiting(desk(), who, date.today()) if who.provinces else 0
    return 0


def owed(provinces: Collection[str]) -> tuple[Owed, str] | None:
    """What these provinces owe, as far as the reader sees their numbers, and the page part where something is done about it."""
    who, today = reader(), date.today()
    since = deadline.months_ended(today, 4)[0]
    with suppress(OSError):
        found = arrivals.owed(desk(), desk().records.all(since=since), who.scope.codes & {*provinces}, today)
        if not found:
            return None
        own = who.provinces >= {*found.provinces}
        if own and (len(provinces) == 1 or not who.is_steward):
            return found, "handin"
        return found, "approve" if who.is_steward else "quality"
    return None


def template_of(table: str, province: str, scope: AccessScope) -> bytes:
    """A workbook to fill in, with the lists of a province; without own institutes while nothing is published."""
    try:
        with access.connect(warehouse_pointer(), scope) as con:
            lists = template.lists_of(province, con)
    except (Refused, QuestionError):
        lists = template.lists_of(province, None)
    return template.workbook(table, lists)


def go_on(one: Submission | None) -> None:
    """Go on with a check whose worker ended without it, or whose order came to nothing because this process was killed."""
    if one and one.state == "checking":
        if is_open():
            _work(1)
        else:
            orders.wake(desk().root)


def _work(most: int = 2) -> None:
    """Start a worker, unless one waits already behind the one that runs: it will see every order."""
    with _lock:
        _workers[:] = [one for one in _workers if one.poll() is None]
        if len(_workers) < most:
            worker = subprocess.Popen(
                [sys.executable, "-m", "etl", "work"],
                cwd=ROOT,
                env={**os.environ, "WAREHOUSE": str(warehouse_pointer())},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            # Readers come first, as with policeyar-work.service.
            os.setpriority(os.PRIO_PROCESS, worker.pid, _NICENESS)
            _workers.append(worker)
