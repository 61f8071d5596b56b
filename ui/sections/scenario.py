"""The scenario of Growth and of Training: sliders for recruits, leavers and seats, kept in the address, and their path."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import streamlit as st

from etl.analysis.planning import NOW, Scenario
from etl.analysis.projection import whole_above
from etl.core.errors import QuestionError, TooEarly
from etl.semantic.answers import Answer
from ui.charts.elements import metric_of, unit_of
from ui.components import blocks
from ui.components import figures as ui
from ui.components.blocks import controlled, error_boundary
from ui.components.footer import question
from ui.data import page_run, warehouse
from ui.exhibits import growth
from ui.i18n import text
from ui.state import address, page_context, page_parameters, questions
from ui.state.page_context import PageContext

# The option for all provinces.
_ALL = ""
_ROW = 4
# The browser formats the numbers above a thumb in the user's language.
_LOCALIZED = "localized"


def of_headcount(view: PageContext) -> None:
    """The sliders for joiners and leavers, and the path of headcount below; nothing where the history is too short for one.

    With untouched sliders and no goal of its own the path is the projection, which the page draws already.
    """
    scenario = of_address()
    try:
        _path(view, scenario)
    except TooEarly:
        return
    except QuestionError:
        pass
    panel(view, scenario)
    if without_present(view, scenario) != NOW or _goal() is not None:
        ui.exhibit(view, growth.headcount, scenario=scenario, goal=_goal())


def panel(view: PageContext, scenario: Scenario, has_seats: bool = False) -> None:
    """The sliders, set by the address or the last 12 months, and a button that resets them; seats where they are planned."""
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


def _path(view: PageContext, scenario: Scenario) -> Answer:
    return _analysed(view, "headcount", scenario=scenario, goal=_goal())


def _analysed(view: PageContext, analysis: str, /, **options: Any) -> Answer:
    return questions.analyse_under(view.asked, warehouse.of_page(), analysis, **options)[0]


def _goal() -> float | None:
    return address.number(page_parameters.one(page_context.part(), "goal"))


def of_address() -> Scenario:
    rate = address.number(page_parameters.one(page_context.part(), "leave"), 100)
    seats = [
        seat for written in page_parameters.of(page_context.part()).get("seats", ()) if (seat := address.seat(written))
    ]
    return Scenario(
        address.number(page_parameters.one(page_context.part(), "recruits")),
        None if rate is None else rate / 100,
        {(province, course): count for province, course, count in seats},
    )


def without_present(view: PageContext, scenario: Scenario) -> Scenario:
    """The scenario without what its sliders show untouched: their numbers are rounded, and choosing them changes nothing."""
    with suppress(QuestionError):
        pace = _analysed(view, "pace_now")
        if scenario.recruits == _as_shown(pace, "plan_recruits"):
            scenario = replace(scenario, recruits=None)
        if text.rounded(scenario.leaver_rate, "share") == _as_shown(pace, "plan_leaver_rate"):
            scenario = replace(scenario, leaver_rate=None)
    with suppress(QuestionError):
        for (pool, course), count in scenario.seats.items():
            answer = _analysed(view, "seats_now")
            if count == _whole(_present_seats(answer, scenario, pool).get(course, 0.0)):
                seats = {place: number for place, number in scenario.seats.items() if place != (pool, course)}
                scenario = replace(scenario, seats=seats)
    return scenario


def _flows(view: PageContext, scenario: Scenario) -> None:
    answer = _analysed(view, "pace_now")
    left, right = st.columns(2)
    with left:
        _slider(view, answer, "plan_recruits", "recruits", scenario.recruits)
    with right:
        _slider(view, answer, "plan_leaver_rate", "leave", text.rounded(scenario.leaver_rate, "share"))
    blocks.left_out(view, answer)


def _as_shown(answer: Answer, name: str) -> float:
    """A number of the answer, rounded as beside its slider; 0 if there is none."""
    return text.rounded(answer.value(name), unit_of(answer, name)) or 0


def _slider(view: PageContext, answer: Answer, name: str, parameter: str, chosen: float | None) -> None:
    """One slider at the chosen or the current value; its label shows the current one."""
    metric, current, is_rate = metric_of(answer, name), _as_shown(answer, name), name == "plan_leaver_rate"
    label = metric.label[view.lang]
    if is_rate and (settled := questions.settled_on(warehouse.of_page(), "leaver_rate_12m", view.as_of)):
        label = view.word("change.settled", label=label, day=text.day(settled, view.lang))
    written = text.amount(answer.value(name), metric.unit, view.lang)
    most = max(0.6, current * 2) if is_rate else _round_top(max(current * 4, chosen or 0), 100)
    kind = float if is_rate else int

    def choose(value: float) -> None:
        in_address = f"{value * 100 if is_rate else value:g}"
        page_parameters.choose(page_context.part(), **{parameter: None if value == current else in_address})

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
    question(view, answer, f"plan-{name}")


def _seats(view: PageContext, scenario: Scenario) -> None:
    """Monthly seats of each course: the shared ones of all provinces, or those of one."""
    answer = _analysed(view, "seats_now")
    names = warehouse.names("province", view.lang)
    own = page_run.access_scope().codes.intersection(view.where.get("province", names))
    options = [_ALL, *(code for code in names if code in own)]
    pool = _pool(view, options, names)
    # Courses with seats in this pool, or in any province while all are shown.
    chosen = {course for province, course in scenario.seats if province == pool or not pool}
    current = _present_seats(answer, scenario, pool)
    titles = warehouse.names("course", view.lang)
    courses = [course for course in titles if course in current or course in chosen]
    for start in range(0, len(courses), _ROW):
        for column, course in zip(st.columns(_ROW), courses[start : start + _ROW], strict=False):
            with column:
                _seat(view, scenario, (pool, course), titles[course], current.get(course, 0.0))
    question(view, answer, "plan-seats")


def _present_seats(answer: Answer, scenario: Scenario, pool: str) -> dict[str, float]:
    """The seats a month of each course in a province, or those shared by all that the scenario does not set apart."""
    current: dict[str, float] = {}
    for province, course, count in answer.rows:
        if province == pool or (not pool and (province, course) not in scenario.seats):
            current[course] = current.get(course, 0.0) + count
    return current


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


def _whole(seats: float) -> int:
    """Seats as their slider shows them."""
    return int(text.rounded_half_up(seats, 0))


def _seat(view: PageContext, scenario: Scenario, place: tuple[str, str], title: str, exact: float) -> None:
    current = _whole(exact)
    most = _round_top(max(current * 4, scenario.seats.get(place, 0)), 20)

    def choose(chosen: int) -> None:
        other_seats = {pool: count for pool, count in scenario.seats.items() if pool != place}
        seats = other_seats if chosen == current else other_seats | {place: chosen}
        listed = [f"{'.'.join(filter(None, pool))}:{count:g}" for pool, count in sorted(seats.items())]
        page_parameters.choose(page_context.part(), seats=listed)

    label = f"{title} ({view.word('planning.average', value=text.number(current, view.lang))})"
    key, value = f"plan seats {'.'.join(place)}", int(scenario.seats.get(place, current))
    controlled(st.slider, label, key, value, choose, min_value=0, max_value=most, format=_LOCALIZED)


def _round_top(value: float, least: int) -> int:
    """The upper end of a slider: a round number at or above `value`."""
    top = max(value, least)
    size = 10 ** (len(str(int(top))) - 1)
    return int(-(-top // size) * size)
