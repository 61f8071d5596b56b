"""Questions beyond the limits of the web process: each runs in a process of its own.

Converting many rows to Python values would block all other users. Such a question has a time limit there too, and is stopped
when the user asks something else.
"""

import time
from pathlib import Path
from typing import Any

import streamlit as st

from etl.core import files
from etl.semantic.exportable import StoredRows
from etl.semantic.rights import AccessScope
from ui import streamlit_internals
from ui.data import page_run
from ui.data.query import Query, answer_in_worker
from ui.data.worker_process import WorkerProcess, worker_memory
from ui.i18n import text

WORKER_SECONDS = 120.0
_BEAT = 0.25
_STOPPED = "question stopped"


class StoppedByReader(Exception):
    """The user stopped this question and has asked no other since."""


def ask_in_worker(file: str, scope: AccessScope, query: Query, most: int) -> Any:
    """The result of a query, run in a separate process; an Answer with more rows than `most` is returned as StoredRows.

    Raises what the query raises, worker_process.Ended, and StoppedByReader.
    """
    is_page = streamlit_internals.is_script_run()
    if is_page and st.session_state.get(_STOPPED) == query:
        raise StoppedByReader
    out = files.temporary("rows-")
    process = WorkerProcess(
        answer_in_worker, file, scope, query, Path(out.name), most, seconds=WORKER_SECONDS, memory=worker_memory()
    )
    try:
        if is_page:
            st.session_state.pop(_STOPPED, None)
            _wait(process, query)
        result = process.result(page_run.gone())
    finally:
        process.stop()
    return StoredRows(result.answer, result.path, result.rows, out) if isinstance(result, StoredRows) else result


def _wait(process: WorkerProcess, query: Query) -> None:
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


def _stopped(query: Query) -> None:
    st.session_state[_STOPPED] = query
