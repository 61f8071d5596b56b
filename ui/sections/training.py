"""Parts of the page on training: the courses in one sentence, what lapses in 90 days, and three futures of compliance."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from etl.analysis.planning import NOW, Scenario
from etl.analysis.training import MOST_MISSED
from etl.semantic.answers import Answer
from ui.charts import bars, forecast, lines
from ui.components import blocks
from ui.components import figures as ui
from ui.components.blocks import error_boundary, notice
from ui.components.footer import where_and_when
from ui.i18n import text
from ui.state import rendering, scoped_query
from ui.state.page_context import PageContext

# Seats are kept by these; of any other group only what is certain is known.
_OF_SEATS = {"province", "course"}
# A change of the lapses that a reader is told of.
_MANY_MORE = 0.05


def courses(view: PageContext) -> None:
    """What holds of every course, in one sentence."""

    def show(answer: Answer, _: Sequence[str]) -> None:
        shares = [value for value in answer.column("training_compliance") if value is not None]
        if len(shares) > 1 and (whole := math.ceil(min(shares) * 100 - 1e-9) - 1) > 0:
            blocks.intro(view.word("futures.courses", share=text.percent(whole / 100, view.lang, 0)))

    ask = partial(scoped_query.ask, view, ["training_compliance"], ("course",))
    rendering.defer(lambda: show(*ask()), place=st.container(key="courses"), ready=ask)


def lapsing(view: PageContext) -> None:
    """The people whose training lapses within 30, 60 and 90 days, as one bar."""
    names = [f"expiring_{days}" for days in (30, 60, 90)]
    ask = partial(scoped_query.ask, view, names)

    def draw() -> None:
        with error_boundary(view.lang, "lapsing"):
            answer, ignored = ask()
            subtitle = f"{view.word('futures.lapsing')} · {where_and_when(view, answer)}"
            ui.draw(view, bars.spans, answer, "lapsing", ignored=ignored, subtitle=subtitle)

    rendering.defer(
        draw, place=st.container(border=True, key="figure-lapsing", height="stretch"), ready=ask, first=True
    )


def futures(view: PageContext, scenario: Scenario = NOW) -> None:
    """The three lines on one chart; of a group without seats of its own, compliance if nobody trains."""
    if view.where.keys() <= _OF_SEATS:
        ui.part(view, "futures", "futures", partial(_show, view, scenario), first=True, scenario=scenario)
    else:
        ui.figure(view, lines.run_off, analysis="run_off")


def _show(view: PageContext, scenario: Scenario, answer: Answer, ignored: Sequence[str]) -> None:
    if all(value is None for value in answer.column("run_off")):
        notice(view.lang, "state.empty_title", view.word("state.empty"))
        return
    # The numbers of the trial and of the lapses are said in words.
    shown = replace(answer, metrics=answer.metrics[:7])
    is_changed = scenario != NOW
    ui.draw(
        view,
        forecast.futures,
        shown,
        "futures",
        partial(forecast.with_seats, is_changed=is_changed),
        ignored,
        _notes(view, scenario, answer),
        options={"is_changed": is_changed},
    )


def _notes(view: PageContext, scenario: Scenario, answer: Answer) -> list[str]:
    """Why the lines differ, or why there is no scenario; what the coming year asks for; what recruits do to seats."""
    miss, *lapses = (
        answer.rows[-1][answer.columns.index(name)] for name in ("plan_miss", "lapses_ahead", "lapses_before")
    )
    most = text.number(MOST_MISSED * 100, view.lang)
    if miss is None:
        return [view.word("futures.untried")]
    if abs(miss) > MOST_MISSED:
        return [view.word("futures.missed", miss=text.amount(abs(miss), "share_points", view.lang), most=most)]
    notes = [view.word("futures.why")]
    ahead, before = lapses
    if before and ahead / before - 1 >= _MANY_MORE:
        more = text.percent(ahead / before - 1, view.lang, 0)
        notes.append(view.word("futures.lapses", count=text.number(ahead, view.lang), more=more))
    if scenario.recruits is not None:
        notes.append(view.word("futures.recruits"))
    return notes
