"""The publication of a page run: which file its questions are asked of.

Each publication is an immutable file; a pointer names the latest. DuckDB keeps serving the old file under a renamed path, so
each page run resolves the pointer and opens the file by its own name: everything in one run comes from one publication.
"""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import duckdb
import streamlit as st

from etl.core.errors import Refused
from etl.core.paths import warehouse_pointer
from etl.warehouse import publications, version_files
from ui import streamlit_internals
from ui.data import user

# The parameter of the address, and the key of the session, that pins a publication.
PINNED = "publication"
_run = threading.local()
# Prefetches questions; more threads than cores would not answer sooner.
_askers = ThreadPoolExecutor(os.cpu_count(), "asker")


class Unpublished(Exception):
    """Nothing has been published yet."""


def begin() -> None:
    """Begin a page run: it shows the publication that the session has pinned, else the latest one now."""
    _run.path = _current()


def end() -> None:
    """End a page run: a fragment that later runs in this thread resolves the latest publication again."""
    _run.path = ""


def resume(file: str) -> bool:
    """Rerun a fragment drawn from `file`: use that publication if it is still current; returns whether it is."""
    if current_file() != file:
        return False
    _run.path = file
    return True


def kept_file(ident: str) -> str:
    """The file of a publication that was published and is kept; empty if there is none."""
    pointer = warehouse_pointer()
    newest = version_files.newest_published(pointer)
    found = (path for path in version_files.versions(pointer) if path.stem == ident)
    return next((str(path) for path in found if version_files.number_of(path) <= newest), "")


def file_before() -> str:
    """The file of the kept publication before the one this page shows; empty if there is none."""
    number = version_files.number_of(Path(current_file()))
    earlier = [one for one in version_files.versions(warehouse_pointer()) if version_files.number_of(one) < number]
    return str(earlier[-1]) if earlier else ""


def _current() -> str:
    """The file that the session has pinned by `publication=` as long as it is kept, else that of the latest one."""
    pinned = st.session_state.get(PINNED) if streamlit_internals.is_script_run() else ""
    return (kept_file(pinned) if pinned else "") or _latest()


def _latest() -> str:
    """The file of the latest publication; empty if there is none."""
    try:
        return str(publications.current(warehouse_pointer()))
    except Refused:
        return ""


def current_file() -> str:
    """The file of the publication this page shows. Raises Unpublished."""
    file = getattr(_run, "path", "") or _current()
    if not file:
        raise Unpublished
    return file


def prefetch(ask: Callable[[], object]) -> Future[object]:
    """Run `ask` in another thread while the page is drawn, so that its answers are cached when the page needs them."""
    file, scope = current_file(), user.scope()

    def task() -> object:
        with reading(file), user.acting_as(scope):
            return ask()

    return _askers.submit(task)


@contextmanager
def reading(file: str) -> Iterator[None]:
    """Within the context, questions of this thread go to the publication `file`."""
    before, _run.path = getattr(_run, "path", ""), file
    try:
        yield
    finally:
        _run.path = before


@st.cache_resource(max_entries=3, show_spinner=False)
def connection(file: str) -> duckdb.DuckDBPyConnection:
    """The shared read-only connection to a publication; use cursors of it. Raises OtherVersion if other code built it."""
    return publications.connect(Path(file))


def publication() -> publications.Publication:
    """The publication this page shows. Raises Unpublished."""
    return publication_in(current_file())


@lru_cache(maxsize=8)
def publication_in(file: str) -> publications.Publication:
    """The publication of a file."""
    with connection(file).cursor() as cursor:
        return publications.describe(cursor)
