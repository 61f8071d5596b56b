"""The limits of a question: seconds and rows within the web process, and beyond them in a separate process.

Converting many rows to Python values blocks all other users of the process, so a large question runs in a process of its
own. It has a time limit there too, and is stopped when the user asks something else.
"""

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import streamlit as st

from etl.core import settings
from etl.core.errors import TooLarge
from etl.semantic.access import ScopedCursor, cursor_for
from etl.semantic.answers import Answer
from etl.semantic.exportable import StoredRows
from etl.semantic.rights import AccessScope
from etl.warehouse import publications
from etl.warehouse.publications import Publication
from ui import streamlit_internals
from ui.data.worker_process import WorkerProcess
from ui.i18n import text

# The limits in the web process, then those in a separate process: of a question, and of making a file.
ROWS, SECONDS = 30_000, 10.0
WORKER_SECONDS, FILE_SECONDS = 120.0, 900.0
_BEAT = 0.25
_STOPPED = "question stopped"


class StoppedByReader(Exception):
    """The user stopped this question and has asked no other since."""


@cache
def worker_memory() -> int:
    """The bytes that a separate process may use: half of those of the web process that starts it."""
    return settings.web_memory(settings.read()) // 2


_running: dict[int, tuple[float, ScopedCursor]] = {}
# A cursor is interrupted under this lock and leaves `_running` under it, before it is given back: the next question of the
# same cursor is never the one that is interrupted.
_interrupting = threading.Lock()
_begun = threading.Event()


@contextmanager
def bounded(
    con: duckdb.DuckDBPyConnection, scope: AccessScope, publication: Publication | None
) -> Iterator[ScopedCursor]:
    """A cursor for one question. Raises TooLarge if it takes more rows or seconds than allowed."""
    with cursor_for(con, scope, publication, ROWS) as cursor:
        if not _begun.is_set():
            _begun.set()
            threading.Thread(target=_watch, name="time-limits", daemon=True).start()
        with _interrupting:
            _running[id(cursor)] = (time.monotonic() + SECONDS, cursor)
        try:
            yield cursor
        except duckdb.InterruptException:
            raise TooLarge from None
        finally:
            with _interrupting:
                del _running[id(cursor)]


def _watch() -> None:
    while True:
        time.sleep(_BEAT)
        with _interrupting:
            now = time.monotonic()
            for end, cursor in _running.values():
                if now > end:
                    # A question may have closed its cursor itself; the limits of the others must go on.
                    with suppress(duckdb.Error):
                        cursor.interrupt()


def ask_in_worker(file: str, scope: AccessScope, query: Any) -> Any:
    """The result of a query, run in a separate process; an Answer with many rows is returned as StoredRows.

    Raises what the query raises, worker_process.Ended, and StoppedByReader.
    """
    is_page = streamlit_internals.is_script_run()
    if is_page and st.session_state.get(_STOPPED) == query:
        raise StoppedByReader
    out = tempfile.NamedTemporaryFile(prefix="rows-")  # noqa: SIM115 (owned by the StoredRows)
    process = WorkerProcess(
        answer_in_worker, file, scope, query, Path(out.name), ROWS, seconds=WORKER_SECONDS, memory=worker_memory()
    )
    try:
        if is_page:
            st.session_state.pop(_STOPPED, None)
            _wait(process, query)
        result = process.result()
    finally:
        process.stop()
    return StoredRows(result.answer, result.path, result.rows, out) if isinstance(result, StoredRows) else result


def answer_in_worker(_tell: Any, file: str, scope: AccessScope, query: Any, out: Path, most: int) -> Any:
    with publications.connect(Path(file)) as con, cursor_for(con, scope) as cursor:
        result = query.work(cursor, *query.args, **dict(query.kwargs))
    return StoredRows.write(result, out) if isinstance(result, Answer) and len(result.rows) > most else result


def _wait(process: WorkerProcess, query: Any) -> None:
    """Show the elapsed time and a stop button. Each update is also a point where Streamlit can end the run on the next click."""
    place, lang = st.empty(), text.language(st.query_params.get("lang", ""))
    with place.container(key=f"apart-{id(process)}"):
        message = st.empty()
        st.button(text.word("more.stop", lang), key=f"stop-{id(process)}", on_click=_stopped, args=(query,))
    started = time.monotonic()
    while not process.wait(_BEAT):
        seconds = text.number(int(time.monotonic() - started), lang)
        message.html(f'<p class="pd-note" role="status">{text.escaped("more.apart", lang, seconds=seconds)}</p>')
    place.empty()


def _stopped(query: Any) -> None:
    st.session_state[_STOPPED] = query
