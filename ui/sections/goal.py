"""Growth: the recruits needed to reach the target in time, and announced numbers."""

from datetime import date
from functools import partial

import streamlit as st

from etl.analysis.projection import end_of_next_year
from etl.core import jalali
from ui.components import blocks, day_field
from ui.components.blocks import controlled
from ui.components.figures import named, notes_of
from ui.components.footer import question
from ui.components.parts import part
from ui.exhibits import goal as exhibits
from ui.exhibits.exhibit import Exhibit, Sentence
from ui.exhibits.named import Made, as_chosen
from ui.i18n import text
from ui.state import given, page_parameters
from ui.state.page_context import PageContext

_PAGE = "growth"


def seek(view: PageContext) -> None:
    """The monthly recruits needed to reach a target by a day, beside those of now."""
    made = named(view, exhibits.recruits_needed)
    until = as_chosen(exhibits.Goal, page_parameters.of(_PAGE), view.asked).until or end_of_next_year(view.as_of)
    place = st.container(border=True, key="goal-seek")
    show = partial(_seek, view, made, exhibits.month_ends(view.as_of), until)
    part(view, "goal-seek", lambda: made.exhibit, show, place)


def _seek(view: PageContext, made: Made, month_ends: list[date], until: date, exhibit: Exhibit) -> None:
    assert exhibit.answer is not None
    row, said = exhibit.answer.records()[0], " ".join(exhibit.sentences)
    notes_of(exhibit, "goal-seek")
    st.html(
        f"{blocks.heading(view.word('goal.title'))}"
        f'<p class="pd-sentence" role="status">{text.escape(said)}</p>'
        f'<p class="pd-note">{view.escaped("goal.help")}</p>'
    )
    blocks.left_out(view, exhibit.answer)
    question(view, exhibit.answer, "goal-seek", made)
    left, right = st.columns([1, 2])
    with left:
        _target(view, row["goal"])
        day_field.field(view, "until", view.word("goal.day"), until, _choose, (view.as_of + jalali.DAY, month_ends[-1]))
        day_field.trouble("until")
    with right:
        _year(view, month_ends, until)
        label, named = view.word("goal.month"), partial(text.day, lang=view.lang)
        options = sorted({*month_ends, until})
        controlled(st.select_slider, label, "goal month", until, _choose, options=options, format_func=named)
    if link := _scenario(view, row["exact_recruits"], until):
        st.html(f'<a class="pd-go" href="{text.escape(link)}" target="_self">{view.escaped("goal.scenario")}</a>')


def _scenario(view: PageContext, exact: float | None, until: date) -> str:
    """The address of the scenario with the exact recruits needed, to the goal of this page; empty beyond what it takes."""
    recruits = str(exact or 0)
    if exact is None or given.number(recruits) is None:
        return ""
    goal = page_parameters.of(_PAGE).get("goal", [])
    chosen = {"recruits": [recruits], "goal": goal, "until": [until.isoformat()]}
    return page_parameters.address(_PAGE, view.lang, view.scope.address() | chosen)


def announced(view: PageContext) -> None:
    """Announced numbers next to those of the register on the same day, with known reasons for the difference."""
    place = st.container(border=True, key="announced", height="stretch")
    made = named(view, exhibits.announced)
    part(view, "announced", lambda: made.exhibit, partial(_announced, view, made), place)


def _announced(view: PageContext, made: Made, exhibit: Exhibit) -> None:
    assert isinstance(exhibit.form, Sentence)
    assert exhibit.answer is not None
    lines = [
        f"<p><b>{text.escape(said.words)}</b></p><p class='pd-note'>{text.escape(source.words)}</p>"
        for said, source in exhibit.form.lines
    ]
    st.html(blocks.heading(exhibit.title.sentence) + "".join(lines))
    notes_of(exhibit, "announced")
    question(view, exhibit.answer, "announced", made)


def _target(view: PageContext, goal: float | None) -> None:
    def changed(written: str) -> None:
        target = given.number(given.typed(written))
        page_parameters.choose(_PAGE, goal=given.in_address(target) if target else None)

    shown = text.plain(goal, "persons", view.lang) if goal is not None else ""
    controlled(st.text_input, view.word("goal.target"), "goal target", shown, changed)


def _choose(day: date) -> None:
    page_parameters.choose(_PAGE, until=day.isoformat())


def _year(view: PageContext, month_ends: list[date], until: date) -> None:
    """The ends of years, each one click."""
    ends = {unit.last: unit.label for unit in (jalali.unit_of(day, "year") for day in month_ends)}

    def changed(day: date | None) -> None:
        # A second click on the chosen year takes it back and changes nothing.
        if day:
            _choose(day)

    controlled(
        st.segmented_control,
        view.word("goal.until"),
        "goal year",
        until if until in ends else None,
        changed,
        options=[day for day in month_ends if day in ends],
        format_func=lambda day: text.unit_in_both(ends[day], view.lang),
    )
