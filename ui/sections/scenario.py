"""The scenario of Growth and of Training: sliders for recruits, leavers and seats, kept in the address, and their path."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from etl.analysis.planning import NOW, Scenario
from etl.analysis.projection import whole_above
from etl.core.errors import QuestionError, TooEarly
from etl.semantic.answers import Answer
from ui.charts.elements import metric_of
from ui.components import blocks
from ui.components.blocks import controlled, error_boundary
from ui.components.figures import named
from ui.components.footer import question
from ui.data import page_run, warehouse
from ui.exhibits import scenario as exhibits
from ui.exhibits.goal import Goal
from ui.exhibits.named import as_chosen
from ui.exhibits.scenario import Planned, as_shown, present_seats, seats_in_address, whole
from ui.i18n import text
from ui.state import page_context, page_parameters, questions
from ui.state.given import in_address
from ui.state.page_context import PageContext

# The option for all provinces.
_ALL = ""
_ROW = 4
# The browser formats the numbers above a thumb in the user's language.
_LOCALIZED = "localized"


def of_headcount(view: PageContext) -> None:
    """The sliders for joiners and leavers; nothing where the history is too short for a path."""
    try:
        goal = as_chosen(Goal, page_parameters.of(page_context.part()), view.asked).count
        _analysed(view, "headcount", scenario=_of_address(view), goal=goal)
    except TooEarly:
        return
    except QuestionError:
        pass
    _panel(view)


def of_seats(view: PageContext) -> None:
    """The sliders for joiners, leavers and seats."""
    _panel(view, has_seats=True)


def _of_address(view: PageContext) -> Scenario:
    return as_chosen(Planned, page_parameters.of(page_context.part()), view.asked).scenario


def _panel(view: PageContext, has_seats: bool = False) -> None:
    """The sliders, set by the address or the last 12 months, and a button that resets them; seats where they are planned."""
    scenario = _of_address(view)
    with st.container(border=True, key="scenario", height="stretch"):
        blocks.head(view.word("planning.title"), view.word("planning.help"))
        with error_boundary(view.lang, "flows"):
            _flows(view, scenario)
        if has_seats:
            with error_boundary(view.lang, "seats"):
                _seats(view, scenario)
        if scenario != NOW:
            st.button(
                view.word("planning.as_now"),
                key="plan as now",
                type="tertiary",
                on_click=lambda: page_parameters.choose(page_context.part(), recruits=None, leave=None, seats=None),
            )


def _analysed(view: PageContext, analysis: str, /, **options: Any) -> Answer:
    return questions.analyse_under(view.asked, warehouse.of_page(), analysis, **options)[0]


def _flows(view: PageContext, scenario: Scenario) -> None:
    answer = _analysed(view, "pace_now")
    left, right = st.columns(2)
    with left:
        _slider(view, answer, "plan_recruits", "recruits", scenario.recruits)
    with right:
        _slider(view, answer, "plan_leaver_rate", "leave", text.rounded(scenario.leaver_rate, "share"))
    blocks.left_out(view, answer)


def _slider(view: PageContext, answer: Answer, name: str, parameter: str, chosen: float | None) -> None:
    """One slider at the chosen or the current value; its label shows the current one."""
    metric, current, is_rate = metric_of(answer, name), as_shown(answer, name), name == "plan_leaver_rate"
    label = metric.label[view.lang]
    if is_rate and (settled := questions.settled_on(warehouse.of_page(), "leaver_rate_12m", view.as_of)):
        label = view.word("change.settled", label=label, day=text.day(settled, view.lang))
    written = text.amount(answer.value(name), metric.unit, view.lang)
    most = max(0.6, current * 2) if is_rate else _round_top(max(current * 4, chosen or 0), 100)
    kind = float if is_rate else int

    def choose(value: float) -> None:
        written = in_address(float(text.percentage(value)) if is_rate else value)
        page_parameters.choose(page_context.part(), **{parameter: None if value == current else written})

    controlled(
        st.slider,
        f"{label} ({written if is_rate else view.word('planning.average', value=written)})",
        f"plan {name}",
        kind(min(current if chosen is None else chosen if is_rate else whole_above(chosen), most)),
        choose,
        min_value=kind(0),
        max_value=kind(most),
        step=0.001 if is_rate else 1,
        format="percent" if is_rate else _LOCALIZED,
    )
    question(view, answer, f"plan-{name}", named(view, exhibits.pace_now))


def _seats(view: PageContext, scenario: Scenario) -> None:
    """Monthly seats of each course: the shared ones of all provinces, or those of one."""
    answer = _analysed(view, "seats_now")
    names = warehouse.names("province", view.lang)
    own = page_run.access_scope().codes.intersection(view.where.get("province", names))
    options = [_ALL, *(code for code in names if code in own)]
    pool = _pool(view, options, names)
    # Courses with seats in this pool, or in any province while all are shown.
    chosen = {course for province, course in scenario.seats if province == pool or not pool}
    current = present_seats(answer, scenario, pool)
    titles = warehouse.names("course", view.lang)
    courses = [course for course in titles if course in current or course in chosen]
    for start in range(0, len(courses), _ROW):
        for column, course in zip(st.columns(_ROW), courses[start : start + _ROW], strict=False):
            with column:
                _seat(view, scenario, (pool, course), titles[course], current.get(course, 0.0))
    question(view, answer, "plan-seats", named(view, exhibits.seats_now))


def _pool(view: PageContext, options: list[str], names: Mapping[str, str]) -> str:
    province = page_parameters.one(page_context.part(), "of")
    chosen = province if province in options else _ALL
    controlled(
        st.selectbox,
        view.word("planning.pool"),
        "plan pool",
        chosen,
        lambda code: page_parameters.choose(page_context.part(), of=code or None),
        options=options,
        format_func=lambda code: names.get(code, view.word("planning.all_provinces")),
    )
    return chosen


def _seat(view: PageContext, scenario: Scenario, place: tuple[str, str], title: str, exact: float) -> None:
    current = whole(exact)
    most = _round_top(max(current * 4, scenario.seats.get(place, 0)), 20)

    def choose(chosen: int) -> None:
        other_seats = {pool: count for pool, count in scenario.seats.items() if pool != place}
        seats = other_seats if chosen == current else other_seats | {place: chosen}
        page_parameters.choose(page_context.part(), seats=seats_in_address(Scenario(seats=seats)))

    label = f"{title} ({view.word('planning.average', value=text.number(current, view.lang))})"
    key, value = f"plan seats {'.'.join(place)}", int(scenario.seats.get(place, current))
    controlled(st.slider, label, key, value, choose, min_value=0, max_value=most, format=_LOCALIZED)


def _round_top(value: float, least: int) -> int:
    """The upper end of a slider: a round number at or above `value`."""
    top = max(value, least)
    size = 10 ** (len(str(int(top))) - 1)
    return int(-(-top // size) * size)
