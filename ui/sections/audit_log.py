"""The audit log for stewards: the latest events by person and kind, and how the last verification ended."""

from collections.abc import Callable, Sequence
from datetime import date

import streamlit as st

from etl.operations.audit import Event, circulated_often
from etl.semantic.catalog import catalogue
from etl.semantic.rights import ROLES, every_province
from ui.components import blocks, tables
from ui.data import page_run
from ui.i18n import member_names, navigation, text
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
        tables.show(view, "audit", _columns(view), listed, title, is_stacked=True)


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
    def in_words(event: Event) -> str:
        return view.word(f"audit.is_{event.event}")

    # The HTML of a cell, and what it is sorted by.
    cells: dict[str, tuple[Callable[[Event], str], Callable[[Event], str] | None]] = {
        "at": (lambda event: f"<bdi>{_time(event.at, view.lang)}</bdi>", lambda event: event.at),
        "sub": (lambda event: blocks.latin(event.sub), lambda event: event.sub),
        "event": (lambda event: text.escape(in_words(event)), in_words),
        "more": (lambda event: _details(view, event), None),
    }
    return [tables.Column(name, view.word(f"audit.{name}"), html, value) for name, (html, value) in cells.items()]


def _time(at: str, lang: str) -> str:
    return text.listed([text.day(date.fromisoformat(at[:10]), lang), text.digits(at[11:16], lang)], lang)


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
    """The details of an event, as HTML."""
    return text.listed(
        [
            f"{text.escape(view.word(f'audit.of_{name}'))}: {_detail(view, name, value)}"
            for name, value in event.more.items()
        ],
        view.lang,
    )


def _detail(view: PageContext, name: str, value: str | int) -> str:
    """A detail as HTML: in words where it has any, else as it was written."""
    if isinstance(value, int):
        return text.digits(value, view.lang)
    words = _in_words(view, name, value)
    return text.escape(words) if words else blocks.latin(value)


def _in_words(view: PageContext, name: str, value: str) -> str:
    """What a detail is called on the page; empty for one that is called as it was written."""
    if name == "role":
        return view.word(f"audit.role_{value}") if value in ROLES else ""
    if name in ("province", "provinces"):
        codes = [code for code in value.split(",") if code in every_province()]
        named = text.listed([member_names.of("province", code, view.lang) for code in codes], view.lang)
        return named or (view.word("scope.nation") if value in ("", "all") else "")
    if name == "metric":
        measures = [catalogue().get(metric) for metric in value.split(",")]
        return text.listed([metric.label[view.lang] for metric in measures if metric], view.lang)
    if name == "page" and navigation.is_known(value):
        return str(navigation.part_words(navigation.current(value, {})[0])[view.lang])
    return text.word_or("", f"audit.why_{value.replace(' ', '_')}", view.lang) if name in ("why", "page") else ""
