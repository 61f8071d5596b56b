"""Parts of a page are sent to the browser in groups, and none waits for the answer of a slow one."""

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

    def part(self, name: str, then: Callable[[], Any] = lambda: None) -> Callable[[], Any]:
        """A part that sends its name, and then does what `then` does."""

        def draw() -> Any:
            self.events.append(f"drawn {name}")
            self.context._enqueue(name)
            return then()

        return draw


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    new_page = Page()
    monkeypatch.setattr(streamlit_internals, "get_script_run_ctx", lambda: new_page.context)
    monkeypatch.setattr(rendering.st, "container", nullcontext)
    # A busy machine may need longer than a reader would wait.
    monkeypatch.setattr(rendering, "_PATIENCE", 60)
    with ThreadPoolExecutor(4) as pool:
        monkeypatch.setattr(page_run, "prefetch", pool.submit)
        rendering.begin()
        yield new_page
        rendering.discard()


def at_once() -> None:
    """The question of a part whose answer is known already."""


def test_parts_whose_answers_are_known_are_sent_in_one_group(page):
    rendering.defer(page.part("bar"), ready=at_once)
    rendering.defer(page.part("cards"), ready=at_once)
    rendering.flush()
    assert page.events == ["drawn bar", "drawn cards", "sent bar", "sent cards"]


def test_figures_are_all_worked_out_before_the_first_is_shown(page):
    for name in ("trend", "map"):
        rendering.defer(page.part(name, lambda name=name: page.part(f"{name} shown")), ready=at_once, first=True)
    rendering.defer(page.part("bar"), ready=at_once)
    rendering.flush()
    figures = ["drawn trend", "drawn map", "drawn trend shown", "drawn map shown"]
    groups = ["sent trend", "sent map", "sent trend shown", "sent map shown"]
    assert page.events == [*figures, *groups, "drawn bar", "sent bar"], "the figures are sent before the rest is drawn"


def test_what_is_drawn_does_not_wait_for_a_slow_answer(page, monkeypatch):
    monkeypatch.setattr(rendering, "_PATIENCE", 0.01)
    is_answered = threading.Event()
    enqueue = page.context._enqueue

    def reaches_the_browser(message: str) -> None:
        enqueue(message)
        is_answered.set()

    page.context._enqueue = reaches_the_browser
    rendering.defer(page.part("bar"), ready=at_once)
    rendering.defer(page.part("rows"), ready=lambda: is_answered.wait(60))
    rendering.flush()
    assert page.events == ["drawn bar", "sent bar", "drawn rows", "sent rows"]


def test_a_part_that_asks_while_it_is_drawn_holds_nothing_back(page):
    rendering.defer(page.part("bar"), ready=at_once)
    rendering.defer(page.part("list", lambda: page.events.append("asked")))
    rendering.flush()
    assert page.events.index("sent bar") < page.events.index("asked")


def test_what_was_drawn_before_an_error_is_sent(page):
    def fail() -> None:
        raise LookupError("broken")

    rendering.defer(page.part("bar"), ready=at_once)
    rendering.defer(page.part("cards", fail), ready=at_once)
    with pytest.raises(LookupError, match="broken"):
        rendering.flush()
    assert page.events[-2:] == ["sent bar", "sent cards"]
    page.context._enqueue("later")
    assert page.events[-1] == "sent later", "messages after it are sent at once again"
