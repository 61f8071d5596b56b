"""The audit log for stewards: the latest events by person and kind, and how the last verification ended."""

from collections.abc import Callable, Sequence
from datetime import date

import streamlit as st

from etl.operations.audit import Event, circulated_often
from etl.semantic.catalog import catalogue
from ui.components import blocks, tables
from ui.data import page_run
from ui.i18n import text
from ui.state import rendering
from ui.state.page_context import PageContext

_MOST = 100


@rendering.fragment
def show(view: PageContext) -> None:
    """The log, if users sign in and the user is a steward."""
    if not page_run.signs_in() or page_run.access_scope().role != "steward":
        return
    with st.container(border=True, key="figure-audit"), blocks.error_boundary(view.lang, "audit"):
        events, verified = page_run.audit_events()
        title = view.word("audit.title")
        state = "unverified" if verified is None else "whole" if verified.is_whole else "broken"
        at = _time(verified.at, view.lang) if verified else ""
        blocks.head(title, view.word(f"audit.{state}", at=at))
        overlapping(view, events)
        with st.container(horizontal=True):
            sub = _filter(view, "sub", sorted({event.sub for event in events}))
            kind = _filter(view, "event", sorted({event.event for event in events}))
        listed = [event for event in events if sub in (None, event.sub) and kind in (None, event.event)][:_MOST]
        tables.show(view, "audit", _columns(view), listed, title)


def overlapping(view: PageContext, events: Sequence[Event]) -> None:
    """A note for each person who took many files for circulation of one measure in a day."""
    for often in circulated_often(events):
        metric = catalogue().get(often.metric)
        words = {
            "who": text.isolated(often.sub, view.lang),
            "day": text.day(date.fromisoformat(often.day), view.lang),
            "count": text.number(often.files, view.lang),
            "measure": metric.label[view.lang] if metric else often.metric,
        }
        blocks.note(view.word("audit.overlapping", **words))


def _columns(view: PageContext) -> list[tables.Column]:
    cells: dict[str, Callable[[Event], str]] = {
        "at": lambda event: _time(event.at, view.lang),
        "sub": lambda event: event.sub,
        "event": lambda event: view.word(f"audit.is_{event.event}"),
        "more": lambda event: _details(view, event),
    }

    def html(words: Callable[[Event], str]) -> Callable[[Event], str]:
        return lambda event: f"<bdi>{text.escape(words(event))}</bdi>"

    return [
        tables.Column(name, view.word(f"audit.{name}"), html(words), words if name != "more" else None)
        for name, words in cells.items()
    ]


def _time(at: str, lang: str) -> str:
    return text.digits(at[:16].replace("T", " "), lang)


def _filter(view: PageContext, name: str, options: list[str]) -> str | None:
    return st.selectbox(
        view.word(f"audit.{name}"),
        options,
        index=None,
        key=f"audit {name}",
        format_func=(lambda kind: view.word(f"audit.is_{kind}")) if name == "event" else str,
        placeholder=view.word("audit.all"),
        width=260,
    )


def _details(view: PageContext, event: Event) -> str:
    return text.listed(
        [
            f"{view.word(f'audit.of_{name}')}: {text.digits(value, view.lang) if isinstance(value, int) else value}"
            for name, value in event.more.items()
        ],
        view.lang,
    )
