"""Figures of signals, and of measures on their latest settled day."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from etl.analysis import analyses, growth
from etl.semantic.answers import Answer
from ui.charts import signals, steps
from ui.components import blocks
from ui.components import figures as ui
from ui.state import scoped_query
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
        ui.draw(view, signals.process, scoped_query.without_first(answer), f"figure-changes-{name}", ignored=ignored)

    ui.part(view, f"changes-{name}", "change_signals", partial(_unless_empty, view, draw), first=True, name=name)


def _unless_empty(view: PageContext, draw: Callable[..., None], answer: Answer, ignored: Sequence[str]) -> None:
    if answer.rows:
        draw(answer, ignored=ignored)
    else:
        blocks.notice(view.lang, "state.empty_title", view.word("state.empty"))


def bridge(view: PageContext) -> None:
    """The steps of a period, where they add up; leavers by the latest settled day unless a period is chosen."""
    if growth.adds_up(view.under(analyses.filters("bridge"))[0]):
        day = scoped_query.settled_on("leaver_rate_12m", view.as_of)
        settled = view.asked if view.over or not day else view.asked.on_day(day)
        ui.figure(view, steps.bridge, analysis="bridge", asked=settled)
