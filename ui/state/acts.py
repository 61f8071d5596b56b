"""Acts: whatever somebody changes on a page. Who acts is asked when they act.

    st.button(label, on_click=acts.take, args=(view, lambda who: desk.approve(who, ident)))

A button may be pressed long after it was drawn, and by somebody else. So nothing that is drawn holds an account, groups or
rights that a step could be taken with (`submissions.reader`); a step gets its person here, and what it calls writes the line
of the audit log first. What a step came to is said when the page is drawn anew.
"""

import time
from collections.abc import Callable, Collection
from typing import TypeVar

import streamlit as st

from etl.core.errors import AccessDenied, Refused
from etl.extract.causes import in_language
from etl.submissions.desk import Person
from etl.submissions.refusals import Declined
from ui.data import page_run, stores, submissions
from ui.i18n import text
from ui.state import page_context
from ui.state.page_context import PageContext

_T = TypeVar("_T")
_SAID = "act said"
_LAST_SAID = "act last said"
_WAITING = "submissions waiting"


def take(view: PageContext, step: Callable[[Person], object], done: str = "", at: str = "") -> None:
    """Take a step with who acts now; what refuses it, or else `done`, is said when the page is drawn, at the place `at`."""
    words, is_refused = done, False
    try:
        at_once(step)
    except AccessDenied:
        words, is_refused = view.word("data.denied"), True
    except Refused as refused:
        words, is_refused = in_language(str(refused).splitlines()[0], view.lang), True
    except OSError as error:
        words, is_refused = stores.sentence(error, view.lang), True
    if words:
        st.session_state[_SAID] = (at, words, is_refused, time.time_ns())


def at_once(step: Callable[[Person], _T]) -> _T:
    """What a step gives that is taken while the page is drawn. A refusal for lack of rights leaves its line.

    Raises AccessDenied, OSError, and what the step raises.
    """
    try:
        who = submissions.person()
        with page_run.acting_as(who.scope):
            return step(who)
    except (AccessDenied, Declined) as refused:
        if isinstance(refused, AccessDenied) or refused.is_outside:
            page_run.record_refused(page_context.part())
        raise


def said(at: str = "", below: Collection[str] = ()) -> bool:
    """Say what the last step came to, if that is said at this place; without one, all but what is said at places `below`.

    The browser moves the focus there (static/shell.js): the button that was pressed may be gone.
    """
    place, words, is_refused, number = st.session_state.get(_SAID) or ("", "", False, 0)
    is_here = bool(words) and (place == at if at else place not in below)
    if is_here:
        st.session_state[_LAST_SAID] = st.session_state.pop(_SAID)
        kind, role = (" pd-refused", "alert") if is_refused else ("", "status")
        st.html(
            f'<p class="pd-notice{kind} pd-answer" role="{role}" tabindex="-1" data-at="{number}">{text.escape(words)}</p>'
        )
    return is_here


def forget_said() -> None:
    """Forget what was said last, unless it is to be said again in this run."""
    if _SAID not in st.session_state:
        st.session_state.pop(_LAST_SAID, None)


def waiting() -> int:
    """How many submissions wait for who looks, as the menu says."""
    try:
        found = submissions.waiting()
    except AccessDenied:
        found = 0
    st.session_state[_WAITING] = found
    return found


def tell_waiting() -> None:
    """Draw the whole page anew where the menu says another number of submissions than wait now."""
    if st.session_state.get(_WAITING, found := submissions.waiting()) != found:
        draw_anew()


def draw_anew() -> None:
    """Draw the page anew where nobody asked for it: what was said last stays."""
    if last := st.session_state.pop(_LAST_SAID, None):
        st.session_state[_SAID] = last
    st.rerun()
