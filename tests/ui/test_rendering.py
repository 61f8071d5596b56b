"""Parts of a page are made in the pool and sent to the browser in groups, and none waits for a slow one."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from ui import streamlit_internals
from ui.data import page_run
from ui.state import rendering


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
