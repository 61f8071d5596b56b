"""Short pieces of a page: text escaped for HTML, small lines, a controlled widget, notices, the error boundary of a part."""

import logging
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import streamlit as st

from etl.core.errors import AccessDenied, OtherVersion, QuestionError, TooEarly
from etl.core.store import StoreFault
from etl.operations import audit
from etl.semantic.answers import Answer
from etl.semantic.ranking import comparable
from etl.submissions import notes
from ui.data import large_questions, page_run, stores, warehouse, worker_process
from ui.i18n import member_names, text
from ui.state import page_context, wording
from ui.state.page_context import PageContext
from ui.streamlit_internals import RerunException, StopException


def heading(title: str, below: str | None = None, more: str = "") -> str:
    """The heading of a block as HTML, with a line below it and the HTML `more`; without a title the line is all of it."""
    head = f"<h3>{text.escape(title)}</h3>" if title else ""
    line = "" if below is None else f"<p>{text.escape(below)}</p>"
    return f'<div class="pd-head">{head}{line}{more}</div>'


def head(title: str, below: str | None = None) -> None:
    st.html(heading(title, below))


def intro(words: str) -> None:
    st.html(f'<p class="pd-intro">{text.escape(words)}</p>')


def note(words: str, is_status: bool = False, on_screen: bool = False, on_paper: bool = False) -> None:
    """A quiet line; a screen reader announces it if it is a status.

    One `on_screen` is not printed: it says what to press. One `on_paper` is for those who add up what they hold.
    """
    role = ' role="status"' if is_status else ""
    kind = " pd-on-screen" if on_screen else " pd-on-paper" if on_paper else ""
    st.html(f'<p class="pd-note{kind}"{role}>{text.escape(words)}</p>')


def left_out(view: PageContext, answer: Answer) -> None:
    """A note that names the provinces left out of an answer for lack of rights; nothing without any."""
    if words := member_names.left_out(answer.left_out, view.lang):
        note(words)


def signed_notes(view: PageContext, answer: Answer, ident: str) -> None:
    """The signed notes on the numbers of a table, each once on a page."""
    for signed in notes.about(warehouse.of_page().notes, answer):
        if page_context.is_noted_at(words := wording.note(view, signed), ident):
            note(words)


# The narrowest scale of a sparkline: five percentage points, of other numbers a tenth of the largest.
_NARROWEST_SHARE, _NARROWEST = 0.05, 0.1


def sparkline(view: PageContext, history: Answer | None, ident: str) -> str:
    """The months of an answer as a small line drawn in CSS, with its first and last value as its label.

    How many months they are stands below the first line of a page.
    """
    if history is None:
        return ""
    unit, values = history.metrics[0].unit, [row[1] for row in comparable(history).rows if row[1] is not None]
    if len(values) < 2:
        return ""
    low, high = _scale(values, unit)
    first, last = (text.plain(value, unit, view.lang) for value in (values[0], values[-1]))
    count = text.number(len(values), view.lang)
    label = view.word("change.sparkline", count=count, first=first, last=last)
    months = f"{count} {text.unit_word('whole_months', view.lang, count)}"
    span = f"<small>{text.escape(months)}</small>" if page_context.is_noted_at(months, f"line of {ident}") else ""
    return (
        f'<div class="pd-spark" role="img" aria-label="{text.escape(label)}" title="{text.escape(label)}">'
        f'{polygon("pd-stroke", values, low, high)}<i class="pd-dot" style="top:{_height(values[-1], low, high):.1f}%"></i>'
        f"{span}</div>"
    )


def _scale(values: Sequence[float], unit: str) -> tuple[float, float]:
    """The ends of a sparkline's scale, which is never so narrow that a small change looks like a large one."""
    low, high = min(values), max(values)
    more = max(0.0, (_NARROWEST_SHARE if unit == "share" else _NARROWEST * high) - (high - low)) / 2
    return low - more, high + more


def polygon(kind: str, values: Sequence[float], low: float, high: float) -> str:
    """Values as a line of class `kind` drawn in CSS, on a scale from `low` to `high`; screen readers pass it by."""
    across = 100 / max(len(values) - 1, 1)
    points = [(i * across, _height(value, low, high)) for i, value in enumerate(values)]
    upper = [f"{x:.1f}% calc({y:.1f}% - 1px)" for x, y in points]
    corners = [*upper, *(f"{x:.1f}% calc({y:.1f}% + 1px)" for x, y in reversed(points))]
    return f'<i class="{kind}" aria-hidden="true" style="clip-path:polygon({",".join(corners)})"></i>'


