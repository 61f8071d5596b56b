"""Parts of a page are made in the pool and sent to the browser in groups; none waits for a slow one or ends with another."""

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from etl.core.errors import AccessDenied, QuestionError, TooEarly
from etl.semantic.rights import ADMINISTRATOR
from ui import streamlit_internals
from ui.components import blocks, parts
from ui.data import page_run
from ui.data.large_questions import StoppedByReader
from ui.data.worker_process import OutOfMemory, OutOfTime
from ui.state import rendering
from ui.state.page_context import PageContext
from ui.state.scope import Scope


class Page:
    """A page that notes in `events` which parts are drawn, and which messages reach the browser."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.context = SimpleNamespace(_enqueue=lambda message: self.events.append(f"sent {message}"))

    def part(self, name: str, then: Callable[[], Any] = lambda: None) -> Callable[..., Any]:
        """What shows a part: it takes what was made, sends its name, and then does what `then` does."""

        def show(made: Callable[[], object]) -> Any:
            made()
            self.events.append(f"drawn {name}")
            self.context._enqueue(name)
            return then()

        return show


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    new_page = Page()
    monkeypatch.setattr(streamlit_internals, "get_script_run_ctx", lambda: new_page.context)
    monkeypatch.setattr(rendering.st, "container", nullcontext)
    # A busy machine may need longer than a reader would wait.
    monkeypatch.setattr(rendering, "_PATIENCE", 60)
    with ThreadPoolExecutor(4) as pool:
        monkeypatch.setattr(page_run, "in_pool", pool.submit)
        rendering.begin()
        yield new_page
        rendering.discard()


def at_once() -> None:
    """Makes a part whose answer is known already."""


def test_parts_whose_answers_are_known_are_sent_in_one_group(page):
    rendering.defer(at_once, page.part("bar"))
    rendering.defer(at_once, page.part("cards"))
    rendering.flush()
    assert page.events == ["drawn bar", "drawn cards", "sent bar", "sent cards"]


def test_figures_are_all_worked_out_before_the_first_is_shown_and_footers_come_after_all(page):
    def figure(name: str) -> Callable[[], None]:
        def send() -> None:
            page.part(f"{name} shown")(at_once)
            rendering.after(lambda: page.part(f"footer of {name}")(at_once), nullcontext())

        return send

    for name in ("trend", "map"):
        rendering.defer(at_once, page.part(name, lambda name=name: figure(name)), first=True)
    rendering.defer(at_once, page.part("bar"))
    rendering.flush()
    figures = ["drawn trend", "drawn map", "drawn trend shown", "drawn map shown"]
    groups = ["sent trend", "sent map", "sent trend shown", "sent map shown"]
    assert page.events[:8] == [*figures, *groups], "the figures are sent before the rest is drawn"
    last = ["bar", "footer of trend", "footer of map"]
    assert page.events[8:] == [f"{what} {name}" for what in ("drawn", "sent") for name in last]


def test_what_is_drawn_does_not_wait_for_a_slow_answer(page, monkeypatch):
    monkeypatch.setattr(rendering, "_PATIENCE", 0.01)
    is_answered = threading.Event()
    enqueue = page.context._enqueue

    def reaches_the_browser(message: str) -> None:
        enqueue(message)
        is_answered.set()

    page.context._enqueue = reaches_the_browser
    rendering.defer(at_once, page.part("bar"))
    rendering.defer(lambda: is_answered.wait(60), page.part("rows"))
    rendering.flush()
    assert page.events == ["drawn bar", "sent bar", "drawn rows", "sent rows"]


def test_what_fails_in_the_pool_fails_where_it_is_shown_and_holds_nothing_back(page):
    def fail() -> None:
        raise LookupError("broken")

    def show(made: Callable[[], object]) -> None:
        with pytest.raises(LookupError, match="broken"):
            made()
        page.part("notice")(at_once)

    rendering.defer(fail, show)
    rendering.defer(at_once, page.part("bar"))
    rendering.flush()
    assert page.events[-2:] == ["sent notice", "sent bar"]


def test_a_part_is_made_once_and_given_what_was_made(page):
    made: list[int] = []
    rendering.defer(lambda: made.append(1) or "cards", lambda cards: page.part(cards())(at_once))
    rendering.flush()
    assert (made, page.events) == ([1], ["drawn cards", "sent cards"])


def test_a_part_of_a_fragment_that_runs_alone_is_made_and_shown_at_once(page):
    rendering.discard()
    rendering.defer(at_once, page.part("cards", lambda: lambda: page.part("cards shown")(at_once)))
    rendering.after(lambda: page.part("footer")(at_once), nullcontext())
    assert page.events == [
        f"{what} {name}" for name in ("cards", "cards shown", "footer") for what in ("drawn", "sent")
    ]


def test_what_was_drawn_before_an_error_is_sent(page):
    def fail() -> None:
        raise LookupError("broken")

    rendering.defer(at_once, page.part("bar"))
    rendering.defer(at_once, page.part("cards", fail))
    with pytest.raises(LookupError, match="broken"):
        rendering.flush()
    assert page.events[-2:] == ["sent bar", "sent cards"]
    page.context._enqueue("later")
    assert page.events[-1] == "sent later", "messages after it are sent at once again"


VIEW = PageContext(Scope(date(2026, 6, 30), lang="en"))


@pytest.fixture
def notices(page, monkeypatch):
    """What the notices of a page say, sent as its parts are."""
    said: list[str] = []

    def html(words: str) -> None:
        page.part(re.findall("pd-(?:refused|error|empty)", words)[0])(at_once)
        said.append(words)

    monkeypatch.setattr(blocks.st, "html", html)
    monkeypatch.setattr(blocks, "record_once", lambda *_, **__: None)
    with page_run.acting_as(ADMINISTRATOR):
        yield said


FAILURES = {
    "raises": (ZeroDivisionError("a name of the register"), "pd-error"),
    "refused": (QuestionError("no such measure"), "pd-refused"),
    "of another province": (AccessDenied(), "pd-refused"),
    "too early": (TooEarly("of 1403"), "pd-refused"),
    "too large": (OutOfMemory(), "pd-refused"),
    "too slow": (OutOfTime(), "pd-refused"),
    "stopped by the reader": (StoppedByReader(), "pd-refused"),
}


@pytest.mark.parametrize("when", ["made", "shown"])
@pytest.mark.parametrize("kind", FAILURES)
def test_a_part_that_fails_is_a_notice_in_its_place_and_those_after_it_are_shown(page, notices, kind, when):
    error, expected = FAILURES[kind]

    def fail(*_: object) -> None:
        raise error

    shown = page.part("chart")
    parts.part(VIEW, "first", at_once, lambda _: page.part("first")(at_once))
    parts.part(VIEW, "broken", fail if when == "made" else at_once, fail)
    parts.part(VIEW, "last", at_once, lambda _: shown(at_once))
    rendering.flush()
    assert [event for event in page.events if event.startswith("sent")] == [
        "sent first",
        f"sent {expected}",
        "sent chart",
    ]
    (said,) = notices
    assert "name of the register" not in said


def test_of_a_run_that_was_left_nothing_is_drawn_in_the_next_one(page):
    rendering.defer(at_once, page.part("of the page that was left"))
    rendering.begin()
    rendering.defer(at_once, page.part("of the next page"))
    rendering.flush()
    assert page.events == ["drawn of the next page", "sent of the next page"]


@pytest.mark.parametrize("gone", [streamlit_internals.RerunException, streamlit_internals.StopException])
def test_a_run_that_is_left_within_a_part_ends_there_and_says_nothing(page, notices, gone):
    def left(_: object) -> None:
        raise gone(None) if gone is streamlit_internals.RerunException else gone

    parts.part(VIEW, "left", at_once, left)
    parts.part(VIEW, "last", at_once, lambda _: page.part("last")(at_once))
    with pytest.raises(gone):
        rendering.flush()
    assert (page.events, notices) == ([], [])
