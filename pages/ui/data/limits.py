"""The bounds of a question: the seconds and rows it may take in the process of the readers, and beyond that in one of its own.

While Python's values are made of many rows no other reader is served, so a large question goes on in another process. There
it has a time limit too, and ends when the reader asks for something else. Caches are bounded by bytes.
"""

import logging
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from etl.core import settings
from etl.core.errors import TooLarge
from etl.operations.worker_process import WorkerProcess
from etl.semantic.access import AccessScope, ScopedCursor, cursor_for
from etl.semantic.answers import Answer
from etl.semantic.exportable import StoredRows
from etl.warehouse import publications
from etl.warehouse.publications import Publication
from pages.ui.i18n import text

# What a question may take in the process of the readers; and in one of its own, as may the making of a file.
ROWS, SECONDS = 30_000, 10.0
APART_SECONDS, FILE_SECONDS = 120.0, 900.0
_BEAT = 0.25
_STOPPED = "question stopped"


class StoppedByReader(Exception):
    """The reader stopped this question, and asked no other since."""


# ---------------------------------------------------------------- memory


@cache
def apart_memory() -> int:
    """What a process of its own may hold, in bytes: half of what the web process may that started it."""
    return settings.web_memory(settings.read()) // 2


# ---------------------------------------------------------------- time

_running: dict[int, tuple[float, ScopedCursor]] = {}
_begun = threading.Event()


@contextmanager
def bounded(
    con: duckdb.DuckDBPyConnection, scope: AccessScope, publication: Publication | None
) -> Iterator[ScopedCursor]:
    """A cursor for one question. Raises TooLarge where that takes more rows or seconds than it may."""
    with cursor_for(con, scope, publication, ROWS) as cursor:
        if not _begun.is_set():
            _begun.set()
            threading.Thread(target=_watch, name="time-limits", daemon=True).start()
        _running[id(cursor)] = (time.monotonic() + SECONDS, cursor)
        try:
            yield cursor
        except duckdb.InterruptException:
            raise TooLarge from None
        finally:
            del _running[id(cursor)]


def _watch() -> None:
    while True:
        time.sleep(_BEAT)
        now = time.monotonic()
        for end, cursor in list(_running.values()):
            if now > end:
                try:
                    cursor.interrupt()
                except duckdb.Error:
                    logging.getLogger(__name__).debug("a cursor was closed meanwhile")


# ---------------------------------------------------------------- in a process of its own


def ask_apart(file: str, scope: AccessScope, query: Any) -> Any:
    """What a query finds, asked in a process of its own; an Answer of many rows as StoredRows.

    Raises what the query raises, worker_process.Ended, and StoppedByReader.
    """
    is_page = get_script_run_ctx(suppress_warning=True) is not None
    if is_page and st.session_state.get(_STOPPED) == query:
        raise StoppedByReader
    out = tempfile.NamedTemporaryFile(prefix="rows-")  # noqa: SIM115 (owned by the rows that stand in it)
    process = WorkerProcess(
        answer_apart, file, scope, query, Path(out.name), ROWS, seconds=APART_SECONDS, memory=apart_memory()
    )
    try:
        if is_page:
            st.session_state.pop(_STOPPED, None)
            _wait(process, query)
        result = process.result()
    finally:
        process.stop()
    return StoredRows(result.answer, result.path, result.rows, out) if isinstance(result, StoredRows) else result


def answer_apart(_tell: Any, file: str, scope: AccessScope, query: Any, out: Path, most: int) -> Any:
    """The work of that process."""
    with publications.connect(Path(file)) as con, cursor_for(con, scope) as cursor:
        result = query.work(cursor, *query.args, **dict(query.kwargs))
    return StoredRows.write(result, out) if isinstance(result, Answer) and len(result.rows) > most else result


def _wait(process: WorkerProcess, query: Any) -> None:
    """Say that it takes a while, with a button that ends it. Each line that is drawn lets a reader's next click end it too."""
    place, lang = st.empty(), text.language(st.query_params.get("lang", ""))
    with place.container(key=f"apart-{id(process)}"):
        message = st.empty()
        st.button(text.word("more.stop", lang), key=f"stop-{id(process)}", on_click=_stopped, args=(query,))
    started = time.monotonic()
    while not process.wait(_BEAT):
        seconds = text.number(int(time.monotonic() - started), lang)
        message.html(
            f'<p class="pd-note" role="status">{text.escape(text.word("more.apart", lang, seconds=seconds))}</p>'
        )
    place.empty()


def _stopped(query: Any) -> None:
    st.session_state[_STOPPED] = query
