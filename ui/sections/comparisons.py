"""Figures of signals, and of measures on their latest settled day."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from etl.semantic.answers import Answer
from ui.charts import signals
from ui.components import blocks
from ui.components import figures as ui
from ui.state import questions
from ui.state.page_context import PageContext
from ui.state.questions import without_places


def levels(view: PageContext, name: str) -> None:
    """The funnel of all provinces for a share, regardless of the chosen place."""
    everywhere, ident = replace(view, scope=view.scope.of(without_places(view.where))), f"funnel-{name}"
    draw = partial(ui.draw, view, signals.funnel, ident=ident)
    ui.part(everywhere, ident, "level_signals", partial(_unless_empty, view, draw), first=True, name=name)


def changes(view: PageContext, name: str) -> None:
    """The months of the chosen province as its share of the nation's events."""
    if len(view.where.get("province", ())) != 1:
        blocks.note(view.word("signal.choose"), on_screen=True)
        return

    def draw(answer: Answer, ignored: Sequence[str]) -> None:
        ui.draw(view, signals.process, questions.without_first(answer), f"figure-changes-{name}", ignored=ignored)

    ui.part(view, f"changes-{name}", "change_signals", partial(_unless_empty, view, draw), first=True, name=name)


def _unless_empty(view: PageContext, draw: Callable[..., None], answer: Answer, ignored: Sequence[str]) -> None:
    if answer.rows:
        draw(answer, ignored=ignored)
    else:
        blocks.notice(view.lang, "state.empty_title", view.word("state.empty"))
