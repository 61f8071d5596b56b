"""Notices in place of content that cannot be shown, in the user's language, and the error boundary."""

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import streamlit as st
from streamlit.runtime.scriptrunner import RerunException, StopException

from etl.operations import audit
from ui.data import limits, user, warehouse, worker_process
from ui.i18n import text

# By this name the JSON log keeps the text (ui.shell.logs).
_LOG = logging.getLogger("policeyar.page")
# The message key for each reason that ended a question.
_ENDED: dict[type[Exception], str] = {
    worker_process.OutOfTime: "out_of_time",
    worker_process.OutOfMemory: "out_of_memory",
}


def notice(lang: str, title: str, words: str, kind: str = "empty") -> None:
    """A notice with the title of key `title`; `kind` is empty, refused or error."""
    st.html(
        f'<div class="pd-notice pd-{kind}" role="note"><strong>{text.escaped(title, lang)}</strong>'
        f"<p>{text.escape(words)}</p></div>"
    )


@contextmanager
def error_boundary(lang: str, ident: str) -> Iterator[None]:
    """Turn an error in one part of a page into a notice, so that the other parts still render.

    Exception messages may contain data, so the log gets only the part and the exception type; the debug level has more.
    """
    try:
        yield
    except user.AccessDenied:
        lost = "lost" if _is_lost() else "not_yours"
        if lost == "not_yours":
            _note_attempt(ident)
        notice(lang, f"sign_in.{lost}_title", text.word(f"sign_in.{lost}", lang), "refused")
    except warehouse.TooEarly:
        notice(lang, "state.too_early_title", text.word("state.too_early", lang), "refused")
    except warehouse.QuestionError:
        notice(lang, "state.refused_title", text.word("state.not_in_scope", lang), "refused")
    except (limits.StoppedByReader, worker_process.Ended) as ended:
        notice(
            lang, "state.unanswered_title", text.word(f"state.{_ENDED.get(type(ended), 'stopped')}", lang), "refused"
        )
    except (warehouse.Unpublished, warehouse.OtherVersion, RerunException, StopException):
        raise
    except Exception as failed:
        _LOG.error(f"{ident}: {type(failed).__name__}")
        _LOG.debug("%s", traceback.format_exc())
        notice(lang, "state.error_title", text.word("state.error", lang), "error")


def _note_attempt(ident: str) -> None:
    """Record in the audit log that somebody asked for what is outside of the rights; reruns of the same view count once."""
    event = (ident, st.query_params.to_dict())
    if st.session_state.get("attempt noted") != event:
        # It is refused also where that cannot be logged.
        with suppress(OSError):
            user.record("refused", why="outside of the rights", page=ident, **audit.rights(user.scope()))
        st.session_state["attempt noted"] = event


def _is_lost() -> bool:
    """Whether the session is no longer signed in."""
    try:
        user.scope()
    except user.AccessDenied:
        return True
    return False