def _height(value: float, low: float, high: float) -> float:
    """The place of a value in its box, in percent from the top."""
    return 88 - 76 * (value - low) / (high - low or 1)


def controlled(
    widget: Callable[..., Any], label: str, key: str, value: Any, chosen: Callable[[Any], object], **options: Any
) -> None:
    """A widget that shows `value` at each run (see page_context) and calls `chosen` with what the user sets.

    `options` are those of the `widget`, a function of Streamlit.
    """
    st.session_state[key] = value
    widget(label, key=key, on_change=lambda: chosen(st.session_state[key]), **options)


# By this name the JSON log keeps the text (ui.shell.logs).
_LOG = logging.getLogger("policeyar.page")


def latin(name: str) -> str:
    """A name or number of a file, submission or account in a table: with its own digits, on a Persian page too."""
    return f'<bdi class="pd-latin">{text.escape(name)}</bdi>'


def notice(lang: str, title: str, words: str, kind: str = "empty") -> None:
    """A notice with the title of key `title`; `kind` is empty, refused or error."""
    st.html(
        f'<div class="pd-notice pd-{kind}" role="note"><strong>{text.escaped(title, lang)}</strong>'
        f"{f'<p>{text.escape(words)}</p>' if words else ''}</div>"
    )


@contextmanager
def error_boundary(lang: str, ident: str) -> Iterator[None]:
    """Turn an error in one part of a page into a notice, so that the other parts still render.

    Exception messages may contain data, so the log gets only the part and the exception type; the debug level has more.
    """
    try:
        yield
    except AccessDenied:
        lost = "lost" if _is_lost() else "not_yours"
        # It is refused also where that cannot be logged.
        if lost == "not_yours":
            with suppress(OSError):
                record_once("refused", (ident, st.query_params.to_dict()), why="outside of the rights", page=ident)
        notice(lang, f"sign_in.{lost}_title", text.word(f"sign_in.{lost}", lang), "refused")
    except TooEarly:
        notice(lang, "state.too_early_title", text.word("state.too_early", lang), "refused")
    except QuestionError:
        notice(lang, "state.refused_title", text.word("state.not_in_scope", lang), "refused")
    except (large_questions.StoppedByReader, worker_process.Ended) as ended:
        reasons: dict[type, str] = {
            worker_process.OutOfTime: "out_of_time",
            worker_process.OutOfMemory: "out_of_memory",
        }
        words = text.word(f"state.{reasons.get(type(ended), 'stopped')}", lang)
        notice(lang, "state.unanswered_title", words, "refused")
    except (page_run.Unpublished, OtherVersion, RerunException, StopException):
        raise
    except StoreFault as fault:
        notice(lang, "state.error_title", stores.sentence(fault, lang), "error")
    except Exception as failed:
        _LOG.error(f"{ident}: {type(failed).__name__}")
        _LOG.debug("%s", traceback.format_exc())
        notice(lang, "state.error_title", text.word("state.error", lang), "error")


def popover(lang: str, label: str, key: str, inside: Callable[[], object]) -> None:
    """A popover whose content `inside` is drawn once it is open: a closed one asks nothing and sends nothing."""
    box = st.popover(label, key=key, type="tertiary", on_change="rerun")
    if box.open:
        with box, error_boundary(lang, key):
            inside()


def folded(lang: str, label: str, key: str, inside: Callable[[], object]) -> None:
    """A fold whose content `inside` is drawn once it is open, as that of a popover, which holds no other one."""
    box = st.expander(label, key=key, type="compact", on_change="rerun")
    if box.open:
        with box, error_boundary(lang, key):
            inside()


def record_once(event: str, shown: object, **more: str | int) -> None:
    """Record an event in the audit log with the rights of the user; reruns that show the same count as one."""
    key = f"{event} noted"
    if st.session_state.get(key) != shown:
        page_run.record(event, **more, **audit.rights(page_run.access_scope()))
        st.session_state[key] = shown


def _is_lost() -> bool:
    try:
        page_run.access_scope()
    except AccessDenied:
        return True
    return False
